# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a source: tokens that are numbers of changes give a number of changes, others give none."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._idm.record_failure import RecordFailure
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync.backlog import Reconciled
from ansible_collections.idmops.idm.plugins.module_utils._livesync.outcome import Mark, Run
from ansible_collections.idmops.idm.plugins.module_utils._livesync.tally import Tally, result_of

SOURCE = Source.parse("system/ldap/account")


def stage(token):
    return Stage("1", token, "integer")


@pytest.mark.parametrize(
    ("before", "after", "more", "changes"),
    [
        (7, 9, {}, 2),
        (7, 9, {"counts": False}, None),
        (7, None, {}, 0),
        (None, 9, {}, None),
    ],
)
def test_the_number_of_changes_is_that_of_the_tokens_where_they_count(before, after, more, changes):
    stages = {name: stage(token) for name, token in (("before", before), ("after", after)) if token is not None}
    told = Tally(SOURCE, "advanced", **stages, **more).as_result()
    assert told["changes"] == changes
    assert (told["token_before"], told["token_after"]) == (before, after or before)


RECONCILED = Reconciled("ids", stage(5), stage(8), 8, records=2, removed=1, seconds=1.5)


def test_all_that_is_told_of_a_run():
    last = Run("advanced", Mark(rev="1"), restarted=True, attributed=False)
    tally = Tally(SOURCE, "advanced", stage(5), stage(9), last, 2, 2.5, proved=True, lock="server")
    assert tally.as_result() == {
        "source": "system/ldap/account",
        "outcome": "advanced",
        "token_before": 5,
        "token_after": 9,
        "native_type": "integer",
        "failure": None,
        "skipped_records": [],
        "attributed": False,
        "restarted": True,
        "proved": True,
        "caught_up_by": "livesync",
        "reconciliation": None,
        "error": None,
        "remedy": None,
        "transaction_id": None,
        "duration_ms": 2500,
        "runs": 2,
        "changes": 4,
        "lock": "server",
        "rate": 1.6,
    }


def test_of_a_source_that_nothing_was_done_with():
    told = Tally(SOURCE, "planned").as_result()
    assert (told["attributed"], told["restarted"], told["proved"], told["failure"]) == (True, False, False, None)
    assert (told["token_before"], told["token_after"], told["native_type"], told["changes"]) == (None,) * 4
    assert (told["rate"], told["runs"], told["duration_ms"], told["caught_up_by"]) == (None, 0, 0, "livesync")


@pytest.mark.parametrize(
    ("before", "after", "seconds", "rate"), [(5, 9, 0.0, None), (5, 5, 2.0, None), (5, 9, 1.0, 4.0), (5, 9, 0.5, 8.0)]
)
def test_how_fast(before, after, seconds, rate):
    assert Tally(SOURCE, "advanced", stage(before), stage(after), seconds=seconds).as_result()["rate"] == rate


@pytest.mark.parametrize("outcome", ["started", "unknown", "advanced"])
def test_what_may_go_on_can_be_followed(outcome):
    mark = Mark(rev="7", token=5, began="2026-11-24T11:00:00Z")
    told = Tally(SOURCE, outcome, last=Run(outcome, mark)).as_result()
    followed = {"source": "system/ldap/account", **vars(mark)}
    assert told.get("follow") == (None if outcome == "advanced" else followed)


def test_a_failure_is_told_of_the_last_run():
    failure = RecordFailure("a", "why", "text")
    told = Tally(SOURCE, "blocked", last=Run("blocked", Mark(), failure=failure)).as_result()
    assert told["failure"] == failure.as_result()


