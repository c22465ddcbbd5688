# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that the token has passed and that has not arrived is told, whatever kept it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NUMBERS, ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._health import arrived as module
from ansible_collections.idmops.idm.plugins.module_utils._health import looked
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import LogReader
from ansible_collections.idmops.idm.plugins.module_utils._health.losses import UNMARK
from ansible_collections.idmops.idm.plugins.module_utils._health.touched import Touched
from ansible_collections.idmops.idm.plugins.module_utils._health.traceless import Taken
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._proof.look import Looked
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

DOCUMENT = {
    "_id": "provisioner.openicf/ldap",
    "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
    "objectTypes": {"account": {}},
}
CONNECTOR = Connector.parse(DOCUMENT)
PLAIN = [{"source": "uid", "target": "userName"}]
TIME = "2026-11-24T10:00:00Z"


@pytest.fixture
def look(monkeypatch):
    """Look at what became of some changes; ``pending`` are the entries that later ones touch, look by look."""

    def of(
        there,
        ids=("s1",),
        pending=(),
        below=(),
        mappings=None,
        moved=None,
        uid="entryUUID",
        after=0,
        loaded="",
        removed=None,
        clock=None,
        connector=CONNECTOR,
        shown="",
        strays=(),
        unloaded=(),
        seen=0,
    ):
        looks = list(pending) or [set()]
        there.uid = uid
        there.below = lambda dn, most: list(below)[:most]
        there.changed_after = lambda log, token, of: looks.pop(0) if len(looks) > 1 else looks[0]
        touched = [Touched(one, TIME, moved, removed=removed) for one in ids]
        reader = SimpleNamespace(
            directory=object(),
            again=lambda: None,
            touched=lambda token, most, after: touched,
            strays=lambda token, most, after: [Touched(one, TIME, None) for one in strays],
            now=lambda: clock,
        )
        monkeypatch.setattr(module.OwnEntries, "of", lambda *unused: there if uid else None)
        known = [there.mapping] if mappings is None else mappings
        it = context()
        found = module.read_unarrived(
            there.idm,
            Source.parse(SOURCE),
            connector,
            known,
            known,
            reader,
            9,
            it,
            after,
            loaded=loaded,
            shown=shown,
            unloaded=unloaded,
            seen=seen,
        )
        return SimpleNamespace(
            records=found.records,
            said=" ".join(found.sentences),
            whole=found.whole,
            doubt=found.doubt,
            aside=found.aside,
            uncompared=found.uncompared,
            denied=found.denied,
            compared=found.compared,
            forbidding=found.forbidding,
            slept=it.clock.slept,
        )

    return of


def test_what_has_arrived_costs_one_look(look):
    there = Environment()
    found = look(there, ["s1", "s2"])
    assert (found.records, found.said, found.slept) == ((), "", 0)
    assert len(there.idm.asked) < 10


def differing(there):
    there.users[1]["mail"] = "old@x"
    return "not as the source: mail", "livesync_verify"


def new_and_missing(there):
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    return "does not have it (no link)", "recon with ids"


def target_gone(there):
    there.drop(there.users, "t1")
    return "an object that is gone", "Delete that link first"


def hidden(there):
    there.hide("s1")
    there.users[1]["mail"] = "old@x"
    return "does not show it to uid=idm", "an ACI"


def hidden_value(there):
    there.kept["s1"] = {"mail": "new@x"}
    del there.people[1]["mail"]
    del there.users[1]["mail"]
    return "IDM does not see it: mail", "an ACI"


def unreadable(there):
    """As one with two values of an attribute that the connector knows as single."""
    there.idm.broken = {"s1"}
    return "IDM cannot read it", "recon with ids"


def narrowed(there):
    there.hide("s1")
    there.narrowed.add("s1")
    there.users[1]["mail"] = "old@x"
    return "accountSearchFilter does not match it", "search filter"


def left(there):
    there.drop(there.people, "s1")
    there.moved.add("s1")
    return "base contexts", "SOURCE_MISSING"


def deleted(there):
    there.drop(there.people, "s1")
    return "gone from the source", "the whole mapping"


@pytest.mark.parametrize(
    "fault", [differing, new_and_missing, target_gone, hidden, hidden_value, unreadable, narrowed, left, deleted]
)
def test_what_has_not_arrived_is_told_with_what_mends_it(look, fault):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    cause, remedy = fault(there)
    found = look(there)
    (one,) = found.records
    assert (one.record, one.mapping, one.time) == ("s1", "m", TIME)
    assert cause in one.cause and remedy in found.said and "1 changed entry has" in found.said
    assert found.slept == 1


def test_what_is_hidden_and_has_arrived_is_no_reason_to_reconcile_anybody_away(look):
    """A reconciliation of the whole mapping would delete a target whose source the account does not see."""
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    there.hide("s1")
    found = look(there, ["s1", "s2"])
    assert found.records == () and found.doubt is None
    assert "1 of the newest changed entries has arrived and cannot be seen" in found.aside
    assert "would take it for gone (SOURCE_MISSING)" in found.aside
    there.narrowed.add("s1")
    found = look(there)
    assert found.records == () and "the connector's own search" in found.aside
    assert look(there, pending=[{"s1"}]).aside is None


def misread(there, count=3):
    """As with a wrong source or nativeName: u0 was damaged by liveSync, and equals what the mapping makes of it."""
    for one in range(count):
        del there.people[one]["mail"]
    del there.users[0]["mail"]


def test_what_would_empty_good_values_is_told_as_that_and_nobody_is_to_be_reconciled(look):
    there = Environment()
    misread(there)
    found = look(there, ["s0", "s1", "s2", "s3"])
    assert found.records == () and found.forbidding
    assert "would empty mail of at least 2 targets (m)" in found.said and "takes mail from mail" in found.said
    assert (
        "nativeName" in found.said and "Reconcile nothing before" in found.said and "recon with ids" not in found.said
    )
    there.users[3]["mail"] = "old@x"
    (one,) = look(there, ["s0", "s1", "s2", "s3"]).records
    assert one.record == "s3"


