# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IDM is killed in the middle of a run and started again: what livesync_trigger makes of that.

A kill may lose IDM's last write, so work may be repeated; every change must have arrived in the end.
"""

from __future__ import annotations

import argparse
import threading
import time
import typing as t
from datetime import datetime, timedelta, timezone

from tools import steps

from . import _page
from ._bed import Bed
from ._task import Result, Tasks
from ._wait import until

PEOPLE = 80
CHANGES, SLOW = 40, 150
HEAD = ("what happened", "outcome", "runs were sent again", "changes that arrived", "took", "what was told")


class Row(t.NamedTuple):
    """What happened, and what came of it."""

    name: str
    result: Result
    arrived: int
    wrong: bool

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        run = self.result.run
        again = "yes" if run["restarted"] else "no"
        return [
            self.name,
            run["outcome"],
            again,
            f"{self.arrived} of {CHANGES}",
            f"{self.result.took:.0f} s",
            run["error"] or "",
        ]


def disturbed(
    bed: Bed, tasks: Tasks, number: int, disturb: t.Callable[[], None], **options: t.Any
) -> tuple[Result, int]:
    """Run liveSync, and disturb it in the middle; return what was told and how many changes have arrived."""
    description = f"slow {SLOW} disturbed {number}"
    tasks.change(range(CHANGES), description)

    def wait_and_disturb() -> None:
        until(lambda: bed.described(description) >= CHANGES // 4, "a quarter of the changes", 60.0)
        disturb()

    thread = threading.Thread(target=wait_and_disturb)
    thread.start()
    result = tasks.trigger(**options)
    thread.join()
    return result, bed.described(description) if bed.stack.idm.running() else 0


def hourly(bed: Bed) -> None:
    """Let a schedule run liveSync once an hour, for the first time in some seconds, and wait until it does."""
    soon = datetime.now(timezone.utc) + timedelta(seconds=5)
    bed.idm("PUT", "scheduler/job/hourly", {
        "enabled": True, "type": "cron", "schedule": f"{soon.second} {soon.minute} * * * ?", "persisted": True,
        "misfirePolicy": "fireAndProceed", "invokeService": "provisioner",
        "invokeContext": {"action": "liveSync", "source": bed.source},
    })  # fmt: skip
    # Now and then the fork runs a new job half a minute late.
    until(lambda: bed.idm("POST", "scheduler/job", _action="listCurrentlyExecutingJobs"), "the job to run", 90.0, 0.2)


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through the cases, write the table, and fail if a change did not arrive."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.restarts", description=__doc__)
    parser.add_argument("--small", action="store_true", help="without what a target shows, and write no table")
    options = parser.parse_args(argv)
    rows: list[Row] = []
    with Bed("restarts", PEOPLE) as bed:
        tasks = Tasks(bed)
        bed.grant()
        tasks.trigger()
        idm, ds = bed.stack.idm, bed.stack.ds

        def add(name: str, result: Result, arrived: int, fits: bool) -> None:
            rows.append(Row(name, result, arrived, not fits))
            steps.say(" | ".join(str(cell) for cell in rows[-1].cells()))

        def restart() -> None:
            idm.kill()
            time.sleep(2.0)
            idm.start()

        if not options.small:  # make test has it in the target livesync_disturbed
            result, arrived = disturbed(bed, tasks, 1, restart, directory=tasks.directory, until_caught_up=True)
            well = result.run["outcome"] == "advanced" and result.run["restarted"] and arrived == CHANGES
            add("IDM killed and started again, the task waiting", result, arrived, well)

        hurried = {"wait_timeout": 4.0, "stall_timeout": 3.0}
        result, arrived = disturbed(bed, tasks, 2, idm.kill, **hurried)
        add("IDM killed, the task's patience at an end", result, arrived, result.run["outcome"] == "unknown")
        idm.start()
        again = tasks.trigger(directory=tasks.directory, until_caught_up=True)
        arrived = bed.described(f"slow {SLOW} disturbed 2")
        add(
            "the same task again, after IDM was started",
            again,
            arrived,
            arrived == CHANGES and again.run["outcome"] == "advanced",
        )

        def bounce() -> None:
            ds.kill()
            time.sleep(2.0)
            ds.start()

        result, arrived = disturbed(bed, tasks, 3, bounce)
        again = tasks.trigger(directory=tasks.directory, until_caught_up=True)
        done = bed.described(f"slow {SLOW} disturbed 3")
        add("the directory killed and started again", result, arrived, result.run["outcome"] != "unchanged")
        add("the same task again", again, done, done == CHANGES)

        description = f"slow {SLOW} disturbed 4"
        tasks.change(range(CHANGES), description)
        hourly(bed)
        until(lambda: bed.described(description) >= CHANGES // 4, "a quarter of the changes", 60.0)
        restart()
        # The job's trigger says until its next hour that it runs.
        result = tasks.trigger(directory=tasks.directory, until_caught_up=True, wait_timeout=120.0)
        arrived = bed.described(description)
        add("IDM killed in a run of its scheduler and started again, then the task", result, arrived,
            result.run["outcome"] == "advanced" and arrived == CHANGES)  # fmt: skip
    content = _page.table(HEAD, [row.cells() for row in rows])
    if not options.small:
        _page.write("failures.md", "restarts", content)
    print(content)
    wrong = [row.name for row in rows if row.wrong]
    for name in wrong:
        steps.say(f"FAILED: {name}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
