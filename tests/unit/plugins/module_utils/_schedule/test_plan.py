# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a schedule has to become: decisions without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import CLOUD, FORK, IDM, Server
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import CONFIG, JOB, Schedule
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import Found, decide_schedule, pick_name
from ansible_collections.idmops.idm.plugins.module_utils._schedule.wanted import (
    WantedSchedule,
    checked_flag,
    checked_interval,
    wanted_of,
)

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)
SOURCE = Source("ldap", "account")
OPENIDM, PING = Server(FORK, "6.1.0"), Server(IDM, "8.1.0")
NAME = "liveSync_ldap_account"
CONTEXT = {"action": "liveSync", "source": "system/ldap/account"}
CRON_JOB = {
    "_id": NAME,
    "enabled": True,
    "persisted": True,
    "type": "cron",
    "schedule": "0/15 * * * * ?",
    "misfirePolicy": "fireAndProceed",
    "concurrentExecution": False,
    "invokeService": "org.forgerock.openidm.provisioner",
    "invokeContext": CONTEXT,
    "triggers": [{"state": 0}],
    "nextRunDate": "2026-11-24T13:00:15.000Z",
}
SIMPLE_JOB = {
    **{key: value for key, value in CRON_JOB.items() if key != "schedule"},
    "type": "simple",
    "repeatInterval": 15000,
    "repeatCount": -1,
}
ALL = WantedSchedule(SOURCE, enabled=True, persisted=True, concurrent=False)


def found(job=None, config=None):
    return Found(
        NAME,
        Schedule.parse(job) if job else None,
        Schedule.parse({"_id": f"schedule/{NAME}", **config}, CONFIG) if config else None,
    )


def plan(wanted, job=None, config=None, server=PING):
    return decide_schedule(found(job, config), wanted, server, NOW)


def jobs(*names, source=SOURCE):
    return [
        Schedule.parse({**CRON_JOB, "_id": name, "invokeContext": {**CONTEXT, "source": str(source)}}) for name in names
    ]


# which schedule is meant


def test_the_name_is_that_of_the_only_schedule():
    others = jobs("other", source=Source("ldap", "group"))
    assert pick_name([*jobs("mine"), *others], SOURCE, None, PING) == "mine"
    assert pick_name(others, SOURCE, None, PING) == NAME
    assert pick_name(jobs("mine"), SOURCE, "yours", PING) == "yours"


def test_several_schedules_are_listed():
    with pytest.raises(InvalidOption, match="name: is needed.* several schedules: a, b"):
        pick_name(jobs("b", "a"), SOURCE, None, PING)
    assert pick_name(jobs("b", "a"), SOURCE, "b", PING) == "b"


@pytest.mark.parametrize("name", ["EWF Users to alpha_user", "größe", "a/b"])
def test_a_name_that_must_be_encoded_is_refused_where_the_scheduler_loses_it(name):
    with pytest.raises(InvalidOption, match="loses track"):
        pick_name([], SOURCE, name, OPENIDM)
    assert pick_name([], SOURCE, name, PING) == name


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"invokeContext": {"action": "liveSync", "source": "system/ad/user"}}, "liveSync of system/ad/user"),
        ({"invokeService": "sync", "invokeContext": {"action": "reconcile"}}, r"another task \(sync\)"),
    ],
)
def test_a_job_that_does_something_else_is_left_alone(other, what):
    with pytest.raises(InvalidOption, match=f"name: '{NAME}' .* runs {what}"):
        plan(replace(ALL, interval=15), {**CRON_JOB, **other})


def test_a_job_that_writes_the_source_in_another_case_is_told_what_to_set():
    odd = {"invokeContext": {"action": "liveSync", "source": str(SOURCE).upper().replace("SYSTEM", "system")}}
    with pytest.raises(InvalidOption, match=f"runs nothing. Set source to {SOURCE} in its invokeContext"):
        plan(replace(ALL, interval=15), {**CRON_JOB, **odd})


# a new schedule


def test_a_new_schedule_repeats_simply_where_that_repeats():
    made = plan(WantedSchedule(SOURCE, interval=15))
    assert made.before is None and made.writes and not made.moves
    assert made.body == {
        "enabled": True,
        "persisted": True,
        "concurrentExecution": False,
        "type": "simple",
        "repeatInterval": 15000,
        "repeatCount": -1,
        "misfirePolicy": "fireAndProceed",
        "invokeService": "provisioner",
        "invokeContext": CONTEXT,
    }
    assert made.after.storage == JOB


