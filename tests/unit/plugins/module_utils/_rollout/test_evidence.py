# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what is known of a source: what is to be loaded, what can be told, and what cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import Anchor
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Visibility
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import FAILOVER, OTHER, SAME, Identity, Whose
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load
from ansible_collections.idmops.idm.plugins.module_utils._record.scheduler import EXTERNAL, Scheduler
from ansible_collections.idmops.idm.plugins.module_utils._rollout.evidence import DirectoryFacts, ServerFacts
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import (
    CONNECTOR,
    MAPPING,
    PRINCIPAL,
    RECORD,
    SOURCE,
    URI,
    directory,
    finished,
    grants,
    job,
)

IDMS, THEIRS = Scheduler(), Scheduler(EXTERNAL, 60)
OURS, OTHERS = Whose(SAME), Whose(OTHER)
TRIMMED = "The change log begins at 60, after the token 50: the changes in between have been removed from it."
BEYOND = (
    "The token 50 lies beyond the end of the change log, 7: the directory was built anew, or the connector talks to"
    " another server than before."
)


def request(**options):
    return replace(finished().request, directory={"servers": [URI], **options})


def log(first=1, last=100, mode="change_numbers", **facts):
    return directory(grants(log=ChangeLog(first, last, mode, "cn=changelog")), whose=OURS, **facts)


@pytest.mark.parametrize(
    ("facts", "change_log", "entries", "seconds"),
    [
        (directory(grants(entries=100)), True, 100, 300),
        (directory(grants(entries=12_000)), True, 12_000, 1200),
        (directory(grants(entries=1_000_000)), True, 1_000_000, 100_000),
        (directory(grants(log=None)), False, 100, 300),
        (DirectoryFacts(URI, PRINCIPAL), False, None, 300),
        (DirectoryFacts("ldaps://other", PRINCIPAL, (ServerFacts(URI, grants()),)), False, None, 300),
        (DirectoryFacts(URI, PRINCIPAL, (ServerFacts(URI),)), False, None, 300),
        (DirectoryFacts(URI, PRINCIPAL, (ServerFacts(URI, replace(grants(), limits=None)),)), True, None, 300),
    ],
)
def test_what_the_server_of_the_connector_tells(facts, change_log, entries, seconds):
    assert ((facts.change_log is not None), facts.entries, facts.load_seconds) == (change_log, entries, seconds)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({}, None),
        ({"directory": log(60)}, TRIMMED),
        ({"directory": log(51)}, None),
        ({"directory": log(52)}, TRIMMED.replace("60", "52")),
        ({"directory": log(1, 7)}, BEYOND),
        ({"directory": log(1, 50)}, None),
        ({"directory": log(1, 49)}, BEYOND.replace(" 7:", " 49:")),
        ({"directory": log(60, mode="cookies_only")}, None),
        ({"directory": log(anew="It counts anew.")}, "It counts anew."),
        ({"directory": log(60, anew="It counts anew.")}, TRIMMED),
        ({"directory": None}, None),
        ({"directory": log(60), "stage": None}, None),
    ],
)
def test_whether_the_change_log_goes_on_from_the_token(spoilt, why):
    evidence = finished(**{"directory": log(), **spoilt})
    assert (evidence.out_of_range, evidence.gap) == (why, why)


@pytest.mark.parametrize("whose", [OTHERS, Whose(FAILOVER), Whose("unknown")])
def test_the_numbers_of_another_server_tell_nothing(whose):
    evidence = finished(directory=replace(log(60), whose=whose))
    assert (evidence.out_of_range, evidence.gap) == (TRIMMED, None)
    assert evidence.loads == {}


def moved(server, data="1", token=50):
    then = Identity({"replication server": "1"}, {"dc=example,dc=com": "1"})
    now = Identity({"replication server": server}, {"dc=example,dc=com": data})
    record = {"m": replace(RECORD["m"], directory=then)}
    return finished(token, directory=log(60, identity=now), record=record)


def test_a_server_that_was_exchanged_is_no_gap_by_its_numbers():
    assert moved("1").moved_from is None and moved("1").gap == TRIMMED
    assert moved("2").moved_from[0] == "server" and moved("2").gap is None
    assert moved("1", data="2").moved_from[0] == "data" and moved("1", data="2").gap == TRIMMED
    assert moved("2", token=None).moved_from is None
    assert replace(moved("2"), directory=None).moved_from is None


def test_what_is_to_be_loaded_and_what_is_kept_of_the_record():
    assert finished().loads == {} and finished().kept_record == RECORD
    assert "no base point" in finished(None).loads["m"] and finished(None).kept_record == {}
    gone = finished(directory=log(60))
    assert gone.loads == {"m": TRIMMED} and gone.kept_record == {}
    two = {**RECORD, "n": Load("r-2", "2026-11-24T12:00:00Z", ())}
    assert finished(record=two).kept_record == two
    assert finished(record=two, foreign=frozenset({"n"})).kept_record == RECORD
    assert finished(record=two, left_out=("n",)).kept_record == RECORD
    off = replace(MAPPING, name="n", sync_enabled=False)
    assert finished(record=two, mappings=(MAPPING, off)).switched_off == ("n",)
    assert finished(mappings=(MAPPING, replace(off, sync_enabled=None)), left_out=("x",)).switched_off == ("x",)


