# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All tests: unit tests, integration targets on real servers in both ways, the small forms of the experiments.

The unit tests run on every ansible-core that this machine's Pythons allow.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sys
import threading
import time
import typing as t
from functools import partial
from xml.etree import ElementTree

from . import cores, integration, prove, steps, tree, workers
from .places import BUILD, LOGS, ROOT, environment

#: Seconds that the faults of tools.mutants may take.
MUTANTS_LIMIT = 3600.0


class Count(t.NamedTuple):
    """How tests ended."""

    passed: int
    failed: int
    skipped: int = 0


def read_units(report: pathlib.Path, exit_code: int) -> Count:
    """Count what pytest reports; an end that the report does not explain is one failure."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        suites = []
    total, failed, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return Count(total - failed - skipped, failed or int(exit_code != 0), skipped)


class Units(t.NamedTuple):
    """How the unit tests ended on a release of ansible-core, after how many seconds, and why they failed."""

    chosen: cores.Chosen
    tests: Count
    took: float
    why: t.Sequence[str] = ()

    @property
    def title(self) -> str:
        """What a person would call it."""
        return f"unit tests, {self.chosen}"

    @property
    def passed(self) -> bool:
        """Whether none failed."""
        return not self.tests.failed


def run_units(chosen: cores.Chosen, stop: threading.Event | None = None) -> Units:
    """Run the unit tests on a release of ansible-core."""
    began = time.monotonic()
    report = LOGS / f"units-{chosen.core.release}.xml"
    report.unlink(missing_ok=True)
    log = report.with_suffix(".log")
    python = cores.programs(chosen) / "python"
    exit_code = steps.run(
        f"unit tests, {chosen}",
        [str(python), "-m", "pytest", "-q", "-n", "2", f"--junitxml={report}", "tests/unit"],
        log, cwd=ROOT, env=environment(), check=False, stop=stop, limit=integration.LIMIT,
    )  # fmt: skip
    if exit_code:
        print(f"{steps.tail(log, 60)}\n", end="", flush=True)
    tests = read_units(report, exit_code)
    return Units(chosen, tests, time.monotonic() - began, steps.complaints(log) if tests.failed else ())


@contextlib.contextmanager
def running_stacks(count: int, users: int) -> t.Iterator[list[pathlib.Path]]:
    """So many stacks of our own, taken down whatever happens."""
    folders = [BUILD / f"test-stack-{number}" for number in range(count)]

    def stack(title: str, folder: pathlib.Path, *arguments: str, stop: threading.Event | None = None) -> None:
        steps.run(
            title,
            [sys.executable, "-m", "tests.servers.stack", *arguments, "--dir", str(folder)],
            LOGS / f"{folder.name}-{arguments[0]}.log",
            cwd=ROOT,
            env=environment(),
            telling=steps.without_clock,
            stop=stop,
        )

    def up(folder: pathlib.Path, stop: threading.Event) -> None:
        if folder.exists():
            stack(f"removing what an earlier run left in {folder.name}", folder, "down", stop=stop)
        title = f"{folder.name}: OpenIDM and OpenDJ with {users} people"
        stack(title, folder, "up", "--users", str(users), stop=stop)

    try:
        workers.run([partial(up, folder) for folder in folders], count)
        yield folders
    finally:
        for folder in folders:
            if folder.exists():
                stack(f"{folder.name}: taking the servers down", folder, "down")


class Proof(t.NamedTuple):
    """How an experiment ended, after how many seconds, and why it failed."""

    name: str
    passed: bool
    took: float
    why: t.Sequence[str] = ()

    @property
    def title(self) -> str:
        """What a person would call it."""
        return f"{self.name} (experiment)"


def run_proof(name: str, long: bool, stop: threading.Event) -> Proof:
    """Run an experiment at full length or in its small form, on servers of its own."""
    log = LOGS / "prove" / f"{name}.log"
    began = time.monotonic()
    exit_code = steps.run(
        f"experiment {name}" + ("" if long else ", its small form"),
        [sys.executable, "-m", f"tests.experiments.prove.{name}", *([] if long else ["--small"])],
        log,
        cwd=ROOT,
        env=environment(),
        check=False,
        stop=stop,
        limit=prove.LONGER.get(name, integration.LIMIT) if long else integration.LIMIT,
    )
    if exit_code:
        print(f"{steps.tail(log, 50)}\n", end="", flush=True)
        steps.say(f"FAILED: experiment {name}. The whole output: {log}")
    return Proof(name, exit_code == 0, time.monotonic() - began, steps.complaints(log) if exit_code else ())


def run_mutants(stop: threading.Event) -> Proof:
    """Let the unit tests see a sample of faults, in a build folder of its own."""
    log = LOGS / "mutants.log"
    began = time.monotonic()
    exit_code = steps.run(
        "faults in module_utils",
        [sys.executable, "-m", "tools.mutants"],
        log, cwd=ROOT, env=environment(BUILD=str(BUILD / "mutation")), check=False, stop=stop, limit=MUTANTS_LIMIT,
    )  # fmt: skip
    why = steps.complaints(log) if exit_code else ()
    return Proof("mutants", exit_code == 0, time.monotonic() - began, why)


Ended = t.Union[integration.Outcome, Proof, Units]


def run_on_servers(count: int, users: int, others: t.Sequence[cores.Chosen], long: bool) -> list[Ended]:
    """Run the integration targets and the experiments, so many at a time; beside them the unit tests on other releases.

    :param long: every target in both ways, and the experiments at full length.
    """

    def alone(task: workers.Task[Ended]) -> workers.Task[list[Ended]]:
        return lambda stop: [task(stop)]

    def units(stop: threading.Event) -> list[Ended]:
        return [run_units(chosen, stop) for chosen in others]

    with tree.exclusive(), running_stacks(count, users) as stacks:
        runner = integration.Runner(stacks)
        tasks: list[workers.Task[list[Ended]]] = [
            units,  # one release after the other, since nothing uses the processors more
            *([alone(run_mutants)] if long else []),
            *(alone(partial(run_proof, name, long)) for name in prove.experiments(small=not long)),
            *(alone(partial(runner.run, job)) for job in runner.jobs(all_ways=long)),
        ]
        return [one for ended in workers.run(tasks, count + 1) for one in ended]


def main() -> int:
    """Run everything, print the counts, and end with one line that has them all."""
    parser = argparse.ArgumentParser(prog="python -m tools.test")
    parser.add_argument("--users", type=int, default=120, help="people in the directory")
    parser.add_argument("--stacks", type=int, default=3, help="how many targets run at a time, each on its own servers")
    parser.add_argument("--long", action="store_true", help="all targets in both ways, experiments at full length")
    options = parser.parse_args()
    known = cores.available()
    own = next(chosen for chosen in known if chosen.core.release == cores.OWN)
    ended: list[Ended] = [run_units(own)]
    try:
        others = [chosen for chosen in known if chosen is not own]
        ended += run_on_servers(options.stacks, options.users, others, options.long)
    except steps.StepFailed as exc:
        steps.say(f"FAILED: {exc}; the integration targets did not run to their end")
    outcomes = [one for one in ended if isinstance(one, integration.Outcome)]
    proofs = [one for one in ended if isinstance(one, Proof)]
    print()
    for one in ended:
        print(f"{one.title:45}{'passed' if one.passed else 'FAILED':8}{one.took:7.0f} s")
    units = [one for one in ended if isinstance(one, Units)]
    tests = Count(*map(sum, zip(*(one.tests for one in units))))
    releases = ", ".join(one.chosen.core.release for one in units)
    print(f"\nunit tests on {releases}: {sum(tests)} ran, {tests.failed} failed, {tests.skipped} skipped")
    for line in integration.summary(outcomes):
        print(line)
    print(f"experiments: {len(proofs)} ran, {sum(not proof.passed for proof in proofs)} failed")
    # A machine that runs this for others often keeps the end of its output alone: so the reasons come last.
    for one in ended:
        if not one.passed:
            print(f"FAILED: {one.title}", *one.why, sep="\n    ")
    rest: list[integration.Outcome | Proof] = [*outcomes, *proofs]
    failed = tests.failed + (sum(not one.passed for one in rest) if outcomes else 1)
    passed = tests.passed + sum(one.passed for one in rest)
    print(f"{passed} passed, {failed} failed" + (f", {tests.skipped} skipped" if tests.skipped else ""), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    steps.main(main)
