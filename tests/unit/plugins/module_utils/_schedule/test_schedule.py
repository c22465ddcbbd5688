# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules are read, written, seen to be active, and put back, on a scheduler in memory."""

from __future__ import annotations

import contextlib
import copy

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    Refused,
    TimedOut,
)
from ansible_collections.idmops.idm.plugins.module_utils._http.client import is_write
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import FORK, IDM, Server
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync import proved_schedule as scheduling
from ansible_collections.idmops.idm.plugins.module_utils._schedule import schedule as schedules
from ansible_collections.idmops.idm.plugins.module_utils._schedule.schedule import (
    CONFIG,
    JOB,
    WantedSchedule,
    apply_schedule,
    executing_sources,
    locate,
    read_schedules,
    remove_schedule,
    wait_until_idle,
)
from ansible_collections.idmops.idm.tests.unit.doubles.record import RECORDS
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, cut, down, refused

SOURCE = Source("ldap", "account")
OPENIDM, PING = Server(FORK, "6.1.0"), Server(IDM, "8.1.0")
NAME = "liveSync_ldap_account"
CONTEXT = {"action": "liveSync", "source": "system/ldap/account"}
CONNECTOR = {
    "_id": "provisioner.openicf/ldap",
    "name": "ldap",
    "connectorRef": {},
    "objectTypes": {"account": {}, "group": {}},
}
NEVER = "0 0 0 31W 2 ?"
NEVER_FIRES = "Based on configured schedule, the given trigger will never fire."