def test_a_new_schedule_is_a_cron_expression_where_simple_does_not_repeat():
    made = plan(WantedSchedule(SOURCE, interval=15, storage=CONFIG), server=OPENIDM)
    assert made.body["type"] == "cron"
    assert made.body["schedule"] == "0/15 * * * * ?"
    assert "repeatInterval" not in made.body and "repeatCount" not in made.body
    assert made.after.storage == CONFIG


def test_a_new_schedule_needs_to_know_when():
    with pytest.raises(InvalidOption, match="Give interval or cron"):
        plan(ALL)


def test_an_object_type_is_sent_as_the_router_reads_it():
    made = decide_schedule(found(), WantedSchedule(Source("hr", "my type"), interval=60), PING, NOW)
    assert made.body["invokeContext"]["source"] == "system/hr/my%20type"
    assert made.after.source == "system/hr/my type"


@pytest.mark.parametrize("interval", [7, 25, 90, 18000, 604800, 0.5])
def test_an_interval_without_an_expression_is_refused_with_the_nearest(interval):
    with pytest.raises(InvalidOption, match=r"interval: .* The nearest: \d+ s"):
        plan(WantedSchedule(SOURCE, interval=interval), server=OPENIDM)
    assert plan(WantedSchedule(SOURCE, interval=interval)).after.interval_seconds == interval


@pytest.mark.parametrize("interval", [0, -1, True, "soon", float("inf"), [15], ""])
def test_what_is_no_interval_is_refused(interval):
    for server in (OPENIDM, PING):
        with pytest.raises(InvalidOption, match="interval"):
            checked_interval(interval, server)


def test_an_interval_may_be_a_text():
    assert checked_interval("15", OPENIDM) == 15


# one that is there


@pytest.mark.parametrize("server", [OPENIDM, PING, Server(CLOUD, "")])
def test_nothing_is_to_be_done_for_what_is_so_already(server):
    job = SIMPLE_JOB if server.repeats_simple else CRON_JOB
    assert plan(replace(ALL, interval=15), job, server=server).changes == []
    assert plan(ALL, job, server=server).changes == []


@pytest.mark.parametrize("cron", ["0/15 * * * * ?", "*/15  * * * * ? *", "0,15,30,45 * * 1/1 * ?"])
def test_another_spelling_is_not_a_change(cron):
    job = {**CRON_JOB, "schedule": cron}
    assert plan(replace(ALL, cron="0/15 * * * * ?"), job).changes == []
    assert plan(replace(ALL, interval=15), job, server=OPENIDM).changes == []


def test_an_expression_of_the_same_interval_stays_where_an_interval_is_one():
    made = plan(replace(ALL, interval=15, enabled=False), {**CRON_JOB, "schedule": "5/15 * * * * ?"}, server=OPENIDM)
    assert made.changes == ["enabled"]
    assert made.body["schedule"] == "5/15 * * * * ?"


def test_turning_it_off_leaves_all_else():
    job = {**CRON_JOB, "schedule": "0 0 3 ? * MON", "misfirePolicy": "doNothing", "invokeLogLevel": "debug", "odd": [1]}
    for server in (OPENIDM, PING):
        made = plan(replace(ALL, enabled=False), job, server=server)
        assert made.changes == ["enabled"]
        kept = {key: value for key, value in job.items() if key not in ("_id", "triggers", "nextRunDate", "enabled")}
        assert made.body == {**kept, "enabled": False}


def test_unknown_keys_of_the_context_stay_with_a_new_load_record():
    job = {**CRON_JOB, "invokeContext": {**CONTEXT, "globals": {}, "initialLoad": {"old": {"recon": "0"}}}}
    record = {"m": {"recon": "1"}}
    made = plan(replace(ALL, load_record=record), job)
    assert made.changes == ["invoke_context"]
    assert made.body["invokeContext"] == {**CONTEXT, "globals": {}, "initialLoad": record}
    assert plan(replace(ALL, load_record=None), job).changes == []
    assert plan(replace(ALL, load_record={}), job).body["invokeContext"] == {**CONTEXT, "globals": {}}
    assert plan(replace(ALL, load_record={}), CRON_JOB).changes == []


