# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What audit/sync tells, and that it may not answer."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._idm.audit import (
    AuditEntry,
    Counter,
    Ended,
    before,
    end_of_call,
    entries_of_record,
    entries_since,
    failures_since,
    has_reconciled,
    kept_out,
    kept_topics,
    newest_entry,
    oldest_entry,
    seconds_between,
    since,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import (
    OLD,
    SOURCE,
    UUID,
    LiveSyncClient,
    audit,
    audit_config,
    entry,
    no_audit,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, down, refused

LDAP = Source.parse(SOURCE)
NEWEST = {"_pageSize": "1", "_sortKeys": "-timestamp"}


def test_an_entry_is_read_without_javas_words():
    found = AuditEntry.parse(entry(failed=True, cause="Policy validation failed"))
    assert found == AuditEntry(
        f"{UUID}-{OLD}", OLD, UUID, True, "Policy validation failed", None, "CONFIRMED", SOURCE, "UPDATE"
    )


def test_a_record_for_which_no_situation_was_found_failed_whatever_its_status_says():
    """A correlationQuery that breaks: seen on OpenIDM 6.1.0. A script that keeps records out has a cause of its own."""
    found = AuditEntry.parse({**entry(), "action": None, "situation": None})
    assert found.failed and "correlationQuery" in found.cause
    absent = {key: value for key, value in entry().items() if key not in ("action", "situation")}
    assert AuditEntry.parse(absent) == found  # so in an answer to a query of OpenIDM 6.1.0
    assert not AuditEntry.parse(entry()).failed
    told = AuditEntry.parse({**entry(failed=True, cause="vs broken"), "action": None, "situation": None})
    assert told.failed and told.cause == "vs broken"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (None, None),
        ("java.lang.NullPointerException", "java.lang.NullPointerException"),
        ("a.b.C: why: so\n\tat x", "why: so"),
        ("Not allowed: this", "Not allowed: this"),
        ("mail: taken", "mail: taken"),
    ],
)
def test_the_cause_is_the_first_line(text, cause):
    assert AuditEntry.parse({"action": "UPDATE", "exception": text}).cause == cause
    assert AuditEntry.parse({"action": "UPDATE", "message": text}).cause == cause


def test_the_newest_entry_of_a_source():
    client = LiveSyncClient(
        audit(entry(), **NEWEST, _queryFilter=f'sourceObjectId sw "{SOURCE}/"'), audit(), no_audit()
    )
    assert [found.record for found in newest_entry(client, LDAP, None)] == [UUID]
    assert newest_entry(client, LDAP, None) == []
    assert newest_entry(client, LDAP, None) is None
    client.finished()


def test_what_is_older_than_a_moment_is_not_looked_for():
    wanted = f'sourceObjectId sw "{SOURCE}/" and timestamp ge "2026-11-24T10:00:00"'
    client = LiveSyncClient(audit(entry(), _queryFilter=wanted, **NEWEST))
    assert newest_entry(client, LDAP, "2026-11-24T10:00:00Z")


def test_order_and_number_are_kept_whatever_the_server_makes_of_them():
    """The JSON handler, the default of newer releases, answers all that matches, oldest first (seen on OpenIDM 7.0)."""
    times = [f"2026-11-24T11:00:0{second}.000Z" for second in range(9)]
    kept = [entry(time, failed=second % 2 == 0) for second, time in enumerate(times)]
    assert newest_entry(LiveSyncClient(audit(*kept)), LDAP, None)[0].timestamp == times[-1]
    last = entries_of_record(LiveSyncClient(audit(*kept)), LDAP, UUID)
    assert [one.timestamp for one in last] == times[:-6:-1]
    bad = [entry(time, failed=True) for time in times]
    assert [one.timestamp for one in failures_since(LiveSyncClient(audit(*reversed(bad))), LDAP, OLD, 3)] == times[:3]
    assert oldest_entry(LiveSyncClient(audit(*reversed(kept))), LDAP).timestamp == times[0]


@pytest.mark.parametrize(("seconds", "there"), [(60, "2026-11-24T10:59:00Z"), (0.5, "2026-11-24T10:59:59Z")])
def test_a_moment_before_another_one(seconds, there):
    assert before("2026-11-24T11:00:00Z", seconds) == there
    assert before(None, seconds) is None and before("soon", seconds) is None


