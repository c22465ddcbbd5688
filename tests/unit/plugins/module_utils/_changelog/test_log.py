# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change log, read: how far it reaches, what is pending, which server counts."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base import address
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog import log as log_module
from ansible_collections.idmops.idm.plugins.module_utils._changelog.access import prove
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import (
    ChangeLog,
    alias_search_works,
    as_time,
    connector_servers,
    judge_access,
    read_change_log,
    time_of,
    unlisted_servers,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.server_config import ServerDefaults, unrecorded
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.tests.unit.doubles.directory import (
    ACCOUNT,
    REPLICATION,
    FakeDirectory,
    World,
)
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

PEOPLE = ["ou=People,dc=example,dc=com"]


def read(world, **options):
    return read_change_log(FakeDirectory(world, options=options))


def test_a_change_log():
    assert read(World()) == ChangeLog(1, 10, "change_numbers", "cn=changelog")
    assert read(World()).remedy is None


SWITCH = (
    "cn=external changelog,cn=example,cn=domains,cn=Multimaster Synchronization,cn=Synchronization Providers,cn=config"
)


@pytest.mark.parametrize(
    ("enabled", "bases", "left_out"),
    [
        ("false", PEOPLE, ("dc=example,dc=com",)),
        ("FALSE", ["DC=Example, DC=com"], ("dc=example,dc=com",)),
        ("true", PEOPLE, ()),
        ("false", ["dc=other"], ()),
    ],
)
def test_a_suffix_that_is_kept_out_of_the_change_log_is_named(enabled, bases, left_out):
    world = World()
    world.put(SWITCH, objectClass=["ds-cfg-external-changelog-domain"], **{"ds-cfg-enabled": [enabled]})
    assert unrecorded(FakeDirectory(world), bases) == left_out


@pytest.mark.parametrize("dn", ["", "=\\,,+", "cn=alone"])
def test_an_entry_whose_name_is_none_is_no_switch(dn):
    directory = FakeDirectory(World())
    entry = Entry(dn, {"objectclass": (b"ds-cfg-external-changelog-domain",), "ds-cfg-enabled": (b"false",)})
    directory.search = lambda *unused: [entry]
    assert unrecorded(directory, PEOPLE) == ()


def test_nothing_is_said_of_a_switch_that_may_not_be_read():
    hidden = FakeDirectory(World(), options={"bind_dn": ACCOUNT, "bind_password": "account-password"})
    assert unrecorded(hidden, PEOPLE) == ()


def test_none_without_a_replication_server():
    world = World()
    world.drop_change_log()
    assert read(world) is None


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("ds-cfg-changelog-enabled", "enabled-cookie-mode-only"), ("ds-cfg-compute-change-number", "false")],
)
def test_cookies_only_is_told_with_the_command_that_mends_it(attribute, value):
    world = World()
    world.set(REPLICATION, attribute, value)
    log = read(world)
    assert log.mode == "cookies_only"
    assert "dsconfig set-replication-server-prop" in log.remedy
    assert "changelog-enabled:enabled" in log.remedy


def test_a_mode_that_is_not_stated_is_told_by_the_numbers():
    """PingDS since 7.4 keeps cookies only by default: "Letting an LDAP account read cn=changelog", section 7."""
    world = World()
    assert read(world).mode == "change_numbers"
    for name in ("firstchangenumber", "lastchangenumber"):
        del world.entries[""][1][name]
    assert read(world).mode == "cookies_only"


@pytest.mark.parametrize("value", ["enabled", "Enabled"])
def test_enabled_has_change_numbers(value):
    world = World()
    world.set(REPLICATION, "ds-cfg-changelog-enabled", value)
    assert read(world).mode == "change_numbers"


def test_disabled_is_none():
    world = World()
    world.set(REPLICATION, "ds-cfg-changelog-enabled", "disabled")
    assert read(world) is None


def test_cookies_only_with_nothing_in_the_root_dse():
    world = World()
    world.set(REPLICATION, "ds-cfg-changelog-enabled", "enabled-cookie-mode-only")
    for name in ("changelog", "firstchangenumber", "lastchangenumber"):
        del world.entries[""][1][name]
    assert read(world) == ChangeLog(0, 0, "cookies_only", "cn=changelog")


