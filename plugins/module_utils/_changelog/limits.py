# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits that a load by an ordinary account meets as the directory grows, and what the number of entries needs.

Seen on OpenDJ 4.6.5 with its defaults: above 1,000 entries error 4 (size limit), above 4,000 error 50 (unindexed
search: the index entry limit), above 5,000 error 11 (look-through limit).
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, replace
from functools import partial

from .._base.errors import DirectoryError, InvalidOption
from .._ldap.directory import NO_SUCH_OBJECT, SUBTREE, Directory, Entry
from .._ldap.dn import Name, is_name, is_within_any
from .rights import LIMITS, UNINDEXED_SEARCH, Account
from .server_config import ServerDefaults, names_in, read_index_entry_limit

#: Object classes of the entries that hold others. Their numSubordinates add up to the number of entries.
_CONTAINERS = ("organizationalUnit", "organization", "domain", "locality", "country", "container", "untypedObject")
#: A limit is too small when the number of entries may grow by less than a fifth before it is met ...
_HEAD_ROOM = 1.2
#: ... and is raised to the next round number above twice what there is, so that this lasts for a while.
_GROWTH = 2
#: Entries per second that a load reads at the least, for the limits in seconds (seen: 1,300 on a busy machine).
_SLOWEST_RATE = 200
UNLIMITED = 0
NAMING_CONTEXTS = "namingContexts"
#: What of the root DSE stays as it is, by this name among what a connection keeps.
ROOT = "root DSE"
_GENERATION = "ds-sync-generation-id"


@dataclass(frozen=True)
class Limit:
    """One limit of an account.

    :param effective: what holds, in entries or seconds; 0 is none.
    :param needed: the least that the number of entries needs, with head-room.
    :param own: whether the account has it itself, and not from the server's defaults.
    """

    name: str
    effective: int
    needed: int
    own: bool

    @property
    def enough(self) -> bool:
        """Whether a load gets through."""
        return self.effective == UNLIMITED or self.effective >= self.needed

    def raised(self, wanted: int | None) -> int | None:
        """Return the value to set, None if the present one stays: a limit is never lowered.

        :param wanted: the least that was asked for; None is what the number of entries needs.
        """
        if self.effective == UNLIMITED:
            return None
        if wanted is None:
            return None if self.enough else round_number(math.ceil(self.needed / _HEAD_ROOM * _GROWTH))
        return wanted if wanted == UNLIMITED or wanted > self.effective else None


@dataclass(frozen=True)
class LoadLimits:
    """Everything that may stop a load by an account.

    :param entries: below the base contexts, as the administrator sees them.
    :param indexed: how many entries the keys of the largest index concerned may have to hold.
    :param index_entry_limit: how many one may hold before searches by it need a privilege; 0 is no limit.
    :param unindexed_search: whether the account has that privilege.
    """

    entries: int
    indexed: int
    index_entry_limit: int
    unindexed_search: bool
    limits: tuple[Limit, ...]

    @property
    def needs_unindexed_search(self) -> bool:
        """Whether the load's search cannot use an index."""
        return 0 < self.index_entry_limit < self.indexed

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what stops a load."""
        names = [limit.name for limit in self.limits if not limit.enough]
        if self.needs_unindexed_search and not self.unindexed_search:
            names.append("unindexed_search")
        return tuple(names)

    def with_changes(self, raised: t.Mapping[str, int], *, unindexed_search: bool) -> LoadLimits:
        """Return the limits as they are once some have been raised.

        :param raised: the account's new values, by name.
        """
        limits = tuple(
            replace(limit, effective=raised[limit.name], own=True) if limit.name in raised else limit
            for limit in self.limits
        )
        return replace(self, limits=limits, unindexed_search=self.unindexed_search or unindexed_search)

    def shown(self) -> dict[str, t.Any]:
        """Return the limits for a result."""
        found: dict[str, t.Any] = {
            limit.name: {"effective": limit.effective, "needed": limit.needed, "enough": limit.enough, "own": limit.own}
            for limit in self.limits
        }
        found["unindexed_search"] = {
            "effective": self.unindexed_search,
            "needed": self.needs_unindexed_search,
            "enough": self.unindexed_search or not self.needs_unindexed_search,
        }
        found["index_entry_limit"] = self.index_entry_limit
        return found


def assess(
    account: Account, defaults: ServerDefaults, *, entries: int, indexed: int, index_entry_limit: int
) -> LoadLimits:
    """Compare an account's limits with the number of entries."""
    by_number = math.ceil(entries * _HEAD_ROOM)
    # A search may last as long as its slowest reader; a connection may idle as long as its entries are worked on.
    in_seconds = math.ceil(by_number / _SLOWEST_RATE)
    needed = {
        "size_limit": by_number,
        "lookthrough_limit": by_number,
        "time_limit": in_seconds,
        "idle_time_limit": in_seconds,
    }
    return LoadLimits(
        entries=entries,
        indexed=indexed,
        index_entry_limit=index_entry_limit,
        unindexed_search=UNINDEXED_SEARCH in account.privileges,
        limits=tuple(
            Limit(name, account.limits.get(name, defaults.limits[name]), needed[name], name in account.limits)
            for name in LIMITS
        ),
    )


