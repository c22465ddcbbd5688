# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is gathered of directories: each is asked once, with its password once, and one does not end the others."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._changelog.anchor import Anchor
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import WantedGrants, apply_grants
from ansible_collections.idmops.idm.plugins.module_utils._changelog.whose import FAILOVER, OTHER, SAME
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.plugins.module_utils._record.load_record import Load
from ansible_collections.idmops.idm.plugins.module_utils._rollout import gather
from ansible_collections.idmops.idm.tests.unit.doubles.directory import ACCOUNT, ADMIN, FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import CONNECTOR, URI, finished
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import ScriptedClient, context

DS2 = "ldaps://ds2.example.com:4444"
BASE = {"base_contexts": ["dc=example,dc=com"]}


@pytest.fixture
def worlds(monkeypatch):
    worlds = {uri: World(uri) for uri in (URI, DS2)}
    for world in worlds.values():
        writing = Context()
        apply_grants(FakeDirectory(world, writing), WantedGrants(Name.parse(ACCOUNT)), writing)
        world.binds.clear()
        world.operations.clear()
        world.greetings = 0
    monkeypatch.setattr(gather, "Directory", lambda options, uri, it: FakeDirectory(worlds[uri], it, options))
    return worlds


@pytest.fixture
def gatherer():
    snapshot = type("Lists", (), {"connectors": {"ldap": CONNECTOR}})
    return gather.Gatherer(ScriptedClient(), None, snapshot, "enabled", context())


def look(gatherer, connector=CONNECTOR, **options):
    given = {"servers": [URI], "bind_dn": ADMIN, "bind_password": "admin-password", **BASE, **options}
    evidence = finished(directory=None)
    evidence = replace(evidence, request=replace(evidence.request, directory=given))
    return gatherer._with_directory(evidence, connector)


def test_the_server_tells_whose_it_is_and_which(worlds, gatherer):
    facts = look(gatherer).directory
    assert (facts.whose.answer, facts.identity.ids["replication server"]) == (SAME, "1")
    other = look(gatherer, replace(CONNECTOR, port=2389)).directory
    assert other.whose.answer == OTHER


def test_a_server_that_gives_no_answer_does_not_end_the_other_and_is_asked_once(worlds, gatherer):
    worlds[DS2].down = True
    for _source in range(2):
        facts = look(gatherer, servers=[URI, DS2]).directory
        assert [bool(server.error) for server in facts.servers] == [False, True]
        assert facts.whose.answer == SAME
    assert (worlds[DS2].greetings, worlds[DS2].binds) == (1, [])


BOTH = replace(CONNECTOR, failover=(("ds2.example.com", 1389),))


def test_while_the_first_server_is_away_the_failover_is_asked(worlds, gatherer):
    worlds[URI].down = True
    facts = look(gatherer, BOTH, servers=[URI, DS2]).directory
    assert (facts.uri, facts.whose.answer, URI in facts.whose.sentence) == (DS2, FAILOVER, True)
    assert [server.away for server in facts.servers] == [True, False] and facts.change_log.last == 10
    assert (facts.identity.ids, facts.identity.data) == ({}, {"dc=example,dc=com": "1159706"})
    worlds[DS2].down = True
    with gatherer.lines:
        pass  # what is open to it breaks
    facts = look(gatherer, BOTH, servers=[URI, DS2]).directory
    assert all(server.away for server in facts.servers) and facts.server.error


def test_each_server_is_bound_to_once_for_all_that_is_asked(worlds, gatherer):
    with gatherer.lines as lines:
        options = {"servers": [URI, DS2], "bind_dn": ADMIN, "bind_password": "admin-password", **BASE}
        for _source in range(2):
            assert not look(gatherer, BOTH, servers=[URI, DS2]).directory_error
        assert lines.connect(options, URI) is lines.connect(dict(options), URI)
        assert lines.connect(options, URI) is not lines.connect({**options, "bind_dn": ACCOUNT}, URI)
    assert [len(world.binds) for world in worlds.values()] == [1, 1]


def test_a_password_that_the_first_server_refuses_is_not_tried_again(worlds, gatherer):
    worlds[URI].passwords[ADMIN] = "another"
    assert look(gatherer, BOTH, servers=[URI, DS2]).directory.server.error.status == 49
    assert (worlds[URI].binds, worlds[DS2].binds) == ([ADMIN], [])