def test_a_log_that_is_not_shown_is_not_called_missing():
    world = World()
    plain = world.may
    world.may = lambda who, right, dn, name: dn != "" and plain(who, right, dn, name)
    with pytest.raises(DirectoryError, match="does not show it in its root DSE"):
        read(world)


def test_replication_that_is_switched_off_is_told_as_that():
    """What changes meanwhile gets no number, ever (seen on OpenDJ 4.6.5)."""
    world = World()
    provider = REPLICATION.partition(",")[2]
    world.put(provider, objectClass=["ds-cfg-synchronization-provider"], **{"ds-cfg-enabled": ["false"]})
    for name in ("changelog", "firstchangenumber", "lastchangenumber"):
        del world.entries[""][1][name]
    with pytest.raises(DirectoryError, match="has its replication switched off") as caught:
        read(world)
    assert "--set enabled:true" in caught.value.remedy and "livesync_verify with sample: 0" in caught.value.remedy
    world.set(provider, "ds-cfg-enabled", "true")
    with pytest.raises(DirectoryError, match="does not show it in its root DSE"):
        read(world)


def test_an_account_that_reads_no_configuration_still_sees_the_numbers():
    world = World()
    plain = world.may
    world.may = lambda who, right, dn, name: not dn.endswith("cn=config") and plain(who, right, dn, name)
    assert read(world) == ChangeLog(1, 10, "change_numbers", "cn=changelog")


def test_an_error_computing_the_first_number_is_an_empty_log():
    world = World()
    world.set("", "firstChangeNumber", "-1")
    assert read(world).first == 0


@pytest.mark.parametrize(
    ("attribute", "text", "wanted"),
    [
        ("lastChangeNumber", "abc", "a number"),
        ("firstChangeNumber", "1e999", "a number"),
        ("changelog", "cn=change\0log", "a DN"),
        ("changelog", "true", "a DN"),
    ],
)
@pytest.mark.parametrize("look", [read_change_log, lambda one: prove(one, context(), wait=False)])
def test_a_root_dse_that_tells_something_else_is_not_a_log_without_numbers(look, attribute, text, wanted):
    world = World()
    world.set("", attribute, text)
    words = f"{attribute} of the root DSE, where {wanted} was expected"
    try:
        told = look(FakeDirectory(world)).found
    except DirectoryError as exc:
        told = exc.message
    assert words in told


def test_alias_search():
    world = World()
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert alias_search_works(directory, log)
    world.alias_search_fails = True
    assert not alias_search_works(directory, log)
    with pytest.raises(DirectoryError):
        alias_search_works(FakeDirectory(world, options={"bind_dn": ACCOUNT, "bind_password": "account-password"}), log)


TWO = {"servers": ["ldaps://ds1.example.com:4444", "ldaps://ds2.example.com:4444"]}


@pytest.mark.parametrize(
    ("servers", "hosts", "uris"),
    [
        (["ldaps://anything:4444"], [("ds1", 1636)], ["ldaps://anything:4444"]),
        (TWO["servers"], [("ds2.example.com", 1636)], ["ldaps://ds2.example.com:4444"]),
        (TWO["servers"], [("DS2.example.com.", 1636)], ["ldaps://ds2.example.com:4444"]),
        (TWO["servers"], [("gone", 1), ("ds1.example.com", 1636), ("ds2.example.com", 1)], TWO["servers"]),
        (TWO["servers"], [("ds2.example.com", 1636), ("ds1.example.com", 1)], TWO["servers"][::-1]),
        (
            ["ldap://localhost:1", "ldap://localhost:2"],
            [("127.0.0.1", 2)],
            ["ldap://localhost:2", "ldap://localhost:1"],
        ),
        (
            ["ldap://localhost:1", "ldap://localhost:2"],
            [("localhost", 3)],
            ["ldap://localhost:1", "ldap://localhost:2"],
        ),
        (["ldap://a", "ldap://[::1]:2"], [("localhost", 1636)], ["ldap://[::1]:2"]),
        (["ldap://a", "ldap://b"], [("alias-of-b", 1636)], ["ldap://b"]),
        (["ldap://a", "ldap://b", "ldap://alias-of-b"], [("alias-of-b", 1636)], ["ldap://alias-of-b"]),
    ],
)
def test_the_connectors_servers(servers, hosts, uris, monkeypatch):
    known = {"a": "192.0.2.1", "b": "192.0.2.2", "alias-of-b": "192.0.2.2"}
    monkeypatch.setattr(address, "_looked_up", lambda name: [known[name]] if name in known else [])
    assert connector_servers({"servers": servers}, hosts) == uris


