# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts, privileges and effective rights."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import DirectoryError
from ansible_collections.idmops.idm.plugins.module_utils._changelog.log import judge_access, read_change_log, see_as
from ansible_collections.idmops.idm.plugins.module_utils._changelog.rights import (
    account_of,
    effective_rights_value,
    parse_rights,
    read_account,
)
from ansible_collections.idmops.idm.plugins.module_utils._changelog.server_config import ServerDefaults
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Entry
from ansible_collections.idmops.idm.tests.unit.doubles.directory import (
    ACCOUNT,
    ADMIN,
    ALL_CHANGE_LOG,
    ALL_ROOT_DSE,
    HANDLER,
    ROOT,
    FakeDirectory,
    World,
    aci,
)
from pyasn1.codec.ber import decoder


def judge(directory, principal=ACCOUNT):
    return judge_access(directory, principal, read_change_log(directory))


def entry(*privileges, **limits):
    found = {name.replace("_", "-"): (str(value).encode(),) for name, value in limits.items()}
    return Entry("uid=a,dc=x", {"ds-privilege-name": tuple(name.encode() for name in privileges), **found})


@pytest.mark.parametrize(
    ("named", "disabled", "held", "denied"),
    [
        ((), (), (), ()),
        (("changelog-read",), (), ("changelog-read",), ()),
        (("Changelog-Read",), (), ("changelog-read",), ()),
        (("changelog-read", "-CHANGELOG-READ"), (), (), ("changelog-read",)),
        (("-changelog-read",), ("changelog-read",), ("changelog-read",), ()),
        ((), ("changelog-read",), ("changelog-read",), ()),
    ],
)
def test_privileges(named, disabled, held, denied):
    account = account_of(entry(*named), ServerDefaults(disabled_privileges=frozenset(disabled)))
    assert account.privileges == set(held)
    assert account.denied == set(denied)


def test_inherited_privileges_are_held_but_not_its_own():
    account = account_of(entry("-config-write"), ServerDefaults(), inherited=("changelog-read", "config-write"))
    assert account.privileges == {"changelog-read"}
    assert account.own_privileges == set()


def test_limits_of_an_account():
    account = account_of(entry(ds_rlim_size_limit=5, ds_rlim_time_limit=-1), ServerDefaults())
    assert account.limits == {"size_limit": 5, "time_limit": 0}


@pytest.mark.parametrize("count", [1, 9, 40])
@pytest.mark.parametrize("length", [5, 127, 128, 70000])
def test_the_controls_value_is_ber(count, length):
    names = [f"a{number}" for number in range(count)]
    value, rest = decoder.decode(effective_rights_value("x" * length, names))
    assert not rest
    assert bytes(value[0]) == b"dn:" + b"x" * length
    assert [bytes(name).decode() for name in value[1]] == names


def test_parse_rights():
    rights = parse_rights(
        Entry(
            "cn=changelog",
            {
                "aclrights;attributelevel;changenumber": (b"search:1,read:1,compare:1,write:0",),
                "aclrights;attributelevel;changes": (b"search:0,read:1,compare:0,write:0",),
                "aclrights;entrylevel": (b"add:0,delete:0,read:1",),
                "aclrightsinfo;logs;attributelevel;read;changes": (b"acl_summary(main): access not allowed",),
            },
        )
    )
    assert rights.may("read", "changeNumber", "changes")
    assert rights.may("search", "changeNumber")
    assert not rights.may("search", "changeNumber", "changes")
    assert not rights.may("write", "changes")
    assert not rights.may("read", "targetDN")


