# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an exception of requests becomes: what it says, what mends it, and whether the request may have been sent."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._http.broken_line import unreachable
from requests import exceptions

URL = "https://idm.example.com/openidm"


class MaxRetryError(Exception):
    """As urllib3 has it."""

    def __init__(self, reason):
        super().__init__("Max retries exceeded")
        self.reason = reason


def named(name, text=""):
    """Return an error by the name that http.client or urllib3 give it; their texts differ."""
    return type(name, (Exception,), {})(*[text] if text else [])


def told(exc, where=URL):
    found = unreachable(exc, where, 3.0, 60.0)
    return found.message, found.sent, found.remedy, found.timed_out


CA = (
    "Give the CA that signed the server's certificate in ca_path, and in url a host name that stands in the"
    " certificate."
)
CHECK_URL = "Check the option url, and that IDM runs there."


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (
            exceptions.SSLError(ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            (
                f"{URL} does not speak TLS: WRONG_VERSION_NUMBER.",
                False,
                "Check the port in url, or write http:// if it is the plain one.",
                False,
            ),
        ),
        (
            exceptions.SSLError(ssl.SSLError(1, "HANDSHAKE_FAILURE")),
            (f"The TLS connection to {URL} failed: HANDSHAKE_FAILURE.", False, CA, False),
        ),
        (
            exceptions.SSLError(named("CertificateError", "hostname 'a' doesn't match 'b'.")),
            (f"The TLS connection to {URL} failed: hostname 'a' doesn't match 'b'.", False, CA, False),
        ),
        (
            exceptions.SSLError(ssl.SSLError(1, "SSLV3_ALERT_CERTIFICATE_REQUIRED")),
            (f"The connection to {URL} was cut: SSLV3_ALERT_CERTIFICATE_REQUIRED.", True, None, False),
        ),
        (
            exceptions.ConnectionError(ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            (f"The connection to {URL} was cut: WRONG_VERSION_NUMBER.", True, None, False),
        ),
        (
            exceptions.ConnectionError(named("CertificateError", "x")),
            (f"The connection to {URL} was cut: x.", True, None, False),
        ),
        (
            exceptions.ProxyError("407"),
            (
                f"The proxy on the way to {URL} failed: 407.",
                False,
                "Check the environment variables https_proxy, http_proxy and no_proxy.",
                False,
            ),
        ),
        (
            exceptions.ConnectTimeout("x"),
            (
                f"{URL} did not accept a connection within 3 s (option timeout).",
                False,
                "Check the host and the port in url, and what lies between.",
                False,
            ),
        ),
        (
            exceptions.ReadTimeout("x"),
            (f"{URL} did not answer within 60 s (option timeout).", True, None, True),
        ),
        (
            exceptions.ConnectionError(MaxRetryError(named("NewConnectionError", "refused"))),
            (f"{URL} cannot be reached: refused.", False, CHECK_URL, False),
        ),
        (
            exceptions.ConnectionError(MaxRetryError(named("NameResolutionError", "unknown"))),
            (f"{URL} cannot be reached: unknown.", False, CHECK_URL, False),
        ),
        (
            exceptions.ConnectionError(MaxRetryError(named("ConnectTimeoutError", "slow"))),
            (f"{URL} cannot be reached: slow.", False, CHECK_URL, False),
        ),
        (
            exceptions.ConnectionError(MaxRetryError(named("ProtocolError", "reset"))),
            (f"The connection to {URL} was cut: reset.", True, None, False),
        ),
        (
            exceptions.ConnectionError(exceptions.ConnectionError("x", named("RemoteDisconnected"))),
            (f"The connection to {URL} was cut: RemoteDisconnected.", True, None, False),
        ),
        (exceptions.ConnectionError(), (f"The connection to {URL} was cut: ConnectionError.", True, None, False)),
    ],
)
def test_each_kind_is_told_and_whether_it_was_sent(exc, expected):
    assert told(exc) == expected


@pytest.mark.parametrize(
    ("exc", "remedy"),
    [
        (
            exceptions.ConnectionError("x", named("RemoteDisconnected", "closed")),
            "If the port is one for TLS, write https:// in url.",
        ),
        (exceptions.ConnectionError("x", OSError("reset")), None),
    ],
)
def test_a_plain_port_that_hangs_up_may_be_one_for_tls(exc, remedy):
    assert told(exceptions.ConnectionError(exc), "http://idm")[2] == remedy


def test_the_innermost_error_is_told_whatever_wraps_it():
    outer = exceptions.ConnectionError("outer")
    outer.__cause__ = OSError("cause")
    assert told(outer)[0] == f"The connection to {URL} was cut: cause."
    outer = exceptions.ConnectionError("outer")
    outer.__context__ = OSError("context")
    assert told(outer)[0] == f"The connection to {URL} was cut: context."
    outer.reason = OSError("reason")
    assert told(outer)[0] == f"The connection to {URL} was cut: context."
    outer = exceptions.ConnectionError("outer")
    outer.reason = OSError("reason")
    assert told(outer)[0] == f"The connection to {URL} was cut: reason."
    outer.reason = outer  # no end is awaited
    assert told(outer)[0] == f"The connection to {URL} was cut: outer."
