# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits that a load meets, and what the number of entries needs."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.limits import (
    assess,
    checked_limits,
    entry_counts,
    outermost,
    read_limits,
    round_number,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import Account
from ansible_collections.idmops.idm.plugins.module_utils._changelog.server_config import (
    ServerDefaults,
    purge_seconds,
    read_index_entry_limit,
    read_server_defaults,
    seconds,
)
from ansible_collections.idmops.idm.tests.unit.doubles.directory import ACCOUNT, REPLICATION, FakeDirectory, World

PLAIN = Account("uid=idm,dc=x")


def limits(entries, account=PLAIN, indexed=None, index_entry_limit=4000, **defaults):
    held = ServerDefaults(limits={**ServerDefaults().limits, **defaults})
    indexed = entries if indexed is None else indexed
    return assess(account, held, entries=entries, indexed=indexed, index_entry_limit=index_entry_limit)


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        (500, ()),
        (833, ()),
        (834, ("size_limit",)),
        (1001, ("size_limit",)),
        (4000, ("size_limit",)),
        (4001, ("size_limit", "unindexed_search")),
        (4167, ("size_limit", "lookthrough_limit", "unindexed_search")),
        (6000, ("size_limit", "lookthrough_limit", "unindexed_search")),
        (10001, ("size_limit", "lookthrough_limit", "time_limit", "unindexed_search")),
    ],
)
def test_the_walls_of_the_servers_defaults(entries, missing):
    assert limits(entries).missing == missing


def test_an_idle_limit_shorter_than_the_load_stops_it():
    assert "idle_time_limit" in limits(6000, idle_time_limit=30).missing
    assert "idle_time_limit" not in limits(6000, idle_time_limit=60).missing
    assert "idle_time_limit" not in limits(6000, idle_time_limit=0).missing


def test_the_accounts_own_limit_holds_and_none_is_enough():
    own = Account("uid=idm,dc=x", limits={"size_limit": 0, "lookthrough_limit": 100})
    found = {limit.name: limit for limit in limits(6000, own).limits}
    assert found["size_limit"].enough
    assert found["size_limit"].own
    assert not found["lookthrough_limit"].enough
    assert not found["time_limit"].own


@pytest.mark.parametrize(("indexed", "limit", "needed"), [(4001, 4000, True), (4000, 4000, False), (9**9, 0, False)])
def test_the_privilege_is_needed_above_the_index_entry_limit(indexed, limit, needed):
    assert limits(10, indexed=indexed, index_entry_limit=limit).needs_unindexed_search is needed


def test_a_held_privilege_is_not_missing():
    account = Account("uid=idm,dc=x", privileges=frozenset({"unindexed-search"}))
    assert "unindexed_search" not in limits(6000, account).missing


@pytest.mark.parametrize(
    ("entries", "effective", "asked", "value"),
    [
        (500, 1000, None, None),
        (6000, 1000, None, 20000),
        (6000, 20000, None, None),
        (6000, 0, None, None),
        (6000, 1000, 0, 0),
        (6000, 1000, 1500, 1500),
        (6000, 1000, 1000, None),
        (6000, 1000, 1001, 1001),
        (6000, 1000, 900, None),
        (6000, 0, 5000, None),
    ],
)
def test_a_limit_is_raised_to_what_is_needed_and_never_lowered(entries, effective, asked, value):
    found = {limit.name: limit for limit in limits(entries, size_limit=effective).limits}
    assert found["size_limit"].raised(asked) == value


def test_what_is_raised_once_is_enough_until_the_directory_has_grown():
    account = Account("uid=idm,dc=x", limits={"size_limit": 20000})
    assert "size_limit" not in limits(6000, account).missing
    assert "size_limit" not in limits(12000, account).missing
    assert "size_limit" in limits(17000, account).missing


