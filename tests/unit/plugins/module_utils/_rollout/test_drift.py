# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what variables and an environment differ: what the role would change, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.verify import Verification
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import OTHER, Whose
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import RunRecord
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.drift import (
    differences_of,
    not_compared_of,
    unlisted,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import ServerFacts
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import plan_absent, plan_disabled, plan_enabled
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import SchedulePlan
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    PRINCIPAL,
    SOURCE,
    URI,
    directory,
    finished,
    grants,
    job,
)

BY_OTHERS = Scheduler(EXTERNAL, 300)


def scheduled(before, after, *changes, asked=None):
    """Return what is spoilt where a schedule is not what was asked for."""
    request = replace(finished().request, schedule=asked or {})
    return {"job": before, "schedule_plan": SchedulePlan(before, after, {}, changes), "request": request}


def asked(**of_request):
    return {"request": replace(finished().request, **of_request)}


EVERY_30 = replace(job(), cron="0/30 * * * * ?")
SIMPLE = replace(job(), type="simple", cron=None, interval=20, repeat_count=3)
OFF = job(enabled=False)

#: What is spoilt, and then field, wanted and found; what the role mends.
MENDED = [
    (scheduled(OFF, job(), "enabled"), ("schedule.enabled", True, False)),
    (
        scheduled(EVERY_30, job(), "cron", asked={"interval": 15}),
        ("schedule.interval", 15, 30),
    ),
    (
        scheduled(EVERY_30, job(), "cron", asked={"cron": "0/15 * * * * ?"}),
        ("schedule.cron", "0/15 * * * * ?", "0/30 * * * * ?"),
    ),
    (
        scheduled(SIMPLE, job(), "type", "cron", "interval", "repeat_count", asked={"interval": 15}),
        ("schedule.interval", 15, "20, 3 times more"),
    ),
    (scheduled(replace(job(), concurrent=True), job(), "concurrent"), ("schedule.concurrent", False, True)),
    (scheduled(job(), replace(job(), storage="config"), "storage"), ("schedule.storage", "config", "job")),
    (
        scheduled(job(storage="config"), job(storage="config"), "activation"),
        ("schedule", "liveSync_ldap_account, as its document has it", "liveSync_ldap_account, as it was before"),
    ),
    (
        {"job": None, "schedules": (), "record": {}, "schedule_plan": SchedulePlan(None, job(), {}, ["schedule"])},
        ("schedule", "liveSync_ldap_account", None),
    ),
    ({"scheduler": BY_OTHERS}, ("scheduler", "idm", "external")),
    ({"record": {}, "job": job(record={})}, ("mappings m: load", "recorded", "No load of this mapping is recorded")),
    ({"stage": None, "record": {}}, ("token", "a base point", None)),
    ({"token": 500}, ("token", "one that the change log reaches back to", "The token 500 lies beyond the end")),
    (
        {"unasked": ("n",), "left_out": ("n",), "record": {**finished().record, "n": finished().record["m"]}},
        ("mappings n: load", "not recorded while enableSync is false", "recorded"),
    ),
    (
        {"directory": directory(grants(missing=("privilege",)), grants())},
        (f"the privilege changelog-read on {URI}", f"granted to {PRINCIPAL}", None),
    ),
    (
        {"directory": directory(grants(5000, lookthrough_limit=5000), grants(5000))},
        (f"directory.lookthrough_limit on {URI}", 0, 5000),
    ),
    (
        {"directory": directory(replace(grants(), acis=(b"other",)), grants())},
        (f"ACIs on {URI}", "as the role writes them", "as another release of it wrote them"),
    ),
]
#: What the role leaves alone.
LEFT = [
    ({"connector": None, "known_systems": ("hr",)}, ("source", "ldap", "no connector of this name; there are: hr")),
    (
        {"connector": replace(CONNECTOR, object_types=("group",))},
        ("source", "account", "no object type of this name; there are: group"),
    ),
    ({"strangers": {"x": "IDM has none of this name"}}, ("mappings", "x", "IDM has none of this name")),
    ({"unasked": ("n",)}, ("mappings", None, "n")),
    ({"mappings": (replace(MAPPING, sync_enabled=False),)}, ("mappings m: enableSync", True, False)),
    ({"job": replace(job(), paused=True)}, ("schedule.paused", False, True)),
    ({"schedules": (job(), job("x"))}, ("schedule", "liveSync_ldap_account", "x, which is on too")),
    (
        {"directory": directory(unlisted=("ds2:1389",))},
        ("directory.servers", None, "ds2:1389, which the connector reads too"),
    ),
    (
        {"directory": directory(whose=Whose(OTHER, sentence="It is another one."))},
        ("directory.servers", [URI], "It is another one."),
    ),
    (
        {"directory": directory(verification=Verification(False, "nothing"))},
        ("directory.principal", "reads the change log", "nothing"),
    ),
    (
        {"directory": directory(grants(missing=("privilege",)))},
        (f"the privilege changelog-read on {URI}", f"granted to {PRINCIPAL}", None),
    ),
    ({"stage": Stage("1", "29", "string")}, ("token", "one that the connector goes on from", "The token")),
    ({**asked(initial_load="never"), "token": 500}, ("token", "one that the change log reaches back to", "The token")),
]


