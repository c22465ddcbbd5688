# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that fail: read from a stage, told in a sentence, found again after IDM gave up on them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm import record_failure as module
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import FailurePolicy
from ansible_collections.idmops.idm.plugins.module_utils._idm.record_failure import (
    UNTOLD,
    RecordFailure,
    parse_failure,
    passed_over,
    read_failure,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    DN,
    NEW,
    OLD,
    SOURCE,
    UUID,
    LiveSyncClient,
    audit,
    audit_config,
    delta,
    entry,
    failed_text,
    no_audit,
)

LDAP = Source.parse(SOURCE)
FIVE = FailurePolicy.parse({"maxRetries": 5, "postRetryAction": "logged-ignore"})
NONE = FailurePolicy.parse(None)
ZERO = FailurePolicy.parse({"maxRetries": 0, "postRetryAction": "logged-ignore"})
ATTRIBUTES = "".join(
    f"<Attribute name='{name}'><Values><String>{value}</String></Values></Attribute>"
    for name, value in (("mail", "a@example.com"), ("userPassword", "s3cret"), ("unicodePwd", "s3cret"))
)


def stage(retries=0, xml=None, token=2):
    return Stage("1", token, "integer", failed_text(retries), delta() if xml is None else xml)


def test_everything_that_the_stage_knows():
    failure = parse_failure(stage(2)).under(FIVE)
    assert failure == RecordFailure(UUID, DN, "UPDATE", 3, attempt=3, allowed=6)


def test_attributes_come_on_request_and_passwords_never():
    xml = delta(attributes=ATTRIBUTES)
    assert parse_failure(stage(xml=xml)).attributes is None
    found = parse_failure(stage(xml=xml), detailed=True)
    assert found.attributes == {"mail": ["a@example.com"], "userPassword": "(hidden)", "unicodePwd": "(hidden)"}
    assert "a@example.com" not in repr(found) + found.sentence()


def test_a_connector_that_never_gives_up_says_why_and_counts_nothing():
    text = "Failed to synchronize uid=a b,ou=x object on ldap: Policy validation failed"
    failure = parse_failure(Stage("1", 2, "integer", text, delta(uid="uid=a b,ou=x"))).under(NONE)
    assert (failure.record, failure.cause, failure.attempt, failure.blocks) == (
        "uid=a b,ou=x",
        "Policy validation failed",
        None,
        True,
    )
    assert "blocks all later changes for ever" in failure.sentence()
    assert "maxRetries" in failure.remedy


@pytest.mark.parametrize("xml", ["", "<broken", '<!DOCTYPE x [<!ENTITY a "b">]><SyncDelta/>', "<SyncDelta/>"])
def test_a_record_that_cannot_be_read_is_named_all_the_same(xml):
    failure = parse_failure(stage(xml=xml))
    assert (failure.record, failure.dn, failure.attempt) == (UUID, None, 1)


def test_a_deletion_has_no_name_and_an_unknown_text_is_the_cause():
    failure = parse_failure(Stage("1", 2, "integer", "Something else", delta("DELETE", name=None)))
    assert (failure.record, failure.dn, failure.operation, failure.cause) == (UUID, None, "DELETE", "Something else")


def test_tokens_that_are_no_numbers():
    xml = delta().replace("<Integer>3</Integer>", "<String>20260101Z</String>")
    assert parse_failure(stage(xml=xml)).change_number == "20260101Z"


@pytest.mark.parametrize(
    ("cause", "by_race"),
    [
        ("Policy validation failed", False),
        ("Update rejected as current Object revision is different than expected by caller", True),
        ("More than one link found", True),
    ],
)
def test_the_cause_comes_from_audit_and_a_race_is_told(cause, by_race):
    client = LiveSyncClient(audit(entry(failed=True, cause=cause)))
    failure = read_failure(client, LDAP, stage(), detailed=False)
    assert (failure.cause, failure.by_race) == (cause, by_race)
    assert ("not the record" in failure.sentence()) == by_race
    client.finished()


def test_two_links_are_no_proof_of_two_runs_and_the_one_that_leads_nowhere_goes():
    """A target that was gone and made anew leaves two links as well, and one object alone (seen on OpenIDM 6.1.0)."""
    client = LiveSyncClient(audit(entry(failed=True, cause="More than one link found")))
    failure = read_failure(client, LDAP, stage(), detailed=False)
    assert "Two runs" not in failure.sentence() and "Its two links" in failure.sentence()
    assert "link_ids" in failure.remedy and "livesync_verify" in failure.remedy


