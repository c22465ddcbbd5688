# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that the token has passed and that has not arrived is told, whatever kept it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health import arrived as module
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import Touched
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

CONNECTOR = Connector.parse({"_id": "provisioner.openicf/ldap", "objectTypes": {"account": {}}})
TIME = "2026-11-24T10:00:00Z"


@pytest.fixture
def look(monkeypatch):
    """Look at what became of some changes; ``pending`` are the entries that later ones touch, look by look."""

    def of(there, ids=("s1",), pending=(), below=(), mappings=None, moved=None):
        looks = list(pending) or [set()]
        there.uid = "entryUUID"
        there.below = lambda dn, most: list(below)
        there.changed_after = lambda log, token: looks.pop(0) if len(looks) > 1 else looks[0]
        touched = [Touched(one, TIME, moved) for one in ids]
        reader = SimpleNamespace(directory=object(), again=lambda: None, touched=lambda token, most, after: touched)
        monkeypatch.setattr(module.OwnEntries, "of", lambda *unused: there)
        known = [there.mapping] if mappings is None else mappings
        it = context()
        found = module.read_unarrived(there.idm, Source.parse(SOURCE), CONNECTOR, known, known, reader, 9, it)
        return SimpleNamespace(records=found.records, said=" ".join(found.sentences), slept=it.clock.slept)

    return of


def test_what_has_arrived_costs_one_look(look):
    there = Environment()
    found = look(there, ["s1", "s2"])
    assert (found.records, found.said, found.slept) == ((), "", 0)
    assert len(there.idm.asked) < 10


def differing(there):
    there.users[1]["mail"] = "old@x"
    return "not as the source: mail", "livesync_verify"


def new_and_missing(there):
    there.drop(there.users, "t1")
    there.drop(there.links, "s1")
    return "does not have it (no link)", "recon with ids"


def hidden(there):
    there.hide("s1")
    there.users[1]["mail"] = "old@x"
    return "does not see it", "an ACI"


def hidden_value(there):
    there.kept["s1"] = {"mail": "new@x"}
    del there.people[1]["mail"]
    del there.users[1]["mail"]
    return "IDM does not see it: mail", "an ACI"


def left(there):
    there.drop(there.people, "s1")
    there.moved.add("s1")
    return "base contexts", "SOURCE_MISSING"


def deleted(there):
    there.drop(there.people, "s1")
    return "gone from the source", "the whole mapping"


@pytest.mark.parametrize("fault", [differing, new_and_missing, hidden, hidden_value, left, deleted])
def test_what_has_not_arrived_is_told_with_what_mends_it(look, fault):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    cause, remedy = fault(there)
    found = look(there)
    (one,) = found.records
    assert (one.record, one.mapping, one.time) == ("s1", "m", TIME)
    assert cause in one.cause and remedy in found.said and "1 changed entry has not arrived" in found.said
    assert found.slept == 1


@pytest.mark.parametrize("fault", [differing, new_and_missing, deleted])
def test_what_a_later_change_may_explain_is_pending(look, fault):
    there = Environment(policies=[{"situation": "SOURCE_MISSING", "action": "DELETE"}])
    fault(there)
    assert look(there, pending=[{"s1"}]).records == ()
    assert look(there, pending=[set(), {"s1"}]).records == ()


@pytest.mark.parametrize(
    ("fault", "situation", "action"),
    [
        (differing, "CONFIRMED", "IGNORE"),
        (new_and_missing, "ABSENT", "IGNORE"),
        (new_and_missing, "ABSENT", "LINK"),
        (deleted, "SOURCE_MISSING", "IGNORE"),
        (deleted, "SOURCE_MISSING", "EXCEPTION"),
    ],
)
def test_what_the_mappings_policies_leave_alone_is_no_loss(look, fault, situation, action):
    there = Environment(policies=[{"situation": situation, "action": action}])
    fault(there)
    assert look(there).records == ()
    assert any(situation in said for said in there.mapping.ignored)


def test_who_is_below_a_name_that_changed_is_looked_at_too(look):
    there = Environment()
    differing(there)
    assert look(there, ids=["ou"], below=["ou", "s1"], moved="ou=new,dc=x").records[0].record == "s1"


@pytest.mark.parametrize(
    "more", [{"enableSync": False}, {"enableLinking": False}, {"queuedSync": {"enabled": True}}, {"enableSync": "&{x}"}]
)
def test_a_mapping_that_takes_nothing_at_once_is_not_judged(look, more):
    there = Environment(**more)
    differing(there)
    assert look(there).records == () and not there.idm.asked
