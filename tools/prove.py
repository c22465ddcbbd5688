# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the experiments of tests/experiments/prove, all or those that are named, and says what came of each."""

from __future__ import annotations

import argparse
import os
import pkgutil
import signal
import subprocess
import sys
import time
import typing as t

from . import steps
from .places import ROOT, environment

#: Seconds that one experiment may take.
LIMIT = 25 * 60.0
#: Those that take longer.
LONGER = {"chaos": 120 * 60.0}


class Result(t.NamedTuple):
    """How an experiment ended: its exit code (None: it took too long), after how many seconds."""

    name: str
    exit_code: int | None
    took: float

    def __str__(self) -> str:
        """Return it as a line for a person."""
        ending = {0: "passed", None: f"FAILED: took longer than {LONGER.get(self.name, LIMIT) / 60:.0f} minutes"}
        return f"{self.name:20}{self.took:8.0f} s   {ending.get(self.exit_code, f'FAILED: exit code {self.exit_code}')}"


#: What says nothing in a small form: it takes its length, and the whole machine.
WITHOUT_SMALL_FORM = ("chaos", "fleet")


def experiments(small: bool = False) -> list[str]:
    """Return the names of all experiments.

    :param small: of those alone that have a small form for make test.
    """
    names = [found.name for found in pkgutil.iter_modules([str(ROOT / "tests" / "experiments" / "prove")])
             if not found.ispkg and not found.name.startswith("_")]  # fmt: skip
    return [name for name in names if not (small and name in WITHOUT_SMALL_FORM)]


def run(name: str, options: t.Sequence[str] = (), limit: float | None = None) -> Result:
    """Run one experiment; its output is shown as it comes.

    An experiment that is ended from outside is given the time to take its servers down.
    """
    steps.say(f"experiment {name}")
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.experiments.prove.{name}", *options],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    exit_code: int | None = None
    try:
        exit_code = process.wait(limit or LONGER.get(name, LIMIT))
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return Result(name, exit_code, time.monotonic() - began)


def main() -> int:
    """Run them one after the other, and print all results at the end."""
    known = experiments()
    parser = argparse.ArgumentParser(prog="python -m tools.prove")
    parser.add_argument("--small", action="store_true", help="the short forms")
    parser.add_argument("names", nargs="*", metavar="experiment", help=f"of: {', '.join(known)}; default: all")
    options = parser.parse_args()
    names = options.names or os.environ.get("EXPERIMENT", "").split() or known
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"no experiment {', '.join(unknown)}; there are: {', '.join(known)}")
    results = [run(name, ["--small"] if options.small else []) for name in names]
    print()
    for result in results:
        print(result)
    failed = sum(result.exit_code != 0 for result in results)
    print(f"{len(results) - failed} passed, {failed} failed", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    steps.main(main)
