# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What livesync_verify takes for many entries: seconds, requests and memory, on the stand-in for IDM 8.

Memory must stay below a limit at 100,000 entries, whatever is wrong with them, and requests and the processor's time
must grow no faster than the entries do. The stand-in makes its people as they are asked for, so that what is measured
is the comparison's own.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import typing as t

import requests
import yaml

from tests.servers.ping.furniture import MAPPING, SOURCE
from tools import steps, tree
from tools.places import BUILD, ROOT, environment

from . import _page
from ._crowd import HEAD as CROWD_HEAD
from ._crowd import Crowd
from ._measured import Measured, measured
from ._two_of_each import TwoOfEach
from ._wait import until

SIZES = (10_000, 25_000, 50_000, 100_000)
SIZES_SMALL = (1_500, 3_000)
#: Megabytes that the whole process may have at the most.
MEMORY = 200.0
#: How much more an entry may take where there are most than where there are fewest.
GROWTH = 1.5
#: So many differences are listed, which is the default.
LISTED = 100

MAPPED = {"uid": "userName", "givenName": "givenName", "sn": "sn", "mail": "mail"}


class Case(t.NamedTuple):
    """What is so, and what is to be found.

    :param wrong: the share of the people that something is wrong with.
    """

    name: str
    kind: str | None = None
    sample: int = 0
    wrong: float = 0.0

    def sizes(self, known: t.Sequence[int]) -> t.Sequence[int]:
        """Return how many people it is measured with: where all are wrong, the fewest and the most."""
        return known if self.wrong < 1.0 else (known[0], known[-1])

    def crowd(self, people: int) -> dict[str, int]:
        """Return the stand-in's people."""
        return {"people": people, **({self.kind: self.count(people)} if self.kind else {})}

    def count(self, people: int) -> int:
        """Return how many differ."""
        return round(people * self.wrong)


CASES = (
    Case("all equal, all compared"),
    Case("all equal, a sample of 1,000", sample=1000),
    Case("1 % differ, all compared", "differing", wrong=0.01),
    Case("all are missing", "missing", wrong=1.0),
    Case("all are orphaned", "orphaned", wrong=1.0),
    Case("all differ", "differing", wrong=1.0),
)
HEAD = ("what is so", "entries", "seconds", "of a processor", "requests", "memory at the start", "at its peak")


class Row(t.NamedTuple):
    """What one comparison took."""

    case: Case
    people: int
    requests: int
    cost: Measured

    @property
    def wrong(self) -> t.Iterator[str]:
        """What is not as it must be."""
        (told,) = self.cost.told["verified"]
        wanted = {self.case.kind: self.case.count(self.people)} if self.case.kind else {}
        if told["differences"] != wanted or len(told["entries"]) != min(LISTED, sum(wanted.values())):
            yield f"{told['differences']} instead of {wanted}, {len(told['entries'])} listed"
        if self.cost.peak >= MEMORY:
            yield f"{self.cost.peak:.0f} MB"

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        cost = self.cost
        sizes = (f"{cost.before:.0f} MB", f"{cost.peak:.0f} MB")
        times = (f"{cost.took:.1f}", f"{cost.worked:.1f}")
        return [self.case.name, f"{self.people:,}", *times, f"{self.requests:,}", *sizes]


def grown(rows: t.Sequence[Row], of: t.Callable[[Row], float]) -> float:
    """Return how much more an entry takes in the last row than in the first."""
    return (of(rows[-1]) / rows[-1].people) / (of(rows[0]) / rows[0].people)


class Ping:
    """A stand-in in a process of its own, which ends with the context."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def __enter__(self) -> Ping:
        vars_file = self._folder / "vars.yml"
        vars_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.servers.ping", "--mode", "standalone", "--state", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--people", "0"], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
        )
        until(vars_file.exists, "the stand-in to serve", 60.0, 0.1)
        self._vars = yaml.safe_load(vars_file.read_text(encoding="utf-8"))
        self.connection: dict[str, t.Any] = self._vars["idm_connection"]
        properties = [{"source": source, "target": target} for source, target in MAPPED.items()]
        mapping = {"name": MAPPING, "source": SOURCE, "target": "managed/user", "properties": properties}
        schema = {"required": ["userName"], "properties": {name: {"type": "string"} for name in MAPPED.values()}}
        managed = {"objects": [{"name": "user", "schema": schema}]}
        self._control("PUT", "config", {"sync": {"mappings": [mapping]}, "managed": managed})
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _control(self, method: str, name: str, body: t.Any = None) -> t.Any:
        answer = requests.request(method, f"{self._vars['ping_control']}/{name}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def row(self, case: Case, people: int, collections: pathlib.Path) -> Row:
        """Compare, and return what that took."""
        self._control("PUT", "crowd", case.crowd(people))
        options = {**self.connection, "sources": [SOURCE], "sample": case.sample, "max_listed": LISTED}
        cost = measured(collections, "livesync_verify", **options)
        row = Row(case, people, self._control("GET", "crowd")["requests"], cost)
        steps.say(" | ".join(map(str, row.cells())))
        return row


def crowd(people: int) -> int:
    """Measure the role, the status and a run on a topology, write the table, and fail if one ends otherwise."""
    with TwoOfEach("crowd", people) as bed:
        measured_there = Crowd(bed)
        measured_there.go()
    table = _page.table(CROWD_HEAD, measured_there.rows)
    print(table)
    if not measured_there.wrong:
        _page.write("proof.md", "crowd", table)
    for text in measured_there.wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(measured_there.wrong))


def main(argv: t.Sequence[str] | None = None) -> int:
    """Measure all, write the table, and fail if a limit is passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.scale", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few people, and no look at the time")
    parser.add_argument("--topology", type=int, metavar="PEOPLE", help="instead: the role and liveSync on real servers")
    options = parser.parse_args(argv)
    if options.topology:
        return crowd(options.topology)
    folder = BUILD / "prove" / "scale"
    folder.mkdir(parents=True, exist_ok=True)
    tree.refresh(folder / "collections")
    sizes = SIZES_SMALL if options.small else SIZES
    with Ping(folder) as ping:
        of_cases = [[ping.row(case, people, folder / "collections") for people in case.sizes(sizes)] for case in CASES]
    rows = [row for of_case in of_cases for row in of_case]
    wrong = [f"{row.case.name}, {row.people}: {text}" for row in rows for text in row.wrong]
    looks: dict[str, t.Callable[[Row], float]] = {"requests": lambda row: float(row.requests)}
    if not options.small:  # a few tenths of a second are the machine's, not the comparison's
        looks["time"] = lambda row: row.cost.worked
    for of_case in of_cases:
        for name, look in looks.items():
            if (more := grown(of_case, look)) > GROWTH:
                wrong.append(f"{of_case[0].case.name}: {more:.1f} times the {name} an entry where there are most")
    table = _page.table(HEAD, [row.cells() for row in rows])
    print(table)
    if not options.small:
        _page.write("proof.md", "scale", table)
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
