# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What numbers options may have: how long something is waited for, and how many failures are borne."""

from __future__ import annotations

import math
import typing as t

from .errors import InvalidOption

#: The options that :func:`check_limits` knows.
LIMITS = ("wait_timeout", "max_failures", "max_failure_percent")


def check_seconds(option: str, value: float) -> None:
    """Check a time to wait.

    :param value: in seconds.
    :raises InvalidOption: when nothing could be waited for, or no clock ever shows its end.
    """
    if not 0 < value < math.inf:
        raise InvalidOption(option, value, "Give a number of seconds above 0.")


def check_limits(options: t.Mapping[str, t.Any], within: str = "") -> None:
    """Check the options of ``LIMITS``, as far as they are given.

    :param within: what stands before their names where they are part of another option, with its dot.
    :raises InvalidOption: for what would fail, or forgive everything, only after the work was done.
    """
    wait, failures, percent = map(options.get, LIMITS)
    if wait is not None:
        check_seconds(f"{within}wait_timeout", wait)
    if failures is not None and failures < 0:
        raise InvalidOption(f"{within}max_failures", failures, "Give 0 or more.")
    if percent is not None and not 0 <= percent <= 100:
        raise InvalidOption(f"{within}max_failure_percent", percent, "Give a number from 0 to 100.")
