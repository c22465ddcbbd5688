# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was written to the directory, and what of it has not arrived in IDM. Knows no server."""

from __future__ import annotations

import threading
import typing as t

#: What a change leaves behind: the name and the description of somebody, or None where he is gone.
Value = t.Optional[t.Tuple[str, str]]
#: What IDM has of each entryUUID.
Seen = t.Mapping[str, t.Sequence[Value]]


class Ledger:
    """All changes that a directory has confirmed, in the order of each person's own. Any thread may write.

    Of a person whose last change nobody knows the end of (the line was cut before the answer) nothing is said.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._history: dict[str, list[tuple[float, Value]]] = {}
        self.confirmed = 0
        self.doubtful = 0

    def note(self, uuid: str, value: Value, at: float) -> None:
        """Note a change that was confirmed.

        :param at: when, in seconds of the monotonic clock.
        """
        with self._lock:
            self._history.setdefault(uuid, []).append((at, value))
            self.confirmed += 1

    def doubt(self, uuid: str) -> None:
        """Note that nobody knows whether a change of somebody was made."""
        with self._lock:
            self._history.pop(uuid, None)
            self.doubtful += 1

    def overdue(self, before: float, seen: Seen) -> list[str]:
        """Return the people of whom IDM has neither the last change before a moment nor a later one."""
        with self._lock:
            return [uuid for uuid, history in self._history.items() if not _arrived(history, before, seen.get(uuid))]


def _arrived(history: t.Sequence[tuple[float, Value]], before: float, seen: t.Sequence[Value] | None) -> bool:
    known = [number for number, (at, _value) in enumerate(history) if at < before]
    if not known:
        return True
    enough = [value for _at, value in history[known[-1] :]]
    return any(value in enough for value in (seen or [None]))