def test_the_spelling_of_the_context_stays():
    context = {"action": "livesync", "source": "system/ldap/account/"}
    made = plan(replace(ALL, enabled=False), {**CRON_JOB, "invokeContext": context})
    assert made.body["invokeContext"] == context


def test_cron_becomes_simple_and_leaves_nothing_behind():
    job = {**CRON_JOB, "misfirePolicy": "doNothing", "isCron": True, "repeatInterval": 0, "repeatCount": 0}
    made = plan(replace(ALL, interval=30), job)
    assert made.changes == ["type", "cron", "interval", "repeat_count", "misfire_policy"]
    expected = {"type": "simple", "schedule": None, "repeatInterval": 30000, "repeatCount": -1, "isCron": False}
    assert {key: made.body[key] for key in expected} == expected
    assert made.body["misfirePolicy"] == "fireAndProceed"


def test_simple_becomes_cron_and_leaves_nothing_behind():
    made = plan(replace(ALL, cron="0 0 3 * * ?", misfire_policy="doNothing"), {**SIMPLE_JOB, "isCron": False})
    expected = {"type": "cron", "schedule": "0 0 3 * * ?", "repeatInterval": 0, "repeatCount": 0, "isCron": True}
    assert {key: made.body[key] for key in expected} == expected
    assert made.body["misfirePolicy"] == "doNothing"


def test_a_simple_schedule_of_another_interval_or_an_end_repeats_for_ever():
    made = plan(replace(ALL, interval=15), {**SIMPLE_JOB, "repeatInterval": 5000, "repeatCount": 3})
    assert made.changes == ["interval", "repeat_count"]
    assert (made.body["repeatInterval"], made.body["repeatCount"]) == (15000, -1)


def test_simple_can_only_fire_at_once_after_a_misfire():
    for job in (None, SIMPLE_JOB, CRON_JOB):
        with pytest.raises(InvalidOption, match="misfire_policy"):
            plan(replace(ALL, interval=15, misfire_policy="doNothing"), job)
    assert (
        plan(replace(ALL, interval=15, misfire_policy="doNothing"), server=OPENIDM).body["misfirePolicy"] == "doNothing"
    )


def test_a_one_shot_of_the_fork_has_to_become_something_that_repeats():
    with pytest.raises(InvalidOption, match="fires once"):
        plan(ALL, SIMPLE_JOB, server=OPENIDM)
    assert plan(replace(ALL, enabled=False), SIMPLE_JOB, server=OPENIDM).changes == ["enabled"]
    assert plan(replace(ALL, interval=15), SIMPLE_JOB, server=OPENIDM).body["schedule"] == "0/15 * * * * ?"


def test_concurrent_execution_is_switched_off():
    made = plan(ALL, {**CRON_JOB, "concurrentExecution": True})
    assert made.changes == ["concurrent"]
    assert made.body["concurrentExecution"] is False


# times


def test_times_are_given_changed_and_removed():
    job = {**CRON_JOB, "startTime": "2027-01-01T00:00:00", "endTime": None}
    assert plan(replace(ALL, start_time="2027-01-01T00:00:00", end_time=""), job).changes == []
    assert plan(ALL, job).body["startTime"] == "2027-01-01T00:00:00"
    made = plan(replace(ALL, start_time="", end_time="2028-01-01T00:00:00Z"), job)
    assert made.changes == ["start_time", "end_time"]
    assert (made.body["startTime"], made.body["endTime"]) == (None, "2028-01-01T00:00:00Z")


def test_an_end_that_is_over_or_before_the_start_is_refused():
    with pytest.raises(InvalidOption, match="end_time: .* is over"):
        plan(replace(ALL, end_time="2026-11-24T11:00:00Z"), CRON_JOB)
    with pytest.raises(InvalidOption, match="end_time: .* after start_time"):
        plan(replace(ALL, start_time="2028-01-01T00:00:00", end_time="2027-01-01T00:00:00"), CRON_JOB)
    assert plan(replace(ALL, enabled=False, end_time="2026-11-24T11:00:00Z"), CRON_JOB).changes == [
        "enabled",
        "end_time",
    ]


# where it is kept


def test_auto_leaves_it_where_it_is():
    config = {key: value for key, value in CRON_JOB.items() if key not in ("_id", "triggers", "nextRunDate")}
    assert plan(ALL, CRON_JOB).after.storage == JOB
    made = plan(replace(ALL, enabled=False), CRON_JOB, config)
    assert made.after.storage == CONFIG and made.changes == ["enabled"] and not made.moves