@pytest.mark.parametrize(
    ("servers", "hosts", "words"),
    [
        (TWO["servers"], [("ds3", 1636)], "ds3:1636"),
        (TWO["servers"], [], "does not tell its host"),
    ],
)
def test_no_server_is_the_connectors(servers, hosts, words):
    with pytest.raises(InvalidOption, match=words):
        connector_servers({"servers": servers}, hosts)


@pytest.mark.parametrize(
    ("servers", "hosts", "strange"),
    [
        (["ldaps://ds1.example.com:4"], [("ds1.example.com", 1), ("ds2.example.com", 2)], ("ds2.example.com:2",)),
        (["ldaps://ds1.example.com", "ldaps://ds2.example.com"], [("ds1.example.com", 1), ("ds2.example.com", 2)], ()),
        (["ldaps://ds1.example.com"], [("ds2.example.com", 1), ("ds3.example.com", 2)], ()),
        (["ldaps://ds1.example.com"], [], ()),
        ([], [("ds1.example.com", 1)], ()),
    ],
)
def test_servers_of_the_connector_that_are_not_given(servers, hosts, strange):
    assert unlisted_servers(servers, hosts) == strange


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("20261124171926Z", "2026-11-24T17:19:26Z"),
        ("20261124171926.123Z", "2026-11-24T17:19:26Z"),
        ("20261124171926,1Z", "2026-11-24T17:19:26Z"),
        ("20261124171926", None),
        ("2026112417192Z", None),
        ("20261124171926.Z", None),
        ("20261124171926Z ", None),
        ("", None),
        (None, None),
    ],
)
def test_the_directorys_time(text, time):
    assert as_time(text) == time
    world = World()
    if text is not None:
        world.put("cn=monitor", currentTime=[text])
    assert time_of(FakeDirectory(world)) == time


def test_the_log_is_looked_for_at_the_name_that_the_server_tells():
    world = World()
    world.set("", "changelog", "cn=other")
    log = read(world)
    assert log.suffix == "cn=other"
    with pytest.raises(DirectoryError):
        alias_search_works(FakeDirectory(world), log)
    assert FakeDirectory(world).world.operations[-1].startswith("cn=other one (")
    world.set("", "changelog")
    assert read(world).suffix == "cn=changelog"


def test_what_an_account_may_use_without_a_log():
    found = judge_access(FakeDirectory(World()), ACCOUNT, None)
    assert (found.privilege, found.root_dse, found.change_log) == (False, False, False)


def test_a_log_with_a_first_number_alone_is_one_without_numbers():
    for name in ("firstChangeNumber", "lastChangeNumber"):
        world = World()
        world.set("", name)
        assert read(world).mode == "cookies_only"


def test_another_error_of_the_configuration_is_one():
    world = World()
    del world.entries["cn=synchronization providers,cn=config"]
    with pytest.raises(DirectoryError):
        unrecorded(FakeDirectory(world), PEOPLE)


def test_an_account_that_is_not_there_is_told_as_such():
    with pytest.raises(DirectoryError, match="has no account uid=nobody") as caught:
        judge_access(FakeDirectory(World()), "uid=nobody,dc=example,dc=com", None)
    assert caught.value.status == 32


def test_where_the_configuration_may_not_be_read_the_products_own_limits_hold(monkeypatch):
    def read(directory):
        raise DirectoryError("no", status=status)

    monkeypatch.setattr(log_module, "read_server_defaults", read)
    status = 50
    assert log_module.defaults_or_none(FakeDirectory(World())) == ServerDefaults()
    status = 52
    with pytest.raises(DirectoryError):
        log_module.defaults_or_none(FakeDirectory(World()))
