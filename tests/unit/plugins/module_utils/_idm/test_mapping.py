# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mappings: where they are read from, what they can delete, whether they have links."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption, Refused
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import (
    SyncMapping,
    has_links,
    misnamed,
    queued_after,
    read_mapping,
    read_mappings,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, call, down, refused

ONE = {"name": "one", "source": "system/ldap/account", "target": "managed/user", "policies": []}
TWO = {"name": "two", "source": "managed/user", "target": "system/ldap/account", "links": "one", "enableSync": False}
FILE = {"_id": "mapping/three", "source": "system/ldap/account", "target": "managed/role"}
FILTER = {"_queryFilter": '_id sw "mapping/"'}


def client(sync, files):
    return ScriptedClient(call("GET", "config/sync", sync, params=None), call("GET", "config", files, params=FILTER))


def test_both_places_are_read_in_two_requests():
    idm = client({"_id": "sync", "mappings": [ONE, TWO]}, {"result": [FILE]})
    assert [mapping.name for mapping in read_mappings(idm)] == ["one", "two", "three"]
    idm.finished()


def test_documents_that_are_listed_nowhere_are_not_asked_for():
    idm = ScriptedClient(call("GET", "config/sync", {"mappings": [ONE]}, params=None))
    assert [mapping.name for mapping in read_mappings(idm, listed=["sync", "managed"])] == ["one"]
    idm.finished()
    idm = client({"mappings": [ONE]}, {"result": [FILE]})
    assert [mapping.name for mapping in read_mappings(idm, listed=["sync", "mapping/three"])] == ["one", "three"]


def test_the_mappings_of_one_source():
    idm = client({"mappings": [ONE, TWO]}, {"result": [FILE]})
    assert [mapping.name for mapping in read_mappings(idm, Source("ldap", "account"))] == ["one", "three"]


@pytest.mark.parametrize("spelled", ["/system/ldap/account", "system/LDAP/account", "SYSTEM/ldap/account/"])
def test_a_mapping_takes_its_source_in_whatever_case(spelled):
    """Seen on OpenIDM 6.1.0."""
    idm = client({"mappings": [{**ONE, "source": spelled}, {**TWO, "source": "system/ldaps/account"}]}, {"result": []})
    assert [mapping.name for mapping in read_mappings(idm, Source("ldap", "account"))] == ["one"]


def test_no_document_is_no_mapping():
    idm = client(refused(404), refused(501))
    assert read_mappings(idm) == []
    idm.finished()


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_mappings_that_cannot_be_read_are_not_taken_for_none(status):
    for idm in (client({"mappings": [ONE]}, refused(status)), client(refused(status), {"result": [FILE]})):
        with pytest.raises(Refused):
            read_mappings(idm)


def test_a_repository_s_own_form_of_a_document_is_left_out():
    idm = client({"mappings": [ONE]}, {"result": [{"_id": "mapping_three", "service__pid": "x"}]})
    assert [mapping.name for mapping in read_mappings(idm)] == ["one"]


def test_a_mapping_that_is_listed_twice_is_one():
    idm = client({"mappings": [ONE]}, {"result": [{**ONE, "_id": "mapping/one"}]})
    assert len(read_mappings(idm)) == 1


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([ONE, TWO], None),
        ([ONE, {**ONE, "name": "again", "links": "one"}], None),
        ([{**ONE, "source": "system/ldap/accounts"}, TWO], "two shares the links of one"),
        ([{**ONE, "source": "/system/ldap/account"}, TWO], "two shares the links of one"),
        ([ONE, {**TWO, "links": "nosuch"}], "two shares the links of nosuch, and there is no such mapping"),
        ([ONE, TWO, {**ONE, "name": "more", "links": "two"}], "more shares the links of two"),
        ([ONE, ONE], "two mappings have the name one"),
        ([{**ONE, "target": None}], "one has no target"),
        ([{**ONE, "source": "&{my.source}"}, TWO], None),
    ],
)
def test_a_document_that_IDM_refuses_is_not_in_force(documents, why):
    """PUT answers 200, and IDM goes on with the mappings from before (seen on OpenIDM 6.1.0, each of them)."""
    found = read_mappings(client({"mappings": documents}, {"result": [FILE]}))
    assert {bool(mapping.refused) for mapping in found[:-1]} == {bool(why)}
    assert found[-1].refused is None  # a document of its own stands for itself
    if why:
        assert why in found[0].refused and "config/sync is not in force" in found[0].refused


