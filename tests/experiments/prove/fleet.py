# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many environments in one play, on stand-ins for IDM 8: no one waits for the load of another.

All are finished first. Then some have to be loaded again, and others get another schedule: these must be done before
the first of the loads is. The whole play takes hardly longer than the longest load, and what the others take alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import typing as t

import yaml

from tests.servers.ping.furniture import SOURCE
from tests.servers.ping.stand_in import StandIn, running
from tools import steps, tree
from tools.places import BUILD

from . import _page
from ._play import Ended, Play

#: Beside the longest load and what the others take alone.
ALLOWANCE = 1.3
PEOPLE = 20
INTERVAL, ANOTHER = 1800, 3600
OWN = "the playbook's own"
STRATEGIES = (OWN, "free", "linear")
#: With these nobody waits for another; with linear all go in step.
SIDE_BY_SIDE = (OWN, "free")
HEAD = ("strategy", "environments", "to be loaded", "a load alone", "the others alone", "all", "waited for a load")


class Fleet:
    """Environments by their names, each a stand-in.

    :param load: seconds that a load takes where one is due.
    :param forks: of Ansible.
    """

    def __init__(self, folder: pathlib.Path, count: int, loads: int, load: float, forks: int) -> None:
        self.load, self.forks = load, forks
        self._folder = folder
        self._held = contextlib.ExitStack()
        self._count = count
        step = count // loads
        names = [f"env{number:02}" for number in range(count)]
        self.loaded = names[::step][:loads]
        self.changed = names[1::step][:loads]
        self.environments: dict[str, StandIn] = {}

    def __enter__(self) -> Fleet:
        for number in range(self._count):
            name = f"env{number:02}"
            state = self._folder / name
            self.environments[name] = self._held.enter_context(running("standalone", state, people=PEOPLE))
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self._held.close()

    def play(self, title: str, hosts: t.Iterable[str], strategy: str = OWN, *, due: bool = False) -> Ended:
        """Play the role on some environments.

        :param strategy: one of STRATEGIES.
        :param due: whether a load, or another schedule, is due where it may be.
        """
        inventory = {
            name: {
                "livesync_idm": self.environments[name].variables["idm_connection"],
                "livesync_sources": [
                    {
                        "source": SOURCE,
                        "schedule": {"interval": ANOTHER if due and name in self.changed else INTERVAL},
                        "initial_load": "always" if due and name in self.loaded else "once",
                    }
                ],
            }
            for name in hosts
        }
        for name in inventory:
            switches = self.environments[name].world.switches
            switches.record_seconds = self.load / PEOPLE if due and name in self.loaded else 0.0
        file = self._folder / f"{title}.yml"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"fleet": {"hosts": inventory}}), encoding="utf-8")
        variables = self._folder / f"{title}.vars.yml"
        given = {} if strategy == OWN else {"play_strategy": strategy}
        variables.write_text(yaml.safe_dump({**given, "target": "fleet"}), encoding="utf-8")
        options = ["-i", str(file), "--forks", str(self.forks)]
        play = Play(self._folder, "idmops.idm.livesync", variables, title=title, options=options)
        try:
            ended = play.wait(1200.0)
        finally:
            play.kill()
        if ended.exit_code:
            print(steps.tail(play.log, 40), flush=True)
            raise steps.StepFailed(f"{title}: {ended.error or 'the play failed'}")
        return ended

    def waited(self) -> list[str]:
        """Return the environments with another schedule that were not done before the first load was."""
        first = min(_loaded_at(self.environments[name]) for name in self.loaded)
        return [name for name in self.changed if _scheduled_at(self.environments[name]) > first]


def _loaded_at(environment: StandIn) -> float:
    """Return when the last load of an environment ended."""
    return max(run.ended or 0.0 for run in environment.world.recons.values())


def _scheduled_at(environment: StandIn) -> float:
    """Return when the schedule of an environment was last written."""
    asked = environment.world.requests
    times = [one["at"] for one in asked if one["method"] == "PUT" and "scheduler/job" in one["path"]]
    return float(max(times, default=0.0))


class Row(t.NamedTuple):
    """How one strategy went."""

    strategy: str
    fleet: Fleet
    alone: float
    others: float
    took: float
    waited: int

    @property
    def wrong(self) -> t.Iterator[str]:
        """What is not as it must be."""
        if self.took > (limit := ALLOWANCE * self.alone + self.others):
            yield f"{self.strategy}: {self.took:.1f} s, and more than {limit:.1f} s"
        if self.strategy in SIDE_BY_SIDE and self.waited:
            yield f"{self.strategy}: {self.waited} waited for the load of another"

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        fleet = self.fleet
        times = [f"{one:.1f} s" for one in (self.alone, self.others, self.took)]
        waited = f"{self.waited} of {len(fleet.changed)}"
        return [self.strategy, len(fleet.environments), len(fleet.loaded), *times, waited]


def measure(fleet: Fleet, strategies: t.Sequence[str]) -> list[Row]:
    """Finish all environments, then play them with some loads that are due, by each strategy."""
    names = list(fleet.environments)
    took = fleet.play("first", names).took
    steps.say(f"{len(names)} environments are finished: {took:.1f} s")
    others = fleet.play("others", [name for name in names if name not in fleet.loaded]).took
    alone = fleet.play("alone", fleet.loaded[:1], due=True).took
    steps.say(f"a load alone {alone:.1f} s, the others alone {others:.1f} s")
    rows = []
    for strategy in strategies:
        ended = fleet.play(f"by-{STRATEGIES.index(strategy)}", names, strategy, due=True)
        rows.append(Row(strategy, fleet, alone, others, ended.took, len(fleet.waited())))
        steps.say(" | ".join(map(str, rows[-1].cells())))
        fleet.play("back", fleet.changed)  # to the schedule that it had
    return rows


def main(argv: t.Sequence[str] | None = None) -> int:
    """Measure, write the table, and fail where one has waited for another."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.fleet", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few environments, short loads, one strategy")
    options = parser.parse_args(argv)
    folder = BUILD / "prove" / "fleet"
    folder.mkdir(parents=True, exist_ok=True)
    tree.refresh(folder / "collections")
    count, loads, load, forks = (6, 2, 5.0, 4) if options.small else (50, 10, 60.0, 10)
    with Fleet(folder, count, loads, load, forks) as fleet:
        rows = measure(fleet, STRATEGIES[:1] if options.small else STRATEGIES)
    table = _page.table(HEAD, [row.cells() for row in rows])
    print(table)
    if not options.small:
        _page.write("cost.md", "fleet", table)
    wrong = [text for row in rows for text in row.wrong]
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