@pytest.mark.parametrize(
    ("before", "after", "changed", "based", "number"),
    [
        (stage(5), stage(9), True, False, 9),
        (stage(5), stage(5), False, False, 5),
        (stage(5), None, False, False, 5),
        (None, stage(9), True, True, 9),
        (stage(None), stage(9), True, True, 9),
        (None, None, False, False, None),
    ],
)
def test_whether_the_token_is_another_one(before, after, changed, based, number):
    tally = Tally(SOURCE, "advanced", before, after)
    assert (tally.changed, tally.based, tally.number, tally.token) == (changed, based, number, number)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"before": stage(5), "after": stage(9)}, "advanced, the token from 5 to 9."),
        ({"after": stage(9)}, "advanced, the token from None to 9."),
        ({"before": stage(5)}, "advanced, the token at 5."),
        ({}, "advanced, the token at None."),
        ({"before": stage(5), "error": "It failed."}, "advanced, the token at 5. It failed."),
        (
            {"before": stage(5), "after": stage(9), "reconciled": RECONCILED},
            "advanced, the token from 5 to 9 (reconciled up to 8).",
        ),
        (
            {"before": stage(5), "reconciled": Reconciled("ids", stage(5), None, 8)},
            "advanced, the token at 5 (to be reconciled up to 8).",
        ),
    ],
)
def test_the_sentence(more, sentence):
    assert Tally(SOURCE, "advanced", **more).sentence == f"system/ldap/account: {sentence}"


@pytest.mark.parametrize(
    ("outcome", "after", "then", "token"),
    [
        ("unchanged", None, "advanced", 8),
        ("unchanged", stage(9), "advanced", 9),
        ("unchanged", stage(5), "unchanged", 5),
        ("failed", None, "failed", 8),
    ],
)
def test_what_had_been_reconciled_before_is_added(outcome, after, then, token):
    tally = Tally(SOURCE, outcome, stage(8), after, runs=1, seconds=1.0)
    tally.follow(RECONCILED, 2, 4.0)
    assert (tally.outcome, tally.token, tally.before) == (then, token, stage(5))
    assert (tally.runs, tally.seconds) == (3, 6.5)
    told = tally.as_result()
    assert told["caught_up_by"] == "reconcile"
    assert told["reconciliation"] == {"by": "ids", "through": 8, "records": 2, "removed": 1, "duration_ms": 1500}


GROUP = Source.parse("system/ldap/group")


def test_the_result_of_several():
    found = result_of([Tally(SOURCE, "advanced", stage(5), stage(9)), Tally(GROUP, "unchanged", stage(1), stage(1))])
    assert found["changed"] is True and [run["outcome"] for run in found["runs"]] == ["advanced", "unchanged"]
    assert found["diff"] == {
        "before": {"system/ldap/account": {"sync_token": 5}, "system/ldap/group": {"sync_token": 1}},
        "after": {"system/ldap/account": {"sync_token": 9}, "system/ldap/group": {"sync_token": 1}},
    }
    assert found["msg"] == (
        "system/ldap/account: advanced, the token from 5 to 9. system/ldap/group: unchanged, the token at 1."
    )
    assert result_of([Tally(SOURCE, "unchanged", stage(5), stage(5))])["changed"] is False


def test_what_is_planned_is_a_change_whose_end_nobody_knows():
    found = result_of([Tally(SOURCE, "planned", stage(5)), Tally(GROUP, "unchanged", stage(1))])
    assert found["changed"] is True
    assert found["diff"]["after"]["system/ldap/account"] == {"sync_token": "(as the run finds it)"}


def test_what_failed_fails_the_task_with_all_of_it():
    failed = Tally(SOURCE, "failed", stage(5), transaction="t-1")
    failed.fail("It failed.", "Mend it.", 500)
    well = Tally(GROUP, "advanced", stage(1), stage(2))
    with pytest.raises(IdmopsError) as caught:
        result_of([well, failed])
    assert caught.value.message == "1 of 2 sources failed: It failed."
    assert (caught.value.status, caught.value.remedy) == (500, "Mend it.")
    assert (caught.value.result["transaction_id"], caught.value.result["changed"]) == ("t-1", True)
    with pytest.raises(IdmopsError) as caught:
        result_of([failed])
    assert caught.value.message == "It failed."


def test_of_several_that_failed_the_first_is_the_tasks():
    tallies = [Tally(SOURCE, "failed", transaction="t-1"), Tally(GROUP, "failed", transaction="t-2")]
    tallies[0].fail("First.", "Mend it.", 500)
    tallies[1].fail("Second.", "Or this.", 404)
    with pytest.raises(IdmopsError) as caught:
        result_of(tallies)
    assert caught.value.message == "2 of 2 sources failed: First. Second."
    assert (caught.value.status, caught.value.remedy) == (500, "Mend it.")
    assert caught.value.result["transaction_id"] == "t-1"
