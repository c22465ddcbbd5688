# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of another form than IDM's own: each becomes one error that names the URL, and is never taken for "none"."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._http import form as module
from ansible_collections.idmops.idm.plugins.module_utils._http.client import Client
from ansible_collections.idmops.idm.plugins.module_utils._idm import audit, connector, mapping, nodes, server, stage
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync.one_run import LiveSync, Mark, Patience
from ansible_collections.idmops.idm.plugins.module_utils._recon import watch
from ansible_collections.idmops.idm.plugins.module_utils._record import load_record
from ansible_collections.idmops.idm.plugins.module_utils._rollout import load
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.plugins.module_utils._schedule import store

LDAP = Source("ldap", "account")
LOAD = load.LoadRequest(SourceRequest.parse({"source": str(LDAP)}, None, "", "directory"), ("one",))
LOADED = load_record.Load("r", "", ("x",))
FORK = server.Server("openidm", "6.1.0")
DEEP = "[" * 100_000
ODD = {
    "a list": "[1]",
    "a truth value": "true",
    "a number": "5",
    "an infinite number": '{"result":[{"x":1e999}],"duration":1e999,"_rev":1e999}',
    "a number of many digits": "1" + "0" * 5000,
    "a text": '"x"',
    "null": "null",
    "an empty object": "{}",
    "a result that is no list": '{"result":5}',
    "a result with null": '{"result":[1,null]}',
    "results of texts": '{"result":["a"],"results":["a"],"reconciliations":["a"],"mappings":["a"]}',
    "brackets": DEEP,
    "objects in one another": '{"a":' * 50_000,
    "a stage of 0": '{"connectorData":0,"_rev":{}}',
    "data that is a text": '{"connectorData":"uid"}',
    "a token that is an object": '{"connectorData":{"nativeType":[1],"syncToken":{"a":1}}}',
    "an exception that is a text": '{"connectorData":{"syncToken":1},"lastException":"boom"}',
    "an exception that is a list": '{"lastException":[1]}',
    "triggers that are a number": '{"result":[{"_id":5,"triggers":5,"invokeContext":7}],"triggers":5,"_id":"x"}',
    "members that are numbers": '{"result":[{"_id":1,"configurationProperties":1,"connectorRef":1,"objectTypes":1,'
    '"policies":1,"name":1,"sourceObjectId":1,"timestamp":1,"progress":1}],"configurations":1,"mappings":1}',
    "half of it": '{"result":[',
    "nothing": "",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers whatever is asked with the server's ``said``."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = self.server.said.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headed.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = _answer

    def log_message(self, *unused):
        pass


@pytest.fixture(scope="module")
def answering():
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.said, listening.headed, listening.status = "", {}, 200
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield listening
    listening.shutdown()
    listening.server_close()
    thread.join(5)


@pytest.fixture
def idm(answering):
    options = {
        "url": f"http://127.0.0.1:{answering.server_port}/openidm",
        "auth_method": "openidm",
        "username": "u",
        "password": "p",
        "timeout": 10,
    }
    answering.headed, answering.status = {}, 200
    with Client(options, Context()) as client:
        yield client


def run(client):
    livesync = LiveSync(client, LDAP, Context(), Patience(0.1, 0.1))
    return livesync.run(Mark(rev="1", token=5))


CALLS = {
    "read_stage": lambda idm: stage.read_stage(idm, LDAP),
    "read_stages": stage.read_stages,
    "write_token": lambda idm: stage.write_token(idm, LDAP, 5, "integer", "1"),
    "delete_stage": lambda idm: stage.delete_stage(idm, LDAP, "1"),
    "read_connectors": connector.read_connectors,
    "test_connectors": connector.test_connectors,
    "test_connector": lambda idm: connector.test_connector(idm, "ldap"),
    "read_mappings": mapping.read_mappings,
    "has_links": lambda idm: mapping.has_links(idm, mapping.SyncMapping.parse({"name": "one"})),
    "read_jobs": lambda idm: store.read_jobs(idm, "1.0"),
    "read_job": lambda idm: store.read_job(idm, FORK, "x"),
    "read_config": lambda idm: store.read_config(idm, "x"),
    "executing_sources": store.executing_sources,
    "check_cron": lambda idm: store.check_cron(idm, FORK, "0 0 0 * * ?"),
    "list_runs": watch.list_runs,
    "read_run": lambda idm: watch.read_run(idm, "x"),
    "ask_server": server.ask_server,
    "running_nodes": nodes.running_nodes,
    "newest_entry": lambda idm: audit.newest_entry(idm, LDAP),
    "end_of_call": lambda idm: audit.end_of_call(idm, "t", "2026-11-24T11:00:00Z"),
    "a link": lambda idm: load_record.Witnesses(idm, [LOADED]).made_here(LOADED, promoted=False),
    "some_links": lambda idm: load_record.some_links(idm, "one"),
    "entries": lambda idm: load._listed(idm, LOAD, None, None, Context()),
    "liveSync": run,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("said", ODD)
def test_an_odd_answer_is_an_error_of_ours_or_means_something(answering, idm, call, said):
    answering.said = ODD[said]
    try:
        CALLS[call](idm)
    except IdmopsError as exc:
        assert idm.url in exc.message or exc.message.startswith(("cron", "GET repo", "repo/")), exc.message
        assert len(exc.message) < 600


@pytest.mark.parametrize(
    "call", ["read_stage", "read_stages", "read_jobs", "read_mappings", "read_connectors", "list_runs"]
)
@pytest.mark.parametrize("said", ["a list", "a truth value", "a number", "a text", "null", "brackets", "half of it"])
def test_what_is_no_answer_is_never_taken_for_none(answering, idm, call, said):
    answering.said = ODD[said]
    with pytest.raises(IdmopsError):
        CALLS[call](idm)


@pytest.mark.parametrize("said", ["brackets", "half of it"])
def test_an_answer_that_is_not_whole_names_what_was_asked(answering, idm, said):
    answering.said = ODD[said]
    with pytest.raises(IdmopsError, match=f"GET {idm.url}/config/sync was cut off"):
        CALLS["read_mappings"](idm)


@pytest.mark.parametrize(
    ("call", "status"),
    [("read_stage", 404), ("read_job", 404), ("read_config", 404), ("a link", 404), ("ask_server", 404)]
    + [("read_mappings", 404), ("read_connectors", 403), ("test_connector", 404)],
)
@pytest.mark.parametrize("said", ['{"error":"no Route matched"}', '{"status":404,"path":"/x"}', "{}"])
def test_an_error_of_what_stands_before_idm_says_nothing_of_what_idm_has(answering, idm, call, status, said):
    answering.said, answering.status = said, status
    with pytest.raises(IdmopsError, match=f"answered {status}"):
        CALLS[call](idm)


@pytest.mark.parametrize(
    "call",
    ["read_stage", "read_stages", "read_job", "read_jobs", "read_config", "read_mappings", "list_runs", "entries"],
)
@pytest.mark.parametrize("said", [{}, {"result": None}, {"code": 500, "message": "boom"}, {"reconciliations": 0}])
def test_an_object_that_says_nothing_is_not_taken_for_none(answering, idm, call, said):
    answering.said = json.dumps(said)
    with pytest.raises(IdmopsError, match="expected"):
        CALLS[call](idm)


@pytest.mark.parametrize("call", ["read_stages", "read_jobs"])
@pytest.mark.parametrize("item", [{}, {"_id": None}, {"_id": "", "invokeContext": None}])
def test_what_does_not_say_whose_it_is_is_not_passed_over(answering, idm, call, item):
    answering.said = json.dumps({"result": [item]})
    with pytest.raises(IdmopsError, match="an object with an _id"):
        CALLS[call](idm)


@pytest.mark.parametrize("said", ["{}", "", '{"valid":null}', '{"code":500}'])
def test_an_expression_that_nobody_judged_is_not_called_wrong(answering, idm, said):
    answering.said = said
    with pytest.raises(IdmopsError, match="a truth value"):
        CALLS["check_cron"](idm)


@pytest.mark.parametrize("said", ["{}", '{"result":null}', '{"code":500}'])
def test_links_that_are_not_told_are_not_none(answering, idm, said):
    # "none" lets a load go on over an empty source, and delete everybody
    answering.said = said
    assert CALLS["has_links"](idm) is None


def test_a_gateway_that_does_not_take_a_query_is_not_idm(answering, idm):
    """Where IDM does not query its configuration, config/sync has all mappings; what stands before it says nothing."""
    documents = iter([(200, {"mappings": []}), (501, {"error": "Not Implemented"})])
    before = idm._transmit

    def transmit(*asked, **how):
        answering.status, said = next(documents)
        answering.said = json.dumps(said)
        return before(*asked, **how)

    idm._transmit = transmit
    with pytest.raises(IdmopsError, match="answered 501"):
        mapping.read_mappings(idm)


@pytest.mark.parametrize("call", ["test_connectors", "executing_sources"])
def test_no_list_is_no_empty_list(answering, idm, call):
    answering.said = ""
    with pytest.raises(IdmopsError, match="a list of objects"):
        CALLS[call](idm)


@pytest.mark.parametrize("call", ["read_stages", "read_jobs", "read_mappings"])
def test_a_page_is_not_all_there_is(answering, idm, call):
    said = {"result": [], "mappings": [], "pagedResultsCookie": "abc"}
    answering.said = json.dumps(said)
    with pytest.raises(IdmopsError, match="one page of a list"):
        CALLS[call](idm)
    answering.said = json.dumps({**said, "pagedResultsCookie": None})
    assert not CALLS[call](idm)


@pytest.mark.parametrize(
    "headed",
    [
        {"Retry-After": "\u00b2"},
        {"Retry-After": "9" * 400},
        {"Date": "Fri, 31 Dec 9999 23:59:59 -2359"},
        {"Date": "Mon, 01 Jan 0001 00:00:00 +2359"},
        {"Date": "x"},
        {"Content-Type": "application/json; charset=nothing"},
    ],
)
def test_odd_headers_do_no_harm(answering, idm, headed):
    answering.said, answering.headed = '{"result":[]}', headed
    assert idm.query("config") == []


def test_an_answer_without_end_is_not_read_to_its_end(answering, idm, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 1 << 20)
    answering.said = json.dumps({"result": [{"a": "x" * (2 << 20)}]})
    with pytest.raises(IdmopsError, match="longer than 1 MiB"):
        idm.query("config")
    answering.said = json.dumps({"result": [{"a": "x" * (1 << 19)}]})
    assert len(idm.query("config")) == 1
