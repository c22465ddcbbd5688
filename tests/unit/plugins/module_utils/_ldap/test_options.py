# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a connection to a directory: what holds, what is needed, and when there is none."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import (
    access_options,
    directory_options,
    given,
    variable,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.url import is_open

WHOLE = {"servers": ["ldaps://a"], "bind_dn": "uid=admin", "bind_password": "x"}


def test_what_is_needed_what_holds_otherwise_and_what_is_secret():
    options = access_options()
    assert {name for name, one in options.items() if one.get("required")} == {*WHOLE, "principal"}
    assert {name: one["default"] for name, one in options.items() if "default" in one} == {
        "start_tls": False,
        "validate_certs": True,
        "timeout": 30,
        "remove_privilege": False,
        "raise_limits": False,
    }
    assert {name for name, one in options.items() if one.get("no_log")} == {"bind_password", "principal_password"}


def test_of_a_directory_nothing_is_needed_and_all_else_is_the_same():
    options = directory_options()
    assert not any("required" in one for one in options.values())
    for name in (*WHOLE, "principal"):
        options[name]["required"] = True
    assert options == access_options()
    assert variable("bind_dn") == "IDM_DIRECTORY_BIND_DN"


@pytest.mark.parametrize(
    "none",
    [
        None,
        {},
        dict.fromkeys(WHOLE),
        {"servers": [], "bind_dn": ""},
        {"timeout": 30, "validate_certs": True, "start_tls": False},
    ],
)
def test_where_nothing_is_given_there_is_none(none):
    assert given(none) is None


def test_one_that_is_whole_is_that():
    assert given({**WHOLE, "timeout": 5}) == {**WHOLE, "timeout": 5}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [None, "", []])
def test_what_lacks_is_named(name, value):
    with pytest.raises(InvalidOption) as caught:
        given({**WHOLE, name: value})
    assert caught.value.message.startswith(f"directory.{name}:")
    assert f"comes from IDM_DIRECTORY_{name.upper()}." in caught.value.message
    with pytest.raises(InvalidOption) as caught:
        given({**WHOLE, name: value}, "sources[0].directory")
    assert "IDM_DIRECTORY" not in caught.value.message


@pytest.mark.parametrize("directory", [{"timeout": 5}, {"validate_certs": False}, {"start_tls": True}])
def test_something_that_is_no_whole_directory_is_an_error(directory):
    with pytest.raises(InvalidOption, match="directory.servers"):
        given(directory)


@pytest.mark.parametrize(
    ("uri", "start_tls", "in_the_open"),
    [
        ("ldap://ds1.example.com", False, True),
        ("LDAP://ds1.example.com", False, True),
        ("ldap://ds1.example.com", True, False),
        ("ldaps://ds1.example.com", False, False),
        ("ldap://localhost:1389", False, False),
    ],
)
def test_whether_a_password_can_be_read_on_the_way(uri, start_tls, in_the_open):
    assert is_open(uri, start_tls=start_tls) is in_the_open
