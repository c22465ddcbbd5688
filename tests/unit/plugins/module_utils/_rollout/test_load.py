# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load: nobody is deleted by surprise, no foreign run is taken for ours, and what was done is known."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import Anchor
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import (
    FAILOVER,
    OTHER,
    UNKNOWN,
    Identity,
    Whose,
)
from ansible_collections.idmops.idm.plugins.module_utils._health.status import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_filters import entry_filter
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._proof.unlisted import Unlisted
from ansible_collections.idmops.idm.plugins.module_utils._rollout import gather
from ansible_collections.idmops.idm.plugins.module_utils._rollout import load as module
from ansible_collections.idmops.idm.plugins.module_utils._rollout.load import LoadRequest, load
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.plugins.modules import livesync_load
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    SOURCE,
    URI,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import (
    ANYTHING,
    ScriptedClient,
    call,
    context,
    refused,
)

LIST = "system/ldap/account"
ADMINISTRATOR = {"bind_dn": "uid=admin", "bind_password": "x"}


def people(count):
    return {"result": [{"_id": str(number)} for number in range(count)]}


class Surroundings:
    """What the load finds, and what it asked for."""

    def __init__(self, monkeypatch, seen=(5,), linked=True, state="SUCCESS", token=7):
        self.seen, self.linked, self.token = list(seen), linked, token
        self.native, self.beyond, self.estranged, self.links = "integer", None, None, ("a",)
        self.asked, self.reactivated, self.waited = [], 0, 0
        self.unlisted, self.listed = [{}], []
        self.stood_at = None
        self.whose, self.identity = Whose(), Identity({"replication server": "1"})
        for name, stand_in in {
            "read_connector": lambda *unused: CONNECTOR,
            "read_mappings": lambda *unused: [MAPPING],
            "has_links": lambda *unused: self.linked,
            "read_stage": lambda *unused: None if self.token is None else Stage("1", self.token, self.native),
            "LogReader": lambda *unused: contextlib.nullcontext(self),
            "estranged": lambda client, connector, mappings, known: self.estranged if mappings else None,
            "some_links": lambda *unused: self.links,
            "ask_whose": lambda *unused: (URI, self.whose, self.identity),
            "compare": self._compare,
            "compare_links": self._compare_links,
            "reconcile": self._reconcile,
            "reactivate": self._reactivate,
            "alone": self._alone,
        }.items():
            monkeypatch.setattr(module, name, stand_in)
        self.state = state

    def last(self):
        """As a log reader: the newest change number."""
        return 30

    def outside(self, token):
        """As a log reader: where it does not reach a token."""
        return self.beyond

    def anchor(self, number):
        """As a log reader: the change of a number."""
        return self.stood_at

    def _compare(self, *given):
        self.principal = given[2]
        total = self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]
        return Visibility(total, total) if isinstance(total, int) else total

    def _compare_links(self, client, request, connector, mappings, known, uri, listed, it):
        self.listed.append(listed)
        return self.unlisted.pop(0) if len(self.unlisted) > 1 else self.unlisted[0]

    def _reconcile(self, client, request, *unused):
        self.asked.append(request)
        run = SimpleNamespace(id="r-1", state=self.state, succeeded=5)
        return SimpleNamespace(run=run, as_result=lambda: {"id": "r-1", "state": self.state})

    def _reactivate(self, *unused):
        self.reactivated += 1

    @contextlib.contextmanager
    def _alone(self, *unused):
        self.waited += 1
        yield


def listing(answer, params=ANYTHING):
    """A long list takes the system longer than any other answer of IDM's."""
    return call("GET", LIST, answer, params, timeout=600.0)


def request(directory=True, allow_deletes=False, may_reactivate=True):
    options = {**ADMINISTRATOR, "servers": [URI]} if directory else None
    entry = {"source": SOURCE, "allow_deletes": allow_deletes}
    return LoadRequest(SourceRequest.parse(entry, options, "source"), ("m",), may_reactivate=may_reactivate)


def test_a_load_is_done_and_proved(monkeypatch):
    there = Surroundings(monkeypatch)
    client = ScriptedClient(listing(people(5), {"_queryFilter": "true", "_fields": "_id"}))
    client.timeout = 30
    result = load(client, request(), context()).as_result()
    client.finished()
    assert result["changed"] and result["record"]["m"]["recon"] == "r-1" and result["record"]["m"]["idm"] == ["a"]
    assert result["entries"] == {"total": 5, "readable": 5, "through_idm": 5}
    assert there.waited == 1


