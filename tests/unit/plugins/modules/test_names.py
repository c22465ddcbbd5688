# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing has one name: options of modules and role, their documentation, and what modules return."""

from __future__ import annotations

import importlib
import pathlib

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.idmops.idm.plugins.doc_fragments import directory as directory_fragment
from ansible_collections.idmops.idm.plugins.doc_fragments.connection import ModuleDocFragment as Connection
from ansible_collections.idmops.idm.plugins.doc_fragments.sources import ModuleDocFragment as Sources
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import connection_options, directory_option
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import access_options, directory_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout.request import load_options, source_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout.variables import role_variables

ROOT = pathlib.Path(__file__).resolve().parents[4]
COLLECTION = "ansible_collections.idmops.idm.plugins"
MODULES = {
    path.stem: importlib.import_module(f"{COLLECTION}.modules.{path.stem}")
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))
}
ROLE = yaml.safe_load((ROOT / "roles" / "livesync" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))[
    "argument_specs"
]
#: Names that things have had before they got the one that they have now.
FORMER = {"changelog", "ds", "load", "tested", "test"}


def below(options, key):
    """Yield the way to each option or returned key, as a list of names."""
    for name, option in (options or {}).items():
        yield [name]
        for way in below(option.get(key), key):
            yield [name, *way]


def everything():
    """Yield where a name stands, and the way to it."""
    for name, module in MODULES.items():
        for way in below(module.SPEC.argument_spec, "options"):
            yield f"{name}, options", way
        for way in below(yaml.safe_load(module.DOCUMENTATION).get("options"), "suboptions"):
            yield f"{name}, documentation", way
        for way in below(yaml.safe_load(module.RETURN), "contains"):
            yield f"{name}, results", way
    for entry, spec in ROLE.items():
        for way in below(spec["options"], "options"):
            yield f"role, {entry}", way


def test_no_former_name_is_left():
    ways = list(everything())
    assert len(ways) > 400
    assert [(where, way) for where, way in ways if way[-1].removeprefix("livesync_") in FORMER] == []


def test_an_initial_load_is_a_choice_for_a_source_and_nothing_else():
    found = [way for unused, way in everything() if way[-1] == "initial_load"]
    assert found and all(way[-2:-1] in (["sources"], ["livesync_sources"]) for way in found)


def as_in_the_role(options):
    """Return options of a module as the role has them: it leaves dictionaries to the module to look into."""
    return {
        name: {**option, "type": "raw", "options": as_in_the_role(option["options"])} if "options" in option else option
        for name, option in options.items()
    }


def plain(options, nested="options"):
    """Return options without their descriptions, without what says nothing, and without what the role leaves out."""
    return {
        name: {
            key: plain(value, nested) if key == nested else value
            for key, value in option.items()
            if key not in ("description", "fallback", "no_log") and (key, value) != ("required", False)
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("entry", ["main", "preflight", "status"])
def test_the_role_has_the_options_of_the_modules(entry):
    options = ROLE[entry]["options"]
    assert plain(options["livesync_directory"]["options"]) == plain(directory_options())
    assert plain(options["livesync_sources"]["options"]) == plain(as_in_the_role(source_options()))
    connection = plain(connection_options())
    for option in connection.values():  # the role hands on what was given, and leaves defaults to the modules
        for key in ("default", "required"):
            option.pop(key, None)
    assert plain(options["livesync_idm"]["options"]) == connection


@pytest.mark.parametrize("entry", ROLE)
@pytest.mark.parametrize("wrong", [15, "nonsense", {"nonsense": 1}, [15], True, None])
def test_nothing_that_is_wrong_makes_ansible_print_the_whole_specification(entry, wrong):
    """What is wrong with one of the role's variables its own first task says, in a sentence."""
    options = ROLE[entry]["options"]
    assert set(options) == set(role_variables())
    assert ArgumentSpecValidator(options).validate(dict.fromkeys(options, wrong)).error_messages == []
    (look,) = yaml.safe_load((ROOT / f"roles/livesync/tasks/{entry}.yml").read_text(encoding="utf-8"))[:1]
    assert look["ansible.builtin.import_tasks"] == "variables.yml"
    told = str(options["livesync_sources"]["description"])
    assert ("livesync_sources" in look["vars"]["livesync__needed"]) is ("must be given" in told)


def test_each_environment_variable_is_documented():
    told = yaml.safe_load(Connection.DOCUMENTATION)["options"]
    for name, option in connection_options().items():
        for variable in option.get("fallback", (None, []))[1]:
            assert f"E({variable})" in str(told[name]["description"]), name
    for variable in directory_option()["directory"]["fallback"][1]:
        assert f"E({variable})" in directory_fragment.ModuleDocFragment.OPTION
        assert f"E({variable})" in MODULES["changelog_access"].DOCUMENTATION


def documented(fragment, *way):
    options = yaml.safe_load(fragment)["options"]
    for name in way:
        options = options[name]["suboptions"]
    return {name: {**option, "options": option.pop("suboptions")} if "suboptions" in option else option
            for name, option in options.items()}  # fmt: skip


def spoken(options):
    """Return options as documentation tells of them: secrets are not marked there."""
    if isinstance(options, dict):
        return {
            {"suboptions": "options"}.get(key, key): spoken(value)
            for key, value in options.items()
            if key not in ("no_log", "description")
        }
    return options


def test_the_documentation_that_modules_share_tells_of_their_options():
    fragment = directory_fragment.ModuleDocFragment
    assert spoken(documented(fragment.DOCUMENTATION)) == spoken(access_options())
    assert spoken(documented(fragment.OPTION, "directory")) == spoken(directory_options())
    assert spoken(documented(Sources.DOCUMENTATION, "sources")) == spoken(source_options())
    assert spoken(documented(Sources.LOAD)) == spoken(load_options())


@pytest.mark.parametrize("name", MODULES)
def test_one_dictionary_fits_every_module_that_takes_a_directory(name):
    option = MODULES[name].SPEC.argument_spec.get("directory")
    if option is not None:
        assert option == directory_option()["directory"]


def test_the_action_group_and_the_action_plugins_know_every_module():
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert set(runtime["action_groups"]["idm"]) == set(MODULES) - {"changelog_access"}
    for name, module in MODULES.items():
        action = importlib.import_module(f"{COLLECTION}.action.{name}").ActionModule
        assert (action.spec, action.operate) == (module.SPEC, module.operate)