def test_the_last_entries_of_a_record_and_its_id_is_quoted():
    wanted = {"_pageSize": "5", "_sortKeys": "-timestamp", "_queryFilter": f'sourceObjectId eq "{SOURCE}/a\\"b\\\\c"'}
    client = LiveSyncClient(audit(entry(), **wanted), audit(), no_audit())
    assert [found.record for found in entries_of_record(client, LDAP, 'a"b\\c')] == [UUID]
    assert entries_of_record(client, LDAP, "x") == []
    assert entries_of_record(client, LDAP, "x") == []


def test_what_a_server_does_not_have_is_asked_for_once():
    """The cloud service answers 501 "Query not supported on stdout" (seen on a live tenant)."""
    client = LiveSyncClient(call("GET", "audit/sync", refused(501)), call("GET", "audit/access", refused(501)))
    assert newest_entry(client, LDAP, None) is None and newest_entry(client, LDAP, None) is None
    assert end_of_call(client, "t", OLD) is None and end_of_call(client, "t", OLD) is None
    client.finished()
    client = LiveSyncClient(no_audit(), audit(entry()))
    assert newest_entry(client, LDAP, None) is None and len(newest_entry(client, LDAP, None)) == 1


@pytest.mark.parametrize("fraction", ["", ".1", ".12", ".123", ".123456", ".123456789"])
def test_times_with_any_number_of_digits_are_compared(fraction):
    assert round(seconds_between("2026-11-24T10:00:00Z", f"2026-11-24T10:00:05{fraction}Z")) == 5


def test_failures_since_a_moment():
    failed = '(status eq "FAILURE" or action eq "EXCEPTION" or (!(action pr) and !(situation pr)) or !(status pr))'
    what = f'sourceObjectId sw "{SOURCE}/" and {failed} and timestamp ge "{OLD[:-1]}"'
    wanted = {"_queryFilter": what, "_pageSize": "100", "_sortKeys": "timestamp"}
    client = LiveSyncClient(audit(entry(failed=True), **wanted), no_audit())
    assert [found.failed for found in failures_since(client, LDAP, OLD)] == [True]
    assert failures_since(client, LDAP, OLD) == []


@pytest.mark.parametrize(
    ("kept", "entries", "names"),
    [
        (["/sync/status"], [{"status": None}], ("status",)),
        (["/sync/action", "/sync/situation"], [{"action": None, "situation": None}], ("action", "situation")),
        (["/sync"], [{"status": None, "action": None, "situation": None}], ("status", "action", "situation")),
        ([], [{"status": None}], ()),  # it was kept out when that was written
        ([], [{"action": None, "situation": None}], ()),  # the correlation breaks
        (["/access/status", "/recon/status"], [{"action": None, "situation": None}], ()),
    ],
)
def test_what_audit_is_told_to_keep_out_is_no_failure(kept, entries, names):
    """By filterPolicies, seen on OpenIDM 6.1.0: 48 records that were well were called given up on."""
    given = [{key: value for key, value in {**entry(), **one}.items() if value} for one in entries]
    client = LiveSyncClient(audit(*given), audit_config(*kept), audit(*given))
    for _again in range(2):  # config/audit is asked once
        assert len(failures_since(client, LDAP, OLD)) == (1 if not names and given[0].get("status") else 0)
        assert kept_out(client) == names
    client.finished()


def test_where_the_policies_of_audit_cannot_be_read_nothing_is_made_of_them():
    broken = {**entry(), "action": None, "situation": None}
    for refusal in (refused(403), None):
        client = LiveSyncClient(audit(broken), call("GET", "config/audit", refusal))
        assert len(failures_since(client, LDAP, OLD)) == 1 and kept_out(client) == ()
        client = LiveSyncClient(audit({**entry(), "status": None}), call("GET", "config/audit", refusal))
        assert failures_since(client, LDAP, OLD) == [] and kept_out(client) == ("status",)
    junk = {"auditServiceConfig": {"filterPolicies": {"value": {"excludeIf": [None, 7]}, "field": "all"}}}
    client = LiveSyncClient(audit(broken), call("GET", "config/audit", junk))
    assert len(failures_since(client, LDAP, OLD)) == 1