@pytest.mark.parametrize("allowed", [False, True])
def test_nothing_is_loaded_where_the_connector_calls_entries_otherwise_than_their_links(monkeypatch, allowed):
    """Everybody who is linked would be taken for gone, which nobody means by allow_deletes."""
    there = Surroundings(monkeypatch)
    there.estranged = "The connector ldap knows entries by dn, and the links by entryUUID."
    with pytest.raises(IdmopsError, match="the links by entryUUID"):
        load(ScriptedClient(), request(allow_deletes=allowed), context())
    assert there.asked == []


def test_the_record_names_the_server_and_the_change_that_liveSync_goes_on_from(monkeypatch):
    Surroundings(monkeypatch).stood_at = Anchor(7, "2026-11-24T17:00:07Z", "a")
    client = ScriptedClient(listing(people(5), {"_queryFilter": "true", "_fields": "_id"}))
    client.timeout = 30
    record = load(client, request(), context()).as_result()["record"]["m"]
    assert record["directory"] == {"ids": {"replication server": "1"}, "data": {}}
    assert record["base_point"] == {"number": 7, "time": "2026-11-24T17:00:07Z", "csn": "a"}


@pytest.mark.parametrize(
    ("whose", "allowed", "words"),
    [
        (Whose(OTHER, "It is another one."), True, "It is another one"),
        (Whose(UNKNOWN, "Who knows."), False, "cannot be compared with what is there. Who knows."),
        (Whose(FAILOVER, "ds1 is away."), False, "cannot be compared with what is there. ds1 is away."),
    ],
)
def test_what_another_server_holds_guards_no_load(monkeypatch, whose, allowed, words):
    there = Surroundings(monkeypatch)
    there.whose = whose
    with pytest.raises(IdmopsError, match=words):
        load(ScriptedClient(), request(allow_deletes=allowed), context())
    assert not there.asked


def test_over_the_failover_too_no_load_begins_at_a_token_that_it_does_not_reach(monkeypatch):
    there = Surroundings(monkeypatch, linked=False)
    there.whose, there.beyond = Whose(FAILOVER, "ds1 is away."), ("ahead", "Bring it back.")
    with pytest.raises(IdmopsError, match="is ahead, so nothing was loaded"):
        load(ScriptedClient(), request(), context())
    assert not there.asked


def test_a_run_that_goes_on_already_is_waited_for_and_not_joined(monkeypatch):
    """It may have begun before the base point was stored."""
    there = Surroundings(monkeypatch)
    client = ScriptedClient(listing(people(5)))
    client.timeout = 30
    load(client, request(), context())
    assert there.asked[0].if_running == "wait"


@pytest.mark.parametrize(
    "seen, found", [((Visibility(5, 4),), None), ((5,), 4), ((5, 6, 7), 4), ((5, 5, Visibility(5, 4)), 4)]
)
def test_who_finds_fewer_does_not_load(monkeypatch, seen, found):
    there = Surroundings(monkeypatch, seen=seen)
    client = ScriptedClient(*[listing(people(found or 0))] * 3)
    client.timeout = 30
    with pytest.raises(IdmopsError, match="of [5-7] entries"):
        load(client, request(), context())
    assert there.asked == []


LOST = {"m": Unlisted(10, ("a", "b", "c"), (("accountSearchFilter does not match it", 10),))}


def test_linked_entries_that_the_source_does_not_list_any_more_are_no_load(monkeypatch):
    """With a narrowed accountSearchFilter 10 of 60 people were deleted (seen on OpenIDM 6.1.0)."""
    there = Surroundings(monkeypatch)
    there.unlisted = [LOST]
    client = ScriptedClient(*[listing(people(5))] * 3)
    client.timeout = 30
    with pytest.raises(IdmopsError, match="10 linked entries are in the directory and not listed") as caught:
        load(client, request(), context())
    assert there.asked == [] and "allow_deletes: true" in caught.value.remedy
    assert there.listed[0] == {"0", "1", "2", "3", "4"}
    with pytest.raises(IdmopsError, match="10 linked entries"):
        load(ScriptedClient(check_mode=True), request(), context(check_mode=True))
    assert there.listed[-1] is None  # IDM may list only what limits let it, which a task before this raises


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_load_that_would_leave_entries_undone_is_none(monkeypatch, check_mode):
    """With ABSENT: ASYNC a reconciliation ends in SUCCESS, and makes nobody (seen on OpenIDM 6.1.0)."""
    there = Surroundings(monkeypatch)
    monkeypatch.setattr(module, "read_mappings", lambda *unused: [replace(MAPPING, asynchronous=("ABSENT",))])
    with pytest.raises(IdmopsError, match="ASYNC \\(ABSENT\\).*Nothing was loaded") as caught:
        load(ScriptedClient(check_mode=check_mode), request(allow_deletes=True), context(check_mode))
    assert there.asked == [] and "an action of their own" in caught.value.remedy


