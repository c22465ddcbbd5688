# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that liveSync has taken and that left no trace in audit."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health.traceless import Taken, read_traceless
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import SOURCE, LiveSyncClient, audit, entry, no_audit
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import call, refused

LDAP = Source.parse(SOURCE)
NOW = "2026-11-24T11:00:00Z"
CHANGED = "2026-11-24T10:30:00Z"
ALIVE = audit(entry("2026-11-24T10:40:00.000Z", "another"))
FIRST = audit(entry("2026-11-24T08:00:00.000Z"))


def recon(*entries):
    return call("GET", "audit/recon", {"result": list(entries)})


def there(*records):
    return call("GET", SOURCE, {"result": [{"_id": record} for record in records]})


TAKEN = (Taken("a", CHANGED),)


def left(*calls, taken=TAKEN, loaded=None, now=NOW, clock=None):
    client = LiveSyncClient(*calls)
    found = read_traceless(client, LDAP, taken, loaded, now, lambda: clock)
    client.finished()
    return [(one.record, one.time) for one in found.records]


def test_what_no_entry_tells_of_was_dropped():
    assert left(FIRST, audit(), recon(), there("a"), ALIVE) == [("a", CHANGED)]
    older = audit(entry("2026-11-24T10:20:00.000Z", "a"))
    assert left(FIRST, older, recon(), there("a"), ALIVE) == [("a", CHANGED)]


@pytest.mark.parametrize(
    "traces",
    [
        (audit(entry("2026-11-24T10:30:05.000Z", "a")), recon()),
        (audit(entry("2026-11-24T10:30:05.000Z", "a", failed=True)), recon()),
        (audit(), recon(entry("2026-11-24T10:40:00.000Z", "a"))),
        # clocks differ
        (audit(entry("2026-11-24T10:29:10.000Z", "a")), recon()),
    ],
)
def test_any_later_entry_is_a_trace(traces):
    assert left(FIRST, *traces) == []


@pytest.mark.parametrize(
    ("clock", "found"), [(NOW, 1), ("2026-11-24T11:00:20Z", 1), ("2026-11-24T11:01:00Z", 0), (None, 0)]
)
def test_where_the_difference_of_the_clocks_is_known_it_counts(clock, found):
    before = (FIRST, audit(entry("2026-11-24T10:29:25.000Z", "a")), recon())
    assert len(left(*before, *([there("a"), ALIVE] if found else []), clock=clock)) == found


def test_the_newest_change_of_a_record_counts():
    taken = (Taken("a", "2026-11-24T10:00:00Z"), Taken("a", CHANGED))
    assert left(FIRST, audit(entry("2026-11-24T10:10:00.000Z", "a")), recon(), there("a"), ALIVE, taken=taken) == [
        ("a", CHANGED)
    ]


def test_what_was_loaded_since_or_may_still_come_is_not_asked_for():
    assert left(loaded="2026-11-24T10:45:00Z") == []
    assert left(taken=(Taken("a", "2026-11-24T10:59:30Z"),)) == []
    assert left(taken=()) == []
    assert left(now=None) == []


def test_audit_that_does_not_reach_back_so_far_tells_nothing():
    assert left(audit(entry("2026-11-24T10:50:00.000Z"))) == []
    assert left(audit()) == []
    assert left(no_audit()) == []
    assert left(FIRST, no_audit()) == []


def test_who_is_not_in_the_source_has_nothing_to_bring():
    assert left(FIRST, audit(), recon(), there()) == []


def test_where_the_source_cannot_be_asked_it_is_told():
    assert left(FIRST, audit(), recon(), call("GET", SOURCE, refused(503)), ALIVE) == [("a", CHANGED)]


def test_where_audit_has_been_silent_since_nothing_is_called_dropped():
    """As where the topic sync is switched off (seen on OpenIDM 6.1.0): good changes leave no entry either."""
    client = LiveSyncClient(FIRST, audit(), recon(), there("a"), FIRST)
    found = read_traceless(client, LDAP, TAKEN, None, NOW)
    assert found.records == () and "topic sync may be switched off" in found.doubt
