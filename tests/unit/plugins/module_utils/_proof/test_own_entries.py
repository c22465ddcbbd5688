# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's own entries: what of them the administrator is not shown is not taken for "there is none"."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import read_change_log
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.plugins.module_utils._proof.own_entries import OwnEntries
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.environment import Environment


class Showing:
    """Shows some entries to whatever search."""

    uri, bind_dn = "ldaps://ds1.example.com:4444", "uid=admin"

    def __init__(self, *entries):
        self.entries = entries

    def stream(self, *unused, **more):
        return iter(self.entries)


def ids(*entries):
    own = OwnEntries(Showing(*entries), ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    comparison = Comparison.of(Environment().sides.mapping, TargetSchema.parse({}, "user"), {})
    return [name for name, unused in own.masks(comparison)]


NAMED, UNNAMED = Entry("uid=a,dc=example,dc=com", {"entryuuid": (b"1",)}), Entry("uid=b,dc=example,dc=com")


def test_entries_that_do_not_show_their_ids_are_not_none():
    with pytest.raises(DirectoryError, match="entryUUID of uid=b,dc=example,dc=com") as caught:
        ids(UNNAMED)
    assert "uid=admin" in caught.value.message and "bypass-acl" in caught.value.remedy


def test_an_entry_without_an_id_beside_others_is_none_of_the_connectors():
    assert ids(NAMED, UNNAMED) == ["1"]
    assert ids() == []


def test_pending_changes_are_read_until_all_that_are_asked_for_are_found():
    world = World()
    for number in range(1, 3501):
        world.change(number, "uid=x,dc=example,dc=com", targetEntryUUID=[f"s{number}"])
    directory = FakeDirectory(world)
    log, plain, asked = read_change_log(directory), directory.stream, []

    def stream(*how, **more):
        asked.append(more["size_limit"])
        return plain(*how, **more)

    directory.stream = stream
    own = OwnEntries(directory, ("dc=example,dc=com",), "entryUUID", "(objectClass=person)", None, {})
    assert {"s900", "s7"} <= own.changed_after(log, 0, {"s900", "s7"}) and asked == [1000]
    assert "s900" not in own.changed_after(log, 900, {"s900"}) and asked[1:] == [1000, 1600]
    assert len(own.changed_after(log, 500)) == 3000 and len(asked) == 4
    assert own.changed_after(log, 3500) == set()