def test_who_comes_while_the_source_is_listed_is_looked_for_again(monkeypatch):
    there = Surroundings(monkeypatch)
    there.unlisted = [LOST, {}]
    client = ScriptedClient(*[listing(people(5))] * 2)
    client.timeout = 30
    load(client, request(), context())
    client.finished()
    assert len(there.asked) == 1


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_connector_of_two_documents_loads_nothing(monkeypatch, check_mode):
    there = Surroundings(monkeypatch)
    twice = replace(CONNECTOR, twins=("provisioner.openicf/copy", "provisioner.openicf/ldap"))
    monkeypatch.setattr(module, "read_connector", lambda *unused: twice)
    with pytest.raises(IdmopsError, match="more than one document.*Nothing was loaded") as caught:
        load(ScriptedClient(), request(allow_deletes=True), context(check_mode))
    assert there.asked == [] and "Remove all but one" in caught.value.remedy


@pytest.mark.parametrize("item", [{}, {"_id": None}, {"_id": ""}])
def test_items_that_name_nobody_are_not_counted_as_found(monkeypatch, item):
    there = Surroundings(monkeypatch)
    client = ScriptedClient(listing({"result": [item] * 5}))
    client.timeout = 30
    with pytest.raises(IdmopsError, match="an object with an _id"):
        load(client, request(), context())
    assert there.asked == []


@pytest.mark.parametrize(("links", "warned"), [((), 1), (("a",), 0)])
def test_a_record_that_names_no_link_is_said_to(monkeypatch, links, warned):
    there = Surroundings(monkeypatch)
    there.links = links
    client = ScriptedClient(listing(people(5)))
    client.timeout = 30
    seen = context()
    load(client, request(), seen)
    assert len([text for text in seen.report.warnings if "repo/link" in text]) == warned


def test_what_cannot_be_compared_is_not_taken_for_equal(monkeypatch):
    there = Surroundings(monkeypatch, seen=(None,))
    with pytest.raises(IdmopsError, match="can delete .* and has links"):
        load(ScriptedClient(), request(), context())
    assert there.asked == []
    load(ScriptedClient(), request(allow_deletes=True), context())
    there.linked = False
    load(ScriptedClient(), request(), context())
    assert len(there.asked) == 2


def test_the_account_that_is_given_is_the_one_that_is_compared(monkeypatch):
    there = Surroundings(monkeypatch)
    given = request()
    given.source.directory["principal"] = "uid=given"
    for asked, principal in ((request(), CONNECTOR.principal), (given, "uid=given")):
        client = ScriptedClient(listing(people(5)))
        client.timeout = 30
        load(client, asked, context())
        assert there.principal == principal


@pytest.mark.parametrize(
    ("principal", "properties"),
    [
        (None, {}),
        ("uid=idm", {"baseContexts": ["&{esv.base}"]}),
        ("uid=idm", {"accountSearchFilter": "(o=&{esv.o})"}),
        ("uid=idm", {"accountObjectClasses": ["person", "&{esv.class}"]}),
    ],
)
def test_behind_placeholders_nothing_is_compared(monkeypatch, principal, properties):
    monkeypatch.setattr(gather, "Directory", None)
    document = {
        "_id": "provisioner.openicf/ldap",
        "configurationProperties": {"baseContexts": ["dc=x"], **properties},
        "objectTypes": {"account": {"nativeType": "__ACCOUNT__"}},
    }
    assert gather.compare(request().source, Connector.parse(document), principal, URI, context()) is None


def directory_of(name, host, servers, own=False):
    """What preflight makes of livesync_directory for a connector, where IDM has another one to a directory."""
    connector = replace(CONNECTOR, name=name, host=host)
    lists = Snapshot({name: connector, "apps": replace(CONNECTOR, name="apps")}, {}, {}, (), (), frozenset())
    gatherer = gather.Gatherer(ScriptedClient(), None, lists, "enabled", context())
    entry = {"source": f"system/{name}/account", "directory": {**ADMINISTRATOR, "servers": servers} if own else None}
    asked = SourceRequest.parse(entry, {**ADMINISTRATOR, "servers": servers})
    return gatherer._check_whose(asked, connector)


