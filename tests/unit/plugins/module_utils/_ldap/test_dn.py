# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names: what is one, which are the same, which lie below another."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name, escape_filter, is_name, is_within_any


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=idm,dc=example", "UID = IDM , DC=Example"),
        ("cn=a  b,dc=x", "cn=a b,dc=x"),
        (r"cn=a\,b,dc=x", r"cn=a\2Cb,dc=x"),
        (r"cn=a\,b,dc=x", r"cn=a\2cb,dc=x"),
        ("cn=a+sn=b,dc=x", "sn=b+cn=a,dc=x"),
        (r"cn=\ a,dc=x", "cn=a,dc=x"),
        ("commonName=a,domainComponent=x", "cn=a,dc=x"),
        ("2.5.4.3=a,dc=x", "cn=a,dc=x"),
        ("OID.2.5.4.3=a,dc=x", "cn=a,dc=x"),
        ("cn=#040161,dc=x", "cn=a,dc=x"),
        ("cn=Grün,dc=x", r"cn=gr\c3\bcn,dc=x"),
        ("cn=Ｆull,dc=x", "cn=full,dc=x"),
    ],
)
def test_same_name_in_two_spellings(one, other):
    assert Name.parse(one).normal == Name.parse(other).normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=idm,dc=example", "uid=idm2,dc=example"),
        (r"cn=a\,b,dc=x", "cn=a,b=,dc=x".replace("b=", "cn=b")),
        (r"cn=a\+sn\=b,dc=x", "cn=a+sn=b,dc=x"),
        ("cn=ab,dc=x", "cn=a b,dc=x"),
        ("cn=a,dc=x", "cn=a,dc=x,dc=y"),
    ],
)
def test_different_names(one, other):
    assert Name.parse(one).normal != Name.parse(other).normal


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("idm", "not an attribute type"),
        ("uid=idm,", "not an attribute type"),
        ("uid=idm,,dc=x", "not an attribute type"),
        ("=idm,dc=x", "not an attribute type"),
        ("u_id=idm", "not an attribute type"),
        ('cn="a",dc=x', "backslash"),
        ("cn=a;dc=x", "backslash"),
        ("cn=a<b,dc=x", "backslash"),
        ("cn=a\\", "does not escape"),
        (r"cn=a\xb,dc=x", "does not escape"),
        (r"cn=a\ffb,dc=x", "UTF-8"),
        ("cn=,dc=x", "empty value"),
        ("cn=a\0b,dc=x", "NUL"),
        (r"cn=a\00b,dc=x", "NUL"),
        ("cn=#04zz,dc=x", "hexadecimal"),
        ("cn=#300161,dc=x", "BER"),
    ],
)
def test_not_a_name(text, why):
    with pytest.raises(ValueError, match=why):
        Name.parse(text)


@pytest.mark.parametrize(
    "value", ["a,b", "a+b", 'a"b', "a\\b", "a;b", "<a>", "a=b", "#a", " a", "a ", " ", "  ", "ünï", "a\nb"]
)
def test_written_name_reads_back_as_the_same(value):
    name = Name((((("uid"), value),), (("dc", "x"),)))
    assert Name.parse(str(name)) == name


@pytest.mark.parametrize(
    ("name", "base", "inside"),
    [
        ("uid=a,ou=People,dc=x", "OU=people, dc=X", True),
        ("ou=People,dc=x", "ou=people,dc=x", True),
        ("dc=x", "ou=people,dc=x", False),
        ("uid=a,ou=MorePeople,dc=x", "ou=People,dc=x", False),
        (r"uid=a\,ou=People,dc=x", "ou=People,dc=x", False),
    ],
)
def test_is_within(name, base, inside):
    assert Name.parse(name).is_within(Name.parse(base)) is inside


def test_is_within_any_takes_what_is_no_name():
    bases = [Name.parse("dc=x"), Name.parse("dc=y")]
    assert is_within_any("cn=a,dc=y", bases)
    assert not is_within_any("cn=a,dc=z", bases)
    assert not is_within_any("no name", bases)


def test_escape_filter():
    assert escape_filter("a*(b)\\c\0ü") == r"a\2a\28b\29\5cc\00ü"


@pytest.mark.parametrize(
    ("text", "name"),
    [("dc=x", True), ("cn=a+sn=b,dc=x", True), ("", False), ("x", False), ("dc=x,", False), ("=x", False)],
)
def test_what_is_a_name(text, name):
    assert is_name(text) is name