class Scheduler:
    """Answers as OpenIDM 6.1.0 does (seen), or, with ``ping``, keeps simple schedules and acts on single jobs.

    :param lag: how many reads a config document's job takes to appear; it is seen once and is away once more then.
    """

    url = "https://idm.example.com/openidm"

    def __init__(self, ping=False, check_mode=False, lag=0):
        self.ping, self.check_mode, self.lag = ping, check_mode, lag
        self.jobs, self.configs, self.paused = {}, {}, set()
        self.executing, self.sent = [], []
        self.dropped, self.faults, self.keeps_jobs = (), {}, False
        self._pending = {}
        self.nodes = ("node1",)
        #: How many changes of a document are undone, two requests later, by the file that IDM keeps of it (seen).
        self.gives_way, self._filed = 0, {}

    @property
    def settled(self):
        return not self._pending

    # the client

    def get(self, path, params=None, none_on=(), **unused):
        return self._request("GET", path, params, None, none_on)

    def put(self, path, body, params=None, none_on=(), **unused):
        return self._request("PUT", path, params, copy.deepcopy(body), none_on)

    def post(self, path, params, body=None, none_on=(), **unused):
        return self._request("POST", path, params, body, none_on)

    def delete(self, path, params=None, none_on=(), **unused):
        return self._request("DELETE", path, params, None, none_on)

    def query(self, path, query_filter="true", **params):
        return self.get(path, {"_queryFilter": query_filter, **params})["result"]

    @property
    def writes(self):
        return [(method, path) for method, path, params, unused in self.sent if is_write(method, params)]

    def _request(self, method, path, params, body, none_on):
        params = params or {}
        self.sent.append((method, path, params, body))
        assert not (self.check_mode and is_write(method, params)), f"a write in check mode: {method} {path}"
        fault = self.faults.get((method, path))
        if fault and fault[0] == "lost":
            self._answer(method, path, params, body)
            raise cut()
        if fault:
            raise self.faults.pop((method, path))[0]
        try:
            return self._answer(method, path, params, body)
        except Refused as exc:
            if exc.status in none_on:
                return None
            raise

    def _answer(self, method, path, params, body):
        self._read_files()
        kind, unused, name = path.rpartition("/")
        if path == "scheduler/job":
            return self._jobs(method, params, body)
        if path.startswith(RECORDS):
            raise refused(404)  # nobody has run anything here
        if path == "cluster":
            return {"results": [{"instanceId": name, "state": "running"} for name in self.nodes]}
        if kind == "scheduler/job":
            return self._job(method, name, params, body)
        if kind == "config/schedule":
            return self._config(method, name, params, body)
        if path == "config":
            return {"result": [CONNECTOR], "configurations": [CONNECTOR]}
        if kind == "config/provisioner.openicf":
            return CONNECTOR
        raise AssertionError(f"{method} {path} {params}")

    # the server

    def _jobs(self, method, params, body):
        action = params.get("_action")
        if action == "validateQuartzCronExpression":
            return {"valid": "BOG" not in body["cronExpression"]}
        if action == "listCurrentlyExecutingJobs":
            return self.executing.pop(0) if self.executing else []
        assert method == "GET" and not action
        if "_queryId" in params:
            return {"result": [{"_id": name} for name in [*self.jobs, "a ghost"]]}
        self._activate()
        return {"result": [self._shown(name) for name in self.jobs]}

    def _job(self, method, name, params, body):
        if method == "POST":
            assert self.ping, "OpenIDM has no actions of a single job"
            {"pause": self.paused.add, "resume": self.paused.discard}[params["_action"]](name)
            return {"success": True}
        if method == "PUT":
            return self._schedule(name, body)
        self._activate()
        if name not in self.jobs:
            raise refused(404, "Schedule does not exist")
        shown = self._shown(name)
        if method == "DELETE":
            del self.jobs[name]
        return shown

    def _config(self, method, name, params, body):
        if method != "GET" and name in self.configs and self.gives_way:
            self.gives_way -= 1
            self._filed[name] = (2, self.configs[name])
        if method == "PUT":
            assert params == {"waitForCompletion": "true"}
            self.configs[name] = body
            self._pending[name] = self.lag
            return {**body, "_id": f"schedule/{name}"}
        if name not in self.configs:
            raise refused(404, f"No configuration exists for id schedule/{name}")
        stored = self.configs[name]
        if method == "DELETE":
            del self.configs[name]
            self._pending.pop(name, None)
            if not self.keeps_jobs:
                self.jobs.pop(name, None)
        return {**stored, "_id": f"schedule/{name}"}

    def _read_files(self):
        for name, (left, filed) in list(self._filed.items()):
            if left:
                self._filed[name] = (left - 1, filed)
            else:
                del self._filed[name]
                self.configs[name], self._pending[name] = filed, 0

    def _activate(self):
        for name, left in list(self._pending.items()):
            if left > 0:
                self._pending[name] = left - 1
                continue
            self.jobs.pop(name, None)
            if left == -1:  # between the first activation and the second (seen on OpenIDM 6.1.0)
                self._pending[name] = -2
                continue
            if left == 0 and self.lag:
                self._pending[name] = -1
            else:
                del self._pending[name]
            with contextlib.suppress(Refused):
                self._schedule(name, self.configs[name])

    def _schedule(self, name, body):
        resolved = {key: self._resolved(value) for key, value in body.items()}
        self.jobs.pop(name, None)
        self.paused.discard(name)
        if resolved.get("schedule") == NEVER:
            raise refused(500, NEVER_FIRES)
        context = {key: value for key, value in resolved["invokeContext"].items() if key not in self.dropped}
        service = "org.forgerock.openidm." + resolved["invokeService"].rpartition(".")[2]
        self.jobs[name] = {**resolved, "invokeContext": context, "invokeService": service}
        return self._shown(name)

    @staticmethod
    def _resolved(value):
        return {"{'$bool': '&{esv.on}'}": True, "&{esv.cron}": "0/15 * * * * ?"}.get(str(value), value)

    def _shown(self, name):
        job = self.jobs[name]
        triggers = [{"state": 1 if name in self.paused else 0}] if job["enabled"] else []
        extra = {"invokeLogLevel": "info", "timeZone": None, "startTime": None, "endTime": None}
        next_run = "2026-11-24T13:00:15.000Z" if job["enabled"] else None
        return {**extra, **copy.deepcopy(job), "_id": name, "triggers": triggers, "nextRunDate": next_run}


def apply(client, server=OPENIDM, check_mode=False, test=None, **wanted):
    heard = context(check_mode)
    given = {"enabled": True, "persisted": True, "concurrent": False, **wanted}
    applied = apply_schedule(client, server, WantedSchedule(SOURCE, **given), heard, test)
    return applied, heard.report.warnings


