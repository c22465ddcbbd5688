# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IDM gave up on stays told until something shows that it was brought over."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.dropped import (
    Watched,
    newest_failures,
    read_dropped,
    untold,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import FailurePolicy
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    NEW,
    OLD,
    SOURCE,
    LiveSyncClient,
    audit,
    audit_config,
    entry,
    no_audit,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, refused

LDAP = Source.parse(SOURCE)
IGNORE = FailurePolicy.parse({"maxRetries": 5, "postRetryAction": "logged-ignore"})
LETTERS = FailurePolicy.parse({"maxRetries": 5, "postRetryAction": "dead-letter-queue"})
RACE = "Update rejected as current Object revision is different than expected by caller"
#: A letter as OpenIDM 6.1.0 keeps it: it does not say when it was written.
LETTER = {"_id": "4", "uid": "b", "token": 4, "objectType": "account", "failureCause": "java.lang.X: not single value"}


def failed(record, time=OLD, mapping="one", **more):
    return {**entry(time, record, failed=True, cause="why"), "mapping": mapping, **more}


def well(record, time=NEW, mapping="one", **more):
    return {**entry(time, record), "mapping": mapping, **more}


def recon(*entries):
    return call("GET", "audit/recon", {"result": list(entries)})


def there(*records):
    return call("GET", SOURCE, {"result": [{"_id": record} for record in records]})


def links(*records, of="firstId"):
    return call("GET", "repo/link", {"result": [{of: record, "linkType": "one"} for record in records]})


def sought(*calls, policy=IGNORE, loaded=None, failing=None, time_of=lambda number: None):
    client = LiveSyncClient(*calls)
    watched = Watched(LDAP, policy, loaded or {}, failing, time_of)
    found = read_dropped(client, newest_failures(client), [watched])[LDAP].records
    client.finished()
    return None if found is None else [(one.record, one.time, one.dead_letter) for one in found]


def test_what_failed_last_and_is_there_was_dropped():
    found = sought(audit(failed("a"), failed("b", NEW)), audit(), recon(), there("a", "b"))
    assert found == [("b", NEW, None), ("a", OLD, None)]


def test_what_no_situation_was_found_for_counts_and_other_entries_that_the_filter_lets_pass_do_not():
    """A correlationQuery that breaks leaves neither action nor situation, and SUCCESS (seen on OpenIDM 6.1.0)."""
    broken = {**well("a", OLD), "action": None, "situation": None}
    odd = {**well("b", OLD), "action": None}
    assert sought(audit(broken, odd), audit_config(), audit(), recon(), there("a")) == [("a", OLD, None)]


def test_a_success_that_audit_does_not_tell_of_clears_nothing():
    mute = {key: value for key, value in well("a").items() if key != "status"}
    found = sought(audit(failed("a")), audit(mute), audit_config("/sync/status"), recon(), there("a"))
    assert found == [("a", OLD, None)]


@pytest.mark.parametrize(
    ("more", "loaded", "known"),
    [
        ({}, "", False),
        ({}, NEW, False),
        ({}, "2026-11-24T12:00:01Z", True),  # what failed before a load is done with
        ({"sourceObjectId": "system/hr/account/a"}, "", True),
        ({"sourceObjectId": None}, "", False),  # and it may be of any source
        ({"status": "SUCCESS"}, "", True),
    ],
)
def test_failures_that_audit_keeps_out_cannot_be_known(more, loaded, known):
    client = LiveSyncClient(audit({**well("a"), "status": None, **more}), audit_config("/sync/status"))
    said = untold(newest_failures(client), LDAP, loaded, ("status",))
    assert (said is None) == known
    assert known or ("filterPolicies" in said and "status is kept out" in said and "initial_load: always" in said)


@pytest.mark.parametrize(
    "marked", [{"status": "SUCCESS", "action": "EXCEPTION"}, {"status": "FAILURE", "action": "UPDATE"}]
)
def test_both_kinds_of_failures_count(marked):
    assert sought(audit(failed("a", **marked)), audit(), recon(), there("a")) == [("a", OLD, None)]


