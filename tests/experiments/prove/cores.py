# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role does the same under every ansible-core: predicted, run, run again, looked at, and taken away again.

Up to 2.18 with templates that yield texts (the default there) and with native ones.
"""

from __future__ import annotations

import argparse
import typing as t

from tools import cores, steps

from . import _page
from ._bed import Bed

PEOPLE = 30
HEAD = ("ansible-core", "templates", "way", "--check", "first run", "second run", "then --check", "status", "absent")
#: The first release whose templates are always native.
NATIVE = (2, 19)


class Case(t.NamedTuple):
    """A release, and how it is run."""

    chosen: cores.Chosen
    native: bool
    in_process: bool

    @property
    def title(self) -> str:
        """What the logs are called by."""
        return f"{self.chosen.core.release}{'-native' * self.native}{'-module' * (not self.in_process)}"


def cases(small: bool) -> list[Case]:
    """Return what is run: all of it, or the oldest and the newest release, in each way at least once."""
    chosen = cores.available()
    if small:
        return [Case(chosen[0], False, True), Case(chosen[0], True, False), Case(chosen[-1], True, True)]
    found = []
    for one in chosen:
        native = tuple(map(int, one.core.release.split("."))) >= NATIVE
        found += [Case(one, kind, way) for way in (True, False) for kind in ((True,) if native else (False, True))]
    return found


class Player:
    """Plays playbooks in the way of a case, and notes how each ended."""

    def __init__(self, bed: Bed, case: Case) -> None:
        self._bed, self._case = bed, case
        self._programs = cores.programs(case.chosen)
        self.wrong: list[str] = []
        self.cells: list[str] = []

    def play(self, step: str, *options: str, playbook: str = "idmops.idm.livesync", changed: int | None = None) -> None:
        """Play a playbook, and note how it ended.

        :param changed: how many tasks must have changed something, None where some must have.
        """
        own = ["-e", f"idmops_in_process={str(self._case.in_process).lower()}", *options]
        native = {"ANSIBLE_JINJA2_NATIVE": "true"} if self._case.native else {}
        play = self._bed.play(
            f"{self._case.title}-{step}", playbook=playbook, options=own, programs=self._programs, more=native
        )
        ended = play.wait(240)
        self.cells.append(f"changed={ended.changed}" if not ended.exit_code else "FAILED")
        if ended.exit_code or (ended.changed == 0 if changed is None else ended.changed != changed):
            print(steps.tail(play.log, 40), flush=True)
            self.wrong.append(f"{step}: exit code {ended.exit_code}, changed={ended.changed}")

    def expect(self, what: str, holds: bool) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)


def played(bed: Bed, case: Case) -> tuple[list[str], list[str]]:
    """Return the cells of the plays of a case, and what was wrong."""
    bed.fresh()
    player = Player(bed, case)
    bare = (bed.granted(), bed.jobs(), bed.token())
    player.play("check", "--check", "--diff")
    player.expect("check mode has written", (bed.granted(), bed.jobs(), bed.token()) == bare)
    player.play("first", "--diff")
    linked, unlinked = bed.people_in_idm()
    there = {person: [values] for person, values in bed.people_in_directory().items()}
    player.expect("the people in IDM are not those of the directory", linked == there and not unlinked)
    player.expect("no schedule is enabled", [job["enabled"] for job in bed.jobs()] == [True])
    player.play("second", "--diff", changed=0)
    player.play("check-again", "--check", changed=0)
    player.play("status", "-e", "fail=true", playbook="idmops.idm.status", changed=0)
    player.play("absent", "-e", "livesync_state=absent")
    player.expect("something of the role is left", not bed.jobs() and not bed.granted()[0])
    return player.cells, player.wrong


def main(argv: t.Sequence[str] | None = None) -> int:
    """Play all cases, print the table, and fail if one of them ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.cores", description=__doc__)
    parser.add_argument("--small", action="store_true", help="the oldest and the newest release alone")
    options = parser.parse_args(argv)
    rows: list[list[str]] = []
    bad: list[str] = []
    with Bed("cores", PEOPLE) as bed:
        for case in cases(options.small):
            cells, wrong = played(bed, case)
            rows.append([
                str(case.chosen).removeprefix("ansible-core "), "native" if case.native else "texts",
                "in the worker" if case.in_process else "as modules", *cells,
            ])  # fmt: skip
            steps.say(" | ".join(rows[-1]))
            bad += [f"{case.title}: {what}" for what in wrong]
    text = _page.table(HEAD, rows)
    print(text)
    if not options.small:
        _page.write("support.md", "cores", text)
    for what in bad:
        print(f"FAILED: {what}")
    print(f"{len(rows)} cases, {len(bad)} faults", flush=True)
    return int(bool(bad))


if __name__ == "__main__":
    steps.main(main)
