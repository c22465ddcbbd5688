# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several directory servers the connector reads now, and whether they number changes alike."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog import in_use
from ansible_collections.idmops.idm.plugins.module_utils._changelog.in_use import find_in_use, same_numbers
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import FAILOVER, OTHER, SAME, UNKNOWN
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.tests.unit.doubles.directory import FakeDirectory, World

#: The administration ports of two servers on one host (tests/servers/topology), and the connector's own ports of them.
ONE, TWO = "ldaps://localhost:4444", "ldaps://localhost:5444"
HOSTS = (
    ("localhost", 1389),
    ("localhost", 2389),
)


def second(uri=TWO, admin="5444"):
    """A server with other ports than the first."""
    world = World(uri)
    for name, port in (("LDAP", "2389"), ("LDAPS", "2636")):
        world.set(f"cn={name} Connection Handler,cn=Connection Handlers,cn=config", "ds-cfg-listen-port", port)
    world.set("cn=Administration Connector,cn=config", "ds-cfg-listen-port", admin)
    return world


def find(*worlds, hosts=HOSTS):
    return find_in_use([FakeDirectory(world) for world in worlds], hosts)


@pytest.mark.parametrize("turned", [False, True])
def test_administration_ports_of_one_host_are_told_apart_by_what_the_servers_say(turned):
    worlds = [World(ONE), second()]
    found = find(*(reversed(worlds) if turned else worlds))
    assert (found.directory.uri, found.whose.answer, found.away) == (ONE, SAME, ())


def test_the_failover_is_asked_while_the_first_is_away():
    first = World(ONE)
    first.down = True
    found = find(first, second())
    assert (found.directory.uri, found.whose.answer, found.whose.usable) == (TWO, FAILOVER, True)
    assert ONE in found.whose.sentence and TWO in found.whose.sentence and "cannot be compared" in found.whose.sentence
    assert [one.uri for one in found.away] == [ONE]


def test_a_failover_whose_first_server_is_not_known_to_be_away_is_not_taken_for_it():
    """Nobody listed it, so that it may well be there: then the connector reads that one."""
    found = find(second())
    assert (found.whose.answer, found.whose.usable, found.whose.place) == (UNKNOWN, False, 1)
    elsewhere = World("ldaps://192.0.2.7:4444")
    elsewhere.down = True
    assert not find(second(), elsewhere).whose.usable


def test_one_server_that_is_away_stands_for_one_server():
    third = World(ONE)
    third.down = True
    found = find(third, second(), hosts=[("localhost", 1), ("localhost", 2), ("localhost", 2389)])
    assert found.whose.place == 2 and not found.whose.usable


def test_all_are_away():
    worlds = [World(ONE), second()]
    for world in worlds:
        world.down = True
    with pytest.raises(NoAnswer, match="4444"):
        find(*worlds)


def test_the_first_is_away_and_the_other_is_no_server_of_the_connectors():
    """The other one must not be called the wrong one: the right one was given."""
    first = World(ONE)
    first.down = True
    with pytest.raises(NoAnswer, match="4444"):
        find(first, second(), hosts=[("localhost", 1389)])


def test_none_is_the_connectors():
    found = find(World(ONE), second(), hosts=[("localhost", 3)])
    assert (found.directory.uri, found.whose.answer) == (ONE, OTHER)


def test_an_error_is_none_of_a_server_that_is_away():
    first = World(ONE)
    first.passwords.clear()
    with pytest.raises(DirectoryError, match="49"):
        find(first, second())


def numbered(world, *csns):
    for number, csn in enumerate(csns, 1):
        world.set(f"changeNumber={number},cn=changelog", "replicationCSN", csn)
    return FakeDirectory(world)


#: Shaped as replicationCSN of OpenDJ 4.6.5 (seen): time, server, sequence.
CSNS = [f"0000019ac9f0e1d5000100000{number:03}" for number in range(1, 11)]


@pytest.mark.parametrize("token", [None, 4, 99])
def test_servers_that_number_changes_alike(token):
    assert same_numbers(numbered(World(ONE), *CSNS), numbered(second(), *CSNS), token) is True


def test_servers_that_number_a_change_otherwise():
    other = [*CSNS[:3], CSNS[4], CSNS[3], *CSNS[5:]]
    one, two = numbered(World(ONE), *CSNS), numbered(second(), *other)
    assert (same_numbers(one, two, 4), same_numbers(one, two, None)) == (False, True)


def test_other_data_are_never_the_same_numbers():
    world = second()
    world.set("dc=example,dc=com", "ds-sync-generation-id", "7")
    assert same_numbers(numbered(World(ONE), *CSNS), numbered(world, *CSNS), None) is False


def test_numbers_that_cannot_be_compared():
    assert same_numbers(FakeDirectory(World(ONE)), FakeDirectory(second()), None) is None
    bare = second()
    bare.drop_change_log()
    assert same_numbers(numbered(World(ONE), *CSNS), FakeDirectory(bare), None) is None


def test_two_that_have_no_change_yet():
    worlds = [World(ONE), second()]
    for world in worlds:
        for name in ("firstChangeNumber", "lastChangeNumber"):
            world.set("", name, "0")
    assert same_numbers(*(FakeDirectory(world) for world in worlds), None) is True


def test_all_but_the_one_that_is_used_are_closed():
    third = second("ldaps://localhost:6444", "6444")
    asked = [FakeDirectory(world) for world in (third, second(), World(ONE))]
    found = find_in_use(asked, HOSTS)
    assert found.directory is asked[2] and found.directory._bound
    assert [one._bound for one in asked[:2]] == [False, False]


def test_a_server_that_goes_away_while_it_is_asked_is_passed_over(monkeypatch):
    real = in_use.judge_whose

    def judge(directory, hosts):
        if directory.uri == ONE:
            raise NoAnswer("gone", ONE, "Look.")
        return real(directory, hosts)

    monkeypatch.setattr(in_use, "judge_whose", judge)
    found = find(World(ONE), second())
    assert (found.directory.uri, found.whose.answer, [one.uri for one in found.away]) == (TWO, FAILOVER, [ONE])
    with pytest.raises(NoAnswer):
        find(World(ONE))
