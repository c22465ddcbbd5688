# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs no step: only what is well by the same judgement, with nothing unread and no run to be watched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._health.facts import Facts, LogFacts
from ansible_collections.idmops.idm.plugins.module_utils._health.source_status import SourceStatus
from ansible_collections.idmops.idm.plugins.module_utils._http.right import READ, Right
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._rollout import settled as module
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import SourcePlan
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import SourceRequest
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR, MAPPING, job
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, context

FIRST, SECOND = Source.parse("system/ldap/account"), Source.parse("system/ldap/group")
THERE, OTHER = {"servers": ["ldap://ds1"]}, {"servers": ["ldap://ds2"]}
QUIET = LogFacts(first=1, last=9, pending=0, pending_inside=0, missing=(), alias_search=True)
WELL = Facts("ldap", token=9, number=9, log=QUIET, enabled=1)


def shown(source, **facts):
    return SourceStatus(source, replace(WELL, **facts), CONNECTOR, (job(),), (MAPPING,), None)


def plan(source=FIRST, index=0, **more):
    return SourcePlan(str(source), index, **{"finished": True, "change_log": True, **more})


@pytest.fixture
def judge(monkeypatch):
    """Judge finished plans; ``told`` is what livesync_status would tell of each source, or an error."""
    asked = []

    def of(plans, told, directories=(THERE, THERE), lacks=()):
        client = ScriptedClient()
        sources = (FIRST, SECOND)
        requests = {index: SourceRequest(sources[index], directory=one) for index, one in enumerate(directories)}

        def status(client, sources, directory, context, known, connect):
            asked.append((list(sources), directory, known))
            client.lacking.update(dict.fromkeys(lacks))
            if isinstance(told, Exception):
                raise told
            return [told[source] for source in sources]

        monkeypatch.setattr(module, "status", status)
        found = module.judge_finished(client, plans, requests, "what was read", None, context())
        return [one.source for one in found], asked

    return of


def test_what_is_well_is_settled_by_what_was_read(judge):
    assert judge([plan()], {FIRST: shown(FIRST)}) == ([FIRST], [([FIRST], THERE, "what was read")])


def test_sources_of_one_directory_are_judged_together(judge):
    told = {FIRST: shown(FIRST), SECOND: shown(SECOND)}
    plans = [plan(), plan(SECOND, 1)]
    assert judge(plans, told)[1] == [([FIRST, SECOND], THERE, "what was read")]
    assert [one for one, *unused in judge(plans, told, (THERE, OTHER))[1][1:]] == [[FIRST], [SECOND]]


def test_without_a_change_log_the_directory_is_not_asked(judge):
    assert judge([plan(change_log=False)], {FIRST: shown(FIRST)})[1] == [([FIRST], None, "what was read")]


@pytest.mark.parametrize(
    "facts",
    [
        {"ok": False},
        {"failure": "one record fails"},
        {"enabled": 0},
        {"unmapped": True},
        # well, but a run would have to be watched first
        {"log": replace(QUIET, pending=2, pending_inside=2, last=11)},
        {"log": None},
    ],
)
def test_what_is_not_well_at_first_sight_is_not(judge, facts):
    assert judge([plan()], {FIRST: shown(FIRST, **facts)})[0] == []


def test_a_state_that_is_tolerated_is_no_failure(judge):
    off = {FIRST: shown(FIRST, sync_disabled=("n",))}
    assert judge([plan()], off)[0] == []
    assert judge([plan(tolerated=("disabled",))], off)[0] == [FIRST]


def test_what_is_not_finished_is_not_judged(judge):
    assert judge([plan(finished=False)], {}) == ([], [])


def test_what_cannot_be_known_is_for_the_steps_to_tell(judge):
    assert judge([plan()], DirectoryError("it is away"))[0] == []
    assert judge([plan()], {FIRST: shown(FIRST)}, lacks=[Right(READ, "config/managed")])[0] == []
