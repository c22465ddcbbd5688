# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of livesync_trigger: what they ask for, and what each bad value is answered with."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._livesync.backlog import MOST
from ansible_collections.idmops.idm.plugins.module_utils._livesync.outcome import Mark, Patience
from ansible_collections.idmops.idm.plugins.module_utils._livesync.request import Request, request_of

LDAP, GROUP = Source("ldap", "account"), Source("ldap", "group")
DIRECTORY = {"servers": ["ldap://localhost:1389"], "bind_dn": "uid=admin", "bind_password": "x"}
OPTIONS = {
    "sources": [str(LDAP)],
    "endpoint": "resource",
    "wait": True,
    "follow": None,
    "wait_timeout": 60.0,
    "stall_timeout": 30.0,
    "until_caught_up": False,
    "on_record_failure": "fail",
    "if_running": "wait",
    "detailed_failure": False,
    "parallel": 4,
    "reactivate": False,
    "directory": None,
    "lock": "server",
}


def test_what_is_asked_for_where_little_is_given():
    assert request_of(OPTIONS) == Request((LDAP,), patience=Patience(60.0, 30.0), catch_up_above=MOST)


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ({"endpoint": "system"}, "endpoint", "system"),
        ({"wait": False}, "wait", False),
        ({"until_caught_up": True}, "until_caught_up", True),
        ({"on_record_failure": "warn"}, "warn_on_record", True),
        ({"if_running": "skip"}, "if_running", "skip"),
        ({"detailed_failure": True}, "detailed", True),
        ({"parallel": 1}, "parallel", 1),
        ({"reactivate": True}, "reactivate", True),
        ({"directory": DIRECTORY}, "directory", DIRECTORY),
        ({"lock": "local"}, "lock", "local"),
        ({"mappings": ["a"]}, "mappings", ("a",)),
        ({"catch_up": "auto"}, "catch_up", "auto"),
        ({"catch_up": "reconcile", "directory": DIRECTORY}, "catch_up", "reconcile"),
        ({"catch_up": "livesync", "wait": False}, "catch_up", "livesync"),
        ({"catch_up_above": 0}, "catch_up_above", 0),
        ({"catch_up_above": 7}, "catch_up_above", 7),
        ({"allow_deletes": True}, "allow_deletes", True),
        ({"sources": [str(LDAP), str(GROUP), f"/{LDAP}"]}, "sources", (LDAP, GROUP)),
        ({"sources": None, "follow": [{"source": str(GROUP), "rev": "7"}]}, "follow", {GROUP: Mark(rev="7")}),
        ({"sources": None, "follow": [{"source": str(GROUP), "rev": "7"}]}, "option", "follow"),
        ({"sources": None, "source": None, "follow": [{"source": str(GROUP)}]}, "sources", (GROUP,)),
    ],
)
def test_what_is_asked_for(more, field, value):
    assert getattr(request_of({**OPTIONS, **more}), field) == value


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"wait_timeout": 0.0}, "wait_timeout"),
        ({"stall_timeout": float("inf")}, "stall_timeout"),
        ({"parallel": 0}, "parallel"),
        ({"parallel": -1}, "parallel"),
        ({"mappings": []}, "mappings"),
        ({"sources": []}, "sources"),
        ({"sources": ["x"]}, "sources"),
        ({"sources": None, "follow": []}, "follow"),
        ({"sources": None, "follow": [{}]}, "follow"),
        ({"catch_up": "reconcile"}, "catch_up"),
        ({"catch_up": "auto", "wait": False}, "catch_up"),
        ({"catch_up": "auto", "follow": [{"source": str(GROUP)}]}, "catch_up"),
        ({"catch_up_above": -1}, "catch_up_above"),
        ({"directory": {"servers": ["ldap://a"]}}, "directory.bind_dn"),
    ],
)
def test_what_cannot_be_asked_for(more, option):
    with pytest.raises(InvalidOption) as caught:
        request_of({**OPTIONS, **more})
    assert caught.value.option == option
