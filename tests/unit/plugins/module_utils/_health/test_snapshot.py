# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which documents of the configuration are known not to be there: by the list of a server that shows each."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot, read_snapshot
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
