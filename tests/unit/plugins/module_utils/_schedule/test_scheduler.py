# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler is paused and resumed, on jobs in memory."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, InvalidOption, TimedOut
from ansible_collections.idmops.idm.plugins.module_utils._http.client import is_write
from ansible_collections.idmops.idm.plugins.module_utils._http.right import rights_asked
from ansible_collections.idmops.idm.plugins.module_utils._idm.least_rights import is_known
from ansible_collections.idmops.idm.plugins.module_utils._schedule.scheduler import Wish, keep_scheduler, wish_of
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, cut, down

LIVESYNC = {"action": "liveSync", "source": "system/ldap/account"}


class Scheduler:
    """Answers as OpenIDM 6.1.0 does (seen), with single jobs' actions as IDM 7 ("ForgeRock / Ping IDM", 2.1).

    Triggers have the state 0, and 1 where they are paused; a job that is disabled has none. A pause that meets no
    trigger is not kept; one that does reaches what comes later (all seen on OpenIDM 6.1.0).

    :param jobs: for each whether it is enabled, and paused.
    """

    url = "https://idm.example.com/openidm"
    auth_method = "openidm"

    def __init__(self, jobs, version="6.1.0", check_mode=False, persisted=True, nodes=1):
        self.jobs = {name: list(flags) for name, flags in jobs.items()}
        self.version, self.check_mode, self.persisted, self.nodes = version, check_mode, persisted, nodes
        self.sent, self.fault, self.deaf = [], None, False
        self.concurrent = False
        self.taken = 0  # so many times a trigger that is paused is shown as taken for its next firing

    @property
    def writes(self):
        return [(path, params["_action"]) for method, path, params in self.sent if is_write(method, params)]

    def request(self, method, path, params=None, **unused):
        class Answer:
            status = 200
            headers = None
            body = {"productVersion": self.version} if path == "info/version" else {"result": []}

        assert path in ("info/version", "sync/mappings")
        return Answer

    def get(self, path, params=None, none_on=(), **unused):
        self._note("GET", path, params)
        assert path == "cluster"
        return {"results": [{"instanceId": f"node{number}", "state": "running"} for number in range(self.nodes)]}

    def query(self, path, query_filter="true", **unused):
        self._note("GET", path, {"_queryFilter": query_filter})
        assert path == "scheduler/job"
        shown = [self._shown(name) for name in self.jobs]
        if any(paused for unused, paused in self.jobs.values()):
            self.taken -= self.taken > 0
        return shown

    def post(self, path, params, body=None, **unused):
        self._note("POST", path, params)
        fault, self.fault = self.fault, None
        if fault and not fault.sent:
            raise fault
        action, name = params["_action"], path.rpartition("/")[2]
        if path == "scheduler/job":
            meant = list(self.jobs)
        else:
            assert self.version != "6.1.0", "OpenIDM has no actions of a single job"
            meant = [name]
        for one in meant if not self.deaf else ():
            self.jobs[one][1] = self.jobs[one][0] and action in ("pause", "pauseJobs")
        if fault:
            raise fault
        return {"success": True}

    def _note(self, method, path, params):
        self.sent.append((method, path, params))
        assert all(is_known(right) for right in rights_asked(method, path, params))
        assert not (self.check_mode and is_write(method, params)), f"a write in check mode: {self.sent[-1]}"

    def _shown(self, name):
        enabled, paused = self.jobs[name]
        trigger = {"name": f"trigger-{name}", "state": 1 if paused else 0, "acquired": paused and self.taken > 0}
        return {
            "_id": name,
            "enabled": enabled,
            "persisted": self.persisted,
            "type": "cron",
            "schedule": "0 0 3 * * ?",
            "invokeService": "org.forgerock.openidm.provisioner",
            "invokeContext": LIVESYNC,
            "concurrentExecution": self.concurrent,
            "triggers": [trigger] if enabled else [],
            "nextRunDate": "2026-11-29T03:00:00.000Z" if enabled else None,
        }