def test_a_time_to_the_second_holds_its_whole_second():
    """The repository compares texts: "11:00:00.898Z" is before "11:00:00Z", and after "11:00:00"."""
    client = LiveSyncClient(audit())
    failures_since(client, LDAP, "2026-11-24T11:00:00Z")
    asked = client.sent[0][2]["_queryFilter"].rpartition('"')[0].rpartition('"')[2]
    assert asked <= "2026-11-24T11:00:00.000Z" and asked > "2026-11-24T10:59:59.999Z"


def test_the_counter_asks_for_the_new_ones_alone():
    def since(moment):
        return {
            "_queryFilter": f'sourceObjectId sw "{SOURCE}/" and timestamp gt "{moment}"',
            "_pageSize": "1000",
            "_sortKeys": "timestamp",
        }

    page = [entry(timestamp=f"t{n}") for n in range(1000)]
    client = LiveSyncClient(
        audit(**since("t")),
        audit(*page, **since("t")),
        audit(entry(timestamp="u"), **since("t999")),
        audit(**since("u")),
        no_audit(),
    )
    counter = Counter(client, LDAP, "t")
    assert [counter.update() for unused in range(4)] == [0, 1001, 1001, None]
    client.finished()


def test_a_broken_line_is_not_taken_for_silence():
    with pytest.raises(Unreachable):
        newest_entry(LiveSyncClient(call("GET", "audit/sync", down())), LDAP, None)


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        ("2026-11-24T17:19:26.500Z", "2026-11-24T17:20:26Z", 59.5),
        ("2026-11-24T17:19:26Z", "2026-11-24T18:19:26+01:00", 0.0),
        (None, "2026-11-24T17:20:26Z", None),
        ("yesterday", "2026-11-24T17:20:26Z", None),
        ("2026-11-24T17:19:26", "2026-11-24T17:20:26Z", None),
    ],
)
def test_the_time_between(earlier, later, seconds):
    assert seconds_between(earlier, later) == seconds


def test_an_entry_whose_fields_are_kept_out_of_the_log_tells_of_no_failure():
    """By filterPolicies of config/audit (seen on OpenIDM 6.1.0: neither status, nor action, nor situation)."""
    kept = {"_id": "1", "timestamp": "2026-11-24T10:00:00.000Z", "sourceObjectId": "system/ldap/account/a"}
    assert not AuditEntry.parse(kept).failed
    assert AuditEntry.parse({**kept, "status": "SUCCESS"}).failed


HANDLER = {"config": {"name": "repo", "topics": ["sync", "recon"]}}


@pytest.mark.parametrize(
    ("service", "handlers", "kept"),
    [
        ({}, [HANDLER], {"sync", "recon"}),
        ({}, [{"config": {**HANDLER["config"], "enabled": False}}], set()),
        ({}, [{"config": {**HANDLER["config"], "enabled": "&{audit.on}"}}], set()),
        ({}, [{"config": {**HANDLER["config"], "name": "json"}}], set()),
        ({}, [{"config": {"name": "repo", "topics": ["recon"]}}, {"config": 5}, 7], {"recon"}),
        ({"filterPolicies": {"value": {"excludeIf": ["/sync/status", "/access/http"]}}}, [HANDLER], {"recon"}),
        ({"handlerForQueries": None}, [HANDLER], set()),
    ],
)
def test_which_topics_are_written_to_where_audit_is_asked(service, handlers, kept):
    stated = {"auditServiceConfig": {"handlerForQueries": "repo", **service}, "eventHandlers": handlers}
    assert kept_topics(LiveSyncClient(call("GET", "config/audit", stated))) == kept


@pytest.mark.parametrize("answer", [refused(403), refused(404), {}])
def test_where_that_cannot_be_read_none_is_known_to_be(answer):
    assert kept_topics(LiveSyncClient(call("GET", "config/audit", answer))) == frozenset()


