# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs for good is told; what a change that has yet to be taken explains is pending."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, IdmopsError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._health.snapshot import Snapshot
from ansible_collections.idmops.idm.plugins.module_utils._health.touched import Touched
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._record.run_record import RunRecord
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._schedule.document import Schedule
from ansible_collections.idmops.idm.plugins.module_utils._verify import verify as module
from ansible_collections.idmops.idm.plugins.module_utils._verify.verified import VerifyRequest, verify_result
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, refused

DOCUMENT = {
    "_id": "provisioner.openicf/ldap",
    "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
    "configurationProperties": {"host": "ds1", "port": 389},
    "objectTypes": {"account": {"nativeType": "__ACCOUNT__"}},
}
CONNECTOR = Connector.parse(DOCUMENT)
MANAGED = {"objects": [{"name": "user", "schema": {"required": ["userName"]}}]}


def schedule(interval):
    return Schedule.parse(
        {
            "_id": "job",
            "type": "simple",
            "repeatInterval": interval * 1000,
            "invokeService": "provisioner",
            "invokeContext": {"action": "liveSync", "source": SOURCE},
        }
    )


@pytest.fixture
def run(monkeypatch):
    """Verify an environment; ``changes`` are ids of changes after the token, look by look, None without a directory."""

    def of(
        there, changes=None, schedules=(), token=7, known=None, connector=None, max_age=None, touched=None, **request
    ):
        known = [there.mapping] if known is None else known
        asked_of = Connector.parse({**DOCUMENT, "connectorRef": connector}) if connector else CONNECTOR
        lists = Snapshot({"ldap": asked_of}, {}, {Source.parse(SOURCE).stage_id: None}, schedules, known, frozenset())
        if max_age:
            kept = RunRecord(scheduler=Scheduler(EXTERNAL, max_age))
            lists = replace(lists, records={Source.parse(SOURCE).stage_id: kept})
        it = context()
        newest = [
            Touched(one, said, None) if isinstance(said, str) else Touched(one, None, None, removed=said)
            for one, said in (touched or {}).items()
        ]
        reader = SimpleNamespace(
            directory=object(),
            again=lambda: None,
            last=lambda: 9,
            now=lambda: None,
            touched=lambda token, most, after=0: newest,
            strays=lambda token, most, after=0: [],
        )
        if changes is not None:
            there.uid = "entryUUID"
            there.changed_after = lambda log, token, of=(): changes.pop(0) if len(changes) > 1 else changes[0]
        monkeypatch.setattr(module, "read_snapshot", lambda client: lists)
        monkeypatch.setattr(module, "directories", lambda *unused: {})
        monkeypatch.setattr(module, "LogReader", lambda *unused, **more: nullcontext(reader))
        monkeypatch.setattr(module.OwnEntries, "of", lambda *unused: None if changes is None else there)
        monkeypatch.setattr(module, "read_stage", lambda *unused: Stage("1", token, "integer"))
        there.idm.documents["config/managed"] = MANAGED
        asked = VerifyRequest(directory=None if changes is None else {}, **{"sample": 0, **request})
        asked.check()
        result = verify_result(*module.verify(there.idm, asked, it), asked)
        return SimpleNamespace(**result, slept=it.clock.slept, report=it.report, one=result["verified"][0])

    return of


def test_all_equal(run):
    found = run(Environment())
    assert (found.ids, found.target_ids, found.changed, found.slept) == ([], [], False, 0)
    assert "all 8 entries were compared; they are as the mapping would have them" in found.msg
    assert found.one["differences"] == {} and found.one["linked"] == 8


def test_what_differs_is_counted_and_listed_and_values_are_not(run):
    there = Environment()
    there.users[1]["mail"] = "secret@x"
    there.drop(there.users, "t2")
    there.drop(there.links, "s2")
    there.drop(there.people, "s3")
    found = run(there, most=2)
    assert found.one["differences"] == {"missing": 1, "orphaned": 1, "differing": 1}
    assert [one["kind"] for one in found.one["entries"]] == ["missing", "orphaned"]
    assert (found.ids, found.target_ids) == (["s2", "s1"], ["t3"])
    assert "1 missing, 1 orphaned, 1 differing (unknown: 3)" in found.msg
    assert "secret" not in str(vars(found)) and "u1@x" not in str(vars(found))
    assert found.one["pending"] is None and "Without directory" in found.msg


