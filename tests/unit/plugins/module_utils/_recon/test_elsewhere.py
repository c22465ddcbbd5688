# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of other nodes, as audit/recon tells of them: seen on OpenIDM 6.1.0 with two nodes on one repository."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._recon.elsewhere import runs_elsewhere, runs_on_another_node

MAPPING = "systemLdapAccount_managedUser"
OLD, BEGAN, NOW = "2026-11-24T10:00:00.000Z", "2026-11-24T11:00:00.000Z", "2026-11-24T11:02:00Z"


def node(startup=OLD, state="running"):
    return {"instanceId": "node", "state": state, "startup": startup}


TWO = (node(), node())


def told(kind, at=BEGAN, run_id="r1", mapping=MAPPING):
    return {"reconId": run_id, "entryType": kind, "timestamp": at, "mapping": mapping}


class Idm:
    """Answers from a list of audit entries; an audit that looks neither at order nor at size is the JSON handler's."""

    server_time = NOW

    def __init__(self, *entries, nodes=TWO, refusal=None):
        self.entries, self.nodes, self.refusal = entries, nodes, refusal
        self.silent, self.asked = set(), 0

    def get(self, path, **unused):
        assert path == "cluster"
        if self.nodes is None:
            raise Refused("answered 403", status=403)
        return {"results": list(self.nodes)}

    def query(self, path, what, **unused):
        self.asked += 1
        if self.refusal:
            raise self.refusal
        return [entry for entry in self.entries if all(self._fits(entry, part) for part in what.split(" and "))]

    @staticmethod
    def _fits(entry, part):
        field, operator, value = part.split(" ")
        value = value.strip('"')
        return entry[field] >= value if operator == "ge" else entry[field] == value


def found(idm, known=()):
    return [run.id for run in runs_elsewhere(idm, MAPPING, known)]


def test_a_start_without_a_summary_runs_elsewhere():
    other = told("start", run_id="r2", mapping="other")
    idm = Idm(told("start"), told("entry", "2026-11-24T11:01:59.000Z"), other)
    assert found(idm) == ["r1"]
    assert runs_on_another_node(idm, "r1")
    (run,) = runs_elsewhere(idm, MAPPING, ())
    assert (run.state, run.source_ids) == ("ACTIVE", ())


def test_one_that_has_ended_or_that_this_node_knows_does_not():
    ended = Idm(told("start"), told("summary", "2026-11-24T11:01:59.000Z"))
    assert found(ended) == [] and not runs_on_another_node(ended, "r1")
    assert found(Idm(told("start")), known=["r1"]) == []
    assert not runs_on_another_node(Idm(), "r1")


def test_one_node_knows_all_by_itself_and_audit_is_not_asked():
    idm = Idm(told("start"), nodes=(node(), node(state="down")))
    assert found(idm) == [] and not runs_on_another_node(idm, "r1")
    assert idm.asked == 0


@pytest.mark.parametrize(
    ("nodes", "began", "newest", "goes_on"),
    [
        # both nodes are as they were: it may be reading the ids of a large source
        ((node(), node()), "2026-11-24T10:52:30.000Z", "2026-11-24T10:52:30.000Z", True),
        ((node(), node()), "2026-11-24T10:51:30.000Z", "2026-11-24T10:51:30.000Z", False),
        # one was started after it began: it may have been that one's
        ((node(), node("2026-11-24T11:00:30.000Z")), BEGAN, "2026-11-24T11:00:30.000Z", False),
        ((node(), node("2026-11-24T11:00:30.000Z")), BEGAN, "2026-11-24T11:01:30.000Z", True),
        # one is gone
        ((node(), node(), node(state="down")), BEGAN, "2026-11-24T11:00:30.000Z", False),
        # all were started after it
        ((node("2026-11-24T11:00:30.000Z"), node("2026-11-24T11:00:40.000Z")), BEGAN, BEGAN, False),
        # the server does not tell of its nodes
        (None, BEGAN, BEGAN, True),
    ],
)
def test_a_node_that_died_took_its_run_with_it(nodes, began, newest, goes_on):
    idm = Idm(told("start", began), told("entry", newest), nodes=nodes)
    assert bool(found(idm)) is goes_on


@pytest.mark.parametrize(("status", "again"), [(501, 0), (403, 1)])
def test_an_audit_that_does_not_answer_tells_of_none(status, again):
    idm = Idm(told("start"), refusal=Refused("no", status=status))
    assert found(idm) == []
    assert idm.asked == 1
    assert found(idm) == []
    assert idm.asked == 1 + again