def test_a_single_value_that_the_source_has_no_more_is_a_change_like_another(look):
    there = Environment()
    misread(there, 2)
    found = look(there, ["s0", "s1"])
    assert [one.record for one in found.records] == ["s1"] and not found.forbidding
    assert "recon with ids" in found.said


def test_who_is_well_and_of_other_object_classes_than_the_connector_asks_for_has_arrived(look):
    """As where a nativeType is wrong: IDM sees nobody, and the one who changed since is the one who is missing."""
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    there.classes = "the nativeType of account is organizationalUnit"
    for name in ("s1", "s2", "s3"):
        there.hide(name)
        there.containers.add(name)
    there.users[1]["mail"] = "old@x"
    found = look(there, ["s1", "s2", "s3"])
    (one,) = found.records
    assert (one.record, one.situation) == ("s1", None) and "nativeType of account is organizationalUnit" in one.cause
    assert (
        "1 changed entry has not arrived" in found.said
        and "2 of the newest changed entries have arrived" in found.aside
    )
    assert "the nativeType of account is organizationalUnit" in found.aside


def test_what_is_left_out_is_not_called_gone(look):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    left(there)
    assert look(there).records[0].situation is None
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    deleted(there)
    assert look(there).records[0].situation == "SOURCE_MISSING"


def test_what_the_connectors_own_search_leaves_out_is_no_loss(look):
    there = Environment()
    new_and_missing(there)
    there.hide("s1")
    there.narrowed.add("s1")
    assert look(there).records == ()


def twice(there):
    """What two runs that met leave (seen on OpenIDM 6.1.0): two targets, and a link to each."""
    there.users.append({"_id": "t9", "userName": "u1", "mail": "u1@x"})
    there.links.append(there.link("s1", "t9"))


def test_who_is_in_the_target_twice_is_told_however_equal_both_are(look):
    there = Environment()
    twice(there)
    found = look(there)
    (one,) = found.records
    assert one.record == "s1" and "second link" in one.cause and "t9" in one.cause
    assert "1 changed entry has arrived twice" in found.said and "delete that link first" in found.said
    assert "not arrived" not in found.said and "recon" not in found.said


def test_a_dead_second_link_goes_before_anything_is_reconciled(look):
    """Each change of such an entry fails, and a reconciliation would make one more (seen on OpenIDM 6.1.0)."""
    there = Environment()
    there.links.append({**there.link("s1", "gone"), "_id": "dead"})
    there.users[1]["mail"] = "old@x"
    found = look(there)
    assert {one.record for one in found.records} == {"s1"}
    assert "a link that is too many" in found.said and "before that would make one more" in found.said
    assert "the target is not as the source" not in found.said


@pytest.mark.parametrize(("after", "field"), [(0, "aside"), (3, "doubt")])
def test_more_than_are_looked_at_are_said_not_to_be_known(look, monkeypatch, after, field):
    monkeypatch.setattr(module, "NEWEST", 1)
    monkeypatch.setattr(module, "MOST_TAKEN", 1)
    found = look(Environment(), ["s1", "s2"], after=after)
    assert "the newest 1 were compared" in getattr(found, field)
    assert found.records == ()
    monkeypatch.setattr(module, "NEWEST", 2)
    monkeypatch.setattr(module, "MOST_TAKEN", 20)
    found = look(Environment(), ["s1", "s2"], after=after)
    assert (found.aside, found.doubt) == (None, None)


def told(action=None, **more):
    return {
        "_id": "1",
        "timestamp": "2026-11-24T10:00:01.000Z",
        "sourceObjectId": f"{SOURCE}/s1",
        "mapping": "m",
        "status": "SUCCESS",
        **({"action": action, "situation": "ABSENT"} if action else {}),
        **more,
    }


def test_what_audit_tells_of_a_failure_is_the_cause_and_the_remedy_is_none_that_fails_too(look):
    there = Environment()
    new_and_missing(there)
    there.idm.resources["audit/sync"] = [told()]
    found = look(there)
    assert "correlationQuery" in found.records[0].cause
    assert found.said.index("Mend the correlationQuery") < found.said.index("recon with ids")
    there.idm.resources["audit/sync"] = [told("CREATE", status="FAILURE", message="Policy validation failed")]
    assert look(there).records[0].cause == "Policy validation failed"


def unlinked(there):
    there.drop(there.links, "s1")
    return "no link leads to it"


@pytest.mark.parametrize(
    ("fault", "situation", "mend"),
    [
        (target_gone, "MISSING", "Delete that link first"),
        (new_and_missing, "AMBIGUOUS", "Correct the correlation"),
        (unlinked, "AMBIGUOUS", "take away the object that is too many"),
        (unlinked, "FOUND", "UPDATE links the object, too"),
        (new_and_missing, "FOUND_ALREADY_LINKED", "that other entry's link"),
    ],
)
def test_a_policy_that_keeps_an_entry_for_ever_is_a_loss_with_its_record_and_its_remedy(look, fault, situation, mend):
    there = Environment()
    fault(there)
    there.idm.resources["audit/sync"] = [told("IGNORE", situation=situation)]
    found = look(there)
    (one,) = found.records
    assert (one.record, one.situation) == ("s1", situation) and f"{situation}: IGNORE" in one.cause
    assert f"({situation}: IGNORE), in a reconciliation too" in found.said and found.aside is None
    assert found.said.index(mend) < found.said.index("Then reconcile the records (dropped): idmops.idm.recon with ids")


