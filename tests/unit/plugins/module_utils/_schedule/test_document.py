# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal form of schedules, over key sets that exist in the wild.

The documents A to J are those of the project's notes, "Recorded HTTP answers", section 5, by their letters there; what
a server adds on reading is from "ForgeRock / Ping IDM", section 2.4, and "OpenIDM family over REST", section 4.2.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import (
    Schedule,
    body_of,
    checked_time,
    differences,
    is_past,
    is_placeholder,
    same_time,
    unmet,
)

RECON = {"action": "reconcile", "mapping": "managedUser_managedGroup"}
LIVESYNC = {"action": "liveSync", "source": "system/ldap/account"}
A = {  # made by the user interface, cron, Advanced Identity Cloud 2026-05
    "_id": "schedule/testScheduleJob",
    "concurrentExecution": False,
    "enabled": False,
    "endTime": None,
    "invokeContext": RECON,
    "invokeLogLevel": "info",
    "invokeService": "sync",
    "isCron": True,
    "misfirePolicy": "fireAndProceed",
    "persisted": True,
    "schedule": "0 0 * * * ?",
    "startTime": None,
    "timeZone": None,
    "type": "cron",
}
B = {  # made by the user interface, on premises 8.x: cron with zeroed repeat fields
    **{key: value for key, value in A.items() if key != "timeZone"},
    "recoverable": False,
    "repeatCount": 0,
    "repeatInterval": 0,
    "schedule": "0 0 0 * * ?",
}
C = {  # made by the user interface, simple, an offset in startTime, no schedule
    **{key: value for key, value in B.items() if key != "schedule"},
    "isCron": False,
    "repeatCount": 5,
    "repeatInterval": 155520000000,
    "startTime": "2026-06-06T00:00:00+04:15",
    "type": "simple",
}
D = {**C, "repeatCount": 0, "repeatInterval": 0, "schedule": None, "startTime": None}  # ran once
E = {  # taskscanner: simple with a cron string and null repeat fields, extra keys
    **{key: value for key, value in A.items() if key != "timeZone"},
    "invokeContext": {"task": {"script": {"type": "text/javascript"}}},
    "invokeService": "taskscanner",
    "isCron": False,
    "managedObject": "alpha_user",
    "repeatCount": None,
    "repeatInterval": None,
    "schedule": "0 0 * * * ?",
    "scriptProperty": "/sunset",
    "type": "simple",
}
F = {  # the product's own, eight keys
    "_id": "schedule/taskscan_activate",
    "concurrentExecution": False,
    "enabled": False,
    "invokeContext": {"waitForCompletion": False},
    "invokeService": "taskscanner",
    "persisted": True,
    "repeatInterval": 86400000,
    "type": "simple",
}
G = {  # written by hand, the least
    "_id": "schedule/mock-cleanup",
    "enabled": True,
    "invokeContext": {"script": {"type": "text/javascript"}},
    "invokeService": "script",
    "misfirePolicy": "fireAndProceed",
    "persisted": True,
    "schedule": "0 0 3 1 1 ? 2099",
    "type": "cron",
}
H = {  # production: a name with blanks, a placeholder for the expression
    "_id": "EWF Users to alpha_user",
    "concurrentExecution": False,
    "enabled": False,
    "endTime": None,
    "invokeContext": {"action": "reconcile", "mapping": "webfilingUser_alphaUser"},
    "invokeLogLevel": "info",
    "invokeService": "sync",
    "misfirePolicy": "fireAndProceed",
    "persisted": True,
    "recoverable": True,
    "repeatCount": 0,
    "repeatInterval": 0,
    "schedule": "&{esv.abc.reconscheduleuserscronexp}",
    "startTime": None,
    "type": "cron",
}
I = {  # noqa: E741  (liveSync, written by hand, PingIDM 8.1.1)
    "concurrentExecution": False,
    "enabled": False,
    "invokeContext": {"action": "liveSync", "source": "system/databricks/businessRecord"},
    "invokeService": "provisioner",
    "persisted": True,
    "repeatInterval": 5000,
    "type": "simple",
}
J = {  # liveSync as the platform's user interface writes it
    "_id": "livesync",
    "concurrentExecution": False,
    "enabled": True,
    "endTime": None,
    "invokeContext": LIVESYNC,
    "invokeLogLevel": "info",
    "invokeService": "org.forgerock.openidm.provisioner",
    "misfirePolicy": "fireAndProceed",
    "persisted": True,
    "recoverable": False,
    "repeatCount": -1,
    "repeatInterval": 3600000,
    "startTime": "2099-12-31T23:59:59Z",
    "triggers": [],
    "type": "simple",
}
#: A job of the open fork as it answers a PUT (seen on OpenIDM 6.1.0).
FORK_JOB = {
    "_id": "liveSync_ldap_account",
    "enabled": True,
    "persisted": True,
    "misfirePolicy": "fireAndProceed",
    "schedule": "0/15 * * * * ?",
    "type": "cron",
    "invokeService": "org.forgerock.openidm.provisioner",
    "invokeContext": LIVESYNC,
    "invokeLogLevel": "info",
    "timeZone": None,
    "startTime": None,
    "endTime": None,
    "concurrentExecution": False,
    "triggers": [
        {
            "serialized": "rO0AB",
            "name": "trigger-liveSync_ldap_account",
            "group": "scheduler-service-group",
            "previous_state": -1,
            "state": 0,
            "acquired": False,
            "nodeId": None,
            "_id": "scheduler-service-group_$x$x$_trigger-liveSync_ldap_account",
            "_rev": "1",
        }
    ],
    "nextRunDate": "2026-11-24T13:00:15.000Z",
}