def test_a_directory_for_all_sources_is_not_taken_for_that_of_another_host():
    with pytest.raises(InvalidOption, match="give directory for system/b/account"):
        directory_of("b", "ds-b.example.com", ["ldaps://ds-a.example.com"])
    directory_of("b", "ds-a.example.com", ["ldaps://DS-A.example.com:4444"])
    directory_of("b", "ds-b.example.com", ["ldaps://other-name-of-it.example.com"], own=True)
    directory_of("b", None, ["ldaps://ds-a.example.com"])


def test_base_contexts_that_are_given_stand_for_those_of_a_placeholder(monkeypatch):
    seen = []
    monkeypatch.setattr(gather, "Directory", lambda *unused: contextlib.nullcontext())
    monkeypatch.setattr(gather, "see_as", lambda directory, *how: seen.append(how))
    document = {"_id": "provisioner.openicf/ldap", "configurationProperties": {"baseContexts": "&{esv.base}"}}
    asked = request().source
    asked.directory["base_contexts"] = ["dc=given"]
    gather.compare(asked, Connector.parse(document), "uid=idm", URI, context())
    assert seen[0][:2] == ("uid=idm", ["dc=given"])


def test_entries_that_come_and_go_while_they_are_counted_are_counted_again(monkeypatch):
    there = Surroundings(monkeypatch, seen=(6, 5))
    client = ScriptedClient(listing(people(5)), listing(people(5)))
    client.timeout = 30
    load(client, request(), context())
    client.finished()
    assert len(there.asked) == 1


def test_connections_that_hold_old_limits_are_renewed_once(monkeypatch):
    there = Surroundings(monkeypatch)
    client = ScriptedClient(listing(refused(500, "Operation QUERY failed")), listing(people(5)))
    client.timeout = 30
    assert load(client, request(), context()).reactivated
    assert there.reactivated == 1


@pytest.mark.parametrize("allowed, times", [(False, 1), (True, 2)])
def test_a_list_that_cannot_be_had_is_no_load(monkeypatch, allowed, times):
    there = Surroundings(monkeypatch)
    client = ScriptedClient(*[listing(refused(500, "Operation QUERY failed"))] * times)
    client.timeout = 30
    with pytest.raises(IdmopsError, match="cannot list the entries") as raised:
        load(client, request(may_reactivate=allowed), context())
    client.finished()
    assert there.asked == []
    assert raised.value.result["reactivated"] is allowed


@pytest.mark.parametrize("nodes", [(), ("https://idm1.example.com/openidm", "https://idm2.example.com/openidm")])
def test_that_one_of_several_nodes_has_old_limits_is_thought_of_where_they_are_not_listed(monkeypatch, nodes):
    # the other node's connections were not made anew, and it got the request (seen on two nodes of OpenIDM 6.1.0)
    there = Surroundings(monkeypatch)
    client = ScriptedClient(*[listing(refused(500, "Operation QUERY failed"))] * 2)
    client.timeout, client.nodes = 30, nodes
    with pytest.raises(IdmopsError, match="cannot list the entries") as raised:
        load(client, request(may_reactivate=True), context())
    assert there.reactivated == 1 and ("(nodes of livesync_idm)" in raised.value.remedy) is not bool(nodes)


@pytest.mark.parametrize(
    "linked, allow, refuses", [(True, False, True), (None, False, True), (False, False, False), (True, True, False)]
)
def test_without_a_directory_nothing_is_deleted_without_leave(monkeypatch, linked, allow, refuses):
    there = Surroundings(monkeypatch, linked=linked)
    if refuses:
        with pytest.raises(IdmopsError, match="can delete"):
            load(ScriptedClient(), request(directory=False, allow_deletes=allow), context())
        assert there.asked == []
    else:
        load(ScriptedClient(), request(directory=False, allow_deletes=allow), context())
        assert len(there.asked) == 1


@pytest.mark.parametrize("linked, allow, empty", [(True, False, False), (False, False, True), (True, True, True)])
def test_an_empty_source_empties_nothing_without_leave(monkeypatch, linked, allow, empty):
    there = Surroundings(monkeypatch, seen=(0,), linked=linked)
    client = ScriptedClient(listing(people(0)))
    client.timeout = 30
    load(client, request(allow_deletes=allow), context())
    assert there.asked[0].allow_empty_source is empty