@pytest.mark.parametrize(
    "mended",
    [
        (audit(well("a")), recon()),
        (audit(), recon(well("a"))),
    ],
)
def test_a_later_success_of_livesync_or_of_a_reconciliation_clears_it(mended):
    assert sought(audit(failed("a")), *mended) == []


@pytest.mark.parametrize(
    "unmended",
    [
        (audit(well("a", "2026-11-24T08:00:00.000Z")), recon()),
        (audit(well("a", mapping="two")), recon()),
        (audit(failed("a", NEW)), recon(well("a", NEW, action="EXCEPTION"))),
        (no_audit(), call("GET", "audit/recon", refused(501))),
    ],
)
def test_nothing_else_clears_it(unmended):
    assert sought(audit(failed("a")), *unmended, there("a")) == [("a", OLD, None)]


def test_what_two_mappings_gave_up_on_is_cleared_by_both():
    """The newest failure of a record says nothing of another mapping's, which is a change of its own."""
    both = audit(failed("a", OLD, "one"), failed("a", "2026-11-24T11:00:00.000Z", "two"))
    assert sought(both, audit(well("a", mapping="two")), recon(), there("a")) == [("a", OLD, None)]
    assert sought(both, audit(well("a", mapping="two"), well("a", mapping="one")), recon()) == []


@pytest.mark.parametrize("action", ["REPORT", "NOREPORT", "ASYNC"])
def test_a_reconciliation_that_only_reports_brings_nothing_over(action):
    """Its entries have the status SUCCESS like those of one that does (seen on OpenIDM 6.1.0)."""
    assert sought(audit(failed("a")), audit(), recon(well("a", action=action)), there("a")) == [("a", OLD, None)]
    assert sought(audit(failed("a")), audit(), recon(well("a", action="UPDATE"))) == []


def test_more_failures_than_are_read_at_once_hide_no_older_one():
    """A record that blocks a source, or another source, fills the newest thousand in an hour or two."""
    newest = [failed("x", f"2026-11-24T{12 - n // 3600}:{59 - n // 60 % 60}:{59 - n % 60}.000Z") for n in range(1000)]
    older = audit(*newest), audit(failed("a"))
    assert sought(*older, audit(), recon(), there("a"), failing="x") == [("a", OLD, None)]
    assert sought(audit(*newest), failing="x", loaded={"one": "2026-11-24T13:00:00Z"}) == []


def test_a_record_that_was_tried_a_thousand_times_hides_no_success_of_another():
    loud = [well("x") for unused in range(1000)]
    calls = audit(failed("a"), failed("x")), audit(*loud), audit(well("a")), recon()
    assert sought(*calls) == []


def test_failures_that_are_too_many_to_be_read_are_not_taken_for_all():
    newest = [failed("a", NEW) for unused in range(1000)]
    client = LiveSyncClient(*[audit(*newest)] * 11, audit(), recon(), there("a"))
    watched = Watched(LDAP, IGNORE, {}, None, lambda number: None)
    found = read_dropped(client, newest_failures(client), [watched])[LDAP]
    assert [one.record for one in found.records] == ["a"] and "more failures" in found.unread


def test_the_loser_of_a_race_was_brought_over_by_the_winner():
    lost = failed("a", "2026-11-24T10:00:05.000Z", exception=f"x.Y: {RACE}")
    assert sought(audit(lost), audit(well("a", OLD)), recon()) == []
    later = failed("a", "2026-11-24T10:01:00.000Z", exception=f"x.Y: {RACE}")  # a minute
    assert sought(audit(later), audit(well("a", OLD)), recon()) == []
    late = failed("a", "2026-11-24T10:01:00.001Z", exception=f"x.Y: {RACE}")
    assert len(sought(audit(late), audit(well("a", OLD)), recon(), there("a"))) == 1


def test_a_recorded_load_of_the_mapping_clears_what_was_before_it():
    assert sought(audit(failed("a")), loaded={"one": "2026-11-24T11:00:00Z"}) == []
    found = sought(audit(failed("a", NEW)), audit(), recon(), there("a"), loaded={"one": "2026-11-24T11:00:00Z"})
    assert found == [("a", NEW, None)]
    assert len(sought(audit(failed("a")), audit(), recon(), there("a"), loaded={"two": NEW})) == 1


