# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors: how they are found and tested, and what their configuration says."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption, Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._idm import connector as connectors
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_remedy import remedy_for
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.connectors import (
    GONE,
    LDAP,
    OK,
    REFUSED,
    found,
    listed,
    not_ok,
    queried,
    trial,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, down, refused


def parsed(**changes):
    return connectors.Connector.parse({**LDAP, **changes})


def with_properties(**properties):
    return parsed(configurationProperties={**LDAP["configurationProperties"], **properties})


# -- what the configuration says --


def test_a_configuration_is_read():
    one = parsed()
    assert one.as_result() == {
        "name": "ldap",
        "enabled": True,
        "type": "org.identityconnectors.ldap.LdapConnector",
        "principal": "uid=idm,ou=apps,dc=example,dc=com",
        "host": "ds1.example.com",
        "port": 1636,
        "failover": ["ds2.example.com:2636", "ds3.example.com:389", "ds4.example.com:636"],
        "base_contexts": ["dc=example,dc=com"],
        "uid_attribute": "entryUUID",
        "object_types": ["account", "group"],
        "failure_policy": {
            "max_retries": 5,
            "post_retry_action": "logged-ignore",
            "blocks": False,
            "drops": True,
        },
        "remote": None,
    }
    assert one.sync_base_contexts == ("ou=People,dc=example,dc=com",)
    assert one.change_log_block_size == 100
    assert one.servers[0] == ("ds1.example.com", 1636)
    assert len(one.servers) == 4
    assert "abc" not in repr(one)


def test_placeholders_are_not_known():
    one = connectors.Connector.parse(
        {
            "_id": "provisioner.openicf/hr",
            "enabled": {"$bool": "&{esv.hr.enabled}"},
            "configurationProperties": {
                "host": "&{esv.host}",
                "port": {"$int": "&{esv.port}"},
                "principal": "&{esv.principal}",
                "baseContexts": ["&{esv.base}"],
                "useTimestampsForSync": "&{esv.x}",
            },
        }
    )
    assert one.name == "hr"
    assert (one.enabled, one.host, one.port, one.principal) == (None, None, None, None)
    assert (one.base_contexts, one.servers, one.uses_timestamps) == ((), (), False)


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"host": "&{esv.host}", "port": 1389, "failover": ["ldap://ds2:1389"]}, id="host"),
        pytest.param({"host": "ds1", "port": {"$int": "&{esv.port}"}, "failover": ["ldap://ds2:1389"]}, id="port"),
    ],
)
def test_a_server_of_the_failover_is_not_the_first_where_that_is_hidden(properties):
    one = connectors.Connector.parse({"configurationProperties": properties})
    assert one.servers == () and one.failover == (("ds2", 1389),)


def test_the_place_of_a_server_after_a_hidden_one_is_not_known():
    failover = ["ldap://ds2:1389", "&{esv.ds3}", "ldap://ds4:1389"]
    one = connectors.Connector.parse({"configurationProperties": {"host": "ds1", "failover": failover}})
    assert one.servers == (("ds1", 389), ("ds2", 1389))


def test_nothing_at_all_is_borne_with():
    assert connectors.Connector.parse({}).name == ""


def test_the_change_log_falls_back_to_the_base_contexts_and_time_stamps_do_not():
    assert with_properties(baseContextsToSynchronize=[]).sync_base_contexts == ("dc=example,dc=com",)
    assert with_properties(baseContextsToSynchronize=[], useTimestampsForSync=True).sync_base_contexts == ()


def test_a_list_with_a_placeholder_is_not_known_at_all():
    """A part of the base contexts would be taken for all of them."""
    for hidden in ("&{esv.base}", {"$list": "&{esv.base}"}, ["ou=a,dc=x", "&{esv.base}"], ["&{esv.base}"]):
        assert with_properties(baseContexts=hidden).base_contexts == ()
        assert with_properties(baseContexts=["dc=x"], baseContextsToSynchronize=hidden).sync_base_contexts == ()
    assert with_properties(baseContexts="dc=x").base_contexts == ("dc=x",)


def test_before_their_first_operation_connectors_are_tested_and_once_more_if_that_fails():
    def tested(system, answer):
        return call("POST", f"system/{system}", answer, params={"_action": "test"})

    client = ScriptedClient(
        *(tested("rcs", not_ok("Interim message missed")), tested("rcs", OK), tested("ldap", OK)),
        tested("shut", refused(403, "no")),
    )
    connectors.rouse(client, ("rcs", "ldap", "shut"))
    client.finished()


@pytest.mark.parametrize(("reference", "remote"), [("#LOCAL", None), ("", None), (None, None), ("rcs1", "rcs1")])
def test_where_it_runs(reference, remote):
    assert parsed(connectorRef={"connectorHostRef": reference}).remote == remote


