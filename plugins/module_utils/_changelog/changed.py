# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which entries a stretch of the change log is about."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._ldap.directory import Directory
from .._ldap.dn import Name, is_name, is_within_any
from .log import ChangeLog
from .numbered import changes_in

DELETED, RENAMED = "delete", "modrdn"
_ASKED = ("targetDN", "newSuperior", "changeType", "targetEntryUUID")


@dataclass(frozen=True)
class Changed:
    """The entries that some changes within base contexts touched, by their entryUUIDs.

    :param last: how each of them was changed last: add, modify, modrdn or delete.
    :param renamed: those that have got another name.
    """

    last: t.Mapping[str, str]
    renamed: frozenset[str]


def changed_entries(
    directory: Directory, change_log: ChangeLog, token: int, bases: t.Sequence[str], most: int
) -> Changed | None:
    """Return which entries the changes after ``token`` touch; a rename counts where either end of it is within.

    :param bases: base contexts.
    :param most: of so many entries at the most.
    :returns: None where these are not all: there are more, a base context is no name, a number is not shown (a search
        for a range leaves some out after simultaneous changes on two servers, seen on OpenDJ 4.6.5), or a change does
        not tell its entry.
    :raises DirectoryError: no answer, or an error.
    """
    if not bases or not all(map(is_name, bases)):
        return None
    within = [Name.parse(base) for base in bases]
    last: dict[str, str] = {}
    renamed: set[str] = set()
    shown = 0
    for entry in changes_in(directory, change_log, token + 1, change_log.last, _ASKED):
        shown += 1
        name, kind = entry.text("targetEntryUUID"), (entry.text("changeType") or "").lower()
        if not entry.text("targetDN"):
            return None
        if not any(is_within_any(text, within) for text in (*entry.texts("targetDN"), *entry.texts("newSuperior"))):
            continue
        if not name or not kind:
            return None
        last[name] = kind
        if kind == RENAMED:
            renamed.add(name)
        if len(last) > most:
            return None
    if shown != max(0, change_log.last - token):
        return None
    return Changed(last, frozenset(renamed))
