# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server has said, and stays as it is for a moment: its configuration, rights, changes that were made."""

from __future__ import annotations

import typing as t

T = t.TypeVar("T")


class Keeping:
    """A connection that may keep what it is told."""

    #: What was told, for a task that only reads, and soon ends; None: all is asked each time.
    kept: dict[t.Any, t.Any] | None = None

    def once(self, what: t.Any, ask: t.Callable[[], T]) -> T:
        """Return what the server says, asked once where it is kept. An error is not."""
        if self.kept is None:
            return ask()
        if what not in self.kept:
            self.keep(what, ask())
        return t.cast("T", self.kept[what])

    def forget(self) -> None:
        """Forget what was told, as where the line has gone: a server may be another one when it is back."""
        if self.kept is not None:
            self.kept.clear()

    def keep(self, what: t.Any, told: t.Any) -> None:
        """Keep what the server has said by the way, where anything is kept."""
        if self.kept is not None:
            self.kept[what] = told
