# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a condition, and giving up."""

from __future__ import annotations

import time
import typing as t

from tools import steps

_Found = t.TypeVar("_Found")


def failed(why: str) -> steps.StepFailed:
    """Say why the experiment cannot go on, and return what ends it."""
    steps.say(f"FAILED: {why}")
    return steps.StepFailed(why)


def until(condition: t.Callable[[], _Found], what: str, limit: float, pause: float = 0.1) -> _Found:
    """Return what the condition returns as soon as that is true.

    :param limit: seconds after which the experiment fails.
    """
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise failed(f"waited {limit:.0f} s for {what}")
        time.sleep(pause)