def test_servers_that_number_changes_otherwise_are_found(worlds, gatherer):
    for world in worlds.values():
        world.set("changeNumber=10,cn=changelog", "replicationCSN", "same")
    assert look(gatherer, BOTH, servers=[URI, DS2]).directory.misnumbered == ()
    worlds[DS2].set("changeNumber=10,cn=changelog", "replicationCSN", "another")
    assert look(gatherer, BOTH, servers=[URI, DS2]).directory.misnumbered == (DS2,)
    assert look(gatherer, CONNECTOR, servers=[URI, DS2]).directory.misnumbered == ()


@pytest.mark.parametrize(("password", "verified"), [("account-password", True), ("wrong", False)])
def test_the_accounts_password_is_tried_once_where_nothing_is_to_be_granted(worlds, gatherer, password, verified):
    for _source in range(2):
        facts = look(gatherer, principal_password=password).directory
        assert facts.verification.verified is verified
    assert worlds[URI].binds.count(ACCOUNT) == 1


def test_where_something_is_to_be_granted_the_password_is_tried_afterwards(worlds, gatherer):
    worlds[URI].set(ACCOUNT, "ds-privilege-name")
    assert look(gatherer, principal_password="wrong").directory.verification is None
    assert ACCOUNT not in worlds[URI].binds


def test_a_change_log_that_counts_anew_is_begun_anew_and_that_once(worlds, gatherer):
    for number in range(1, 11):
        name = f"changeNumber={number},cn=changelog"
        worlds[URI].set(name, "changeTime", f"202611281200{number:02}Z")
        worlds[URI].set(name, "replicationCSN", f"0000019bc9f0e1d5000100000{number:03}")
    now = Anchor(7, "2026-11-28T12:00:07Z", "0000019bc9f0e1d5000100000007")
    then = Anchor(9, "2026-11-24T17:00:07Z", "0000019ac9f0e1d5000100000009")

    def gap(token=9, foreign=(), anchor=None, **loads):
        given = {"servers": [URI], "bind_dn": ADMIN, "bind_password": "admin-password", **BASE}
        record = {name: Load("r", "x", ("a",), base_point=point) for name, point in loads.items()}
        evidence = finished(token=token, directory=None, record=record, foreign=frozenset(foreign), anchor=anchor)
        evidence = replace(evidence, request=replace(evidence.request, directory=given))
        found = gatherer._with_directory(evidence, CONNECTOR)
        return found.gap, found.loads, found.kept_record

    for known in ({"m": then}, {"anchor": then, "m": None}):
        said, loads, kept = gap(**known)
        assert "count anew" in said and (loads, kept) == ({"m": said}, {})
    assert gap(m=now)[0] is None  # as the role has left it
    assert gap(m=None)[0] is None  # as another release has written it
    assert gap(m=now, anchor=then)[0] is None
    assert gap(m=then, foreign=["m"])[0] is None  # of another IDM, and of another directory maybe
    assert gap(token=None, m=then)[0] is None


def test_a_server_is_asked_for_each_thing_once(worlds, gatherer):
    """Bind, configuration, account, root DSE with the rights on it, entries, rights on the newest change."""
    backend = "ds-cfg-backend-id=userRoot,cn=Backends,cn=config"
    worlds[URI].put(f"cn=Index,{backend}", objectClass=["ds-cfg-branch"])
    worlds[URI].put(f"ds-cfg-attribute=objectClass,cn=Index,{backend}", objectClass=["ds-cfg-backend-index"])
    for _source in range(2):
        facts = look(gatherer, base_contexts=["ou=People,dc=example,dc=com"]).directory
        assert (facts.whose.answer, facts.alias_search, facts.server.before.missing) == (SAME, True, ())
        assert facts.identity.data == {"dc=example,dc=com": "1159706"} and facts.entries == 101
    assert [one.split(" ")[0] for one in worlds[URI].operations] == [
        "bind",
        "cn=config",
        ACCOUNT,
        "",
        "dc=example,dc=com",
        "cn=changelog",
    ]


def test_what_is_read_at_once_is_what_each_search_says(worlds, gatherer):
    given = {"base_contexts": ["ou=People,dc=example,dc=com"]}
    at_once = look(gatherer, **given).directory
    gatherer.lines = SimpleNamespace(connect=lambda options, uri: FakeDirectory(worlds[uri]))
    assert look(gatherer, **given).directory == at_once
