# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that an external scheduler runs, or shall run: in which order, so that nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import Server
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.findings import findings_of
from ansible_collections.idmops.idm.plugins.module_utils._rollout.gather import Gatherer
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import plan_absent, plan_disabled, plan_enabled
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import Found
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import finished, job
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, context

OTHERS = Scheduler(EXTERNAL, 300)
OFF = job(enabled=False)
BY_OTHERS = {"scheduler": "external", "max_age": 300}
BY_IDM = {"scheduler": "idm"}


def evidence(wanted=OTHERS, **spoilt):
    """A source that all is done for, as an external scheduler runs it."""
    made = finished(**{"job": OFF, "schedules": (OFF,), "scheduler": OTHERS, **spoilt})
    return replace(made, request=replace(made.request, scheduler=wanted))


def plan(**spoilt):
    made = plan_enabled(evidence(**spoilt), [], 0)
    return made.hold, made.baseline, list(made.to_load), made.catch_up, made.enable, dict(made.run_by)


@pytest.mark.parametrize(
    ("spoilt", "wanted"),
    [
        # what is spoilt                                     hold   base   load   catch  on     run by
        ({}, (False, False, [], False, False, BY_OTHERS)),
        # from IDM's schedule: it is off first, then a run proves it
        ({"job": job(), "scheduler": Scheduler()}, (True, False, [], True, False, BY_OTHERS)),
        # that was broken off
        ({"scheduler": Scheduler()}, (False, False, [], True, False, BY_OTHERS)),
        # somebody has switched it on
        ({"job": job()}, (True, False, [], False, False, BY_OTHERS)),
        # another age
        ({"scheduler": Scheduler(EXTERNAL, 7)}, (False, False, [], False, False, BY_OTHERS)),
        # from nothing
        (
            {"job": None, "schedules": (), "record": {}, "token": None, "scheduler": Scheduler()},
            (False, True, ["m"], True, False, BY_OTHERS),
        ),
        # the job, and with it the record of the load, has been removed
        ({"job": None, "schedules": (), "record": {}}, (False, False, ["m"], True, False, BY_OTHERS)),
        # back to IDM's schedule: what has waited comes first
        ({"wanted": Scheduler()}, (False, False, [], True, True, BY_IDM)),
        ({"wanted": Scheduler(), "job": job()}, (False, False, [], False, True, BY_IDM)),
    ],
)
def test_steps(spoilt, wanted):
    assert plan(**spoilt) == wanted


def test_idms_own_schedule_has_nothing_written_down():
    made = plan_enabled(finished(), [], 0)
    assert (made.enable, made.run_by) == (True, {}) and made.as_result()["run_by"] == {}


def test_a_job_that_is_made_for_its_record_alone_fires_at_any_time():
    nothing = evidence(job=None, schedules=(), record={}, token=None)
    assert plan_enabled(nothing, [], 0).schedule == {"interval": 3600}
    assert plan_enabled(evidence(), [], 0).schedule == {}


def test_switched_off_and_removed_nobody_runs_it():
    off = plan_disabled(evidence(), 0)
    assert (off.switch_off, off.run_by) == (("liveSync_ldap_account",), BY_IDM)
    gone = plan_absent(evidence(), (), 0)
    assert (gone.switch_off, gone.run_by) == (("liveSync_ldap_account",), BY_IDM)
    lost = plan_absent(evidence(job=None, schedules=()), (), 0)
    assert (lost.switch_off, lost.run_by) == (("liveSync_ldap_account",), BY_IDM)
    assert plan_disabled(finished(), 0).run_by == plan_absent(finished(), (), 0).run_by == {}


def codes(**spoilt):
    return [finding.code for finding in findings_of(evidence(**spoilt))]


def test_what_differs_is_told():
    assert codes() == codes(wanted=Scheduler(), scheduler=Scheduler(), job=job(), schedules=(job(),)) == []
    assert codes(scheduler=Scheduler()) == codes(wanted=Scheduler()) == ["scheduler_differs"]
    (one,) = findings_of(evidence(scheduler=Scheduler(EXTERNAL, 7)))
    assert "by an external scheduler (max_age 300); IDM's run record tells of an external scheduler (max_age 7)" in (
        one.message
    )
    (back,) = findings_of(evidence(wanted=Scheduler()))
    assert "Stop the external one" in back.remedy and one.severity == back.severity == "mended"
    missing = findings_of(evidence(job=None, schedules=()))
    assert "leaves it off" in next(one.remedy for one in missing if one.code == "schedule_missing")


@pytest.mark.parametrize(("there", "changes"), [(OFF, ()), (job(), ("enabled",)), (None, ("schedule",))])
def test_the_evidence_compares_with_a_job_that_is_off(there, changes):
    gatherer = Gatherer(ScriptedClient(), Server("openidm", "6.1.0"), None, "enabled", context())
    made = gatherer._with_schedule(evidence(), Found("liveSync_ldap_account", there, None))
    assert (made.schedule_error, made.schedule_changes) == (None, changes)
