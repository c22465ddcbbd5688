# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an account may do, by the directory's own word, without its password.

Effective rights (control 1.3.6.1.4.1.42.2.27.9.5.2) tell of ACIs, whoever made them and however they name the account;
they say nothing of privileges, which the account's entry tells.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._base.errors import DirectoryError
from .._ldap.directory import (
    BASE,
    INSUFFICIENT_ACCESS,
    NO_SUCH_OBJECT,
    ONE_LEVEL,
    OTHER,
    SUBTREE,
    UNAVAILABLE_CRITICAL_EXTENSION,
    Control,
    Directory,
    Entry,
)
from .._ldap.dn import Name, escape_filter, is_name
from .configuration import find_config
from .server_config import ROOT_DNS, ServerDefaults, search_config

#: Whether a search of the change log may follow aliases, by this name among what a connection keeps.
ALIASES = "follows aliases"
EFFECTIVE_RIGHTS = "1.3.6.1.4.1.42.2.27.9.5.2"
PRIVILEGE, ROOT_DSE, CHANGE_LOG = "privilege", "root_dse", "change_log"
CHANGELOG_READ, UNINDEXED_SEARCH = "changelog-read", "unindexed-search"
#: The privileges that this collection gives.
PRIVILEGES = frozenset({CHANGELOG_READ, UNINDEXED_SEARCH})
#: The account's own limits, and the attributes that hold them.
LIMITS = {
    "size_limit": "ds-rlim-size-limit",
    "lookthrough_limit": "ds-rlim-lookthrough-limit",
    "time_limit": "ds-rlim-time-limit",
    "idle_time_limit": "ds-rlim-idle-time-limit",
}

#: What the connector reads in the root DSE, and what its filter there names (OpenICF, SunDSChangeLogSyncStrategy).
ROOT_DSE_ATTRIBUTES = ("changelog", "firstChangeNumber", "lastChangeNumber")
#: What it reads in an entry of the change log.
CHANGE_LOG_ATTRIBUTES = (
    "changeNumber",
    "changeType",
    "changes",
    "targetDN",
    "newRDN",
    "deleteOldRDN",
    "newSuperior",
    "targetEntryUUID",
    "changeInitiatorsName",
)


#: What the directory tells of rights, and who denies one.
_WITH_REASONS = ("aclRights", "aclRightsInfo")


