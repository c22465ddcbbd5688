# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that a change has to pass beside the tests on servers, declared here and run by one command.

``python -m tools.gates [word ...]``: only the gates with one of these words in their name.
"""

from __future__ import annotations

import os
import pathlib
import sys
import time
import typing as t
from functools import partial

from . import ansible_test, archive, cores, docs, lint, steps, tree, venvs
from .places import BUILD, COPY, LOGS, ROOT, environment

#: The sessions of antsibull-nox.toml.
_SESSIONS = ("license-check", "extra-checks", "build-import-check")
_NOX = ("antsibull-nox ~= 1.10.0",)
#: The linter of Automation Hub's certification ("Anchors, second look", section 2c), and the core that it runs on.
_CERTIFIED = ("ansible-lint == 24.12.2", "ansible-core ~= 2.16.0")
_CERTIFIED_CORE = "2.16"
#: Branches of module_utils and plugin_utils that the unit tests must reach, per cent of them and of the lines.
_COVERED = 94
_COVERAGE = "pytest-cov ~= 7.0"


class Gate(t.NamedTuple):
    """What is looked at, on what, and how; the program raises StepFailed or returns what is not 0."""

    name: str
    on: str
    program: t.Callable[[], t.Any]


class Ended(t.NamedTuple):
    """How a gate ended, after how many seconds."""

    gate: Gate
    passed: bool
    took: float


def gates() -> list[Gate]:
    """Return all gates that this machine can run, the quick ones first."""
    own, known = cores.OWN, cores.pythons()
    chosen, missing = cores.choose(known)
    found = [Gate(name, f"ansible-core {own}", partial(_lint, name)) for name in lint.LINTERS]
    found.append(Gate("docs", f"ansible-core {own}", docs.main))
    found.append(Gate("archive", f"ansible-core {own}", archive.main))
    found += [Gate(name, "antsibull-nox", partial(_session, name)) for name in _SESSIONS]
    found += [Gate("units, branches", str(one), partial(_units, one)) for one in chosen if one.core.release == own]
    found += [Gate("sanity", str(one), partial(_sanity, one, known)) for one in chosen]
    found += [
        Gate("ansible-lint of certification", str(one), partial(_certified, one))
        for one in chosen
        if one.core.release == _CERTIFIED_CORE
    ]
    for core in missing:
        steps.say(f"{core}: NOT LOOKED AT here, no Python for it")
    return found


def _lint(name: str) -> None:
    with tree.exclusive():
        lint.run(name, tree.refresh())


def _session(name: str) -> None:
    programs = venvs.programs("antsibull-nox", "nox", pathlib.Path(sys.executable), *_NOX)
    path = os.pathsep.join([str(programs), environment()["PATH"]])
    steps.run(
        f"antsibull-nox: {name}",
        [str(programs / "nox"), "--session", name, "--envdir", str(BUILD / "nox")],
        LOGS / f"nox-{name}.log", cwd=ROOT, env=environment(PATH=path),
    )  # fmt: skip


def _units(chosen: cores.Chosen) -> None:
    programs = venvs.programs("unit tests with coverage", "coverage", chosen.python, chosen.core.requirement, _COVERAGE,
                              *cores.UNITS)  # fmt: skip
    steps.run(
        "unit tests, and the branches that they reach",
        [str(programs / "python"), "-m", "pytest", "-q", "-n", "2", "--cov=plugins/module_utils",
         "--cov=plugins/plugin_utils", "--cov-branch", "--cov-report=term:skip-covered",
         f"--cov-fail-under={_COVERED}", "tests/unit"],
        LOGS / "units-branches.log", cwd=ROOT, env=environment(COVERAGE_FILE=str(LOGS / "coverage")),
    )  # fmt: skip


def _sanity(chosen: cores.Chosen, known: t.Mapping[cores.Python, pathlib.Path]) -> None:
    programs = cores.programs(chosen)
    # the Pythons themselves, since a shim on PATH may answer for one that it does not run
    path = os.pathsep.join([str(programs), *(str(python.parent) for python in known.values()), os.environ["PATH"]])
    with tree.exclusive():
        ansible_test.run_sanity(
            f"sanity, {chosen}",
            LOGS / f"sanity-{chosen.core.release}.log",
            ansible_test.command("sanity", programs=programs, version=None),
            PATH=path,
        )


def _certified(chosen: cores.Chosen) -> None:
    programs = venvs.programs("ansible-lint of certification", "certified", chosen.python, *_CERTIFIED)
    with tree.exclusive():
        tree.refresh()
        steps.run(
            f"ansible-lint of certification, {chosen}",
            [str(programs / "ansible-lint"), "--offline", "--nocolor", "-q", "--profile", "production"],
            LOGS / "lint-certified.log", cwd=COPY,
            env=environment(PATH=os.pathsep.join([str(programs), environment()["PATH"]])),
        )  # fmt: skip


def run(gate: Gate) -> Ended:
    """Run a gate to its end."""
    began = time.monotonic()
    try:
        passed = not gate.program()
    except steps.StepFailed:
        passed = False
    return Ended(gate, passed, time.monotonic() - began)


def main() -> int:
    """Run the gates, all to their end, and print what ran on what."""
    words = sys.argv[1:]
    ended = [run(gate) for gate in gates() if not words or any(word in gate.name for word in words)]
    print()
    for one in ended:
        print(f"{one.gate.name:32}{one.gate.on:40}{'passed' if one.passed else 'FAILED':8}{one.took:6.0f} s")
    return int(not ended or not all(one.passed for one in ended))


if __name__ == "__main__":
    steps.main(main)