@pytest.mark.parametrize(
    ("situation", "mend"),
    [
        ("AMBIGUOUS", "Correct the correlation"),
        ("FOUND", "UPDATE links the object, too"),
        ("FOUND_ALREADY_LINKED", "delete its link (repo/link; livesync_verify with directory names it in link_ids)"),
    ],
)
def test_a_situation_that_is_an_error_says_what_goes_before_the_reconciliation(look, situation, mend):
    there = Environment()
    new_and_missing(there)
    cause = f"Situation {situation} marked as EXCEPTION"
    there.idm.resources["audit/sync"] = [told("EXCEPTION", situation=situation, status="FAILURE", message=cause)]
    found = look(there)
    assert [(one.record, one.cause) for one in found.records] == [("s1", cause)]
    assert f"({situation}: EXCEPTION), in a reconciliation too" in found.said
    assert found.said.index(mend) < found.said.index("Then reconcile the records (dropped): idmops.idm.recon with ids")


def test_a_mapping_that_makes_nobody_new_strands_whom_it_cannot_tell_apart_all_the_same(look):
    there = Environment(policies=[{"situation": "ABSENT", "action": "IGNORE"}])
    new_and_missing(there)
    there.idm.resources["audit/sync"] = [told("NOREPORT", situation="AMBIGUOUS")]
    assert look(there).records[0].situation == "AMBIGUOUS"
    there.idm.resources["audit/sync"] = [told("IGNORE")]
    found = look(there)
    assert (found.records, found.doubt, found.aside) == ((), None, None)


@pytest.mark.parametrize("situation", ["CONFIRMED", "ABSENT"])
def test_what_a_script_left_alone_is_named_and_proves_nothing(look, situation):
    """Only who wrote it knows whether that is meant so; an action for all is told as a property of the mapping."""
    there = Environment()
    differing(there)
    there.idm.resources["audit/sync"] = [told("IGNORE", situation=situation)]
    found = look(there)
    assert found.records == () and found.aside is None
    assert f"{situation}: IGNORE (s1)" in found.doubt and "recon with ids" in found.doubt


def made_by_hand(there):
    """A person who was made in IDM before, and then again by liveSync, since nothing correlates."""
    there.users.append({"_id": "t9", "userName": "u1", "mail": "hand@x"})
    return "another object of the target is known by the same name: t9"


def exchanged(there):
    """The links of two people were exchanged, and one of them has changed since."""
    there.drop(there.links, "s1")
    there.drop(there.links, "s2")
    there.links += [there.link("s1", "t2"), there.link("s2", "t1")]
    there.users[2].update(userName="u1", mail="u1@x")
    return "another object of the target is known by the same name: t1"


def anothers(there):
    """The link leads to the object of another person, and the own one is gone."""
    there.drop(there.links, "s1")
    there.drop(there.users, "t1")
    there.links.append(there.link("s1", "t2"))
    return "its link leads to an object that is known by the name of another entry: t2"


@pytest.mark.parametrize("fault", [made_by_hand, exchanged, anothers])
def test_two_objects_of_one_name_are_told_and_nothing_is_to_be_reconciled_before(look, fault):
    there = Environment()
    cause = fault(there)
    found = look(there)
    assert {(one.record, one.cause) for one in found.records} >= {("s1", cause)}
    assert "Reconcile nothing before" in found.said and "correlationQuery" in found.said
    assert "recon with ids" not in found.said


def test_to_look_for_two_objects_of_one_name_costs_no_query_more(look):
    there, other = Environment(), Environment(properties=[{"source": "mail", "target": "mail"}])
    look(there, ["s1", "s2"])
    keyless = look(other, ["s1", "s2"])
    assert len(there.idm.asked) == len(other.idm.asked)
    assert "has somebody twice cannot be known by m" in keyless.aside and keyless.doubt is None


def test_a_name_that_is_none_in_the_source_is_a_rename_and_no_other_person(look):
    there = Environment()
    there.users[1]["userName"] = "before"
    found = look(there)
    assert "not as the source: userName" in found.records[0].cause and "recon with ids" in found.said


@pytest.mark.parametrize(
    ("mapping", "mend", "never"),
    [
        ({"correlationQuery": {"source": "x"}}, "which links them: idmops.idm.recon with ids", "a second time"),
        ({}, "Reconcile nothing before it has one", "recon with ids"),
    ],
)
def test_an_object_without_a_link_is_made_a_second_time_where_nothing_finds_it(look, mapping, mend, never):
    there = Environment(**mapping)
    unlinked(there)
    found = look(there)
    assert found.records[0].cause == "the target has such an object, and no link leads to it"
    assert mend in found.said and never not in found.said
    there = Environment(validSource={"source": "x"}, **mapping)
    unlinked(there)
    assert look(there).records == ()


@pytest.mark.parametrize(("action", "told"), [("IGNORE", 0), ("REPORT", 0), ("UPDATE", 1)])
def test_what_a_script_or_a_policy_left_alone_is_said_and_no_loss(look, action, told):
    there = Environment()
    differing(there)
    there.idm.resources["audit/sync"] = [
        {
            "_id": "1",
            "timestamp": "2026-11-24T10:00:01.000Z",
            "sourceObjectId": f"{SOURCE}/s1",
            "mapping": "m",
            "status": "SUCCESS",
            "action": action,
            "situation": "UNQUALIFIED",
        }
    ]
    found = look(there, ["s1", "s2"])
    assert len(found.records) == told
    assert told or f"UNQUALIFIED: {action}" in found.aside
    assert found.doubt is None
    found = look(there)  # where that is so of all that changed, a condition may be wrong
    assert told or (found.aside is None and "each of the newest changes was left alone" in found.doubt)


