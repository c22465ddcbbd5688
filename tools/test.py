# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All tests: unit tests, the integration targets on real servers in both ways, the small forms of the experiments."""

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

from . import integration, prove, steps, tree, workers
from .places import BUILD, LOGS, ROOT, environment

UNITS_LOG = LOGS / "units.log"


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


def run_units() -> Count:
    """Run the unit tests."""
    report = LOGS / "units.xml"
    report.unlink(missing_ok=True)
    log = UNITS_LOG
    exit_code = steps.run(
        "unit tests",
        [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--junitxml={report}", "tests/unit"],
        log, cwd=ROOT, env=environment(), check=False,
    )  # fmt: skip
    if exit_code:
        print(steps.tail(log, 60), flush=True)
    return read_units(report, exit_code)


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
    """How the small form of an experiment ended, after how many seconds, and why it failed."""

    name: str
    passed: bool
    took: float
    why: t.Sequence[str] = ()

    @property
    def title(self) -> str:
        """What a person would call it."""
        return f"{self.name} (small experiment)"


def run_proof(name: str, stop: threading.Event) -> Proof:
    """Run the small form of an experiment, on servers of its own."""
    log = LOGS / "prove" / f"{name}.log"
    began = time.monotonic()
    exit_code = steps.run(
        f"small form of the experiment {name}",
        [sys.executable, "-m", f"tests.experiments.prove.{name}", "--small"],
        log,
        cwd=ROOT,
        env=environment(),
        check=False,
        stop=stop,
        limit=integration.LIMIT,
    )
    if exit_code:
        print(f"{steps.tail(log, 50)}\n", end="", flush=True)
        steps.say(f"FAILED: experiment {name}. The whole output: {log}")
    return Proof(name, exit_code == 0, time.monotonic() - began, steps.complaints(log) if exit_code else ())


def run_on_servers(count: int, users: int) -> list[integration.Outcome | Proof]:
    """Run the integration targets and the small experiments, so many at a time."""
    with tree.exclusive(), running_stacks(count, users) as stacks:
        runner = integration.Runner(stacks)
        tasks: list[workers.Task[integration.Outcome | Proof]] = [
            *(partial(run_proof, name) for name in prove.experiments()),
            *(partial(runner.run, job) for job in runner.jobs()),
        ]
        return workers.run(tasks, count)


def main() -> int:
    """Run everything, print the counts, and end with one line that has them all."""
    parser = argparse.ArgumentParser(prog="python -m tools.test")
    parser.add_argument("--users", type=int, default=120, help="people in the directory")
    parser.add_argument("--stacks", type=int, default=3, help="how many targets run at a time, each on its own servers")
    options = parser.parse_args()
    units = run_units()
    ended: list[integration.Outcome | Proof] = []
    try:
        ended = run_on_servers(options.stacks, options.users)
    except steps.StepFailed as exc:
        steps.say(f"FAILED: {exc}; the integration targets did not run to their end")
    outcomes = [one for one in ended if isinstance(one, integration.Outcome)]
    proofs = [one for one in ended if isinstance(one, Proof)]
    print()
    for one in ended:
        print(f"{one.title:45}{'passed' if one.passed else 'FAILED':8}{one.took:7.0f} s")
    print(f"\nunit tests: {sum(units)} ran, {units.failed} failed, {units.skipped} skipped")
    for line in integration.summary(outcomes):
        print(line)
    print(f"small experiments: {len(proofs)} ran, {sum(not proof.passed for proof in proofs)} failed")
    # A machine that runs this for others often keeps the end of its output alone: so the reasons come last.
    reasons = [("unit tests", steps.complaints(UNITS_LOG))] if units.failed else []
    for title, why in (*reasons, *((one.title, one.why) for one in ended if not one.passed)):
        print(f"FAILED: {title}", *why, sep="\n    ")
    failed = units.failed + (sum(not one.passed for one in ended) if outcomes else 1)
    passed = units.passed + sum(one.passed for one in ended)
    print(f"{passed} passed, {failed} failed" + (f", {units.skipped} skipped" if units.skipped else ""), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    steps.main(main)
