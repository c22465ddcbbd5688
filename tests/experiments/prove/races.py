# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several plays trigger the same source at once, again and again, as several control hosts.

With the run record none of them may meet another. With locks of their own they do, and what comes of that must be told.

Which runs there were, and whether two of them overlapped, is taken from audit/sync: the entries of one run share a
transaction.
"""

from __future__ import annotations

import argparse
import json
import os
import typing as t
from collections import Counter

from tools import steps

from . import _page
from ._bed import Bed
from ._play import Hold, Play
from ._task import Tasks

TRIGGER = "tests/experiments/prove/trigger.yml"
PEOPLE = 60
PLAYS = 5
#: Changes in each round, and how many milliseconds each takes: longer than the plays' starts differ.
CHANGES, SLOW = 12, 120
HEAD = ("lock", "rounds", "plays", "plays that failed", "runs that met another", "failures told as a race's",
        "failures told as a record's own", "changes lost")  # fmt: skip


class Round(t.NamedTuple):
    """What came of one round."""

    told: list[dict[str, t.Any]]
    overlaps: int
    lost: int


def one_round(bed: Bed, tasks: Tasks, number: int, lock: str) -> Round:
    """Let all plays trigger the source at the same moment."""
    description = f"slow {SLOW} round {number} {lock}"
    first = number * CHANGES % PEOPLE
    tasks.change([(first + index) % PEOPLE for index in range(CHANGES)], description)
    before = {entry["_id"] for entry in bed.query("audit/sync", _fields="_id")}
    results = [bed.folder / f"result-{index}.json" for index in range(PLAYS)]
    plays = []
    for index, result in enumerate(results):
        result.unlink(missing_ok=True)
        os.environ.update(
            XDG_CACHE_HOME=str(bed.folder / f"cache-{index}"),
            RACE_LOCK=lock,
            RACE_RESULT=str(result),
        )
        hold = Hold("start", "Run liveSync")
        plays.append(Play(bed.folder, TRIGGER, bed.folder / "play.json", hold, f"play-{index}"))
    for play in plays:
        play.await_hold()
    for play in plays:
        play.release()
    for play in plays:
        play.wait()
    told = [json.loads(result.read_text(encoding="utf-8")) for result in results]
    entries = [entry for entry in bed.query("audit/sync") if entry["_id"] not in before]
    overlaps = _overlaps(entries)
    if tasks.trigger(directory=tasks.directory, until_caught_up=True).told.get("failed"):
        steps.say("the run after the round failed")
    lost = CHANGES - bed.described(description)
    return Round(told, overlaps, lost)


def _overlaps(entries: t.Iterable[t.Mapping[str, t.Any]]) -> int:
    """Count the runs that began before another one had ended."""
    spans: dict[str, list[str]] = {}
    for entry in entries:
        spans.setdefault(entry["transactionId"], []).append(entry["timestamp"])
    ordered = sorted((min(times), max(times)) for times in spans.values())
    return sum(later[0] < earlier[1] for earlier, later in zip(ordered, ordered[1:]))


def race(bed: Bed, tasks: Tasks, rounds: int, lock: str) -> tuple[list[t.Any], list[str]]:
    """Go through all rounds; return the row of the table and what was wrong."""
    count: Counter[str] = Counter()
    wrong = []
    words: Counter[str] = Counter()
    for number in range(rounds):
        done = one_round(bed, tasks, number, lock)
        for told in done.told:
            (run,) = told["runs"]
            failure = run["failure"] or {}
            count["failed"] += bool(told.get("failed"))
            count["race"] += bool(failure.get("by_race")) or (run["outcome"] == "failed" and not run["attributed"])
            own = bool(failure) and not failure["by_race"] or (run["outcome"] == "failed" and run["attributed"])
            count["own"] += own or bool(run["skipped_records"])
            words[f"{run['outcome']}: {run['error'] or ''}"[:200]] += own or bool(run["skipped_records"])
        count["overlaps"] += done.overlaps
        count["lost"] += done.lost
        outcomes = ", ".join(told["runs"][0]["outcome"] for told in done.told)
        steps.say(f"round {number + 1}, lock: {lock}: {outcomes}; {done.overlaps} met")
    if count["lost"] or count["own"]:
        wrong.append(f"{count['lost']} lost, {count['own']} told as a record's own: {dict(words)}")
    if lock == "server" and (count["failed"] or count["overlaps"]):
        wrong.append(f"{count['failed']} plays failed, {count['overlaps']} runs overlapped in spite of the lock")
    if lock == "local" and not count["overlaps"]:
        wrong.append("no two runs overlapped: nothing was shown")
    return [
        lock, rounds, rounds * PLAYS,
        count["failed"], count["overlaps"], count["race"], count["own"], count["lost"],
    ], wrong  # fmt: skip


def main(argv: t.Sequence[str] | None = None) -> int:
    """Run both races, write the table, and fail if something was lost or told wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.races", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few rounds")
    options = parser.parse_args(argv)
    few = {"server": 1, "local": 2}  # where nothing keeps them apart a round may show nothing
    rows, wrong = [], []
    with Bed("races", PEOPLE) as bed:
        tasks = Tasks(bed)
        bed.grant()
        tasks.trigger()
        tasks.run("recon", mapping=bed.mapping)
        for lock, small in few.items():
            row, found = race(bed, tasks, small if options.small else 20, lock)
            rows.append(row)
            wrong += found
    content = _page.table(HEAD, rows)
    if not options.small:
        _page.write("failures.md", "races", content)
    print(content)
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