class ListsNothing(Scheduler):
    """A server whose list of jobs leaves out what there is."""

    def _jobs(self, method, params, body):
        return {"result": []} if "_queryFilter" in params else super()._jobs(method, params, body)


def test_a_job_that_the_list_leaves_out_is_not_written_over():
    client = Scheduler()
    apply(client, interval=15, load_record={"m": {"recon": "1"}})
    hidden = ListsNothing()
    hidden.jobs = client.jobs
    applied, unused = apply(hidden, interval=15)
    assert (applied.changed, hidden.writes) == (False, [])
    assert applied.schedule.load_record == {"m": {"recon": "1"}}


# {real, check} x {something to do, nothing to do}


@pytest.mark.parametrize("storage", [JOB, CONFIG])
@pytest.mark.parametrize("server", [OPENIDM, PING])
def test_create_then_nothing_to_do(server, storage):
    client = Scheduler(ping=server is PING, lag=1)
    applied, warnings = apply(client, server, interval=15, storage=storage)
    assert applied.changed and warnings == []
    assert applied.schedule.next_run and applied.schedule.storage == storage
    assert applied.as_result()["diff"]["before"] == {}
    assert applied.as_result()["diff"]["after"] == applied.schedule.managed()
    assert len(client.writes) == 1
    client.sent.clear()
    again, warnings = apply(client, server, interval=15)
    assert not again.changed and again.before == again.after
    assert again.schedule == applied.schedule
    assert [request[:2] for request in client.sent] == [
        ("GET", "scheduler/job"),
        ("GET", f"config/schedule/{NAME}"),
    ]


@pytest.mark.parametrize("storage", [JOB, CONFIG])
def test_check_mode_says_the_same_and_sends_no_write(storage):
    client = Scheduler(check_mode=True)
    planned, unused = apply(client, check_mode=True, interval=15, storage=storage)
    assert planned.changed and planned.schedule.next_run is None
    client.check_mode = False
    applied, unused = apply(client, interval=15, storage=storage)
    assert (planned.before, planned.after) == (applied.before, applied.after)
    client.check_mode = True
    assert not apply(client, check_mode=True, interval=15)[0].changed
    removed = remove_schedule(client, OPENIDM, SOURCE, None, context(check_mode=True))
    assert removed.changed and removed.schedule is None


# before anything is written


def test_an_expression_is_shown_to_the_server_first():
    client = Scheduler()
    with pytest.raises(InvalidOption, match="cron: '0 0 BOG . . .'"):
        apply(client, cron="0 0 BOG * * ?")
    with pytest.raises(InvalidOption, match="cron: '0 0 99 . . .'"):  # which OpenIDM calls valid
        apply(client, cron="0 0 99 * * ?")
    assert client.writes == []


def test_an_unknown_system_or_type_is_refused_with_what_there_is():
    client = Scheduler()
    for source, known in ((Source("ad", "account"), "ldap"), (Source("ldap", "person"), "account, group")):
        with pytest.raises(InvalidOption, match=known) as caught:
            apply_schedule(client, OPENIDM, WantedSchedule(source, interval=15), context())
        assert caught.value.option == "source"
    assert client.writes == []


def test_a_second_schedule_of_a_source_is_named():
    client = Scheduler()
    apply(client, interval=15, name="first")
    applied, warnings = apply(client, interval=15, name="second")
    assert applied.schedule.name == "second"
    assert len(warnings) == 1 and "another schedule: first (enabled)" in warnings[0]
    with pytest.raises(InvalidOption, match="first, second"):
        apply(client, interval=15)


# activation


def test_a_document_whose_job_comes_late_is_waited_for():
    client = Scheduler(lag=4)
    applied, unused = apply(client, interval=15, storage=CONFIG)
    assert applied.schedule.next_run
    assert client.writes == [("PUT", f"config/schedule/{NAME}")]
    assert client.settled


