# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control host with a home of its own, which runs the role and triggers the source, one after the other, for ever."""

from __future__ import annotations

import itertools
import json
import pathlib
import threading
import time
import typing as t
from collections import Counter

from tools import steps
from tools.places import ROOT

from ._ledger import Ledger
from ._play import Play
from ._two_of_each import TwoOfEach

_HERE = pathlib.Path(__file__).parent.relative_to(ROOT)
CATCH_UP = str(_HERE / "catch_up.yml")
#: What is run for each kind of work; the role where nothing stands.
PLAYBOOKS = {"trigger": CATCH_UP, "mend": str(_HERE / "mend.yml")}


def home(bed: TwoOfEach, name: str) -> dict[str, str]:
    """Return the environment of a control host that shares no file with the others."""
    folder = bed.folder / f"home-{name}"
    folder.mkdir(exist_ok=True)
    return {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "ANSIBLE_HOME": str(folder / ".ansible")}


class ControlHost(threading.Thread):
    """One of several control hosts.

    ``ends`` counts how its playbooks ended, ``beside`` how often one was proved while older changes were missing.
    """

    def __init__(self, bed: TwoOfEach, name: str, kinds: t.Sequence[str], ledger: Ledger) -> None:
        super().__init__(name=name, daemon=True)
        self._bed, self._kinds, self._ledger = bed, kinds, ledger
        self._over = threading.Event()
        self._now: Play | None = None
        self.ends: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.beside = 0
        self._env = home(bed, name)

    def kill(self) -> bool:
        """Kill the playbook that is running; return whether there was one."""
        play = self._now
        if not play or not play.running():
            return False
        play.kill()
        return True

    def give_up(self) -> None:
        """Stop at once."""
        self._over.set()
        self.kill()

    def finish(self) -> None:
        """Let the last playbook end, and stop."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Run one playbook after the other."""
        for number, kind in enumerate(itertools.cycle(self._kinds)):
            if self._over.is_set():
                return
            try:
                self._one(f"{self.name}-{number}-{kind}", kind)
            except steps.StepFailed as exc:
                self.ends[f"{kind}: {exc}"] += 1
            self._now = None

    def _one(self, title: str, kind: str) -> None:
        told = self._bed.folder / f"{title}.json"
        told.unlink(missing_ok=True)
        how = {"playbook": PLAYBOOKS[kind]} if kind in PLAYBOOKS else {}
        began = time.monotonic()
        self._now = self._bed.play(title, more={**self._env, "CATCH_UP_RESULT": str(told)}, **how)
        ended = self._now.wait()
        end = "killed" if ended.exit_code < 0 else "failed" if ended.exit_code else "well"
        self.ends[f"{kind}: {end}"] += 1
        if end == "failed":
            self.errors[f"{kind}: {ended.error[:300]}"] += 1
        steps.say(f"{title}: {end} after {ended.took:.0f} s {ended.error[:160]}")
        if end == "well" and kind == "trigger":
            self._compare(title, began, json.loads(told.read_text(encoding="utf-8")))

    def _compare(self, title: str, began: float, told: dict[str, t.Any]) -> None:
        """Look whether all that was confirmed before it began has arrived, where it says that its changes have.

        It promises no more than these; what is older, and was hidden from a run of the schedule, is the status's.
        """
        (run,) = told["runs"]
        missing = self._ledger.overdue(began, self._bed.named()) if run["proved"] else []
        if missing:
            said = f"{run['outcome']} from {run['token_before']} to {run['token_after']}, {told.get('warnings')}"
            steps.say(f"{title} was proved beside {len(missing)} older ones missing, as {missing[:2]}: {said}")
            self.beside += 1