@pytest.mark.parametrize(
    ("privileges", "acis", "missing"),
    [
        ((), (), ("privilege", "root_dse", "change_log")),
        (("changelog-read",), (), ("root_dse", "change_log")),
        ((), (aci(ALL_ROOT_DSE, ACCOUNT),), ("privilege", "change_log")),
        (("changelog-read",), (aci(ALL_ROOT_DSE, ACCOUNT), aci(ALL_CHANGE_LOG, ACCOUNT)), ()),
        (
            ("changelog-read",),
            (aci(ALL_ROOT_DSE, "anyone"), aci(ALL_CHANGE_LOG, "uid=*,ou=apps,dc=example,dc=com")),
            (),
        ),
        (
            ("changelog-read",),
            (aci(ALL_ROOT_DSE, ACCOUNT), aci(ALL_CHANGE_LOG, ACCOUNT, rights="read")),
            ("change_log",),
        ),
        (
            ("changelog-read",),
            (
                aci(ALL_ROOT_DSE, ACCOUNT),
                aci('(target="ldap:///cn=changelog")(targetattr="changeNumber||targetDN")', ACCOUNT),
            ),
            ("change_log",),
        ),
        (
            ("changelog-read",),
            (aci(ALL_ROOT_DSE, ACCOUNT), aci(ALL_CHANGE_LOG, ACCOUNT), aci(ALL_CHANGE_LOG, "anyone", verb="deny")),
            ("change_log",),
        ),
    ],
)
def test_judge_access(privileges, acis, missing):
    world = World()
    world.set(ACCOUNT, "ds-privilege-name", *privileges)
    world.set(HANDLER, "ds-cfg-global-aci", *world.acis(), *acis)
    access = judge(FakeDirectory(world))
    assert access.missing == missing
    assert set(access.granted) == {"privilege", "root_dse", "change_log"} - set(missing)
    assert not world.writes


@pytest.mark.parametrize("shown", [False, True])
def test_what_the_administrator_is_not_told_is_not_the_account_s_lack_of_rights(shown):
    """Its grants were called without effect, and taken back (seen on OpenDJ 4.6.5, which shows bare entries then)."""

    class Blind(FakeDirectory):
        def stream(self, base, *how, **more):
            for found in super().stream(base, *how, **more):
                if not base.lower().endswith("cn=changelog"):
                    yield found
                elif shown:
                    yield Entry(found.dn, {})

    with pytest.raises(
        DirectoryError, match="does not tell cn=Directory Manager what .* may read in .*cn=change"
    ) as told:
        judge(Blind(World()))
    assert told.value.status == 50 and "aclRights" in told.value.remedy


def test_an_account_that_does_not_exist_is_not_judged():
    with pytest.raises(DirectoryError, match="no account uid=nobody"):
        judge(FakeDirectory(World()), "uid=nobody,dc=example,dc=com")


def test_a_root_user_is_known_by_the_name_it_binds_with():
    world = World()
    account = read_account(FakeDirectory(world), ADMIN, ServerDefaults())
    assert account.dn == "cn=Directory Manager,cn=Root DNs,cn=config"
    assert account.privileges == ROOT
    assert account.limits == {"size_limit": 0}
    assert judge(FakeDirectory(world), ADMIN).missing == ()


def test_see_as_counts_what_the_account_may_find():
    world = World()
    world.put("uid=u1,ou=People,dc=example,dc=com", objectClass=["inetOrgPerson"])
    world.put("uid=u2,ou=People,dc=example,dc=com", objectClass=["inetOrgPerson"])
    world.put("uid=u3,ou=Other,dc=example,dc=com", objectClass=["inetOrgPerson"])
    plain = world.may
    world.may = lambda who, right, dn, name: (
        plain(who, right, dn, name) and (who != ACCOUNT or not dn.startswith("uid=u2"))
    )
    bases = ["ou=People,dc=example,dc=com", "uid=u1,ou=People,dc=example,dc=com"]
    seen = see_as(FakeDirectory(world), ACCOUNT, bases, "(objectClass=inetOrgPerson)")
    assert (seen.total, seen.visible) == (2, 1)


def test_a_control_that_is_refused_names_what_allows_it():
    class Refusing(FakeDirectory):
        def stream(self, base, scope, search_filter, attributes, **how):
            if how.get("controls"):
                raise DirectoryError("answered 12", status=12)
            return super().stream(base, scope, search_filter, attributes, **how)

    with pytest.raises(DirectoryError) as caught:
        judge(Refusing(World()))
    assert 'targetcontrol="1.3.6.1.4.1.42.2.27.9.5.2"' in caught.value.remedy
    assert "bypass-acl" in caught.value.remedy