def test_a_move_ends_a_job_that_outlives_its_document():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.keeps_jobs = True
    applied, unused = apply(client, storage=JOB)
    job, document = f"scheduler/job/{NAME}", f"config/schedule/{NAME}"
    assert client.writes[-3:] == [("DELETE", document), ("DELETE", job), ("PUT", job)]
    assert applied.schedule.storage == JOB and client.configs == {}


def test_a_move_that_fails_ends_where_it_began():
    client = Scheduler()
    apply(client, cron="0 0 3 * * ?")
    with pytest.raises(TimedOut, match="put back as it was before"):
        apply(client, cron=NEVER, storage=CONFIG)
    assert client.configs == {}
    assert client.jobs[NAME]["schedule"] == "0 0 3 * * ?"


def test_a_document_that_makes_no_job_is_written_twice_and_removed_again():
    client = Scheduler(lag=10**6)
    with pytest.raises(TimedOut, match="the job is not there"):
        apply(client, interval=15, storage=CONFIG)
    put = ("PUT", f"config/schedule/{NAME}")
    assert client.writes == [put, put, ("DELETE", f"config/schedule/{NAME}")]


def test_a_document_that_makes_no_job_gives_way_to_the_one_before():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    before = client.configs[NAME]
    with pytest.raises(TimedOut, match="put back as it was before"):
        apply(client, cron=NEVER)
    assert client.configs[NAME] == before
    assert read_schedules(client, OPENIDM)[0].next_run


def test_a_document_that_gives_way_to_the_one_before_is_written_again_at_once():
    client = Scheduler()
    apply(client, cron="0 0 3 * * ?", storage=CONFIG)
    client.gives_way = 1
    client.sent.clear()
    heard = context()
    given = WantedSchedule(SOURCE, enabled=True, persisted=True, concurrent=False, cron="0 0 4 * * ?")
    applied = apply_schedule(client, OPENIDM, given, heard, None)
    assert client.configs[NAME]["schedule"] == "0 0 4 * * ?" == applied.schedule.cron
    assert client.writes == [("PUT", f"config/schedule/{NAME}")] * 2
    assert heard.clock.slept < 2


def test_a_document_that_gives_way_twice_is_an_error():
    client = Scheduler()
    apply(client, cron="0 0 3 * * ?", storage=CONFIG)
    client.gives_way = 2
    with pytest.raises(TimedOut, match="config document"):
        apply(client, cron="0 0 4 * * ?")


def test_a_job_that_its_update_has_destroyed_is_put_back():
    client = Scheduler()
    apply(client, interval=15, load_record={"m": {"recon": "1"}})
    client.jobs[NAME]["odd"] = 1
    before = copy.deepcopy(client.jobs[NAME])
    with pytest.raises(Refused, match="never fire.* put back as it was before") as caught:
        apply(client, cron=NEVER)
    assert caught.value.status == 500
    kept = {key: value for key, value in client.jobs[NAME].items() if key in before}
    assert kept == before


def test_a_job_that_survived_its_failed_update_is_left_alone():
    client = Scheduler()
    apply(client, interval=15)
    client.faults[("PUT", f"scheduler/job/{NAME}")] = (refused(500, "End time cannot be before start time"),)
    with pytest.raises(Refused, match="is as it was before"):
        apply(client, interval=30)
    assert client.writes == [("PUT", f"scheduler/job/{NAME}")] * 2


def test_what_cannot_be_put_back_is_said():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.faults[("PUT", f"config/schedule/{NAME}")] = (refused(403, "Access denied"),)
    client.faults[("PUT", f"scheduler/job/{NAME}")] = (refused(500, NEVER_FIRES),)
    with pytest.raises(Refused, match="never fire.*Putting the schedule back .* failed too: .*Access denied") as caught:
        apply(client, interval=30, storage=JOB)
    assert caught.value.result["changed"] is True  # what was written may still be there


def test_an_answer_that_was_lost_is_looked_for():
    client = Scheduler()
    client.faults[("PUT", f"scheduler/job/{NAME}")] = ("lost",)
    applied, unused = apply(client, interval=15)
    assert applied.changed and applied.schedule.next_run
    assert len(client.writes) == 1