def test_links_of_a_mapping_in_a_document_of_its_own_may_be_shared():
    found = read_mappings(
        client({"mappings": [{**ONE, "target": "managed/role", "links": "three"}]}, {"result": [FILE]})
    )
    assert [mapping.refused for mapping in found] == [None, None]


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(InvalidOption) as caught:
        read_mapping(client({"mappings": [TWO, ONE]}, {"result": []}), "four")
    assert "IDM has these mappings: one, two." in caught.value.message


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ({}, True),
        ({"enableSync": False}, False),
        ({"enableSync": "false"}, False),
        ({"enableSync": {"$bool": "&{esv.on}"}}, None),
        ({"enableSync": "&{esv.on}"}, None),
    ],
)
def test_whether_liveSync_uses_it(stated, known):
    assert SyncMapping.parse({**ONE, **stated}).sync_enabled is known


def test_links_may_be_shared_with_another_mapping():
    assert SyncMapping.parse(TWO).link_type == "one"
    assert SyncMapping.parse(ONE).link_type == "one"


def policies(*pairs):
    return [{"situation": situation, "action": action} for situation, action in pairs]


@pytest.mark.parametrize(
    ("document", "removing"),
    [
        ({"policies": policies(("SOURCE_MISSING", "DELETE"), ("ABSENT", "CREATE"))}, ("SOURCE_MISSING",)),
        ({"policies": policies(("UNASSIGNED", "UNLINK"))}, ("UNASSIGNED",)),
        ({"policies": policies(("SOURCE_MISSING", "IGNORE"), ("UNASSIGNED", "EXCEPTION"))}, ()),
        ({"policies": policies(("FOUND", {"type": "text/javascript", "source": "'DELETE'"}))}, ("FOUND",)),
        ({"policies": policies(("MISSING", "&{esv.action}"))}, ("MISSING",)),
        # without a policy an unqualified object's target is deleted, where anything can make it unqualified
        ({"policies": []}, ()),
        ({"validSource": {"source": "true"}}, ("UNQUALIFIED",)),
        ({"sourceCondition": "/source/x eq 1"}, ("UNQUALIFIED",)),
        ({"validSource": {"source": "true"}, "policies": policies(("UNQUALIFIED", "IGNORE"))}, ()),
        (
            {
                "validSource": {"source": "true"},
                "policies": [{"situation": "UNQUALIFIED", "action": "IGNORE", "condition": "/x eq 1"}],
            },
            ("UNQUALIFIED",),
        ),
    ],
)
def test_what_can_delete(document, removing):
    mapping = SyncMapping.parse({"name": "m", "source": "a", "target": "b", **document})
    assert mapping.removing == removing
    assert mapping.deletes is bool(removing)


def test_the_situations_that_make_a_reconciliation_fail_at_its_start():
    assert SyncMapping.parse({**ONE, "policies": policies(("ABSENT", "ASYNC"), ("FOUND", "UPDATE"))}).asynchronous == (
        "ABSENT",
    )


LINKS = {"_queryFilter": 'linkType eq "one"', "_fields": "_id", "_pageSize": "1"}


def test_links_that_cannot_be_read_are_not_none_at_all():
    assert has_links(ScriptedClient(call("GET", "repo/link", refused(403))), SyncMapping.parse(ONE)) is None


@pytest.mark.parametrize("mapping", [ONE, TWO])
@pytest.mark.parametrize("found", [[], [{"_id": "0"}]])
def test_whether_there_are_links_costs_one_request(mapping, found):
    idm = ScriptedClient(call("GET", "repo/link", {"result": found}, params=LINKS))
    assert has_links(idm, SyncMapping.parse(mapping)) is bool(found)
    idm.finished()


def test_a_server_that_is_away_is_not_a_mapping_without_links():
    with pytest.raises(type(down())):
        has_links(ScriptedClient(call("GET", "repo/link", down())), SyncMapping.parse(ONE))


