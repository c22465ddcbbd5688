# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access control instructions (ACIs) of ours: made, recognised, compared by meaning. Pure; no I/O.

A server compares global ACIs byte by byte, so that the same grant spelled differently is another value to it; here
order, blanks, case and the spelling of DNs make no difference. ACIs of others are never parsed beyond their name.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote, unquote

from .._base.errors import InvalidOption
from .._ldap.dn import Name
from .rights import CHANGE_LOG, CHANGE_LOG_ATTRIBUTES, ROOT_DSE, ROOT_DSE_ATTRIBUTES

_PREFIX = "idmops liveSync"
_LABELS = {ROOT_DSE: "root DSE", CHANGE_LOG: "change log"}
_RIGHTS = ("read", "search", "compare")

_SPACE = r"[ \t\r\n]*"
_QUOTED = r'"([^"]*)"'
_TARGET = re.compile(rf"{_SPACE}\({_SPACE}(\w+){_SPACE}(!?=){_SPACE}{_QUOTED}{_SPACE}\)")
_BODY = re.compile(
    rf"{_SPACE}\({_SPACE}version{_SPACE}3\.0{_SPACE};{_SPACE}acl{_SPACE}{_QUOTED}{_SPACE};", re.IGNORECASE
)
_PERMISSION = re.compile(rf"{_SPACE}(allow|deny){_SPACE}\(([^)]*)\)", re.IGNORECASE)
_USER_DN = re.compile(rf"{_SPACE}userdn{_SPACE}={_SPACE}{_QUOTED}{_SPACE};", re.IGNORECASE)
_END = re.compile(rf"{_SPACE}\){_SPACE}$")
_NAMED = re.compile(rf"version{_SPACE}3\.0{_SPACE};{_SPACE}acl{_SPACE}{_QUOTED}", re.IGNORECASE)


@dataclass(frozen=True)
class Aci:
    """An ACI in canonical form: equal forms mean the same.

    :param targets: keyword, operator and values, all in the one spelling that equal ones share.
    :param permissions: allow or deny, the rights, the URLs of the users.
    """

    targets: frozenset[tuple[str, str, frozenset[str]]]
    permissions: frozenset[tuple[str, frozenset[str], frozenset[str]]]


@dataclass(frozen=True)
class AciChange:
    """Values of the attribute to take away (the stored bytes) and to add, in one modification.

    :param given: the kinds that are there afterwards and were not, or not as they should be.
    :param taken: the kinds that are gone afterwards.
    """

    delete: tuple[bytes, ...] = ()
    add: tuple[bytes, ...] = ()
    given: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.delete or self.add)


def principal_name(text: str, option: str = "principal") -> Name:
    """Return an account's DN, if an ACI can name exactly this account and nobody else.

    :raises InvalidOption: when it is not a DN, so that what it would grant, and to whom, is not known.
    """
    try:
        return Name.parse(text)
    except ValueError as exc:
        raise InvalidOption(option, text, f"Give the account's DN as RFC 4514 writes it: {exc}.") from exc


def aci_name(kind: str, principal: Name) -> str:
    """Return the name of our ACI of a kind (ROOT_DSE or CHANGE_LOG) for an account."""
    digest = hashlib.sha256(principal.normal.encode()).hexdigest()[:8]
    return f"{_PREFIX} {digest} {_LABELS[kind]}"


def build(kind: str, principal: Name, suffix: str) -> str:
    """Return our ACI of a kind for an account.

    The root DSE has no name, and without a scope its target would be the whole server. ``cn=changelog`` cannot hold
    ACIs itself, so a global one it must be ("Letting an LDAP account read cn=changelog", section 1).
    """
    if kind == ROOT_DSE:
        target = '(target="ldap:///")(targetscope="base")'
        attributes: tuple[str, ...] = ROOT_DSE_ATTRIBUTES
    else:
        target = f'(target="{_url(Name.parse(suffix))}")'
        attributes = CHANGE_LOG_ATTRIBUTES
    return (
        f'{target}(targetattr="{"||".join(("objectClass", *attributes))}")'
        f'(version 3.0; acl "{aci_name(kind, principal)}";'
        f' allow ({",".join(_RIGHTS)}) userdn="{_url(principal)}";)'
    )


def _url(name: Name) -> str:
    """Return a DN as an LDAP URL in which no character has a meaning to the parser of ACIs.

    There a star makes a pattern, a question mark a search, two bars a list, a quotation mark the end of the value.
    """
    return f"ldap:///{quote(str(name), safe='=,')}"


