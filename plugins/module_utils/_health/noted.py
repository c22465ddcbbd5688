# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a change log is the one of which something was noted: a change with its number, a load with its server."""

from __future__ import annotations

import typing as t

from .._changelog.anchor import Anchor, is_same, newest, read_anchor, said_anew
from .._changelog.log import ChangeLog
from .._changelog.numbered import keep_newest
from .._changelog.whose import BEGIN_ANEW, SERVER, read_identity, said_of_move
from .._ldap.directory import Directory
from .._record.load_record import Load, moved_from
from .states import NEW_BASE_POINT


class Noted:
    """A change log, asked for what was noted of it. What it has read once it does not read again."""

    def __init__(self, directory: Directory, log: ChangeLog) -> None:
        self._directory = directory
        self._log = log
        self._there: dict[int, Anchor | None] = {}

    def has(self, anchor: Anchor | None) -> bool:
        """Tell whether a noted change is shown, and has its number still.

        :raises DirectoryError: no answer, or an error.
        """
        there = self._now_at(anchor)
        return bool(anchor and there and is_same(self._log, anchor, there))

    def counts_anew(self, token: int, anchors: t.Iterable[Anchor | None], loads: t.Sequence[Load]) -> str | None:
        """Return what shows that the numbers are not those that a token is of, and what mends it; else None.

        :param anchors: changes that were noted behind the token.
        :param loads: those that it goes on from; their servers are compared where no change tells.
        :raises DirectoryError: no answer, or an error.
        """
        keep_newest(self._directory, self._log, token)
        anchor = newest(anchors)
        if self.has(anchor):
            return None
        there = self._now_at(anchor)
        now = read_identity(self._directory) if any(load.directory for load in loads) else None
        moved = moved_from(loads, now) if now else None
        if now and moved and moved[0] == SERVER:
            return f"{said_of_move(token, self._directory.uri, *moved, now)} {BEGIN_ANEW}"
        return f"{said_anew(anchor, there)} {NEW_BASE_POINT}" if anchor and there else None

    def _now_at(self, anchor: Anchor | None) -> Anchor | None:
        """Return the change that has the number of a noted one now, None where none is shown."""
        if anchor is None:
            return None
        if anchor.number not in self._there:
            self._there[anchor.number] = read_anchor(self._directory, self._log, anchor.number)
        return self._there[anchor.number]
