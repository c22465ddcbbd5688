# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a connection fails: servers on loopback that misbehave, and a certificate that is read."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ldap import certificate as module
from ansible_collections.idmops.idm.plugins.module_utils._ldap.certificate import explain
from ansible_collections.idmops.idm.plugins.module_utils._ldap.certificate_text import describe

CERTIFICATE = base64.b64decode(
    """
    MIIB/TCCAaOgAwIBAgIUcb+76B072xMJg3TSRoTzPolKZ2QwCgYIKoZIzj0EAwIwOTELMAkGA1UE
    BhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxGDAWBgNVBAMMD2RzMS5leGFtcGxlLmNvbTAeFw0yNjEx
    MjQxODAzNDVaFw0zNjExMjExODAzNDVaMDkxCzAJBgNVBAYTAkRFMRAwDgYDVQQKDAdFeGFtcGxl
    MRgwFgYDVQQDDA9kczEuZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASTQ05a
    J76rGcVVtPaWljH2vRPgvdulA++Fkm57aCMMU3+Kmf0sjNc/nlpyG4u7m6E6dviGPAbi59TpdQhm
    sPQJo4GIMIGFMB0GA1UdDgQWBBTjXink8hWr50drWa827S7DmCODjjAfBgNVHSMEGDAWgBTjXink
    8hWr50drWa827S7DmCODjjAPBgNVHRMBAf8EBTADAQH/MDIGA1UdEQQrMCmCD2RzMS5leGFtcGxl
    LmNvbYcEwAACAYcQIAENuAAAAAAAAAAAAAAAATAKBggqhkjOPQQDAgNIADBFAiBwKX7ujXJlobDE
    fBh/8zC7P8GPlYRrr/znp3HZLMZa8wIhAK8Eh3G4T2r+AoSGaYaCquN9pK2nNLoAc9yQ36BrGhlF
    """
)
HOW = {"tls": True, "start_tls": False, "ca_path": None, "validate": True, "timeout": 0.5}


@pytest.fixture
def server():
    """Start a server that takes connections and sends what it is given."""
    listening = []

    def start(answer=b""):
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        kept = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, peer = listener.accept()
                    kept.append(connection)
                    if answer:
                        connection.recv(4096)
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listening:
        listener.close()


def test_describe():
    assert describe(CERTIFICATE) == (
        "subject C=DE, O=Example, CN=ds1.example.com, issuer C=DE, O=Example, CN=ds1.example.com,"
        " valid until 2036-11-21 18:03 UTC, for ds1.example.com, 192.0.2.1, 2001:db8::1"
    )


def test_describe_takes_what_is_no_certificate():
    assert describe(b"junk").startswith("it could not be read")


@pytest.mark.parametrize("how", [{}, {"start_tls": True}, {"tls": False}])
def test_a_server_that_takes_connections_and_is_silent(server, how):
    """As one that was stopped: the system takes connections for it."""
    found = explain("127.0.0.1", server(), **{**HOW, **how})
    assert found == "it took the connection and says nothing within 0.5 s (option timeout)"


def test_nobody_takes_the_connection(monkeypatch):
    def wait(*unused, **more):
        raise socket.timeout("timed out")

    monkeypatch.setattr(socket, "create_connection", wait)
    assert explain("127.0.0.1", 9, **HOW) == "no connection within 0.5 s (option timeout)"


#: What OpenDJ 4.6.5 answers to the search for nothing (seen): an entry without attributes, then the end.
ANSWER = bytes.fromhex("30090201016404040030 00300c02010165070a010004000400".replace(" ", ""))


def test_a_port_without_tls_is_called_that(server):
    port = server(b"HTTP/1.1 400 Bad Request")
    assert explain("127.0.0.1", port, **HOW).startswith(f"no TLS connection comes about on port {port}")
    assert "start_tls: true" not in explain("127.0.0.1", port, **HOW)
    assert explain("127.0.0.1", server(ANSWER), **HOW).endswith("or write ldap:// with start_tls: true")


def test_a_server_that_dies_between_two_looks_is_said_to_be_gone():
    """It was killed while TLS was begun, and refuses the look at what it speaks (seen on OpenDJ 4.6.5)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def die():
            connection, unused = listener.accept()
            connection.recv(4096)
            listener.close()
            connection.close()

        threading.Thread(target=die, daemon=True).start()
        found = explain("127.0.0.1", port := listener.getsockname()[1], **HOW)
    assert found.startswith(f"no TLS connection comes about on port {port}")


def test_a_port_that_speaks_ldap_is_no_reason(server):
    assert explain("127.0.0.1", server(ANSWER), **{**HOW, "tls": False}) is None


def test_a_port_that_speaks_tls_gets_no_password(server, monkeypatch):
    """It hangs up, or sends an alert."""
    monkeypatch.setattr(module, "connect_tls", lambda *unused, **more: b"certificate")
    found = explain("127.0.0.1", port := server(b"\x15\x03\x03\x00\x02\x02\x0a"), **{**HOW, "tls": False})
    assert found == f"port {port} speaks TLS from the start: write ldaps://"


def test_a_port_that_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, peer = listener.accept()
                    connection.recv(4096)  # what is unread would make it a reset
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        found = explain("127.0.0.1", listener.getsockname()[1], **{**HOW, "tls": False})
    assert found == "it hangs up without a word"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request", b"\x15\x03"])
def test_a_port_that_speaks_something_else(server, answer):
    found = explain("127.0.0.1", port := server(answer), **{**HOW, "tls": False})
    assert found == f"what listens on port {port} does not speak LDAP"


def test_a_server_without_start_tls_is_called_that(server):
    refused = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"
    assert explain("127.0.0.1", server(refused), **{**HOW, "start_tls": True}) == "the server does not offer StartTLS"


def test_start_tls_where_tls_is_spoken_from_the_start(server):
    found = explain("127.0.0.1", server(b"\x15\x03\x03\x00\x02\x02\x0a"), **{**HOW, "start_tls": True})
    assert "does not answer StartTLS" in found and found.endswith("write ldaps://")


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert explain("127.0.0.1", port, **{**HOW, "tls": False}) == "Connection refused"
    assert explain("127.0.0.1", port, **HOW) == "Connection refused"


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("no certificate", "holds no certificate in PEM")]
)
def test_a_ca_file_that_cannot_be_used(server, tmp_path, content, words):
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    found = explain("127.0.0.1", server(), **{**HOW, "ca_path": str(path)})
    assert str(path) in found
    assert words in found