def test_a_directory_that_was_given_and_is_not_used_is_not_asked_for(run):
    there = Environment()
    there.users[1]["mail"] = "other"
    said = run(there, [None]).msg
    assert "Without directory" not in said and "are not known, or not used, changes that are pending" in said


def test_a_source_without_a_change_log_is_given_no_advice_about_a_directory(run, monkeypatch):
    there = Environment()
    there.users[1]["mail"] = "other"
    said = run(there, connector={"connectorName": "org.forgerock.openicf.csvfile.CSVFileConnector"}).msg
    assert "Without directory" not in said and "no change log tells what liveSync has yet to take" in said


def test_kinds_that_must_not_be_fail_with_the_way_out(run):
    there = Environment()
    there.drop(there.users, "t2")
    there.drop(there.links, "s2")
    assert run(there, fail_on=("orphaned",)).ids == ["s2"]
    with pytest.raises(IdmopsError, match="1 missing") as caught:
        run(there, fail_on=("missing", "orphaned"))
    assert caught.value.result["ids"] == ["s2"] and "idmops.idm.recon" in caught.value.remedy


def test_a_dead_link_is_to_go_before_anything_is_reconciled(run):
    there = Environment()
    there.drop(there.users, "t2")
    with pytest.raises(IdmopsError) as caught:
        run(there, fail_on=("missing",))
    assert (caught.value.result["ids"], caught.value.result["link_ids"]) == ([], ["s2-t2"])
    assert "link_ids" in caught.value.remedy and "idmops.idm.recon" not in caught.value.remedy


def test_what_is_hidden_is_given_to_no_reconciliation(run):
    there = Environment()
    there.hide("s1")
    with pytest.raises(IdmopsError) as caught:
        run(there, changes=[set()], fail_on=("orphaned",))
    result = caught.value.result
    assert (result["ids"], result["target_ids"]) == ([], [])
    assert result["verified"][0]["entries"][0]["reason"] == "hidden"
    assert "SOURCE_MISSING" not in caught.value.remedy and "account read it" in caught.value.remedy


@pytest.mark.parametrize(
    ("touched", "doubt", "reason"),
    [
        ({"s1": False}, None, "hidden"),
        ({"s1": True}, None, "unknown"),
        ({}, None, "unknown"),
        ({}, "it does not show ou=People to uid=helper", "hidden"),
    ],
)
def test_what_seems_to_be_gone_is_given_to_no_reconciliation_where_that_cannot_be_known(run, touched, doubt, reason):
    """bind_dn is denied the entry as the connector's account is (seen on OpenIDM 6.1.0)."""
    there = Environment()
    there.drop(there.people, "s1")
    there.doubt = doubt
    found = run(there, changes=[set()], touched=touched)
    (one,) = found.one["entries"]
    assert (one["kind"], one["reason"]) == ("orphaned", reason)
    assert found.target_ids == (["t1"] if reason == "unknown" else [])


def test_without_a_directory_it_is_said_what_was_not_looked_for(run):
    assert "what IDM does not see in the source was not looked for" in run(Environment()).msg
    assert "not looked for" not in run(Environment(), changes=[set()]).msg


def test_what_differs_with_a_change_that_is_pending_is_no_difference(run):
    there = Environment()
    there.users[1]["mail"] = there.users[2]["mail"] = "old"
    found = run(there, changes=[{"s1", "s5"}], schedules=[schedule(5)])
    assert (found.one["differences"], found.one["pending"], found.ids) == ({"differing": 1}, 1, ["s2"])
    assert found.slept == 10 and "1 more differ with changes" in found.msg


