# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate says, in words. No I/O."""

from __future__ import annotations

import socket
import typing as t

try:
    from pyasn1.codec.der import decoder
    from pyasn1_modules import rfc2459
except ImportError:  # python-ldap needs both, so they are there wherever a connection can fail
    decoder = rfc2459 = None

_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
}
_ALTERNATIVE_NAMES = "2.5.29.17"


def describe(certificate: bytes) -> str:
    """Return subject, issuer, end of validity and host names of a certificate in DER."""
    if decoder is None:
        return "pyasn1-modules is missing, so it cannot be described"
    try:
        body = decoder.decode(certificate, asn1Spec=rfc2459.Certificate())[0]["tbsCertificate"]
        names = _alternative_names(body)
        text = f"subject {_name(body['subject'])}, issuer {_name(body['issuer'])}"
        text += f", valid until {_time(body['validity']['notAfter'])}"
    except Exception as exc:  # whatever stands in there, the reason found before must come through
        return f"it could not be read: {exc}"
    if not names:
        return f"{text}, without host names: it needs a subjectAltName, since the subject's is not looked at"
    return f"{text}, for {', '.join(names)}"


def _name(name: t.Any) -> str:
    parts = [part for rdn in name.getComponent() for part in rdn]
    shown = []
    for part in parts:
        text = decoder.decode(bytes(part["value"]))[0]
        shown.append(f"{_NAMES.get(str(part['type']), str(part['type']))}={text}")
    return ", ".join(shown) or "(empty)"


def _time(value: t.Any) -> str:
    text = str(value.getComponent())
    text = text if len(text) == 15 else ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]} UTC"


def _alternative_names(body: t.Any) -> list[str]:
    found = []
    for extension in body["extensions"] if body["extensions"].isValue else ():
        if str(extension["extnID"]) != _ALTERNATIVE_NAMES:
            continue
        octets = bytes(extension["extnValue"])
        if octets[:1] == b"\x04":
            octets = bytes(decoder.decode(octets)[0])
        for one in decoder.decode(octets, asn1Spec=rfc2459.SubjectAltName())[0]:
            kind, value = one.getName(), one.getComponent()
            if kind == "dNSName":
                found.append(str(value))
            elif kind == "iPAddress":
                octets = bytes(value)
                found.append(socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets))
    return found