@pytest.mark.parametrize(
    ("wanted", "scheduler", "its", "on"),
    [
        (IDMS, IDMS, job(), True),
        (IDMS, IDMS, job(enabled=False), False),
        (IDMS, IDMS, None, False),
        (IDMS, THEIRS, None, False),
        (THEIRS, IDMS, job(), False),
        (THEIRS, THEIRS, None, True),
    ],
)
def test_whether_it_is_run_already_by_whoever_shall_run_it(wanted, scheduler, its, on):
    evidence = finished(request=replace(request(), scheduler=wanted), scheduler=scheduler, job=its)
    assert evidence.is_on is on


@pytest.mark.parametrize(
    ("spoilt", "account"),
    [
        ({}, PRINCIPAL),
        ({"connector": None}, None),
        ({"request": replace(finished().request, directory=None)}, None),
        ({"request": request(principal="uid=other")}, "uid=other"),
        ({"request": request(principal="uid=other"), "connector": None}, "uid=other"),
        ({"connector": replace(CONNECTOR, type="org.forgerock.openicf.csvfile.CSVFileConnector")}, None),
    ],
)
def test_whose_grants_belong_to_it(spoilt, account):
    assert finished(**spoilt).granted_account == account


@pytest.mark.parametrize(
    ("bases", "inside"),
    [(("dc=example,dc=com",), True), (("ou=People,dc=example,dc=com",), False), (("no name",), False), ((), False)],
)
def test_whether_the_account_is_a_record_itself(bases, inside):
    evidence = finished(connector=replace(CONNECTOR, sync_base_contexts=bases))
    assert evidence.principal_inside is inside
    assert replace(evidence, directory=None).principal_inside is False
    assert replace(evidence, connector=None).principal_inside is False


@pytest.mark.parametrize(
    ("uri", "error", "away"),
    [
        ("ldaps://ds1.example.com:1636", NoAnswer("gone", URI, "Look."), True),
        ("ldaps://ds1.example.com:1636", DirectoryError("refused"), False),
        ("ldaps://ds1.example.com:1636", None, False),
        ("ldaps://ds2.example.com:1636", NoAnswer("gone", URI, "Look."), False),
        (None, NoAnswer("gone", URI, "Look."), False),
    ],
)
def test_where_the_account_shall_bind_and_nobody_answers(uri, error, away):
    facts = DirectoryFacts(URI, PRINCIPAL, (ServerFacts(URI, error=error),))
    evidence = finished(request=request(verify_uri=uri), directory=facts)
    assert evidence.proof_away == (uri if away else None)
    assert replace(evidence, directory=None).proof_away is None
    assert replace(evidence, request=replace(evidence.request, directory=None)).proof_away is None


def test_what_is_to_be_done_first_where_the_failover_is_read():
    assert finished(directory=log()).first_away == "" and finished(directory=None).first_away == ""
    told = finished(directory=replace(log(), whose=Whose(FAILOVER))).first_away
    assert told == "Bring back the first server, which is away, and run this again; else: "


@pytest.mark.parametrize(
    ("spoilt", "unguarded"),
    [
        ({}, True),
        ({"stage": finished().stage, "record": RECORD}, False),
        ({"mappings": (replace(MAPPING, deletes=False),)}, False),
        ({"linked": {"m": False}}, False),
        ({"linked": {"m": None}}, True),
        ({"linked": {"m": True}}, True),
        ({"request": replace(finished().request, allow_deletes=True)}, False),
        ({"directory": directory(whose=OURS)}, False),
        ({"directory": directory(whose=OURS, seen=None)}, True),
        ({"directory": directory(whose=OTHERS, seen=Visibility(5, 5))}, True),
        ({"directory": None}, True),
    ],
)
def test_what_could_delete_people_by_surprise(spoilt, unguarded):
    evidence = finished(**{"stage": None, "record": {}, "directory": None, **spoilt})
    assert evidence.unguarded == (list(evidence.mappings) if unguarded else [])


def test_changes_that_were_noted_on_this_idm():
    noted, met = Anchor(7, "2026-11-24T17:00:07Z"), Anchor(9, "2026-11-24T17:00:09Z")
    record = {"m": replace(RECORD["m"], base_point=noted), "n": replace(RECORD["m"], base_point=met)}
    assert finished(record=record, anchor=met).anchors == [met, noted, met]
    assert finished(record=record, foreign=frozenset({"n"})).anchors == [None, noted]


def test_without_a_stage_there_is_no_token_and_no_misfit():
    assert (finished(None).token, finished(None).misfit, finished(None).name) == (None, None, SOURCE)
    assert (finished().token, finished().misfit) == (50, None)
    text = finished(token="20260101000000Z", native_type="string")
    assert text.misfit and "20260101000000Z" in text.misfit
    assert replace(text, directory=None).misfit != text.misfit
