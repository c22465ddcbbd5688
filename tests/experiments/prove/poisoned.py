# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One record among many is refused by the target: what each task tells, until IDM gives it up."""

from __future__ import annotations

import argparse
import typing as t

from tools import steps

from . import _page
from ._bed import Bed
from ._task import Result, Tasks

PEOPLE = 120
#: The person whose record the target refuses; so many attempts the stack's connector allows.
POISONED, ATTEMPTS = 40, 6
HEAD = ("task", "outcome", "task ended", "record", "attempt", "changes that arrived", "skipped")


class Row(t.NamedTuple):
    """A task, and what it told."""

    task: str
    result: Result
    arrived: int

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        run = self.result.run
        failure = run["failure"] or {}
        attempt = f"{failure['attempt']} of {failure['allowed']}" if failure else ""
        skipped = ", ".join(record["dn"] for record in run["skipped_records"])
        record = f"{failure['dn']}: {failure['cause']}" if failure else ""
        ended = (
            "failed"
            if self.result.told.get("failed")
            else "ok, with a warning" * bool(self.result.told["warnings"]) or "ok"
        )
        return [self.task, run["outcome"], ended, record, attempt, self.arrived, skipped]


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through the tasks, write the table, and fail if one told something else than what was so."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.poisoned", description=__doc__)
    parser.add_argument("--small", action="store_true", help="write no table")
    options = parser.parse_args(argv)
    rows: list[Row] = []
    with Bed("poisoned", PEOPLE) as bed:
        tasks = Tasks(bed)
        bed.grant()
        tasks.trigger()
        poisoned = f"uid=user.{POISONED},{bed.vars['people_dn']}"
        tasks.change(range(POISONED), "good")
        tasks.change([POISONED], "poison")
        tasks.change(range(POISONED + 1, 100), "good")

        def run(task: str, **more: t.Any) -> dict[str, t.Any]:
            result = tasks.trigger(directory=tasks.directory, **more)
            rows.append(Row(task, result, bed.described("good")))
            steps.say(" | ".join(str(cell) for cell in rows[-1].cells()))
            return result.run

        checks = []
        for attempt in range(1, ATTEMPTS):
            warn = {"on_record_failure": "warn"} if attempt % 2 == 0 else {}
            told = run("on_record_failure: warn" if warn else "until_caught_up: true", until_caught_up=not warn, **warn)
            failure = told["failure"]
            checks.append((failure["dn"], failure["attempt"], failure["allowed"]) == (poisoned, attempt, ATTEMPTS))
            checks.append(failure["cause"] == "Policy validation failed" and rows[-1].arrived == POISONED)
            checks.append(bool(rows[-1].result.told.get("failed")) != bool(warn))
            checks.append(told["runs"] == 1)
        told = run("until_caught_up: true", until_caught_up=True)
        checks.append([record["dn"] for record in told["skipped_records"]] == [poisoned])
        checks.append(rows[-1].arrived == 99 and bool(rows[-1].result.told.get("failed")))
        tasks.change([POISONED], "good")
        told = run("after the person was mended", until_caught_up=True)
        checks.append(rows[-1].arrived == 100 and told["outcome"] == "advanced" and not told["skipped_records"])
    content = _page.table(HEAD, [row.cells() for row in rows])
    if not options.small:
        _page.write("failures.md", "poisoned", content)
    print(content)
    if not all(checks):
        steps.say(f"FAILED: {checks}")
    return int(not all(checks))


if __name__ == "__main__":
    steps.main(main)
