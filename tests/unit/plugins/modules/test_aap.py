# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for Ansible Automation Platform say what the collection reads, and nothing secret in the open.

What a controller does with a type of credentials was read in AWX's awx/main/fields.py: templates of the injectors are
rendered in Jinja's sandbox, and may name the fields and the files alone; a field that is left blank is not defined.
"""

from __future__ import annotations

import re
import types

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import access_spec, idm_spec
from ansible_collections.idmops.idm.plugins.module_utils._rollout.variables import role_variables
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.places import ROOT

AAP = ROOT / "docs" / "aap"
TYPES = yaml.safe_load((AAP / "credential-types.yml").read_text("utf-8"))["controller_credential_types"]
TEMPLATES = yaml.safe_load((AAP / "job-templates.yml").read_text("utf-8"))["controller_templates"]
ROLE = yaml.safe_load((ROOT / "roles" / "livesync" / "meta" / "argument_specs.yml").read_text("utf-8"))
SPECS = {"idmops IDM": idm_spec(), "idmops directory": access_spec({})}
#: Fields of a type, and keys of a question, that a controller takes.
FIELD = {"id", "type", "label", "help_text", "secret", "multiline", "choices", "default"}
#: The certificates are a field of another name than the option, which takes a path.
OPTIONS = {"ca": "ca_path"}

each_type = pytest.mark.parametrize("one", TYPES, ids=lambda one: one["name"])
QUESTIONS = [
    pytest.param(template, question, id=f"{template['name']}: {question['variable']}")
    for template in TEMPLATES
    for question in template.get("survey_spec", {}).get("spec", [])
]


def fields(one):
    return {field["id"]: field for field in one["inputs"]["fields"]}


def variables(spec):
    """Return the variables that options come from, and the name of the option of each."""
    return {
        found.group(): name
        for name, option in spec.argument_spec.items()
        for found in map(re.compile(r"IDM_[A-Z_]+").fullmatch, option.get("fallback", [None, []])[1])
        if found
    }


def injected(one, entered):
    """Return the environment of a job whose credential has these fields, as a controller makes it."""
    files = types.SimpleNamespace(**{name.partition(".")[2]: f"/runner/{name}" for name in one["injectors"]["file"]})
    render = ImmutableSandboxedEnvironment().from_string
    known = {**entered, "tower": types.SimpleNamespace(filename=files)}
    return {name: render(text).render(**known) for name, text in one["injectors"]["env"].items()}


def options(one, environment, monkeypatch, **given):
    for name in variables(SPECS[one["name"]]):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    validated = ArgumentSpecValidator(**SPECS[one["name"]].as_arguments()).validate(given)
    assert validated.error_messages == []
    return validated.validated_parameters


@each_type
def test_the_collection_reads_every_variable_and_gets_every_one(one):
    assert set(one["injectors"]["env"]) == set(variables(SPECS[one["name"]])) - {
        "IDM_TIMEOUT",
        "IDM_CONFIGURATION_TYPE",
    }


@each_type
def test_what_the_collection_hides_the_controller_hides_too(one):
    spec = SPECS[one["name"]].argument_spec
    hidden = {name for name, option in spec.items() if option.get("no_log")}
    # the option is a path, the field is the key itself
    hidden |= {"client_key"} & set(fields(one))
    assert {name for name, field in fields(one).items() if field.get("secret")} == hidden & set(fields(one))
    assert hidden <= set(fields(one)) | {"principal_password"}


@each_type
def test_a_controller_takes_the_fields(one):
    assert set(one["inputs"]["required"]) <= set(fields(one))
    for field in fields(one).values():
        assert set(field) <= FIELD
        assert field["type"] == "string"  # a controller takes a boolean that is left out for false
        assert field.get("default") in [None, *field.get("choices", [])]


@each_type
def test_the_templates_name_fields_and_files_alone(one):
    files = types.SimpleNamespace(**{name.partition(".")[2]: "file" for name in one["injectors"]["file"]})
    known = {**dict.fromkeys(fields(one), "EXAMPLE"), "tower": types.SimpleNamespace(filename=files)}
    strict = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for text in [*one["injectors"]["env"].values(), *one["injectors"]["file"].values()]:
        assert text.isascii() and strict.from_string(text).render(**known) in ("EXAMPLE", "file")


@each_type
def test_what_is_entered_arrives_as_the_option(one, monkeypatch):
    spec = SPECS[one["name"]].argument_spec
    entered = {name: field.get("choices", [f"the {name}"])[-1] for name, field in fields(one).items()}
    found = options(one, injected(one, entered), monkeypatch, **({"principal": "uid=idm"} if "servers" in spec else {}))
    for name, value in entered.items():
        file = f"/runner/template.{name}" if f"template.{name}" in one["injectors"]["file"] else value
        assert found[OPTIONS.get(name, name)] in (file, [file], {"true": True, "false": False}.get(value))


@each_type
def test_blank_fields_leave_the_defaults(one, monkeypatch):
    spec = SPECS[one["name"]].argument_spec
    needed = {name: f"the {name}" for name in one["inputs"]["required"]}
    given = {"principal": "uid=idm"} if "servers" in spec else {}
    found = options(one, injected(one, needed), monkeypatch, **given)
    assert {
        name: value
        for name, value in found.items()
        if name not in {*needed, *given} and value != spec[name].get("default")
    } == {}


def test_choices_are_those_of_the_option():
    (idm,) = (one for one in TYPES if one["name"] == "idmops IDM")
    spec = SPECS["idmops IDM"].argument_spec["auth_method"]
    assert fields(idm)["auth_method"]["choices"] == spec["choices"]
    assert fields(idm)["auth_method"]["default"] == spec["default"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["name"])
def test_a_template_runs_a_playbook_of_the_collection(template):
    assert (ROOT / "playbooks" / template["playbook"]).is_file()
    assert template["survey_enabled"] is True if "survey_spec" in template else "survey_enabled" not in template


@pytest.mark.parametrize(("template", "question"), QUESTIONS)
def test_a_survey_asks_for_what_is_read(template, question):
    book = (ROOT / "playbooks" / template["playbook"]).read_text("utf-8")
    told = [point["options"].get(question["variable"]) for point in ROLE["argument_specs"].values()]
    option = next(filter(None, told), None)
    if option is None:
        # a survey answers in texts
        assert re.search(rf"\b{question['variable']} \| default\(false\) \| bool", book)
        assert question["choices"] == ["true", "false"]
    elif question["type"] == "integer":
        assert (role_variables()[question["variable"]]["type"], option["default"]) == ("int", question["default"])
    else:
        choices = role_variables()[question["variable"]]["choices"]
        assert (choices, option["default"]) == (question["choices"], question["default"])
    assert question["default"] in question.get("choices", [question["default"]])