def as_job(document):
    """Return what IDM 7.x answers for the job that a document makes ("ForgeRock / Ping IDM", section 2.4)."""
    simple = document["type"] == "simple"
    count = document.get("repeatCount")
    return {
        "_id": document.get("_id", "").replace("schedule/", "") or "job",
        "enabled": document["enabled"],
        "persisted": document["persisted"],
        "recoverable": document.get("recoverable", False),
        "misfirePolicy": document.get("misfirePolicy", "fireAndProceed"),
        "schedule": None if simple else document["schedule"],
        "repeatInterval": document.get("repeatInterval") or 0 if simple else 0,
        "repeatCount": (-1 if count is None else count) if simple else 0,
        "type": document["type"],
        "invokeService": "org.forgerock.openidm." + document["invokeService"].rpartition(".")[2],
        "invokeContext": document["invokeContext"],
        "invokeLogLevel": document.get("invokeLogLevel", "info"),
        "startTime": document.get("startTime"),
        "endTime": document.get("endTime"),
        "concurrentExecution": document.get("concurrentExecution", False),
        "triggers": [],
        "previousRunDate": None,
        "nextRunDate": None,
    }


def diff(one, other):
    return differences(Schedule.parse(one), Schedule.parse(other))


@pytest.mark.parametrize("document", [A, B, C, D, F, G, H, I, J], ids="ABCDFGHIJ")
def test_a_document_equals_the_job_that_it_makes(document):
    assert diff(document, as_job(document)) == []


def test_a_simple_schedule_without_an_interval_fires_once_and_equals_one_with_zero():
    """Key set E carries null and a cron string; what it does is what D does, but for its count."""
    assert Schedule.parse(E).cron is None
    assert diff({**E, "repeatInterval": 0, "schedule": None}, E) == ["interval"]
    assert Schedule.parse(E).interval_seconds is None
    assert Schedule.parse(D).interval_seconds is None


@pytest.mark.parametrize("document", [A, B, C, D, E, F, G, H, I, J, FORK_JOB], ids=[*"ABCDEFGHIJ", "fork"])
def test_no_document_changes_by_being_read_and_sent(document):
    sent = body_of(document)
    assert diff(document, sent) == []
    assert not {"_id", "_rev", "triggers", "nextRunDate", "previousRunDate"} & set(sent)
    assert all(sent[key] == document[key] for key in sent)


