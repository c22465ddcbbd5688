# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the code that does the work needs to know of whoever asked for it, and the one waiter."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .errors import TimedOut

T = t.TypeVar("T")


class Report:
    """Where warnings and progress lines go. This one keeps the warnings and drops the progress."""

    #: whether somebody sees progress lines when they are reported
    live = False

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.secrets: set[str] = set()

    def warn(self, text: str) -> None:
        """Say something that did not stop the work but that its owner should know."""
        if text not in self.warnings:
            self.warnings.append(text)

    def keep_secret(self, value: str) -> None:
        """Never show this value: it was made on the way (a minted token), so no option declares it secret."""
        if value:
            self.secrets.add(value)

    def progress(self, text: str) -> None:
        """Show one line at once, where there is somebody to see it."""


class Clock:
    """Time, in seconds. Tests bring their own."""

    def now(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970, as other machines see them."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds go by."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Context:
    """How a task was asked for.

    :param check_mode: nothing may be written.
    :param report: where warnings and progress go.
    :param clock: the time that waits are measured with.
    """

    check_mode: bool = False
    report: Report = field(default_factory=Report)
    clock: Clock = field(default_factory=Clock)

    def wait_for(
        self,
        probe: t.Callable[[], T | None],
        *,
        timeout: float,
        what: str,
        seen: t.Callable[[], str] | None = None,
        first_pause: float = 0.05,
        longest_pause: float = 2.0,
    ) -> T:
        """Call ``probe`` until it returns something else than None, and return that.

        The pauses double from ``first_pause`` to ``longest_pause`` seconds; the last one ends with the time.

        :param timeout: seconds.
        :param what: what is waited for, to complete "waited N s for ...".
        :param seen: tells what was seen last, for the error.
        :raises TimedOut: when the time is up.
        """
        end = self.clock.now() + timeout
        pause = first_pause
        while True:
            found = probe()
            if found is not None:
                return found
            left = end - self.clock.now()
            if left <= 0:
                last = f" Last seen: {seen()}." if seen else ""
                raise TimedOut(f"Waited {timeout:g} s for {what}, in vain.{last}")
            self.clock.sleep(min(pause, left))
            pause = min(pause * 2, longest_pause)
