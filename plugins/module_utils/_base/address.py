# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names and URLs: which mean this machine, and which mean the same one."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import typing as t
from urllib.parse import unquote, urlsplit

from .errors import InvalidOption

_LOOPBACK = re.compile(r"^(localhost|127(\.\d+){3}|::1)$", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
#: The names of one network interface. Servers of their own may listen on others, as on 127.0.0.2.
_HERE = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name means this machine."""
    return bool(host and _LOOPBACK.match(host))


def same_host(one: str, other: str) -> bool:
    """Tell whether two host names are the same, as far as the names tell; those of this machine are."""
    left, right = (host.lower().strip("[]").rstrip(".") for host in (one, other))
    return left == right or (is_loopback(left) and is_loopback(right))


def addresses(host: str) -> frozenset[str]:
    """Return the addresses that a host name stands for here, none where it cannot be looked up.

    All names of this machine have one in common, whichever of its addresses they stand for.
    """
    names = [host.strip("[]")] + ([socket.gethostname()] if is_loopback(host.strip("[]")) else [])
    found = {address for name in names for address in _looked_up(name)}
    return frozenset("localhost" if is_loopback(address) else address for address in found)


def _looked_up(name: str) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def same_machine(one: str, other: str) -> bool:
    """Tell whether two host names are the same, or share an address."""
    return same_host(one, other) or bool(addresses(one) & addresses(other))


def share_a_host(hosts: t.Sequence[str], others: t.Iterable[str]) -> bool:
    """Tell whether a host of the one list is in the other one too, by name or by address."""
    pairs = [(host, other) for other in list(others) for host in list(hosts)]
    return any(same_host(*pair) for pair in pairs) or any(same_machine(*pair) for pair in pairs)


def base_url(text: str, option: str = "url") -> str:
    """Return IDM's base URL without its trailing slash.

    :param option: what the user calls it.
    :raises InvalidOption: when it is no http(s) URL, or carries credentials, which the error does not show.
    """
    bare, unused, query = text.strip().partition("?")
    bare = bare.rstrip("/")
    if "@" in text:  # before anything is read: a password may hold what ends a host's name
        shown = f"{text.strip().partition('://')[0]}://...@{text.strip().rpartition('@')[2]}"
        raise InvalidOption(option, shown, "Give credentials in username and password.")
    form = "Give the base URL with the context path, as in https://idm.example.com/openidm."
    try:
        parts = urlsplit(bare)
        _unused = parts.port
    except ValueError as exc:
        raise InvalidOption(option, bare, f"{form} A port is a number up to 65535.") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname or query or parts.fragment:
        raise InvalidOption(option, bare, form)
    return bare


def is_open_http(url: str) -> bool:
    """Tell whether what is sent to a URL can be read on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname)


def one_spelling(url: str) -> str:
    """Return a base URL in the one spelling of all those that lead to the same server, as far as the names tell.

    :param url: http or https, with a host.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
        host = str(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:  # a name; UnicodeError is one too
        with contextlib.suppress(ValueError):
            host = host.encode("idna").decode()
    host = _HERE[0] if host in _HERE else host
    path = [part for part in unquote(parts.path).split("/") if part not in ("", ".")]
    return "/".join([f"{parts.scheme}://{host}:{parts.port or _PORTS.get(parts.scheme, '')}", *path])