@pytest.mark.parametrize(
    ("document", "same"),
    [
        (A, {key: value for key, value in A.items() if key not in ("timeZone", "isCron", "startTime", "endTime")}),
        (A, {**A, "recoverable": False, "repeatCount": 0, "repeatInterval": 0}),  # as B has them
        (A, {**A, "_id": "other", "isCron": False, "managedObject": "x", "scriptProperty": "y"}),
        (B, {**B, "schedule": "0 0 0 * * ? *", "invokeService": "org.forgerock.openidm.sync"}),
        (C, {**C, "startTime": "2026-06-05T19:45:00Z", "schedule": "0 0 * * * ?"}),
        (D, {key: value for key, value in D.items() if key != "schedule"}),
        (F, {**F, "repeatCount": -1, "schedule": None, "misfirePolicy": "fireAndProceed", "invokeLogLevel": "info"}),
        (F, {**F, "invokeService": "org.forgerock.openidm.taskScanner"}),
        (G, {**G, "enabled": "true", "persisted": "true", "concurrentExecution": False, "endTime": None}),
        (H, {**H, "repeatCount": None, "repeatInterval": None}),
        (I, {**I, "repeatCount": -1, "startTime": None, "invokeService": "org.forgerock.openidm.provisioner"}),
        (J, {**J, "startTime": "2099-12-31T23:59:59+00:00", "repeatCount": None}),
        (J, {**J, "startTime": "2099-12-31T23:59:59"}),
        (FORK_JOB, {**FORK_JOB, "schedule": "*/15 * * * * ?", "nextRunDate": None, "triggers": []}),
    ],
)
def test_documents_that_mean_the_same_are_equal(document, same):
    assert diff(document, same) == []


@pytest.mark.parametrize(
    ("document", "other", "names"),
    [
        (A, B, ["cron"]),
        (B, {**B, "type": "simple"}, ["type", "cron", "interval", "repeat_count"]),
        (C, {**C, "repeatInterval": 155520001000}, ["interval"]),
        (C, {**C, "startTime": "2026-06-06T00:00:00+04:00"}, ["start_time"]),
        (D, {**D, "repeatCount": -1}, ["repeat_count"]),
        (F, {**F, "enabled": True}, ["enabled"]),
        (G, {key: value for key, value in G.items() if key != "persisted"}, ["persisted"]),
        (H, {**H, "schedule": "0 0 * * * ?"}, ["cron"]),
        (I, {**I, "invokeContext": {**I["invokeContext"], "globals": {}}}, ["invoke_context"]),
        (J, {**J, "concurrentExecution": True, "misfirePolicy": "doNothing"}, ["misfire_policy", "concurrent"]),
        (FORK_JOB, {**FORK_JOB, "timeZone": "Europe/Berlin"}, ["time_zone"]),
    ],
)
def test_documents_that_do_not_are_told_apart_by_name(document, other, names):
    assert diff(document, other) == names


def test_only_livesync_has_a_source():
    assert [Schedule.parse(document).source for document in (A, E, G)] == [None, None, None]
    assert Schedule.parse(I).source == "system/databricks/businessRecord"
    assert Schedule.parse(J).source == Schedule.parse(FORK_JOB).source == "system/ldap/account"
    lower = {**J, "invokeContext": {"action": "livesync", "source": "system/ldap/account/"}}
    assert Schedule.parse(lower).source == "system/ldap/account"


def test_a_name_is_without_the_path_of_the_configuration():
    assert Schedule.parse(A).name == "testScheduleJob"
    assert Schedule.parse(H).name == "EWF Users to alpha_user"


def test_a_job_says_when_it_runs_and_whether_it_is_paused_or_running():
    job = Schedule.parse(FORK_JOB)
    assert (job.next_run, job.paused, job.running) == ("2026-11-24T13:00:15.000Z", False, False)
    states = {
        1: (True, False),
        4: (False, True),
        "PAUSED": (True, False),
        "NORMAL": (False, False),
        None: (False, False),
    }
    for state, wanted in states.items():
        found = Schedule.parse({**FORK_JOB, "triggers": [{"state": state}]})
        assert (found.paused, found.running) == wanted
    assert not Schedule.parse({**FORK_JOB, "triggers": [{}]}).paused  # as the fork shows what it cannot read
    assert not Schedule.parse({**FORK_JOB, "triggers": None}).paused


def test_the_interval_is_known_of_both_types():
    assert Schedule.parse(FORK_JOB).interval_seconds == 15
    assert Schedule.parse(I).interval_seconds == 5
    assert Schedule.parse({**I, "repeatInterval": 1500}).interval_seconds == 1.5
    assert Schedule.parse(H).interval_seconds is None
    assert Schedule.parse({**I, "repeatInterval": {"$int": "&{esv.x}"}}).interval_seconds is None


def test_the_load_record_is_in_the_invoke_context():
    record = {"systemLdapAccount_managedUser": {"recon": "1", "time": "2026-11-24T12:00:00Z", "idm": []}}
    assert Schedule.parse({**I, "invokeContext": {**LIVESYNC, "initialLoad": record}}).load_record == record
    assert Schedule.parse(I).load_record == {}


