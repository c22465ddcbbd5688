# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queued synchronisation: what becomes of an event that fails, and what waits."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping, queued_after
from ansible_collections.idmops.idm.plugins.module_utils._idm.queue import QueuedSync, Waiting, read_waiting
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, refused


@pytest.mark.parametrize(
    ("stated", "enabled", "drops", "blocks"),
    [
        ({"enabled": True}, True, False, True),
        ({"enabled": True, "maxRetries": -1, "postRetryAction": "logged-ignore"}, True, False, True),
        ({"enabled": "true", "maxRetries": 0}, True, True, False),
        ({"enabled": True, "maxRetries": "3", "postRetryAction": "logged-ignore"}, True, True, False),
        ({"enabled": True, "maxRetries": 3, "postRetryAction": "dead-letter-queue"}, True, False, False),
        ({"enabled": True, "maxRetries": 3, "postRetryAction": {"script": {}}}, True, False, False),
        ({"enabled": True, "maxRetries": 3, "postRetryAction": "&{esv.a}"}, True, False, False),
        ({"enabled": {"$bool": "&{esv.q}"}, "maxRetries": 3}, None, True, False),
        ({"maxRetries": 3}, False, True, False),
    ],
)
def test_what_becomes_of_an_event_that_fails(stated, enabled, drops, blocks):
    assert QueuedSync.parse(stated) == QueuedSync(enabled, drops, blocks)


@pytest.mark.parametrize("stated", [None, {}, [], "x", 5])
def test_no_queue(stated):
    assert QueuedSync.parse(stated) is None


def test_the_queues_on_the_way_of_a_sources_changes():
    def mapping(name, source, target, queue=True):
        stated = {"queuedSync": {"enabled": True}} if queue else {}
        return SyncMapping.parse({"name": name, "source": source, "target": target, **stated})

    own = mapping("own", "system/ldap/account", "managed/user")
    after = mapping("after", "managed/User", "system/hr/person")
    others = [
        mapping("far", "system/hr/person", "managed/x"),
        mapping("plain", "managed/user", "managed/y", queue=False),
    ]
    assert queued_after([own], [own, after, *others]) == (own, after)


def test_depth_and_age_come_with_one_request():
    page = {"totalPagedResults": 9, "totalPagedResultsPolicy": "ESTIMATE", "result": [{"_id": "1", "createDate": "t"}]}
    client = ScriptedClient(call("GET", "sync/queue", page))
    assert read_waiting(client, 'a"b') == Waiting('a"b', 9, "t")
    assert client.sent[0][2]["_queryFilter"] == 'mapping eq "a\\"b"'


@pytest.mark.parametrize("status", [404, 501])
def test_a_server_without_queues_is_asked_once(status):
    client = ScriptedClient(call("GET", "sync/queue", refused(status)))
    assert read_waiting(client, "a") is None and read_waiting(client, "a") is None
    client.finished()


def test_an_unknown_count_is_not_none_waiting():
    assert read_waiting(ScriptedClient(call("GET", "sync/queue", {"result": []})), "a") is None
    page = {"totalPagedResults": 0, "result": None}
    assert read_waiting(ScriptedClient(call("GET", "sync/queue", page)), "a") is None
    page = {"totalPagedResults": -1, "result": [{"_id": "1"}]}
    assert read_waiting(ScriptedClient(call("GET", "sync/queue", page)), "a").depth == 1