def test_a_move_is_a_change():
    config = {key: value for key, value in CRON_JOB.items() if key not in ("_id", "triggers", "nextRunDate")}
    for wanted, job, stored in ((CONFIG, CRON_JOB, None), (JOB, CRON_JOB, config)):
        made = plan(replace(ALL, storage=wanted), job, stored)
        assert made.changes == ["storage"] and made.moves and made.writes
        assert made.after.storage == wanted
    assert plan(replace(ALL, storage=CONFIG), CRON_JOB, config).changes == []


def test_a_config_document_without_its_job_is_written_again():
    config = {key: value for key, value in CRON_JOB.items() if key not in ("_id", "triggers", "nextRunDate")}
    assert plan(ALL, None, config).changes == ["activation"]
    assert plan(ALL, {**CRON_JOB, "schedule": "0 0 3 * * ?"}, config).changes == ["activation"]


# paused


def test_a_pause_stays_unless_it_is_told_to_end():
    job = {**SIMPLE_JOB, "triggers": [{"state": 1}]}
    made = plan(replace(ALL, interval=30), job)
    assert made.after.paused and made.changes == ["interval"]
    assert plan(ALL, job).changes == []
    ended = plan(replace(ALL, paused=False), job)
    assert ended.changes == ["paused"] and not ended.writes and not ended.after.paused
    begun = plan(replace(ALL, paused=True), SIMPLE_JOB)
    assert begun.changes == ["paused"] and begun.after.paused
    assert plan(replace(ALL, enabled=False, paused=True), SIMPLE_JOB).changes == ["enabled"]


def test_a_single_job_cannot_be_paused_on_the_fork():
    with pytest.raises(InvalidOption, match="paused"):
        plan(replace(ALL, paused=True), CRON_JOB, server=OPENIDM)
    with pytest.raises(InvalidOption, match="paused"):
        plan(replace(ALL, paused=False), {**CRON_JOB, "triggers": [{"state": 1}]}, server=OPENIDM)
    assert plan(replace(ALL, paused=False), CRON_JOB, server=OPENIDM).changes == []


# placeholders

STORED = {
    "enabled": {"$bool": "&{esv.on}"},
    "persisted": True,
    "type": "cron",
    "schedule": "&{esv.cron}",
    "concurrentExecution": False,
    "invokeService": "provisioner",
    "invokeContext": CONTEXT,
}


def test_a_placeholder_stays_where_it_stands_for_what_is_wanted():
    assert plan(replace(ALL, cron="0/15 * * * * ?"), CRON_JOB, STORED).changes == []
    assert plan(replace(ALL, interval=15), CRON_JOB, STORED).changes == []
    assert plan(replace(ALL, interval=15), CRON_JOB, STORED, OPENIDM).changes == []
    made = plan(replace(ALL, start_time="2027-01-01T00:00:00"), CRON_JOB, STORED)
    assert made.changes == ["start_time"]
    assert {key: made.body[key] for key in STORED} == STORED


def test_a_placeholder_that_stands_for_something_else_is_not_overwritten():
    with pytest.raises(InvalidOption, match=r"enabled: False .*&\{esv.on\}.* for True"):
        plan(replace(ALL, enabled=False), CRON_JOB, STORED)
    with pytest.raises(InvalidOption, match=r"cron: .*&\{esv.cron\}"):
        plan(replace(ALL, cron="0 0 3 * * ?"), CRON_JOB, STORED)
    for server in (OPENIDM, PING):
        with pytest.raises(InvalidOption, match=r"&\{esv.cron\}"):
            plan(replace(ALL, interval=30), CRON_JOB, STORED, server)


def test_a_placeholder_stays_when_it_is_given_again_and_can_replace_a_value():
    given = replace(ALL, enabled={"$bool": "&{esv.on}"}, cron="&{esv.cron}")
    assert plan(given, {**CRON_JOB, "enabled": False}, STORED).changes == []
    made = plan(replace(given, storage=CONFIG), CRON_JOB)
    assert made.body["enabled"] == {"$bool": "&{esv.on}"} and made.body["schedule"] == "&{esv.cron}"