def found(state="enabled", **spoilt):
    evidence = finished(**spoilt)
    return differences_of(evidence, plan_enabled(evidence, [], 0), state)


def test_where_nothing_is_left_to_do_nothing_differs():
    assert found() == [] == not_compared_of(finished(), "enabled")


@pytest.mark.parametrize(
    ("spoilt", "told", "mended"), [(*one, True) for one in MENDED] + [(*one, False) for one in LEFT]
)
def test_what_differs_is_told_with_both_values(spoilt, told, mended):
    differences = found(**spoilt)
    field, wanted, there = told
    (one,) = [one for one in differences if (one.field, one.mended) == (field, mended)]
    assert (one.source, one.wanted) == (SOURCE, wanted)
    assert str(one.found).startswith(there) if isinstance(there, str) else one.found == there


@pytest.mark.parametrize(
    "spoilt", [one for one, unused in MENDED + LEFT] + [{}, {"stage": None, **asked(initial_load="never")}]
)
def test_the_role_changes_something_exactly_where_something_is_told_to_be_mended(spoilt):
    """Drift is the role's own comparison: neither says more than the other."""
    evidence = finished(**spoilt)
    plan = plan_enabled(evidence, [], 0)
    acts = (plan.principal, plan.hold, plan.reset, plan.baseline, plan.to_load, plan.catch_up, plan.forget)
    changes = any(acts) or evidence.schedule_changes or evidence.scheduler != evidence.request.scheduler
    if evidence.connector:
        assert any(one.mended for one in differences_of(evidence, plan, "enabled")) is bool(changes)


def test_a_load_that_is_done_each_time_is_no_difference():
    assert found(**asked(initial_load="always")) == []


def test_who_runs_a_source_is_compared_field_by_field():
    told = found(**asked(scheduler=BY_OTHERS), job=OFF, scheduler=Scheduler(EXTERNAL, 7))
    assert [(one.field, one.wanted, one.found) for one in told] == [("max_age", 300, 7)]


def test_what_shall_be_off_or_gone():
    evidence = finished(scheduler=BY_OTHERS)
    told = differences_of(evidence, plan_disabled(evidence, 0), "disabled")
    assert [(one.field, one.wanted, one.found) for one in told] == [
        ("schedule.enabled", False, "liveSync_ldap_account, which is on"),
        ("scheduler", "idm", "external"),
    ]
    evidence = finished()
    told = differences_of(evidence, plan_absent(evidence, (), 0), "absent")
    assert [(one.field, one.wanted, one.found) for one in told] == [
        ("schedule", None, "liveSync_ldap_account, which is there")
    ]
    off = finished(job=OFF, schedules=(OFF,))
    assert differences_of(off, plan_disabled(off, 0), "disabled") == []


def test_what_could_not_be_asked_is_not_taken_for_equal():
    away = ServerFacts("ldap://gone", error=DirectoryError("No answer."))
    spoilt = finished(
        refused_mappings="config/sync is not in force.",
        schedule_error=InvalidOption("cron", "x", "Write it well."),
        directory_error=DirectoryError("It refuses."),
        directory=directory(servers=(away, ServerFacts("ldap://mute"))),
    )
    assert [(one.field, one.reason) for one in not_compared_of(spoilt, "enabled")] == [
        ("mappings", "config/sync is not in force."),
        ("schedule", "cron: 'x' cannot be used. Write it well."),
        ("directory", "It refuses."),
        ("directory.servers ldap://gone", "No answer."),
        ("directory.servers ldap://mute", "ldap://mute says nothing."),
    ]
    assert not_compared_of(spoilt, "disabled") == []
    assert [one.field for one in found(refused_mappings="x", strangers={"x": "y"})] == []


def test_what_somebody_runs_and_nobody_has_listed():
    other, off = job("other", source="system/hr/person"), job("off", source="system/off/x", enabled=False)
    stages = {"SYSTEMLDAPGROUP": Stage("1", 5, "integer")}
    records = {"SYSTEMLDAPGROUP": RunRecord(scheduler=BY_OTHERS)}
    there = Snapshot({"ldap": CONNECTOR}, {}, stages, (job(), other, off), (), frozenset(), records=records)
    assert [(one.source, one.found) for one in unlisted(there, {SOURCE})] == [
        ("system/hr/person", "the schedule other, which is on"),
        ("system/ldap/group", "an external scheduler (max_age 300)"),
    ]
    assert unlisted(there, {SOURCE, "system/hr/person", "system/ldap/group"}) == []
