# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines that show how far a long wait has come."""

from __future__ import annotations

from .context import Context

_EVERY_SECONDS = 15.0


class Progress:
    """Says when it starts, then a line at every tenth of the whole or every 15 seconds.

    :param what: what goes on, to begin each line with.
    :param unit: what is counted.
    :param done: how many had been processed before anybody looked: they say nothing about the rate.
    """

    def __init__(self, context: Context, what: str, unit: str = "entries", done: int = 0) -> None:
        self._context = context
        self._what = what
        self._unit = unit
        self._before = done
        self._start = context.clock.now()
        self._said = self._start
        self._tenth = 0
        context.report.progress(f"{what}: started")

    def update(self, done: int, total: int | None) -> None:
        """Show a line if one is due.

        :param done: how many have been processed in all.
        :param total: how many there are, None if that is not known.
        """
        now = self._context.clock.now()
        tenth = done * 10 // total if total else 0
        if tenth <= self._tenth and now - self._said < _EVERY_SECONDS:
            return
        self._said = now
        self._tenth = max(tenth, self._tenth)
        seconds = now - self._start
        rate = (done - self._before) / seconds if seconds > 0 else 0.0
        text = f"{self._what}: {done}" + (f" of {total}" if total else "") + f" {self._unit}, {rate:.0f}/s"
        if total and rate and total > done:
            text += f", about {(total - done) / rate:.0f} s left"
        self._context.report.progress(text)
