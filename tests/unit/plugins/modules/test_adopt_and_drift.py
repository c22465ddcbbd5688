# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks drift and adopt make of what was found: a table, a document by its schema, and the exit code."""

from __future__ import annotations

import copy
import json
import pathlib

import jsonschema
import pytest
import yaml
from ansible_collections.idmops.idm.plugins.module_utils._rollout.drift import Difference, NotCompared
from jinja2 import Environment, nativetypes

ROOT = pathlib.Path(__file__).resolve().parents[4]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "drift.json").read_text(encoding="utf-8"))
DIFFERS = Difference("system/ldap/account", "schedule.interval", 15, None).as_result()
LEFT = Difference("system/ldap/account", "mappings", None, "n", mended=False).as_result()
UNKNOWN = NotCompared(None, "everything", "IDM does not answer.").as_result()
CLEAN = {"differences": [], "not_compared": []}
WELL, BAD, AWAY = CLEAN, {**CLEAN, "differences": [DIFFERS, LEFT]}, {**CLEAN, "not_compared": [UNKNOWN]}


def tasks(book):
    _matched, play = yaml.safe_load((ROOT / "playbooks" / f"{book}.yml").read_text(encoding="utf-8"))
    return {task["name"]: task for task in play["tasks"]}


def rendered(native, template, **given):
    environment = (nativetypes.NativeEnvironment if native else Environment)()
    environment.filters["to_json"] = json.dumps
    environment.filters["combine"] = lambda one, other: {**one, **other}
    environment.globals["now"] = lambda **unused: "2026-11-24T12:00:00Z"
    return environment.from_string(template).render(**given)


def hosts(key, **found):
    return {"ansible_play_hosts": list(found), "hostvars": {name: {key: one} for name, one in found.items()}}


def document(**found):
    template = tasks("drift")["Write it down"]["vars"]["livesync_document"]
    return rendered(True, template, **hosts("livesync_drift", **found))


def test_the_document_is_as_its_schema_has_it():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    made = document(one=WELL, two=BAD, three=AWAY)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(made)
    assert [one["environment"] for one in made["environments"]] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made.pop("version"),
        lambda made: made["environments"].clear(),
        lambda made: made["environments"][0].pop("not_compared"),
        lambda made: made["environments"][0]["differences"][0].pop("mended"),
        lambda made: made["environments"][0]["differences"][0].update(more=1),
    ],
)
def test_the_schema_refuses_what_is_not_so(spoil):
    made = document(one=BAD)
    made = copy.deepcopy(made)
    spoil(made)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(made)


def rows(**found):
    given = tasks("drift")["Show the table"]["vars"]
    text = rendered(
        False, given["livesync_rows"], livesync_columns=given["livesync_columns"], **hosts("livesync_drift", **found)
    )
    return [" ".join(row.split()) for row in yaml.safe_load(text)]


def test_the_table_of_drift():
    assert rows(one=WELL, two=BAD, three=AWAY) == [
        "one - nothing differs",
        "two system/ldap/account schedule.interval 15 -",
        "two system/ldap/account mappings - n (the role leaves it)",
        "three - everything not compared IDM does not answer.",
    ]


@pytest.mark.parametrize(("found", "compared", "same"), [(WELL, True, True), (BAD, True, False), (AWAY, False, True)])
def test_drift_fails_where_it_could_not_compare_and_where_it_shall_when_something_differs(found, compared, same):
    """What could not be compared is an error whatever was asked for."""
    first, second = (
        tasks("drift")[name] for name in ("Fail where something could not be compared", "Fail when something differs")
    )
    for task, holds in ((first, compared), (second, same)):
        judge = Environment().compile_expression(task["ansible.builtin.assert"]["that"])
        assert judge(livesync_drift=found) is holds
    assert "when" not in first and second["when"] == "fail | default(false) | bool"


def test_the_table_of_adopt():
    given = tasks("adopt")["Show the table"]["vars"]
    source = {"source": "system/ldap/account", "schedule": "by-hand", "scheduler": "idm", "written": True}
    other = {"source": "system/hr/person", "schedule": None, "scheduler": None, "written": False}
    found = {
        "changed": True,
        "msg": "a.yml describes it.",
        "sources": [{**source, "remarks": []}, {**other, "remarks": ["Nobody runs it."]}],
    }
    away = {"msg": "IDM does not answer.", "not_asked": True}
    text = rendered(
        False,
        given["livesync_rows"],
        livesync_columns=given["livesync_columns"],
        **hosts("livesync_adopted", one=found, two=away),
    )
    assert [" ".join(row.split()) for row in yaml.safe_load(text)] == [
        "one - - yes a.yml describes it.",
        "one system/ldap/account by-hand yes",
        "one system/hr/person - left out Nobody runs it.",
        "two - - no IDM does not answer.",
    ]
    fails = Environment().compile_expression(tasks("adopt")["Fail where it could not be asked"]["when"])
    assert fails(livesync_adopted=away) is True and not fails(livesync_adopted=found)


@pytest.mark.parametrize("book", ["adopt", "drift"])
@pytest.mark.parametrize("there", [[], ["one"]])
def test_both_fail_when_no_host_matches(book, there):
    matched, play = yaml.safe_load((ROOT / "playbooks" / f"{book}.yml").read_text(encoding="utf-8"))
    judge = Environment().compile_expression(matched["tasks"][0]["ansible.builtin.assert"]["that"])
    assert judge(query=lambda *unused: there, target="some") is bool(there)
    assert "target | default('all')" in play["hosts"]