def test_what_is_taken_meanwhile_was_pending(run):
    there = Environment()
    there.users[1]["mail"] = "old"

    class Changes(list):
        def pop(self, *at):
            there.users[1]["mail"] = "u1@x"
            return super().pop(*at)

    found = run(there, changes=Changes([{"s1"}, set()]), schedules=[schedule(5)])
    assert (found.one["differences"], found.one["pending"]) == ({}, 0)
    assert found.slept < 10


def test_nobody_waits_for_what_no_change_explains(run):
    there = Environment()
    there.users[1]["mail"] = "old"
    found = run(there, changes=[{"s5"}], schedules=[schedule(3600)])
    assert (found.one["differences"], found.slept) == ({"differing": 1}, 0)


@pytest.mark.parametrize(
    ("schedules", "recheck", "slept"),
    [
        ((), None, 0),
        ([5], None, 10),
        ([5, 2], None, 4),
        ([3600], None, 60),
        ([5], 0.0, 0),
        ((), 3.0, 3),
        ([5], 30.0, 30),
    ],
)
def test_without_a_directory_what_differs_gets_two_intervals(run, schedules, recheck, slept):
    there = Environment()
    there.users[1]["mail"] = "old"
    found = run(there, schedules=[schedule(one) for one in schedules], recheck=recheck)
    assert (found.one["differences"], found.slept) == ({"differing": 1}, slept)


def test_an_external_scheduler_gets_two_times_its_max_age(run):
    there = Environment()
    there.users[1]["mail"] = "old"
    assert (run(there, max_age=20).slept, run(there, max_age=300).slept) == (40, 60)


def test_a_sample_says_what_it_means(run):
    found = run(Environment(50), sample=20)
    assert "of 50 entries 20 were drawn" in found.msg and "fewer than 14 % differ, at 95 %" in found.msg
    assert found.one["checked"] == 20 and found.one["linked"] == 20
    assert "all 8 entries" in run(Environment(), sample=1000).msg


def test_what_cannot_be_compared_is_said(run):
    properties = [{"source": "uid", "target": "userName"}, {"source": "sn", "target": "mail", "transform": {}},
                  {"target": "cn", "transform": {"source": "1"}}]  # fmt: skip
    there = Environment(properties=properties, validSource={"source": "1"})
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    found = run(there)
    assert found.one["not_comparable"]["properties"] == ["cn"] and found.one["not_comparable"]["entries"] == 1
    assert "; not compared: cn, which a script" in found.msg and "not compared: 1 entry without a link" in found.msg


SELECTIVE = {"validSource": {"source": "1"}}
SCRIPTED = {"properties": [{"source": "uid", "target": "userName"},
                           {"source": "mail", "target": "mail", "transform": {"source": "source"}}]}  # fmt: skip


def word(record, situation, action, at="2026-11-24T10:00:01.000Z", **more):
    return {"_id": f"{record}-{at}", "timestamp": at, "sourceObjectId": f"{SOURCE}/{record}", "mapping": "m",
            "status": "SUCCESS", "situation": situation, "action": action, **more}  # fmt: skip


def without(there, name):
    there.drop(there.users, f"t{name[1:]}")
    there.drop(there.links, name)


def test_who_has_no_link_is_not_called_compared_and_audit_tells_whether_a_rule_leaves_him_out(run):
    there = Environment(**SELECTIVE)
    without(there, "s1")
    without(there, "s2")
    found = run(there)
    assert "6 of 8 entries were compared; they are as the mapping would have them; not compared: 2 entries" in found.msg
    assert "may leave out (s1, s2)." in found.msg and found.ids == []
    there.idm.resources["audit/sync"] = [word("s1", "SOURCE_IGNORED", "REPORT")]
    assert "as audit tells of 1 of them (s1, s2)" in run(there).msg
    there.idm.resources["audit/sync"].append(word("s2", "UNQUALIFIED", "IGNORE"))
    assert "may leave out, as audit tells of 2 of them." in run(there).msg


