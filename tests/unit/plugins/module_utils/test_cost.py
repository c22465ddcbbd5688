# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for one source, and for many: lists do not grow with them. The target cost counts on real servers."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts
from ansible_collections.idmops.idm.plugins.module_utils._health.status import status
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync.request import Request
from ansible_collections.idmops.idm.plugins.module_utils._livesync.trigger import trigger
from ansible_collections.idmops.idm.plugins.module_utils._record.hold import LOCAL, SERVER
from ansible_collections.idmops.idm.plugins.module_utils._rollout import gather
from ansible_collections.idmops.idm.plugins.module_utils._rollout.preflight import preflight
from ansible_collections.idmops.idm.plugins.module_utils._schedule.plan import own_name
from ansible_collections.idmops.idm.tests.unit.doubles.directory import (
    ACCOUNT,
    ADMIN,
    ALL_CHANGE_LOG,
    ALL_ROOT_DSE,
    FakeDirectory,
    World,
    aci,
)
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import CONNECTOR, LiveSyncClient, document, job
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, refused

FORK, IDM = "6.1.0", "8.0.1"
STAGES = "repo/synchronisation/pooledSyncStage"


class Many(LiveSyncClient):
    """An IDM with many connectors, each with a mapping and a schedule; it counts what it is asked."""

    def __init__(self, count, version):
        super().__init__()
        self.version = version
        self.asked = Counter()
        self.sources = [Source(f"s{number:02}", "account") for number in range(count)]
        self.documents = [
            {**CONNECTOR, "_id": f"provisioner.openicf/{one.system}", "name": one.system} for one in self.sources
        ]

    def get(self, path, params=None, none_on=(), **unused):
        if f"{STAGES}/idmops-" in path:
            self.asked["GET run record"] += 1
        return super().get(path, params, none_on)

    def request(self, method, path, *given, **how):
        if f"{STAGES}/idmops-" in path:
            self.asked[f"{method} run record"] += 1
        return super().request(method, path, *given, **how)

    def _answer(self, method, path, params, body, none_on, *headers, **how):
        found = self._told(method, path, params or {})
        if found is None and 404 not in none_on:
            raise refused(404)
        return found

    def _told(self, method, path, params):
        action, kind = params.get("_action"), path
        for one, its in zip(self.sources, self.documents):
            kind = kind.replace(one.system + "/account", "<source>").replace(f"/{one.system}", "/<system>")
            kind = kind.replace(one.stage_id, "<stage>")
            if path == f"config/{its['_id']}":
                self.asked["GET config/provisioner.openicf/<system>"] += 1
                return its
        self.asked[f"{method} {kind}{'?' + action if action else ''}"] += 1
        queried = "_queryFilter" in params
        names = [{"name": one.system, "ok": True} for one in self.sources]
        stages = [{**document("1", 9), "_id": one.stage_id} for one in self.sources]
        answers = {
            "GET config": {"result": self.documents if self.version == IDM and "provisioner" in str(params) else []}
            if queried
            else {"configurations": [{"_id": one["_id"]} for one in self.documents]},
            "GET config/sync": {
                "mappings": [
                    {"name": f"m{number}", "source": str(one), "target": "managed/user"}
                    for number, one in enumerate(self.sources)
                ]
            },
            "POST system?test": names,
            "POST system/<system>?test": names[0],
            "POST system/<source>?liveSync": document("1", 9),
            f"GET {STAGES}": {"result": stages},
            f"GET {STAGES}/<stage>": stages[0],
            "GET info/version": {"productVersion": self.version},
            "GET sync/mappings": {"result": []} if self.version == IDM else None,
            "GET scheduler/job": {"result": [job(one.system, str(one)) for one in self.sources]},
            "POST scheduler/job?listCurrentlyExecutingJobs": [],
            "GET cluster": {"results": [{"startup": "now", "state": "running"}]},
        }
        return answers.get(f"{method} {kind}{'?' + action if action else ''}", {"result": []})