def audit_word(record, situation, action, at="2026-11-24T10:00:01.000Z", **more):
    return {"_id": record, "timestamp": at, "sourceObjectId": f"{SOURCE}/{record}", "mapping": "m",
            "status": "SUCCESS", "situation": situation, "action": action, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told", "doubt"),
    [
        ([audit_word("s1", "SOURCE_IGNORED", "REPORT")], 0, None),
        ([], 0, "audit does not tell that the mapping leaves them out: s1"),
        ([audit_word("s1", "SOURCE_IGNORED", "REPORT", at="2026-11-24T09:00:00.000Z")], 0, "audit does not tell"),
        ([audit_word("s1", "ABSENT", "CREATE")], 1, None),
        ([audit_word("s1", None, None, status="FAILURE")], 1, None),
        ([audit_word("s1", "AMBIGUOUS", "IGNORE")], 1, None),
    ],
)
def test_who_a_condition_may_leave_out_is_told_by_audit_alone(look, words, told, doubt):
    """A new entry that liveSync has never handled has no word there (seen on OpenIDM 6.1.0: the token was set)."""
    there = Environment(validSource={"source": "x"})
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    there.idm.resources["audit/sync"] = words
    found = look(there, ["s1", "s2"])
    assert len(found.records) == told and "s1" in found.compared
    assert doubt in found.doubt if doubt else found.doubt is None
    assert look(there, ["s1", "s2"], pending=[{"s1"}]).doubt is None


def test_a_property_that_a_condition_has_left_alone_is_a_doubt(look):
    there = Environment(properties=[*PLAIN, {"source": "mail", "target": "mail", "condition": "/object/x pr"}])
    found = look(there)
    assert (found.records, found.doubt) == ((), None)  # it is as in the source: the condition was met
    differing(there)
    found = look(there)
    assert found.records == () and "mail of changed entries is not as in the source (s1)" in found.doubt


def test_what_a_script_makes_is_said_not_to_be_compared_and_missed_where_it_is_hidden(look):
    made = {"source": "mail", "target": "mail", "transform": {"source": "source.toLowerCase()"}}
    there = Environment(properties=[*PLAIN, made])
    differing(there)
    there.idm.resources["audit/sync"] = [audit_word("s1", "CONFIRMED", "UPDATE")]
    found = look(there)
    assert (found.records, found.doubt, found.aside) == ((), None, None)
    assert "Not compared, since a script makes them or nobody may read them: mail" in found.uncompared
    hidden_value(there)
    (one,) = look(there).records
    assert "IDM does not see it: mail" in one.cause


MADE = {"source": "mail", "target": "mail", "transform": {"source": "source.toLowerCase()"}}
SECRET = {"source": "__PASSWORD__", "target": "password"}
OTHER = {"target": "displayName", "transform": {"source": "source.uid + source.mail"}}
BEGINS = audit_word("s7", "CONFIRMED", "UPDATE", at="2026-11-24T08:00:00.000Z")
LATER = audit_word("s6", "CONFIRMED", "UPDATE", at="2026-11-24T11:00:00.000Z")
KEPT = {
    "auditServiceConfig": {"handlerForQueries": "repo"},
    "eventHandlers": [{"config": {"name": "repo", "topics": ["sync", "recon"]}}],
}
RECON = audit_word("s7", "CONFIRMED", "UPDATE", entryType="entry", at="2026-11-24T08:00:00.000Z")


