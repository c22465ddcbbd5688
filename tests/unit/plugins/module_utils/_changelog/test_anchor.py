# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change log that has begun to count anew: by its numbers nothing is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import (
    Anchor,
    counted_anew,
    newest,
    read_anchor,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import WantedGrants, apply_grants
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import read_change_log
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import Identity
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import LogReader
from ansible_collections.idmops.idm.plugins.module_utils._health.states import AHEAD
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load
from ansible_collections.idmops.idm.tests.unit.doubles.directory import ACCOUNT, ADMIN, FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

ONE_SERVER = "dc=example,dc=com:0000019ac9f0e1d5000100000010;"
TWO_SERVERS = "dc=example,dc=com:0000019ac9f0e1d5000100000010 0000019ac9f0e1d5000200000010;"
THEN = Anchor(7, "2026-11-24T17:00:07Z", "0000019ac9f0e1d5000100000007")


@pytest.fixture
def world():
    world = World()
    for number in range(1, 11):
        name = f"changeNumber={number},cn=changelog"
        world.set(name, "replicationCSN", f"0000019ac9f0e1d5000100000{number:03}")
        world.set(name, "changeTime", f"202611241700{number:02}Z")
    world.set("", "lastExternalChangelogCookie", ONE_SERVER)
    return world


def look(world, anchor):
    directory = FakeDirectory(world)
    return counted_anew(directory, read_change_log(directory), anchor)


def other(world, csn, time="20261128120000Z", number=7):
    world.set(f"changeNumber={number},cn=changelog", "replicationCSN", csn)
    world.set(f"changeNumber={number},cn=changelog", "changeTime", time)


def test_a_number_that_stands_for_what_it_stood_for_says_nothing(world):
    assert look(world, THEN) is None and look(world, None) is None
    assert read_anchor(FakeDirectory(world), read_change_log(FakeDirectory(world)), 7) == THEN


def test_a_number_that_stands_for_another_change_does(world):
    other(world, "0000019bc9f0e1d5000100000001")
    said = look(world, THEN)
    assert "count anew" in said and "2026-11-28T12:00:00Z" in said and "2026-11-24T17:00:07Z" in said
    assert "change 7" in said


def test_without_csn_the_times_tell(world):
    assert look(world, replace(THEN, csn=None)) is None
    other(world, "0000019bc9f0e1d5000100000001")
    assert look(world, replace(THEN, csn=None))
    assert look(world, replace(THEN, csn=None, time="last year")) is None


def test_what_the_log_does_not_show_tells_nothing(world):
    other(world, "0000019bc9f0e1d5000100000001")
    world.left_out = {7}
    assert look(world, THEN) is None
    world.left_out = set()
    world.set("", "firstChangeNumber", "8")
    assert look(world, THEN) is None  # it has been removed
    world.set("", "firstChangeNumber", "1")
    assert look(world, replace(THEN, number=11)) is None  # and this has not come yet
    assert look(world, THEN)
    world.set("changeNumber=7,cn=changelog", "changeTime", "yesterday")
    assert look(world, THEN) is None


def test_changes_of_one_moment_on_two_servers_are_numbered_in_either_order(world):
    other(world, "0000019ac9f0e1d5000200000009", "20261124170010Z")
    assert look(world, THEN)  # of a single server each number is its own
    world.set("", "lastExternalChangelogCookie", TWO_SERVERS)
    assert look(world, THEN) is None
    other(world, "0000019bc9f0e1d5000200000009", "20261124170018Z")
    assert look(world, THEN)


def test_the_newest_change_counts_whatever_its_number():
    before = Anchor(625, "2026-11-24T17:00:00Z", "a")
    since = Anchor(20, "2026-11-28T12:00:00Z", "b")
    assert newest([before, None, since]) == since and newest([None]) is None
    assert newest([Anchor(3, before.time), Anchor(4, before.time)]).number == 4


@pytest.mark.parametrize("document", [None, 7, [], {}, {"number": 7}, {"time": "x"}, {"number": "x", "time": "x"}])
def test_what_tells_of_no_change_is_none(document):
    assert Anchor.parse(document) is None


def test_what_is_stored_is_read_again():
    assert Anchor.parse(THEN.as_document()) == THEN


CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
        "configurationProperties": {
            "host": "ds1.example.com",
            "port": 1389,
            "principal": ACCOUNT,
            "baseContexts": ["dc=example,dc=com"],
        },
    }
)


@pytest.fixture
def reader(world, monkeypatch):
    monkeypatch.setattr(log_facts, "Directory", lambda options, uri, it: FakeDirectory(world, it, options))
    writing = Context()
    apply_grants(FakeDirectory(world, writing), WantedGrants(Name.parse(ACCOUNT)), writing)
    given = {"servers": [world.uri], "bind_dn": ADMIN, "bind_password": "admin-password"}
    return lambda connector=CONNECTOR: LogReader(given, world.uri, connector, context())


def test_a_token_of_an_earlier_count_is_ahead(world, reader):
    assert reader().outside(8, [THEN]) is None and reader().facts(8, [THEN]).anew is None
    other(world, "0000019bc9f0e1d5000100000001")
    state, remedy = reader().outside(8, [THEN])
    assert state == AHEAD and "count anew" in remedy and "role livesync" in remedy
    assert "count anew" in reader().facts(8, [THEN]).anew
    assert reader().facts(None, [THEN]).anew is None and reader().outside(None, [THEN]) is None


def loaded(server, data="1159706"):
    return [Load("r", "", directory=Identity({"replication server": server}, {"dc=example,dc=com": data}))]


@pytest.mark.parametrize("noted", [None, replace(THEN, number=2), THEN])
def test_a_token_of_another_server_is_known_by_the_servers_ids_where_no_change_tells(world, reader, noted):
    """Seen: a connector was moved to a server whose numbers had passed the token; the role wants the token away."""
    world.set("", "firstChangeNumber", "3")
    anchors = [noted]
    assert reader().outside(8, anchors, loaded("1")) is None
    if noted == THEN:  # it is the same log, whatever stands in an old record
        assert reader().outside(8, anchors, loaded("9")) is None
        other(world, "0000019bc9f0e1d5000100000001")
    for state, remedy in [
        reader().outside(8, anchors, loaded("9")),
        (AHEAD, reader().facts(8, anchors, loaded("9")).anew),
    ]:
        assert state == AHEAD and remedy.startswith("The token 8 belongs to another change log: the server was")
        assert "livesync_token with state: absent" in remedy and "role livesync" in remedy
    if noted != THEN:
        assert reader().outside(8, anchors, loaded("1", "7")) is None  # other data alone count nothing anew


def test_what_was_seen_counts_with_the_change_that_was_noted_beside_it(world, reader):
    assert (reader().seen(0, None), reader().seen(7, THEN), reader().seen(7, None)) == (0, 7, None)
    assert reader(replace(CONNECTOR, host="elsewhere")).seen(7, THEN) is None
    world.left_out = {7}
    assert reader().seen(7, THEN) is None
    world.left_out = set()
    other(world, "0000019bc9f0e1d5000100000001")
    assert reader().seen(7, THEN) is None


def test_what_has_been_met_is_noted_of_the_connectors_own_server_alone(world, reader):
    its = reader()
    assert its.reached is None
    its.touched(8, 40)
    assert its.reached == Anchor(8, "2026-11-24T17:00:08Z", "0000019ac9f0e1d5000100000008")
    its.touched(8, 40, 8)  # nothing more
    assert its.reached.number == 8 and its.anchor(7) == THEN
    strange = reader(replace(CONNECTOR, host="elsewhere"))
    strange.touched(8, 40)
    assert strange.reached is None and strange.anchor(7) is None and strange.outside(8, [THEN]) is None


@pytest.mark.parametrize(("number", "there"), [(None, False), (0, False), (1, True), (10, True), (11, False)])
def test_a_change_is_read_within_the_log_alone(world, number, there):
    directory = FakeDirectory(world)
    found = read_anchor(directory, read_change_log(directory), number)
    assert (found is not None) is there and (not there or found.number == number)


def test_of_a_log_that_has_been_trimmed_the_first_is_there_and_none_before():
    world = World()
    world.set("", "firstChangeNumber", "4")
    for number in (3, 4):
        world.set(f"changeNumber={number},cn=changelog", "changeTime", "20261124170000Z")
    directory = FakeDirectory(world)
    log = read_change_log(directory)
    assert read_anchor(directory, log, 3) is None and read_anchor(directory, log, 4).number == 4