def test_a_server_that_is_not_there_is_no_failed_update():
    client = Scheduler()
    client.faults[("PUT", f"scheduler/job/{NAME}")] = (down(),)
    with pytest.raises(IdmopsError, match="cannot be reached.$"):
        apply(client, interval=15)


def test_immutable_configuration_has_a_way_out():
    client = Scheduler()
    client.faults[("PUT", f"config/schedule/{NAME}")] = (refused(403, "Access denied"),)
    with pytest.raises(Refused) as caught:
        apply(client, interval=15, storage=CONFIG)
    assert "storage: job" in caught.value.remedy


@pytest.mark.parametrize("places", [(JOB, CONFIG), (CONFIG, JOB)])
def test_a_move_leaves_nothing_behind(places):
    client = Scheduler(lag=1)
    apply(client, interval=15, storage=places[0], load_record={"m": {"recon": "1"}})
    client.sent.clear()
    applied, unused = apply(client, storage=places[1])
    paths = {JOB: f"scheduler/job/{NAME}", CONFIG: f"config/schedule/{NAME}"}
    # a document takes the place of the job by itself; a job has to wait for the end of the document's
    before = [] if places[0] == JOB else [("DELETE", paths[CONFIG])]
    assert client.writes == [*before, ("PUT", paths[places[1]])]
    assert applied.schedule.storage == places[1] and applied.schedule.load_record == {"m": {"recon": "1"}}
    assert (NAME in client.configs) is (places[1] == CONFIG)
    assert locate(client, read_schedules(client, OPENIDM)[0]).storage == places[1]


def test_a_move_into_configuration_that_cannot_be_changed_leaves_the_job_alone():
    client = Scheduler()
    apply(client, interval=15)
    client.faults[("PUT", f"config/schedule/{NAME}")] = (refused(403, "Access denied"),)
    with pytest.raises(Refused, match="is as it was before") as caught:
        apply(client, storage=CONFIG)
    assert "storage: job" in caught.value.remedy
    assert client.writes[1:] == [("PUT", f"config/schedule/{NAME}")]
    assert read_schedules(client, OPENIDM)[0].next_run


def test_a_move_out_of_configuration_that_cannot_be_changed_leaves_the_job_alone():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    before = len(client.writes)
    client.faults[("DELETE", f"config/schedule/{NAME}")] = (refused(403, "Access denied"),)
    with pytest.raises(Refused, match="is as it was before") as caught:
        apply(client, storage=JOB)
    assert "promote" in caught.value.remedy
    assert client.writes[before:] == [("DELETE", f"config/schedule/{NAME}")]
    assert read_schedules(client, OPENIDM)[0].next_run


def test_a_promoted_schedule_that_cannot_be_changed_is_called_that():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.faults[("PUT", f"config/schedule/{NAME}")] = (refused(403, "Access denied"),)
    with pytest.raises(Refused) as caught:
        apply(client, interval=30)
    assert "part of a configuration" in caught.value.remedy


def test_a_document_that_is_being_activated_is_not_written_again():
    client = Scheduler(lag=2)
    body = {"enabled": True, "persisted": True, "schedule": "0/15 * * * * ?", "concurrentExecution": False}
    client.put(
        f"config/schedule/{NAME}",
        {**body, "type": "cron", "invokeService": "provisioner", "invokeContext": CONTEXT},
        {"waitForCompletion": "true"},
    )
    client.sent.clear()
    applied, unused = apply(client)
    assert not applied.changed and applied.schedule.next_run
    assert client.writes == []
    del client.jobs[NAME]
    client._pending.clear()
    assert apply(client)[0].changed
    assert client.writes == [("PUT", f"config/schedule/{NAME}")]


def test_a_key_that_the_server_drops_is_said():
    client = Scheduler()
    client.dropped = ("initialLoad",)
    applied, warnings = apply(client, interval=15, load_record={"m": {"recon": "1"}})
    assert applied.schedule.load_record == {}
    assert applied.as_result()["not_kept"] == ["initialLoad"]
    assert "did not keep initialLoad" in warnings[0] and "initial_load to never" in warnings[0]
    assert "not_kept" not in apply(Scheduler(), interval=15)[0].as_result()


