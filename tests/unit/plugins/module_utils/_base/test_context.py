# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, measured with a clock of the test's own."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context, Report
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import TimedOut


class FakeClock(Clock):
    def __init__(self):
        self.seconds = 50.0
        self.slept = []

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


def test_what_is_there_is_not_waited_for():
    context = Context(clock=FakeClock())
    assert context.wait_for(lambda: "x", timeout=5, what="x") == "x"
    assert context.clock.slept == []


def test_false_and_nothing_at_all_are_not_the_same():
    assert Context(clock=FakeClock()).wait_for(lambda: 0, timeout=5, what="x") == 0


def test_pauses_double_up_to_the_longest():
    clock = FakeClock()
    found = iter([None] * 7 + ["x"])
    assert Context(clock=clock).wait_for(lambda: next(found), timeout=60, what="x") == "x"
    assert clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0]


def test_when_the_time_is_up_the_last_thing_seen_is_said():
    clock = FakeClock()
    with pytest.raises(TimedOut, match=r"Waited 3 s for the job to end, in vain. Last seen: 4 of 5\.") as caught:
        Context(clock=clock).wait_for(lambda: None, timeout=3, what="the job to end", seen=lambda: "4 of 5")
    assert clock.seconds == pytest.approx(53.0), "the last pause ends with the time"
    assert caught.value.as_result()["status"] is None


def test_it_is_tried_once_more_when_the_time_is_up():
    clock = FakeClock()
    context = Context(clock=clock)
    assert context.wait_for(lambda: "x" if clock.seconds >= 53 else None, timeout=3, what="x") == "x"


def test_a_real_clock_runs_forwards():
    clock = Clock()
    start = clock.now()
    clock.sleep(0.01)
    assert clock.now() >= start + 0.01
    assert clock.wall() > 1_700_000_000


def test_a_report_says_each_warning_once_and_keeps_secrets():
    report = Report()
    report.warn("a")
    report.warn("a")
    report.keep_secret("s")
    report.keep_secret("")
    report.progress("not shown")
    assert report.warnings == ["a"] and report.secrets == {"s"}
