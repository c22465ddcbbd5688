# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our ACIs: written so that they name one account, recognised, compared by meaning."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._changelog import aci
from ansible_collections.idmops.idm.plugins.module_utils._changelog.aci import (
    aci_name,
    build,
    decide_acis,
    is_ours,
    ours_among,
    parse,
    principal_name,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.dn import Name

IDM = Name.parse("uid=idm,ou=apps,dc=example,dc=com")
OTHER = Name.parse("uid=idm2,ou=apps,dc=example,dc=com")
BOTH = ("root_dse", "change_log")
FOREIGN = b'(targetattr="*")(version 3.0; acl "Anonymous read access"; allow (read) userdn="ldap:///anyone";)'

HOSTILE = [
    "a,b",
    "a+b",
    'a"b',
    "a\\b",
    "*",
    "a*",
    "a?b",
    "a%62",
    "%2A",
    "100%",
    "a||b",
    'x" || userdn="ldap:///anyone',
    "a;b",
    "<a>",
    "a=b",
    "#a",
    " a",
    "a ",
    "ünï",
    "日本",
    "a(b)c",
    "$dn",
    "[$dn]",
    "a/b",
    "a\nb",
    'a";) (version 3.0; acl "n"; allow (all) userdn="ldap:///anyone',
]


def stored(kind, principal=IDM):
    return build(kind, principal, "cn=changelog").encode()


def test_name_holds_the_digest_of_the_normalised_dn():
    digest = hashlib.sha256(b"uid=idm,ou=apps,dc=example,dc=com").hexdigest()[:8]
    assert (
        aci_name("root_dse", Name.parse("UID=IDM, ou=Apps,dc=example,dc=com")) == f"idmops liveSync {digest} root DSE"
    )
    assert aci_name("change_log", IDM) == f"idmops liveSync {digest} change log"


def test_root_dse_aci_is_for_the_root_dse_alone():
    assert build("root_dse", IDM, "cn=changelog") == (
        '(target="ldap:///")(targetscope="base")(targetattr="objectClass||changelog||firstChangeNumber||lastChangeNumber")'
        '(version 3.0; acl "idmops liveSync 5895b63c root DSE"; allow (read,search,compare)'
        ' userdn="ldap:///uid=idm,ou=apps,dc=example,dc=com";)'
    )


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("kind", BOTH)
def test_hostile_names_are_one_account_and_nothing_else(value, kind):
    name = Name(((("uid", value),), (("dc", "example"),)))
    text = build(kind, name, "cn=changelog")
    assert text.count('"') == 2 * text.count('="') + 2, "no quotation mark of the name's own"
    url = re.search(r'userdn="ldap:///([^"]*)";\)$', text).group(1)
    assert not re.search(r"[*?|\"()\s]", url), "nothing that the server takes for a pattern, a search or a list"
    assert url.isascii()
    assert Name.parse(unquote(url)) == name
    assert parse(text.encode()).permissions == {
        ("allow", frozenset({"read", "search", "compare"}), frozenset({f"ldap:///{name.normal}"}))
    }


@pytest.mark.parametrize("text", ["", "anyone", 'uid="x",dc=y', "uid=a;dc=y", "uid=,dc=y", "uid=a\0,dc=y"])
def test_what_is_no_dn_is_refused(text):
    with pytest.raises(InvalidOption, match="RFC 4514"):
        principal_name(text)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("(read,search,compare)", "( Compare ,READ,search)"),
        lambda text: text.replace("uid=idm,ou=apps", "UID=IDM,%20ou=%41pps"),
        lambda text: text.replace("(target=", "\n ( target = ").replace("(targetattr=", " (targetattr = "),
        lambda text: text.replace('"objectClass||', '"OBJECTCLASS  || '),
        lambda text: text.replace("version 3.0", "VERSION  3.0"),
        lambda text: re.sub(r'targetattr="([^"]*)"', _reversed_values, text),
    ],
)
def test_same_meaning_in_another_spelling_is_left_alone(kind, change):
    other = change(stored(kind).decode())
    assert other != stored(kind).decode()
    assert not decide_acis([other.encode()], IDM, "cn=changelog", wanted=(), present=True)


