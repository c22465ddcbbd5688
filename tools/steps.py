# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A long step: its output goes to a file, a sign of life to the terminal, the file's end too if it fails."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t

_BEGAN = time.monotonic()

#: Seconds without a line after which a running step shows the last line of its log.
_QUIET = 30.0


class StepFailed(Exception):
    """A step that ended with another exit code than 0; what there is to say has been printed."""


def say(text: str) -> None:
    """Print a line with the seconds since the program began."""
    # in one piece, since several threads do
    print(f"[{time.monotonic() - _BEGAN:6.1f} s] {text}\n", end="", flush=True)


def tail(log: pathlib.Path, lines: int = 40) -> str:
    """Return the last lines of a log, indented."""
    last = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in last) or "    (no output)"


#: What a line that tells of a failure looks like, in the output of our programs, of Ansible, pytest and Python.
_COMPLAINT = re.compile(r"\bFAILED\b(?! - RETRYING)|^fatal: |^\w*(Error|Exception)\b")
#: The first of them in what Ansible prints below a task that failed.
_REASON = re.compile(r'^"(?:assertion|msg)": ')
#: So many lines below it are looked through.
_BELOW = 400


def complaints(log: pathlib.Path, lines: int = 4, width: int = 400) -> list[str]:
    """Return the last lines of a log that tell of a failure, shortened; where none does, its last lines."""
    try:
        written = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except FileNotFoundError:
        return []
    told = []
    for number, line in enumerate(written):
        if _COMPLAINT.search(line):
            below = written[number + 1 : number + 1 + _BELOW] if line.endswith("{") else []
            told += [line, *[reason for reason in below if _REASON.search(reason)][:1]]
    told = told or [line for line in written if line]
    return [line[:width] for line in told[-lines:]]


def _end(process: subprocess.Popen[bytes]) -> None:
    # The step has a process group of its own; only that group is ended.
    for number, patience in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def run(
    title: str,
    command: t.Sequence[str],
    log: pathlib.Path,
    *,
    cwd: pathlib.Path,
    env: t.Mapping[str, str],
    telling: t.Callable[[str], str | None] = lambda line: None,
    check: bool = True,
    stop: threading.Event | None = None,
    limit: float | None = None,
) -> int:
    """Run a command and return its exit code.

    :param telling: what to show of a line of its output as it comes.
    :param check: raise StepFailed, with the log's end shown, when the exit code is not 0.
    :param stop: ends the command, with StepFailed, when it is set; for a step that runs in a thread.
    :param limit: seconds after which the command is ended; its exit code tells that then.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    say(title)
    began = shown = time.monotonic()
    with log.open("wb") as output, log.open("rb") as written:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        last, rest = "", b""
        try:
            ended = False
            while not ended:
                try:
                    process.wait(0.2)
                    ended = True
                except subprocess.TimeoutExpired:
                    pass
                *lines, rest = (rest + written.read()).split(b"\n")
                for raw in lines:
                    line = raw.decode("utf-8", "replace").strip()
                    last = line or last
                    if text := telling(line):
                        say(f"  {text}")
                        shown = time.monotonic()
                if stop and stop.is_set():
                    raise StepFailed(title)
                if limit and not ended and time.monotonic() - began > limit:
                    say(f"  {title}: takes longer than {limit:.0f} s, ended")
                    _end(process)
                if not ended and time.monotonic() - shown > _QUIET:
                    shown = time.monotonic()
                    say(f"  {title}: {shown - began:.0f} s so far; {last[:100]}")
        finally:
            if process.poll() is None:
                _end(process)
    took = time.monotonic() - began
    if process.returncode and check:
        print(tail(log), flush=True)
        say(f"FAILED: {title}, exit code {process.returncode} after {took:.0f} s. The whole output: {log}")
        raise StepFailed(title)
    ending = f"ended with exit code {process.returncode}" if process.returncode else "done"
    say(f"  {title}: {ending} in {took:.1f} s")
    return process.returncode


def beginning(*starts: str) -> t.Callable[[str], str | None]:
    """Return what shows the lines that begin so."""
    return lambda line: line if line.startswith(starts) else None


def without_clock(line: str) -> str | None:
    """Show the progress lines of tests.servers.stack, without their own clock."""
    return line.partition("] ")[2] if line.startswith("[") else None


def main(program: t.Callable[[], int]) -> t.NoReturn:
    """Run a program of ours: SIGTERM and SIGHUP unwind it as Ctrl-C does, a failed step ends it with exit code 1."""

    def unwind(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)
    try:
        sys.exit(program())
    except StepFailed:
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
