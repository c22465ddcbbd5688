# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of each way in which a reconciliation can end: word for word."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector, ConnectorTest
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._recon.run import (
    Amount,
    EntryFailure,
    ReconRun,
    object_id,
    sum_of,
    too_many,
)
from ansible_collections.idmops.idm.plugins.module_utils._recon.verdict import (
    ReconFindings,
    lost,
    not_in_force,
    verdict,
)
from ansible_collections.idmops.idm.tests.unit.doubles.connectors import LDAP
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
MAPPING = SyncMapping.parse({"name": "m", "source": "system/ldap/account", "target": "managed/user"})
ASYNC = replace(MAPPING, asynchronous=("ABSENT", "MISSING"))
ENDED = ReconRun("r1", "m", "SUCCESS", "COMPLETED", Amount(10, 10), Amount(9, 9), succeeded=8, failed=2)
BROKEN = replace(ENDED, state="FAILED", succeeded=0, failed=0)
AT_ONCE = replace(BROKEN, source=Amount(0, 0), target=Amount())
NO_MAIL = EntryFailure("u1", "ABSENT", "CREATE", "no mail.")
FOUR = tuple(EntryFailure(f"u{one}", None, None, "no mail") for one in range(1, 5))
AWAY = ConnectorTest("ldap", False, "Connection refused", True)


def of(run=ENDED, mapping=MAPPING, failures=(NO_MAIL,), **more):
    return ReconFindings(run, mapping, failures, **more)


def single(*ids, **more):
    return of(replace(ENDED, succeeded=0, failed=len(ids), source_ids=ids, **more))


def well(*ids):
    return of(replace(ENDED, succeeded=len(ids), failed=0, source_ids=ids))


ENDS = {
    "well": ([of(replace(ENDED, failed=0))], 0, None),
    "some failed": ([of()], 0, None),
    "some failed, as many as may": ([of()], 2, None),
    "some failed, one more than may": ([of()], 1, None),
    "some failed, of a share that may": ([of()], 0, 20.0),
    "some failed, of a share that may not": ([of()], 0, 19.9),
    "some failed, none of which is told": ([of(failures=())], 0, None),
    "some failed, and nobody tells": ([of(failures=None)], 0, None),
    "some failed, and nobody tells, with an id": ([of(failures=None, transaction="t-1")], 0, None),
    "four failed": ([of(replace(ENDED, failed=4), failures=FOUR)], 0, None),
    "five failed": ([of(replace(ENDED, failed=5), failures=FOUR)], 0, None),
    "some are gone": ([of(gone=1)], 0, None),
    "all that failed are gone": ([of(gone=2)], 0, None),
    "linked to others": ([of(replace(ENDED, situations={"FOUND_ALREADY_LINKED": 1}))], 0, None),
    "cancelled": ([of(replace(ENDED, state="CANCELED"))], 9, None),
    "broken": ([of(BROKEN)], 9, None),
    "broken at no stage": ([of(replace(BROKEN, stage=""))], 9, None),
    "broken with failures": ([of(replace(BROKEN, failed=1))], 9, None),
    "broken without an id": ([of(replace(BROKEN, id=""))], 9, None),
    "broken, the connector is away": ([of(BROKEN, connector=Connector.parse(LDAP), test=AWAY)], 9, None),
    "broken, the connector is well": (
        [of(BROKEN, connector=Connector.parse(LDAP), test=replace(AWAY, ok=True))],
        9,
        None,
    ),
    "broken, the connector is unknown": ([of(BROKEN, test=AWAY)], 9, None),
    "broken at once": ([of(AT_ONCE)], 9, None),
    "broken at once, asynchronous": ([of(AT_ONCE, ASYNC)], 9, None),
    "broken later, asynchronous": ([of(BROKEN, ASYNC)], 9, None),
    "broken at once, of ids": ([of(replace(AT_ONCE, source_ids=("a",)))], 9, None),
    "broken at once, of ids, with a filter": (
        [of(replace(AT_ONCE, source_ids=("a",)), replace(MAPPING, source_filter='mail eq "x"'))],
        9,
        None,
    ),
    "broken at once, with a filter": ([of(AT_ONCE, replace(MAPPING, source_filter='mail eq "x"'))], 9, None),
    "broken before a count": ([of(replace(AT_ONCE, source=Amount()))], 9, None),
    "broken before a count, no system": (
        [of(replace(AT_ONCE, source=Amount()), replace(MAPPING, source="managed/x"))],
        9,
        None,
    ),
    "broken before one of ten": ([of(replace(AT_ONCE, source=Amount(0, 10)))], 9, None),
    "several, well": ([of(replace(ENDED, failed=0)), of(replace(ENDED, failed=0))], 0, None),
    "several, one failed": ([well("a"), single("b", "c")], 0, None),
    "several, as many failed as may": ([single("a"), single("b", "c")], 3, None),
    "several, of a share that may": ([single("a"), single("b", "c")], 0, 100.0),
    "several, one broken": ([single("a", "b", "c", "d", state="FAILED"), well("e")], 9, None),
    "several, one cancelled, one failed": ([single("a", "b", "c", state="CANCELED"), single("e")], 0, None),
}


