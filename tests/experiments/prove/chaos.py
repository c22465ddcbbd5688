# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a topology go away and come back in random order, while people are changed at both directories all the time.

The role and livesync_trigger are run meanwhile from two control hosts that share nothing. In the end, when what the
status names has been done, nobody may be missing, there twice or different; and never may the status have said
`healthy` while a change was missing that was older than two intervals. Beside it the way that the product's
documentation describes, by hand.
"""

from __future__ import annotations

import argparse
import random
import time
import typing as t

import requests

from tests.servers.topology import plan
from tools import steps

from . import _page
from ._churn import Churn
from ._compare import difference
from ._control_host import ControlHost
from ._faults import BETWEEN, every_fault, in_random_order, lasting, lift
from ._ledger import Ledger
from ._mending import mend
from ._sampler import Sampler
from ._task import Tasks
from ._two_of_each import TwoOfEach
from ._wait import until
from .no_loss import documented

SEEDS, SEEDS_SMALL = (1, 2), (1,)
PEOPLE, PEOPLE_SMALL = 2000, 60
FAULTS, FAULTS_SMALL = 28, 3
#: So many changes at the least.
CHANGES, CHANGES_SMALL = 5000, 100
#: What the control hosts do, again and again.
WORK = {"host-a": ("role", "trigger", "trigger"), "host-b": ("trigger", "mend", "role", "mend")}
HEAD = ("way", "seed", "took", "faults", "changes", "playbooks that ended well, failed, were killed",
        "samples of status, `healthy`, of these untrue", "runs proved beside older gaps", "done afterwards",
        "IDM and the directories", "left without a link")  # fmt: skip


class Storm:
    """One seed's faults and writers on a topology, and what was told meanwhile."""

    def __init__(self, bed: TwoOfEach, seed: int, faults: int, changes: int) -> None:
        self.bed, self.seed, self._faults, self._changes = bed, seed, faults, changes
        self._chance = random.Random(seed)
        self.ledger = Ledger()
        self._writers = [Churn(bed, number, len(bed.vars["ds_uris"]), self.ledger, seed)
                         for number in range(len(bed.vars["ds_uris"]))]  # fmt: skip
        self.hosts: list[ControlHost] = []
        self._began = time.monotonic()
        self.took = 0.0

    def _kill_a_play(self) -> None:
        hosts = list(self.hosts)
        self._chance.shuffle(hosts)
        until(lambda: not hosts or any(host.kill() for host in hosts), "a playbook to kill", 60.0)

    def rage(self) -> None:
        """Go through all faults; everything works again afterwards, and nobody writes any more."""
        steps.say(f"seed {self.seed}: {self._faults} faults")
        for writer in self._writers:
            writer.start()
        known = every_fault(self.bed, self._kill_a_play)
        for number, fault in enumerate(in_random_order(known, self._faults, self._chance)):
            time.sleep(self._chance.uniform(*BETWEEN))
            seconds = lasting(self._chance)
            for writer in self._writers:
                writer.check()
            steps.say(f"fault {number + 1}: {fault.name}, for {seconds:.0f} s; {self.ledger.confirmed} changes so far")
            fault.begin()
            time.sleep(seconds)
            lift(fault)
        until(lambda: self.ledger.confirmed >= self._changes, f"{self._changes} changes", 1200.0, 1.0)
        for writer in self._writers:
            writer.finish()
            writer.check()
        self.took = time.monotonic() - self._began

    def compared(self) -> tuple[list[str], int]:
        """Compare all of IDM with all of both directories.

        :returns: where they differ, and how many users have no link and a name that nobody in the directory has: left
            by a node that was killed between a user and his link, whose entry was removed or renamed before the next
            run. Nothing tells such a one from a user that somebody has made by hand.
        """
        until(self._alike, "both directories to be alike", 120.0, 1.0)
        linked, unlinked = self.bed.people_in_idm()
        directories = self.bed.people_in_directories()
        names = {person[0] for person in directories[0].values()}
        left = [user for user in self.bed.unlinked() if user[1] not in names]
        steps.say(f"without a link: {self.bed.unlinked()[:5]}")
        found = [difference(people, linked, unlinked - len(left)) for people in directories]
        return [f"{name}: {one}" for name, one in zip(plan.DIRECTORIES, found) if one], len(left)

    def _alike(self) -> bool:
        first, *others = self.bed.people_in_directories()
        return all(other == first for other in others)


