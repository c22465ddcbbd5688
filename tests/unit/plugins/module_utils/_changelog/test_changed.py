# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries a stretch of the change log is about; what does not tell all of them tells none."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._changelog.changed import changed_entries
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import NUMBERS, ChangeLog
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World

PEOPLE = "ou=People,dc=example,dc=com"


def changed(*changes, token=10, most=500, bases=(PEOPLE,), end=0):
    """Read what comes after the ten changes that there are; each is (entryUUID, type, DN, new superior)."""
    world = World()
    for number, (name, kind, dn, *superior) in enumerate(changes, start=11):
        more = {"targetEntryUUID": [name]} if name else {}
        more.update({"newSuperior": superior} if superior else {})
        world.change(number, dn, **more)
        world.set(f"changeNumber={number},cn=changelog", "changeType", kind)
    log = ChangeLog(1, end or 10 + len(changes), NUMBERS, "cn=changelog")
    return changed_entries(FakeDirectory(world), log, token, bases, most)


def test_each_entry_is_told_once_with_its_last_change():
    found = changed(
        ("a", "add", f"uid=a,{PEOPLE}"), ("b", "modify", f"uid=b,{PEOPLE}"), ("a", "delete", f"uid=a,{PEOPLE}")
    )
    assert found.last == {"a": "delete", "b": "modify"} and not found.renamed


def test_what_lies_elsewhere_does_not_count_and_needs_no_name():
    away = (None, "modify", "cn=admin,dc=example,dc=com")
    assert changed(away).last == {}
    assert changed(away, ("a", "add", f"uid=a,{PEOPLE}"), away).last == {"a": "add"}


def test_a_rename_counts_at_either_end():
    found = changed(
        ("a", "modrdn", f"uid=a,{PEOPLE}", "ou=gone,dc=example,dc=com"),
        ("b", "modrdn", "uid=b,ou=new,dc=example,dc=com", PEOPLE),
    )
    assert found.renamed == {"a", "b"} == set(found.last)


def test_without_changes_there_is_no_entry():
    assert changed().last == {}


@pytest.mark.parametrize(
    "how",
    [
        {"end": 13},  # a number that a range search leaves out, as after simultaneous changes on two servers
        {"most": 1},
        {"bases": ()},
        {"bases": ("no name",)},
    ],
)
def test_what_is_not_all_is_nothing(how):
    two = (("a", "modify", f"uid=a,{PEOPLE}"), ("b", "modify", f"uid=b,{PEOPLE}"))
    assert changed(*two, **how) is None


def test_a_change_that_does_not_tell_its_entry_tells_nothing():
    assert changed(("", "modify", f"uid=a,{PEOPLE}")) is None
    assert changed(("a", "", f"uid=a,{PEOPLE}")) is None


def test_as_many_entries_as_were_asked_for_are_all():
    two = (("a", "modify", f"uid=a,{PEOPLE}"), ("b", "modify", f"uid=b,{PEOPLE}"))
    assert set(changed(*two, most=2).last) == {"a", "b"}
