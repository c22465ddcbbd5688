# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names: read, compared as a directory compares them, written without ambiguity (RFC 4514)."""

from __future__ import annotations

import re
import typing as t
import unicodedata
from dataclasses import dataclass

_TYPE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9-]*|(?:oid\.)?\d+(?:\.\d+)+)$", re.IGNORECASE)
_HEX = re.compile(r"^[0-9A-Fa-f]{2}$")
_MUST_ESCAPE = '"+,;<>\\='
#: Other names of the usual naming attributes (RFC 4519, section 2).
_SHORT = {
    "commonname": "cn",
    "2.5.4.3": "cn",
    "surname": "sn",
    "2.5.4.4": "sn",
    "countryname": "c",
    "2.5.4.6": "c",
    "localityname": "l",
    "2.5.4.7": "l",
    "stateorprovincename": "st",
    "2.5.4.8": "st",
    "organizationname": "o",
    "2.5.4.10": "o",
    "organizationalunitname": "ou",
    "2.5.4.11": "ou",
    "userid": "uid",
    "0.9.2342.19200300.100.1.1": "uid",
    "domaincomponent": "dc",
    "0.9.2342.19200300.100.1.25": "dc",
    "rfc822mailbox": "mail",
    "0.9.2342.19200300.100.1.3": "mail",
}

#: One attribute type and value of an RDN, as written.
_Part = t.Tuple[str, str]


@dataclass(frozen=True)
class Name:
    """A distinguished name that is not empty.

    :param rdns: from the entry up; each is its attribute types and values, unescaped, as they were written.
    """

    rdns: tuple[tuple[_Part, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Name:
        """Return the name that a text spells.

        :raises ValueError: when it is not one by RFC 4514; the message completes "it is not a DN: ...".
        """
        if "\0" in text:
            raise ValueError("it holds a NUL character")
        if not text.strip():
            raise ValueError("it is empty")
        return cls(tuple(tuple(_parse_part(part) for part in _split(rdn, "+")) for rdn in _split(text, ",")))

    @property
    def normal(self) -> str:
        """The name in the one spelling that equal names share: what case, blanks and escapes do not change."""
        rdns = (sorted((_normal_type(kind), _normal_value(value)) for kind, value in rdn) for rdn in self.rdns)
        return ",".join("+".join(f"{kind}={_escape(value)}" for kind, value in rdn) for rdn in rdns)

    @property
    def parent(self) -> str:
        """The name of the entry above, "" where there is none."""
        return str(Name(self.rdns[1:]))

    def is_within(self, base: Name) -> bool:
        """Tell whether this is the entry ``base`` or lies below it."""
        mine, other = self.rdns, base.rdns
        return len(mine) >= len(other) and Name(mine[len(mine) - len(other) :]).normal == base.normal

    def __str__(self) -> str:
        return ",".join("+".join(f"{kind}={_escape(value)}" for kind, value in rdn) for rdn in self.rdns)


def is_within_any(text: str, bases: t.Iterable[Name]) -> bool:
    """Tell whether the name that a text spells lies within one of ``bases``; a text that is no name does not."""
    try:
        name = Name.parse(text)
    except ValueError:
        return False
    return any(name.is_within(base) for base in bases)


def is_name(text: str) -> bool:
    """Tell whether a text is a name by RFC 4514."""
    try:
        return bool(Name.parse(text))
    except ValueError:
        return False


def escape_filter(text: str) -> str:
    """Return a value as it stands in a search filter (RFC 4515)."""
    return re.sub(r"[\0()*\\]", lambda found: f"\\{ord(found.group()):02x}", text)


def _split(text: str, separator: str) -> list[str]:
    """Cut a text at each separator that no backslash stands before."""
    pieces, start, index = [], 0, 0
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == separator:
            pieces.append(text[start:index])
            start = index + 1
        index += 1
    return [*pieces, text[start:]]


def _parse_part(text: str) -> _Part:
    kind, equals, value = text.partition("=")
    kind = kind.strip()
    if not equals or not _TYPE.match(kind):
        raise ValueError(f"{text.strip()!r} is not an attribute type, an equals sign and a value")
    value = value.lstrip(" ")
    if value.startswith("#"):
        return kind, _from_ber(value.rstrip(" "))
    return kind, _unescape(value)


def _unescape(text: str) -> str:
    """Return a value without its escapes and without the blanks around it (an escaped blank is part of it)."""
    octets = bytearray()
    kept = 0
    index = 0
    while index < len(text):
        char = text[index]
        if char in '";<>':
            raise ValueError(f"the character {char} needs a backslash before it")
        if char != "\\":
            octets += char.encode()
            kept = kept if char == " " else len(octets)
            index += 1
            continue
        if _HEX.match(text[index + 1 : index + 3]):
            octets.append(int(text[index + 1 : index + 3], 16))
            index += 3
        elif text[index + 1 : index + 2] in tuple(_MUST_ESCAPE + " #"):
            octets += text[index + 1].encode()
            index += 2
        else:
            raise ValueError("a backslash stands before something that it does not escape")
        kept = len(octets)
    return _decode(bytes(octets[:kept]))


def _from_ber(text: str) -> str:
    """Return the value of the form ``#04024869``: a string as BER in hexadecimal digits."""
    try:
        octets = bytes.fromhex(text[1:])
    except ValueError as exc:
        raise ValueError(f"{text} is not a # and hexadecimal digits") from exc
    if len(octets) < 2 or octets[0] not in (0x04, 0x0C, 0x13, 0x16) or octets[1] != len(octets) - 2:
        raise ValueError(f"{text} is not a short string in BER")
    return _decode(octets[2:])


def _decode(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError as exc:
        raise ValueError("its escapes are not UTF-8") from exc
    if not text:
        raise ValueError("it has an empty value")
    if "\0" in text:
        raise ValueError("it holds a NUL character")
    return text


def _escape(value: str) -> str:
    escaped = "".join(f"\\{char}" if char in _MUST_ESCAPE else char for char in value)
    if escaped[0] in " #":
        escaped = f"\\{escaped}"
    if value[-1] == " " and len(value) > 1:
        escaped = f"{escaped[:-1]}\\ "
    return escaped


def _normal_type(kind: str) -> str:
    lowered = kind.lower()
    lowered = lowered[4:] if lowered.startswith("oid.") else lowered
    return _SHORT.get(lowered, lowered)


def _normal_value(value: str) -> str:
    """Return a value as caseIgnoreMatch compares it (RFC 4518, in short)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).lower())
    return " ".join(folded.split()) or " "