@pytest.mark.parametrize(
    ("sync", "denied"),
    [
        ({}, ()),
        ({"denied": True}, ("account", "group")),
        ({"denied": True, "objectFeatures": {"__ACCOUNT__": {"denied": False}}}, ("group",)),
        ({"objectFeatures": {"account": {"denied": True}}}, ("account",)),
        ({"supportedObjectTypes": ["__ACCOUNT__"]}, ("group",)),
        ({"denied": "&{esv.x}"}, ()),
    ],
)
def test_types_that_are_kept_from_liveSync(sync, denied):
    assert parsed(operationOptions={"SYNC": sync}).sync_denied == denied


@pytest.mark.parametrize(
    ("handler", "retries", "action", "blocks", "drops"),
    [
        (None, None, None, True, False),
        ({}, None, None, True, False),
        ({"maxRetries": -1, "postRetryAction": "logged-ignore"}, -1, "logged-ignore", True, False),
        ({"maxRetries": 0, "postRetryAction": "dead-letter-queue"}, 0, "dead-letter-queue", False, False),
        ({"maxRetries": "5", "postRetryAction": {"script": {"source": "x"}}}, 5, "script", False, False),
        ({"maxRetries": 5, "postRetryAction": "log-and-ignore"}, 5, "log-and-ignore", False, True),
        ({"maxRetries": 5}, 5, None, False, True),
        ({"maxRetries": "&{esv.r}", "postRetryAction": "logged-ignore"}, None, "logged-ignore", False, True),
        ({"maxRetries": 5, "postRetryAction": "&{esv.a}"}, 5, None, False, False),
    ],
)
def test_what_becomes_of_a_record_that_fails(handler, retries, action, blocks, drops):
    untold = bool(handler) and handler.get("postRetryAction") == "&{esv.a}"
    assert connectors.FailurePolicy.parse(handler) == connectors.FailurePolicy(retries, action, blocks, drops, untold)


# -- finding them --


def test_one_connector_costs_two_requests():
    idm = ScriptedClient(*found())
    assert [one.name for one in connectors.read_connectors(idm)] == ["ldap"]
    idm.finished()


def test_many_connectors_cost_two_requests_where_the_query_answers():
    ids = [f"provisioner.openicf/c{n}" for n in range(50)]
    documents = [{"_id": item, "connectorRef": {}} for item in ids]
    idm = ScriptedClient(listed("provisioner.openicf.connectorinfoprovider", *ids), queried(*documents))
    assert len(connectors.read_connectors(idm)) == 50
    idm.finished()


def test_what_the_query_leaves_out_is_read_one_by_one():
    idm = ScriptedClient(
        listed("provisioner.openicf/hr", "provisioner.openicf/ldap"),
        queried({"_id": "provisioner.openicf/hr", "connectorRef": {}}, {"_id": "provisioner_openicf_ldap"}),
        call("GET", "config/provisioner.openicf/ldap", LDAP),
    )
    assert [one.name for one in connectors.read_connectors(idm)] == ["hr", "ldap"]
    idm.finished()


def test_a_list_that_may_not_be_read_leaves_the_query():
    idm = ScriptedClient(call("GET", "config", refused(403)), queried(LDAP))
    assert [one.name for one in connectors.read_connectors(idm)] == ["ldap"]


@pytest.mark.parametrize(("list_status", "status"), [(403, 403), (404, 429), (501, 500), (403, 503)])
def test_connectors_that_cannot_be_read_are_not_taken_for_none(list_status, status):
    idm = ScriptedClient(call("GET", "config", refused(list_status)), call("GET", "config", refused(status)))
    with pytest.raises(Refused):
        connectors.read_connectors(idm)
    idm = ScriptedClient(
        listed("provisioner.openicf/ldap"), call("GET", "config/provisioner.openicf/ldap", refused(status))
    )
    with pytest.raises(Refused):
        connectors.read_connectors(idm)


@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_query_that_finds_nothing_says_nothing_where_the_list_is_refused(status):
    # OpenIDM 6.1.0 answers an empty list to the query, however many connectors there are
    idm = ScriptedClient(call("GET", "config", refused(status, "Access denied")), queried())
    with pytest.raises(Refused, match="Access denied"):
        connectors.read_connectors(idm)


@pytest.mark.parametrize("stated", [{}, {"configurations": None}, {"configurations": 1}, {"code": 500}])
def test_a_list_of_another_form_is_not_taken_for_none(stated):
    with pytest.raises(Refused, match="configurations"):
        connectors.read_connectors(ScriptedClient(call("GET", "config", stated)))