@pytest.mark.parametrize(
    ("others", "by_race"),
    [
        ([], False),
        ([entry("2026-11-24T08:00:00.000Z")], False),
        ([entry("2026-11-24T09:59:58.000Z")], True),
        ([entry("2026-11-24T09:59:58.000Z", failed=True, cause="Create rejected")], False),
    ],
)
@pytest.mark.parametrize("policy", [FIVE, NONE])
def test_a_target_that_is_there_already_is_a_race_only_where_another_run_has_made_it(others, by_race, policy):
    """An object that no link belongs to may have the id that the mapping gives (seen on OpenIDM 6.1.0)."""
    cause = "Create rejected as Object with same ID already exists"
    kept = Stage("1", 2, "integer", f"Failed to synchronize {UUID} object on ldap: {cause}", delta())
    client = LiveSyncClient(audit(entry(failed=True, cause=cause), *others))
    failure = read_failure(client, LDAP, kept if policy is NONE else stage(), detailed=False)
    assert (failure.cause, failure.by_race) == (cause, by_race)
    client.finished()


@pytest.mark.parametrize(("attempt", "others", "by_race"), [(1, [], True), (2, [], False), (2, [entry(OLD)], True)])
def test_a_clash_that_comes_back_is_a_race_only_where_another_run_is_seen(attempt, others, by_race):
    """A script of the mapping that writes the target itself clashes with its own run each time (OpenIDM 6.1.0)."""
    cause = "Update rejected as current Object revision is different than expected by caller"
    client = LiveSyncClient(audit(entry(failed=True, cause=cause), *others))
    failure = read_failure(client, LDAP, stage(attempt - 1), detailed=False)
    assert (failure.attempt, failure.by_race) == (attempt, by_race)


def test_a_record_that_another_run_has_synchronised_since_did_not_fail_by_itself():
    entries = (entry(failed=False), entry(failed=True, cause="Something odd"), entry(failed=False))
    failure = read_failure(LiveSyncClient(audit(*entries)), LDAP, stage(), detailed=False, began=OLD)
    assert (failure.cause, failure.by_race) == ("Something odd", True)
    assert "no two runs of the source meet" in failure.remedy


@pytest.mark.parametrize("began", [None, NEW])
def test_an_earlier_success_makes_no_race_of_a_failure_that_audit_does_not_know(began):
    """What fails before the mapping leaves no entry: a second value of an attribute that has one (OpenIDM 6.1.0)."""
    client = LiveSyncClient(audit(entry(failed=False), entry(failed=True, cause="long ago")))
    failure = read_failure(client, LDAP, stage(2), detailed=False, began=began).under(FIVE)
    assert (failure.cause, failure.by_race) == (None, False)
    assert "attempt 3 of 6" in failure.sentence()
    assert "IDM's log names it" in failure.remedy
    assert "run it again" not in failure.remedy.lower()


def test_a_situation_that_is_an_exception_is_a_failure_whatever_its_status_says():
    """Recorded on OpenIDM 6.1.0: a person deleted and added again where SOURCE_MISSING is ignored."""
    text = "Situation FOUND_ALREADY_LINKED marked as EXCEPTION"
    marked = {**entry(), "action": "EXCEPTION", "status": "SUCCESS", "message": f"{text}. Root cause: {text}"}
    marked["exception"] = f"org.forgerock.openidm.sync.SynchronizationException: {text}"
    failure = read_failure(LiveSyncClient(audit(marked, entry())), LDAP, stage(), detailed=False)
    assert (failure.cause, failure.by_race) == (text, False)
    assert gone(LiveSyncClient(audit(marked, entry())), stage(4), Stage("2", 9)) == [(UUID, DN, text)]


def test_a_correlation_query_that_breaks_is_the_cause_and_no_reconciliation_the_remedy():
    """Recorded on OpenIDM 6.1.0: the stage tells no cause, audit neither action nor situation."""
    broken = {**entry(), "action": None, "situation": None}
    failure = read_failure(LiveSyncClient(audit(broken), audit_config()), LDAP, stage(), detailed=False)
    assert "correlationQuery" in failure.sentence()
    assert failure.remedy.startswith("Mend the correlationQuery") and "econcil" not in failure.remedy
    text = str(gone(LiveSyncClient(audit(broken), audit_config()), stage(4), Stage("2", 9)))
    assert "correlationQuery" in text


@pytest.mark.parametrize("left", [{"status": None}, {"action": None, "situation": None}])
def test_an_entry_that_does_not_tell_how_its_record_fared_is_no_word_of_it(left):
    client = LiveSyncClient(audit({**entry(), **left}), audit_config("/sync/status", "/sync/action", "/sync/situation"))
    assert gone(client, stage(1), Stage("2", 9)) == []
    client = LiveSyncClient(audit({**entry(), **left}), audit_config("/sync/status", "/sync/action", "/sync/situation"))
    (told,) = gone(client, stage(4), Stage("2", 9))  # its attempts were used up
    assert "correlationQuery" not in str(told)


