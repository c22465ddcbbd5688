# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong on a topology: how each fault is brought about, and how it is lifted."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass

from tests.servers.stack.report import StackError
from tests.servers.topology import plan
from tools import steps

from ._two_of_each import TwoOfEach

#: Seconds that a fault lasts, and between two faults: at the least, at the most. A node that is gone is missed by the
#: others after 30 s.
LASTS, BETWEEN = (4.0, 16.0), (2.0, 8.0)
#: One of so many faults lasts that much longer.
RARELY, LONGER = 6, 30.0
#: How often lifting is tried: on a busy machine a server may not be ready in time.
TRIES = 3


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    :param begin: brings it about.
    :param lift: makes good what it did to the servers.
    """

    name: str
    begin: t.Callable[[], object]
    lift: t.Callable[[], object]


def _nothing() -> None:
    pass


def every_fault(bed: TwoOfEach, kill_a_play: t.Callable[[], None]) -> list[Fault]:
    """Return each fault once.

    :param kill_a_play: kills a playbook that is running.
    """
    stack = bed.stack
    found = []
    for name in plan.NODES + plan.DIRECTORIES:
        part = stack.parts[name]

        def start(name: str = name) -> None:
            stack.start_part(name)

        found += [Fault(f"{name} is killed", part.kill, start), Fault(f"{name} hangs", part.hang, start)]
    balancer = stack.parts["haproxy"]
    for node in plan.NODES:

        def join(node: str = node) -> None:
            balancer.join(node)
            stack.wait_balanced()

        def cut(node: str = node) -> None:
            balancer.cut_off(node)

        found.append(Fault(f"{node} is cut off from the balancer", cut, join))
    found.append(Fault("all lines through the balancer are cut", balancer.cut_lines, _nothing))
    found += [Fault(f"all lines to {name} are cut", stack.parts[name].cut_lines, _nothing) for name in plan.DIRECTORIES]
    found += [Fault("a playbook is killed", kill_a_play, _nothing)] * 2
    return found


def in_random_order(known: t.Sequence[Fault], count: int, chance: random.Random) -> list[Fault]:
    """Return so many faults: each about as often as any other, in an order that the chance says."""
    chosen = [known[number % len(known)] for number in range(count)]
    chance.shuffle(chosen)
    return chosen


def lasting(chance: random.Random) -> float:
    """Return how many seconds a fault lasts."""
    return chance.uniform(*LASTS) + (LONGER if chance.randrange(RARELY) == 0 else 0.0)


def lift(fault: Fault) -> None:
    """Lift a fault, and try again where a server was not ready in time."""
    for left in reversed(range(TRIES)):
        try:
            fault.lift()
            return
        except StackError as exc:
            steps.say(f"lifting '{fault.name}': {exc}")
            if not left:
                raise
