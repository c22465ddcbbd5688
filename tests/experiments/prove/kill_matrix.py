# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role can be killed anywhere: the second run ends as an unbroken one, and loads again only where it must.

ansible-playbook is ended with SIGKILL, workers included, after every single task in turn, in the middle of the load and
in the middle of a run, each time on servers as new, while another client changes people.
"""

from __future__ import annotations

import argparse
import typing as t
from dataclasses import replace

from tools import steps

from . import _page
from ._bed import Bed
from ._ending import HEAD, Row, mended, state, writer
from ._points import ENABLE, IN_THE_LOAD, IN_THE_RUN, LOAD, SPARE, Point, after, after_task
from ._wait import failed

PEOPLE = 200
#: Tasks that a fresh environment does not need: a directory that was rebuilt under an enabled schedule does.
REBUILT = ("Hold the schedule until all is loaded", "Forget a token that the change log does not reach back to")
#: And those that a connector which does no liveSync needs, from the one that finds it out.
ASLEEP = (
    "Prove that liveSync works",
    "Activate the connector again, since everything works but liveSync",
    "Prove that liveSync works now",
)

#: And those that raise the limits of an account which may not read everybody.
LIMITED = (
    "Grant the connector's account what liveSync and the load need",
    "Activate the connector again, since its connections keep the limits of their bind",
)


def killed(bed: Bed, point: Point, expected: t.Collection[int], reference: t.Any = None) -> Row:
    """Kill a run at a point and return what came of it."""
    with writer(bed) as other:
        point.prepare(bed)
        play = bed.play("first", point.hold)
        point.reach(bed, play)
        play.kill()
        return mended(bed, other, point.name, "killed", expected, reference)


def unbroken(bed: Bed) -> tuple[list[str], t.Any]:
    """Return the names of the tasks that an unbroken run goes through, and the state it ends in."""
    play = bed.play("unbroken")
    ended = play.wait()
    if ended.exit_code:
        raise failed(f"the unbroken run: {ended.error}")
    bed.settle()
    return [event.task for event in play.events() if event.event == "end" and event.status != "skipped"], state(bed)


def after_each_task(bed: Bed, tasks: t.Sequence[str], reference: t.Any) -> t.Iterator[Row]:
    """Kill the role after each of its tasks."""
    load, enable = tasks.index(LOAD), tasks.index(ENABLE)
    for index, task in enumerate(tasks):
        bed.fresh()
        # The record of the load is written with the last step: what was loaded before that is loaded again.
        yield killed(bed, after(index + 1, task), {2} if load <= index < enable else {1}, reference)


def enabled(bed: Bed) -> None:
    """Make the servers new, run the role on them, and let all settle."""
    bed.fresh()
    if bed.play("before").wait().exit_code:
        raise failed("the run before the one that is to be killed")
    bed.settle()


def rebuilt_directory(bed: Bed, reference: t.Any) -> t.Iterator[Row]:
    """Kill the role after the tasks that a rebuilt directory under an enabled schedule needs."""
    for task in REBUILT:
        enabled(bed)
        # So many changes that the change numbers of the new directory have not come as far when the role looks.
        bed.describe(range(SPARE, PEOPLE), "before the directory was rebuilt")
        bed.settle()
        bed.fresh("ds")
        point = replace(after_task(task), name=f"after: {task} (directory rebuilt)")
        yield killed(bed, point, {2}, reference)


def sleeping_connector(bed: Bed, reference: t.Any) -> t.Iterator[Row]:
    """Kill the role after the tasks that find a connector asleep and wake it."""
    for task in ASLEEP:
        enabled(bed)
        bed.put_to_sleep()
        point = replace(after_task(task), name=f"after: {task} (connector asleep)")
        yield killed(bed, point, {1}, reference)


def small_limit(bed: Bed) -> t.Iterator[Row]:
    """Kill the role after the tasks that let the account read as many people as there are."""

    def limited() -> None:
        bed.fresh()
        bed.limit(PEOPLE // 10)

    limited()
    unused, reference = unbroken(bed)
    for task in LIMITED:
        limited()
        point = replace(after_task(task), name=f"after: {task} (size limit too small)")
        yield killed(bed, point, {1}, reference)


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through all points, print the table, and fail if one of them ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.kill_matrix", description=__doc__)
    parser.add_argument("--small", action="store_true", help="one point only")
    options = parser.parse_args(argv)
    rows: list[Row] = []
    with Bed("kill_matrix", PEOPLE) as bed:
        bed.fresh()
        if options.small:
            rows.append(killed(bed, IN_THE_LOAD, {2}))
        else:
            tasks, reference = unbroken(bed)
            for point in (IN_THE_LOAD, IN_THE_RUN):
                bed.fresh()
                rows.append(killed(bed, point, {2}, reference))
            rows.extend(rebuilt_directory(bed, reference))
            rows.extend(sleeping_connector(bed, reference))
            rows.extend(small_limit(bed))
            rows.extend(after_each_task(bed, tasks, reference))
    text = _page.table(HEAD, [row.cells() for row in rows])
    print(text)
    if not options.small:
        _page.write("interruptions.md", "kill_matrix", text)
    bad = sum(bool(row.wrong) for row in rows)
    print(f"killed at {len(rows)} points: {len(rows) - bad} ended equal, {bad} did not", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    steps.main(main)
