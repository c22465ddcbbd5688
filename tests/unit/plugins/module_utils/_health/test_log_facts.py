# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which numbers of a change log are looked at, and what a token beyond them means."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NUMBERS, ChangeLog
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import FAILOVER, SAME, Whose
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts as module
from ansible_collections.idmops.idm.plugins.module_utils._health.states import BACK_FIRST
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
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
