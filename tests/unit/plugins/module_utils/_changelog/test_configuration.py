# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a directory read at once says what single searches say; where it cannot be, these are sent."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.configuration import find_config, read_config_entry
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World, refusal

SYNC = "cn=Synchronization Providers,cn=config"
HANDLERS = "cn=Connection Handlers,cn=config"


def keeping(world):
    found = FakeDirectory(world)
    found.kept = {}
    return found


@pytest.mark.parametrize(
    ("base", "scope", "wanted", "attributes"),
    [
        ("cn=config", "base", "(objectClass=*)", ["objectClass"]),
        ("CN=Config", "base", "(objectClass=*)", ["ds-cfg-size-limit"]),
        (SYNC, "sub", "(objectClass=*)", ["objectClass", "ds-cfg-base-dn"]),
        (SYNC, "one", "(objectClass=*)", ["objectClass"]),
        (SYNC, "sub", "(objectClass=ds-cfg-replication-server)", ["ds-cfg-replication-server-id"]),
        (HANDLERS, "one", "(ds-cfg-listen-port=*)", ["ds-cfg-listen-port", "ds-cfg-enabled"]),
        ("cn=Backends,cn=config", "one", "(ds-cfg-base-dn=*)", ["ds-cfg-base-dn"]),
        # what is not read at once is asked for
        ("cn=Root DNs,cn=config", "one", "(ds-cfg-alternate-bind-dn=cn=Directory Manager)", ["ds-rlim-size-limit"]),
        ("cn=Root DNs,cn=config", "base", "(objectClass=*)", ["ds-cfg-default-root-privilege-name"]),
    ],
)
def test_what_is_found_is_the_same(base, scope, wanted, attributes):
    world = World()
    alone = find_config(FakeDirectory(world), base, scope, wanted, attributes)
    line = keeping(world)
    for _again in range(2):
        assert find_config(line, base, scope, wanted, attributes) == alone
    assert alone or scope == "one"


def test_all_is_read_by_one_search_and_without_what_nobody_asks_for():
    world = World()
    line = keeping(world)
    world.operations.clear()
    for base in ("cn=config", SYNC, HANDLERS, "cn=Access Control Handler,cn=config"):
        find_config(line, base, "sub", "(objectClass=*)", ["objectClass"])
    bound, asked = world.operations
    assert (bound, asked.split(" (")[0]) == ("bind", "cn=config sub")
    assert "*" not in asked.partition("(objectClass=*)")[2] and "assword" not in asked


def test_what_is_not_there_the_server_says_itself():
    line = keeping(World())
    assert read_config_entry(line, "cn=gone,cn=config", ["ds-cfg-enabled"]) is None
    with pytest.raises(DirectoryError) as told:
        find_config(line, "cn=gone,cn=config", "base", "(objectClass=*)", ["ds-cfg-enabled"])
    assert told.value.status == 32


class Strict(FakeDirectory):
    """Refuses a search for all of the configuration."""

    status = 4

    def stream(self, base, scope, *more, **how):
        if (base, scope) == ("cn=config", "sub"):
            self.world.operations.append("all")
            raise refusal(self.status)
        return super().stream(base, scope, *more, **how)


@pytest.mark.parametrize("status", [3, 4, 11, 32, 50])
def test_where_all_is_too_much_each_is_asked_for(status):
    line = Strict(World())
    line.kept, line.status = {}, status
    for _again in range(2):
        assert find_config(line, SYNC, "sub", "(objectClass=*)", ["objectClass"])
    assert line.world.operations.count("all") == 1 and len(line.world.operations) == 3


def test_a_refused_password_is_not_tried_again():
    line = Strict(World())
    line.kept, line.status = {}, 49
    with pytest.raises(DirectoryError):
        find_config(line, SYNC, "sub", "(objectClass=*)", ["objectClass"])
    assert line.world.operations == ["all"]


def test_an_entry_whose_name_cannot_be_compared_hides_none():
    world = World()
    world.put("no name,cn=Synchronization Providers,cn=config", objectClass=["ds-cfg-branch"])
    line = keeping(world)
    found = find_config(line, SYNC, "sub", "(objectClass=*)", ["objectClass"])
    assert found == find_config(FakeDirectory(world), SYNC, "sub", "(objectClass=*)", ["objectClass"])
