# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks for the status again and again, and looks whether what it says is so."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tools import steps

from ._bed import INTERVAL
from ._ledger import Ledger
from ._task import Tasks
from ._two_of_each import TwoOfEach

#: Seconds between two questions, and how many may be open: one takes 30 s and more where a server hangs.
EVERY, AT_ONCE = 5.0, 8
#: A change that is older (seconds) has to be there where the state is healthy.
OLD = 2.0 * INTERVAL


class Sampler(threading.Thread):
    """Counts the states that it was told, and keeps those samples in which `healthy` was not so."""

    def __init__(self, bed: TwoOfEach, tasks: Tasks, ledger: Ledger) -> None:
        super().__init__(name="sampler", daemon=True)
        self._bed, self._tasks, self._ledger = bed, tasks, ledger
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._last = ""
        self.states: Counter[str] = Counter()
        self.false: list[str] = []
        self.error: Exception | None = None

    def give_up(self) -> None:
        """Stop, and wait for nothing."""
        self._over.set()

    def finish(self) -> None:
        """Stop, and wait for that."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Ask until told to stop, without waiting for the answers of before."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sample") as pool:
            while not self._over.is_set() and not self.error:
                pool.submit(self._try)
                self._over.wait(EVERY)

    def _try(self) -> None:
        if self._over.is_set():
            return
        try:
            self._sample(time.monotonic())
        except Exception as exc:
            self.error = exc

    def _sample(self, began: float) -> None:
        told = ask(self._bed, self._tasks)
        state = told["state"]
        with self._lock:
            if state != self._last:
                steps.say(f"state: {state}: {(told.get('remedy') or '')[:200]}")
            self._last = state
            self.states[state] += 1
        if state != "healthy":
            return
        missing = self._ledger.overdue(began - OLD, self._bed.named())
        if missing:
            self.false.append(f"{len(missing)} missing, as {missing[:2]}; token {told['token']}: {told['remedy']}")
            steps.say(f"WRONG: healthy with {self.false[-1]}")


def ask(bed: TwoOfEach, tasks: Tasks) -> dict[str, t.Any]:
    """Return what the status says of the source; the state "not asked" where it says nothing."""
    nodes = bed.vars["idm_nodes"]
    told = tasks.run("livesync_status", source=bed.source, directory=bed.both_directories(), nodes=nodes).told
    (one,) = told.get("livesync") or [{"state": "not asked", "remedy": told["msg"], "good_enough": False}]
    return t.cast("dict[str, t.Any]", one)