def test_what_fails_in_the_second_in_which_a_load_ended_came_after_it():
    """A load's end is known to the second, and its catch-up begins within the same (seen on OpenIDM 6.1.0)."""
    ended = {"one": "2026-11-24T11:00:00Z"}
    late = "2026-11-24T11:00:00.400Z"
    assert len(sought(audit(failed("a", late)), audit(), recon(), there("a"), loaded=ended)) == 1
    loaded_since = recon(well("a", "2026-11-24T11:00:00.500Z"))
    assert sought(audit(failed("a", late)), audit(), loaded_since, loaded=ended) == []
    calls = (audit(), letters(LETTER), audit(), recon(), there("b"))
    assert len(sought(*calls, policy=LETTERS, time_of=lambda number: ended["one"], loaded=ended)) == 1


def test_the_record_that_the_token_stands_before_was_not_dropped_yet():
    assert sought(audit(failed("a")), failing="a") == []


def test_what_neither_the_source_nor_a_link_knows_any_more_needs_nothing():
    calls = (audit(failed("a"), failed("b")), audit(), recon(), there(), links("b"), links())
    assert sought(*calls) == [("b", OLD, None)]


def test_a_link_that_names_the_record_second_is_one_too():
    """A mapping that shares the links of the opposite one (``links``) is the second of their two sides."""
    calls = (audit(failed("a"), failed("b")), audit(), recon(), there(), links(), links("b", of="secondId"))
    assert sought(*calls) == [("b", OLD, None)]


@pytest.mark.parametrize(
    "asked", [(call("GET", SOURCE, refused(503)),), (there(), call("GET", "repo/link", refused(403)))]
)
def test_what_cannot_be_known_clears_nothing(asked):
    assert sought(audit(failed("a")), audit(), recon(), *asked) == [("a", OLD, None)]


def test_records_of_other_sources_are_theirs():
    assert sought(audit({**failed("a"), "sourceObjectId": "system/hr/person/a"})) == []
    assert sought(audit({**failed("a"), "sourceObjectId": "managed/user/a"})) == []


def test_forty_ids_fit_into_a_filter():
    records = [f"r{number:02d}" for number in range(45)]
    calls = [audit(), recon(), there(*records[:40]), audit(), recon(), there(*records[40:])]
    assert len(sought(audit(*map(failed, records)), *calls)) == 45


# Dead letters


def letters(*found):
    return call("GET", "repo/synchronisation/deadLetterQueue/ldap", {"result": list(found)})


def test_a_dead_letter_is_a_dropped_record():
    found = sought(
        audit(), letters(LETTER, {**LETTER, "objectType": "group"}), audit(), recon(), there("b"), policy=LETTERS
    )
    assert found == [("b", None, "4")]


def test_where_the_change_log_tells_its_time_a_later_success_clears_it():
    calls = (audit(), letters(LETTER), audit(well("b")), recon())
    assert sought(*calls, policy=LETTERS, time_of={4: OLD}.get) == []
    calls = (audit(), letters(LETTER), audit(well("b", OLD)), recon(), there("b"))
    assert sought(*calls, policy=LETTERS, time_of={4: NEW}.get) == [("b", NEW, "4")]
    assert sought(audit(), letters(LETTER), policy=LETTERS, time_of={4: OLD}.get, loaded={"one": NEW}) == []


def test_where_it_does_not_the_letter_stays_told():
    calls = (audit(), letters(LETTER), audit(well("b")), recon(), there("b"))
    assert sought(*calls, policy=LETTERS) == [("b", None, "4")]


def test_a_failure_with_a_letter_is_one_record():
    calls = (audit(failed("b")), letters(LETTER), audit(), recon(), there("b"))
    assert sought(*calls, policy=LETTERS) == [("b", OLD, "4")]


def test_without_audit_and_letters_nobody_knows():
    assert sought(no_audit()) is None
    assert (
        sought(no_audit(), call("GET", "repo/synchronisation/deadLetterQueue/ldap", refused(404)), policy=LETTERS)
        is None
    )
    calls = (no_audit(), letters(LETTER), no_audit(), call("GET", "audit/recon", refused(501)), there("b"))
    assert sought(*calls, policy=LETTERS) == [("b", None, "4")]
