# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a source that somebody else calls: the last run of ours, by the server's clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.external import External, judge_external
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import LogFacts
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._record.owner import Holder
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import RunRecord
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler

NOW = "2026-11-24T12:00:00Z"
FIVE_AGO, SIX_AGO, TWO_AGO = "2026-11-24T11:55:00Z", "2026-11-24T11:54:00Z", "2026-11-24T11:58:00Z"
WELL = {"time": TWO_AGO, "outcome": "advanced", "failed": False}
RECORD = RunRecord(scheduler=Scheduler(EXTERNAL, 300), last_run=WELL)
STAGE = Stage("7", 50, "integer")
HOLDER = Holder("a", "ctl1.example.com", 7, "liveSync", NOW, NOW)
BEHIND = LogFacts(1, 60, pending=10, pending_inside=5, oldest=SIX_AGO)


def judge(record=RECORD, holder=None, stage=STAGE, log=None, now=NOW, **last):
    return judge_external(replace(record, last_run={**WELL, **last}) if last else record, holder, stage, log, now)


def test_nothing_is_said_of_a_source_that_idm_runs():
    assert judge(RunRecord(last_run={"time": "long ago", "outcome": "failed"})) == External()


def test_nothing_speaks_against_a_run_that_went_well_and_is_young():
    assert judge() == External()
    assert judge(time=FIVE_AGO) == External()
    assert judge(time="2026-11-24T12:00:59Z") == External()  # the clocks of two nodes


@pytest.mark.parametrize(
    ("last", "says", "unknown"),
    [
        ({"time": "2026-11-24T11:54:59Z"}, "ended at 2026-11-24T11:54:59Z, 301 s ago, more than 300 s", False),
        ({"time": "2026-11-24T12:01:01Z"}, "cannot be known: 2026-11-24T12:01:01Z is noted", True),
        ({"time": None}, "cannot be known: no time is noted", True),
        ({"time": "yesterday"}, "cannot be known: yesterday is noted", True),
        ({"time": 7}, "cannot be known: 7 is noted", True),
    ],
)
def test_a_run_that_is_too_old_or_of_no_known_age_is_overdue(last, says, unknown):
    found = judge(**last)
    assert says in found.overdue and found.unknown is unknown
    assert "idmops.idm.run" in found.overdue


def test_without_the_servers_clock_nobody_knows():
    assert judge(now=None).unknown and "cannot be known" in judge(now=None).overdue


def test_an_age_that_the_record_does_not_tell_is_not_taken_for_any_age():
    found = judge(replace(RECORD, scheduler=Scheduler(EXTERNAL)))
    assert found.unknown and "max_age" in found.overdue


def test_who_has_never_run_it_is_overdue_once_there_is_a_base_point():
    never = replace(RECORD, last_run=None)
    assert "No run is known" in judge(never).overdue
    assert judge(never, stage=None) == External()  # it has no base point, which is another state


def test_while_somebody_runs_it_nothing_is_overdue():
    assert judge(holder=HOLDER, time=SIX_AGO) == External()


@pytest.mark.parametrize("outcome", ["failed", "record_failed", "unknown"])
def test_a_run_that_went_badly_is_told(outcome):
    found = judge(outcome=outcome)
    assert f"({outcome})" in found.failed and TWO_AGO in found.failed and found.overdue is None
    assert judge(outcome=outcome, time=SIX_AGO).overdue


def test_a_task_that_failed_is_told_whatever_its_outcome():
    assert "(advanced)" in judge(failed=True).failed


def test_a_run_that_nobody_has_waited_for_is_no_comfort_until_its_end_shows():
    begun = replace(RECORD, run={"rev": "7"})
    assert "nobody has waited" in judge(begun, outcome="started").doubt
    assert "nobody has waited" in judge(replace(RECORD, run={"rev": None}), stage=None, outcome="started").doubt
    assert judge(begun, stage=Stage("8", 50, "integer"), outcome="started") == External()


@pytest.mark.parametrize(
    ("log", "unmoved"),
    [
        (BEHIND, True),
        (replace(BEHIND, oldest="2026-11-24T11:56:50Z"), False),  # the directory's clock may be a minute behind
        (replace(BEHIND, oldest=None), False),
        (replace(BEHIND, pending_inside=0), False),
        (replace(BEHIND, pending_inside=None), False),
    ],
)
def test_a_run_that_left_what_had_been_pending_for_long_is_seen(log, unmoved):
    assert judge(log=log).unmoved is unmoved


def test_what_a_run_left_that_went_badly_or_may_go_on_has_another_reason():
    assert not judge(log=BEHIND, failed=True).unmoved
    assert not judge(log=BEHIND, holder=HOLDER).unmoved
    assert not judge(replace(RECORD, run={"rev": "7"}), log=BEHIND, outcome="started").unmoved