def keep(client, state, jobs=None):
    asked = context(client.check_mode)
    result = keep_scheduler(client, wish_of({"state": state, "jobs": jobs}), asked)
    return result, asked.report.warnings


BOTH = {"a": (True, False), "b": (True, False), "off": (False, False)}
HELD = {"a": (True, True), "b": (True, True), "off": (False, False)}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("before", "state", "action"),
    [
        (BOTH, "paused", "pauseJobs"),
        (HELD, "running", "resumeJobs"),
        (HELD, "paused", None),
        (BOTH, "running", None),
    ],
)
def test_real_and_check_mode_something_and_nothing_to_do(before, state, action, check_mode):
    client = Scheduler(before, check_mode=check_mode)
    result, warnings = keep(client, state)
    assert result["changed"] == (action is not None) and warnings == []
    assert client.writes == ([("scheduler/job", action)] if action and not check_mode else [])
    assert result["scheduler"]["state"] == state
    assert {job["name"]: job["paused"] for job in result["scheduler"]["jobs"]} == {
        "a": state == "paused",
        "b": state == "paused",
        "off": None,
    }
    assert result["diff"]["after"] == {"state": state, "paused": ["a", "b"] if state == "paused" else []}
    assert (result["diff"]["before"] == result["diff"]["after"]) == (action is None)


@pytest.mark.parametrize("state", ["paused", "running"])
def test_where_some_are_paused_all_are_brought_into_the_state(state):
    client = Scheduler({"a": (True, True), "b": (True, False)})
    result, unused = keep(client, state)
    assert result["changed"] and result["diff"]["before"] == {"state": "partly", "paused": ["a"]}
    assert result["scheduler"]["state"] == state


@pytest.mark.parametrize("state", ["paused", "running"])
@pytest.mark.parametrize("jobs", [{}, {"off": (False, False)}])
def test_where_no_job_is_enabled_nothing_is_said_to_be_so_and_nothing_is_sent(jobs, state):
    """A pause is then without effect on OpenIDM 6.1.0, and nothing shows one that came before."""
    client = Scheduler(jobs)
    with pytest.raises(IdmopsError, match="cannot be known") as caught:
        keep(client, state)
    assert caught.value.result["scheduler"]["state"] == "unknown" and client.writes == []
    assert "Enable it" in caught.value.remedy


def test_single_jobs_on_idm_7():
    client = Scheduler(BOTH, version="8.1.0")
    result, unused = keep(client, "paused", ["b"])
    assert client.writes == [("scheduler/job/b", "pause")] and result["scheduler"]["state"] == "partly"
    assert not keep(client, "paused", ["b"])[0]["changed"] and len(client.writes) == 1
    client.check_mode = True
    assert keep(client, "running", ["a", "b"])[0]["scheduler"]["state"] == "running" and len(client.writes) == 1
    client.check_mode = False
    keep(client, "running", ["a", "b"])
    assert client.writes[1:] == [("scheduler/job/b", "resume")]


@pytest.mark.parametrize(
    ("version", "jobs", "said"),
    [
        ("6.1.0", ["a"], "pauses all its jobs together"),
        ("8.1.0", ["nobody"], "There are: a, b, off"),
        ("8.1.0", [], "leave it out for all"),
    ],
)
def test_jobs_that_cannot_be_meant(version, jobs, said):
    client = Scheduler(BOTH, version=version)
    with pytest.raises(InvalidOption, match=said):
        keep(client, "paused", jobs)
    assert client.writes == []


def test_a_single_job_that_is_disabled_shows_nothing():
    client = Scheduler(BOTH, version="8.1.0")
    with pytest.raises(IdmopsError, match="the job off is paused cannot be known"):
        keep(client, "paused", ["a", "off"])
    assert client.writes == []