@pytest.mark.parametrize(
    ("situation", "action", "said"),
    [
        ("ABSENT", "IGNORE", "who is new never arrives"),
        ("CONFIRMED", "REPORT", "no change arrives"),
        ("SOURCE_MISSING", "IGNORE", "who is deleted stays"),
        ("SOURCE_MISSING", "UNLINK", "who is deleted stays, without a link"),
        ("SOURCE_MISSING", "DELETE", None),
        ("ABSENT", "CREATE", None),
    ],
)
def test_what_the_policies_keep_from_arriving_is_said(situation, action, said):
    (told,) = SyncMapping.parse({**ONE, "policies": [{"situation": situation, "action": action}]}).ignored or ("",)
    assert told.endswith(f"for {situation} is {action}: {said}.") if said else told == ""


def test_a_document_without_mappings_is_what_it_is_and_an_answer_without_its_id_is_none():
    """A PUT of such a document is taken, and liveSync consumes the changes (seen on OpenIDM 6.1.0)."""
    assert read_mappings(client({"_id": "sync"}, {"result": []})) == []
    with pytest.raises(Refused, match="where a list of objects"):
        read_mappings(ScriptedClient(call("GET", "config/sync", {}, params=None)))
    with pytest.raises(Refused, match="where a list of objects"):
        read_mappings(ScriptedClient(call("GET", "config/sync", {"_id": "sync", "mappings": {}}, params=None)))


@pytest.mark.parametrize(
    ("condition", "asks"),
    [
        ('/object/employeeType eq "staff" and !(/object/mail pr)', ("employeeType", "mail")),
        ('/linkQualifier eq "default"', ()),
        ({"source": "object.a == 1 || object['b'] == 2 || object[\"c\"].length > 0"}, ("a", "b", "c")),
        ({"source": "// object.old\n/* object.older */ object.now.contains('x')"}, ("now",)),
        ({"source": "object.containsKey('x') && myobject.y && object.__NAME__"}, ("__NAME__",)),
        ({"file": "script/x.js"}, ()),
        (None, ()),
        (5, ()),
    ],
)
def test_what_a_condition_of_a_property_asks_for(condition, asks):
    line = {"source": "uid", "target": "userName", "condition": condition}
    (one,) = SyncMapping.parse({"name": "m", "properties": [line]}).properties
    assert one.asks == asks


def test_link_qualifiers_are_left_out_by_a_script_alone():
    assert not SyncMapping.parse({"name": "m", "linkQualifiers": ["default", "admin"]}).qualified
    assert SyncMapping.parse({"name": "m", "linkQualifiers": {"source": "[]"}}).qualified


LEAST = {"name": "m", "source": "system/ldap/account", "target": "managed/user"}


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ({}, "sync_enabled", True),
        ({}, "correlates", False),
        ({}, "links_objects", True),
        ({}, "folds", (False, False)),
        ({}, "selective", False),
        ({}, "reads_more", False),
        ({}, "qualified", False),
        ({}, "link_type", "m"),
        ({}, "condition", None),
        ({}, "actions", {}),
        ({"correlationQuery": {"type": "x"}}, "correlates", True),
        ({"correlationScript": {"type": "x"}}, "correlates", True),
        ({"enableLinking": False}, "links_objects", False),
        ({"enableLinking": "false"}, "links_objects", False),
        ({"enableLinking": "&{x}"}, "links_objects", True),
        ({"sourceIdsCaseSensitive": False}, "folds", (True, False)),
        ({"targetIdsCaseSensitive": False}, "folds", (False, True)),
        ({"sourceIdsCaseSensitive": True, "targetIdsCaseSensitive": "&{x}"}, "folds", (False, False)),
        ({"links": "other"}, "link_type", "other"),
        ({"linkQualifiers": {"type": "x"}}, "qualified", True),
        ({"linkQualifiers": ["a"]}, "qualified", False),
        ({"properties": [{"transform": {"a": 1}}]}, "reads_more", True),
        ({"properties": [{"transform": {"a": 1}, "source": "mail"}]}, "reads_more", False),
        ({"properties": [{"source": "mail"}, {"target": "x"}]}, "reads_more", False),
        ({"sourceCondition": "mail pr"}, "condition", "mail pr"),
        ({"sourceCondition": {"type": "x"}}, "condition", None),
        ({"policies": [{"situation": "MISSING", "action": "ASYNC"}]}, "asynchronous", ("MISSING",)),
        ({"policies": [{"situation": "MISSING", "action": "UNLINK"}]}, "asynchronous", ()),
        ({"policies": [{"situation": "MISSING", "action": "UNLINK"}]}, "actions", {"MISSING": "UNLINK"}),
        ({"policies": [{"situation": "MISSING", "action": {"type": "x"}}]}, "actions", {}),
        ({"policies": [{"situation": "MISSING", "action": "UNLINK", "condition": "x"}]}, "actions", {}),
        ({"policies": [{"situation": "MISSING", "action": one} for one in ("UNLINK", "DELETE")]}, "actions", {}),
        ({"properties": [{"source": "a/b"}, {"source": "a"}, {"source": "c"}, {"target": "d"}]}, "reads", ("a", "c")),
        ({"name": None, "_id": "mapping/other"}, "name", "other"),
        ({"source": None}, "source", ""),
        ({"target": 5}, "target", "5"),
    ],
)
def test_what_a_document_says(more, field, value):
    assert getattr(SyncMapping.parse({**LEAST, **more}), field) == value