def test_placeholders_reach_the_server_and_the_result_says_what_they_stand_for():
    client = Scheduler()
    given = {"enabled": {"$bool": "&{esv.on}"}, "cron": "&{esv.cron}", "storage": CONFIG}
    applied, unused = apply(client, **given)
    assert applied.after["cron"] == "&{esv.cron}"
    assert (applied.schedule.enabled, applied.schedule.interval_seconds) == (True, 15)
    assert not any(params.get("_action") for unused, unused, params, unused in client.sent)
    for same in (given, {"interval": 15}):
        assert not apply(client, **same)[0].changed
    assert client.configs[NAME]["enabled"] == {"$bool": "&{esv.on}"}


# paused


def test_a_pause_is_told_and_can_be_ended_where_a_job_can_be_resumed():
    client = Scheduler(ping=True)
    apply(client, PING, interval=15)
    client.paused.add(NAME)
    applied, warnings = apply(client, PING, interval=15)
    assert not applied.changed and "is paused" in warnings[0] and "paused: false" in warnings[0]
    applied, warnings = apply(client, PING, interval=30)  # the update makes a new trigger
    assert applied.changed and applied.schedule.paused and NAME in client.paused
    applied, warnings = apply(client, PING, paused=False)
    assert applied.changed and not applied.schedule.paused and warnings == []
    applied, warnings = apply(client, PING, paused=True)
    assert applied.changed and applied.schedule.paused and warnings == []
    assert not apply(client, PING, paused=True)[0].changed


def test_the_diff_shows_the_interval_where_the_server_keeps_a_cron_expression():
    client = Scheduler()
    apply(client, interval=15)
    diff = apply(client, interval=30)[0].as_result()["diff"]
    assert (diff["before"]["interval"], diff["after"]["interval"]) == (15, 30)
    assert diff["after"]["cron"] == client.jobs[NAME]["schedule"]


def test_a_pause_of_the_forks_scheduler_is_told():
    client = Scheduler()
    apply(client, interval=15)
    client.paused.add(NAME)
    applied, warnings = apply(client)
    assert not applied.changed and "idmops.idm.scheduler" in warnings[0]


# the test beforehand


def test_the_test_runs_before_an_enabled_schedule_is_written_and_never_else():
    client, runs = Scheduler(), []

    def test():
        runs.append(list(client.writes))

    apply(client, interval=15, enabled=False, test=test)
    assert runs == []
    apply(client, interval=15, check_mode=True, test=test)
    assert runs == []
    apply(client, interval=15, test=test)
    assert runs == [[("PUT", f"scheduler/job/{NAME}")]]
    apply(client, interval=15, test=test)
    assert len(runs) == 1


def test_a_test_that_fails_stops_the_change():
    client = Scheduler()

    def test():
        raise IdmopsError("the change log cannot be read")

    with pytest.raises(IdmopsError, match="change log"):
        apply(client, interval=15, test=test)
    assert client.writes == []


def test_the_module_tests_by_the_endpoint_of_the_scheduler(monkeypatch):
    asked = []

    def trigger(client, request, heard):
        asked.append(request)
        return {"runs": [{"outcome": "baseline"}]}

    monkeypatch.setattr(scheduling, "trigger", trigger)
    monkeypatch.setattr(scheduling, "ask_server", lambda client: OPENIDM)
    options = {
        "source": "system/ldap/account",
        "state": "present",
        "enabled": True,
        "storage": "auto",
        "interval": 15,
        "wait_timeout": 30,
        "idle_timeout": None,
    }
    client = Scheduler()
    result = scheduling.schedule(client, {**options, "run_first": True}, context())
    assert result["run"] == {"outcome": "baseline"} and result["changed"]
    assert asked[0].endpoint == "system" and asked[0].sources == (SOURCE,)
    result = scheduling.schedule(client, {**options, "run_first": True}, context())
    assert "run" not in result and len(asked) == 1
    result = scheduling.schedule(client, {**options, "state": "absent", "run_first": False}, context())
    assert result == {"changed": True, "diff": {"before": result["diff"]["before"], "after": {}}, "schedule": None}
    with pytest.raises(InvalidOption, match="wait_timeout"):
        scheduling.schedule(client, {**options, "wait_timeout": 0, "run_first": False}, context())


