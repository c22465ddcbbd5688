# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule, and who runs its source: the two are kept in two places of IDM."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, InvalidOption, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._livesync import proved_schedule as module
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import note, read_record
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.tests.unit.doubles.record import RECORDS, RecordStore
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, down, refused
from ansible_collections.idmops.idm.tests.unit.plugins.module_utils._schedule import test_schedule as doubles

NAME, OPENIDM, SOURCE = doubles.NAME, doubles.OPENIDM, doubles.SOURCE
OPTIONS = {
    "source": str(SOURCE),
    "state": "present",
    "enabled": True,
    "storage": "auto",
    "wait_timeout": 30,
    "idle_timeout": None,
    "run_first": False,
    "load_record": {"one": {"recon": "r-1"}},
}
ON = {"interval": 15}
BY_OTHERS = {"enabled": False, "scheduler": "external", "max_age": 300}


class Server(doubles.Scheduler):
    """A scheduler in memory that keeps run records too."""

    server_time = "2026-11-24T11:00:00Z"

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.records = RecordStore()

    def get(self, path, params=None, none_on=(), **unused):
        if path.startswith(RECORDS):
            return self.records.answer("GET", path, none_on=none_on).body
        return super().get(path, params, none_on)

    def request(self, method, path, body=None, headers=None, none_on=(), **unused):
        assert not self.check_mode
        return self.records.answer(method, path, body, headers, none_on)

    def delete(self, path, params=None, none_on=(), headers=None, **unused):
        if path.startswith(RECORDS):
            return self.records.answer("DELETE", path, None, headers, none_on).body
        return super().delete(path, params, none_on)

    @property
    def kept(self):
        record = read_record(self, SOURCE)
        return record and record.scheduler


@pytest.fixture(autouse=True)
def _openidm(monkeypatch):
    monkeypatch.setattr(module, "ask_server", lambda client: OPENIDM)


def schedule(server, check_mode=False, **given):
    return module.schedule(server, {**OPTIONS, **given}, context(check_mode=check_mode))


def test_an_external_scheduler_leaves_a_job_that_is_off_and_a_record_that_tells():
    server = Server()
    result = schedule(server, **BY_OTHERS)
    job = server.jobs[NAME]
    assert result["changed"] and not job["enabled"] and job["invokeContext"]["initialLoad"]
    assert server.kept == Scheduler(EXTERNAL, 300)
    assert (result["scheduler"], result["max_age"]) == ("external", 300)
    assert (result["diff"]["before"]["scheduler"], result["diff"]["after"]["scheduler"]) == ("idm", "external")
    writes = len(server.writes), len(server.records.writes)
    assert not schedule(server, **BY_OTHERS)["changed"]
    assert (len(server.writes), len(server.records.writes)) == writes


def test_a_schedule_that_was_on_is_switched_off_and_comes_back_as_it_was():
    server = Server()
    schedule(server, **ON)
    fires = server.jobs[NAME]["schedule"]
    assert schedule(server, **BY_OTHERS)["changed"]
    assert not server.jobs[NAME]["enabled"] and server.jobs[NAME]["schedule"] == fires
    result = schedule(server, scheduler="idm")
    assert result["changed"] and server.jobs[NAME]["enabled"] and server.kept == Scheduler()
    assert (result["scheduler"], result["max_age"]) == ("idm", None)


def test_who_runs_it_stays_where_nobody_asks_for_another():
    server = Server()
    schedule(server, **BY_OTHERS)
    result = schedule(server, **ON)
    assert server.kept == Scheduler(EXTERNAL, 300) and "scheduler" not in result


def test_another_age_alone_is_a_change_of_the_record_alone():
    server = Server()
    schedule(server, **BY_OTHERS)
    before = len(server.writes)
    result = schedule(server, **{**BY_OTHERS, "max_age": 60})
    assert result["changed"] and len(server.writes) == before and server.kept == Scheduler(EXTERNAL, 60)
    assert (result["diff"]["before"]["max_age"], result["diff"]["after"]["max_age"]) == (300, 60)


def test_check_mode_tells_of_it_and_writes_nothing():
    server = Server(check_mode=True)
    result = schedule(server, check_mode=True, **BY_OTHERS)
    assert result["changed"] and result["diff"]["after"]["max_age"] == 300
    assert server.records.writes == []


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"scheduler": "external", "max_age": 300}, "enabled"),
        ({**BY_OTHERS, "max_age": None}, "max_age"),
        ({**BY_OTHERS, "max_age": -1}, "max_age"),
        ({**ON, "scheduler": "idm", "max_age": 300}, "max_age"),
        ({**ON, "max_age": 300}, "max_age"),
        ({**BY_OTHERS, "state": "absent"}, "scheduler"),
        ({"enabled": False}, "interval"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(given, option):
    server = Server()
    with pytest.raises(InvalidOption, match=f"^{option}: "):
        schedule(server, **given)
    assert server.writes == [] and server.records.writes == []


def test_a_record_that_idm_does_not_keep_is_no_success():
    server = Server()
    server.records.refusal = refused(403, "Access denied")
    with pytest.raises(IdmopsError, match="who runs it cannot be kept in IDM's run record") as caught:
        schedule(server, **BY_OTHERS)
    assert "run record" in caught.value.remedy and caught.value.status == 403
    server.records.refusal = down()
    with pytest.raises(Unreachable):
        schedule(server, **BY_OTHERS)


def test_a_record_that_comes_back_without_it_is_no_success(monkeypatch):
    server = Server()
    monkeypatch.setattr(module, "note", lambda *unused, **more: None)
    with pytest.raises(IdmopsError, match="did not keep in its run record who runs it"):
        schedule(server, **BY_OTHERS)


@pytest.mark.parametrize("job", [True, False])
def test_what_is_removed_is_run_by_nobody(job):
    server = Server()
    if job:
        schedule(server, **BY_OTHERS)
    else:
        note(server, SOURCE, scheduler=Scheduler(EXTERNAL, 300))
    assert schedule(server, state="absent", scheduler="idm")["changed"]
    assert server.jobs == {} and server.records.documents == {}
    assert not schedule(server, state="absent", scheduler="idm")["changed"]


def test_a_run_that_may_go_on_keeps_the_record_and_not_who_runs_it():
    server = Server()
    schedule(server, **BY_OTHERS)
    note(server, SOURCE, run={"rev": "1"})
    schedule(server, state="absent", scheduler="idm")
    assert server.kept == Scheduler() and read_record(server, SOURCE).run == {"rev": "1"}
