# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants on one server: what is decided, what is written, and what is not."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog import grants as grants_module
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import (
    DeniedByAci,
    WantedGrants,
    apply_grants,
    decide_grants,
    managed_state,
    predict,
    read_grants,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name
from ansible_collections.idmops.idm.tests.unit.doubles.directory import (
    ACCOUNT,
    ADMIN,
    ALL_CHANGE_LOG,
    ALL_ROOT_DSE,
    FOREIGN,
    HANDLER,
    FakeDirectory,
    World,
    aci,
)

IDM = Name.parse(ACCOUNT)
ALL = ("privilege", "root_dse", "change_log")


def apply(world, check_mode=False, options=None, **wanted):
    context = Context(check_mode=check_mode)
    return apply_grants(FakeDirectory(world, context, options), WantedGrants(IDM, **wanted), context)


def granted_world():
    world = World()
    apply(world)
    world.writes.clear()
    return world


def test_everything_is_granted_with_one_write_on_each_entry():
    world = World()
    before, after, changed = apply(world)
    assert changed
    assert before.access.missing == ALL
    assert after.access.granted == ALL
    assert [dn for dn, unused in world.writes] == [ACCOUNT, "cn=Access Control Handler,cn=config"]
    assert world.values(ACCOUNT, "ds-privilege-name") == ["changelog-read"]
    assert world.acis()[0] == FOREIGN
    assert len(world.acis()) == 3


def test_the_attribute_of_the_acis_is_never_replaced():
    world = World()
    apply(world)
    assert {one.how for unused, modifications in world.writes for one in modifications} == {"add"}


def test_a_second_time_nothing_is_written():
    world = granted_world()
    assert apply(world)[2] is False
    assert world.writes == []


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("start", [World, granted_world])
def test_check_mode_predicts_what_is_done_and_writes_nothing(start, present):
    world = start()
    how = {"present": present, "remove_privilege": True, "raise_limits": True, "limits": {"size_limit": 0}}
    predicted = apply(world, check_mode=True, **how)
    assert world.writes == []
    done = apply(world, **how)
    assert predicted[2] == done[2] == bool(world.writes)
    assert managed_state(predicted[1], IDM) == managed_state(done[1], IDM)
    if present or not world.writes:
        assert predicted[1].access == done[1].access
    else:  # what others grant, too, only the directory could tell
        assert predicted[1].access is None
    assert predicted[1].limits == done[1].limits


@pytest.mark.parametrize(
    "subject", ["anyone", "uid=*,ou=apps,dc=example,dc=com", ACCOUNT, "UID=IDM,ou=apps,dc=example,dc=com"]
)
def test_what_somebody_else_granted_is_enough_and_left_alone(subject):
    world = World()
    theirs = [aci(ALL_ROOT_DSE, subject), aci(ALL_CHANGE_LOG, subject)]
    world.set(HANDLER, "ds-cfg-global-aci", FOREIGN, *theirs)
    world.set(ACCOUNT, "ds-privilege-name", "Changelog-Read")
    assert apply(world)[2] is False
    apply(world, present=False)
    assert world.writes == []


def test_only_the_missing_half_is_added():
    world = World()
    world.set(HANDLER, "ds-cfg-global-aci", FOREIGN, aci(ALL_ROOT_DSE, "anyone"))
    apply(world)
    assert [text for text in world.acis() if "idmops" in text][0].startswith('(target="ldap:///cn=changelog")')
    assert len(world.acis()) == 3


def test_ours_that_was_widened_is_put_right_although_it_is_enough():
    world = granted_world()
    right = world.acis()
    world.set(HANDLER, "ds-cfg-global-aci", *[text.replace("uid=idm", "uid=*") for text in right])
    assert apply(world)[2] is True
    assert sorted(world.acis()) == sorted(right)
    assert [one.how for one in world.writes[0][1]] == ["delete", "add"], "in one modification"


def test_two_accounts_keep_apart():
    world = World()
    other = "uid=idm2,ou=apps,dc=example,dc=com"
    world.put(other, objectClass=["inetOrgPerson"])
    apply(world)
    mine = set(world.acis())
    context = Context()
    apply_grants(FakeDirectory(world, context), WantedGrants(Name.parse(other)), context)
    assert len(world.acis()) == 5
    apply_grants(FakeDirectory(world, context), WantedGrants(Name.parse(other), present=False), context)
    assert set(world.acis()) == mine
    assert world.values(other, "ds-privilege-name") == ["changelog-read"]


def test_absent_keeps_the_privilege_unless_told_and_never_the_limits():
    world = World()
    apply(world, limits={"size_limit": 5000})
    apply(world, present=False)
    assert world.acis() == [FOREIGN]
    assert world.values(ACCOUNT, "ds-privilege-name") == ["changelog-read"]
    apply(world, present=False, remove_privilege=True)
    assert world.values(ACCOUNT, "ds-privilege-name") == []
    assert world.values(ACCOUNT, "ds-rlim-size-limit") == ["5000"]


def test_absent_works_for_an_account_and_a_log_that_are_gone():
    world = granted_world()
    del world.entries[ACCOUNT.lower()]
    world.drop_change_log()
    before, after, changed = apply(world, present=False, remove_privilege=True)
    assert changed
    assert world.acis() == [FOREIGN]


def test_limits_are_raised_in_the_same_write_as_the_privileges():
    world = World()
    world.set(ACCOUNT, "ds-rlim-size-limit", "2000")
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "6000")
    before, after, changed = apply(world, raise_limits=True)
    on_account = world.writes[0][1]
    assert [(one.how, one.attribute, one.values) for one in on_account] == [
        ("add", "ds-privilege-name", (b"changelog-read", b"unindexed-search")),
        ("replace", "ds-rlim-size-limit", (b"20000",)),
        ("add", "ds-rlim-lookthrough-limit", (b"20000",)),
    ]
    assert after.missing == ()


