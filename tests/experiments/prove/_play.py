# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook as a process: what it is at, held where that is wanted, and killed with all its workers."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import typing as t

from tools import steps
from tools.places import ROOT, environment

from ._wait import failed, until

_RECAP = re.compile(r"\bchanged=(\d+)\b")


class Event(t.NamedTuple):
    """Something that the play told: "start" or "end" of a task; its status at the end."""

    event: str
    task: str
    status: str


class Hold(t.NamedTuple):
    """Where the play waits: at the start or end of a task that is given by name, or after so many tasks."""

    event: str
    task: str = ""
    number: int = 0


class Ended(t.NamedTuple):
    """How a play ended.

    :param changed: how many tasks changed something.
    :param error: the message of the task that failed, "" where none did.
    """

    exit_code: int
    changed: int
    error: str
    took: float


class Play:
    """``ansible-playbook`` in a session of its own.

    :param folder: for its output and what it tells; the collection is in ``collections`` below it.
    :param variables: a file with the play's variables.
    :param options: further ones of ansible-playbook.
    :param programs: the folder of another ansible-playbook than that of this Python.
    :param more: of the environment.
    :param within: a command that runs it, as in a container.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        playbook: str,
        variables: pathlib.Path,
        hold: Hold | None = None,
        title: str = "play",
        options: t.Sequence[str] = (),
        programs: pathlib.Path | None = None,
        more: t.Mapping[str, str] | None = None,
        within: t.Sequence[str] = (),
    ) -> None:
        self.log = folder / f"{title}.log"
        self._trace = folder / f"{title}.trace"
        self._go = folder / f"{title}.go"
        self._hold = hold
        for left in (self._trace, self._go):
            left.unlink(missing_ok=True)
        holds = [{**hold._asdict(), "file": str(self._go)}] if hold else []
        env = environment(
            ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"),
            ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests" / "experiments" / "prove" / "plugins" / "callback"),
            ANSIBLE_CALLBACKS_ENABLED="trace",
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_NOCOLOR="true",
            TRACE_FILE=str(self._trace),
            TRACE_HOLD=json.dumps(holds),
            **(more or {}),
        )
        if programs:
            env["PATH"] = os.pathsep.join([str(programs), env["PATH"]])
        self._began = time.monotonic()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*within, "ansible-playbook", "-i", "localhost,", "-e", f"@{variables}", *options, playbook],
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def events(self) -> list[Event]:
        """Return what the play has told so far."""
        if not self._trace.exists():
            return []
        lines = self._trace.read_text(encoding="utf-8").split("\n")[:-1]
        return [Event(**json.loads(line)) for line in lines]

    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def await_event(self, event: str, task: str, limit: float = 300.0) -> None:
        """Wait until a task of that name has started or ended."""

        def told() -> bool:
            if any((one.event, one.task) == (event, task) for one in self.events()):
                return True
            self._must_run(f"the {event} of '{task}'")
            return False

        until(told, f"the {event} of '{task}'", limit)

    def await_hold(self, limit: float = 300.0) -> None:
        """Wait until the play has come to where it is held."""
        hold = self._hold
        assert hold

        def there() -> bool:
            if hold.number:
                if sum(one.event == "end" and one.status != "skipped" for one in self.events()) >= hold.number:
                    return True
            else:
                found = [one.status for one in self.events() if (one.event, one.task) == (hold.event, hold.task)]
                if "skipped" in found:
                    raise failed(f"'{hold.task}' had nothing to do")
                if found:
                    return True
            self._must_run(str(hold))
            return False

        until(there, str(hold), limit)

    def _must_run(self, point: str) -> None:
        if not self.running():
            print(steps.tail(self.log, 40), flush=True)
            raise failed(f"the play ended before {point}")

    def release(self) -> None:
        """Let it go on."""
        self._go.touch()

    def kill(self) -> None:
        """SIGKILL to the play and all that it started: workers have sessions of their own."""
        if not self.running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGSTOP)  # so that it starts nothing meanwhile
        for pid in [*_descendants(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, limit: float = 900.0) -> Ended:
        """Wait for its end."""
        try:
            exit_code = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            print(steps.tail(self.log, 40), flush=True)
            raise failed(f"the play did not end within {limit:.0f} s: {self.log}") from None
        text = self.log.read_text(encoding="utf-8", errors="replace")
        errors = re.findall(r"^\[ERROR\]: (?:Task failed: )?(?:Action failed: |Module failed: )?(.*)$", text, re.M)
        return Ended(
            exit_code,
            sum(int(number) for number in _RECAP.findall(text)),
            errors[0] if exit_code and errors else "",
            time.monotonic() - self._began,
        )


def _descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    children: dict[int, list[int]] = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # "pid (any name) state parent ...": the name may hold blanks and parentheses
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
    found: list[int] = []
    left = [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found
