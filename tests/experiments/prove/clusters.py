# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two nodes behind a balancer and two directories: parts go away and come back, and nothing is missing in the end.

The role is run through the balancer, which gives each request to another node. Who is in IDM is read from its database,
who is in the directory from both of its servers.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import time
import typing as t
from collections import Counter

from tests.servers.topology import plan
from tools import steps
from tools.places import ROOT

from . import _page
from ._play import Play
from ._points import IN_THE_LOAD
from ._task import Tasks
from ._two_hosts import at_once, holder_killed
from ._two_of_each import TwoOfEach
from ._wait import until
from .races import race

PEOPLE = 60
CHANGED = range(10)
#: How often several control hosts trigger at once.
ROUNDS = 20
#: Seconds until a change has arrived. A scheduled run of a node that was killed is taken over by the other one after
#: two timeouts of 30 s (cluster.json); then it has to come round.
PATIENCE = 150.0
HEAD = ("what happens", "end", "took")


class Row(t.NamedTuple):
    """A step, and what is not as it must be after it."""

    name: str
    wrong: t.Sequence[str]
    took: float

    def cells(self) -> list[t.Any]:
        """Return it as a row of a table."""
        return [self.name, "; ".join(self.wrong) or "as it must be", f"{self.took:.0f} s"]


def role(bed: TwoOfEach, title: str, changes: bool) -> list[str]:
    """Run the role once; it has something to do or not."""
    ended = bed.play(title).wait()
    if ended.exit_code:
        return [f"the role failed: {ended.error}"]
    return [] if (ended.changed > 0) == changes else [f"changed={ended.changed}"]


def unequal(bed: TwoOfEach) -> list[str]:
    """Say where IDM is not what each directory is."""
    return [f"IDM is not what {name} is: {found}" for name, found in bed.differences().items()]


def change(bed: TwoOfEach, description: str, at: int) -> None:
    """Change people at a directory, and wait until the changes have their numbers: before that nobody sees them.

    :raises TimeoutError: when they get none.
    """
    bed.at = at
    try:
        bed.describe(CHANGED, description, numbered=True)
    finally:
        bed.at = 0


def arrive(bed: TwoOfEach, description: str) -> None:
    """Wait until IDM has the changes."""
    until(lambda: bed.described(description) == len(CHANGED), f"the changes '{description}' to arrive", PATIENCE, 0.5)


def first_run(bed: TwoOfEach) -> list[str]:
    """From nothing."""
    return role(bed, "first", changes=True) + unequal(bed)


def second_run(bed: TwoOfEach) -> list[str]:
    """Nothing is left to do."""
    return role(bed, "second", changes=False)


def node_killed(bed: TwoOfEach) -> list[str]:
    """The other node goes on."""
    bed.stack.parts["idm1"].kill()
    change(bed, "without idm1", 0)
    arrive(bed, "without idm1")
    bed.stack.start_part("idm1")
    return unequal(bed)


def over_failover(bed: TwoOfEach) -> list[str]:
    """The server that is listed first is away: all that is asked goes to the other one, and says so."""
    away, there = bed.vars["ds_admin_uris"]
    answer = bed.folder / "failover.json"
    answer.unlink(missing_ok=True)
    playbook = str(pathlib.Path(__file__).with_name("failover.yml").relative_to(ROOT))
    ended = bed.play("failover", playbook=playbook, more={"FAILOVER_RESULT": str(answer)}).wait()
    if ended.exit_code:
        return [f"over the failover: {ended.error}"]
    told = json.loads(answer.read_text(encoding="utf-8"))
    (status,), (run,) = told["status"]["livesync"], told["run"]["runs"]
    wrong = [] if status["good_enough"] else [f"over the failover the state is {status['state']}: {status['remedy']}"]
    wrong += [] if status["server"] == there else [f"the status asked {status['server']}"]
    wrong += [] if away in (status["remedy"] or "") else ["the status does not name the server that is away"]
    well = run["outcome"] in ("advanced", "unchanged")
    wrong += [] if well else [f"the trigger ended {run['outcome']}: {run['error']}"]
    warned = any(away in text for text in told["run"].get("warnings", ()))
    return wrong + ([] if warned else ["the trigger does not name it"]) + role(bed, "over-failover", changes=False)


def directory_stopped(bed: TwoOfEach) -> list[str]:
    """The other directory takes the changes, and the connector goes to it.

    A directory may give changes no numbers while the other one is away (seen after a SIGKILL); that is told, and they
    must have arrived after it is back.
    """
    bed.stack.parts["ds1"].stop()
    wrong: list[str] = []
    try:
        change(bed, "without ds1", 1)
        arrive(bed, "without ds1")
        wrong += over_failover(bed)
    except TimeoutError as exc:
        steps.say(f"while ds1 is away: {exc}")
    bed.stack.start_part("ds1")
    arrive(bed, "without ds1")
    change(bed, "with ds1 again", 0)
    arrive(bed, "with ds1 again")
    return wrong + unequal(bed)


def healthy_again(bed: TwoOfEach) -> list[str]:
    """All parts are back: nothing to do, and the status is healthy."""
    wrong = [f"{found['server']} is not ready" for found in bed.stack.status() if not found["ready"]]
    wrong += role(bed, "third", changes=False)
    status = bed.play("status", playbook="idmops.idm.status", options=["-e", "fail=true"]).wait()
    return wrong + ([f"the status: {status.error}"] if status.exit_code else [])