@pytest.mark.parametrize("items", [[], [{}], [{"_id": None}, {"pid": "provisioner.openicf"}]])
def test_a_list_that_names_no_configuration_is_not_taken_for_an_idm_without_connectors(items):
    # an IDM without any configuration has no REST interface either
    with pytest.raises(Refused, match="configurations|_id"):
        connectors.read_connectors(ScriptedClient(call("GET", "config", {"configurations": items})))


@pytest.mark.parametrize("stated", [{}, {"result": None}, {"connectorRef": None}, {"code": 500, "message": "boom"}])
def test_a_document_of_another_form_is_not_taken_for_a_connector_that_reads_no_change_log(stated):
    idm = ScriptedClient(listed("provisioner.openicf/ldap"), call("GET", "config/provisioner.openicf/ldap", stated))
    with pytest.raises(Refused, match="connectorRef"):
        connectors.read_connectors(idm)


def test_the_name_and_the_alias_are_two_things():
    idm = ScriptedClient(
        listed("provisioner.openicf/file one"),
        call("GET", "config/provisioner.openicf/file%20one", {**LDAP, "name": "ldapOne"}),
    )
    one = connectors.read_connector(idm, "ldapOne")
    assert one.config_id == "provisioner.openicf/file one"


def test_an_unknown_system_is_answered_with_those_there_are():
    with pytest.raises(InvalidOption) as caught:
        connectors.read_connector(ScriptedClient(*found()), "LDAP")
    assert caught.value.message == "system: 'LDAP' cannot be used. IDM has these connectors: ldap."


# -- testing them --


def test_all_are_tested_in_one_request():
    idm = ScriptedClient(call("POST", "system", [OK, {"name": "hr", "ok": False, "enabled": False}]))
    one, two = connectors.test_connectors(idm)
    assert (one.name, one.ok, one.error) == ("ldap", True, None)
    assert (two.name, two.ok, two.error, two.enabled) == ("hr", False, "no reason given", False)


class OneHangs:
    """An IDM whose connectors' systems are well, but for one that never answers, so that no test of all ends."""

    url = "https://idm.example.com/openidm"

    def __init__(self, *names):
        self.names = names
        self.posts = 0

    def sibling(self):
        return contextlib.nullcontext(self)

    def get(self, path, *unused, **more):
        if path == "config":
            return {"configurations": [{"_id": f"provisioner.openicf/{name}"} for name in self.names]}
        return {**LDAP, "name": path.rpartition("/")[2]}

    def query(self, *unused, **more):
        return [{**LDAP, "_id": f"provisioner.openicf/{name}", "name": name} for name in self.names]

    def post(self, path, *unused, **more):
        self.posts += 1
        if path in ("system", "system/hangs"):
            raise Unreachable("It did not answer within 30 s.", sent=True, timed_out=True)
        return {**OK, "name": path.rpartition("/")[2]}


@pytest.mark.parametrize("names", [("hangs",), ("hangs", "ldap", "hr")])
def test_a_system_that_hangs_is_named_and_hides_no_other(names):
    idm = OneHangs(*names)
    found = {one.name: one for one in connectors.test_connectors(idm)}
    assert idm.posts == (1 if len(names) == 1 else 1 + len(names))  # one alone is not waited for twice
    assert {name: one.ok for name, one in found.items()} == {name: name != "hangs" for name in names}
    assert "hangs" in found["hangs"].error and "within 30 s" in found["hangs"].error


def test_an_idm_that_cannot_be_reached_is_no_system_that_hangs():
    with pytest.raises(Unreachable):
        connectors.test_connectors(ScriptedClient(call("POST", "system", down())))


def test_a_connector_without_a_route_is_not_ok():
    one = connectors.test_connector(ScriptedClient(trial(GONE)), "ldap")
    assert (one.ok, one.error) == (False, "connector not available")


@pytest.mark.parametrize("answer", [None, {}, {"result": None}, {"code": 500, "message": "boom"}, {"ok": None}])
def test_an_answer_that_is_no_verdict_is_none(answer):
    with pytest.raises(Refused, match="ok"):
        connectors.test_connector(ScriptedClient(trial(answer)), "ldap")


def test_an_error_alone_is_a_verdict():
    one = connectors.test_connector(ScriptedClient(trial({"name": "ldap", "error": REFUSED})), "ldap")
    assert (one.ok, one.error) == (False, REFUSED)


def test_a_local_connector_is_tested_once():
    idm = ScriptedClient(trial(not_ok(REFUSED)))
    assert not connectors.checked(idm, parsed()).ok
    idm.finished()