def test_an_attempt_counts_also_where_two_runs_met():
    failure = replace(parse_failure(stage(4)).under(FIVE), by_race=True)
    assert "Two runs" in failure.sentence() and "attempt 5 of 6" in failure.sentence()


@pytest.mark.parametrize("call", [no_audit(), audit()])
def test_without_a_cause(call):
    failure = read_failure(LiveSyncClient(call), LDAP, stage(), detailed=False)
    assert (failure.cause, failure.by_race) == (None, False)


def test_the_sentence_names_the_record_the_attempt_and_what_comes_of_it():
    failure = parse_failure(stage(4)).under(FIVE)
    assert failure.sentence() == (
        f"The record {DN} ({UUID}) could not be synchronised (UPDATE with token 3). This was attempt 5 of 6; after the"
        " last one IDM drops this change."
    )
    assert RecordFailure("x").sentence() == "The record x could not be synchronised (change)."


# Records that IDM gave up on


def gone(client, earlier, after, policy=FIVE):
    failed = [parse_failure(earlier)] if earlier else []
    found = passed_over(client, LDAP, failed, after, policy, began=OLD)
    client.finished()
    return [(record["record"], record["dn"], record["cause"]) for record in found]


def test_a_record_that_failed_to_the_last_was_dropped():
    client = LiveSyncClient(audit(entry(failed=True, cause="why")))
    assert gone(client, stage(4), Stage("2", 9)) == [(UUID, DN, "why")]


def test_a_failure_is_known_again_by_what_a_lock_or_a_template_keeps_of_it():
    kept = json.loads(json.dumps(parse_failure(stage(4), detailed=True).identity))
    assert "attributes" not in kept
    known = RecordFailure.of({**kept, "change_number": str(kept["change_number"]), "attempt": str(kept["attempt"])})
    assert (known.record, known.dn, known.attempt) == (UUID, DN, 5)
    client = LiveSyncClient()
    assert passed_over(client, LDAP, [known], stage(5), FIVE, began=OLD) == []


def test_of_two_marks_of_one_record_the_later_attempt_counts():
    marks = [parse_failure(stage(3)), parse_failure(stage(4))]
    found = passed_over(LiveSyncClient(no_audit()), LDAP, marks, Stage("2", 9), FIVE, began=OLD)
    assert [record["record"] for record in found] == [UUID]


@pytest.mark.parametrize(("policy", "found"), [(ZERO, [UUID]), (FIVE, [])])
def test_where_nobody_counts_attempts_the_first_is_the_last_without_retries(policy, found):
    failed = RecordFailure(UUID, DN, "UPDATE", 3)
    told = passed_over(LiveSyncClient(no_audit()), LDAP, [failed], Stage("2", 9), policy, began=None)
    assert [record["record"] for record in told] == found


def test_a_failure_of_the_same_second_from_before_the_run_is_not_its_own():
    before, own = entry(failed=True, cause="why"), entry(record="b", failed=True, cause="too")
    client = LiveSyncClient(audit(before, own), audit(own))
    found = passed_over(client, LDAP, [], Stage("2", 9), ZERO, began=OLD, known={before["_id"]})
    assert [record["record"] for record in found] == ["b"]
    client.finished()


def test_what_audit_told_before_the_run_does_not_tell_of_its_end():
    client = LiveSyncClient(audit(entry(failed=False)))
    found = passed_over(client, LDAP, [parse_failure(stage(4))], Stage("2", 9), FIVE, began=NEW)
    assert [record["record"] for record in found] == [UUID]


def test_a_record_that_was_mended_was_not():
    assert gone(LiveSyncClient(audit(entry(failed=False))), stage(4), Stage("2", 9)) == []


def test_without_audit_the_attempts_tell():
    assert gone(LiveSyncClient(no_audit()), stage(4), Stage("2", 9)) == [(UUID, DN, None)]
    assert gone(LiveSyncClient(no_audit()), stage(3), Stage("2", 9)) == []


def test_the_record_before_which_the_token_still_stands_was_not_dropped():
    assert gone(LiveSyncClient(), stage(3), stage(4)) == []


def test_a_later_change_of_the_same_record_hides_nothing():
    client = LiveSyncClient(audit(entry(failed=True, cause="why")))
    assert gone(client, stage(4), stage(0, delta(token=7), token=6)) == [(UUID, DN, "why")]