@pytest.mark.parametrize("mapping", [SELECTIVE, SCRIPTED])
def test_what_was_never_handled_is_a_difference_though_no_comparison_shows_it(run, mapping):
    there = Environment(**mapping)
    if mapping is SELECTIVE:
        without(there, "s1")
    at = {"s1": "2026-11-24T10:00:00Z", "s2": "2026-11-24T10:00:00Z"}
    words = [word("s7", "CONFIRMED", "UPDATE", at="2026-11-24T08:00:00.000Z"),
             word("s2", "CONFIRMED", "UPDATE", at="2026-11-24T11:00:00.000Z")]  # fmt: skip
    there.idm.resources["audit/sync"] = words
    there.idm.resources["audit/recon"] = [{**words[0], "entryType": "entry"}]
    found = run(there, changes=[set()], touched=at)
    assert found.ids == ["s1"] and "audit has no entry of it" in found.one["entries"][0]["detail"]
    assert found.one["differences"] == {"missing" if mapping is SELECTIVE else "differing": 1}
    assert found.one["not_comparable"]["entries"] == 0
    there.idm.resources["audit/sync"] = [*words, word("s1", "CONFIRMED", "UPDATE")]
    if mapping is SELECTIVE:
        there.idm.resources["audit/sync"] = [*words, word("s1", "SOURCE_IGNORED", "REPORT")]
    found = run(there, changes=[set()], touched=at)
    assert (found.ids, found.one["differences"]) == ([], {})
    del there.idm.resources["audit/sync"]
    found = run(there, changes=[set()], touched=at)
    assert found.one["differences"] == {} and "audit does not answer here" in found.msg


@pytest.mark.parametrize(
    ("situation", "fault"), [("ABSENT", "missing"), ("UNQUALIFIED", "differing"), ("FOUND", "unlinked")]
)
def test_what_a_rule_of_the_mapping_leaves_alone_is_in_no_ids(run, situation, fault):
    """A reconciliation leaves it alone too (seen on OpenIDM 6.1.0, with a policy under a condition)."""
    policies = [{"situation": "ABSENT", "action": "CREATE", "condition": {"source": "x"}},
                {"situation": "ABSENT", "action": "IGNORE"}]  # fmt: skip
    there = Environment(policies=policies, sourceCondition="/source/uid pr" if fault == "differing" else None)
    if fault == "missing":
        without(there, "s1")
    elif fault == "unlinked":
        there.drop(there.links, "s1")
    else:
        there.users[1]["mail"] = "old@x"
    assert run(there).ids == ["s1"]
    there.idm.resources["audit/sync"] = [word("s1", situation, "IGNORE")]
    with pytest.raises(IdmopsError) as caught:
        run(there, fail_on=(fault,))
    (one,) = caught.value.result["verified"][0]["entries"]
    assert (one["reason"], caught.value.result["ids"]) == ("filtered", [])
    assert f"as audit tells: {situation}: IGNORE" in one["detail"]
    assert "no reconciliation brings" in caught.value.remedy and "give ids to" not in caught.value.remedy


def test_what_is_compared_is_named_where_not_all_is(run):
    properties = [
        {"source": "uid", "target": "userName"},
        {"source": "sn", "target": "cn", "transform": {"source": "1"}},
    ]
    assert "in what can be compared (userName) they are as" in run(Environment(properties=properties)).msg
    assert "can be compared" not in run(Environment()).msg


def test_a_mapping_without_links_is_not_called_equal(run):
    with pytest.raises(IdmopsError, match="enableLinking is false"):
        run(Environment(enableLinking=False))


def test_one_that_cannot_be_read_fails_and_the_rest_is_told(run, monkeypatch):
    there = Environment()
    other = Environment(name="n", source="system/ldap/group").mapping
    monkeypatch.setattr(module, "DirectoryError", DirectoryError, raising=False)
    sources = (Source.parse(SOURCE), Source.parse("system/ldap/group"))
    there.idm.resources.pop("system/ldap/group", None)
    monkeypatch.setattr(Source, "check", lambda *unused: None)
    with pytest.raises(IdmopsError, match="n: system/ldap/group answered 404") as caught:
        run(there, known=[there.mapping, other], sources=sources)
    assert [one["mapping"] for one in caught.value.result["verified"]] == ["m"]