def test_the_first_test_wakes_a_remote_connector_server_up():
    idm = ScriptedClient(trial(not_ok("Interim message missed")), trial(OK))
    assert connectors.checked(idm, parsed(connectorRef={"connectorHostRef": "rcs1"})).ok
    idm.finished()


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (REFUSED, "start it, or correct host and port"),
        (
            "[LDAP: error code 19 - uid=idm must change their password before it will be allowed to request any other",
            "set one by itself first",
        ),
        ("[LDAP: error code 49 - Invalid Credentials]", "correct principal and credentials"),
        ("javax.net.ssl.SSLHandshakeException: PKIX path building failed", "CA certificate"),
        (
            "CommunicationException: [Root exception is SocketException: Connection or outbound has closed]",
            "ssl, startTLS",
        ),
        ("java.net.UnknownHostException: ds9", "host name"),
        ("Connection Error", "could not bind"),
        ("Bad Base Context: ou=Nobody", "correct baseContexts"),
        ("connector not available", "no running connector"),
        ("Interim message missed", "testConnectorServers"),
        ("something else", "IDM's log"),
    ],
)
def test_each_kind_of_error_has_its_remedy(error, remedy):
    assert remedy in remedy_for(error)


@pytest.mark.parametrize(
    ("stated", "limit", "told"),
    [(1, 1, True), (59_999, 59_999, True), (60_000, 60_000, False), (-1, None, False), (None, None, False)],
)
def test_a_limit_that_breaks_runs_off_is_told_where_it_is_short(stated, limit, told):
    """With SYNC at 1 each run ends in 500, and nothing is stored (seen on OpenIDM 6.1.0)."""
    connector = parsed(operationTimeout={"SYNC": stated})
    assert connector.sync_limit == limit
    assert (connector.breaks_off is not None) is told
    if told:
        assert connector.breaks_off.startswith(f"IDM breaks a run off after {stated} ms")
        assert "operationTimeout.SYNC in config/provisioner.openicf/ldap to -1" in connector.breaks_off


def test_a_document_that_has_another_name_is_told_as_that():
    """IDM has no system/ldap then, and mappings and jobs of it find nothing (seen on OpenIDM 6.1.0)."""
    other, source = parsed(name="ldap-prod"), Source.parse("system/ldap/account")
    said = "The document config/provisioner.openicf/ldap has the name ldap-prod"
    assert connectors.renamed("ldap", [other]).startswith(said)
    with pytest.raises(InvalidOption, match=said):
        connectors.check_source(source, [other])
    with pytest.raises(InvalidOption, match="IDM has no connector hr; it has: ldap-prod"):
        connectors.check_source(Source.parse("system/hr/account"), [other])
    own = parsed(name="ldap")
    assert connectors.renamed("ldap", [other, own]) is None and connectors.renamed("hr", [own]) is None
    connectors.check_source(source, [own])


def test_one_connector_is_read_by_its_own_document_first():
    document = {"name": "ldap", "connectorRef": {"connectorName": "x.LdapConnector"}}
    idm = ScriptedClient(call("GET", "config/provisioner.openicf/ldap", document))
    assert connectors.connector_of(idm, "ldap").name == "ldap"
    idm.finished()


def test_a_remote_connector_sees_another_network():
    assert "rcs1" in remedy_for(REFUSED, "rcs1")
    assert "rcs1" not in remedy_for("Interim message missed", "rcs1")


def test_one_whose_test_fails_is_described_with_its_remedy():
    idm = ScriptedClient(*found(), trial(not_ok(REFUSED)))
    (shown,) = connectors.describe_connectors(idm, ["ldap"])
    assert (shown["ok"], shown["error"], shown["host"]) == (False, REFUSED, "ds1.example.com")
    assert "start it" in shown["remedy"]
    idm.finished()


def test_all_are_described_with_one_test_and_what_fails_is_tried_by_itself():
    all_of_them = call("POST", "system", [{**OK, "name": "ldap"}], params={"_action": "test"})
    idm = ScriptedClient(*found(), all_of_them)
    (shown,) = connectors.describe_connectors(idm, [])
    assert (shown["name"], shown["ok"], shown["remedy"]) == ("ldap", True, None)
    idm.finished()
    missing = call("POST", "system", [], params={"_action": "test"})
    (shown,) = connectors.describe_connectors(ScriptedClient(*found(), missing, trial(GONE)), [])
    assert (shown["name"], shown["ok"]) == ("ldap", False)


def test_a_name_that_there_is_not_is_told_before_anything_is_tested():
    idm = ScriptedClient(*found())
    with pytest.raises(InvalidOption, match="systems: 'nope'.* these connectors: ldap"):
        connectors.describe_connectors(idm, ["ldap", "nope"])
    idm.finished()
