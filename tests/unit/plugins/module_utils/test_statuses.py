# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which refusals mean that there is none, and which are errors: each status of HTTP, for each reader.

What is taken for "none" by mistake is a success that never was.
"""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._health.dropped import _unread
from ansible_collections.idmops.idm.plugins.module_utils._health.status import _hides
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer
from ansible_collections.idmops.idm.plugins.module_utils._idm import audit, connector, mapping, nodes, queue, server
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import read_stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync.one_run import _is_on_the_way
from ansible_collections.idmops.idm.plugins.module_utils._recon.watch import read_run
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import _exists
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import read_record
from ansible_collections.idmops.idm.plugins.module_utils._record.server_lock import _unsuited
from ansible_collections.idmops.idm.plugins.module_utils._schedule import store, threads
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import refused

ALL = frozenset(range(300, 600))
SOURCE = Source("ldap", "account")
IDM8 = server.Server(server.IDM, "8.0.1")


class Refusing:
    """An IDM that refuses what a path begins with, and has nothing else."""

    url = "https://idm.example.com/openidm"
    auth_method = "openidm"
    server_time = None

    def __init__(self, path, status, own=True):
        self.path, self.error = path, refused(status, own=own)
        self.silent = set()
        self.asked = []

    def request(self, method, path, params=None, none_on=(), **unused):
        self.asked.append((method, path))
        if not path.startswith(self.path):
            answer = {"result": [], "mappings": [], "configurations": [], "productVersion": "6.1.0", "_id": "sync"}
            return Answer(200, answer, {})
        if self.error.own and self.error.status in none_on:
            return Answer(self.error.status, None, {})
        raise self.error

    def get(self, path, params=None, **how):
        return self.request("GET", path, params, **how).body

    def query(self, path, query_filter="true", **unused):
        return self.get(path)["result"]

    def post(self, path, params, body=None, expect=dict, **how):
        found = self.request("POST", path, params, **how).body
        return [] if expect is list else found

    def delete(self, path, **how):
        return self.request("DELETE", path, **how).body


READERS = {
    "a stage": ("repo/", lambda client: read_stage(client, SOURCE), {404}),
    "a run record": ("repo/", lambda client: read_record(client, SOURCE), {404}),
    "a link": ("repo/", lambda client: _exists(client, "x"), {404}),
    "a run of recon": ("recon/", lambda client: read_run(client, "x"), {404}),
    "a job": ("scheduler/", lambda client: store.read_job(client, IDM8, "x"), {404}),
    "a schedule of a file": ("config/", lambda client: store.read_config(client, "x"), {404}),
    "a job to delete": ("scheduler/", lambda client: store.delete(client, IDM8, store.JOB, "x"), {404}),
    "a document to delete": ("config/", lambda client: store.delete(client, IDM8, store.CONFIG, "x"), {404}),
    "the mappings": ("config/sync", lambda client: mapping.read_mappings(client), {404}),
    "a connector to test": ("system/", lambda client: connector.test_connector(client, "ldap"), {404}),
    "the version": ("info/version", lambda client: server.ask_server(client), {403, 404, 501}),
    "the nodes": ("cluster", lambda client: nodes.read_nodes(client), ALL),
    "what audit keeps": ("config/audit", lambda client: audit.kept_topics(client), ALL),
    "an entry of audit": ("audit/", lambda client: audit.ask_audit(client, "audit/sync", "true", size=1), ALL),
    "a queue": ("sync/queue", lambda client: queue.read_waiting(client, "m"), ALL),
    "threads": ("config/scheduler", lambda client: threads.why_none_begins(client, []), ALL),
    "what runs": ("scheduler/job", lambda client: threads.why_none_begins(client, []), ALL),
}


def outcome(path, reader, status, own=True):
    """Return whether a refusal was taken for "none"."""
    try:
        reader(Refusing(path, status, own))
    except Refused as exc:
        assert exc.status == status
        return False
    return True


@pytest.mark.parametrize("name", READERS)
def test_these_statuses_alone_mean_that_there_is_none(name):
    path, reader, none_on = READERS[name]
    assert {status for status in ALL if outcome(path, reader, status)} == none_on


@pytest.mark.parametrize("name", [name for name, (_path, _reader, none_on) in READERS.items() if none_on != ALL])
def test_what_stands_before_idm_cannot_say_that_there_is_none(name):
    path, reader, _none_on = READERS[name]
    assert not any(outcome(path, reader, status, own=False) for status in ALL)


def silent_after(path, reader, status):
    client = Refusing(path, status)
    reader(client)
    return bool(client.silent)


def test_what_the_server_does_not_have_is_asked_for_once():
    assert {status for status in ALL if silent_after(*READERS["an entry of audit"][:2], status)} == {501}
    assert {status for status in ALL if silent_after(*READERS["a queue"][:2], status)} == {404, 501}


def test_an_action_that_this_version_lacks_is_sent_in_the_other():
    def asked(status):
        client = Refusing("scheduler/", status)
        with pytest.raises(Refused):
            store.executing_jobs(client)
        return len(client.asked)

    assert {status for status in ALL if asked(status) == 2} == {400, 404, 501}
    assert {asked(status) for status in ALL} == {1, 2}


def test_a_query_that_the_server_does_not_know_leaves_the_mappings_of_config_sync():
    class Queried(Refusing):
        def query(self, path, query_filter="true", **unused):
            raise self.error

    def known(status, own):
        try:
            return mapping.read_mappings(Queried("nothing", status, own)) == []
        except Refused:
            return False

    assert {status for status in ALL if known(status, True)} == {400, 404, 501}
    assert not any(known(status, False) for status in ALL)


def test_what_a_refusal_says_of_the_dead_letter_queue():
    assert {status for status in ALL if _unread(refused(status)) is None} == {404, 501}
    assert "HTTP 403" in _unread(refused(403))


def test_what_hides_whether_a_change_arrived():
    assert {status for status in ALL if _hides(refused(status))} == {403, *range(500, 600)} - {501}
    assert {status for status in ALL if _hides(refused(status, own=False))} == ALL - {501}


def test_what_may_have_passed_a_request_on():
    assert {status for status in ALL if _is_on_the_way(refused(status))} == {502, 504}
    assert {status for status in ALL if _is_on_the_way(refused(status, own=False))} == {408, *range(500, 600)}
    assert _is_on_the_way(Refused("x")) is False


def test_a_server_that_keeps_no_record_is_told_from_one_that_cannot_be_asked_now():
    def unsuited(status, own):
        return not isinstance(_unsuited(refused(status, own=own)), Refused)

    assert {status for status in ALL if unsuited(status, True)} == {400, 403, 404, 405, 501}
    assert not any(unsuited(status, False) for status in ALL)


@pytest.mark.parametrize(
    ("version", "listed", "flavour"),
    [
        ("6.9.9", 200, server.FORK),
        ("0", 404, server.FORK),
        ("7.0.0", 200, server.IDM),
        ("8.0.1", 404, server.FORK),
        ("8.0.1", 501, server.FORK),
        ("8.0.1", 403, server.IDM),
        ("", 200, server.IDM),
        ("", 404, server.FORK),
        ("", 403, None),
    ],
)
def test_what_kind_of_idm_it_is(version, listed, flavour):
    class Told(Refusing):
        def request(self, method, path, params=None, none_on=(), **unused):
            if path == "info/version":
                return Answer(200, {"productVersion": version}, {})
            assert listed == 200 or listed in none_on
            return Answer(listed, {"result": []} if listed == 200 else None, {})

    if flavour is None:
        with pytest.raises(Refused, match="What kind of IDM this is cannot be known"):
            server.ask_server(Told("", 200))
    else:
        assert server.ask_server(Told("", 200)) == server.Server(flavour, version)
