# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate authority for one run, and what it signs."""

from __future__ import annotations

import datetime
import pathlib
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class _Authority:
    def __init__(self, name: str) -> None:
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self._name, self._key, is_ca=True)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if not is_ca:
            names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
            builder = builder.add_extension(names, critical=False)
        else:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self._key, hashes.SHA256())

    def write(self, path: pathlib.Path, name: str) -> pathlib.Path:
        """Write a key and its certificate into one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        path.touch(0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._sign(_name(name), key, is_ca=False).public_bytes(serialization.Encoding.PEM)
        )
        return path


@dataclass(frozen=True)
class Certificates:
    """Files: of the authority, the server, a client that it knows, and one of another authority."""

    ca: pathlib.Path
    server: pathlib.Path
    client: pathlib.Path
    stranger: pathlib.Path

    @classmethod
    def made(cls, folder: pathlib.Path) -> Certificates:
        """Make all of them."""
        authority = _Authority("tests.servers.ping")
        ca = folder / "ca.pem"
        ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        return cls(
            ca=ca,
            server=authority.write(folder / "server.pem", "localhost"),
            client=authority.write(folder / "client.pem", "openidm-admin"),
            stranger=_Authority("another").write(folder / "stranger.pem", "openidm-admin"),
        )

    def context(self) -> ssl.SSLContext:
        """Return what the server listens with; a client certificate is welcome and not required."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context
