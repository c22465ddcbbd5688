# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several servers in one task, and the account's own proof."""

from __future__ import annotations

import json

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError, InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog.access import grant_everywhere
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import WantedGrants
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.tests.unit.doubles.directory import (
    ACCOUNT,
    ADMIN,
    FOREIGN,
    REPLICATION,
    FakeDirectory,
    World,
)

DS1, DS2, PORT = "ldaps://ds1.example.com:4444", "ldaps://ds2.example.com:4444", "ldaps://ds2.example.com:1636"


class FakeClock(Clock):
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class Site:
    """Two servers; the second one's LDAP port is the same server."""

    def __init__(self):
        self.worlds = {DS1: World(DS1), DS2: World(DS2)}
        self.connections = []

    def run(self, check_mode=False, context=None, wanted=None, **options):
        context = context or Context(check_mode=check_mode, clock=FakeClock())
        given = {
            "servers": [DS1, DS2],
            "bind_dn": ADMIN,
            "bind_password": "admin-password",
            "start_tls": False,
            **options,
        }
        return grant_everywhere(given, wanted or WantedGrants(Name.parse(ACCOUNT)), context, self._connect)

    def _connect(self, options, uri, context):
        made = FakeDirectory(self.worlds[DS2 if uri == PORT else uri], context, options)
        made.uri = uri
        self.connections.append((uri, options))
        return made

    @property
    def writes(self):
        return [write for world in self.worlds.values() for write in world.writes]


def test_each_server_is_reported_by_itself():
    site = Site()
    site.worlds[DS2].set(ACCOUNT, "ds-privilege-name", "changelog-read")  # replicated already
    result = site.run()
    assert result["changed"]
    assert [one["uri"] for one in result["servers"]] == [DS1, DS2]
    for one in result["servers"]:
        assert one["granted"] == ["privilege", "root_dse", "change_log"]
        assert one["missing"] == []
        assert one["change_log"] == {"first": 1, "last": 10, "mode": "change_numbers"}
        assert one["entries"] == 104
        assert one["verified"] is None
    assert result["diff"]["before"][DS1]["privileges"] == []
    assert result["diff"]["before"][DS2]["privileges"] == ["changelog-read"]
    assert result["diff"]["after"][DS1] == result["diff"]["after"][DS2]
    assert "verification" not in result
    assert site.run()["changed"] is False


def test_a_server_named_twice_is_one():
    assert len(Site().run(servers=[DS1, DS1])["servers"]) == 1


def test_check_mode_sends_no_write_and_shows_the_same_diff():
    site = Site()
    predicted = site.run(check_mode=True)
    assert site.writes == []
    done = site.run()
    assert predicted == done


def test_one_unreachable_server_fails_and_the_others_are_done_and_said():
    site = Site()
    site.worlds[DS1].down = True
    with pytest.raises(DirectoryError) as caught:
        site.run()
    found = caught.value.as_result()
    assert "ds1.example.com:4444 cannot be reached" in found["msg"]
    assert f"The others are done: {DS2}." in found["msg"]
    assert found["changed"] is True
    assert "cannot be reached" in found["servers"][0]["error"]
    assert found["servers"][1]["missing"] == []
    assert list(found["diff"]["after"]) == [DS2]
    assert site.worlds[DS2].writes


def test_servers_that_hang_are_each_reported_and_get_no_password():
    site = Site()
    site.worlds[DS1].down = site.worlds[DS2].down = True
    with pytest.raises(DirectoryError) as caught:
        site.run()
    assert [DS1 in caught.value.message, DS2 in caught.value.message] == [True, True]
    assert all("cannot be reached" in one["error"] for one in caught.value.result["servers"])
    assert [(world.binds, world.greetings) for world in site.worlds.values()] == [([], 1), ([], 1)]


def test_a_refused_administrator_is_not_tried_on_the_next_server():
    site = Site()
    with pytest.raises(DirectoryError) as caught:
        site.run(bind_password="wrong")
    assert caught.value.status == 49
    assert site.worlds[DS2].binds == []
    assert "was not tried" in caught.value.result["servers"][1]["error"]


