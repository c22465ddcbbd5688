# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a change log as they touch the entries of a source. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._changelog.log import as_time
from .._changelog.numbered import inside_of
from .._ldap.directory import Entry
from .._ldap.dn import Name


@dataclass(frozen=True)
class Touched:
    """One change that the token has passed.

    :param record: the entryUUID of the entry.
    :param time: when it was made, as in 2026-11-24T17:19:26Z; None where it is not told.
    :param moved_to: the name that a rename gave it.
    :param csn: its replicationCSN, None where that is not told.
    :param removed: whether it removed the entry, None where that is not told.
    """

    record: str
    time: str | None
    moved_to: str | None
    csn: str | None = None
    removed: bool | None = None


@dataclass(frozen=True)
class Hidden:
    """The changes of a source that a search by number does not show, and liveSync does not see.

    :param left_out: those that a search for a range of numbers leaves out.
    :param unnumbered: those without a number, however new; None where there are some, and none is shown.
    :param unknown: of how many more numbers nothing can be known.
    :param since: the number before which nothing was looked at, None where nothing was left unlooked at.
    """

    left_out: tuple[Touched, ...] = ()
    unnumbered: tuple[Touched, ...] | None = ()
    unknown: int = 0
    since: int | None = None


def part_by(contexts: t.Iterable[str], entries: t.Iterable[Entry]) -> tuple[list[Touched], list[Touched]]:
    """Part changes into those within the base contexts, or that were before, and those outside.

    :param contexts: each a name.
    :param entries: of the change log.
    """
    bases = [Name.parse(base) for base in contexts]
    inside: list[Touched] = []
    outside: list[Touched] = []
    for entry in entries:
        record, (is_inside, moved) = entry.text("targetEntryUUID"), inside_of(entry, bases)
        if record:
            kind = entry.text("changeType")
            removed = None if kind is None else kind.lower() == "delete"
            time, csn = as_time(entry.text("changeTime")), entry.text("replicationCSN")
            (inside if is_inside else outside).append(Touched(record, time, moved, csn, removed))
    return inside, outside
