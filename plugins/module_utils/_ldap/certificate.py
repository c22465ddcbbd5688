# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Greets a directory server, without a password, and says why no connection comes about, and with which certificate.

libldap says no more than "Can't contact LDAP server", and waits for ever for one that takes connections and is silent.
"""

from __future__ import annotations

import socket
import ssl

#: The extended request StartTLS as message 1 (RFC 4511, section 4.14.1).
_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
#: A search for nothing in the root DSE as message 1, which a server answers whoever asks, with an error at least.
_ROOT_DSE = bytes.fromhex("302a020101632504000a01000a0100020100020100010100870b") + b"objectClass\x30\x05\x04\x031.1"
#: How an LDAP message begins (RFC 4511, section 4.1.1), and a record of TLS that is an alert (RFC 8446, section 5.1).
_LDAP_MESSAGE, _TLS_ALERT = b"\x30", b"\x15"

SILENT = "it took the connection and says nothing"


class _Silent(OSError):
    """The server took the connection, and no word came."""


def explain(
    host: str, port: int, *, tls: bool, start_tls: bool, ca_path: str | None, validate: bool, timeout: float
) -> str | None:
    """Return why no connection comes about, as half a sentence; None if one does.

    Connects once as the caller meant it, and waits for the first word. Where that is not what was expected, connects
    once more to find out what is spoken there, or to read a certificate that was refused.

    :param timeout: seconds for each connection.
    """
    try:
        if not tls:
            return _greet(host, port, timeout)
        connect_tls(host, port, start_tls=start_tls, ca_path=ca_path, validate=validate, timeout=timeout)
        return None
    except ssl.SSLCertVerificationError as exc:
        shown = _shown(host, port, start_tls, timeout)
        return f"its certificate is refused: {exc.verify_message.rstrip('.')} ({shown})"
    except _Silent:
        return f"{SILENT} within {timeout:g} s (option timeout)"
    except socket.timeout:
        return f"no connection within {timeout:g} s (option timeout)"
    except ssl.SSLError as exc:
        reason = f"no TLS connection comes about on port {port}: {(exc.reason or str(exc)).replace('_', ' ').lower()}"
        plain = not start_tls and _speaks_ldap(host, port, timeout)
        return f"{reason}. It speaks LDAP without TLS there: give its port for ldaps, or {_START}" if plain else reason
    except OSError as exc:
        return exc.strerror or str(exc)


_START = "write ldap:// with start_tls: true"


def _greet(host: str, port: int, timeout: float) -> str | None:
    """Return why nobody speaks LDAP without TLS on a port, None if somebody does.

    :raises OSError: when no connection comes about.
    """
    first = _speaks(host, port, timeout)
    if first == _LDAP_MESSAGE:
        return None
    try:
        if first not in (b"", _TLS_ALERT):
            raise OSError
        connect_tls(host, port, start_tls=False, ca_path=None, validate=False, timeout=timeout)
    except OSError:
        return f"what listens on port {port} does not speak LDAP" if first else "it hangs up without a word"
    return f"port {port} speaks TLS from the start: write ldaps://"


def _speaks_ldap(host: str, port: int, timeout: float) -> bool:
    """Tell whether a server speaks LDAP without TLS; one that is gone meanwhile does not."""
    try:
        return _speaks(host, port, timeout) == _LDAP_MESSAGE
    except OSError:
        return False


def _speaks(host: str, port: int, timeout: float) -> bytes:
    """Return the first byte that a server answers to LDAP without TLS, none where it hangs up.

    :raises OSError: when no connection comes about, _Silent when no word comes.
    """
    with socket.create_connection((host, port), timeout=timeout) as plain:
        try:
            plain.sendall(_ROOT_DSE)
            return plain.recv(1)
        except socket.timeout as exc:
            raise _Silent from exc
        except OSError:
            return b""


def connect_tls(host: str, port: int, *, start_tls: bool, ca_path: str | None, validate: bool, timeout: float) -> bytes:
    """Make a TLS connection, end it, and return the server's certificate in DER.

    :raises OSError: when none comes about, ssl.SSLCertVerificationError if the certificate is the reason.
    """
    trust = _trusted(ca_path)
    if not validate:
        _trust_all(trust)
    with _connected(host, port, start_tls, trust, timeout) as connection:
        return connection.getpeercert(binary_form=True) or b""


def _trusted(ca_path: str | None) -> ssl.SSLContext:
    """Return a context that trusts what libldap does.

    :raises OSError: when the file cannot be used.
    """
    if not ca_path:
        return ssl.create_default_context()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trust.load_verify_locations(cafile=ca_path)
    except OSError as exc:
        reason = "it holds no certificate in PEM" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise OSError(f"the file in ca_path, {ca_path}, cannot be used: {reason}") from exc
    return trust


def _trust_all(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


def _connected(host: str, port: int, start_tls: bool, trust: ssl.SSLContext, timeout: float) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=timeout)
    try:
        if start_tls:
            plain.sendall(_START_TLS)
            answer = plain.recv(4096)
            if answer[:1] != _LDAP_MESSAGE:
                raise OSError("it does not answer StartTLS: where the port speaks TLS from the start, write ldaps://")
            if b"\x0a\x01\x00" not in answer:
                raise OSError("the server does not offer StartTLS")
        return trust.wrap_socket(plain, server_hostname=host)
    except socket.timeout as exc:
        plain.close()
        raise _Silent from exc
    except BaseException:
        plain.close()
        raise


def _shown(host: str, port: int, start_tls: bool, timeout: float) -> str:
    """Describe the certificate that the server shows."""
    from .certificate_text import describe  # what it imports takes long, and is needed only here

    try:
        return describe(connect_tls(host, port, start_tls=start_tls, ca_path=None, validate=False, timeout=timeout))
    except OSError as exc:
        return f"it could not be read: {exc}"
