# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks under ansible-runner, on four environments: on one host, and on two execution nodes at once.

Exit codes and job events say what became of it, each environment is loaded once and none is left out, and no artifact
holds a secret. The environments are stand-ins: what is looked at here lies between Ansible and ansible-runner.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import typing as t

from tests.servers.ping.stand_in import StandIn, running
from tools import leaks, steps, tree
from tools.places import BUILD

from ._runner import Job, Runner, everything

MODES = ("am", "standalone", "aic", "aic")
PEOPLE = 20
FOLDER = BUILD / "prove" / "execution_nodes"
PLAYBOOKS = ("preflight", "livesync", "status")
#: Questions that are asked with POST.
_QUESTIONS = re.compile(r"_action=(test|listCurrentlyExecutingJobs|validateQuartzCronExpression)")
#: Processes of Ansible for the environments of one job.
FORKS = "--forks 2"


class Fleet:
    """Four environments, an ansible-runner that knows them, and what was not as it should be."""

    def __init__(self, name: str, stack: contextlib.ExitStack) -> None:
        self.stand_ins: dict[str, StandIn] = {}
        for number, mode in enumerate(MODES):
            state = FOLDER / name / f"stand-in-{number}"
            self.stand_ins[f"env{number}"] = stack.enter_context(running(mode, state, people=PEOPLE))
        hosts = {host: self._variables(one) for host, one in self.stand_ins.items()}
        self.folder = FOLDER / name / "runner"
        self.runner = Runner(self.folder, FOLDER / "collections", PLAYBOOKS, hosts)
        self.wrong: list[str] = []

    @staticmethod
    def _variables(one: StandIn) -> dict[str, t.Any]:
        source = {"source": one.variables["source"], "schedule": {"interval": 1}}
        return {"livesync_idm": one.variables["idm_connection"], "livesync_sources": [source]}

    def expect(self, what: str, found: t.Any, wanted: t.Any) -> None:
        """Note what is not as it should be."""
        steps.say(f"  {what}: {found}")
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def expect_end(self, what: str, job: Job, exit_code: int = 0, failed: t.Collection[str] = ()) -> None:
        """Note where a job did not end so, or where its events tell something else than its exit code."""
        self.expect(f"{what}, exit code", job.exit_code, exit_code)
        self.expect(f"{what}, status", job.status(), "failed" if exit_code else "successful")
        told = sorted([*job.counted("failures"), *job.counted("dark")])
        self.expect(f"{what}, hosts that failed", told, sorted(failed))
        if job.exit_code != exit_code:
            print(job.printed[-4000:], flush=True)

    def expect_no_write(self, what: str) -> None:
        """Note what was written since the last time, by environment."""
        writes = {host: asked for host, one in self.stand_ins.items() if (asked := self._asked(one))}
        self.expect(f"{what}, writes", writes, {})

    def expect_loaded_once(self, what: str) -> None:
        """Note where an environment was loaded twice or never, or holds somebody else than the directory does."""
        loads, people, jobs = {}, {}, {}
        for host, one in self.stand_ins.items():
            loads[host] = sum("recon?_action=recon" in request for request in self._asked(one))
            people[host] = len(one.world.users)
            jobs[host] = len(one.world.jobs)
        self.expect(f"{what}, loads", loads, dict.fromkeys(self.stand_ins, 1))
        self.expect(f"{what}, people", people, dict.fromkeys(self.stand_ins, PEOPLE))
        self.expect(f"{what}, schedules", jobs, dict.fromkeys(self.stand_ins, 1))

    @staticmethod
    def _asked(one: StandIn) -> list[str]:
        """Return the writes that were asked for since the last time."""
        with one.world.lock:
            asked = [f"{request['method']} {request['path']}" for request in one.world.requests]
            one.world.requests.clear()
        return [line for line in asked if not line.startswith("GET ") and not _QUESTIONS.search(line)]

    def expect_no_secret(self) -> None:
        """Note which secrets are in what the jobs have left."""
        secrets = {f"{name} of {host}": value for host, one in self.stand_ins.items()
                   for name, value in one.secrets.items()}  # fmt: skip
        left = "\n".join(everything(path) for path in sorted(self.folder.rglob("artifacts")))
        told = [host for host in self.stand_ins if host in left]
        self.expect("environments that artifacts tell of", told, [*self.stand_ins])
        self.expect("secrets in artifacts", leaks.found(left, secrets), [])


def on_one_host(fleet: Fleet) -> None:
    """All four environments in one job after the other, by two processes of Ansible."""
    run = fleet.runner.run
    fleet.expect_end("preflight", run("preflight", "preflight", FORKS))
    fleet.expect_no_write("preflight")
    first = run("first", "livesync", FORKS)
    fleet.expect_end("first run", first)
    fleet.expect("first run, hosts that changed", sorted(first.counted("changed")), sorted(fleet.stand_ins))
    fleet.expect("first run shows how far it is", bool(re.search("recon.*: started", first.told())), True)
    fleet.expect_loaded_once("first run")
    fleet.expect_end("status", run("status", "status", f"{FORKS} -e fail=true"))
    second = run("second", "livesync", FORKS)
    fleet.expect_end("second run", second)
    fleet.expect("second run, tasks that changed", second.counted("changed"), {})
    fleet.stand_ins["env1"].world.switches.connector_up = False
    fleet.expect_end("status, one connector down", run("down", "status", f"{FORKS} -e fail=true"), 2, ["env1"])
    fleet.expect_end("preflight, one connector down", run("down-too", "preflight", FORKS), 2, ["env1"])
    fleet.expect_no_write("status, second run")


def on_two_nodes(fleet: Fleet) -> None:
    """Half of the environments on each of two execution nodes, as slices of a job are; then all of them on both."""
    halves = {"lower": "env0:env1", "upper": "env2:env3"}
    jobs = fleet.runner.nodes({name: ("livesync", f"{FORKS} --limit {hosts}") for name, hosts in halves.items()})
    for name, job in jobs.items():
        fleet.expect_end(f"{name} half", job)
        fleet.expect(f"{name} half, hosts that changed", ":".join(sorted(job.counted("changed"))), halves[name])
    fleet.expect_loaded_once("two halves at once")
    both = fleet.runner.nodes({f"all on {node}": ("livesync", FORKS) for node in ("one", "other")})
    for name, job in both.items():
        fleet.expect_end(name, job)
        fleet.expect(f"{name}, tasks that changed", job.counted("changed"), {})
    fleet.stand_ins["env2"].world.switches.connector_up = False
    down = fleet.runner.nodes({"status": ("status", "-e fail=true"), "preflight": ("preflight", "")})
    for name, job in down.items():
        fleet.expect_end(f"{name} on a node, one connector down", job, 2, ["env2"])
    fleet.expect_no_write("second runs, status and preflight")


def main(argv: t.Sequence[str] | None = None) -> int:
    """Run it all, and fail if one thing is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.prove.execution_nodes", description=__doc__)
    parser.add_argument("--small", action="store_true", help="the nodes alone")
    options = parser.parse_args(argv)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tree.refresh(FOLDER / "collections")
    wrong: list[str] = []
    for part in [on_two_nodes] if options.small else [on_one_host, on_two_nodes]:
        steps.say(part.__name__.replace("_", " "))
        with contextlib.ExitStack() as stack:
            fleet = Fleet(part.__name__, stack)
            part(fleet)
            fleet.expect_no_secret()
            wrong += fleet.wrong
    for what in wrong:
        print(f"FAILED: {what}")
    print(f"{len(wrong)} faults", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    steps.main(main)