def test_nothing_failed_before():
    assert gone(LiveSyncClient(), None, Stage("2", 9)) == []


def test_with_no_retry_every_failure_is_a_drop():
    first, second = entry(failed=True, cause="why"), entry(record="b", failed=True, cause="too")
    client = LiveSyncClient(audit(first, second), audit(first), audit(second))
    assert gone(client, None, Stage("2", 9), ZERO) == [(UUID, None, "why"), ("b", None, "too")]
    mended = entry(timestamp=NEW, record="b")
    client = LiveSyncClient(audit(first, second), audit(first), audit(mended, second))
    assert gone(client, None, Stage("2", 9), ZERO) == [(UUID, None, "why")]


BLOCKS = " It blocks all later changes for ever: the connector has no syncFailureHandler that gives up."
COUNTED = " This was attempt 2 of 6; after the last one IDM drops this change."
MEND = "Mend the record or the mapping before the next run"


@pytest.mark.parametrize(
    ("more", "sentence", "remedy"),
    [
        ({}, "The record a could not be synchronised (change).", f"{UNTOLD}{MEND}."),
        (
            {"dn": "uid=a,dc=x", "operation": "UPDATE", "change_number": 7, "cause": "why."},
            "The record uid=a,dc=x (a) could not be synchronised (UPDATE with token 7): why.",
            f"{MEND}.",
        ),
        ({"dn": "a", "cause": "why"}, "The record a could not be synchronised (change): why.", f"{MEND}."),
        (
            {"cause": "why", "change_number": 0},
            "The record a could not be synchronised (change with token 0): why.",
            f"{MEND}.",
        ),
        (
            {"cause": "why", "blocks": True, "attempt": 2, "allowed": 6},
            "The record a could not be synchronised (change): why." + BLOCKS,
            f"{MEND}, and set maxRetries and postRetryAction in the connector.",
        ),
        (
            {"cause": "why", "attempt": 2, "allowed": 6},
            "The record a could not be synchronised (change): why." + COUNTED,
            f"{MEND}.",
        ),
        ({"cause": "why", "attempt": 2}, "The record a could not be synchronised (change): why.", f"{MEND}."),
        ({"cause": "why", "allowed": 6}, "The record a could not be synchronised (change): why.", f"{MEND}."),
        (
            {"cause": "why", "by_race": True},
            "The record a could not be synchronised (change): why. Two runs of the source at once caused this, not the"
            " record.",
            "See that no two runs of the source meet (one schedule, if_running: wait, nobody who calls IDM beside"
            " them); the next run takes the record again.",
        ),
    ],
)
def test_what_is_said_of_a_failure_and_what_mends_it(more, sentence, remedy):
    failure = RecordFailure("a", **more)
    assert (failure.sentence(), failure.remedy) == (sentence, remedy)


@pytest.mark.parametrize(
    ("record", "uid", "expected"),
    [
        ("unknown", '<Uid uid="b"/>', "b"),
        ("unknown", "<Uid/>", "unknown"),
        ("a", '<Uid uid="b"/>', "a"),
        ("a", "", "a"),
    ],
)
@pytest.mark.parametrize(
    ("name", "dn"),
    [("", None), ("<Name> uid=a,dc=x </Name>", "uid=a,dc=x"), ("<Name/>", None), ("<Name> </Name>", None)],
)
def test_what_the_record_itself_tells(record, uid, expected, name, dn):
    delta = f"<SyncDelta>{uid}<ConnectorObject><Attributes>{name}</Attributes></ConnectorObject></SyncDelta>"
    failure = module._with_delta(RecordFailure(record), delta, detailed=False)
    assert (failure.record, failure.dn, failure.operation) == (expected, dn, None)
    assert (failure.change_number, failure.attributes) == (None, None)


@pytest.mark.parametrize(
    ("token", "number"),
    [("<Integer>7</Integer>", 7), ("<Integer> 7 </Integer>", 7), ("<String>a7</String>", "a7"), ("", None)],
)
def test_the_token_of_a_change_that_failed(token, number):
    delta = f"<SyncDelta><SyncDeltaType value='DELETE'/><SyncToken><value>{token}</value></SyncToken></SyncDelta>"
    failure = module._with_delta(RecordFailure("a"), delta, detailed=True)
    assert (failure.change_number, failure.operation, failure.attributes) == (number, "DELETE", {})


@pytest.mark.parametrize(
    "delta", [None, "", "no xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><SyncDelta><Uid uid='b'/></SyncDelta>"]
)
def test_what_is_no_record_or_may_be_a_bomb_is_not_read(delta):
    failure = RecordFailure("unknown")
    assert module._with_delta(failure, delta, detailed=True) == failure
