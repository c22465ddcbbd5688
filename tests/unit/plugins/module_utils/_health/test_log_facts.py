# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which numbers of a change log are looked at, and what a token beyond them means."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NUMBERS, ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import FAILOVER, SAME, Whose
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts as module
from ansible_collections.idmops.idm.plugins.module_utils._health.states import BACK_FIRST
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "objectTypes": {"account": {}},
        "configurationProperties": {"uidAttribute": "entryUUID", "baseContexts": ["dc=example,dc=com"]},
    }
)


@pytest.fixture
def reader(monkeypatch):
    """A reader of a change log from one number to another; ``reader.read`` are the ranges that were asked for."""

    def of(first=1, last=9000, whose=None):
        log = ChangeLog(first, last, NUMBERS, "cn=changelog")
        found = module.LogReader(None, None, CONNECTOR, context())
        found.read = []
        found.__dict__.update(directory=SimpleNamespace(kept=None), log=log, whose=whose or Whose())
        monkeypatch.setattr(module.LogReader, "again", lambda self: log)

        def changes_in(directory, log, start, token, names):
            found.read.append((start, token))
            return []

        monkeypatch.setattr(module, "changes_in", changes_in)
        return found

    return of


@pytest.mark.parametrize(
    ("first", "after", "start"), [(1, 0, 1001), (1, 1500, 1501), (1900, 1500, 1900), (1900, 0, 1900), (1, 1000, 1001)]
)
def test_the_newest_thousand_are_looked_through_from_where_there_are_any(reader, first, after, start):
    log = reader(first)
    assert log.touched(2000, 40, after) == [] and log.read == [(start, 2000)]


@pytest.mark.parametrize(("first", "start"), [(1, 1901), (1950, 1950)])
def test_so_many_are_looked_through_for_those_without_a_trace(reader, first, start):
    log = reader(first)
    assert log.taken(2000, 100) == [] and log.read == [(start, 2000)]


def test_a_token_within_the_log_is_not_outside(reader):
    assert reader().outside(9000) is None and reader(100).outside(99) is None


@pytest.mark.parametrize(("first", "token", "state"), [(100, 9, "trimmed"), (1, 9001, "ahead")])
def test_a_token_outside_is_told_with_what_mends_it(reader, first, token, state):
    found = reader(first, whose=Whose(SAME)).outside(token)
    assert found[0] == state and BACK_FIRST not in found[1]
    found = reader(first, whose=Whose(FAILOVER, "ds1 is away.")).outside(token)
    assert found == (state, f"ds1 is away. {BACK_FIRST}")


def test_a_change_log_that_is_gone_says_nothing_of_a_token(reader, monkeypatch):
    log = reader()
    monkeypatch.setattr(module.LogReader, "again", lambda self: None)
    assert log.outside(9001) is None


COOKIES = ChangeLog(1, 9000, "cookies_only", "cn=changelog")


def spoilt(reader, connector=CONNECTOR, **more):
    found = reader()
    found.__dict__.update(_connector=connector, **more)
    return found


@pytest.mark.parametrize(
    "more",
    [
        {"directory": None},
        {"log": None},
        {"log": COOKIES},
        {"connector": None},
        {"connector": replace(CONNECTOR, base_contexts=("x",))},
    ],
)
def test_where_the_changes_cannot_be_placed_none_is_looked_at(reader, more):
    found = spoilt(reader, **more)
    assert found.touched(2000, 40) == [] and found.strays(2000, 40) == [] and found.read == []


@pytest.mark.parametrize(
    "more",
    [
        {"directory": None},
        {"log": None},
        {"log": COOKIES},
        {"connector": None},
        {"connector": replace(CONNECTOR, uid_attribute="dn")},
        {"connector": replace(CONNECTOR, uid_attribute=None)},
        {"connector": replace(CONNECTOR, sync_base_contexts=("x",))},
    ],
)
def test_where_entries_are_not_known_by_their_uuid_none_is_taken(reader, more):
    found = spoilt(reader, **more)
    assert found.taken(2000, 100) == [] and found.read == []