def from_nothing(bed: TwoOfEach) -> list[str]:
    """Take everything away that the role has made or brought."""
    gone = bed.play("absent", options=["-e", "livesync_state=absent"]).wait()
    bed.forget_everybody()
    return [f"livesync_state=absent failed: {gone.error}"] if gone.exit_code else []


def another_host(bed: TwoOfEach, number: int) -> Play:
    """Run the role as a control host that shares no file with the others."""
    return bed.play(f"host-{number}", more={"XDG_CACHE_HOME": str(bed.folder / f"cache-{number}")})


def load_killed(bed: TwoOfEach) -> list[str]:
    """A container dies in the middle of the load, which goes on on whichever node; the next one runs the role."""
    wrong = from_nothing(bed)
    IN_THE_LOAD.prepare(bed)
    first = another_host(bed, 1)
    IN_THE_LOAD.reach(bed, first)
    first.kill()
    second = another_host(bed, 2).wait()
    return wrong + ([f"the next one failed: {second.error}"] if second.exit_code else []) + unequal(bed)


def two_control_hosts(bed: TwoOfEach) -> list[str]:
    """Both run the role from nothing at once; one may have to give way, nobody may be there twice."""
    wrong = from_nothing(bed)
    plays = [another_host(bed, number) for number in (1, 2)]
    ended = [play.wait() for play in plays]
    wrong += [] if any(one.exit_code == 0 for one in ended) else [f"both failed: {ended[0].error} / {ended[1].error}"]
    return wrong + unequal(bed) + role(bed, "after both", changes=False)


def triggers_at_once(bed: TwoOfEach, rounds: int = ROUNDS) -> list[str]:
    """Five control hosts trigger the source at the same moment, through the balancer; its schedule is off."""
    wrong = off(bed)
    unused, found = race(bed, Tasks(bed), rounds, "server")
    return wrong + found + unequal(bed) + role(bed, "on again", changes=True)


def sticky(bed: TwoOfEach) -> list[str]:
    """Through the sticky frontend all requests of a task go to one node, those of its other connections too."""
    log = bed.stack.parts["haproxy"].output
    before = len(log.read_text(encoding="utf-8").splitlines())
    change(bed, "slow 1500 sticky", 0)  # longer than a word of life takes, which has a connection of its own
    directory = bed.both_directories()
    result = Tasks(bed).trigger(bed.vars["idm_sticky_url"], directory=directory, until_caught_up=True)
    wrong = [f"the trigger failed: {result.told['msg']}"] if result.told.get("failed") else []
    lines = [line.split() for line in log.read_text(encoding="utf-8").splitlines()[before:]]
    nodes = Counter(line[2] for line in lines if line[1:2] == ["sticky"])
    return wrong + ([] if len(nodes) == 1 else [f"the requests went to {dict(nodes)}"])


def off(bed: TwoOfEach) -> list[str]:
    """Take the schedule away."""
    ended = bed.play("off", options=["-e", "livesync_state=disabled"]).wait()
    return [f"livesync_state=disabled failed: {ended.error}"] if ended.exit_code else []


def two_trigger_at_once(bed: TwoOfEach) -> list[str]:
    """Two control hosts trigger at the same moment; the schedule is off."""
    return off(bed) + at_once(bed, ROUNDS) + unequal(bed)


def holder_dies(bed: TwoOfEach) -> list[str]:
    """A container is killed while it holds the source; the schedule is off."""
    return off(bed) + holder_killed(bed) + unequal(bed) + role(bed, "on again", changes=True)


Steps = t.Dict[str, t.Callable[[TwoOfEach], t.List[str]]]

STEPS: Steps = {
    "the role, from nothing": first_run,
    "the role again": second_run,
    "a node is killed and started again": node_killed,
    "a directory is stopped and started again": directory_stopped,
    "a task through the sticky frontend": sticky,
    "two control hosts, from nothing at once": two_control_hosts,
    "the role and the status in the end": healthy_again,
}
#: What the short form leaves out.
MORE: Steps = {
    "a container dies in the load": load_killed,
    f"five control hosts trigger at once, {ROUNDS} rounds": triggers_at_once,
    f"two control hosts trigger at once, {ROUNDS} rounds": two_trigger_at_once,
    "a control host dies that holds the source": holder_dies,
}


def main(argv: t.Sequence[str] | None = None) -> int:
    """Go through the steps, print the table, and fail if one of them ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.clusters", description=__doc__)
    parser.add_argument("--small", action="store_true", help="without what takes long")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="the first step, and those with such a name")
    options = parser.parse_args(argv)
    chosen = STEPS if options.small else {**STEPS, **MORE}
    if options.only:
        first = next(iter(STEPS))
        named = {name for name in chosen if name == first or any(text in name for text in options.only)}
        chosen = {name: step for name, step in chosen.items() if name in named}
    rows = []
    with TwoOfEach("clusters", PEOPLE) as bed:
        for name, step in chosen.items():
            began = time.monotonic()
            try:
                wrong = step(bed)
            except (steps.StepFailed, TimeoutError) as exc:
                wrong = [f"{exc}; {bed.whereabouts()}"]
            rows.append(Row(name, wrong, time.monotonic() - began))
            steps.say(" | ".join(rows[-1].cells()))
            for part in plan.PARTS:  # whatever a step that was broken off has left
                bed.stack.start_part(part)
    print(_page.table(HEAD, [row.cells() for row in rows]))
    bad = sum(bool(row.wrong) for row in rows)
    print(f"{len(rows) - bad} of {len(rows)} steps ended as they must, {bad} did not", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    steps.main(main)