@pytest.mark.parametrize("given", [{"enabled": False}, {"state": "absent"}])
def test_a_run_that_goes_on_is_waited_for_where_that_is_asked(monkeypatch, given):
    monkeypatch.setattr(scheduling, "ask_server", lambda client: OPENIDM)
    options = {
        "source": "system/ldap/account",
        "state": "present",
        "enabled": True,
        "storage": "auto",
        "interval": 15,
        "run_first": False,
        "wait_timeout": 30,
        "idle_timeout": None,
    }
    client = Scheduler()
    scheduling.schedule(client, options, context())
    client.executing = [[RUNNING]] * 3
    scheduling.schedule(client, {**options, **given}, context(check_mode=True))
    scheduling.schedule(client, {**options, "idle_timeout": 60}, context())  # which is on
    assert len(client.executing) == 3
    assert scheduling.schedule(client, {**options, **given, "idle_timeout": 60}, context())["changed"]
    assert client.executing == []


# on and off, away


@pytest.mark.parametrize("storage", [JOB, CONFIG])
def test_on_and_off_touches_nothing_else(storage):
    client = Scheduler()
    apply(client, cron="0 0 3 * * ?", storage=storage, persisted=False, concurrent=True)
    stored = client.configs if storage == CONFIG else client.jobs
    before = copy.deepcopy(stored[NAME])
    kept = {"persisted": None, "concurrent": None}
    off = apply(client, enabled=False, **kept)[0].schedule
    assert (off.enabled, off.next_run) == (False, None)
    assert {key: stored[NAME][key] for key in before} == {**before, "enabled": False}
    on = apply(client, enabled=True, **kept)[0].schedule
    assert on.enabled and on.next_run
    assert {key: stored[NAME][key] for key in before} == before


@pytest.mark.parametrize("storage", [JOB, CONFIG])
def test_remove_takes_that_one_alone(storage):
    client = Scheduler()
    apply(client, interval=15, name="other")
    apply(client, interval=15, name="mine", storage=storage)
    removed = remove_schedule(client, OPENIDM, SOURCE, "mine", context())
    assert removed.changed and removed.before["name"] == "mine" and removed.after is None
    assert list(client.jobs) == ["other"] and client.configs == {}
    client.sent.clear()
    assert not remove_schedule(client, OPENIDM, SOURCE, "mine", context()).changed
    assert client.writes == []


def test_remove_leaves_the_end_of_a_documents_job_to_the_server():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.sent.clear()
    assert remove_schedule(client, OPENIDM, SOURCE, None, context()).changed
    assert client.writes == [("DELETE", f"config/schedule/{NAME}")]


def test_remove_takes_a_job_that_outlives_its_document():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.keeps_jobs = True
    assert remove_schedule(client, OPENIDM, SOURCE, None, context()).changed
    assert client.writes[-2:] == [("DELETE", f"config/schedule/{NAME}"), ("DELETE", f"scheduler/job/{NAME}")]
    assert client.jobs == {}


def test_remove_takes_a_document_that_comes_back():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.gives_way = 1
    assert remove_schedule(client, OPENIDM, SOURCE, None, context()).changed
    assert client.configs == {} and client.jobs == {}


def test_remove_says_that_a_document_comes_back_for_ever():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.gives_way = 10**6
    with pytest.raises(TimedOut, match="the config document came back"):
        remove_schedule(client, OPENIDM, SOURCE, None, context())


def test_a_move_leaves_no_document_that_comes_back():
    client = Scheduler()
    apply(client, interval=15, storage=CONFIG)
    client.gives_way = 1
    assert apply(client, storage=JOB)[0].schedule.storage == JOB
    assert client.configs == {} and list(client.jobs) == [NAME]


def test_remove_refuses_what_is_not_of_the_source():
    client = Scheduler()
    apply(client, interval=15, name="x")
    client.jobs["x"]["invokeContext"]["source"] = "system/ldap/group"
    with pytest.raises(InvalidOption, match="liveSync of system/ldap/group"):
        remove_schedule(client, OPENIDM, SOURCE, "x", context())
    assert "x" in client.jobs


