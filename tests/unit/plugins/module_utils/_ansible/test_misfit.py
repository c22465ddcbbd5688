# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with options is said in a sentence that names the option, and nothing that may be secret."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ansible.misfit import misfit, misfits

INNER = {
    "name": {"type": "str", "required": True, "aliases": ["called"]},
    "size": {"type": "int"},
    "share": {"type": "float"},
    "on": {"type": "bool"},
    "how": {"type": "str", "choices": ["once", "never"]},
    "hosts": {"type": "list", "elements": "str"},
    "password": {"type": "str", "no_log": True},
    "any": {"type": "raw"},
    "inner": {"type": "dict", "options": {"on": {"type": "bool"}}},
}
GIVEN = {"name": {"type": "str", "required": True, "fallback": (None, [])}}
SPEC = {
    "list": {"type": "list", "elements": "dict", "options": INNER},
    "dict": {"type": "dict", "options": INNER},
    "plain": {"type": "str", "choices": ["a"]},
}
NAMED = {"name": "x"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "list[1].name: is needed. Give a text."),
        ({"name": None}, "list[1].name: is needed. Give a text."),
        ({**NAMED, "hwo": 1}, "list[1].hwo: there is no such option. Did you mean how? There are: any, hosts, "),
        ({**NAMED, 7: 1}, "list[1].7: there is no such option. There are: any, "),
        ({**NAMED, "size": "many"}, "list[1].size: a text cannot be used. Give a whole number."),
        ({**NAMED, "size": 1.5}, "list[1].size: 1.5 cannot be used. Give a whole number."),
        ({**NAMED, "share": [1]}, "list[1].share: a list cannot be used. Give a number."),
        ({**NAMED, "on": 2}, "list[1].on: 2 cannot be used. Give true or false."),
        ({**NAMED, "how": "twice"}, "list[1].how: 'twice' cannot be used. Give one of: once, never."),
        ({**NAMED, "how": True}, "list[1].how: True cannot be used. Give one of: once, never."),
        ({**NAMED, "how": ["once"]}, "list[1].how: a list cannot be used. Give one of: once, never."),
        ({"name": {"a": 1}}, "list[1].name: a dictionary cannot be used. Give a text."),
        ({**NAMED, "hosts": {"a": 1}}, "list[1].hosts: a dictionary cannot be used. Give a list."),
        ({**NAMED, "inner": 15}, "list[1].inner: 15 cannot be used. Give a dictionary."),
        ({**NAMED, "inner": {"on": "maybe"}}, "list[1].inner.on: a text cannot be used. Give true or false."),
        ({**NAMED, "password": ["hunter2"]}, "list[1].password: a list cannot be used. Give a text."),
        ("hunter2", "list[1]: a text cannot be used. Give a dictionary."),
        (15, "list[1]: 15 cannot be used. Give a dictionary."),
    ],
)
def test_each_misfit_is_named_with_its_place(entry, said):
    found = misfit(SPEC, {"list": [NAMED, entry]})
    assert found.startswith(said) and "hunter2" not in found


@pytest.mark.parametrize(
    "entry",
    [
        {"called": "x"},
        {"name": 5, "size": "7", "share": "0.5", "on": "yes", "how": "once", "hosts": "a,b", "any": {"b": [1]}},
        {"name": "x", "hosts": ["a"], "inner": {}, "size": None, "how": None},
        "name=x size=7",
        '{"name": "x"}',
    ],
)
def test_what_ansible_can_use_fits(entry):
    assert misfit(SPEC, {"list": [entry], "dict": entry}) is None


@pytest.mark.parametrize("value", [15, {"a": 1}, "a text"])
def test_a_list_that_is_none(value):
    assert misfit(SPEC, {"list": value}).endswith(" cannot be used. Give a list of dictionaries.")
    assert misfit(SPEC, {"list": "name=x,name=y"}) is None


def test_of_a_modules_own_options_ansible_says_what_is_wrong():
    assert misfit(SPEC, {"plain": "b", "nonsense": 1}) is None


def test_all_that_is_wrong_is_told_and_what_the_environment_may_have_is_not_missing():
    found = list(misfits(SPEC, {"plain": "b", "nonsense": 1, "dict": {"size": "x"}}))
    assert [one.partition(":")[0] for one in found] == ["nonsense", "dict.name", "dict.size", "plain"]
    assert list(misfits(GIVEN, {})) == []