def test_with_changes():
    before = limits(6000)
    after = before.with_changes({"size_limit": 20000}, unindexed_search=True)
    assert after.missing == ("lookthrough_limit",)
    assert after.shown()["size_limit"] == {"effective": 20000, "needed": 7200, "enough": True, "own": True}
    assert before.missing == ("size_limit", "lookthrough_limit", "unindexed_search")


def test_all_limits_as_they_are_shown():
    own = Account("uid=idm,dc=x", limits={"time_limit": 25})
    assert limits(4001, own, index_entry_limit=4000).shown() == {
        "size_limit": {"effective": 1000, "needed": 4802, "enough": False, "own": False},
        "lookthrough_limit": {"effective": 5000, "needed": 4802, "enough": True, "own": False},
        "time_limit": {"effective": 25, "needed": 25, "enough": True, "own": True},
        "idle_time_limit": {"effective": 0, "needed": 25, "enough": True, "own": False},
        "unindexed_search": {"effective": False, "needed": True, "enough": False},
        "index_entry_limit": 4000,
    }


@pytest.mark.parametrize(
    ("held", "entries", "shown"),
    [
        (False, 4000, {"effective": False, "needed": False, "enough": True}),
        (True, 4000, {"effective": True, "needed": False, "enough": True}),
        (True, 4001, {"effective": True, "needed": True, "enough": True}),
    ],
)
def test_whether_an_unindexed_search_is_possible_where_it_is_needed(held, entries, shown):
    account = Account("uid=idm,dc=x", privileges=frozenset({"unindexed-search"} if held else ()))
    assert limits(entries, account).shown()["unindexed_search"] == shown


@pytest.mark.parametrize(
    ("number", "rounded"), [(1, 1), (9, 9), (11, 20), (100, 100), (101, 200), (12002, 20000), (91, 100)]
)
def test_round_number(number, rounded):
    assert round_number(number) == rounded


def test_checked_limits():
    assert checked_limits({"size_limit": 0, "time_limit": None, "raise_limits": True}) == {"size_limit": 0}
    with pytest.raises(InvalidOption, match="size_limit: -1"):
        checked_limits({"size_limit": -1})


def test_outermost():
    assert outermost(["ou=a,dc=x", "dc=x", "OU=a, dc=X", "dc=y"]) == ["dc=x", "dc=y"]
    with pytest.raises(InvalidOption, match="base_contexts"):
        outermost(["x"])


def test_entry_counts_add_up_the_containers():
    directory = FakeDirectory(World())
    assert entry_counts(directory, ["dc=example,dc=com", "ou=People,dc=example,dc=com"]) == {
        "dc=example,dc=com": 104,
        "ou=People,dc=example,dc=com": 101,
    }
    with pytest.raises(DirectoryError, match="no entry ou=no") as caught:
        entry_counts(directory, ["ou=no,dc=example,dc=com"])
    assert (caught.value.status, caught.value.remedy) == (32, "Check base_contexts.")


def test_the_index_of_the_whole_suffix_counts():
    world = World()
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "5000")
    found = read_limits(FakeDirectory(world), PLAIN, ServerDefaults(), ["ou=apps,dc=example,dc=com"])
    assert found.entries == 2
    assert found.needs_unindexed_search


def test_without_base_contexts_everything_counts():
    assert read_limits(FakeDirectory(World()), PLAIN, ServerDefaults()).entries == 104


def test_index_entry_limit_of_the_index_then_of_the_backend_then_the_default():
    world = World()
    backend = "ds-cfg-backend-id=userRoot,cn=Backends,cn=config"
    directory = FakeDirectory(world)
    assert read_index_entry_limit(directory, "dc=example,dc=com") == 4000
    world.set(backend, "ds-cfg-index-entry-limit", "9000")
    assert read_index_entry_limit(directory, "ou=People,dc=example,dc=com") == 9000
    world.put(f"ds-cfg-attribute=objectClass,cn=Index,{backend}", **{"ds-cfg-index-entry-limit": ["0"]})
    assert read_index_entry_limit(directory, "dc=example,dc=com") == 0
    assert read_index_entry_limit(directory, "dc=elsewhere") == 4000


