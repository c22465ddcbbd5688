# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each setting of a job means, and what each wish makes of what there is: word for word."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from datetime import datetime, timezone

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import CLOUD, FORK, IDM, Server
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import CONFIG, JOB, Schedule
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import Found, decide_schedule
from ansible_collections.idmops.idm.plugins.module_utils._schedule.wanted import WantedSchedule, wanted_of
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)
SOURCE = Source("ldap", "account")
NAME = "liveSync_ldap_account"
SERVERS = {"OpenIDM": Server(FORK, "6.1.0"), "IDM": Server(IDM, "8.1.0"), "the cloud": Server(CLOUD, "")}
HIDDEN = "&{esv.x}"
CONTEXT = {"action": "liveSync", "source": str(SOURCE)}
DOCUMENT = {
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
SIMPLE = {"type": "simple", "schedule": None, "repeatInterval": 15000, "repeatCount": -1}


def triggers(*states, **more):
    return {"triggers": [{"state": state, **more} for state in states]}


JOBS = {
    "as usual": {},
    "off": {"enabled": False},
    "nothing stated": dict.fromkeys(set(DOCUMENT) - {"_id"}),
    "enabled hidden": {"enabled": {"$bool": HIDDEN}},
    "of a document": {"_id": "schedule/other"},
    "without an id": {"_id": None},
    "simple": SIMPLE,
    "simple, a fraction": {**SIMPLE, "repeatInterval": 1500},
    "simple, once": {**SIMPLE, "repeatCount": 0},
    "simple, without a count": {**SIMPLE, "repeatCount": None},
    "simple, hidden": {**SIMPLE, "repeatInterval": HIDDEN},
    "simple, true": {**SIMPLE, "repeatInterval": True},
    "simple, of no time": {**SIMPLE, "repeatInterval": 0},
    "an irregular cron": {"schedule": "0 0 3,4 * * ?"},
    "a Provisioner": {"invokeService": "Provisioner"},
    "another service": {"invokeService": "org.forgerock.openidm.Sync"},
    "another action": {"invokeContext": {**CONTEXT, "action": "reconcile"}},
    "its action in small letters": {"invokeContext": {**CONTEXT, "action": "livesync"}},
    "its other action": {"invokeContext": {**CONTEXT, "action": "activeSync"}},
    "no context": {"invokeContext": "x"},
    "no source": {"invokeContext": {"action": "liveSync"}},
    "a source that is none": {"invokeContext": {**CONTEXT, "source": "x y"}},
    "a script": {
        "invokeService": "script",
        "invokeContext": {"script": {"source": "x('SYSTEM/ldap/account', liveSync)"}},
    },
    "a script of something else": {
        "invokeService": "script",
        "invokeContext": {"script": {"source": "x('system/ldap/account')"}},
    },
    "a script in a file": {
        "invokeService": "script",
        "invokeContext": {"script": {"file": "system/ldap/account livesync"}},
    },
    "loaded": {"invokeContext": {**CONTEXT, "initialLoad": {"m": {"recon": "r"}}}},
    "loaded by a text": {"invokeContext": {**CONTEXT, "initialLoad": "m"}},
    "no trigger": {"triggers": []},
    "a trigger that is none": {"triggers": ["x"]},
    "mute": {"triggers": [{"name": "x"}]},
    **{f"state {state}": triggers(state) for state in range(-1, 7)},
    "running, paused before": triggers(4, previous_state=1),
    "paused and taken": triggers(1, acquired=True),
    "paused and taken, beside itself": {**triggers(1, acquired=True), "concurrentExecution": True},
    "paused, beside itself": {**triggers(1), "concurrentExecution": "true"},
    "two triggers": triggers(0, 1),
    "times": {"startTime": "2026-11-24T10:00:00", "endTime": "2027-01-01T00:00:00Z", "timeZone": "UTC"},
    "log level": {"invokeLogLevel": "debug", "misfirePolicy": "doNothing"},
}
TOLD = (
    "meant",
    "names",
    "does_nothing",
    "fires_once_more",
    "goes_on",
    "mute",
    "interval_seconds",
    "type",
    "repeat_count",
    "log_level",
    "service",
)


def told(job):
    shown = {**job.as_result(), **{name: getattr(job, name) for name in TOLD}}
    shown.update(calls=job.calls(str(SOURCE)), fires=job.fires_for(str(SOURCE)))
    return [f"{name}: {value}" for name, value in shown.items()]


def test_what_each_setting_means():
    usual = told(Schedule.parse(DOCUMENT))
    found = {
        name: told(Schedule.parse({**DOCUMENT, **more}, JOB if name == "off" else None)) for name, more in JOBS.items()
    }
    found = {name: [one for one in lines if one not in usual] for name, lines in found.items()}
    compare(FILES / "jobs.yml", "What a job is, and what each setting makes another.", {**found, "as usual": usual})


OPTIONS = {"source": str(SOURCE), "storage": "auto"}
WISHES = {
    "nothing": {},
    "off": {"enabled": "no"},
    "on": {"enabled": "yes"},
    "perhaps": {"enabled": "perhaps"},
    "enabled hidden": {"enabled": {"$bool": HIDDEN}},
    "every 15 s": {"interval": 15},
    "every 30 s": {"interval": "30"},
    "every 7 s": {"interval": 7},
    "every 1.5 s": {"interval": 1.5},
    "every 0 s": {"interval": 0},
    "every 1 ms": {"interval": 0.001},
    "every true": {"interval": True},
    "an interval hidden": {"interval": HIDDEN},
    "the same cron": {"cron": "*/15  * * * * ?"},
    "another cron": {"cron": "0 0 3 * * ?"},
    "a cron that is over": {"cron": "0 0 3 1 1 ? 2020"},
    "no cron": {"cron": "often"},
    "a cron hidden": {"cron": HIDDEN},
    "both": {"interval": 15, "cron": "0 0 3 * * ?"},
    "a blank name": {"name": " "},
    "in the configuration": {"storage": "config"},
    "as a job": {"storage": "job"},
    "from a time": {"start_time": "2027-01-31T04:30:00"},
    "from a time with an offset": {"start_time": "2027-01-31T04:30:00Z"},
    "from no time": {"start_time": "soon"},
    "until a time": {"end_time": "2027-01-31T04:30:00"},
    "until a time that is over": {"end_time": "2020-01-31T04:30:00"},
    "until a time before its start": {"start_time": "2027-02-01T00:00:00", "end_time": "2027-01-31T04:30:00"},
    "no times": {"start_time": "", "end_time": ""},
    "not persisted": {"persisted": False},
    "another policy": {"misfire_policy": "doNothing"},
    "loaded": {"load_record": {"m": {"recon": "r"}}},
    "not loaded": {"load_record": {}},
    "paused": {"paused": True},
    "not paused": {"paused": False},
    "paused and off": {"paused": True, "enabled": False},
}
THERE = {
    "a job": ({}, None),
    "nothing": (None, None),
    "a job that is off": ({"enabled": False}, None),
    "a simple job": (SIMPLE, None),
    "a paused job": (triggers(1), None),
    "a document": ({}, {}),
    "a document with a placeholder": ({}, {"enabled": {"$bool": HIDDEN}}),
    "a document that is not in force": ({"enabled": False}, {}),
}


def found_of(job, document):
    there = {key: value for key, value in DOCUMENT.items() if key not in ("triggers", "nextRunDate")}
    return Found(
        NAME,
        None if job is None else Schedule.parse({**DOCUMENT, **job}),
        None if document is None else Schedule.parse({**there, **document, "_id": f"schedule/{NAME}"}, CONFIG),
    )


def decided(wish, there, server):
    try:
        wanted = replace(wanted_of({**OPTIONS, **wish}), concurrent=False)
        plan = decide_schedule(found_of(*there), wanted, server, NOW)
    except InvalidOption as exc:
        return exc.message
    now = plan.after.managed()
    before = plan.before.managed() if plan.before else {}
    made = {name: value for name, value in now.items() if value != before.get(name)}
    body = {key: value for key, value in plan.body.items() if value != DOCUMENT.get(key)} if plan.writes else {}
    return f"{', '.join(plan.changes) or 'no change'}{', moves' if plan.moves else ''}: {made} by {body}"


def test_what_each_wish_makes_of_what_there_is():
    found = {}
    for wish, options in WISHES.items():
        for there, documents in THERE.items():
            said = {name: decided(options, documents, server) for name, server in SERVERS.items()}
            if len(set(said.values())) == 1:
                said = {"all": said["IDM"]}
            if there not in ("a job", "nothing") and said == found.get(f"{wish}, of a job"):
                continue  # as of a job
            found[f"{wish}, of {there}"] = said
    told = {name: [f"{server}: {said}" for server, said in one.items()] for name, one in found.items()}
    timed = {name for name, options in WISHES.items() if set(options) & {"interval", "cron", "start_time", "end_time"}}
    for file, those in (("when.yml", True), ("wishes.yml", False)):
        lines = {name: said for name, said in told.items() if (name.partition(", ")[0] in timed) is those}
        compare(FILES / file, "What each wish makes of what there is; where it is not named, as of a job.", lines)


def test_what_is_left_out_stays_as_it_is():
    wanted = WantedSchedule(SOURCE)
    for server in SERVERS.values():
        plan = decide_schedule(found_of({}, None), wanted, server, NOW)
        assert not plan.changes and not plan.writes and not plan.moves