def test_each_end():
    found = {}
    for name, (runs, most, percent) in ENDS.items():
        error = verdict(runs, most, percent)
        found[name] = f"{error.message} -> {error.remedy}" if error else None
    run = ENDED
    found["lost"] = str(lost(run, restarted=False).message)
    found["lost, restarted"] = str(lost(run, restarted=True).message)
    compare(FILES / "ends.yml", "What is said of each end of a reconciliation, and what mends it.", found)


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (404, "No such mapping: m", True),
        (409, "no such mapping", True),
        (404, "Not found", False),
        (400, "no such mapping", False),
        (500, "no such mapping", False),
    ],
)
def test_a_configuration_that_idm_has_refused(status, reason, told):
    error = not_in_force(MAPPING, Refused("x", status=status, reason=reason))
    assert (error is not None) is told and (not told or error.status == status)


SUMMARY = {
    "_id": "r1",
    "mapping": "m",
    "state": "SUCCESS",
    "stage": "COMPLETED_SUCCESS",
    "progress": {
        "source": {"existing": {"processed": 5, "total": "6"}},
        "target": {"existing": {"processed": 3, "total": "?"}, "created": 2, "unchanged": "1"},
        "links": {"existing": {"processed": "4", "total": "4"}},
    },
    "situationSummary": {"ABSENT": 2, "CONFIRMED": 0},
    "statusSummary": {"SUCCESS": 4, "FAILURE": 1},
    "duration": 1500,
    "parameters": {"sourceIds": ["a", 5]},
}


def test_a_run_as_its_summary_tells_and_as_it_is_shown():
    run = ReconRun.parse(SUMMARY)
    assert run.source_ids == ("a", "5") and run.stage == "COMPLETED_SUCCESS"
    assert run.as_result([NO_MAIL]) == {
        "id": "r1",
        "mapping": "m",
        "state": "SUCCESS",
        "progress": {
            "source": {"processed": 5, "total": 6},
            "target": {"processed": 3, "total": None, "created": 2, "unchanged": 1},
            "links": {"processed": 4, "total": 4},
        },
        "situations": {"ABSENT": 2},
        "succeeded": 4,
        "failed": 1,
        "failures": [{"record": "u1", "situation": "ABSENT", "action": "CREATE", "reason": "no mail."}],
        "duration_ms": 1500,
    }
    assert run.sentence == "The reconciliation of m is in the state SUCCESS, 5 of 6 source entries done, 1 failed."
    assert replace(run, failed=0).sentence.endswith("5 of 6 source entries done.")


def test_what_a_summary_does_not_tell():
    run = ReconRun.parse({"duration": -1})
    assert run == ReconRun("None", "None", "None")
    assert run.source_ids == () and str(run.source) == "0 of ?"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('(_id eq "a")', ("a",)),
        ('(_id eq "a" or _id eq "b\\"c")', ("a", 'b"c')),
        ('mail pr and (_id eq "a" or _id eq "b")', ("a", "b")),
        ('(_id eq "a") and mail pr', ()),
        ("true", ()),
        (None, ()),
        (5, ()),
    ],
)
def test_the_records_of_a_run_by_its_filter(text, ids):
    run = ReconRun.parse({"parameters": {"sourceQuery": {"_queryFilter": text}}})
    assert run.source_ids == ids