def test_a_server_may_keep_no_audit_of_reconciliations():
    assert has_reconciled(LiveSyncClient(call("GET", "audit/recon", {"result": [entry()]})), LDAP)
    assert not has_reconciled(LiveSyncClient(call("GET", "audit/recon", {"result": []})), LDAP)
    assert not has_reconciled(LiveSyncClient(call("GET", "audit/recon", refused(501))), LDAP)


def test_what_was_handled_since_a_moment_comes_with_one_request():
    asked = {
        "_queryFilter": f'sourceObjectId sw "{SOURCE}/" and timestamp ge "2026-11-24T10:00:00"',
        "_pageSize": "1000",
        "_sortKeys": "-timestamp",
    }
    (found,) = entries_since(LiveSyncClient(audit(entry(), **asked)), LDAP, "2026-11-24T10:00:00Z") or []
    assert found.record == UUID
    assert entries_since(LiveSyncClient(no_audit()), LDAP, OLD) is None


SINCE = 'timestamp ge "2026-11-24T11:00:00"'
CALLED = f'/http/request/path co "/system" and {SINCE}'


def carrying(transaction, status="SUCCESSFUL", code="200", own="other"):
    http = {"request": {"headers": {"X-ForgeRock-TransactionId": [transaction]}}}
    return {"transactionId": own, "http": http, "response": {"status": status, "statusCode": code}}


@pytest.mark.parametrize(
    ("found", "end"),
    [
        ([carrying("t-1")], Ended(True, 200)),
        ([carrying("t-2"), carrying("t-1", "FAILED", "500")], Ended(False, 500)),
        ([carrying("t-2", own="t-1/0")], Ended(True, 200)),
        ([carrying("t-1", "FAILED", None)], Ended(False, None)),
    ],
)
def test_how_a_call_has_ended(found, end):
    client = LiveSyncClient(
        call("GET", "audit/access", {"result": found}, {"_queryFilter": CALLED, "_pageSize": "1000"})
    )
    assert end_of_call(client, "t-1", "2026-11-24T11:00:00Z") == end
    client.finished()


@pytest.mark.parametrize(("any_call", "goes_on"), [({"result": [{"_id": "x"}]}, False), ({"result": []}, None)])
def test_a_call_that_is_not_told_goes_on_where_others_are_told(any_call, goes_on):
    client = LiveSyncClient(
        call("GET", "audit/access", {"result": [carrying("t-2")]}, {"_queryFilter": CALLED, "_pageSize": "1000"}),
        call("GET", "audit/access", any_call, {"_queryFilter": SINCE, "_pageSize": "1"}),
    )
    assert end_of_call(client, "t-1", "2026-11-24T11:00:00Z") is goes_on
    client.finished()


@pytest.mark.parametrize(
    ("number", "pages", "starts"),
    [(0, [0], 1), (2, [2], 1), (999, [999], 1), (1000, [1000, 0], 2), (1001, [1000, 1], 2)],
)
def test_the_counter_asks_on_until_a_page_is_not_full(number, pages, starts):
    times = iter(f"at {one:05}" for one in range(2000))
    answers = [
        call("GET", "audit/sync", {"result": [entry(timestamp=next(times)) for _one in range(one)]}) for one in pages
    ]
    client = LiveSyncClient(*answers)
    counter = Counter(client, LDAP, "2026-11-24T11:00:00Z")
    assert counter.update() == number and len(client.sent) == starts
    client.finished()
    client.calls = [no_audit()]
    assert counter.update() is None and counter.count == number


@pytest.mark.parametrize(
    ("moment", "entries", "left"),
    [
        (None, ["2026-11-24T10:00:00.000Z"], 1),
        ("2026-11-24T10:00:00Z", ["2026-11-24T10:00:00.001Z", "2026-11-24T09:59:59.999Z"], 1),
        ("2026-11-24T10:00:01Z", ["2026-11-24T10:00:00.999Z"], 0),
        ("2026-11-24T10:00:00.5Z", ["2026-11-24T10:00:00.5"], 1),
    ],
)
def test_entries_from_a_moment_on(moment, entries, left):
    assert len(since([AuditEntry.parse(entry(timestamp=one)) for one in entries], moment)) == left