def change(number, record="a", kind="modify", dn="uid=a,dc=example,dc=com", time="20261124170000Z"):
    values = {
        "changeNumber": str(number),
        "targetEntryUUID": record,
        "changeType": kind,
        "targetDN": dn,
        "changeTime": time,
    }
    return Entry(
        f"changeNumber={number},cn=changelog", {name.lower(): (text.encode(),) for name, text in values.items() if text}
    )


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({}, True),
        ({"kind": "add"}, True),
        ({"kind": "delete"}, False),
        ({"kind": "modrdn"}, False),
        ({"record": ""}, False),
        ({"time": "yesterday"}, False),
        ({"dn": "uid=a,dc=other"}, False),
        ({"dn": ""}, False),
    ],
)
def test_what_is_taken_of_the_newest_changes(reader, monkeypatch, more, taken):
    found = reader()
    monkeypatch.setattr(module, "changes_in", lambda *unused: [change(7, **more)])
    assert found.taken(2000, 100) == ([module.Taken("a", "2026-11-24T17:00:00Z")] if taken else [])


def test_each_entry_is_touched_once_by_its_newest_change(reader, monkeypatch):
    found = reader()
    time = "20261124170009Z"
    changes = [change(1), change(2, "b"), change(3, "a", time=time), change(4, "c", dn="uid=c,dc=other")]
    monkeypatch.setattr(module, "changes_in", lambda *unused: changes)
    assert [(one.record, one.time) for one in found.touched(2000, 40)] == [
        ("a", "2026-11-24T17:00:09Z"),
        ("b", "2026-11-24T17:00:00Z"),
    ]
    assert [one.record for one in found.touched(2000, 1)] == ["a"]
    assert [one.record for one in found.strays(2000, 40)] == ["c"] and found.strays(2000, 0) == []


def test_what_was_read_once_is_not_read_again(reader):
    found = reader()
    found.touched(2000, 40)
    found.strays(2000, 40)
    assert found.read == [(1001, 2000)]
    found.touched(2001, 40)
    found.touched(2001, 40, 1500)
    assert found.read == [(1001, 2000), (1002, 2001), (1501, 2001)]


def test_without_a_directory_there_is_no_time(reader, monkeypatch):
    monkeypatch.setattr(module, "time_of", lambda directory: "now")
    assert reader().now() == "now" and spoilt(reader, directory=None).now() is None


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, True),
        ({"directory": None}, False),
        ({"connector": None}, False),
        ({"connector": replace(CONNECTOR, principal=None)}, False),
    ],
)
def test_whose_rights_are_judged(reader, monkeypatch, more, asked):
    said = []
    monkeypatch.setattr(module, "judge_access", lambda directory, principal, log: said.append(principal) or "judged")
    found = spoilt(reader, **{"connector": replace(CONNECTOR, principal="uid=idm"), **more})
    assert found._access == ("judged" if asked else None) and said == (["uid=idm"] if asked else [])


def test_an_account_that_lies_elsewhere_cannot_be_judged_and_another_error_is_one(reader, monkeypatch):
    def judge(*unused):
        raise DirectoryError("no", status=status)

    monkeypatch.setattr(module, "judge_access", judge)
    found = spoilt(reader, connector=replace(CONNECTOR, principal="uid=idm"))
    status = 32
    assert found._access is None
    status = 50
    with pytest.raises(DirectoryError):
        _ = spoilt(reader, connector=replace(CONNECTOR, principal="uid=idm"))._access


@pytest.mark.parametrize("momentary", [False, True])
def test_whoever_looks_for_a_moment_alone_does_not_read_the_log_again(reader, monkeypatch, momentary):
    log, asked = reader().log, []
    found = module.LogReader(None, None, CONNECTOR, context())
    found.__dict__.update(directory=SimpleNamespace(kept={} if momentary else None), log=log, whose=Whose())
    monkeypatch.setattr(module.LogReader, "again", lambda self: asked.append(self) or log)
    monkeypatch.setattr(module, "unnumbered", lambda *unused: [])
    monkeypatch.setattr(module, "several_servers", lambda log: False)
    assert found.hidden(2000).unnumbered == () and len(asked) == (0 if momentary else 1)
