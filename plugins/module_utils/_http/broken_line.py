# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What broke on the line: the exceptions of requests as ours. No I/O, and no import of requests."""

from __future__ import annotations

import ssl
import typing as t

from .._base.errors import Unreachable
from .._base.text import remedy_for_dates

#: OpenSSL's words for a handshake that came to nothing, whatever was to be sent after it.
_NO_HANDSHAKE = ("WRONG_VERSION", "UNSUPPORTED_PROTOCOL", "HANDSHAKE_FAILURE", "NO_PROTOCOLS")


def unreachable(exc: Exception, where: str, connect_seconds: float, read_seconds: float) -> Unreachable:
    """Turn an exception of requests into one that names the URL and the option.

    :param where: the URL, without secrets.
    :param connect_seconds: how long a connection was waited for.
    :param read_seconds: how long the answer was waited for.
    """
    text = _innermost(exc)
    kinds = {kind.__name__ for kind in type(exc).__mro__}
    if "SSLError" in kinds and "WRONG_VERSION" in text:
        return Unreachable(
            f"{where} does not speak TLS: {text}.",
            sent=False,
            remedy="Check the port in url, or write http:// if it is the plain one.",
        )
    if "SSLError" in kinds and _in_handshake(exc):
        return Unreachable(
            f"The TLS connection to {where} failed: {text}.",
            sent=False,
            remedy=remedy_for_dates(text)
            or "Give the CA that signed the server's certificate in ca_path, and in url a host name that stands in"
            " the certificate.",
        )
    if "ProxyError" in kinds:
        return Unreachable(
            f"The proxy on the way to {where} failed: {text}.",
            sent=False,
            remedy="Check the environment variables https_proxy, http_proxy and no_proxy.",
        )
    if "ConnectTimeout" in kinds:
        return Unreachable(
            f"{where} did not accept a connection within {connect_seconds:g} s (option timeout).",
            sent=False,
            remedy="Check the host and the port in url, and what lies between.",
        )
    if "ReadTimeout" in kinds:
        late = f"{where} did not answer within {read_seconds:g} s (option timeout)."
        return Unreachable(late, sent=True, timed_out=True)
    if _never_connected(exc):
        return Unreachable(
            f"{where} cannot be reached: {text}.",
            sent=False,
            remedy="Check the option url, and that IDM runs there.",
        )
    plain = where.startswith("http://") and "RemoteDisconnected" in {type(error).__name__ for error in _chain(exc)}
    return Unreachable(
        f"The connection to {where} was cut: {text}.",
        sent=True,
        remedy="If the port is one for TLS, write https:// in url." if plain else None,
    )


def _chain(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an error and what lies below the wrappers of requests and urllib3."""
    seen: BaseException | None = exc
    while seen is not None:
        yield seen
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in seen.args if isinstance(part, BaseException)), None)
        seen = inner if inner is not seen else None


def _innermost(exc: BaseException) -> str:
    last = list(_chain(exc))[-1]
    return (str(last) or type(last).__name__).rstrip(".")


def _in_handshake(exc: BaseException) -> bool:
    """Tell whether TLS failed before a request can have been sent.

    A line that is cut later is an SSLError too, and TLS 1.3 lets a server refuse a client certificate only after that.
    """
    for part in _chain(exc):
        if isinstance(part, ssl.SSLCertVerificationError) or type(part).__name__ == "CertificateError":
            return True
        if isinstance(part, ssl.SSLError) and any(word in str(part) for word in _NO_HANDSHAKE):
            return True
    return False


def _never_connected(exc: BaseException) -> bool:
    """Tell whether no connection came about, so that nothing was sent."""
    reason = getattr(next(iter(exc.args), None), "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
