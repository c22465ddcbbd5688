# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points of the role's way where something happens to it: in the middle of the load, of a run, before its end."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._bed import Bed
from ._play import Hold, Play
from ._wait import until

LOAD = "Load what no load on this IDM is recorded of"
CATCH_UP = "Catch up with what has changed meanwhile"
ENABLE = "Enable the schedule, with the record of the load"

#: People whom the experiment makes slow, ``user.0`` and those after it; the writer leaves them alone.
SPARE = 30


@dataclass(frozen=True)
class Point:
    """A moment of a play.

    :param hold: where the play is held; it goes on when somebody releases it.
    :param prepare: what is to be done before the play begins.
    :param reach: returns when the play is there.
    """

    name: str
    hold: Hold | None
    prepare: t.Callable[[Bed], None]
    reach: t.Callable[[Bed, Play], None]


def _nothing(bed: Bed) -> None:
    pass


def _slow_load(bed: Bed) -> None:
    bed.describe(range(SPARE), "slow 900")


def _in_the_load(bed: Bed, play: Play) -> None:
    play.await_event("start", LOAD)
    until(lambda: bed.loading() and 0 < bed.described("slow 900") < SPARE, "the middle of the load", 120.0, 0.05)


def _in_the_run(bed: Bed, play: Play) -> None:
    play.await_hold()
    slow = f"slow 800 since {bed.last_change()}"
    bed.describe(range(SPARE), slow, numbered=True)
    play.release()
    until(lambda: 0 < bed.described(slow) < SPARE, "the middle of the catching up", 120.0, 0.05)


def _at_hold(bed: Bed, play: Play) -> None:
    play.await_hold()


def after(number: int, task: str) -> Point:
    """Return the point after so many tasks, the last of which has that name."""
    return Point(f"after: {task}", Hold("end", number=number), _nothing, _at_hold)


def after_task(task: str) -> Point:
    """Return the point after the task of that name."""
    return Point(f"after: {task}", Hold("end", task), _nothing, _at_hold)


IN_THE_LOAD = Point("in the middle of the load", None, _slow_load, _in_the_load)
IN_THE_RUN = Point("in the middle of catching up", Hold("end", LOAD), _nothing, _in_the_run)
BEFORE_ENABLE = Point("before the schedule is enabled", Hold("start", ENABLE), _nothing, _at_hold)
