# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a change has not arrived is told where it can be known, each reason with its way out, and is never made up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._health.states import Health
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector_config import Connector
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._verify import why_not as module
from ansible_collections.idmops.idm.plugins.module_utils._verify.why_not import Why, Witness, asked, of_source
from ansible_collections.idmops.idm.tests.unit.doubles.environment import SOURCE, Environment
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

SENT = "idmops canary [idmops 0a1b2c3d]"


def seen_by(there, own=True):
    (copied,) = (one for one in there.sides.comparison.copied if one.target == "mail")
    sides = replace(there.sides, comparison=replace(there.sides.comparison, copied=(copied,)))
    connector = Connector.parse({"_id": "provisioner.openicf/ldap"})
    return Witness(sides, Source.parse(SOURCE), connector, there if own else None, "ldaps://ds1").look("s1", SENT)


def changed(there):
    there.people[1]["mail"] = SENT
    return there


def test_where_the_connector_reads_the_new_value_and_nothing_is_wrong_nothing_is_made_up():
    assert seen_by(changed(Environment())) == Why()


def test_what_the_mapping_is_told_to_leave_alone():
    there = changed(Environment(policies=[{"situation": "CONFIRMED", "action": "IGNORE"}]))
    assert "policy for CONFIRMED is IGNORE" in seen_by(there).text
    there = changed(Environment(policies=[{"situation": "ABSENT", "action": "IGNORE"}]))
    there.drop(there.links, "s1")
    assert "policy for ABSENT is IGNORE" in seen_by(there).text


def test_a_directory_that_does_not_replicate_or_an_attribute_that_is_hidden():
    found = seen_by(Environment())
    assert "does not read the new value" in found.text and "Give in servers" in found.remedy


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda there: there.hide("s1"), ("The entry is hidden", "look for an ACI")),
        (lambda there: (there.hide("s1"), there.narrowed.add("s1")), ("The entry is filtered", "accountSearchFilter")),
        (lambda there: (there.drop(there.people, "s1"), there.moved.add("s1")), ("outside of the connector's base",)),
        (lambda there: there.idm.broken.add("s1"), ("IDM cannot show the entry", "Mend the entry")),
    ],
)
def test_an_entry_that_idm_does_not_see(prepare, said):
    there = Environment()
    prepare(there)
    text = seen_by(there).text
    assert all(one in text for one in said), text


def test_without_the_directory_itself_only_that_is_known():
    there = Environment()
    there.hide("s1")
    assert "IDM does not see the entry that ldaps://ds1 has." in seen_by(there, own=False).text


def status_of(monkeypatch, state, good, remedy="Mend it.", queued=()):
    health = Health(state, True, remedy, not good)
    entry = SimpleNamespace(
        health=SimpleNamespace(state=state, good_enough=good),
        remedy=health.remedy,
        sentence=f"s is {state}: {remedy}",
        facts=SimpleNamespace(queued=queued),
    )
    monkeypatch.setattr(module, "status", lambda *unused: [entry])

    def of(scheduled=True, known=False):
        return of_source(None, Source.parse(SOURCE), {}, context(), scheduled=scheduled, known=known)

    return of


def test_the_state_of_the_source_with_its_remedy(monkeypatch):
    of = status_of(monkeypatch, "trimmed", False)
    assert of() == of(known=True) == of(scheduled=False) == Why(("s is trimmed: Mend it.",), "Mend it.")


@pytest.mark.parametrize("state", ["unscheduled", "overdue", "paused"])
def test_a_schedule_that_is_off_is_no_reason_where_livesync_was_run(monkeypatch, state):
    of = status_of(monkeypatch, state, False)
    assert of().text and of(scheduled=False) == Why()


def test_what_may_be_wrong_is_told_where_nothing_else_is(monkeypatch):
    of = status_of(monkeypatch, "healthy", True)
    assert of().text and of(known=True) == Why()
    assert status_of(monkeypatch, "healthy", True, None)() == Why()
    assert status_of(monkeypatch, "lagging", True)() == Why()
    assert status_of(monkeypatch, "lagging", True, queued=("7 events wait",))().text


def test_what_keeps_it_from_being_known_is_said():
    def broken():
        raise DirectoryError("ldaps://ds1 hangs.", remedy="Look at the server.")

    assert asked(broken) == Why(("Why cannot be told: ldaps://ds1 hangs.",), "Look at the server.")