def name_of(value: bytes) -> str | None:
    """Return the name that a stored ACI bears, None where none can be found."""
    found = _NAMED.search(value.decode(errors="replace"))
    return found.group(1) if found else None


def is_ours(value: bytes, kind: str, principal: Name) -> bool:
    """Tell whether a stored ACI is the one that we made for this account.

    The name alone could be that of another account with the same digest; such a one names its account.
    """
    if name_of(value) != aci_name(kind, principal):
        return False
    try:
        aci = parse(value)
    except ValueError:
        return True  # ours, and spoiled
    subjects = {url for unused, unused2, users in aci.permissions for url in users}
    return not any(_is_another_account(url, kind, principal) for url in subjects)


def _is_another_account(url: str, kind: str, principal: Name) -> bool:
    try:
        other = Name.parse(url[len("ldap:///") :])
    except ValueError:
        return False
    return other.normal != principal.normal and aci_name(kind, other) == aci_name(kind, principal)


def ours_among(stored: t.Iterable[bytes], principal: Name) -> list[str]:
    """Return our ACIs for an account, as text, in a stable order."""
    return sorted(
        value.decode(errors="replace").strip()
        for value in stored
        if any(is_ours(value, kind, principal) for kind in (ROOT_DSE, CHANGE_LOG))
    )


def parse(value: bytes) -> Aci:
    """Return the canonical form of an ACI of the form that ours have.

    :raises ValueError: for any other form, which then is not what we made.
    """
    text = value.decode()
    targets = set()
    position = 0
    while not (body := _BODY.match(text, position)):
        found = _TARGET.match(text, position)
        if not found:
            raise ValueError("neither a target nor the version")
        keyword, operator, content = found.groups()
        targets.add((keyword.lower(), operator, _target_values(keyword.lower(), content)))
        position = found.end()
    position = body.end()
    permissions = set()
    while not _END.match(text, position):
        permission = _PERMISSION.match(text, position)
        users = _USER_DN.match(text, permission.end()) if permission else None
        if not permission or not users:
            raise ValueError("not a permission for users")
        rights = frozenset(part.strip().lower() for part in permission.group(2).split(","))
        urls = frozenset(map(_canonical_url, users.group(1).split("||")))
        permissions.add((permission.group(1).lower(), rights, urls))
        position = users.end()
    if not permissions:
        raise ValueError("no permission")
    return Aci(frozenset(targets), frozenset(permissions))


def _target_values(keyword: str, content: str) -> frozenset[str]:
    parts = [part.strip() for part in content.split("||")]
    if keyword == "target":
        return frozenset(map(_canonical_url, parts))
    return frozenset(part.lower() for part in parts)


def _canonical_url(url: str) -> str:
    """Return an LDAP URL that names one entry in the spelling that equal ones share; any other as it is.

    What makes it more than that (a pattern, a search, a keyword) is decided on the raw text, as the server does.
    """
    url = url.strip()
    prefix, rest = url[: len("ldap:///")], url[len("ldap:///") :]
    if prefix.lower() != "ldap:///":
        return url
    if not rest:
        return "ldap:///"
    if re.search(r"[?*]", rest):
        return f"raw {url}"
    try:
        return f"ldap:///{Name.parse(unquote(rest, errors='strict')).normal}"
    except ValueError:  # UnicodeDecodeError is one
        return f"raw {url}"


def decide_acis(
    stored: t.Iterable[bytes], principal: Name, suffix: str, *, wanted: t.Container[str], present: bool
) -> AciChange:
    """Return what must change so that our ACIs for an account are there as they should be, or gone.

    :param stored: every value of the attribute.
    :param wanted: the kinds that the account is not granted otherwise; one of ours that is there stays, and is put
        right where it differs, since a wrong one of our name may grant too much.
    :param present: False takes ours away.
    """
    values = list(stored)
    delete: list[bytes] = []
    add: list[bytes] = []
    given: set[str] = set()
    taken: set[str] = set()
    for kind in (ROOT_DSE, CHANGE_LOG):
        ours = [value for value in values if is_ours(value, kind, principal)]
        right = build(kind, principal, suffix).encode()
        wrong = [value for value in ours if not present or not _same(value, right)]
        delete += wrong
        if present and len(wrong) == len(ours) and (ours or kind in wanted):
            add.append(right)
            given.add(kind)
        elif wrong and not present:
            taken.add(kind)
    return AciChange(tuple(delete), tuple(add), frozenset(given), frozenset(taken))


def _same(one: bytes, other: bytes) -> bool:
    try:
        return parse(one) == parse(other)
    except ValueError:
        return False