def test_remove_finds_a_document_whose_job_is_missing():
    client = Scheduler(lag=10**6)
    client.configs[NAME] = {"enabled": True, "invokeService": "provisioner", "invokeContext": CONTEXT}
    assert remove_schedule(client, OPENIDM, SOURCE, None, context()).changed
    assert client.configs == {}


# reading


def test_schedules_are_read_with_one_request():
    client = Scheduler()
    apply(client, interval=15)
    client.jobs["recon"] = {**client.jobs[NAME], "invokeService": "sync", "invokeContext": {"action": "reconcile"}}
    client.jobs["group"] = {**client.jobs[NAME], "invokeContext": {**CONTEXT, "source": "system/ldap/group"}}
    client.sent.clear()
    assert sorted(found.name for found in read_schedules(client, OPENIDM)) == ["group", NAME]
    assert [found.name for found in read_schedules(client, OPENIDM, SOURCE)] == [NAME]
    assert [found.name for found in read_schedules(client, OPENIDM, "system/ldap/group")] == ["group"]
    assert len(client.sent) == 3


#: What OpenIDM 6.1.0 answers when a job ends between being found and being read (seen).
VANISHED = 'Cannot invoke "org.quartz.JobDetail.getJobDataMap()" because "job" is null'


@pytest.mark.parametrize("answer", [(404, "Schedule does not exist."), (500, VANISHED)])
def test_a_list_that_a_lost_job_breaks_is_read_one_by_one(answer):
    """404 for the list, for good, where a name had to be encoded; 500 where a job ended just then (seen)."""
    client = Scheduler()
    apply(client, interval=15)
    client.faults[("GET", "scheduler/job")] = (refused(*answer),)
    assert [found.name for found in read_schedules(client, OPENIDM)] == [NAME]
    for other in ((403, "Access denied"), (500, "Something else")):
        client.faults[("GET", "scheduler/job")] = (refused(*other),)
        with pytest.raises(Refused):
            read_schedules(client, OPENIDM)


def test_a_job_that_ends_while_it_is_read_is_read_again():
    client = Scheduler(lag=1)
    client.faults[("GET", f"scheduler/job/{NAME}")] = (refused(500, VANISHED),)
    applied, unused = apply(client, interval=15, storage=CONFIG)
    assert applied.schedule.next_run
    assert client.faults == {}
    client.faults[("GET", f"scheduler/job/{NAME}")] = (refused(500, "Something else"),)
    with pytest.raises(Refused, match="Something else"):
        apply(client, interval=30)


RUNNING = {"invokeService": "org.forgerock.openidm.provisioner", "invokeContext": CONTEXT}


def test_executing_jobs_are_known_by_what_they_run():
    client = Scheduler()
    other = {"invokeService": "org.forgerock.openidm.sync", "invokeContext": {"action": "reconcile", "mapping": "m"}}
    client.executing = [[RUNNING, other]]
    assert executing_sources(client) == ["system/ldap/account"]
    assert executing_sources(client) == []


def test_idle_is_waited_for_and_seen_twice():
    client = Scheduler()
    client.executing = [[RUNNING], [], [RUNNING], [], []]
    wait_until_idle(client, SOURCE, context(), 60)
    assert client.executing == []
    client.executing = [[RUNNING]] * 1000
    with pytest.raises(TimedOut, match="still running"):
        wait_until_idle(client, SOURCE, context(), 60)
    wait_until_idle(Scheduler(), "system/ldap/group", context(), 60)


def test_a_run_on_another_node_shows_in_the_trigger(monkeypatch):
    client = Scheduler()
    client.nodes = ("node1", "node2")
    apply(client, interval=15)
    shown, states = client._shown, [4, 4]
    monkeypatch.setattr(
        client, "_shown", lambda name: {**shown(name), "triggers": [{"state": states.pop() if states else 0}]}
    )
    wait_until_idle(client, SOURCE, context(), 60)
    assert states == []


def test_all_names_that_others_import_are_there():
    assert {name for name in schedules.__all__ if not hasattr(schedules, name)} == set()