def test_status_and_remedy_are_those_of_the_first_server_that_failed():
    site = Site()
    site.worlds[DS1].down = True
    with pytest.raises(DirectoryError) as caught:
        site.run(bind_password="wrong")
    assert "Invalid credentials" in caught.value.result["servers"][1]["error"]
    assert (caught.value.status, caught.value.remedy) == (None, "Check the URL.")


def test_bad_urls_are_refused_before_anything_is_sent():
    site = Site()
    with pytest.raises(InvalidOption):
        site.run(servers=[])
    assert site.connections == []


def test_the_account_proves_it_on_the_connectors_port():
    site = Site()
    result = site.run(principal_password="account-password", verify_uri=PORT)
    assert result["verification"]["verified"] is True
    assert result["verification"]["uri"] == PORT
    assert "change 10" in result["verification"]["found"]
    assert [one["verified"] for one in result["servers"]] == [None, True]
    assert site.worlds[DS2].binds.count(ACCOUNT) == 1
    assert site.worlds[DS1].binds.count(ACCOUNT) == 0


def test_the_first_server_is_the_one_without_verify_uri():
    result = Site().run(principal_password="account-password")
    assert result["verification"]["uri"] == DS1
    assert [one["verified"] for one in result["servers"]] == [True, None]


def test_a_wrong_password_is_tried_once_and_the_grants_are_said_to_be_done():
    site = Site()
    with pytest.raises(DirectoryError) as caught:
        site.run(principal_password="wrong")
    assert site.worlds[DS1].binds.count(ACCOUNT) == 1
    found = caught.value.as_result()
    assert "principal_password" in found["msg"]
    assert found["changed"] is True
    assert found["verification"]["verified"] is False


def test_no_secret_leaves():
    site = Site()
    with pytest.raises(DirectoryError) as caught:
        site.run(principal_password="wr0ng-secret")
    assert "wr0ng-secret" not in json.dumps(caught.value.as_result())
    assert "admin-password" not in json.dumps(site.run())


def test_grants_that_are_not_there_yet_are_not_proved_in_check_mode():
    site = Site()
    result = site.run(check_mode=True, principal_password="account-password")
    assert result["verification"]["verified"] is None
    assert ACCOUNT not in site.worlds[DS1].binds


def test_grants_that_are_there_are_proved_in_check_mode_too():
    site = Site()
    site.run()
    assert site.run(check_mode=True, principal_password="account-password")["verification"]["verified"] is True


def test_start_tls_is_dropped_for_an_encrypted_proof():
    site = Site()
    site.run(start_tls=True, principal_password="account-password", verify_uri=PORT)
    assert site.connections[-1][1]["start_tls"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"verify_uri": PORT}, "principal_password"),
        ({"principal_password": ""}, "empty password"),
        ({"principal_password": "x", "verify_uri": "http://ds1"}, "verify_uri"),
    ],
)
def test_a_proof_that_cannot_be_had_is_refused_before_anything_is_sent(options, words):
    site = Site()
    with pytest.raises(InvalidOption, match=words):
        site.run(**options)
    assert site.writes == []
    assert all(not world.binds for world in site.worlds.values())


def spoiled(change):
    site = Site()
    site.run()
    change(site.worlds[DS1])
    return site


def narrowed(world):
    """Make the account see changes without what they are, by a denial that effective rights are not asked about."""
    plain = world.may
    world.may = lambda who, right, dn, name: (
        plain(who, right, dn, name)
        and not (who == ACCOUNT and name in ("targetDN", "changeType") and ACCOUNT in world.binds)
    )


def silent(world):
    plain = world.may
    world.may = lambda who, right, dn, name: (
        plain(who, right, dn, name)
        and not (who == ACCOUNT and right == "search" and name == "changeNumber" and ACCOUNT in world.binds)
    )


def unseen(world):
    plain = world.may
    world.may = lambda who, right, dn, name: (
        plain(who, right, dn, name) and not (who == ACCOUNT and name == "firstChangeNumber" and ACCOUNT in world.binds)
    )


