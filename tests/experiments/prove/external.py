# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An external scheduler that dies is told, and nothing is lost by that.

A timer calls the playbook ``run`` again and again, while another client changes people. In the midst of a call it is
killed with all that it has started, stays away until the source is overdue and longer, and comes back. Somebody who
looks on asks for the state all the time; in the end everybody in IDM is compared with everybody in the directory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import threading
import time
import typing as t

from tools import steps

from . import _page
from ._bed import Bed
from ._compare import compare
from ._play import Play
from ._task import Tasks
from ._wait import failed, until
from ._writer import Writer

PEOPLE = 200
#: Seconds between two changes of the other client, and between two looks at the state.
PAUSE, LOOK = 2.0, 5.0
CALL = "Run liveSync until all that is pending has arrived"


class Times(t.NamedTuple):
    """How long what lasts, in seconds.

    :param period: between the beginnings of two calls.
    :param max_age: of the source.
    :param well, away, again: before the timer is killed, while it is away at the least, and after it has come back.
    """

    period: float
    max_age: int
    well: float
    away: float
    again: float


LONG, SMALL = Times(60, 180, 420, 300, 480), Times(5, 40, 15, 45, 15)


class Timer(threading.Thread):
    """Calls the playbook, never twice at once, as a systemd timer does."""

    def __init__(self, bed: Bed, period: float, options: t.Sequence[str]) -> None:
        super().__init__(name="timer", daemon=True)
        self._bed, self._period, self._options = bed, period, options
        self._over = threading.Event()
        self._play: Play | None = None
        self.codes: list[int] = []

    def run(self) -> None:
        """Call until it is over."""
        for number in itertools.count(1):
            if self._over.is_set():
                return
            began = time.monotonic()
            self._play = self._bed.play(f"call-{number}", playbook="idmops.idm.run", options=self._options)
            code = self._play.wait().exit_code
            if not self._over.is_set():
                self.codes.append(code)
                self._over.wait(max(0.0, began + self._period - time.monotonic()))

    def stop(self) -> None:
        """Let the call that goes on end, and begin no other."""
        self._over.set()
        self.join()

    def kill(self, limit: float) -> None:
        """SIGKILL in the midst of a call."""
        before = self._play
        until(lambda: self._play is not before, "the next call", limit)
        assert self._play
        self._play.await_event("start", CALL)
        self._over.set()
        self._play.kill()
        self.join()


class Watch(threading.Thread):
    """Asks for the state all the time, and keeps each with the moment."""

    def __init__(self, bed: Bed, tasks: Tasks) -> None:
        super().__init__(name="watch", daemon=True)
        self._bed, self._tasks = bed, tasks
        self._over = threading.Event()
        self._error: Exception | None = None
        self.seen: list[tuple[float, str]] = []

    def run(self) -> None:
        """Ask until it is over."""
        while not self._over.is_set():
            try:
                told = self._tasks.run("livesync_status", source=self._bed.source, directory=self._tasks.directory).told
                (one,) = told["livesync"]
            except Exception as exc:
                self._error = exc
                return
            if not self.seen or self.seen[-1][1] != one["state"]:
                steps.say(f"  {one['state']} (the last run: {one['last_run']})")
            self.seen.append((time.monotonic(), one["state"]))
            self._over.wait(LOOK)

    def states(self, since: float, before: float) -> list[str]:
        """Return the states between two moments, each once, as they came.

        :raises StepFailed: where it could not ask.
        """
        if self._error:
            raise failed(f"the state could not be asked for: {type(self._error).__name__}: {self._error}")
        return list(dict.fromkeys(state for moment, state in self.seen if since <= moment < before))

    def wait_for(self, wanted: t.Container[str], since: float, limit: float) -> float:
        """Return when such a state was first seen."""

        def first() -> float | None:
            self.states(since, since)
            return next((moment for moment, state in self.seen if moment >= since and state in wanted), None)

        return t.cast(float, until(first, f"one of {wanted}", limit, 0.5))

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        self.join()


GOOD = ("healthy", "running", "lagging")


def measure(bed: Bed, times: Times) -> tuple[list[list[t.Any]], list[str]]:
    """Let the timer work, die and come back; return the rows of the table, and what is not as it must be."""
    sources = [{"source": bed.source, "scheduler": "external", "max_age": times.max_age}]
    options = ["-e", json.dumps({"livesync_sources": sources})]
    ended = bed.play(options=options).wait()
    if ended.exit_code:
        raise failed(f"the role failed: {ended.error}")
    watch = Watch(bed, Tasks(bed))
    rows: list[list[t.Any]] = []
    wrong = []

    def told(what: str, since: float, calls: t.Sequence[int], allowed: t.Container[str], more: str = "") -> None:
        states = watch.states(since, time.monotonic())
        bad = [state for state in states if state not in allowed]
        wrong.extend(f"{what}: {state}" for state in bad)
        wrong.extend(f"{what}: a call ended with {code}" for code in calls if code)
        rows.append([what, f"{time.monotonic() - since:.0f} s", len(calls), ", ".join(states), more])
        steps.say(" | ".join(map(str, rows[-1])))

    with Writer(bed, PAUSE) as writer:
        timer = Timer(bed, times.period, options)
        began = time.monotonic()
        timer.start()
        until(lambda: timer.codes, "the first call", 120)
        watch.start()
        until(lambda: time.monotonic() > began + times.well, "the timer to work for a while", times.well + 60)
        timer.kill(times.period + 60)
        killed = time.monotonic()
        told("the timer calls", began, timer.codes, GOOD, "")
        overdue = watch.wait_for(["overdue"], killed, times.max_age + 120)
        until(lambda: time.monotonic() > killed + times.away, "the timer to stay away", times.away + 60)
        told("it is killed, and stays away", killed, (), (*GOOD, "overdue"), f"overdue after {overdue - killed:.0f} s")
        timer, back = Timer(bed, times.period, options), time.monotonic()
        timer.start()
        good = watch.wait_for(("healthy", "lagging"), back, times.max_age + 120)
        until(lambda: time.monotonic() > back + times.again, "the timer to work again", times.again + 60)
        changes = writer.finish()
        bed.settle()
        timer.stop()
        watch.stop()
        told("it calls again", good, timer.codes, GOOD, f"well after {good - back:.0f} s")
    difference = compare(bed)
    lost = {change.uuid for change in changes} & difference.everybody
    if difference:
        wrong.append(f"in the end: {difference}")
    rows.append(["in the end", "", "", str(difference), f"{len(lost)} of {len(changes)} changes lost"])
    return rows, wrong


def main(argv: t.Sequence[str] | None = None) -> int:
    """Measure, print the table, and fail if something was hidden or lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.external", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few calls, which come every few seconds")
    options = parser.parse_args(argv)
    times = SMALL if options.small else LONG
    with Bed("external", PEOPLE) as bed:
        bed.fresh()
        rows, wrong = measure(bed, times)
    head = ["", "for", "calls", "states seen", ""]
    text = (
        f"A call every {times.period:g} s, `max_age` {times.max_age} s; another client changes somebody every"
        f" {PAUSE:g} s; the state is asked for every {LOOK:g} s.\n\n" + _page.table(head, rows)
    )
    print(text)
    if not options.small:
        _page.write("external-scheduler.md", "external", text)
    print(f"external: {rows[-1][-1]}; {'; '.join(wrong) or 'all as it must be'}", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
