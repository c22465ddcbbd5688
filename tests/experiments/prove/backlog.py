# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backlog that liveSync cannot get through, the cure, and the way without it.

With the connector as it is published a long run must end in an error that names its cure, and store nothing; a
reconciliation must bring all over then. With the cure a run of 20,000 changes must end well.
"""

from __future__ import annotations

import argparse
import pathlib
import typing as t

from tests.servers.stack import Stack
from tools import steps

from . import _page
from ._bed import Bed
from ._compare import compare
from ._task import Result, Tasks

HEAD = ("connector", "pending", "deletions", "`catch_up`", "outcome", "how", "seconds", "afterwards")
PEOPLE = 6000
CURE = "java.naming.batchsize=0"


class Uncured(Bed):
    """A stack with the connector as it is published."""

    def _servers(self, folder: pathlib.Path) -> t.Any:
        return Stack(folder, users=self.users, uncured=True, say=steps.say)


class Table:
    """What was done on one stack, and what was not as it must be."""

    def __init__(self, bed: Bed, connector: str) -> None:
        self.bed, self.connector, self.tasks = bed, connector, Tasks(bed)
        self.rows: list[list[t.Any]] = []
        self.wrong: list[str] = []
        self._changed = self._gone = self._known = 0
        bed.grant()
        self.tasks.trigger(directory=self.tasks.directory)
        # Without the record of a load no run is proved.
        of = {"source": bed.source}
        loaded = self.tasks.run("livesync_load", **of, mappings=[bed.mapping], directory=self.tasks.directory)
        record = {"load_record": loaded.told["record"], "enabled": False}
        self.tasks.run("livesync_schedule", **of, **record, scheduler="external", max_age=3600)

    def change(self, count: int) -> None:
        """Change people, one after the other, from the first one on."""
        self._changed += count
        self.tasks.change(
            [number % (self.bed.users - 10) for number in range(count)], f"backlog {self._changed} {self.connector}"
        )

    def remove(self, count: int) -> None:
        """Remove people, from the last one back."""
        line = self.bed.directory()
        for _one in range(count):
            line.delete_s(f"uid=user.{self.bed.users - 1 - self._gone},{self.bed.vars['people_dn']}")
            self._gone += 1
        line.unbind_s()

    def catch_up(self, way: str, wanted: str, **options: t.Any) -> Result:
        """Catch up, and note what came of it.

        :param wanted: the end that it must have: failed, or how it must have caught up.
        """
        last, gone = self.bed.last_change(), self._gone - self._known
        result = self.tasks.trigger(
            directory=self.tasks.directory, catch_up=way, until_caught_up=wanted != "failed", **options
        )
        run = result.run
        self._known = self._gone if run["token_after"] != run["token_before"] else self._known
        pending = last - run["token_before"]
        how = f"by {run['reconciliation']['by']}" if run["reconciliation"] else run["caught_up_by"]
        left = compare(self.bed)
        end = "failed" if result.told.get("failed") else how
        self.rows.append(
            [self.connector, f"{pending:,}", gone, f"`{way}`", run["outcome"], how, f"{result.took:.0f}", left]
        )
        steps.say(" | ".join(map(str, self.rows[-1])))
        name = f"{self.connector}, {pending} pending, {way}"
        if end != wanted:
            self.wrong.append(f"{name}: {end} instead of {wanted}: {result.told['msg']}")
        elif wanted == "failed" and (CURE not in (run["remedy"] or "") or run["token_after"] != run["token_before"]):
            self.wrong.append(f"{name}: the token is {run['token_after']}, and the remedy {run['remedy']}")
        # a task compares the newest alone, and says so; all of them are compared here
        told = run["proved"] or any("were compared with the target" in text for text in result.told["warnings"])
        if wanted != "failed" and end == wanted and (left or not told):
            self.wrong.append(f"{name}: {left}, proved: {run['proved']}")
        return result


def small() -> list[Table]:
    """Reconcile single entries, deleted ones too, and everything; each is as liveSync would have brought it."""
    with Bed("backlog", 60) as bed:
        table = Table(bed, "cured")
        table.remove(2)
        table.change(30)
        table.catch_up("reconcile", "by ids", allow_deletes=True)
        table.remove(1)
        table.change(30)
        table.catch_up("auto", "by mapping", catch_up_above=20)
        table.change(30)
        table.catch_up("auto", "livesync")
        return [table]


def full() -> list[Table]:
    """Meet the fault, go around it, and cure it."""
    tables = []
    with Uncured("backlog", PEOPLE) as bed:
        table = Table(bed, "as published")
        tables.append(table)
        table.remove(10)
        table.change(PEOPLE)
        table.catch_up("livesync", "failed")
        table.catch_up("reconcile", "by mapping")
    with Bed("backlog", PEOPLE) as bed:
        table = Table(bed, "cured")
        tables.append(table)
        table.remove(10)
        table.change(400)
        table.catch_up("reconcile", "by ids", allow_deletes=True)
        table.change(PEOPLE)
        table.catch_up("auto", "by mapping")
        table.change(20_000)
        table.catch_up("livesync", "livesync")
    return tables


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through all, write the table, and fail if something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.backlog", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few people, and the cured connector alone")
    options = parser.parse_args(argv)
    tables = small() if options.small else full()
    content = _page.table(HEAD, [row for table in tables for row in table.rows])
    print(content)
    if not options.small:
        _page.write("large-backlogs.md", "backlog", content)
    wrong = [text for table in tables for text in table.wrong]
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