def test_an_interval_can_be_a_placeholder_where_simple_repeats():
    every = {"$int": "&{esv.every}"}
    made = plan(replace(ALL, interval=every, storage=CONFIG))
    assert made.body["repeatInterval"] == every
    config = dict(made.body)
    assert plan(replace(ALL, interval=every), SIMPLE_JOB, config).changes == []
    assert plan(replace(ALL, interval=15), SIMPLE_JOB, config).changes == []
    with pytest.raises(InvalidOption, match=r"interval: .*&\{esv.every\}"):
        plan(replace(ALL, interval=30), SIMPLE_JOB, config)
    with pytest.raises(InvalidOption, match="cron alone"):
        plan(replace(ALL, interval=every, storage=CONFIG), server=OPENIDM)


def test_a_placeholder_is_for_the_configuration_alone():
    for given in ({"cron": "&{esv.cron}"}, {"interval": 15, "enabled": {"$bool": "&{esv.on}"}}):
        for job in (None, CRON_JOB):
            with pytest.raises(InvalidOption, match="storage: config"):
                plan(replace(ALL, **given), job)
    with pytest.raises(InvalidOption, match="storage: config"):
        plan(WantedSchedule(SOURCE, storage=JOB), None, STORED)  # nothing says what they stand for


def test_a_move_into_the_scheduler_takes_what_the_placeholders_stand_for():
    made = plan(WantedSchedule(SOURCE, storage=JOB), CRON_JOB, STORED)
    assert "storage" in made.changes and made.moves
    assert (made.body["enabled"], made.body["schedule"]) == (True, "0/15 * * * * ?")


# options


def options(**given):
    return {"source": "system/ldap/account", "storage": "auto", "enabled": True, **given}


def test_options_become_what_is_wanted():
    wanted = wanted_of(options(name="n", interval=15, persisted=True, enabled="no", load_record={"m": {}}))
    assert wanted == WantedSchedule(
        SOURCE, "n", False, interval=15, persisted=True, concurrent=False, load_record={"m": {}}
    )


@pytest.mark.parametrize("source", ["", "ldap", "system/ldap", "system/ldap/account/x", "managed/user"])
def test_a_source_of_another_form_is_refused(source):
    with pytest.raises(InvalidOption, match="source"):
        wanted_of(options(source=source))


@pytest.mark.parametrize("cron", ["0 0 12 30 2 ?", "0 0 12 1 1 ? 2020", "0 0 12 ? 1 MON 2026"])
@pytest.mark.parametrize("job", [None, CRON_JOB])
def test_a_schedule_that_never_fires_is_refused_before_it_is_written(cron, job):
    with pytest.raises(InvalidOption, match="would never fire") as caught:
        plan(replace(ALL, cron=cron), job)
    assert caught.value.option == "cron"
    assert plan(replace(ALL, cron=cron, enabled=False), job).writes


def test_what_is_wrong_on_every_server_is_refused_without_one():
    for option, given in {
        "interval": {"interval": 15, "cron": "0/15 * * * * ?"},
        "cron": {"cron": "0 0 99 * * ?"},
        "start_time": {"interval": 15, "start_time": "tomorrow"},
        "end_time": {"interval": 15, "start_time": "2027-02-01T00:00:00", "end_time": "2027-01-01T00:00:00"},
        "name": {"interval": 15, "name": ""},
    }.items():
        with pytest.raises(InvalidOption) as caught:
            wanted_of(options(**{"name": "n", **given}))
        assert caught.value.option == option


@pytest.mark.parametrize("value", ["maybe", 2, [], {"a": 1}, ""])
def test_what_is_neither_true_nor_false_is_refused(value):
    with pytest.raises(InvalidOption, match="enabled"):
        checked_flag("enabled", value)


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), ("Yes", True), ("0", False), (0, False), (None, None), ({"$bool": "&{x}"}, {"$bool": "&{x}"})],
)
def test_a_flag_may_be_a_text_or_a_placeholder(value, flag):
    assert checked_flag("enabled", value) == flag


@pytest.mark.parametrize(("live", "changes"), [(True, []), (False, ["persisted"])])
def test_what_a_document_leaves_to_the_server_is_left_to_it_where_it_does_what_is_wanted(live, changes):
    document = {key: value for key, value in SIMPLE_JOB.items() if key != "persisted"}
    made = plan(ALL, job={**SIMPLE_JOB, "persisted": live}, config=document)
    assert made.changes == changes
