# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scene of the demo: a command whose output is shown as it comes, and what must be seen in it."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import typing as t
from dataclasses import dataclass

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class NotShown(Exception):
    """The output does not show what the demo is there to show."""


@dataclass(frozen=True)
class Sight:
    """Something that must be seen: what it is, and the expression that finds it."""

    what: str
    pattern: str


def headline(number: int, text: str) -> None:
    """Print the scene's headline."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}=== {number}. {text}{plain}\n", flush=True)


def check(output: str, sights: t.Sequence[Sight]) -> list[str]:
    """Return the sights that the output shows in this order; raise NotShown for the first that it does not."""
    position = 0
    seen: list[str] = []
    for sight in sights:
        found = re.compile(sight.pattern, re.M | re.S).search(output, position)
        if not found:
            after = f" after '{seen[-1]}'" if seen else ""
            raise NotShown(f"'{sight.what}' is not to be seen{after}")
        position = found.end()
        seen.append(sight.what)
    return seen


def play(command: t.Sequence[str], env: t.Mapping[str, str], folder: pathlib.Path, expect: int, limit: float) -> str:
    """Run a command, show its output as it comes, and return it without colours.

    :param expect: the exit code that it must end with.
    :param limit: seconds after which it is ended.
    """
    print(f"$ {' '.join(command)}\n", flush=True)
    process = subprocess.Popen(
        command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGTERM))
    timer.start()
    shown: list[str] = []
    blank = True
    try:
        assert process.stdout
        for line in process.stdout:
            shown.append(line)
            if line.strip() or not blank:
                print(line, end="", flush=True)
            blank = not line.strip()
        process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    if process.returncode != expect:
        raise NotShown(f"the command ended with exit code {process.returncode}, expected {expect}")
    return _COLOUR.sub("", "".join(shown))