@pytest.mark.parametrize("hidden", ["0", "100000"])
def test_a_limit_that_is_hidden_from_the_administrator_is_not_lowered(hidden):
    world = World()
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "6000")
    world.set(ACCOUNT, "ds-rlim-size-limit", hidden)
    may = world.may
    world.may = lambda who, right, dn, name: not name.lower().startswith("ds-rlim-") and may(who, right, dn, name)
    with pytest.raises(DirectoryError, match="65") as caught:
        apply(world, raise_limits=True)
    assert "may not read" in caught.value.remedy and "ds-rlim-size-limit" in caught.value.remedy
    assert world.values(ACCOUNT, "ds-rlim-size-limit") == [hidden] and world.writes == []


def test_without_load_limits_are_told_and_left():
    world = World()
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "6000")
    after = apply(world)[1]
    assert after.missing == ("size_limit", "lookthrough_limit", "unindexed_search")
    assert world.values(ACCOUNT, "ds-rlim-size-limit") == []


@pytest.mark.parametrize(("asked", "given"), [(None, True), (True, True), (False, False)])
def test_unindexed_search_can_be_refused(asked, given):
    world = World()
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "6000")
    apply(world, raise_limits=True, unindexed_search=asked)
    assert ("unindexed-search" in world.values(ACCOUNT, "ds-privilege-name")) is given


@pytest.mark.parametrize(("asked", "given"), [(900, "20000"), (2000, "20000"), (50000, "50000"), (0, "0")])
def test_a_limit_that_is_asked_for_is_the_least_beside_what_a_load_needs(asked, given):
    world = World()
    world.set("ou=People,dc=example,dc=com", "numSubordinates", "6000")
    unused, after, changed = apply(world, raise_limits=True, limits={"size_limit": asked})
    assert world.values(ACCOUNT, "ds-rlim-size-limit") == [given]
    assert after.missing == ()


def test_unindexed_search_can_be_given_without_need():
    world = World()
    apply(world, unindexed_search=True)
    assert world.values(ACCOUNT, "ds-privilege-name") == ["changelog-read", "unindexed-search"]


def test_a_denied_privilege_is_not_ours_to_remove():
    world = World()
    world.set(ACCOUNT, "ds-privilege-name", "-changelog-read")
    with pytest.raises(DirectoryError, match="-changelog-read on uid=idm"):
        apply(world)
    assert world.writes == []