LISTS = {
    "GET config": 3,  # which configurations there are, the connectors, the mappings
    "GET config/sync": 1,
    "GET info/version": 1,
    "GET scheduler/job": 1,
    "GET audit/sync": 1,
}
STATUS = {
    **LISTS,
    "POST system?test": 1,
    "GET scheduler/job": 2,  # at the end of the watch again, as what runs and as what is late
    "POST scheduler/job?listCurrentlyExecutingJobs": 3,  # and once more, since no run was seen: all threads taken?
    "GET config/scheduler": 1,
}


@pytest.mark.parametrize(
    ("version", "more"), [(FORK, {"GET config/provisioner.openicf/<system>": 50}), (IDM, {"GET sync/mappings": 1})]
)
def test_the_state_of_fifty_sources_takes_lists(version, more):
    """But for the document of each connector, which OpenIDM 6.1.0 tells alone. Without a directory a run is watched."""
    idm = Many(50, version)
    assert len(status(idm, idm.sources, None, context())) == 50
    assert idm.asked.pop(f"GET {STAGES}") > 1  # once a second of the watch
    assert idm.asked == {**STATUS, **more}


#: What a run of one source takes: its connector's test, what runs, where it stands, when IDM was started, and the run.
RUN = {
    "POST system/<system>?test": 1,
    "POST scheduler/job?listCurrentlyExecutingJobs": 1,
    f"GET {STAGES}/<stage>": 1,
    "GET cluster": 1,
    "POST system/<source>?liveSync": 1,
    "GET scheduler/job": 1,  # whether another node runs its schedule
}
#: The lock that all control hosts see: who has it, having it, the run that was sent, and giving it free.
LOCK = {"GET run record": 1, "PUT run record": 3}


@pytest.mark.parametrize(("lock", "more"), [(SERVER, LOCK), (LOCAL, {})])
@pytest.mark.parametrize("count", [1, 20])
def test_a_run_of_many_sources_asks_of_each_only_what_is_its_own(count, lock, more):
    idm = Many(count, FORK)
    for source in idm.sources:  # seen to refuse a stale revision, as each is after its first run
        kept = {"_id": f"idmops-{source.stage_id}", "_rev": "1", "conditional": True}
        idm.records.documents[f"{STAGES}/idmops-{source.stage_id}"] = kept
    trigger(idm, Request(tuple(idm.sources), lock=lock), context())
    wanted = Counter({"GET config/provisioner.openicf/<system>": count, **LISTS})
    if count == 1:  # the list of configurations tells of one connector, and none is sought
        wanted["GET config"] -= 1
    for name, number in {**RUN, **more}.items():
        wanted[name] += number * count
    assert idm.asked == wanted


def csn_of(number):
    return f"{number:016x}0001{number:08x}"


