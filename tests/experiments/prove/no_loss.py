# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No change is lost: the role enables liveSync while another client changes, adds, renames and removes people.

Measured beside it on the same kind of fresh stack: the documented order (reconcile, then the first liveSync, then the
schedule). Each change is of another person, so a lost change is a person who differs in IDM when all has settled.
"""

from __future__ import annotations

import argparse
import time
import typing as t
from collections import Counter

from tools import steps

from . import _page
from ._bed import INTERVAL, Bed
from ._compare import Difference, compare
from ._wait import failed, until
from ._writer import KINDS, Change, Writer

PEOPLE, PEOPLE_SMALL = 6000, 2000
#: So many changes at the least, and seconds between two of them.
CHANGES, CHANGES_SMALL, PAUSE = 500, 60, 0.2


class Measured(t.NamedTuple):
    """What became of the changes that were made while one order of steps was gone through."""

    order: str
    took: float
    changes: t.Sequence[Change]
    difference: Difference

    def made(self) -> Counter[str]:
        """Return how many changes of each kind were made."""
        return Counter(change.kind for change in self.changes)

    def lost(self) -> Counter[str]:
        """Return how many of each kind were lost."""
        return Counter(change.kind for change in self.changes if change.uuid in self.difference.everybody)

    def damage(self) -> int:
        """Return how many people differ whom the other client did not touch."""
        others = self.difference.everybody - {change.uuid for change in self.changes}
        return len(others) + self.difference.unlinked

    def __str__(self) -> str:
        """Return it as a line for a person."""
        more = f", and {self.damage()} people differ whom nobody changed" if self.damage() else ""
        return f"{self.order}: {self.lost().total()} lost of {len(self.changes)}{more}"

    def cells(self) -> list[str]:
        """Return it as a row of the table."""
        made, lost = self.made(), self.lost()
        return [self.order, f"{self.took:.0f} s", *(f"{lost[kind]} of {made[kind]}" for kind in KINDS),
                f"**{lost.total()} of {made.total()}**"]  # fmt: skip


def ours(bed: Bed) -> None:
    """Run the role."""
    ended = bed.play().wait(1200)
    if ended.exit_code:
        raise failed(f"the role failed: {ended.error}")


def documented(bed: Bed) -> None:
    """Reconcile, run liveSync for the first time, make the schedule: what the product's documentation says."""
    run = bed.idm("POST", "recon", _action="recon", mapping=bed.mapping, waitForCompletion="true")
    state = bed.idm("GET", f"recon/{run['_id']}")["state"]
    if state != "SUCCESS":
        raise failed(f"the reconciliation ended as {state}")
    bed.idm("POST", bed.source, _action="liveSync")
    bed.idm("PUT", "scheduler/job/documented", {
        "enabled": True, "type": "cron", "schedule": f"0/{INTERVAL} * * * * ?", "persisted": True,
        "misfirePolicy": "fireAndProceed", "invokeService": "provisioner",
        "invokeContext": {"action": "liveSync", "source": bed.source},
    })  # fmt: skip


def measure(bed: Bed, order: str, steps_of_it: t.Callable[[Bed], None], changes: int) -> Measured:
    """Go through an order of steps while a writer works, let all settle, and compare IDM with the directory."""
    steps.say(f"{order}: {bed.users} people, another client changes {1 / PAUSE:.0f} of them a second")
    with Writer(bed, PAUSE) as writer:
        began = time.monotonic()
        steps_of_it(bed)
        took = time.monotonic() - began
        # The schedule too is to be seen with changes going on.
        enough = max(changes, len(writer.changes) + 2 * INTERVAL / PAUSE)
        until(lambda: len(writer.changes) >= enough or not writer.is_alive(), "enough changes", 600)
        made = writer.finish()
    steps.say(f"{order}: done after {took:.0f} s; letting the schedule come to the end of {len(made)} changes")
    bed.settle()
    measured = Measured(order, took, made, compare(bed))
    steps.say(f"{order}: IDM and directory: {measured.difference}")
    return measured


def main(argv: t.Sequence[str] | None = None) -> int:
    """Measure both orders; fail if ours loses a change."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.no_loss", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few people, and not the documented order")
    parser.add_argument("--people", type=int, help=f"default: {PEOPLE}, small: {PEOPLE_SMALL}")
    options = parser.parse_args(argv)
    people = options.people or (PEOPLE_SMALL if options.small else PEOPLE)
    changes = CHANGES_SMALL if options.small else CHANGES
    with Bed("no_loss", people) as bed:
        bed.fresh()
        results = [measure(bed, "ours", ours, changes)]
        if not options.small:
            bed.fresh()
            bed.grant()
            results.append(measure(bed, "documented order", documented, changes))
    for result in results:
        print(result, flush=True)
    if not options.small:
        head = ["order", "took", *(f"{kind}, lost" for kind in KINDS), "lost"]
        text = f"{people} people in the directory.\n\n" + _page.table(head, [result.cells() for result in results])
        _page.write("no-loss.md", "no_loss", text)
    first = results[0]
    return int(bool(first.difference) or len(first.changes) < changes)


if __name__ == "__main__":
    steps.main(main)