def test_a_connector_of_two_documents_is_not_called_equal(run, monkeypatch):
    twice = replace(CONNECTOR, twins=("provisioner.openicf/copy", "provisioner.openicf/ldap"))
    monkeypatch.setattr(sys.modules[__name__], "CONNECTOR", twice)
    with pytest.raises(IdmopsError, match="more than one document") as caught:
        run(Environment())
    assert "Remove all but one" in caught.value.remedy


@pytest.mark.parametrize(
    ("asked", "status", "named"),
    [("system/ldap/account", 500, True), ("managed/user", 500, False), ("system/ldap/account", 403, False)],
)
def test_a_source_that_cannot_be_listed_comes_with_the_limits_of_a_search(run, monkeypatch, asked, status, named):
    def broken(*unused):
        exc = refused(status, "Operation QUERY failed with ConnectorException on system object: null")
        exc.url = f"https://idm.example.com/openidm/{asked}"
        raise exc

    monkeypatch.setattr(module, "suspects_of_all", broken)
    monkeypatch.setattr(module, "checked", lambda client, it: ConnectorTest(it.name, True, None, True))
    with pytest.raises(IdmopsError) as caught:
        run(Environment())
    assert ("raise_limits" in (caught.value.remedy or "")) is named


@pytest.mark.parametrize("several", [True, False])
def test_nobody_who_is_well_is_listed_to_be_emptied(run, monkeypatch, several):
    """59 who were well were listed, and a reconciliation of them emptied them (seen on OpenIDM 6.1.0).

    A mapping reads what the object type does not have; or it reads a wrong attribute, which shows in several.
    """
    there = Environment()
    for person in there.people[: 8 if several else 1]:
        del person["mail"]
    found = run(there)
    assert (found.one["differences"], found.ids) == ({"differing": 8 if several else 1}, [] if several else ["s0"])
    assert ("a reconciliation would empty mail of at least 8 targets" in found.msg) is several
    types = {"account": {"nativeType": "__ACCOUNT__", "properties": {"uid": {"type": "string"}}}}
    monkeypatch.setattr(sys.modules[__name__], "CONNECTOR", Connector.parse({**DOCUMENT, "objectTypes": types}))
    found = run(there)
    assert found.ids == [] and "m reads mail, which account does not have: mail of each target" in found.msg
    assert "Reconcile nothing before that" in found.msg


def test_a_query_that_fails_is_the_connectors_where_that_fails_its_test(run, monkeypatch):
    def broken(*unused):
        exc = refused(500, "Operation QUERY failed with ConnectorException on system object: null")
        exc.url = "https://idm.example.com/openidm/system/ldap/account"
        raise exc

    monkeypatch.setattr(module, "suspects_of_all", broken)
    monkeypatch.setattr(
        module, "checked", lambda client, it: ConnectorTest(it.name, False, "uid=idm must change their password", True)
    )
    with pytest.raises(IdmopsError) as caught:
        run(Environment())
    assert "must change their password" in str(caught.value)
    assert "set one by itself first" in caught.value.remedy and "raise_limits" not in caught.value.remedy


def test_a_source_that_no_mapping_reads_is_not_called_equal(run):
    with pytest.raises(IdmopsError, match="no mapping of system/ldap/account"):
        run(Environment(), known=[], sources=(Source.parse(SOURCE),))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample": -1},
        {"recheck": -1.0},
        {"recheck": float("inf")},
        {"most": -1},
        {"mappings": ()},
        {"mappings": ("x",)},
    ],
)
def test_options_that_cannot_be_used_are_refused(run, wrong):
    there = Environment()
    with pytest.raises(InvalidOption):
        run(there, **wrong)
    assert not there.idm.asked