def denying(reasons=True):
    world = World()
    denial = aci(ALL_CHANGE_LOG, "anyone", name="Nobody reads changes", verb="deny")
    world.set(HANDLER, "ds-cfg-global-aci", FOREIGN, denial)
    world.gives_reasons = reasons
    return world


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_aci_that_denies_is_named_and_nothing_is_granted(check_mode):
    world = denying()
    with pytest.raises(DeniedByAci, match="Nobody reads changes") as caught:
        apply(world, check_mode=check_mode)
    assert world.writes == [] and not caught.value.result.get("changed")
    apply(world, present=False)  # what is ours can be taken away all the same


def test_where_no_reason_is_given_what_was_granted_for_nothing_is_taken_back():
    world = denying(reasons=False)
    before = world.acis(), world.values(ACCOUNT, "ds-privilege-name")
    with pytest.raises(DirectoryError, match="still refuses .* the change log.*was taken back") as caught:
        apply(world)
    assert (world.acis(), world.values(ACCOUNT, "ds-privilege-name")) == before
    assert caught.value.result["changed"] is False and len(world.writes) == 4


def test_what_cannot_be_taken_back_is_said():
    world = denying(reasons=False)

    def refuse():
        raise DirectoryError("No more writes.", status=53)

    world.before_write = [lambda: None, lambda: None, refuse]
    with pytest.raises(DirectoryError, match="is still there: No more writes") as caught:
        apply(world)
    assert caught.value.result["changed"] is True


def test_no_change_log_stops_it_with_the_commands_that_make_one():
    world = World()
    world.drop_change_log()
    with pytest.raises(DirectoryError, match="keeps no change log") as caught:
        apply(world)
    assert "dsconfig create-replication-server" in caught.value.remedy
    assert world.writes == []


def test_another_access_control_handler_stops_it():
    world = World()
    world.set(HANDLER, "objectClass", "top", "ds-cfg-policy-based-access-control-handler")
    with pytest.raises(DirectoryError, match="does not decide access by ACIs"):
        apply(world)


def test_an_unknown_account_stops_it():
    world = World()
    del world.entries[ACCOUNT.lower()]
    with pytest.raises(DirectoryError, match="no account"):
        apply(world)
    assert world.writes == []


def test_somebody_faster_with_the_same_value_is_no_error():
    world = World()
    world.before_write.append(lambda: world.set(ACCOUNT, "ds-privilege-name", "changelog-read"))
    before, after, changed = apply(world)
    assert changed, "the ACIs were still ours to add"
    assert after.access.missing == ()
    assert [dn for dn, unused in world.writes] == ["cn=Access Control Handler,cn=config"]


def test_somebody_faster_in_taking_away_is_no_error():
    world = granted_world()
    world.before_write.append(lambda: world.set(HANDLER, "ds-cfg-global-aci", FOREIGN))
    assert apply(world, present=False)[2] is False
    assert world.acis() == [FOREIGN]


def test_a_race_that_never_ends_is_an_error():
    world = World()

    class Racing(FakeDirectory):
        """Whatever is decided, somebody else has done it by the time it is written, and undone it by the next look."""

        def read(self, dn, attributes, **how):
            if dn == ACCOUNT:
                world.set(ACCOUNT, "ds-privilege-name")
                world.before_write[:] = [lambda: world.set(ACCOUNT, "ds-privilege-name", "changelog-read")]
            return super().read(dn, attributes, **how)

    context = Context()
    with pytest.raises(DirectoryError, match="20") as caught:
        apply_grants(Racing(world, context), WantedGrants(IDM), context)
    # which is how it looks, too, where the administrator may not read what is there (seen on OpenDJ 4.6.5)
    assert "may not read" in caught.value.remedy and "ds-privilege-name" in caught.value.remedy


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        ((), {"config-read", "config-write", "privilege-change"}),
        (("config-read", "config-write"), {"privilege-change"}),
        (("config-read", "privilege-change"), {"config-write"}),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_right_that_the_administrator_lacks_is_named_before_anything_is_written(held, lacking, check_mode):
    world = World()
    admin = "uid=helper,ou=apps,dc=example,dc=com"
    world.put(admin, objectClass=["inetOrgPerson"], **{"ds-privilege-name": ["changelog-read", "bypass-acl", *held]})
    world.passwords[admin] = "x"
    with pytest.raises(DirectoryError, match="lacks the privilege") as caught:
        apply(world, check_mode, {"bind_dn": admin, "bind_password": "x"})
    named = {"config-read", "config-write", "privilege-change"} & set(caught.value.message.replace(",", " ").split())
    assert named == lacking
    assert caught.value.status == 50
    assert world.writes == []