def read_limits(
    directory: Directory, account: Account, defaults: ServerDefaults, base_contexts: t.Sequence[str] = ()
) -> LoadLimits:
    """Read how many entries there are and compare the account's limits with that.

    :param base_contexts: where the connector searches; none is everything that the server holds.
    :raises DirectoryError: no answer, or an error; a base context that does not exist among them.
    """
    suffixes = naming_contexts(directory)
    bases = outermost(base_contexts or suffixes)
    # An index holds the entries of a whole suffix, wherever in it the connector searches.
    held = [suffix for suffix in suffixes if any(is_within_any(base, [Name.parse(suffix)]) for base in bases)]
    counts = entry_counts(directory, [*held, *bases])
    entries = sum(counts[base] for base in bases)
    sizes = [(counts[name], read_index_entry_limit(directory, name)) for name in held]
    indexed, limit = max(sizes, key=lambda size: size[0] - (size[1] or math.inf), default=(0, UNLIMITED))
    return assess(account, defaults, entries=entries, indexed=indexed, index_entry_limit=limit)


def naming_contexts(directory: Directory) -> list[str]:
    """Return the names of the trees that the server holds for its users."""
    root = directory.once(ROOT, lambda: directory.read("", [NAMING_CONTEXTS]))
    return names_in(directory, root, NAMING_CONTEXTS) if root else []


def generation(directory: Directory, base: str) -> str | None:
    """Return which data a tree holds (ds-sync-generation-id): equal on all replicas, another one after an import."""
    name = _GENERATION, base.lower()
    top = directory.once(name, lambda: directory.read(base, [_GENERATION]))
    return top.text(_GENERATION) if top else None


def entry_counts(directory: Directory, base_contexts: t.Sequence[str]) -> dict[str, int]:
    """Count the entries below each base context as the administrator sees them, the base itself included.

    Adds up numSubordinates of the containers, which costs milliseconds whatever the number (seen: 10 ms for 5,602);
    entries below something else than a container, such as a person, are not counted.

    :raises DirectoryError: no answer, or an error; a base context that does not exist among them.
    """
    counts: dict[str, int] = {}
    known: dict[str, list[Entry]] = {}
    for base in base_contexts:
        classes = "".join(f"(objectClass={name})" for name in _CONTAINERS)
        about = ["numSubordinates", _GENERATION]
        around = next((name for name in known if is_within_any(base, [Name.parse(name)])), None)
        if around is None:
            ask = partial(_below, directory, base, f"(|{classes})", about)
            below = directory.once(("containers", base.lower()), ask)
        else:
            below = [entry for entry in known[around] if is_within_any(entry.dn, [Name.parse(base)])]
        known[base] = below
        itself = next((entry for entry in below if _same(entry.dn, base)), None)
        top = itself or directory.read(base, about)
        if top is None:
            raise DirectoryError(
                f"{directory.uri} has no entry {base}, or does not show it to the account in bind_dn.",
                status=32,
                remedy="Check base_contexts.",
            )
        directory.keep((_GENERATION, base.lower()), top)
        holders = {entry.dn.lower(): entry for entry in (top, *below)}
        counts[base] = 1 + sum(entry.number("numSubordinates") or 0 for entry in holders.values())
    return counts


def _below(directory: Directory, base: str, search_filter: str, attributes: t.Sequence[str]) -> list[Entry]:
    """Return what a search below a base finds, nothing where there is no such base."""
    try:
        return directory.search(base, SUBTREE, search_filter, attributes)
    except DirectoryError as exc:
        if exc.status != NO_SUCH_OBJECT:
            raise
        return []


def _same(one: str, other: str) -> bool:
    return is_name(one) and is_name(other) and Name.parse(one).normal == Name.parse(other).normal


def outermost(bases: t.Iterable[str], option: str = "base_contexts") -> list[str]:
    """Return the names that lie within no other of them, each once.

    :raises InvalidOption: when one is not a DN.
    """
    names: dict[str, Name] = {}
    for base in bases:
        try:
            name = Name.parse(base)
        except ValueError as exc:
            raise InvalidOption(option, base, f"Give DNs as RFC 4514 writes them: {exc}.") from exc
        names[name.normal] = name
    return [
        str(name)
        for name in names.values()
        if not any(name.is_within(one) for one in names.values() if one is not name)
    ]


def round_number(number: int) -> int:
    """Return the next number from ``number`` up that has one digit before its zeros."""
    scale = 10 ** (len(str(number)) - 1)
    return int(math.ceil(number / scale) * scale)


def checked_limits(options: t.Mapping[str, t.Any]) -> dict[str, int]:
    """Return the limits that the options of these names ask for.

    :raises InvalidOption: when one is negative.
    """
    found = {name: options[name] for name in LIMITS if options.get(name) is not None}
    for name, value in found.items():
        if value < 0:
            raise InvalidOption(name, value, "Give a number from 0 up; 0 is no limit.")
    return found
