# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connector with two directory servers: the one that it reads is asked, and the other one is not forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import WantedGrants, apply_grants
from ansible_collections.idmops.idm.plugins.module_utils._health import log_facts, standby
from ansible_collections.idmops.idm.plugins.module_utils._health.directories import directories
from ansible_collections.idmops.idm.plugins.module_utils._health.log_facts import LogReader
from ansible_collections.idmops.idm.plugins.module_utils._idm.connector import Connector
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import NoAnswer
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.tests.unit.doubles.directory import ACCOUNT, ADMIN, HANDLER, FakeDirectory, World
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

ONE, TWO = "ldaps://ds1.example.com:4444", "ldaps://ds2.example.com:4444"
CONNECTOR = Connector.parse(
    {
        "_id": "provisioner.openicf/ldap",
        "connectorRef": {"connectorName": "org.identityconnectors.ldap.LdapConnector"},
        "configurationProperties": {
            "host": "ds1.example.com",
            "port": 1389,
            "failover": ["ldap://ds2.example.com:1389"],
            "principal": ACCOUNT,
            "baseContexts": ["dc=example,dc=com"],
        },
    }
)
OPTIONS = {"servers": [ONE, TWO], "bind_dn": ADMIN, "bind_password": "admin-password"}


@pytest.fixture
def worlds(monkeypatch):
    worlds = {uri: World(uri) for uri in (ONE, TWO)}
    for world in worlds.values():
        writing = Context()
        apply_grants(FakeDirectory(world, writing), WantedGrants(Name.parse(ACCOUNT)), writing)
        for number in range(1, 11):
            world.set(f"changeNumber={number},cn=changelog", "replicationCSN", f"0000019ac9f0e1d5000100000{number:03}")
        world.binds.clear()
        world.greetings = 0
    monkeypatch.setattr(log_facts, "Directory", lambda options, uri, it: FakeDirectory(worlds[uri], it, options))
    return worlds


def facts(it=None, connector=CONNECTOR, token=8, **options):
    it = it or context()
    given = {**OPTIONS, **options}
    url = directories(given, [connector], it)["ldap"]
    with LogReader(given, url, connector, it) as log:
        return log.facts(token)


def test_both_are_there_and_alike(worlds):
    found = facts()
    assert (found.server, found.pending, found.meanwhile, found.standby) == (ONE, 2, False, ())
    assert facts(servers=[TWO, ONE]).server == ONE


def test_while_the_first_is_away_the_failover_is_asked_and_the_first_is_named(worlds):
    worlds[ONE].down = True
    it = context()
    found = facts(it)
    assert (found.server, found.pending, found.last, found.meanwhile) == (TWO, 2, 10, True)
    assert ONE in found.doubt and any(ONE in text and ACCOUNT in text for text in found.standby)
    assert len(it.report.warnings) == 1 and ONE in it.report.warnings[0]
    assert worlds[ONE].greetings == 1


def test_a_failover_that_is_away_is_named(worlds):
    worlds[TWO].down = True
    found = facts()
    assert (found.server, found.meanwhile, found.doubt) == (ONE, False, "")
    (said,) = found.standby
    assert TWO in said and "cannot be known" in said
    (said,) = found.elsewhere
    assert f"What was changed at {TWO}, and not replicated" in said


CSNS = ("0000019ac9f0e1d5000100000001", "0000019ac9f0e1d6000200000001", "0000019ac9f0e1d7000200000002")


def test_changes_that_are_not_replicated_are_said(worlds):
    worlds[ONE].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[0]} {CSNS[1]};")
    worlds[TWO].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[0]} {CSNS[1]};")
    assert facts().elsewhere == ()
    worlds[TWO].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[0]} {CSNS[2]};")
    it = context()
    (said,) = facts(it).elsewhere
    assert f"{TWO} has changes that {ONE} has not got yet" in said and it.clock.slept > 0
    worlds[ONE].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[0]};")
    assert len(facts().elsewhere) == 1
    worlds[ONE].set("", "lastExternalChangelogCookie")
    assert facts().elsewhere == ()


def test_a_replication_that_takes_a_moment_is_waited_for(worlds):
    worlds[ONE].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[1]};")
    worlds[TWO].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[2]};")
    it = context()
    it.clock.sleep = lambda seconds: worlds[ONE].set("", "lastExternalChangelogCookie", f"dc=example,dc=com:{CSNS[2]};")
    assert facts(it).elsewhere == ()


def test_both_are_away(worlds):
    for world in worlds.values():
        world.down = True
    with pytest.raises(NoAnswer):
        facts()


def test_grants_that_the_failover_lacks_are_said(worlds):
    worlds[TWO].set(HANDLER, "ds-cfg-global-aci")
    (said,) = facts().standby
    assert f"lacks on {TWO}: root_dse, change_log" in said and "without a word" in said


def test_other_numbers_on_the_failover_are_said(worlds):
    worlds[TWO].set("changeNumber=8,cn=changelog", "replicationCSN", "another")
    (said,) = facts().standby
    assert f"{TWO} numbers changes otherwise than {ONE}" in said
    worlds[TWO].set("changeNumber=8,cn=changelog", "replicationCSN")
    (said,) = facts().standby
    assert "cannot be known" in said


def test_a_failover_without_a_change_log_or_without_the_account_is_said(worlds):
    del worlds[TWO].entries[ACCOUNT.lower()]
    (said,) = facts().standby
    assert f"has no account {ACCOUNT}: liveSync ends when the connector goes over to it." in said
    worlds[TWO].drop_change_log()
    (said,) = facts().standby
    assert "no change log" in said


@pytest.mark.parametrize("status", [1, 50])
def test_a_failover_that_does_not_let_its_account_be_read_is_not_said_to_have_none(worlds, monkeypatch, status):
    refused = DirectoryError(f"answered {status}: not for you", status=status)

    def judge_access(directory, principal, log):
        raise refused

    monkeypatch.setattr(standby, "judge_access", judge_access)
    (said,) = facts().standby
    assert f"could go on at {TWO} cannot be known: answered {status}" in said and "no account" not in said


def test_a_failover_that_refuses_the_password_is_said(worlds):
    worlds[TWO].passwords.clear()
    found = facts()
    (said,) = found.standby
    assert found.server == ONE and f"could go on at {TWO} cannot be known" in said


def test_a_failover_that_was_not_given_is_named(worlds):
    (said,) = facts(servers=[ONE]).standby
    assert "ds2.example.com:1389" in said and "in servers" in said


def test_a_connector_of_one_server_is_asked_for_no_other(worlds):
    assert facts(connector=replace(CONNECTOR, failover=())).standby == ()
    assert worlds[TWO].binds == []


def test_a_token_beyond_the_failover_is_no_reason_to_change_anything(worlds):
    worlds[ONE].down = True
    with LogReader(OPTIONS, ONE, CONNECTOR, context()) as log:
        state, remedy = log.outside(11)
        assert state == "ahead" and ONE in remedy and "before anything is changed" in remedy
        assert log.outside(10) is None and log.last() == 10
