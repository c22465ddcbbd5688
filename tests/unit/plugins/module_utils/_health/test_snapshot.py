# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which documents of the configuration are known not to be there: by the list of a server that shows each."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot, read_snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import CONNECTOR, LiveSyncClient
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import OWN, call, refused

FILES = call("GET", "config", {"result": []}, params={"_queryFilter": '_id sw "mapping/"'})
FORK = (call("GET", "info/version", {"productVersion": "6.1.0"}),)
IDM = (call("GET", "info/version", {"productVersion": "8.0.1"}), call("GET", "sync/mappings", {"result": []}))


def lists(flavour, *asked, documents=()):
    ids = [{"_id": one} for one in ("provisioner.openicf/ldap", *documents)]
    return (
        call("GET", "config", {"configurations": ids}),
        call("GET", "config/provisioner.openicf/ldap", CONNECTOR),
        call("POST", "system", []),
        call("GET", "repo/synchronisation/pooledSyncStage", {"result": []}),
        *flavour,
        call("GET", "scheduler/job", {"result": []}, api_version="2.0" if flavour is IDM else OWN),
        call("GET", "config/sync", {"mappings": []}),
        *asked,
        call("POST", "scheduler/job", []),
    )


@pytest.mark.parametrize(
    ("flavour", "documents", "brief", "asked"),
    [
        (FORK, (), True, ()),
        (FORK, (), False, (FILES,)),
        (FORK, ("mapping/three",), True, (FILES,)),
        (IDM, (), True, (FILES,)),
    ],
)
def test_the_list_is_trusted_where_it_was_seen_to_show_each_document(flavour, documents, brief, asked):
    client = LiveSyncClient(*lists(flavour, *asked, documents=documents))
    snapshot = read_snapshot(client, brief)
    client.finished()
    assert snapshot.lacks("schedule/x") is (flavour is FORK)


def test_without_a_list_nothing_is_known_to_be_missing():
    assert Snapshot({}, {}, {}, (), (), frozenset()).lacks("schedule/x") is False


def test_a_refused_list_is_asked_for_once():
    client = LiveSyncClient(call("GET", "config", refused(500)))
    with pytest.raises(Refused):
        read_snapshot(client)
    client.finished()


def works(name, **more):
    context = {"action": "liveSync", "source": "system/ldap/account", **more.pop("context", {})}
    return Schedule.parse(
        {"_id": name, "enabled": True, "invokeService": "provisioner", "invokeContext": context, **more}
    )


OFF = works("off", enabled=False, invokeService="Provisioner")
SERVICE = works("service", invokeService="Provisioner")
ACTION = works("action", context={"action": "reconcile"})
CASE = works("case", context={"source": "system/ldap/ACCOUNT"})
WELL = works("well")
OTHER = works("other", context={"source": "system/hr/person", "action": "reconcile"})


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ((WELL, OTHER, OFF), []),
        ((OFF, WELL, SERVICE), ["The job service invokes Provisioner, which runs nothing: it has to be provisioner."]),
        ((ACTION,), ["The job action has the action reconcile, which runs nothing: it has to be liveSync."]),
        (
            (OTHER, CASE),
            [
                "The job case names system/ldap/ACCOUNT, in another case, and runs nothing. Set source to"
                " system/ldap/account in its invokeContext (PUT scheduler/job/case), or remove the job."
            ],
        ),
        ((works("liveSync_ldap_account", invokeService="Provisioner"),), []),
        (
            (works("liveSync_ldap_account", invokeService="Provisioner"), SERVICE),
            ["The job service invokes Provisioner, which runs nothing: it has to be provisioner."],
        ),
    ],
)
def test_jobs_that_seem_to_run_a_source_and_run_nothing(jobs, said):
    snapshot = Snapshot({}, {}, {}, (), (), frozenset(), jobs=jobs)
    assert list(snapshot.idle_jobs(Source("ldap", "account"))) == said
