# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's own entries: what of them the administrator is not shown is not taken for "there is none"."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.plugins.module_utils._proof.comparison import Comparison, TargetSchema
from ansible_collections.idmops.idm.plugins.module_utils._proof.own_entries import OwnEntries
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
