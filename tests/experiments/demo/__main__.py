# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays the demo: six scenes, each checked for what it is there to show."""

from __future__ import annotations

import os
import sys
import time

import yaml

from tools import steps, tree
from tools.places import BUILD, LOGS, ROOT, environment

from . import people
from .scene import NotShown, Sight, check, headline, play

PEOPLE = 500
FOLDER = BUILD / "demo-stack"


def _task(name: str, *seen: str) -> str:
    """Return the expression for a task of the play that shows these things, in this order, before the next task."""
    within = r"(?:(?!^TASK ).)*?"
    return rf"^TASK \[[^\n]*{name}" + "".join(within + expression for expression in seen)


ERROR = Sight("the error before the grant", "HTTP 500: Unable to locate the replication change log")
MISSION = (
    Sight("the grant", _task("Grant", r"changelog-read", r"^changed:")),
    Sight("the base point", _task("Store the base point", r"^changed:")),
    Sight("the load with progress", _task("Load", rf"\d+ of {PEOPLE} entries", rf"{PEOPLE} of {PEOPLE}", r"^changed:")),
    Sight("the catch-up", _task("Catch up", r"^changed:")),
    Sight("the schedule", _task("Enable the schedule", r"^changed:")),
    Sight("the proof", _task("Prove that liveSync works", r"^ok:")),
    Sight("an end without failure", r"^PLAY RECAP.*\bfailed=0"),
)
AGAIN = Sight("changed=0 in the second run", r"^PLAY RECAP.*\bchanged=0 .*\bfailed=0")


def _environment() -> dict[str, str]:
    return environment(
        ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
        ANSIBLE_FORCE_COLOR="true" if sys.stdout.isatty() else "false",
    )


def _playbook(name: str) -> list[str]:
    # Paths as a person at the repository's root would type them.
    return ["ansible-playbook", "--diff", "-i", "tests/experiments/demo/inventory.yml", "-e",
            f"@{os.path.relpath(FOLDER / 'vars.yml', ROOT)}", name]  # fmt: skip


def _stack(*arguments: str) -> None:
    steps.run(
        f"tests.servers.stack {' '.join(arguments)}",
        [sys.executable, "-m", "tests.servers.stack", *arguments, "--dir", str(FOLDER)],
        LOGS / f"demo-stack-{arguments[0]}.log", cwd=ROOT, env=environment(), telling=steps.without_clock,
    )  # fmt: skip


def _scenes() -> None:
    env = _environment()
    headline(1, f"A directory with {PEOPLE} people, an empty IDM, an account that may not read the change log")
    _stack("up", "--users", str(PEOPLE))
    stack = yaml.safe_load((FOLDER / "vars.yml").read_text(encoding="utf-8"))

    headline(2, "liveSync as it is now: IDM's own error, and what to do about it")
    check(play(_playbook("tests/experiments/demo/before.yml"), env, ROOT, 2, 60), [ERROR])

    headline(3, "One playbook: grant, base point, load, catch-up, schedule; meanwhile others change people")
    with people.changed_during_a_load(stack) as changed:
        check(play(_playbook("idmops.idm.livesync"), env, ROOT, 0, 240), MISSION)
    people.compare(stack, changed)

    headline(4, "A change made in the directory arrives in IDM by itself")
    people.change_one(stack)

    headline(5, "The same playbook again changes nothing")
    check(play(_playbook("idmops.idm.livesync"), env, ROOT, 0, 120), [AGAIN])

    headline(6, "How it stands")
    table = Sight("the status table", rf"^.*{stack['source']} .*\bhealthy\b")
    check(play(_playbook("idmops.idm.status"), env, ROOT, 0, 60), [table])


def main() -> int:
    """Play all scenes; the servers are taken down whatever happens."""
    with tree.exclusive():
        tree.refresh()
    began = time.monotonic()
    failed = None
    try:
        _stack("down")
        _scenes()
    except NotShown as exc:
        failed = str(exc)
    finally:
        print(flush=True)
        _stack("down")
    print(
        f"\n{'FAILED: ' + failed if failed else 'All of it was shown'}, in {time.monotonic() - began:.0f} s", flush=True
    )
    return int(failed is not None)


if __name__ == "__main__":
    os.chdir(ROOT)
    steps.main(main)