@dataclass(frozen=True)
class Account:
    """An account as its entry shows it.

    :param dn: of the entry, as the directory spells it.
    :param privileges: that it has, those that the server grants to all or to root users included.
    :param own_privileges: those that its entry names.
    :param denied: privileges that are taken from it (``ds-privilege-name: -x``); no grant overrules that.
    :param limits: its own, by the names in LIMITS; 0 is none.
    """

    dn: str
    privileges: frozenset[str] = frozenset()
    own_privileges: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    limits: t.Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Access:
    """What an account may of the three things that liveSync needs.

    :param privilege: changelog-read.
    :param root_dse: reads ROOT_DSE_ATTRIBUTES.
    :param change_log: reads CHANGE_LOG_ATTRIBUTES and may filter on the change number.
    :param denied_by: the names of the ACIs that deny some of it, which no grant outweighs.
    """

    privilege: bool
    root_dse: bool
    change_log: bool
    denied_by: tuple[str, ...] = ()

    @property
    def granted(self) -> tuple[str, ...]:
        """The names of what it may."""
        return tuple(name for name in (PRIVILEGE, ROOT_DSE, CHANGE_LOG) if getattr(self, name))

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what it may not."""
        return tuple(name for name in (PRIVILEGE, ROOT_DSE, CHANGE_LOG) if not getattr(self, name))


@dataclass(frozen=True)
class Visibility:
    """How many entries there are, and how many of them an account may read."""

    total: int
    visible: int


def read_account(directory: Directory, principal: str, defaults: ServerDefaults) -> Account | None:
    """Return the account that binds with a DN, None where the directory has none.

    :raises DirectoryError: no answer, or the bind account may not read it.
    """
    attributes = ["ds-privilege-name", *LIMITS.values()]
    who = Name.parse(principal).normal if is_name(principal) else principal
    entry = directory.once(("account", who), lambda: directory.read(principal, attributes))
    if entry is None:
        return _root_user(directory, principal, attributes, defaults)
    return account_of(entry, defaults)


def _root_user(
    directory: Directory, principal: str, attributes: t.Sequence[str], defaults: ServerDefaults
) -> Account | None:
    """Return the root user that binds with this DN: such a one has an entry of another name in cn=config."""
    wanted = f"(ds-cfg-alternate-bind-dn={escape_filter(principal)})"
    try:
        entry = next(iter(find_config(directory, ROOT_DNS, ONE_LEVEL, wanted, attributes)), None)
        if entry is None:
            return None
        parent = search_config(directory, ROOT_DNS, BASE, "(objectClass=*)", [_ROOT_PRIVILEGES])[0]
    except DirectoryError as exc:
        if exc.status in (INSUFFICIENT_ACCESS, NO_SUCH_OBJECT):
            return None
        raise
    return account_of(entry, defaults, inherited=parent.texts(_ROOT_PRIVILEGES))


_ROOT_PRIVILEGES = "ds-cfg-default-root-privilege-name"


def account_of(entry: Entry, defaults: ServerDefaults, inherited: t.Iterable[str] = ()) -> Account:
    """Return what an entry says about its account. The names of privileges ignore case; a minus takes one away."""
    named = {text.strip().lower() for text in entry.texts("ds-privilege-name")}
    denied = frozenset(name[1:] for name in named if name.startswith("-"))
    own = frozenset(name for name in named if not name.startswith("-"))
    held = ((own | {text.lower() for text in inherited}) - denied) | defaults.disabled_privileges
    numbers = {name: entry.number(attribute) for name, attribute in LIMITS.items()}
    limits = {name: max(0, number) for name, number in numbers.items() if number is not None}
    return Account(entry.dn, held, own, denied - defaults.disabled_privileges, limits)


def judge_rights(directory: Directory, account: Account, suffix: str, last: int) -> Access:
    """Return what an account may, as the directory judges it.

    :param suffix: of the change log.
    :param last: a change number that is in it; 0 where it holds none.
    :raises DirectoryError: no answer, or the bind account may not ask for effective rights.
    """
    judged = "rights", account.dn.lower(), suffix.lower()
    return directory.once(judged, lambda: _judge_rights(directory, account, suffix, last))


def _judge_rights(directory: Directory, account: Account, suffix: str, last: int) -> Access:
    root = directory.once(
        _root_rights(account.dn),
        lambda: rights_on(directory, account.dn, "", BASE, "(objectClass=*)", _OF_ROOT_DSE),
    )
    asked = ("objectClass", *CHANGE_LOG_ATTRIBUTES)  # the first two are what the connector filters on
    log: list[Rights] = []
    if last > 0:  # an entry tells more than the suffix: an ACI may hold for entries alone
        log = _rights_on_change(directory, account.dn, suffix, last, asked)
    if not log:
        log = rights_on(directory, account.dn, suffix, BASE, "(objectClass=*)", asked)
    if not log:
        raise _untold(directory, suffix, account.dn)
    on_root = (("search", ("objectClass",)), ("read", ROOT_DSE_ATTRIBUTES))
    on_log = (("search", asked[:2]), ("read", CHANGE_LOG_ATTRIBUTES))
    return Access(
        privilege=CHANGELOG_READ in account.privileges,
        root_dse=bool(root) and all(one.may(*right) for one in root for right in _single(on_root)),
        change_log=bool(log) and all(one.may(*right) for one in log for right in _single(on_log)),
        denied_by=tuple(sorted(_denials(root, on_root) | _denials(log, on_log))),
    )


_OF_ROOT_DSE = ("objectClass", *ROOT_DSE_ATTRIBUTES)


def _root_rights(dn: str) -> tuple[str, str]:
    return "rights on the root DSE", dn


def read_root(directory: Directory, attributes: t.Sequence[str], dn: str | None) -> Entry:
    """Return the root DSE; where what is told is kept, the rights on it of the account ``dn`` too, by one search.

    :raises DirectoryError: no answer, or an error.
    """
    if dn is None or directory.kept is None:
        return directory.read("", attributes) or Entry("")
    control = Control(EFFECTIVE_RIGHTS, effective_rights_value(dn, _OF_ROOT_DSE))
    try:
        found = directory.read("", [*attributes, *_WITH_REASONS], controls=[control])
    except DirectoryError as exc:
        if exc.status not in (UNAVAILABLE_CRITICAL_EXTENSION, INSUFFICIENT_ACCESS):
            raise
        return directory.read("", attributes) or Entry("")  # whoever asks for the rights alone says what is missing
    if found and (rights := parse_rights(found)):
        directory.keep(_root_rights(dn), [rights])
    return found or Entry("")


def _rights_on_change(
    directory: Directory, dn: str, suffix: str, number: int, attributes: t.Sequence[str]
) -> list[Rights]:
    """Return the rights on one change, sought as the connector seeks it: that shows too whether it can be found so.

    A search for a range leaves out what was numbered out of order (:mod:`.numbered`); then it is sought by its number.
    """
    found = []
    try:
        wanted = changes_between(number, number)
        found = rights_on(directory, dn, suffix, ONE_LEVEL, wanted, attributes, deref="always")
        directory.keep(ALIASES, True)
    except DirectoryError as exc:
        if exc.status != OTHER:
            raise
    return found or rights_on(directory, dn, suffix, ONE_LEVEL, f"(changeNumber={number})", attributes)


def changes_between(first: int, last: int) -> str:
    """Return the filter of the changes from one change number to another, both of them too."""
    return f"(&(objectClass=changeLogEntry)(changeNumber>={first})(changeNumber<={last}))"


def _denials(found: t.Iterable[Rights], rights: t.Iterable[tuple[str, t.Iterable[str]]]) -> set[str]:
    """Return the names of the ACIs that deny some of these rights."""
    wanted = set(_single(rights))
    return {name for one in found for right, name in one.denied.items() if right in wanted}


def _single(rights: t.Iterable[tuple[str, t.Iterable[str]]]) -> list[tuple[str, str]]:
    """Return each right on each attribute, as :class:`Rights` names them."""
    return [(right, name.lower()) for right, names in rights for name in names]


@dataclass(frozen=True)
class Rights:
    """The effective rights of an account on one entry.

    :param granted: pairs of a right and an attribute's name, both in lower case.
    :param denied: such pairs with the name of the ACI that denies that.
    """

    granted: frozenset[tuple[str, str]]
    denied: t.Mapping[tuple[str, str], str] = field(default_factory=dict)

    def may(self, right: str, *attributes: str) -> bool:
        """Tell whether the account has a right on every one of the attributes."""
        return all((right, name.lower()) in self.granted for name in attributes)


def rights_on(
    directory: Directory,
    dn: str,
    base: str,
    scope: str,
    search_filter: str,
    attributes: t.Sequence[str],
    *,
    deref: str = "never",
) -> list[Rights]:
    """Return the rights of the account ``dn`` on the entries that a search finds, with who denies what."""
    return list(stream_rights(directory, dn, base, scope, search_filter, attributes, _WITH_REASONS, deref))


def stream_rights(
    directory: Directory,
    dn: str,
    base: str,
    scope: str,
    search_filter: str,
    attributes: t.Sequence[str],
    told: t.Sequence[str] = ("aclRights",),
    deref: str = "never",
) -> t.Iterator[Rights]:
    """Yield the rights of the account ``dn`` on the entries that a search finds, as they come.

    :param told: what the directory tells of each: aclRights, and aclRightsInfo for the reasons.
    """
    control = Control(EFFECTIVE_RIGHTS, effective_rights_value(dn, attributes))
    try:
        for entry in directory.stream(base, scope, search_filter, told, controls=[control], deref=deref):
            rights = parse_rights(entry)
            if rights is None:
                raise _untold(directory, entry.dn or "the root DSE", dn)
            yield rights
    except DirectoryError as exc:
        if exc.status == UNAVAILABLE_CRITICAL_EXTENSION:
            exc.remedy = (
                "The account in bind_dn needs the privilege bypass-acl, or a global ACI that allows it the control"
                f' (targetcontrol="{EFFECTIVE_RIGHTS}") and to read aclRights.'
            )
        raise


def _untold(directory: Directory, where: str, dn: str) -> DirectoryError:
    """Return the error for an entry that is not shown, or without aclRights: that is not an account without rights."""
    return DirectoryError(
        f"{directory.uri} does not tell {directory.bind_dn} what {dn} may read in {where}.",
        status=INSUFFICIENT_ACCESS,
        remedy="The account in bind_dn needs an ACI that lets it read that entry and its aclRights, or the privilege"
        " bypass-acl.",
    )


#: How aclRightsInfo tells of a denial; without one it says that no ACI matched (seen on OpenDJ 4.6.5).
_DENIED = re.compile(r"reason: evaluated deny\s*, deciding_aci: (.*?)\s*\)\s*$", re.DOTALL)


def parse_rights(entry: Entry) -> Rights | None:
    """Return the rights that ``aclRights;attributeLevel;<name>: search:1,read:0,...`` say; None where nothing says any.

    Who denies one, ``aclRightsInfo;logs;attributeLevel;<right>;<name>`` says, where that was asked for.
    """
    granted = set()
    denied = {}
    told = False
    for name, values in entry.attributes.items():
        head, unused, attribute = name.partition(";attributelevel;")
        if not attribute or not values:
            continue
        text = b",".join(values).decode(errors="replace")
        if head == "aclrightsinfo;logs":
            right, unused, attribute = attribute.partition(";")
            if found := _DENIED.search(text):
                denied[(right, attribute)] = found.group(1)
        elif head == "aclrights":
            told = True
            for one in text.split(","):
                kind, unused, flag = one.partition(":")
                if flag.strip() == "1":
                    granted.add((kind.strip().lower(), attribute))
    return Rights(frozenset(granted), denied) if told else None


def effective_rights_value(dn: str, attributes: t.Sequence[str]) -> bytes:
    """Return the control's value, SEQUENCE { authzId OCTET STRING, attributes SEQUENCE OF OCTET STRING }, in BER."""
    names = b"".join(_ber(0x04, name.encode()) for name in attributes)
    return _ber(0x30, _ber(0x04, f"dn:{dn}".encode()) + _ber(0x30, names))


def _ber(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def visibility(
    directory: Directory, dn: str, bases: t.Sequence[str], search_filter: str = "(objectClass=*)"
) -> Visibility:
    """Count the entries below ``bases`` that a filter selects, and those of them that the account may find.

    Every entry is judged, since an ACI may stand anywhere: this takes as long as reading them all.

    :param dn: of the account, as the directory spells it.
    :param bases: none lies within another.
    """
    total = visible = 0
    for base in bases:
        for rights in stream_rights(directory, dn, base, SUBTREE, search_filter, ("objectClass",)):
            total += 1
            visible += rights.may("search", "objectClass") and rights.may("read", "objectClass")
    return Visibility(total, visible)
