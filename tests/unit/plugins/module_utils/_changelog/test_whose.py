# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a directory server is the connector's: by name, by address, by the ports that it says it has."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import (
    DATA,
    OTHER,
    SAME,
    SERVER,
    UNKNOWN,
    Identity,
    judge_whose,
    read_identity,
)
from ansible_collections.idmops.idm.tests.unit.doubles.directory import ACCOUNT, FakeDirectory, World

DS1, DS2 = "ds1.example.com", "ds2.example.com"
ADMIN_URL = f"ldaps://{DS1}:4444"
NAMES = {DS1: ["192.0.2.1"], "alias.example.com": ["192.0.2.9", "192.0.2.1"], DS2: ["192.0.2.2"]}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    def look_up(host, *unused, **more):
        if host not in NAMES:
            raise socket.gaierror("unknown")
        return [(None, None, None, "", (address, 0)) for address in NAMES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    ("uri", "hosts", "answer", "words"),
    [
        (f"ldap://{DS1}:1389", [(DS1, 1389)], SAME, ""),
        (ADMIN_URL, [(DS1, 1389)], SAME, ""),
        (ADMIN_URL, [("alias.example.com", 1636)], SAME, ""),
        (ADMIN_URL, [(DS1, 8080)], OTHER, "ports 1389, 1636, 4444"),  # a handler that is off
        (ADMIN_URL, [(DS1, 2389)], OTHER, f"{DS1}:2389"),
        (ADMIN_URL, [(DS2, 1389)], UNKNOWN, "no name and no address"),
        (ADMIN_URL, [("nowhere", 1389)], UNKNOWN, "nowhere:1389"),
        (ADMIN_URL, [], UNKNOWN, "does not tell its host"),
        (f"ldaps://{DS1}:14444", [(DS1, 11389)], UNKNOWN, "reached by others"),  # ports of a container, handed on
        (ADMIN_URL, [(DS2, 1389), (DS1, 1389)], UNKNOWN, f"while {DS2}:1389 is away"),
        (ADMIN_URL, [(DS1, 2389), (DS1, 1389)], UNKNOWN, f"while {DS1}:2389 is away"),
    ],
)
def test_whose(uri, hosts, answer, words):
    found = judge_whose(FakeDirectory(World(uri)), hosts)
    assert found.answer == answer
    assert words in found.sentence and (found.sentence == "") == (answer == SAME)
    assert found.usable is (answer == SAME or hosts == [])


class Refusing(FakeDirectory):
    """A server that refuses every search."""

    status = 50

    def search(self, *unused, **more):
        raise DirectoryError("no", status=self.status)


@pytest.mark.parametrize("status", [50, 32])
def test_ports_that_may_not_be_read_tell_nothing(status):
    directory = Refusing(World(ADMIN_URL))
    directory.status = status
    found = judge_whose(directory, [(DS1, 1389)])
    assert found.answer == UNKNOWN and "may not read which ports" in found.sentence
    assert found.lacks and "config-read" in found.remedy and "Give in servers the server" not in found.remedy


@pytest.mark.parametrize("ask", [lambda one: judge_whose(one, [(DS1, 1389)]), read_identity])
def test_a_server_that_fails_is_not_one_that_refuses(ask):
    directory = Refusing(World(ADMIN_URL))
    directory.status = 52
    with pytest.raises(DirectoryError):
        ask(directory)


def test_a_port_of_too_many_digits_is_none():
    world = World(ADMIN_URL)
    world.set("cn=LDAP Connection Handler,cn=Connection Handlers,cn=config", "ds-cfg-listen-port", "9" * 5000)
    assert judge_whose(FakeDirectory(world), [(DS1, 1636)]).answer == SAME


def test_identity_of_a_server():
    found = read_identity(FakeDirectory(World()))
    assert found == Identity({"replication server": "1", "dc=example,dc=com": "1"}, {"dc=example,dc=com": "1159706"})
    assert Identity.parse(found.as_document()) == found and bool(found)


def test_identity_as_far_as_it_may_be_read(monkeypatch):
    directory = FakeDirectory(World(), options={"bind_dn": ACCOUNT, "bind_password": "account-password"})
    monkeypatch.setattr(directory, "search", lambda *unused, **more: [])
    assert read_identity(directory) == Identity()
    assert not Identity() and Identity.parse("odd") == Identity()


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (Identity({"a": "1"}, {"dc": "7"}), None),
        (Identity({"b": "2"}, {}), None),  # nothing in common: nothing is known
        (Identity(), None),
        (Identity({"a": "2"}, {"dc": "7"}), SERVER),
        (Identity({"a": "2"}, {"dc": "8"}), SERVER),
        (Identity({"a": "1", "b": "2"}, {"dc": "8"}), DATA),
    ],
)
def test_what_has_changed(now, what):
    assert now.changed_since(Identity({"a": "1"}, {"dc": "7"})) == what
