# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the change log hides from liveSync is told until it has arrived, and never longer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health import arrived
from ansible_collections.idmops.idm.plugins.module_utils._health import gapped as module
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts as reading
from ansible_collections.idmops.idm.plugins.module_utils._health.arrived import Unarrived
from ansible_collections.idmops.idm.plugins.module_utils._health.dropped import Dropped
from ansible_collections.idmops.idm.plugins.module_utils._health.gapped import Gap, Gaps, read_gaps, with_gaps
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import LogReader
from ansible_collections.idmops.idm.plugins.module_utils._health.touched import Hidden, Touched
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "objectTypes": {"account": {}},
        "configurationProperties": {"baseContexts": ["ou=People,dc=example,dc=com"]},
    }
)
TIME, LATER, MUCH_LATER = "2026-11-24T10:00:00Z", "2026-11-24T10:00:09Z", "2026-11-24T10:00:11Z"


@pytest.fixture
def look(monkeypatch):
    """Look for gaps where the change log hides so much."""

    def of(there, hidden, now=MUCH_LATER, compared="", mappings=None, kept=()):
        there.uid = "entryUUID"
        there.below = lambda dn, most: []
        there.changed_after = lambda log, token, of: set()
        reader = SimpleNamespace(
            directory=object(),
            again=lambda: None,
            now=lambda: now,
            hidden=lambda token, after: hidden,
            time_of=lambda number: TIME,
        )
        monkeypatch.setattr(arrived.OwnEntries, "of", lambda *unused: there)
        known = [there.mapping] if mappings is None else mappings
        source = Source.parse(SOURCE)
        about = (there.idm, source, CONNECTOR, known, known, reader, 9, context())
        return read_gaps(*about, compared=compared, kept=kept)

    return of


def differing(**more):
    there = Environment(**more)
    there.users[1]["mail"] = "old@x"
    return there


LEFT_OUT = Hidden((Touched("s1", TIME, None, "c1"), Touched("s2", TIME, None, "c2")))


def test_what_is_left_out_and_has_not_arrived_is_a_gap(look):
    found = look(differing(), LEFT_OUT)
    assert [one.as_result() for one in found.records] == [
        {"record": "s1", "kind": "left_out", "csn": "c1", "time": TIME, "mapping": "m", "situation": None}
    ]
    assert "leaves out changes of 1 record " in found.said and "idmops.idm.recon with ids: s1." in found.said
    assert (found.standing, found.doubt) == (None, None)


def test_what_has_arrived_is_none(look):
    assert look(Environment(), LEFT_OUT) == Gaps()
    assert look(Environment(), Hidden()) == Gaps()


def test_who_is_gone_from_the_source_takes_the_whole_mapping(look):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    there.drop(there.people, "s1")
    found = look(there, LEFT_OUT)
    assert found.records[0].situation == "SOURCE_MISSING"
    assert "not from the target: s1; reconcile the whole mapping" in found.said and "with ids" not in found.said


def test_a_change_without_a_number_counts_after_ten_seconds(look):
    late = Hidden((), (Touched("s1", TIME, None, "c1"),))
    assert look(differing(), late, now=LATER) == Gaps()
    found = look(differing(), late)
    assert [(one.record, one.kind) for one in found.records] == [("s1", "unnumbered")]
    assert f"1 change has got no number since {TIME}" in found.standing and "Start that directory" in found.standing
    assert found.said is None


def test_a_log_that_numbers_nothing_is_told_though_all_has_arrived(look):
    found = look(Environment(), Hidden((), (Touched("s1", TIME, None, "c1"),)))
    assert found.records == () and "got no number" in found.standing


def test_what_cannot_be_looked_at_is_said(look):
    assert "does not show which" in look(Environment(), Hidden((), None)).doubt
    assert look(Environment(), Hidden(unknown=3)).doubt.startswith("3 numbers of the change log")
    assert "hides changes before 7 is not looked at" in look(Environment(), Hidden(since=7)).doubt
    assert look(Environment(), Hidden(since=7), compared=LATER).doubt is None


def test_what_cannot_be_compared_is_a_gap_until_a_load_or_audit_tells_of_it(look, monkeypatch):
    brought = []
    monkeypatch.setattr(module, "successes_of", lambda client, source, records: brought)
    queued = differing(queuedSync={"enabled": True})
    assert [(one.record, one.mapping) for one in look(queued, LEFT_OUT).records] == [("s1", None), ("s2", None)]
    assert look(queued, LEFT_OUT, compared=LATER).records == ()
    brought += [SimpleNamespace(record="s1", timestamp=LATER), SimpleNamespace(record="s2", timestamp="2026-11-24")]
    assert [one.record for one in look(queued, LEFT_OUT).records] == ["s2"]


def test_what_was_found_earlier_is_kept_until_it_has_arrived(look):
    kept = [{"record": "s1", "csn": "c1", "time": TIME}, {"record": "s2"}]
    assert [one.record for one in look(differing(), Hidden(), kept=kept).records] == ["s1"]
    assert look(Environment(), Hidden(), kept=kept) == Gaps()


def test_a_run_is_told_what_was_hidden_from_it(look):
    gaps = look(differing(), LEFT_OUT)
    known = Unarrived((Dropped("s9"),), ("Known.",))
    both = with_gaps(known, gaps)
    assert [one.record for one in both.records] == ["s9", "s1"] and both.sentences == ("Known.", gaps.said)
    assert both.records[1].cause == "the change log leaves out the change c1" and both.doubt is None
    assert with_gaps(Unarrived(), Gaps(standing="It stands.")).doubt == "It stands."


def csn(number):
    return f"{1700000000000 + number:016x}0001{number:08x}"


