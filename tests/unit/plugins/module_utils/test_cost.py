# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for one source, and for many: lists do not grow with them. The target cost counts on real servers."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.status import status
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync.request import Request
from ansible_collections.idmops.idm.plugins.module_utils._livesync.trigger import trigger
from ansible_collections.idmops.idm.plugins.module_utils._record.hold import LOCAL, SERVER
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