@pytest.mark.parametrize(
    ("change", "words", "remedy"),
    [
        (narrowed, "does not see its targetDN, changeType", "too few attributes"),
        (silent, "does not find change 10", "change log is missing"),
        (unseen, "does not see firstChangeNumber in the root DSE", "root DSE ACI"),
        (lambda world: setattr(world, "alias_search_fails", True), "80", "OpenDJ 4.8 to 5.0.3"),
    ],
)
def test_what_only_the_account_can_tell(change, words, remedy):
    site = spoiled(change)
    with pytest.raises(DirectoryError) as caught:
        site.run(principal_password="account-password")
    found = caught.value.as_result()
    assert words in found["msg"]
    assert remedy in found["remedy"]
    assert found["servers"][0]["verified"] is False
    assert site.worlds[DS1].binds.count(ACCOUNT) == 1, "one bind, whatever it meets"


def test_an_empty_log_proves_nothing():
    site = Site()
    world = site.worlds[DS1]
    for number in range(1, 11):
        del world.entries[f"changenumber={number},cn=changelog"]
    world.set("", "firstChangeNumber", "0")
    world.set("", "lastChangeNumber", "0")
    result = site.run(principal_password="account-password")
    assert result["verification"]["verified"] is None
    assert "empty" in result["verification"]["found"]


def test_grants_on_their_way_from_another_server_are_waited_for_with_one_bind():
    site = Site()
    clock = FakeClock()
    world = site.worlds[DS2]
    plain = world.may
    world.may = lambda who, right, dn, name: (
        plain(who, right, dn, name) and not (who == ACCOUNT and ACCOUNT in world.binds and clock.seconds < 3)
    )
    result = site.run(context=Context(clock=clock), principal_password="account-password", verify_uri=PORT)
    assert result["verification"]["verified"] is True
    assert 3 <= clock.seconds < 10
    assert world.binds.count(ACCOUNT) == 1


def test_absent_says_what_stays():
    site = Site()
    site.run(wanted=WantedGrants(Name.parse(ACCOUNT), limits={"size_limit": 5000}))
    result = site.run(wanted=WantedGrants(Name.parse(ACCOUNT), present=False), principal_password="account-password")
    assert [one["left"] for one in result["servers"]] == [
        ["ds-privilege-name: changelog-read", "ds-rlim-size-limit: 5000"]
    ] * 2
    assert result["servers"][0]["missing"] == ["root_dse", "change_log"]
    assert result["servers"][0]["granted"] == ["privilege"]
    assert "verification" not in result
    assert all(world.acis() == [FOREIGN] for world in site.worlds.values())


def test_raised_limits_are_told_since_open_connections_keep_theirs():
    site = Site()
    assert site.run()["limits_raised"] is False
    assert site.run(wanted=WantedGrants(Name.parse(ACCOUNT), limits={"size_limit": 5000}))["limits_raised"] is True


def test_a_log_without_change_numbers_is_warned_of():
    site = Site()
    site.worlds[DS1].set(REPLICATION, "ds-cfg-changelog-enabled", "enabled-cookie-mode-only")
    context = Context()
    result = site.run(context=context)
    assert result["servers"][0]["change_log"]["mode"] == "cookies_only"
    assert "without change numbers" in context.report.warnings[0]
    assert "changelog-enabled:enabled" in context.report.warnings[0]


def test_a_server_that_refuses_alias_searches_is_warned_of():
    site = Site()
    site.worlds[DS2].alias_search_fails = True
    context = Context()
    site.run(context=context)
    assert [DS2 in text and "OpenDJ 4.8 to 5.0.3" in text for text in context.report.warnings] == [True]


def test_a_change_before_a_failure_counts():
    site = Site()

    def refuse():
        raise DirectoryError("No more writes.", status=53)

    site.worlds[DS1].before_write = [lambda: None, refuse]
    with pytest.raises(DirectoryError) as caught:
        site.run(servers=[DS1])
    assert caught.value.result["changed"] is True


def test_what_is_taken_away_is_not_warned_of_nor_a_log_that_is_not_there():
    for spoil in (
        lambda world: world.set(REPLICATION, "ds-cfg-changelog-enabled", "enabled-cookie-mode-only"),
        lambda world: world.drop_change_log(),
        lambda world: setattr(world, "alias_search_fails", True),
    ):
        site, context = Site(), Context(clock=FakeClock())
        spoil(site.worlds[DS1])
        site.run(context=context, wanted=WantedGrants(Name.parse(ACCOUNT), present=False))
        assert not any("change numbers" in one or "follows aliases" in one for one in context.report.warnings)