@pytest.mark.parametrize("there", [True, False])
def test_whose_privileges_do_not_show_the_server_decides(there):
    world = World()
    admin = "uid=helper,ou=apps,dc=example,dc=com"
    if there:
        world.put(admin, objectClass=["inetOrgPerson"])
    world.passwords[admin] = "x"
    privileges = world.privileges
    world.privileges = lambda dn: {"changelog-read", "bypass-acl"} if dn == admin else privileges(dn)
    unused, after, changed = apply(world, options={"bind_dn": admin, "bind_password": "x"})
    assert changed and after.access.granted == ALL


@pytest.mark.parametrize("attribute", ["ds-privilege-name", "ds-cfg-global-aci"])
def test_a_refused_write_names_the_right(attribute):
    world = World()

    class Refusing(FakeDirectory):
        def modify(self, dn, modifications):
            if any(one.attribute == attribute for one in modifications):
                raise DirectoryError("answered 50", status=50)
            super().modify(dn, modifications)

    context = Context()
    with pytest.raises(DirectoryError) as caught:
        apply_grants(Refusing(world, context), WantedGrants(IDM), context)
    assert attribute in caught.value.remedy
    assert ("config-write" if "aci" in attribute else "privilege-change") in caught.value.remedy
    assert caught.value.result["changed"] is ("aci" in attribute)


def test_decide_and_predict_are_pure():
    world = World()
    grants = read_grants(FakeDirectory(world), WantedGrants(IDM))
    plan = decide_grants(grants, WantedGrants(IDM))
    after = predict(grants, plan)
    assert grants.access.missing == ALL
    assert after.access.missing == ()
    assert not decide_grants(after, WantedGrants(IDM)).aci
    assert world.writes == []


def test_a_root_user_needs_nothing():
    world = World()
    context = Context()
    assert apply_grants(FakeDirectory(world, context), WantedGrants(Name.parse(ADMIN)), context)[2] is False
    assert world.writes == []


@pytest.mark.parametrize(("attribute", "modify_acl"), [("ds-privilege-name", False), ("ds-cfg-global-aci", True)])
def test_a_refused_write_says_all_that_it_takes(attribute, modify_acl):
    world = World()

    class Refusing(FakeDirectory):
        def modify(self, dn, modifications):
            if any(one.attribute == attribute for one in modifications):
                raise DirectoryError("answered 50", status=status)
            super().modify(dn, modifications)

    context, status = Context(), 50
    with pytest.raises(DirectoryError) as caught:
        apply_grants(Refusing(world, context), WantedGrants(IDM), context)
    assert ("; modify-acl too where the server asks for it" in caught.value.remedy) is modify_acl
    status = 53
    with pytest.raises(DirectoryError) as caught:
        apply_grants(Refusing(World(), context), WantedGrants(IDM), context)
    assert caught.value.remedy is None


@pytest.mark.parametrize(
    ("status", "present", "raised"), [(50, False, False), (12, False, False), (50, True, True), (1, False, True)]
)
def test_to_take_away_what_is_ours_needs_no_judgement(monkeypatch, status, present, raised):
    def judge(*unused):
        raise DirectoryError("no", status=status)

    world = granted_world()
    monkeypatch.setattr(grants_module, "judge_rights", judge)
    if raised:
        with pytest.raises(DirectoryError):
            apply(world, present=present)
        return
    assert apply(world, present=present)[2] is True