ALWAYS = SyncMapping.parse(LEAST).excepting


@pytest.mark.parametrize(
    ("policies", "more", "less"),
    [
        ([], set(), set()),
        ([("CONFIRMED", "EXCEPTION", None)], {"CONFIRMED"}, set()),
        ([("CONFIRMED", "UPDATE", None)], set(), set()),
        ([("SOURCE_MISSING", "EXCEPTION", None)], set(), set()),
        ([("AMBIGUOUS", "IGNORE", None)], set(), {"AMBIGUOUS"}),
        ([("AMBIGUOUS", "IGNORE", "mail pr")], set(), set()),
        ([("AMBIGUOUS", "EXCEPTION", None)], set(), set()),
    ],
)
def test_what_idm_leaves_as_it_is_and_calls_a_success(policies, more, less):
    stated = [{"situation": one, "action": action, "condition": when} for one, action, when in policies]
    assert "AMBIGUOUS" in ALWAYS and "SOURCE_MISSING" not in ALWAYS
    assert set(SyncMapping.parse({**LEAST, "policies": stated}).excepting) == (set(ALWAYS) | more) - less


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (None, "true"),
        ({"_queryFilter": "mail pr"}, "mail pr"),
        ({"queryFilter": "mail pr"}, "mail pr"),
        ({"_queryId": "query-all-ids"}, "true"),
        ({"queryId": "query-all-ids"}, "true"),
        ({"_queryId": "other"}, None),
        ({"resourceName": "/SYSTEM/ldap/account/", "_queryFilter": "mail pr"}, "mail pr"),
        ({"resourceName": "system/ldap/group", "_queryFilter": "mail pr"}, None),
        ("mail pr", None),
    ],
)
def test_by_what_a_reconciliation_finds_the_objects_of_the_source(query, found):
    assert SyncMapping.parse({**LEAST, "sourceQuery": query}).source_filter == found


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("a", "system/ldap/account", False),
        ("a", "system/ldap/ACCOUNT", True),
        ("a", "system/ldap/group", False),
        ("a", "", False),
    ],
)
def test_a_mapping_that_spells_a_source_otherwise_is_told(name, source, told):
    found = misnamed(Source("ldap", "account"), [SyncMapping.parse({**LEAST, "name": name, "source": source})])
    said = f"The mapping a names {source}, and takes no change: it is system/ldap/account, in this case."
    assert found == ((said,) if told else ())


def queueing(name, source, target, queue=True):
    queued = {"queuedSync": {"enabled": True}} if queue else {}
    return SyncMapping.parse({"name": name, "source": source, "target": target, **queued})


def test_the_queues_that_changes_of_a_source_go_through():
    own = queueing("own", "system/ldap/account", "managed/user")
    after = queueing("after", "/Managed/User/", "system/x/y")
    beside = queueing("beside", "managed/role", "system/x/y")
    plain = queueing("plain", "managed/user", "system/x/y", queue=False)
    assert [one.name for one in queued_after([own], [own, plain, after, beside])] == ["own", "after"]
    assert queued_after([plain], [plain]) == ()


def test_a_mapping_is_read_by_its_name():
    other = {**LEAST, "name": "n", "target": "managed/role"}
    client = ScriptedClient(
        call("GET", "config/sync", {"mappings": [LEAST, other]}), call("GET", "config", {"result": []})
    )
    assert read_mapping(client, "n").target == "managed/role"