def test_server_defaults():
    world = World()
    names = {"ds-cfg-size-limit": ["5"], "ds-cfg-time-limit": ["2 minutes"], "ds-cfg-lookthrough-limit": ["unlimited"]}
    world.put("cn=config", objectClass=["x"], **names, **{"ds-cfg-disabled-privilege": ["Changelog-Read"]})
    found = read_server_defaults(FakeDirectory(world))
    assert found.limits == {"size_limit": 5, "lookthrough_limit": 0, "time_limit": 120, "idle_time_limit": 0}
    assert found.disabled_privileges == {"changelog-read"}


def test_a_configuration_that_is_not_shown_is_called_that():
    world = World()
    del world.entries["cn=config"]
    world.put("cn=config")
    world.may = lambda *given: False
    directory = FakeDirectory(world)
    with pytest.raises(DirectoryError, match="does not show cn=config") as caught:
        read_server_defaults(directory)
    assert caught.value.status == 50
    assert "config-read" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "abc", "\ufffd", "1e999", "²", "9" * 5000 + " s", "true"])
def test_a_limit_that_is_none_is_an_error_that_names_it(text):
    world = World()
    world.set("cn=config", "ds-cfg-size-limit", text)
    with pytest.raises(DirectoryError, match="ds1.*ds-cfg-size-limit of cn=config, where a limit was expected"):
        read_server_defaults(FakeDirectory(world))


@pytest.mark.parametrize("text", ["abc", "-1", "dc=exa\0mple", "=", "\ufffd"])
def test_what_is_no_tree_is_an_error_that_names_it(text):
    world = World()
    world.set("", "namingContexts", text)
    with pytest.raises(DirectoryError, match="namingContexts of the root DSE, where a DN was expected"):
        read_limits(FakeDirectory(world), PLAIN, ServerDefaults())
    world = World()
    world.set("ds-cfg-backend-id=userRoot,cn=Backends,cn=config", "ds-cfg-base-dn", text)
    with pytest.raises(DirectoryError, match="ds-cfg-base-dn of ds-cfg-backend-id=userRoot.*where a DN was expected"):
        read_limits(FakeDirectory(world), PLAIN, ServerDefaults())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60 seconds", 60),
        ("60s", 60),
        ("1 m", 60),
        ("2 hours 30 m", 9000),
        ("1500 ms", 2),
        ("0 seconds", 0),
        ("1 day", 86400),
        ("2000 milliseconds", 2),
        ("1 s", 1),
        ("1 second", 1),
        ("3 minutes", 180),
        ("1 h", 3600),
        ("2 hours", 7200),
        ("1 d", 86400),
        ("1 w", 604800),
        ("2 weeks", 1209600),
        ("1 Week", 604800),
    ],
)
def test_seconds(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "3 moons"])
def test_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "limit"), [("0", 0), ("-1", 0), ("1", 1), (" Unlimited ", 0), ("60 seconds", 60), ("1 m", 60)]
)
def test_a_limit_of_the_configuration(text, limit):
    world = World()
    world.set("cn=config", "ds-cfg-size-limit", text)
    assert read_server_defaults(FakeDirectory(world)).limits["size_limit"] == limit


def test_how_long_changes_stay():
    world = World()
    assert purge_seconds(FakeDirectory(world)) == 3 * 86400
    world.set(REPLICATION, "ds-cfg-replication-purge-delay", "2 hours")
    assert purge_seconds(FakeDirectory(world)) == 7200
    for text in ("soon", ""):
        world.set(REPLICATION, "ds-cfg-replication-purge-delay", text)
        assert purge_seconds(FakeDirectory(world)) is None
    del world.entries[REPLICATION]
    assert purge_seconds(FakeDirectory(world)) is None
    assert purge_seconds(FakeDirectory(World(), options={"bind_dn": ACCOUNT, "bind_password": "wrong"})) is None
