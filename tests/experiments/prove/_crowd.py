# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A crowd on a topology: the role from nothing and again, and as many changes pending and caught up with as there are
people: seconds, requests through the balancer, memory."""

from __future__ import annotations

import sys
import time
import typing as t

import ldap

from tests.servers.stack.numbering import await_number
from tools import steps

from ._measured import measured
from ._two_of_each import TwoOfEach

HEAD = ("what", "seconds", "requests", "memory at its peak", "how it ended")
#: Seconds that a playbook or a run may take: the machine may do much else.
PATIENCE = 3600.0
#: Runs a command, and writes down the most memory that a process of it took, in kilobytes (getrusage(2)).
_PEAK = """
import resource, subprocess, sys
ended = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as told:
    told.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(ended)
"""


class Crowd:
    """What was measured on one topology, and what was not as it must be."""

    def __init__(self, bed: TwoOfEach) -> None:
        self._bed = bed
        self.rows: list[list[t.Any]] = []
        self.wrong: list[str] = []

    def go(self) -> None:
        """Measure all, one after the other."""
        people = f"{self._bed.users:,}"
        self._bed.know_nodes()
        self._role(f"the role from nothing, {people} people", changes=True)
        self._role("the role again", changes=False)
        self._bed.play("off", options=["-e", "livesync_state=disabled"]).wait(PATIENCE)
        self._change()
        told = self._module(f"status with {people} pending", "livesync_status", self._status_end, **self._about())
        (one,) = told["livesync"]
        self._expect("behind", one["behind"] or 0, self._bed.users)  # pending may be "so many at the least"
        how = {"until_caught_up": True, "wait_timeout": PATIENCE}
        told = self._module(f"liveSync of {people} changes", "livesync_trigger", self._end, **self._about(), **how)
        (run,) = told["runs"]
        steps.say(f"warnings: {told['warnings']}")
        if run["outcome"] != "advanced":
            self.wrong.append(f"the run ended {run['outcome']}: {run['error']}")

    def _about(self) -> dict[str, t.Any]:
        known = self._bed.vars
        login = {name: known[f"idm_{name}"] for name in ("url", "username", "password")}
        return {**login, "sources": [self._bed.source], "directory": self._bed.both_directories()}

    def _expect(self, what: str, found: int, least: int) -> None:
        if found < least:
            self.wrong.append(f"{what}: {found} instead of {least}")

    def _change(self) -> None:
        line, dn = self._bed.directory(), ""
        for number in range(self._bed.users):
            dn = f"uid=user.{number},{self._bed.vars['people_dn']}"
            line.modify_s(dn, [(ldap.MOD_REPLACE, "description", [b"crowd"])])
        await_number(line, dn, 600.0)
        line.unbind_s()

    def _requests(self) -> int:
        with self._bed.stack.parts["haproxy"].output.open(encoding="utf-8") as log:
            return sum(" roundrobin " in line for line in log)

    def _role(self, what: str, changes: bool) -> None:
        before, began = self._requests(), time.monotonic()
        told = self._bed.folder / "peak"
        ended = self._bed.play("crowd", within=[sys.executable, "-c", _PEAK, str(told)]).wait(PATIENCE)
        if ended.exit_code or (ended.changed > 0) != changes:
            self.wrong.append(f"{what}: changed={ended.changed} {ended.error}")
        peak = int(told.read_text(encoding="ascii")) / 1000
        end = f"failed: {ended.error}" if ended.exit_code else f"changed={ended.changed}"
        self._row(what, time.monotonic() - began, self._requests() - before, peak, end)

    @staticmethod
    def _status_end(told: t.Mapping[str, t.Any]) -> str:
        (one,) = told["livesync"]
        return f"`{one['state']}`, `pending` {'' if one['pending_exact'] else 'at least '}{one['pending']:,}"

    def _end(self, told: t.Mapping[str, t.Any]) -> str:
        """Return how a run ended, and what is so of the directory and of IDM then."""
        (run,) = told["runs"]
        differences = self._bed.differences()
        if differences:
            self.wrong.append(f"IDM is not the directory: {differences}")
        return f"{run['outcome']}, proved: {run['proved']}; IDM is {'not ' if differences else ''}the directory"

    def _module(
        self, what: str, name: str, end: t.Callable[[t.Mapping[str, t.Any]], str], **options: t.Any
    ) -> dict[str, t.Any]:
        before = self._requests()
        cost = measured(self._bed.folder / "collections", name, **options)
        self._row(what, cost.took, self._requests() - before, cost.peak, end(cost.told))
        return cost.told

    def _row(self, what: str, took: float, requests: int, peak: float, end: str) -> None:
        self.rows.append([what, f"{took:.1f}", f"{requests:,}", f"{peak:.0f} MB", end])
        steps.say(" | ".join(map(str, self.rows[-1])))