class Finished(Many):
    """An IDM on whose sources nothing is left to do, beside the directory that all of them read."""

    PEOPLE = [f"{number:08}-0000-4000-8000-000000000000" for number in range(1, 11)]

    def __init__(self, count):
        super().__init__(count, FORK)
        self.world = World()
        for number, record in enumerate(self.PEOPLE, start=1):
            told = {"targetEntryUUID": [record], "changeTime": ["20261124100000Z"], "replicationCSN": [csn_of(number)]}
            self.world.change(number, f"uid=u{number},ou=People,dc=example,dc=com", **told)
        self.world.set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{csn_of(number)};")
        self.world.set(ACCOUNT, "ds-privilege-name", "changelog-read")
        index = "ds-cfg-attribute=objectClass,cn=Index,ds-cfg-backend-id=userRoot,cn=Backends,cn=config"
        self.world.put(index, objectClass=["ds-cfg-backend-index"])
        acis = [aci(ALL_ROOT_DSE, ACCOUNT), aci(ALL_CHANGE_LOG, ACCOUNT)]
        self.world.set("cn=access control handler,cn=config", "ds-cfg-global-aci", *acis)
        about = {"host": "ds1.example.com", "principal": ACCOUNT, "uidAttribute": "entryUUID"}
        about["baseContexts"] = about["baseContextsToSynchronize"] = ["ou=People,dc=example,dc=com"]
        about["accountObjectClasses"] = ["inetOrgPerson"]
        for one in self.documents:
            one["configurationProperties"] = {**one["configurationProperties"], **about}

    def _told(self, method, path, params):
        found = super()._told(method, path, params)
        asked = re.findall(r'(\w+) eq "([^"]+)"', params.get("_queryFilter", ""))
        if path == "info/ping":
            return {"state": "ACTIVE_READY"}
        if path == "config":
            named = [{"_id": one["_id"]} for one in self.documents]
            return {"configurations": [*named, {"_id": "sync"}]} if "_queryFilter" not in params else found
        if path == f"{STAGES}":
            return {"result": [{**document("1", 10), "_id": one.stage_id} for one in self.sources]}
        if path == "config/sync":
            copied = [{"source": "uid", "target": "userName"}]
            return {"mappings": [{**one, "properties": copied} for one in found["mappings"]]}
        if path == "scheduler/job":
            return {"result": [self._job(one) for one in self.sources]} if method == "GET" else []
        if path == "repo/link" and asked[0][0] == "_id":
            return {"result": [{"_id": value} for unused, value in asked]}
        if path == "repo/link":
            ends = [{"firstId": value, "secondId": f"t{value}"} for unused, value in asked]
            kinds = [f"m{number}" for number in range(len(self.sources))]
            return {
                "result": [
                    {**one, "_id": f"{kind}{at}", "linkType": kind} for at, one in enumerate(ends) for kind in kinds
                ]
            }
        if path == "managed/user":
            return {"result": [{"_id": value, "userName": f"n{value[1:]}"} for name, value in asked if name == "_id"]}
        if path.startswith("system/") and method == "GET":
            return {"result": [{"_id": value, "uid": f"n{value}"} for unused, value in asked]}
        return found

    def _job(self, source):
        number = self.sources.index(source)
        load = {"recon": f"r{number}", "time": "2026-11-24T09:00:00Z", "idm": [f"l{number}"]}
        load["base_point"] = {"number": number + 3, "time": "2026-11-24T10:00:00Z", "csn": csn_of(number + 3)}
        made = job(own_name(source), str(source), cron="0 0 3 1 1 ? 2030", nextRunDate="2030-01-01T03:00:00.000Z")
        return {**made, "invokeContext": {**made["invokeContext"], "initialLoad": {f"m{number}": load}}}


def finished(monkeypatch, count):
    """Return such an IDM, and the option ``directory``."""
    idm = Finished(count)
    for module in (gather, log_facts):
        monkeypatch.setattr(
            module, "Directory", lambda options, uri, context: FakeDirectory(idm.world, context, options)
        )
    return idm, {"servers": [idm.world.uri], "bind_dn": ADMIN, "bind_password": "admin-password"}


def second_run(monkeypatch, count):
    """Return what the role asks of IDM, and of the directory, where so many of three sources are its own."""
    idm, directory = finished(monkeypatch, 3)
    entries = [{"source": str(one)} for one in idm.sources[:count]]
    found = preflight(idm, entries, directory, "enabled", context(), judge=True)
    assert [plan.settled for plan in found.plans] == [True] * count
    return idm.asked, idm.world.operations


def test_a_further_source_of_a_finished_environment_costs_three_requests(monkeypatch):
    asked, operations = zip(*(second_run(monkeypatch, count) for count in (1, 2, 3)))
    for fewer, more in zip(asked, asked[1:]):
        assert more - fewer == {"GET repo/link": 1, "GET system/<source>": 1, "GET managed/user": 1}
    assert [len(one) for one in operations] == [8, 9, 10]


def test_a_state_takes_eight_operations_on_the_directory(monkeypatch):
    idm, directory = finished(monkeypatch, 1)
    (found,) = status(idm, idm.sources, directory, context())
    assert found.health.state == "healthy" and len(idm.world.operations) == 8