def ours(bed: TwoOfEach, seed: int, faults: int, changes: int) -> tuple[list[t.Any], list[str]]:
    """Go through a storm with the collection; return the row of the table and what is wrong."""
    storm = Storm(bed, seed, faults, changes)
    tasks = Tasks(bed)
    sampler = Sampler(bed, tasks, storm.ledger)
    storm.hosts = [ControlHost(bed, name, kinds, storm.ledger) for name, kinds in WORK.items()]
    helpers: list[t.Any] = [sampler, *storm.hosts]
    for helper in helpers:
        helper.start()
    try:
        storm.rage()
    except BaseException:
        for helper in helpers:
            helper.give_up()
        raise
    for host in storm.hosts:
        host.finish()
    done = mend(bed, tasks)
    sampler.finish()
    ends = {end: sum(host.ends[f"{kind}: {end}"] for host in storm.hosts for kind in ("role", "trigger", "mend"))
            for end in ("well", "failed", "killed")}  # fmt: skip
    for host in storm.hosts:
        for error, count in host.errors.most_common():
            steps.say(f"{host.name}: {count} times {error}")
    steps.say(f"states: {dict(sampler.states)}")
    beside = sum(host.beside for host in storm.hosts)
    differing, left = storm.compared()
    verified = tasks.run("livesync_verify", source=bed.source, directory=bed.both_directories(), sample=0).told
    steps.say(f"livesync_verify: {verified['msg']}")
    wrong = [*sampler.false, *(text for text in done if "FAILED" in text)]
    wrong += [f"the sampler stopped: {sampler.error!r}"] if sampler.error else []
    wrong += [f"seed {seed}: {text}" for text in differing]
    samples = f"{sampler.states.total()}, {sampler.states['healthy']}, {len(sampler.false)}"
    row = ["this collection", seed, f"{storm.took:.0f} s", faults, f"{storm.ledger.confirmed:,}",
           "{well}, {failed}, {killed}".format(**ends), samples, beside,
           "; ".join(done) or "nothing", "; ".join(differing) or "equal", left]  # fmt: skip
    return row, wrong


def by_hand(bed: TwoOfEach, seed: int, faults: int, changes: int) -> list[t.Any]:
    """Go through the same storm the documented way: reconcile, run liveSync once, make its schedule."""
    bed.grant()
    storm = Storm(bed, seed, faults, changes)
    storm.hosts = [ByHand(bed, "by-hand", (), storm.ledger)]
    storm.hosts[0].start()
    storm.rage()
    storm.hosts[0].finish()
    time.sleep(60.0)  # nothing tells when it is over: that is the point
    last = -1
    while last != (last := bed.token() or 0):
        time.sleep(20.0)
    differing, left = storm.compared()
    return ["by hand", seed, f"{storm.took:.0f} s", faults, f"{storm.ledger.confirmed:,}", "", "", "", "nothing",
            "; ".join(differing) or "equal", left]  # fmt: skip


class ByHand(ControlHost):
    """Somebody who goes through the documented steps until each was answered well."""

    def kill(self) -> bool:
        """Nothing of it is a playbook."""
        return True

    def run(self) -> None:
        """Repeat what fails, as an administrator would."""
        while not self._over.is_set():
            try:
                documented(self._bed)
                return
            except (steps.StepFailed, requests.RequestException, ValueError) as exc:
                steps.say(f"by hand: {type(exc).__name__}: once more")
                self._over.wait(5.0)


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through all storms, write the table, and fail if one of ours ends otherwise than it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.chaos", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few people, few faults, one seed, and not by hand")
    parser.add_argument("--seeds", type=int, nargs="*", help="of the faults' order; none: by hand alone")
    parser.add_argument("--faults", type=int, help="in each storm")
    parser.add_argument("--without-hand", action="store_true", help="leave out the documented way")
    options = parser.parse_args(argv)
    small = options.small
    seeds = (SEEDS_SMALL if small else SEEDS) if options.seeds is None else options.seeds
    faults = options.faults or (FAULTS_SMALL if small else FAULTS)
    changes = CHANGES_SMALL if small else CHANGES
    rows, wrong = [], []
    with TwoOfEach("chaos", PEOPLE_SMALL if small else PEOPLE) as bed:
        for seed in seeds:
            bed.fresh()
            bed.know_nodes()
            row, found = ours(bed, seed, faults, changes)
            rows.append(row)
            wrong += found
            steps.say(" | ".join(map(str, row)))
        if not small and not options.without_hand:
            bed.fresh()
            rows.append(by_hand(bed, (seeds or SEEDS)[0], faults, changes))
    content = _page.table(HEAD, rows)
    print(content)
    if not small and options.seeds is None:
        _page.write("clusters.md", "chaos", content)
    for text in wrong:
        steps.say(f"FAILED: {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