def test_a_server_that_does_not_do_it_is_an_error():
    client = Scheduler(BOTH)
    client.deaf = True
    with pytest.raises(TimedOut, match="a not so, b not so"):
        keep(client, "paused")


def test_an_answer_that_got_lost_is_looked_for():
    client = Scheduler(BOTH)
    client.fault = cut()
    assert keep(client, "paused")[0]["scheduler"]["state"] == "paused"
    client.fault = down()
    with pytest.raises(IdmopsError, match="cannot be reached"):
        keep(client, "running")


@pytest.mark.parametrize(("nodes", "persisted", "warned"), [(2, False, True), (1, False, False), (2, True, False)])
def test_jobs_that_other_nodes_keep_for_themselves_are_warned_of(nodes, persisted, warned):
    client = Scheduler(BOTH, nodes=nodes, persisted=persisted)
    warnings = keep(client, "paused")[1]
    assert ["several nodes" in text and "(a, b)" in text for text in warnings] == [True] * warned


def test_a_server_that_does_not_tell_its_nodes_is_warned_of(monkeypatch):
    client = Scheduler(BOTH, persisted=False)
    monkeypatch.setattr(client, "get", lambda *unused, **options: None)
    (warning,) = keep(client, "paused")[1]
    assert "does not tell its nodes" in warning


def test_a_trigger_that_is_shown_without_its_state_is_not_taken_for_one_that_fires(monkeypatch):
    """As to an account that may not read scheduler/trigger and its repository (seen on OpenIDM 6.1.0)."""
    client = Scheduler(HELD)
    shown = client._shown
    monkeypatch.setattr(client, "_shown", lambda name: {**shown(name), "triggers": [{"name": f"trigger-{name}"}]})
    with pytest.raises(IdmopsError, match="cannot be known") as caught:
        keep(client, "running")
    assert "read scheduler/trigger/*" in caught.value.remedy and client.writes == []


def test_a_wish_names_each_job_once():
    assert wish_of({"state": "running", "jobs": ["a", "a"]}) == Wish(False, ("a",))


@pytest.mark.parametrize("already", [False, True])
def test_what_was_taken_for_its_next_firing_is_waited_for(already):
    """It fires once more although it is paused, up to 30 s later (seen on OpenIDM 6.1.0)."""
    client, it = Scheduler({"a": (True, already)}), context()
    client.taken = 8
    assert keep_scheduler(client, Wish(True), it)["scheduler"]["state"] == "paused"
    assert client.writes == ([] if already else [("scheduler/job", "pauseJobs")]) and client.taken == 0
    client, it = Scheduler({"a": (True, already)}, check_mode=True), context(check_mode=True)
    client.taken = 8
    assert keep_scheduler(client, Wish(True), it)["changed"] is not already and it.clock.slept == 0
    client = Scheduler({"a": (True, already)})
    client.taken = 1000
    with pytest.raises(TimedOut, match="a fires once more at 2026-11-29T03"):
        keep_scheduler(client, Wish(True), context())


def test_a_pause_has_to_hold_for_some_seconds():
    """Between two firings a trigger is free for a moment."""
    client, it = Scheduler({"a": (True, False)}), context()
    assert keep_scheduler(client, Wish(True), it)["scheduler"]["state"] == "paused"
    assert it.clock.slept >= 2.0


def test_a_job_that_fires_on_though_paused_is_no_success():
    """One with concurrentExecution whose trigger was taken when the pause came (seen on OpenIDM 6.1.0)."""
    client = Scheduler({"a": (True, False), "b": (True, False)})
    client.concurrent, client.taken = True, 1000
    with pytest.raises(IdmopsError, match="does not hold for the job a, b") as caught:
        keep_scheduler(client, Wish(True), context())
    assert caught.value.result["changed"] and caught.value.result["scheduler"]["state"] == "running"
    assert "enabled: false" in caught.value.remedy