def test_placeholders_are_known_and_kept():
    document = {
        **I,
        "enabled": {"$bool": "&{esv.on}"},
        "repeatInterval": {"$int": "&{esv.every}"},
        "startTime": "&{esv.start}",
        "persisted": "&{esv.kept}",
    }
    schedule = Schedule.parse(document)
    assert schedule.enabled == {"$bool": "&{esv.on}"}
    assert schedule.interval == {"$int": "&{esv.every}"}
    assert (schedule.start_time, schedule.persisted) == ("&{esv.start}", "&{esv.kept}")
    assert diff(document, dict(document)) == []
    assert diff(document, {**document, "enabled": {"$bool": "&{esv.off}"}}) == ["enabled"]
    assert [
        is_placeholder(value) for value in ("x", None, True, {}, {"a": 1}, "a&{b}", {"$bool": "&{openidm.x|true}"})
    ] == ([False] * 5 + [True] * 2)


def test_what_a_job_lacks_is_named():
    wanted = Schedule.parse(FORK_JOB)
    names = ("enabled", "cron", "source", "persisted")
    assert unmet(wanted, None, names) == ["job"]
    assert unmet(wanted, wanted, names) == []
    assert unmet(wanted, replace(wanted, next_run=None), names) == ["next_run"]
    assert unmet(wanted, replace(wanted, enabled=False, next_run=None, cron="0 * * * * ?"), names) == [
        "enabled",
        "cron",
    ]
    assert unmet(replace(wanted, enabled={"$bool": "&{esv.on}"}), replace(wanted, enabled=False), names) == []
    assert unmet(replace(wanted, persisted=None), replace(wanted, persisted=False), names) == []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (None, None, True),
        ("2027-01-31T04:30:00", "2027-01-31 04:30:00", True),
        ("2027-01-31T04:30:00Z", "2027-01-31T05:30:00+01:00", True),
        ("2027-01-31T04:30:00Z", "2027-01-31T05:30:00+0100", True),
        ("2027-01-31T04:30:00.000Z", "2027-01-31T04:30:00Z", True),
        ("2027-01-31T04:30:00", "2027-01-31T04:30:00+01:00", True),  # kept in the server's own zone
        ("2027-01-31T03:30:00", "2027-01-31T04:30:00+01:00", True),  # kept as UTC
        ("2027-01-31T02:30:00", "2027-01-31T04:30:00+01:00", False),
        ("2027-01-31T04:30:00", "2027-01-31T04:30:01", False),
        ("2027-01-31T04:30:00", None, False),
        ("&{esv.a}", "&{esv.a}", True),
        ("&{esv.a}", "2027-01-31T04:30:00", False),
    ],
)
def test_times_are_compared_as_instants(first, second, same):
    assert same_time(first, second) is same
    assert same_time(second, first) is same


def test_times_are_sent_in_the_one_form():
    assert checked_time("start_time", "2027-01-31 04:30:00", offsets=False) == "2027-01-31T04:30:00"
    assert checked_time("start_time", "2027-01-31T04:30:00+01:00", offsets=True) == "2027-01-31T04:30:00+01:00"
    assert checked_time("start_time", "", offsets=True) is None
    assert checked_time("start_time", "&{esv.start}", offsets=False) == "&{esv.start}"


@pytest.mark.parametrize("value", ["tomorrow", "2027-01-31", "2027-13-31T04:30:00", "2027-01-31T04:30", "04:30:00", 5])
def test_what_is_not_a_time_is_refused(value):
    with pytest.raises(InvalidOption, match="end_time: .* Write it as in"):
        checked_time("end_time", value, offsets=True)


def test_an_offset_is_refused_where_the_server_would_refuse_it():
    """500 "Invalid format ... is malformed at "+02:00"" (seen on OpenIDM 6.1.0)."""
    with pytest.raises(InvalidOption, match="without an offset"):
        checked_time("end_time", "2027-01-31T04:30:00Z", offsets=False)


def test_a_time_without_an_offset_is_past_when_it_is_past_everywhere():
    now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)
    assert is_past("2026-11-24T11:59:59Z", now)
    assert not is_past("2026-11-24T12:00:01Z", now)
    assert is_past("2026-11-23T23:59:59", now)
    assert not is_past("2026-11-24T11:59:59", now)
    assert not is_past(None, now)
    assert not is_past("&{esv.end}", now)
