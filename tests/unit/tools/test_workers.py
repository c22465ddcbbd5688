# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several long steps at a time: all are done, in order, and nothing goes on after a failure."""

from __future__ import annotations

import sys

import pytest

from tools import steps, workers


def test_all_are_done_and_told_in_their_order():
    tasks = [lambda stop, number=number: number * 2 for number in range(7)]
    assert workers.run(tasks, 3) == [0, 2, 4, 6, 8, 10, 12]


def test_a_failure_ends_the_others(tmp_path):
    log = tmp_path / "log"

    def fails(stop):
        raise steps.StepFailed("first")

    def sleeps(stop):
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        return steps.run("sleeps", command, log, cwd=tmp_path, env={}, stop=stop)

    with pytest.raises(steps.StepFailed, match="first"):
        workers.run([fails, sleeps, sleeps], 2)


def test_what_takes_too_long_is_ended_and_did_not_pass(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert steps.run("sleeps", command, tmp_path / "log", cwd=tmp_path, env={}, check=False, limit=0.5) != 0