@pytest.fixture
def reader(monkeypatch):
    """A reader of a change log of two servers, in which 40 and 70 are left out of ranges."""
    world = World()
    for number in range(1, 101):
        where = "Other" if number == 41 else "People"
        about = {"replicationCSN": [csn(number)], "changeLogCookie": [f"dc=example,dc=com:{csn(number)};"]}
        name = f"uid=u{number},ou={where},dc=example,dc=com"
        world.change(number, name, targetEntryUUID=[f"s{number}"], changeTime=["20261124100000Z"], **about)
    world.left_out = {40, 41, 70}
    world.no_cookies = 53
    world.set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{csn(100)} {csn(99)};")
    reader = LogReader(None, None, CONNECTOR, context())
    reader.directory = FakeDirectory(world)
    vars(reader)["whose"] = SimpleNamespace(usable=True, sentence="", answer="same")
    reader.world = world
    return reader


def test_what_the_token_has_passed_is_looked_at(reader, monkeypatch):
    found = reader.hidden(60)
    assert found == Hidden((Touched("s40", TIME, None, csn(40), removed=False),))
    assert [one.record for one in reader.hidden(100).left_out] == ["s40", "s70"]
    assert [one.record for one in reader.hidden(100, after=40).left_out] == ["s70"]
    monkeypatch.setattr(reading, "_MOST_BEHIND", 50)
    assert (len(reader.hidden(100).left_out), reader.hidden(100).since) == (1, 51)
    assert (len(reader.hidden(100, after=20).left_out), reader.hidden(100, after=20).since) == (2, None)


def test_what_has_got_its_number_since_it_was_counted_is_pending(reader):
    vars(reader)["_access"] = vars(reader)["_alias_search"] = None
    before = reader.facts(100)
    assert (before.pending, reader.recounted(before, 100)) == (0, before)
    reader.world.change(101, "uid=u1,ou=People,dc=example,dc=com", changeTime=["20261124100000Z"])
    assert reader.hidden(100).unnumbered == ()
    after = reader.recounted(before, 100)
    assert (after.pending, after.pending_inside, after.last, after.oldest) == (1, 1, 101, TIME)


def test_where_one_server_takes_all_changes_nothing_is_looked_for(reader):
    reader.world.set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{csn(100)};")
    assert reader.hidden(100) == Hidden()


def test_a_change_that_has_no_number_is_named(reader):
    reader.world.no_cookies = None
    cookie = f"dc=example,dc=com:{csn(101)} {csn(99)};"
    name = "uid=u3,ou=People,dc=example,dc=com"
    reader.world.change_without_number(csn(101), cookie, name, targetEntryUUID=["s3"], changeTime=["20261124100000Z"])
    assert reader.hidden(100, after=99).unnumbered == (Touched("s3", TIME, None, csn(101)),)


def test_what_is_read_within_a_moment_is_read_once_and_says_the_same(reader):
    alone = (reader.hidden(100), reader.touched(100, 40), reader.taken(100))
    reader.directory.kept = {}
    reader.world.operations.clear()
    assert (reader.hidden(100), reader.touched(100, 40), reader.taken(100)) == alone
    asked = [one for one in reader.world.operations if "changeNumber>=" in one]
    assert len(asked) == 1


def test_a_change_that_has_no_number_is_looked_for_with_the_end_of_now(reader):
    reader.directory.kept = {}
    assert reader.last() == 100
    about = {"replicationCSN": [csn(101)], "changeLogCookie": [f"dc=example,dc=com:{csn(101)};"]}
    reader.world.change(101, "uid=u1,ou=People,dc=example,dc=com", **about)
    reader.world.no_cookies = None
    cookie = f"dc=example,dc=com:{csn(102)} {csn(99)};"
    name = "uid=u3,ou=People,dc=example,dc=com"
    reader.world.change_without_number(csn(102), cookie, name, targetEntryUUID=["s3"], changeTime=["20261124100000Z"])
    # as it was when it was read first, nothing was without a number; with this end 101 seems to be
    assert reader.hidden(100).unnumbered == ()
    vars(reader)["log"] = replace(reader.log, cookie=cookie)
    assert reader.hidden(100).unnumbered == (Touched("s3", TIME, None, csn(102)),)
    assert reader._end.last == 101


def gap(record, situation=None):
    return Gap(record, "left_out", None, None, situation=situation)


@pytest.mark.parametrize(
    ("here", "away", "count", "tail"),
    [
        ("a", "", "1 record where", "Reconcile them: idmops.idm.recon with ids: a."),
        ("ab", "", "2 records where", "Reconcile them: idmops.idm.recon with ids: a, b."),
        (
            "a",
            "xy",
            "3 records where",
            "Reconcile them: idmops.idm.recon with ids: a. Gone from the source, and not from the target: x, y;"
            " reconcile the whole mapping.",
        ),
        (
            "",
            "x",
            "1 record where",
            "Gone from the source, and not from the target: x; reconcile the whole mapping.",
        ),
        ("aa", "", "1 record where", "Reconcile them: idmops.idm.recon with ids: a."),
    ],
)
def test_what_is_to_be_done_with_what_the_change_log_leaves_out(here, away, count, tail):
    said = module._said([*map(gap, here), *(gap(one, "SOURCE_MISSING") for one in away)])
    assert said == (
        f"The change log leaves out changes of {count} it is searched by number, so that liveSync never sees them"
        f" (gaps), as happens where several directory servers take changes at the same moment; and they have not"
        f" arrived. {tail}"
    )


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([TIME], f"1 change has got no number since {TIME}, so that"),
        ([LATER, TIME, None], f"3 changes have got no number since {TIME}, so that"),
        ([None], "1 change has got no number, so that"),
    ],
)
def test_since_when_nothing_is_numbered(times, start):
    assert module._standing([Touched("a", time, None, None) for time in times]).startswith(start)