@pytest.mark.parametrize(
    "properties", [[*PLAIN, MADE], [MADE], [*PLAIN, SECRET], [*PLAIN, OTHER], []], ids=lambda found: str(len(found))
)
@pytest.mark.parametrize(
    ("words", "lost"),
    [
        ([BEGINS, LATER], 1),
        ([BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE", at="2026-11-24T09:00:00.000Z")], 1),
        ([BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE")], 0),
        ([BEGINS, LATER, audit_word("s1", "ABSENT", "CREATE", at="2026-11-24T10:20:00.000Z")], 0),
        ([BEGINS, LATER, audit_word("s1", "UNQUALIFIED", "IGNORE")], 0),
        ([BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE", status="FAILURE", message="no such value")], 1),
    ],
)
def test_what_cannot_be_compared_and_was_never_handled_is_lost(look, properties, words, lost):
    """As where all but userName is made by scripts and the token was set past a change (seen on OpenIDM 6.1.0)."""
    there = Environment(properties=properties)
    there.idm.resources["audit/sync"] = [*words, audit_word("s2", "CONFIRMED", "UPDATE")]
    there.idm.resources["audit/recon"] = [RECON]
    found = look(there, ["s1", "s2"])
    assert [one.record for one in found.records] == ["s1"] * lost and found.doubt is None
    if lost and not words[-1].get("message"):
        assert "audit has no entry of it" in found.records[0].cause and "recon with ids" in found.said
    assert look(there, ["s1", "s2"], pending=[{"s1"}]).records == () or words[-1].get("message")


def test_a_reconciliation_that_has_brought_it_over_is_a_word_too_and_so_is_a_load(look):
    there = Environment(properties=[*PLAIN, MADE])
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    there.idm.resources["audit/recon"] = [RECON]
    assert len(look(there).records) == 1
    assert look(there, loaded="2026-11-24T10:30:00.000Z").records == ()
    there.idm.resources["audit/recon"] = [RECON, audit_word("s1", "CONFIRMED", "UPDATE", entryType="entry")]
    assert look(there).records == ()


@pytest.mark.parametrize(
    ("fault", "mapping", "kept"),
    [
        (lambda there: None, {"properties": [*PLAIN, MADE]}, "not compared"),
        (new_and_missing, {"validSource": {"source": "x"}}, "no link"),
        (new_and_missing, {"sourceCondition": "/source/uid pr"}, "no link"),
        (new_and_missing, {"linkQualifiers": ["default"]}, "no link"),
    ],
)
def test_audit_that_has_gone_on_or_is_written_whole_tells_what_was_never_handled(look, fault, mapping, kept):
    there = Environment(**mapping)
    fault(there)
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    there.idm.resources["audit/recon"] = [RECON]
    assert [one.record for one in look(there).records] == ["s1"]
    there.idm.resources["audit/sync"] = [BEGINS]
    found = look(there)
    assert found.records == () and "the topic sync may be switched off" in found.doubt and not found.denied
    there.idm.documents["config/audit"] = KEPT
    assert [one.record for one in look(there).records] == ["s1"]
    there.idm.documents["config/audit"] = {**KEPT, "eventHandlers": [{"config": {"name": "repo", "topics": []}}]}
    assert look(there).records == ()
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    there.idm.resources["audit/recon"] = []  # as newer releases have it: what a reconciliation brings leaves no word
    found = look(there)
    assert found.records == () and "no audit of reconciliations" in found.doubt


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"words": []}, "does not reach back so far"),
        ({"words": None}, "audit does not answer here"),
        ({"now": "2026-11-24T10:00:30Z"}, "may come within a minute"),
        ({"settings": {"attributesToSynchronize": ["uid", "mail"]}}, "the connector leaves changes out"),
    ],
)
@pytest.mark.parametrize("mapping", [{"properties": [*PLAIN, MADE]}, {"validSource": {"source": "x"}}])
def test_where_audit_cannot_tell_that_is_a_doubt_with_the_id(look, change, why, mapping):
    there = Environment(**mapping)
    if "validSource" in mapping:
        new_and_missing(there)
    words = change.get("words", [BEGINS, LATER])
    if words is not None:
        there.idm.resources["audit/sync"] = words
    there.idm.server_time = change.get("now", there.idm.server_time)
    parsed = Connector.parse({**DOCUMENT, "configurationProperties": change.get("settings", {})})
    found = look(there, connector=parsed)
    assert found.records == () and why in found.doubt and "s1" in found.doubt
    # somebody has to see to an audit that does not answer, where something is seen not to be there
    assert found.denied == (words is None and "validSource" in mapping)
    there.idm.silent.add("audit/sync")  # as on Advanced Identity Cloud
    assert not look(there, connector=parsed).denied


def test_whom_a_script_names_no_link_qualifier_for_leaves_no_word(look):
    there = Environment(linkQualifiers={"type": "text/javascript", "source": "[]"})
    new_and_missing(there)
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    found = look(there)
    assert found.records == () and "link qualifiers" in found.doubt and "s1" in found.doubt


def test_a_condition_that_asks_for_what_is_not_there_is_a_loss_and_names_it(look):
    known = Connector.parse({**DOCUMENT, "objectTypes": {"account": {"properties": {"uid": {}, "mail": {}}}}})
    script = {"type": "text/javascript", "source": "object.employeeTyp == 'staff' && object.mail.contains('x')"}
    for condition, names in ((script, "employeeTyp"), ('/object/staf eq "x"', "staf"), ({"source": "object.uid"}, "")):
        there = Environment(properties=[*PLAIN, {"source": "mail", "target": "mail", "condition": condition}])
        differing(there)
        there.idm.resources["audit/sync"] = [BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE")]
        there.idm.resources["audit/recon"] = [RECON]
        found = look(there, connector=known)
        assert [one.record for one in found.records] == ["s1"] * bool(names)
        if names:
            assert f"its condition asks for {names}, which account does not have" in found.records[0].cause
            assert found.said.index("Correct that condition") < found.said.index("recon with ids")
        else:
            assert "mail of changed entries is not as in the source (s1)" in found.doubt
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    (one,) = look(there, connector=known).records
    assert "audit has no entry of it" in one.cause


FILTERING = Connector.parse(
    {
        **DOCUMENT,
        "configurationProperties": {
            "principal": "uid=idm",
            "modifiersNamesToFilterOut": ["uid=HR", "uid=idm"],
        },
    }
)


def test_whose_changes_the_connector_leaves_out_is_the_cause_where_it_is_and_no_loss_where_it_is_itself(look):
    there = Environment()
    differing(there)
    found = look(there, connector=FILTERING)
    assert "modifiersNamesToFilterOut names whoever made it" in found.records[0].cause
    assert found.said.index("Leave only the connector's own account") < found.said.index("recon with ids")
    there.modifiers["s1"] = "uid=somebody"
    assert "the target is not as the source" in look(there, connector=FILTERING).said
    there = Environment(properties=[*PLAIN, MADE])
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    assert "modifiersNamesToFilterOut" in look(there, connector=FILTERING).records[0].cause
    there.modifiers["s1"] = "uid=IDM"  # what IDM itself has written there needs not come back
    found = look(there, connector=FILTERING)
    assert (found.records, found.doubt) == ((), None)


def test_what_the_account_does_not_see_has_not_arrived_where_it_was_never_handled(look):
    there = Environment(properties=[*PLAIN, MADE])
    there.hide("s1")
    there.idm.resources["audit/sync"] = [BEGINS, LATER]
    found = look(there)
    assert found.records == () and found.aside is None and "no audit of reconciliations" in found.doubt
    there.idm.resources["audit/recon"] = [RECON]
    (one,) = look(there).records
    assert one.cause == "the directory has it, and does not show it to uid=idm" and look(there).aside is None
    there.idm.resources["audit/sync"] = [BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE")]
    assert look(there).records == () and "cannot be seen" in look(there).aside


def test_a_healthy_source_with_scripts_and_a_condition_is_sure_at_the_cost_of_one_request(look):
    mapping = {"validSource": {"source": "x"}, "properties": [*PLAIN, MADE, OTHER]}
    there, other = Environment(300, **mapping), Environment(300)
    ids = [f"s{one}" for one in range(300)]
    there.drop(there.users, "t9")
    there.drop(there.links, "s9")
    there.idm.resources["audit/sync"] = [
        *(audit_word(one, "CONFIRMED", "UPDATE") for one in ids if one != "s9"),
        audit_word("s9", "SOURCE_IGNORED", "REPORT"),
    ]
    found = look(there, ids, after=1)
    assert (found.records, found.doubt, found.slept) == ((), None, 0)
    look(other, ids, after=1)
    asked = [path for path, unused, more in there.idm.asked if path.startswith("audit/")]
    assert asked == ["audit/sync"]


def test_a_word_from_before_the_change_is_none_as_far_as_the_clocks_go(look):
    """A rule that left an entry alone yesterday says nothing of today's change."""
    there = Environment(properties=[*PLAIN, MADE])
    word = audit_word("s1", "CONFIRMED", "UPDATE", at="2026-11-24T09:59:40.000Z")
    there.idm.resources["audit/sync"] = [BEGINS, LATER, word]
    there.idm.resources["audit/recon"] = [RECON]
    now = there.idm.server_time
    assert len(look(there, clock=now).records) == 1 and look(there).records == ()
    assert look(there, clock=f"{now[:-3]}30Z").records == ()
    there.idm.resources["audit/sync"] = [BEGINS, LATER, audit_word("s1", "CONFIRMED", "UPDATE")]
    assert look(there, clock=now).records == ()
    behind = look(there, clock="2026-11-24T11:58:00Z")  # by the directory's clock that word is two minutes old
    assert len(behind.records) == 1
    there = Environment()
    differing(there)
    there.idm.resources["audit/sync"] = [audit_word("s1", "UNQUALIFIED", "IGNORE", at="2026-11-23T09:59:40.000Z")]
    assert len(look(there, ["s1", "s2"]).records) == 1


def test_what_is_lost_among_many_is_counted_as_far_as_that_goes(look, monkeypatch):
    monkeypatch.setattr(module, "NEWEST", 1)
    there = Environment()
    for user in there.users:
        user["mail"] = "old@x"
    found = look(there, ["s1", "s2", "s3"])
    assert {one.record for one in found.records} == {"s1", "s2", "s3"} and "There may be more" not in found.said
    monkeypatch.setattr(module, "MOST_TAKEN", 2)
    found = look(there, ["s1", "s2", "s3"])
    assert len(found.records) == 2 and "There may be more of them: only the newest 2" in found.said


def test_what_changed_long_before_the_load_came_by_it(look, monkeypatch):
    monkeypatch.setattr(module, "NEWEST", 1)
    assert look(Environment(), ["s1", "s2"], loaded="2026-11-26T10:00:00.000Z").aside is None
    assert look(Environment(), ["s1", "s2"], loaded="2026-11-25T09:00:00.000Z").aside is not None


def test_one_that_the_second_look_finds_in_order_is_none(look, monkeypatch):
    there = Environment()
    differing(there)
    first, looks = looked.look, []

    def changing(*given, **more):
        looks.append(given)
        return first(*given, **more) if len(looks) == 1 else Looked()

    monkeypatch.setattr(looked, "look", changing)
    assert look(there).records == () and len(looks) == 2


@pytest.mark.parametrize("fault", [differing, new_and_missing, deleted])
def test_what_a_later_change_may_explain_is_pending(look, fault):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    fault(there)
    assert look(there, pending=[{"s1"}]).records == ()
    assert look(there, pending=[set(), {"s1"}]).records == ()


@pytest.mark.parametrize(
    ("fault", "situation", "action"),
    [
        (differing, "CONFIRMED", "IGNORE"),
        (new_and_missing, "ABSENT", "IGNORE"),
        (new_and_missing, "ABSENT", "LINK"),
        (deleted, "SOURCE_MISSING", "IGNORE"),
    ],
)
def test_what_the_mappings_policies_leave_alone_is_no_loss(look, fault, situation, action):
    there = Environment(policies=[{"situation": situation, "action": action}])
    fault(there)
    assert look(there).records == ()
    assert any(situation in said for said in there.mapping.ignored)


@pytest.mark.parametrize(
    ("fault", "situation", "cause", "mend"),
    [
        (differing, "CONFIRMED", "Situation CONFIRMED marked as EXCEPTION", "Mend the record or the mapping"),
        (deleted, "SOURCE_MISSING", "it is gone from the source, and its target is still there", UNMARK),
    ],
)
@pytest.mark.parametrize("audited", [True, False])
def test_what_a_policy_makes_an_error_of_is_a_loss(look, fault, situation, cause, mend, audited):
    """A trigger was proved beside somebody who was gone and stayed in IDM (seen on OpenIDM 6.1.0)."""
    there = Environment(policies=[{"situation": situation, "action": "EXCEPTION"}])
    fault(there)
    marked = f"Situation {situation} marked as EXCEPTION"
    if audited:
        there.idm.resources["audit/sync"] = [told("EXCEPTION", situation=situation, status="FAILURE", message=marked)]
    found = look(there)
    assert [one.record for one in found.records] == ["s1"]
    if audited or fault is deleted:
        assert cause in found.records[0].cause and mend in found.said
    assert ("Reconcile the whole mapping." in found.said) is False


def test_who_is_below_a_name_that_changed_was_not_changed_and_needs_no_word(look):
    there = Environment(properties=[*PLAIN, MADE])
    there.idm.resources.update({"audit/sync": [BEGINS, LATER], "audit/recon": [RECON]})
    assert look(there, ids=["ou"], below=["ou", "s1"], moved="ou=new,dc=x").records == ()


def test_who_is_below_a_name_that_changed_is_looked_at_too(look):
    there = Environment()
    differing(there)
    assert look(there, ids=["ou"], below=["ou", "s1"], moved="ou=new,dc=x").records[0].record == "s1"


@pytest.mark.parametrize("lost", [{"s44"}, {f"s{number}" for number in range(40, 46)}])
def test_all_who_are_below_a_name_that_changed_are_looked_at(look, lost):
    """Of 45 in a container that was renamed into the base contexts 39 were told, and 6 forgotten after the remedy."""
    there = Environment(count=46)
    there.links[:] = [one for one in there.links if one["firstId"] not in lost]
    there.users[:] = [one for one in there.users if one["_id"].replace("t", "s") not in lost]
    found = look(there, ids=["ou"], below=["ou", *(f"s{number}" for number in range(46))], moved="ou=new,dc=x")
    assert {one.record for one in found.records} == lost and found.doubt is None


@pytest.mark.parametrize(
    ("shown", "denied"), [("", True), ("2026-11-24T09:59:59Z", True), ("2026-11-24T10:00:01Z", False)]
)
def test_where_more_are_below_it_than_are_looked_at_nothing_is_healthy_until_all_were_compared(look, shown, denied):
    there = Environment(count=2)
    found = look(there, ids=["ou"], below=[f"s{number}" for number in range(1001)], moved="ou=new,dc=x", shown=shown)
    assert found.denied == denied and bool(found.doubt) == denied
    if denied:
        assert "more than 1,000 entries lie below ou=new,dc=x" in found.doubt and "whole mapping" in found.doubt
        assert "sample: 0" in found.doubt and found.compared == frozenset()
    assert look(there, ids=["ou"], below=[f"s{number}" for number in range(1000)], moved="ou=new,dc=x").doubt is None


@pytest.mark.parametrize(
    "more", [{"enableSync": False}, {"enableLinking": False}, {"queuedSync": {"enabled": True}}, {"enableSync": "&{x}"}]
)
def test_a_mapping_that_takes_nothing_at_once_is_not_judged_and_that_is_said(look, more):
    there = Environment(**more)
    differing(there)
    found = look(there)
    assert found.records == () and not there.idm.asked and not found.compared
    off = more.get("enableSync") is False  # which is told elsewhere
    assert found.doubt is None if off else "cannot be known by m: it has a queue, keeps no links" in found.doubt


@pytest.mark.parametrize(
    ("uid", "why"), [("dn", "knows entries by dn (uidAttribute), and the change log by entryUUID"), (None, "look")]
)
def test_where_nothing_can_be_compared_that_is_said(look, monkeypatch, uid, why):
    there = Environment()
    differing(there)
    found = look(there, uid=uid)
    assert found.records == () and not there.idm.asked and not found.compared
    assert why in found.doubt and "livesync_verify" in found.doubt


def test_what_was_compared_is_known_but_for_what_is_pending(look):
    there = Environment()
    differing(there)
    assert look(there, ["s1", "s2"]).compared == {"s1", "s2"}
    assert look(there, ["s1", "s2"], pending=[{"s2"}]).compared == {"s1"}


def change(record, dn, number, **more):
    named = {
        "changenumber": str(number),
        "targetentryuuid": record,
        "targetdn": dn,
        "changetime": f"202611241000{number:02d}Z",
        **more,
    }
    return Entry(f"changeNumber={number},cn=changelog", {name: (text.encode(),) for name, text in named.items()})


@pytest.mark.parametrize("known_by", ["entryUUID", "dn"])
def test_what_liveSync_has_taken_is_known_where_records_are_known_by_their_entryuuid(known_by):
    base = "ou=People,dc=example,dc=com"
    changes = [
        change("added", f"uid=a,{base}", 1, changetype="add"),
        change("changed", f"uid=b,{base}", 2, changetype="modify"),
        change("removed", f"uid=c,{base}", 3, changetype="delete"),
        change("outside", "uid=d,ou=apps,dc=example,dc=com", 4, changetype="modify"),
    ]
    properties = {"baseContexts": [base], "uidAttribute": known_by}
    connector = Connector.parse({"_id": "provisioner.openicf/ldap", "configurationProperties": properties})
    reader = LogReader(None, None, connector, context())
    reader.directory = SimpleNamespace(stream=lambda *unused, **more: changes, kept=None)
    vars(reader)["log"] = ChangeLog(1, 60, NUMBERS, "cn=changelog")
    taken = [Taken("added", "2026-11-24T10:00:01Z"), Taken("changed", "2026-11-24T10:00:02Z")]
    assert reader.taken(4) == (taken if known_by == "entryUUID" else [])


def test_the_newest_change_of_each_entry_is_looked_at_however_often_one_changes():
    base = "ou=People,dc=example,dc=com"
    changes = [
        change("a", f"uid=a,{base}", 1),
        change("o", "uid=o,ou=apps,dc=example,dc=com", 2),
        change("out", f"uid=out,{base}", 3, newrdn="uid=out", newsuperior="ou=apps,dc=example,dc=com"),
        change("in", "uid=in,ou=apps,dc=example,dc=com", 4, newrdn="uid=in", newsuperior=base),
        change("r", f"uid=r,{base}", 5, newrdn="uid=r2"),
        *(change("busy", f"uid=busy,{base}", number) for number in range(6, 50)),
    ]
    asked = []

    def stream(suffix, scope, search_filter, attributes, size_limit):
        asked.append((search_filter, size_limit))
        return changes

    connector = Connector.parse(
        {"_id": "provisioner.openicf/ldap", "configurationProperties": {"baseContexts": [base]}}
    )
    reader = LogReader(None, None, connector, context())
    reader.directory = SimpleNamespace(stream=stream, kept=None)
    vars(reader)["log"] = ChangeLog(1, 60, NUMBERS, "cn=changelog")
    found = {one.record: one.moved_to for one in reader.touched(49, 40)}
    moved = {"out": "uid=out,ou=apps,dc=example,dc=com", "in": f"uid=in,{base}", "r": f"uid=r2,{base}"}
    assert found == {"a": None, "busy": None, **moved}
    assert [one.record for one in reader.touched(49, 2)] == ["busy", "r"]
    assert [one.record for one in reader.strays(49, 40)] == ["o"] and len(asked) == 1  # read once for both
    assert reader.touched(49, 40, 49) == [] and "(changeNumber>=1)" in asked[0][0] and asked[0][1] == 49


def test_a_container_that_a_search_filter_takes_for_an_account_is_no_lost_change(look):
    """With (!(uid=user.1*)) the connector lists ou=People, and liveSync leaves it out (seen on OpenIDM 6.1.0)."""
    there = Environment()
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    there.containers.add("s1")
    there.narrowing = ("accountSearchFilter", "(!(uid=user.1*))")
    there.drop(there.users, "t2")
    there.drop(there.links, "s2")
    found = look(there, ["s1", "s2"])
    assert [one.record for one in found.records] == ["s2"]
    assert "object classes" in found.aside and "accountSearchFilter" in found.aside


@pytest.mark.parametrize("policies", [[{"situation": "SOURCE_MISSING", "action": "DELETE"}], []])
def test_what_nobody_here_is_shown_is_not_gone_where_its_last_change_has_not_removed_it(look, policies):
    """bind_dn is denied the entry too: a reconciliation would remove its target (seen on OpenIDM 6.1.0)."""
    there = Environment(policies=policies)
    deleted(there)
    found = look(there, removed=False)
    (one,) = found.records
    assert one.situation is None and "neither the connector's account nor" in one.cause
    assert "the whole mapping" not in found.said and "Look for an ACI" in found.said
    found = look(there, removed=True)
    assert [one.situation for one in found.records] == (["SOURCE_MISSING"] if policies else [])


def test_an_entry_whose_object_classes_are_not_shown_is_hidden(look):
    there = Environment()
    there.hide("s1")
    there.containers.add("s1")
    there.classes_shown = False
    there.users[1]["mail"] = "old@x"
    (one,) = look(there).records
    assert one.cause == "the directory has it, and does not show its objectClass"


def test_which_of_several_policies_of_one_situation_counts_audit_alone_tells(look):
    """A new entry may meet the condition of the first one (seen on OpenIDM 6.1.0)."""
    several = [{"situation": "ABSENT", "action": "CREATE", "condition": {"source": "x"}},
               {"situation": "ABSENT", "action": "IGNORE"}]  # fmt: skip
    there = Environment(policies=several)
    new_and_missing(there)
    (one,) = look(there, ["s1", "s2"]).records
    assert one.record == "s1" and there.mapping.ignored == ()
    there.idm.resources["audit/sync"] = [audit_word("s1", "ABSENT", "IGNORE")]
    found = look(there, ["s1", "s2"])
    assert found.records == () and "ABSENT: IGNORE (s1)" in found.doubt


def test_an_old_failure_is_no_cause_of_a_change_that_was_never_handled(look):
    there = Environment()
    differing(there)
    failed = {"status": "FAILURE", "message": "Policy validation failed"}
    there.idm.resources["audit/sync"] = [
        audit_word("s1", "CONFIRMED", "UPDATE", at="2026-11-23T10:00:00.000Z", **failed)
    ]
    assert "the target is not as the source" in look(there).records[0].cause
    there.idm.resources["audit/sync"].append(audit_word("s1", "CONFIRMED", "UPDATE", **failed))
    assert look(there).records[0].cause == "Policy validation failed"


def test_audit_gets_a_moment_to_write_what_was_handled_just_now(look):
    there = Environment(properties=[*PLAIN, MADE])
    there.idm.resources.update({"audit/sync": [BEGINS, LATER], "audit/recon": [RECON]})
    assert len(look(there).records) == 1
    asked = [path for path, *unused in there.idm.asked]
    second = [at for at, path in enumerate(asked, start=1) if path == "audit/sync"][2]
    there.idm.asked.clear()
    write = there.idm.resources["audit/sync"].append
    there.idm.meanwhile[second] = [lambda: write(audit_word("s1", "CONFIRMED", "UPDATE"))]
    found = look(there)
    assert (found.records, found.doubt, found.slept) == ((), None, 1)


def test_who_is_linked_and_changes_outside_of_the_base_contexts_is_told(look):
    """The base contexts were narrowed: nobody out there arrives any more (seen on OpenIDM 6.1.0)."""
    there = Environment()
    there.drop(there.people, "s1")
    there.moved.add("s1")
    found = look(there, ["s2"], strays=["s1", "of others"])
    (one,) = found.records
    assert (one.record, one.time, one.situation) == (
        "s1",
        TIME,
        None,
    ) and "outside of the connector's base" in one.cause
    assert "1 changed entry outside of the connector's base contexts, with a link" in found.said
    assert found.said.index("Let the connector look there again") < found.said.index("recon with ids")
    assert not found.whole
    assert [one.record for one in look(there, [], strays=["s1"]).records] == ["s1"]
    there.drop(there.links, "s1")  # nobody's
    assert look(there, ["s2"], strays=["s1", "of others"]).whole


def test_who_was_deleted_outside_of_the_base_contexts_is_no_reason_to_reconcile_all(look):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    there.drop(there.people, "s1")
    found = look(there, [], strays=["s1"])
    assert len(found.records) == 1 and "Let the connector look there again" in found.said
    assert "Reconcile the whole mapping." not in found.said


def test_changes_outside_are_asked_for_with_those_inside(look):
    costs = []
    for strays in ([], ["of others", "of more"]):
        there = Environment()
        look(there, ["s1"], strays=strays)
        costs.append(len(there.idm.asked))
    assert costs[1] == costs[0]


def test_what_is_missing_of_a_mapping_without_a_load_is_mended_by_the_role_alone(look):
    there = Environment()
    new_and_missing(there)
    found = look(there, unloaded=["m"])
    assert "no load of m is recorded" in found.said and "Run the role livesync" in found.said
    assert "recon with ids" not in found.said and len(found.records) == 1
    assert "recon with ids" in look(there, unloaded=["another"]).said


def test_what_has_two_links_is_told_as_that_and_not_as_refused(look):
    there = Environment()
    there.users.append({"_id": "t1b", "userName": "u1", "mail": "u1@x"})
    there.links.append({**there.link("s1", "t1b"), "_id": "s1-t1b"})
    failed = told("EXCEPTION", situation="CONFIRMED", status="FAILURE", message="More than one link found")
    there.idm.resources["audit/sync"] = [failed]
    found = look(there)
    assert "1 changed entry has arrived twice, with two links of one mapping" in found.said
    assert "IDM refuses it" not in found.said
    there.users[1]["mail"] = "old@x"  # and so differs, too
    found = look(there)
    assert "1 changed entry has arrived twice" in found.said and "IDM refuses it" not in found.said


def test_that_only_the_newest_were_compared_is_not_said_where_all_was_seen_to_have_arrived(look, monkeypatch):
    monkeypatch.setattr(module, "NEWEST", 1)
    there = Environment()
    assert "the newest 1 were compared" in look(there, ["s1", "s2"], seen=8).aside
    assert look(there, ["s1", "s2"], seen=9).aside is None