def test_two_runs_are_one_with_the_later_id_and_the_worse_state():
    first = replace(ReconRun.parse(SUMMARY), id="r0", state="FAILED")
    both = sum_of([first, ReconRun.parse(SUMMARY)])
    assert (both.id, both.state, both.succeeded, both.failed, both.duration_ms) == ("r1", "FAILED", 8, 2, 3000)
    assert (both.source, both.target, both.links) == (Amount(10, 12), Amount(6, None), Amount(8, 4))
    assert (both.changes, both.situations) == ({"created": 4, "unchanged": 2}, {"ABSENT": 4})
    assert both.source_ids == ("a", "5", "a", "5")
    later = replace(first, id="r2", state="CANCELED")
    assert (ReconRun.parse(SUMMARY) + later).state == "CANCELED" and (first + later).state == "FAILED"
    assert sum_of([first]) == first
    assert Amount(1, None) + Amount(2, 3) == Amount(3, 3) and Amount(1) + Amount(2) == Amount(3)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("system/ldap/account/a/b", "a/b"),
        ("managed/user/a", "a"),
        ("repo/x/y/a", "a"),
        ("internal/role/a", "a"),
        ("system/ldap/account", "system/ldap/account"),
        ("managed/user", "managed/user"),
        ("a", "a"),
        ("other/x/y", "other/x/y"),
    ],
)
def test_the_id_in_a_path(path, name):
    assert object_id(path) == name


@pytest.mark.parametrize(
    ("failed", "entries", "most", "percent", "more"),
    [
        (0, 10, 0, None, False),
        (1, 10, 0, None, True),
        (1, 10, 1, None, False),
        (2, 10, 1, 20.0, False),
        (3, 10, 1, 20.0, True),
        (3, 10, 3, 0.0, False),
        (1, 10, 0, 0.0, True),
    ],
)
def test_whether_more_failed_than_may(failed, entries, most, percent, more):
    assert too_many(failed, entries, most, percent) is more


POLICIES = {
    "failedPolicyRequirements": [
        {"property": "mail", "policyRequirements": [{"policyRequirement": "REQUIRED"}, {"policyRequirement": "x"}]},
        {"property": "sn", "policyRequirements": "?"},
    ]
}


@pytest.mark.parametrize(
    ("entry", "text", "in_source", "marked"),
    [
        ({"sourceObjectId": "system/ldap/account/a"}, "a: no reason given", True, False),
        (
            {"targetObjectId": "managed/user/b", "situation": "SOURCE_MISSING"},
            "b: no reason given (situation SOURCE_MISSING)",
            False,
            False,
        ),
        ({}, "?: no reason given", False, False),
        (
            {"sourceObjectId": "a", "action": "CREATE", "situation": "ABSENT", "message": "Bad."},
            "a: Bad (situation ABSENT, action CREATE)",
            True,
            False,
        ),
        ({"sourceObjectId": "a", "messageDetail": {"message": "First"}, "message": "Last"}, "a: First", True, False),
        (
            {"sourceObjectId": "a", "messageDetail": {"message": "Policy", "detail": POLICIES}},
            "a: Policy (mail: REQUIRED, x; sn: )",
            True,
            False,
        ),
        (
            {"sourceObjectId": "a", "action": "EXCEPTION", "status": "SUCCESS"},
            "a: no reason given (action EXCEPTION)",
            True,
            True,
        ),
        (
            {"sourceObjectId": "a", "action": "EXCEPTION", "status": "FAILURE"},
            "a: no reason given (action EXCEPTION)",
            True,
            False,
        ),
    ],
)
def test_an_entry_that_failed(entry, text, in_source, marked):
    failure = EntryFailure.parse(entry)
    assert (str(failure), failure.in_source, failure.marked) == (text, in_source, marked)
