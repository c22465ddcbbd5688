# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the role's variables is said in a sentence each."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ansible.secrets import MASKED
from ansible_collections.idmops.idm.plugins.module_utils._rollout.variables import unusable

GOOD = {
    "livesync_idm": {"url": "https://idm.example.com/openidm", "username": "a", "password": "hunter2"},
    "livesync_directory": {"servers": ["ldaps://one"], "bind_dn": "uid=admin", "bind_password": "hunter2"},
    "livesync_sources": [{"source": "system/ldap/account", "schedule": {"interval": 15}}],
    "livesync_state": "enabled",
    "livesync_sample": "1000",
    "livesync_reactivate": "no",
    "livesync_catch_up": "auto",
}
NEEDED = ("livesync_idm", "livesync_sources")


def test_variables_that_fit():
    assert unusable(GOOD, NEEDED) == []
    jwk = {"url": "u", "service_account_jwk": {"kty": "RSA"}}
    assert unusable({**GOOD, "livesync_directory": {}, "livesync_idm": jwk}, NEEDED) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("livesync_state", True, "livesync_state: True cannot be used. Give one of: enabled, disabled, absent."),
        ("livesync_sample", "many", "livesync_sample: a text cannot be used. Give a whole number."),
        ("livesync_reactivate", "maybe", "livesync_reactivate: a text cannot be used. Give true or false."),
        ("livesync_catch_up", "soon", "livesync_catch_up: 'soon' cannot be used. Give one of: livesync, reconcile"),
        ("livesync_idm", None, "livesync_idm: is needed. Give a dictionary."),
        ("livesync_idm", {"urll": "x"}, "livesync_idm.urll: there is no such option. Did you mean url? There are: "),
        ("livesync_sources", None, "livesync_sources: is needed. Give a list."),
        ("livesync_sources", {"source": "x"}, "livesync_sources: a dictionary cannot be used. Give a list of dict"),
        ("livesync_sources", [{"source": "s", "shedule": 1}], "livesync_sources[0].shedule: there is no such option."),
        ("livesync_sources", [{"source": "s", "schedule": 15}], "livesync_sources[0].schedule: 15 cannot be used."),
        ("livesync_directory", {"bind_pasword": "hunter2"}, "livesync_directory.bind_pasword: there is no such op"),
    ],
)
def test_each_is_named(name, value, said):
    (found,) = unusable({**GOOD, name: value}, NEEDED)
    assert found.startswith(said) and "hunter2" not in found


def test_what_is_needed_somewhere_is_not_needed_everywhere():
    assert unusable({**GOOD, "livesync_sources": None}, ["livesync_idm"]) == []


@pytest.mark.skipif(MASKED, reason="this ansible-core masks what it prints")
def test_a_secret_that_stands_where_another_value_belongs_is_struck_out():
    (found,) = unusable({**GOOD, "livesync_catch_up": "hunter2"}, NEEDED)
    assert "hunter2" not in found
