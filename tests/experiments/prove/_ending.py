# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a broken run and the one after it must end in, whatever was broken."""

from __future__ import annotations

import typing as t

from tools import steps

from ._bed import Bed
from ._compare import compare
from ._play import Ended
from ._points import SPARE
from ._writer import Writer

#: Seconds between two changes of the other client.
PAUSE = 1.0


class Row(t.NamedTuple):
    """One broken run, and what came of it.

    :param first: how the broken run ended.
    :param loads: how many loads there were in all, and ``expected`` how many there may be.
    :param changes: how many changes another client made meanwhile.
    :param wrong: what is not as it must be; empty is what is wanted.
    """

    point: str
    first: str
    second: Ended
    loads: int
    expected: t.Collection[int]
    changes: int
    wrong: t.Sequence[str]

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        return [self.point, self.first, f"{self.second.took:.0f} s", self.loads, self.changes,
                "; ".join(self.wrong) or "equal"]  # fmt: skip


HEAD = ("broken", "first run", "second run", "loads in all", "changes meanwhile", "end")


def state(bed: Bed) -> t.Any:
    """Return the state that must always be the same: grants, and jobs without what differs from load to load."""
    jobs = []
    for job in bed.jobs():
        context = dict(job["invokeContext"])
        record = {mapping: sorted(load) for mapping, load in context.pop("initialLoad", {}).items()}
        kept = ("_id", "enabled", "persisted", "type", "schedule", "misfirePolicy", "concurrentExecution")
        jobs.append(({name: job.get(name) for name in kept}, context, record))
    return bed.granted(), jobs


def mended(
    bed: Bed,
    writer: Writer,
    point: str,
    first: str,
    expected: t.Collection[int],
    reference: t.Any = None,
) -> Row:
    """Run the role again after a broken run, let all settle, and compare everything with what it must be.

    :param expected: how many loads there may be in all.
    :param reference: the state that an unbroken run ends in, None where that was not looked at.
    """
    second = bed.play("second").wait()
    changes = len(writer.finish())
    wrong = [f"the second run failed: {second.error}"] if second.exit_code else _wrong(bed, reference)
    loads = bed.loads()
    if loads not in expected:
        wrong.append(f"{loads} loads")
    row = Row(point, first, second, loads, expected, changes, wrong)
    steps.say(f"{point}: {first}; second run {second.took:.0f} s, {loads} loads: {'; '.join(wrong) or 'equal'}")
    return row


def _wrong(bed: Bed, reference: t.Any) -> list[str]:
    """Let all settle, run the role a third time, and return what is not as it must be."""
    wrong = []
    bed.settle()
    difference = compare(bed)
    if difference:
        wrong.append(f"IDM is not the directory: {difference}")
    now = state(bed)
    if [job["enabled"] for job, _context, _record in now[1]] != [True]:
        wrong.append(f"there is not one enabled job but {now[1]}")
    elif bed.mapping not in now[1][0][2]:
        wrong.append("the load is not recorded")
    if reference is not None and now != reference:
        wrong.append(f"the state is {now}, after an unbroken run {reference}")
    third = bed.play("third").wait()
    if third.exit_code or third.changed:
        wrong.append(f"the third run: exit code {third.exit_code}, changed={third.changed} {third.error}".strip())
    return wrong


def writer(bed: Bed) -> Writer:
    """Return a client that changes a few people."""
    return Writer(bed, PAUSE, SPARE)