def test_check_mode_foretells_and_sends_nothing(monkeypatch):
    there = Surroundings(monkeypatch)
    result = load(ScriptedClient(check_mode=True), request(), context(check_mode=True)).as_result()
    assert result["changed"] and result["loads"][0]["state"] == "planned" and result["record"]["m"]["recon"]
    assert there.asked == [] and there.waited == 0


def test_check_mode_foretells_what_would_be_refused(monkeypatch):
    there = Surroundings(monkeypatch, seen=(Visibility(5, 4),))
    with pytest.raises(IdmopsError, match="4 of 5 entries"):
        load(ScriptedClient(check_mode=True), request(), context(check_mode=True))
    there.seen = [None]
    with pytest.raises(IdmopsError, match="can delete"):
        load(ScriptedClient(check_mode=True), request(), context(check_mode=True))


def test_without_a_base_point_what_changes_meanwhile_would_be_lost(monkeypatch):
    there = Surroundings(monkeypatch, token=None)
    with pytest.raises(IdmopsError, match="no base point") as caught:
        load(ScriptedClient(), request(), context())
    assert "livesync_trigger first" in caught.value.remedy and "role livesync" in caught.value.remedy
    assert there.asked == []
    it = context(check_mode=True)  # there a task before this one may be going to store it
    assert load(ScriptedClient(check_mode=True), request(), it).runs[0]["state"] == "planned"
    assert "no base point" in it.report.warnings[0]


@pytest.mark.parametrize(
    ("token", "native", "beyond", "says"),
    [
        (7, "string", None, "stored as string"),
        ("20261124120000Z", "string", None, "stored as string"),
        (7, "integer", ("ahead", "Run the role livesync."), "ahead"),
        (7, "integer", ("trimmed", "Run the role livesync."), "trimmed"),
    ],
)
def test_nothing_is_loaded_at_a_base_point_that_livesync_cannot_go_on_from(monkeypatch, token, native, beyond, says):
    there = Surroundings(monkeypatch, token=token)
    there.native, there.beyond = native, beyond
    with pytest.raises(IdmopsError, match=says) as caught:
        load(ScriptedClient(), request(), context())
    assert "role livesync" in caught.value.remedy
    assert there.asked == []
    it = context(check_mode=True)  # there a task before this one may be going to set it
    assert load(ScriptedClient(check_mode=True), request(), it).runs[0]["state"] == "planned"
    assert says in it.report.warnings[0]


def test_a_mapping_of_another_source_is_refused(monkeypatch):
    Surroundings(monkeypatch)
    wrong = LoadRequest(request().source, ("x",))
    with pytest.raises(InvalidOption, match="these mappings: m"):
        load(ScriptedClient(), wrong, context())


@pytest.mark.parametrize(
    "object_type, described, properties, wanted",
    [
        ("account", {"nativeType": "__ACCOUNT__"}, {"accountObjectClasses": ["person"]}, "(&(objectClass=person))"),
        (
            "account",
            {"id": "__ACCOUNT__"},
            {"accountObjectClasses": ["person"], "accountSearchFilter": "(!(uid=x))"},
            "(&(objectClass=person)(!(uid=x)))",
        ),
        ("account", {"nativeType": "__ACCOUNT__"}, {"accountSearchFilter": "uid=x"},
         "(&(objectClass=top)(objectClass=person)(objectClass=organizationalPerson)(objectClass=inetOrgPerson)(uid=x))"),
        ("group", {"nativeType": "__GROUP__"}, {"groupObjectClasses": ["group"]}, "(&(objectClass=group))"),
        ("device", {"nativeType": "ieee*"}, {}, "(&(objectClass=ieee\\2a))"),
    ],
)  # fmt: skip
def test_the_filter_is_the_connectors(object_type, described, properties, wanted):
    document = {"configurationProperties": properties, "objectTypes": {object_type: described}}
    assert entry_filter(Connector.parse(document), object_type) == wanted


@pytest.mark.parametrize(
    "wrong",
    [{"mappings": []}, {"max_failures": -1}, {"max_failure_percent": 101.0}, {"wait_timeout": 0.0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_options_that_cannot_work_are_refused_before_anything_is_sent(monkeypatch, wrong):
    monkeypatch.setattr(livesync_load, "session", None)  # nobody gets as far as that
    options = {"source": SOURCE, "mappings": ["m"], "max_failures": 0, "max_failure_percent": None, "directory": None}
    with pytest.raises(InvalidOption) as caught:
        livesync_load.operate({**options, "wait_timeout": 9.0, "reactivate": False, **wrong}, context())
    assert caught.value.option == next(iter(wrong))
