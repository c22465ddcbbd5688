# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who looks on is told how far a long run is, as far as audit tells; and nobody else is."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._livesync import catch_up as module
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

RUN = object()


@pytest.fixture
def watched(monkeypatch):
    """Watch a run that takes so many looks of 20 seconds; return the lines that were shown, and the looks."""

    def of(counts=(), last=13, number=9, began="2026-11-24T10:00:00Z", live=True):
        it = context()
        it.report.live = live
        looks = list(counts)

        def result(timeout):
            it.clock.sleep(20)
            if looks:
                raise module.StillRunning
            return RUN

        def update():
            found = looks.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(module, "start", lambda work: SimpleNamespace(result=result))
        monkeypatch.setattr(module, "Counter", lambda *unused: SimpleNamespace(update=update))
        client = SimpleNamespace(sibling=lambda: nullcontext(object()))
        livesync = SimpleNamespace(context=it, client=client, source="system/ldap/account")
        runs = module.Runs(livesync, None, None, None, None, SimpleNamespace(number=number))
        mark = SimpleNamespace(began=began, last_change_number=last)
        assert runs._watched(mark, lambda mark: RUN) is RUN
        return it.report.lines

    return of


def test_whoever_does_not_look_on_is_told_nothing(watched):
    assert watched([1, 2], live=False) == []


def test_what_audit_counts_is_told_beside_what_was_pending(watched):
    started, *lines = watched([0, 2, 4])
    assert started == "liveSync of system/ldap/account: started"
    assert [line.partition(",")[0] for line in lines] == [f"liveSync of system/ldap/account: {done} of 4 changes"
                                                          for done in (2, 4)]  # fmt: skip


def test_where_audit_tells_nothing_none_is_told_and_the_run_goes_on(watched):
    lines = watched([None, Unreachable("IDM cannot be reached.", sent=False), None])
    assert lines == [
        "liveSync of system/ldap/account: started",
        "liveSync of system/ldap/account: 0 of 4 changes, 0/s",
    ]


@pytest.mark.parametrize(("last", "number"), [(None, 9), (13, None), (7, 9)])
def test_without_the_number_of_what_is_pending_no_whole_is_told(watched, last, number):
    lines = watched([0, 5], last=last, number=number)
    assert lines[1].startswith("liveSync of system/ldap/account: 5 changes, ")