def _reversed_values(found):
    return f'targetattr="{"||".join(reversed(found.group(1).split("||")))}"'


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("uid=idm,", "uid=*,"),
        lambda text: text.replace("ldap:///uid=idm,ou=apps,dc=example,dc=com", "ldap:///anyone"),
        lambda text: text.replace("(read,search,compare)", "(all)"),
        lambda text: text.replace("allow", "deny"),
        lambda text: text.replace("(targetattr=", "(targetattr!="),
        lambda text: text.replace('dc=com";)', 'dc=com || ldap:///all";)'),
        lambda text: text.replace('dc=com";)', 'dc=com" or userdn="ldap:///anyone";)'),
        lambda text: text.replace('dc=com";)', 'dc=com"; allow (all) userdn="ldap:///anyone";)'),
        lambda text: text.replace('dc=com";)', 'dc=com??sub?(objectClass=*)";)'),
        lambda text: text.replace("||changeNumber", ""),
        lambda text: text + "x",
    ],
)
def test_other_meaning_of_our_name_is_replaced_by_its_exact_bytes(change):
    wrong = change(stored("change_log").decode()).encode()
    assert wrong != stored("change_log")
    found = decide_acis([FOREIGN, wrong], IDM, "cn=changelog", wanted=(), present=True)
    assert found.delete == (wrong,)
    assert found.add == (stored("change_log"),)


@pytest.mark.parametrize(("value", "escaped", "raw"), [("a*", "a%2A", "a*"), ("a?b", "a%3Fb", "a?b")])
def test_a_pattern_is_not_the_account_that_is_named_like_it(value, escaped, raw):
    account = Name(((("uid", value),), (("dc", "example"),)))
    right = stored("root_dse", account)
    wide = right.replace(escaped.encode(), raw.encode())
    assert wide != right
    found = decide_acis([wide], account, "cn=changelog", wanted=(), present=True)
    assert (found.delete, found.add) == ((wide,), (right,))


def test_a_wrong_one_beside_the_right_one_goes():
    wrong = stored("root_dse").replace(b"uid=idm,", b"uid=*,")
    found = decide_acis([stored("root_dse"), wrong], IDM, "cn=changelog", wanted=(), present=True)
    assert (found.delete, found.add) == ((wrong,), ())


def test_only_what_is_wanted_is_added():
    found = decide_acis([FOREIGN], IDM, "cn=changelog", wanted=("change_log",), present=True)
    assert (found.delete, found.add, found.given) == ((), (stored("change_log"),), {"change_log"})
    assert not decide_acis([FOREIGN], IDM, "cn=changelog", wanted=(), present=True)


def test_absent_takes_ours_and_nothing_else():
    near = stored("root_dse").replace(b"idmops liveSync", b"idmops livesync")
    everything = [FOREIGN, stored("root_dse"), near, stored("change_log", OTHER), stored("root_dse", OTHER)]
    found = decide_acis(everything, IDM, "cn=changelog", wanted=BOTH, present=False)
    assert (found.delete, found.add, found.taken) == ((stored("root_dse"),), (), {"root_dse"})


def test_two_accounts_with_one_digest_keep_apart(monkeypatch):
    monkeypatch.setattr(aci, "aci_name", lambda kind, principal: f"idmops liveSync 00000000 {kind}")
    theirs = stored("root_dse", OTHER)
    assert not is_ours(theirs, "root_dse", IDM)
    assert is_ours(theirs, "root_dse", OTHER)
    found = decide_acis([theirs], IDM, "cn=changelog", wanted=BOTH, present=True)
    assert not found.delete
    assert not decide_acis([theirs], IDM, "cn=changelog", wanted=(), present=False)


def test_ours_among():
    assert ours_among([FOREIGN, stored("root_dse", OTHER), stored("root_dse")], IDM) == [stored("root_dse").decode()]


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"(", b"(version 3.0; acl", FOREIGN[:-2]])
def test_junk_is_not_ours_and_does_not_parse(junk):
    assert not is_ours(junk, "root_dse", IDM)
    with pytest.raises(ValueError):
        parse(junk)
