# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The integration targets on running stacks, each in both ways that the collection's tasks can run.

They run from where the built archive was installed.
"""

from __future__ import annotations

import argparse
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time
import typing as t
from functools import partial

import yaml

from tests.servers.stack.cache import cache_root

from . import installed, leaks, steps, tree, workers
from .ansible_test import command
from .places import BUILD, LOGS, environment

#: Name of a way, and what the variable idmops_in_process is in it.
WAYS = {"in-process": True, "module": False}

#: In a target's aliases: make test runs it in process alone. Such a target starts whole playbooks, or is about what is
#: the same both ways; the modules that it uses have targets of their own, which run in both ways.
_ONE_WAY = "idmops/one_way"

#: Seconds that one target may take; it takes a minute or two.
LIMIT = 1500.0

_TARGETS = pathlib.PurePath("tests", "integration", "targets")


class Job(t.NamedTuple):
    """A target, and the way in which it is run."""

    target: str
    way: str

    def __str__(self) -> str:
        """Return it as a person would call it."""
        return f"{self.target} ({self.way})"


class Outcome(t.NamedTuple):
    """How a job ended, after how many seconds, how many assertions of it held, and why it failed."""

    job: Job
    passed: bool
    assertions: int
    took: float
    why: t.Sequence[str] = ()

    @property
    def title(self) -> str:
        """What a person would call it."""
        return str(self.job)


def judge(output: str, exit_code: int, target: str) -> tuple[bool, int]:
    """Return whether a target passed, and how many of its assertions held, from what ansible-test printed.

    ansible-test ends well, too, when it found nothing to run: then the target did not pass.
    """
    ran = re.findall(r"^Running (\S+) integration test role", output, re.M)
    return exit_code == 0 and ran == [target], output.count('"msg": "All assertions passed"')


def summary(outcomes: t.Sequence[Outcome]) -> list[str]:
    """Return a line for each way."""
    lines = []
    for way in WAYS:
        mine = [outcome for outcome in outcomes if outcome.job.way == way]
        failed = ", ".join(outcome.job.target for outcome in mine if not outcome.passed)
        held = sum(outcome.assertions for outcome in mine)
        lines.append(
            f"integration targets ({way}): {len(mine)} ran, {held} assertions held"
            + (f"; FAILED: {failed}" * bool(failed))
        )
    return lines


class Runner:
    """Runs jobs on stacks, one at a time on each, with the collection installed from its archive for each."""

    def __init__(self, stacks: t.Sequence[pathlib.Path]) -> None:
        _make_ssh_key()
        self._places: queue.SimpleQueue[tuple[pathlib.Path, pathlib.Path]] = queue.SimpleQueue()
        built = installed.packed()
        for number, stack in enumerate(stacks):
            self._copy = installed.with_tests(built, BUILD / f"integration-{number}")
            self._places.put((stack, self._copy))

    def targets(self) -> list[str]:
        """Return the names of all targets, what takes long (as far as its text's size tells) first."""

        def size(target: str) -> int:
            return sum(path.stat().st_size for path in (self._copy / _TARGETS / target).rglob("*.yml"))

        listed = subprocess.run(
            command("integration", "--list-targets"),
            cwd=self._copy, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        return sorted(listed, key=size, reverse=True)

    def jobs(self, all_ways: bool = False) -> list[Job]:
        """Return every target in both ways; what runs whole playbooks (see _ONE_WAY) in process alone.

        :param all_ways: that too in both ways.
        """
        return [
            Job(target, way)
            for target in self.targets()
            for way, in_process in WAYS.items()
            if in_process or all_ways or _ONE_WAY not in self._aliases(target)
        ]

    def _aliases(self, target: str) -> list[str]:
        return (self._copy / _TARGETS / target / "aliases").read_text(encoding="utf-8").split()

    def run(self, job: Job, stop: threading.Event) -> Outcome:
        """Run a job on a stack that is free, and return how it ended."""
        stack, copy = self._places.get()
        log = LOGS / "integration" / f"{job.target}-{job.way}.log"
        try:
            variables = self._configure(job, stack, copy)
            began = time.monotonic()
            exit_code = steps.run(
                str(job), command("integration", job.target, "-vvvv"), log,
                cwd=copy, env=environment(), check=False, stop=stop, limit=LIMIT,
            )  # fmt: skip
            secrets = {
                **leaks.stack_secrets(variables),
                **leaks.told_secrets(pathlib.Path(variables["idmops_secrets"])),
            }
        finally:
            self._places.put((stack, copy))
        output = log.read_text(encoding="utf-8", errors="replace")
        passed, assertions = judge(output, exit_code, job.target)
        leaked = leaks.found(output, secrets)
        passed = passed and not leaked
        if not passed:
            print(f"{steps.tail(log, 50)}\n", end="", flush=True)
            for leak in leaked:
                steps.say(f"FAILED: {job}: {leak}")
            steps.say(f"FAILED: {job}. The whole output: {log}")
        why = () if passed else leaked or steps.complaints(log)
        return Outcome(job, passed, assertions, time.monotonic() - began, why)

    @staticmethod
    def _configure(job: Job, stack: pathlib.Path, copy: pathlib.Path) -> dict[str, t.Any]:
        """Write the target's variables, and return them."""
        secrets = copy / "tests" / "output" / "secrets"
        secrets.parent.mkdir(exist_ok=True)
        secrets.unlink(missing_ok=True)
        variables: dict[str, t.Any] = yaml.safe_load((stack / "vars.yml").read_text(encoding="utf-8"))
        variables.update(
            idmops_in_process=WAYS[job.way],
            idmops_repository=str(copy),
            idmops_python=sys.executable,
            idmops_cache=str(cache_root()),
            stack_dir=str(stack),
            idmops_secrets=str(secrets),
        )
        config = copy / "tests" / "integration" / "integration_config.yml"
        config.touch(mode=0o600)
        config.write_text(yaml.safe_dump(variables), encoding="utf-8")
        return variables


def _make_ssh_key() -> None:
    """Make the key that ansible-test makes where there is none: two of it at once get in each other's way there."""
    key = pathlib.Path.home() / ".ansible" / "test" / "id_rsa"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["ssh-keygen", "-m", "PEM", "-q", "-t", "rsa", "-N", "", "-f", str(key)], check=True)


def main() -> int:
    """Run on stacks that are up already."""
    parser = argparse.ArgumentParser(prog="python -m tools.integration")
    parser.add_argument("--stack", type=pathlib.Path, action="append", required=True, help="folder of a stack")
    parser.add_argument("--way", choices=WAYS, action="append", help="in one way only (default: both)")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    stacks = [stack.resolve() for stack in options.stack]
    for stack in stacks:
        if not (stack / "vars.yml").is_file():
            parser.error(f"no stack in {stack}: make stack STACK_DIR={stack}")
    with tree.exclusive():
        runner = Runner(stacks)
        targets = options.targets or runner.targets()
        jobs = [Job(target, way) for target in targets for way in options.way or WAYS]
        outcomes = workers.run([partial(runner.run, job) for job in jobs], len(stacks))
    for line in summary(outcomes):
        steps.say(line)
    return int(not outcomes or not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    steps.main(main)
