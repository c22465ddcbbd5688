# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table, the document and JUnit's XML tell the same, and no more than they are to tell."""

from __future__ import annotations

import copy
import json
import pathlib
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.idmops.idm.plugins.module_utils._ansible.secrets import MASKED, register
from ansible_collections.idmops.idm.plugins.module_utils._health.junit import FAILURE, Case, as_junit
from ansible_collections.idmops.idm.plugins.module_utils._health.report import FORMAT, Environment, report
from ansible_collections.idmops.idm.plugins.module_utils._health.states import GOOD_ENOUGH, STATES

ROOT = pathlib.Path(__file__).resolve().parents[5]
SCHEMA = json.loads((ROOT / "docs/schemas/status.json").read_text(encoding="utf-8"))
AT = "2026-11-28T10:00:00Z"
LOST = {"source": "s", "arrived": False, "seconds": None, "msg": "It has not.", "ok": False}
ARRIVED = {"source": "s", "arrived": True, "seconds": 3.2, "msg": "It arrived.", "ok": True}


def entry(source="s", state="healthy", **more):
    """Return an entry of livesync_status, with what must not get into a report."""
    return {
        "source": source, "state": state, "good_enough": state in GOOD_ENOUGH, "proved": True, "remedy": None,
        "token": 0, "native_type": "integer", "pending": 0, "pending_exact": True, "behind": 0,
        "first_change_number": 1, "last_change_number": 3, "server": "ldaps://ds1.example.com:4444", "running": False,
        "scheduler": "external", "max_age": 300.0, "dead_letters": None,
        "last_run": {"time": AT, "outcome": "advanced", "failed": False},
        "arrived": {"by": "canary", "at": AT, "checked": 1, "seconds": 2.5},
        "last_failure": {"record": "1", "dn": "uid=somebody", "attributes": {"sn": "private"}},
        "dropped": [{"record": "1", "cause": "private"}], "gaps": None, "held_by": {"host": "private"},
        **more,
    }  # fmt: skip


def strict(schema):
    """Return a schema that takes nothing that it does not describe."""
    if isinstance(schema, dict):
        closed = {"additionalProperties": False} if "properties" in schema else {}
        return {**{name: strict(value) for name, value in schema.items()}, **closed}
    return [strict(one) for one in schema] if isinstance(schema, list) else schema


def told(*environments):
    """Return the report, its document checked and its XML read."""
    found = report(environments, AT)
    document = json.loads(json.dumps(found["document"]))
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(document)
    assert "private" not in json.dumps(found)
    return found, document, ElementTree.fromstring(found["junit"])


def test_the_schema_is_one_and_its_example_of_the_format_is_ours():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format"] == {
        "const": FORMAT,
        "description": SCHEMA["properties"]["format"]["description"],
    }
    document = report([Environment("a", (entry(),))], AT)["document"]
    for change in ({"format": "other"}, {"at": None}, {"environments": [{}]}, {"good_enough": "yes"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**copy.deepcopy(document), **change}, SCHEMA)


def test_the_page_shows_what_the_schema_describes():
    page = (ROOT / "docs/status-reports.md").read_text(encoding="utf-8")
    shown = {form: page.partition(f"```{form}\n")[2].partition("```")[0] for form in ("json", "xml")}
    document, xml = json.loads(shown["json"]), ElementTree.fromstring(shown["xml"].encode())
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(document)
    sources = [one for environment in document["environments"] for one in environment["sources"]]
    bad = sum(not one["good_enough"] for one in sources)
    gone = sum(one["error"] is not None for one in document["environments"])
    assert (bad, gone) == (2, 1)
    assert [xml.get(name) for name in ("tests", "failures", "errors")] == [
        str(len(sources) + gone),
        str(bad),
        str(gone),
    ]


def test_three_environments():
    gone = 'http://localhost:1/openidm cannot be reached: \x1b[1m<no & "answer">\n.'
    found, document, xml = told(
        Environment("well", (entry(), entry("t", "lagging", remedy="Nothing to mend yet."))),
        Environment("ill", (entry("s", "stalled", remedy="Look."), entry("t"), entry("u", "paused", remedy="Resume."))),
        Environment("gone", error=gone),
    )
    assert [one["good_enough"] for one in document["environments"]] == [True, False, False]
    assert document["good_enough"] is False
    assert found["errors"] == {"gone": gone}
    assert found["complaints"] == {"ill": ["s is stalled: Look.", "u is paused: Resume."], "gone": [gone]}
    assert [one["dropped"] for one in document["environments"][0]["sources"]] == [1, 1]
    assert document["environments"][0]["sources"][0]["gaps"] is None
    assert xml.attrib == {"name": "liveSync", "tests": "6", "failures": "2", "errors": "1"}
    assert [(suite.get("name"), suite.get("failures"), suite.get("errors")) for suite in xml] == [
        ("well", "0", "0"), ("ill", "2", "0"), ("gone", "0", "1"),
    ]  # fmt: skip
    assert [(one.get("classname"), one.get("name"), [part.tag for part in one]) for one in xml.iter("testcase")] == [
        ("well", "s", ["system-out"]), ("well", "t", ["system-out"]), ("ill", "s", ["failure"]),
        ("ill", "t", ["system-out"]), ("ill", "u", ["failure"]), ("gone", "all sources", ["error"]),
    ]  # fmt: skip
    failure, error = xml.find(".//failure"), xml.find(".//error")
    assert (failure.get("type"), failure.get("message"), failure.text) == ("stalled", *["stalled: Look."] * 2)
    assert error.get("message") == f"not asked: {gone}".replace("\x1b", "\ufffd")
    head, *rows = found["table"]
    assert "canary" not in head
    assert [row.split()[:3] for row in rows][:2] == [["well", "s", "healthy"], ["well", "t", "lagging"]]
    assert rows[0].split()[3:] == ["yes", "0", "0"]  # a token of 0 is one
    assert rows[-1].split()[:3] == ["gone", "-", "not"] and all("\n" not in row for row in rows)


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_red_unless_it_is_good_enough(state):
    found, document, xml = told(Environment("a", (entry(state=state),)))
    good = state in GOOD_ENOUGH
    assert (found["complaints"] == {}) is good is document["good_enough"] is (xml.find(".//failure") is None)


def test_an_environment_of_which_nothing_is_known_is_not_healthy():
    for environment, kind in ((Environment.of("a", {"livesync": []}, (), flown=False), "failure"),
                              (Environment.of("a", {}, (), flown=False), "error")):  # fmt: skip
        found, document, xml = told(environment)
        assert found["complaints"]["a"] and not document["good_enough"]
        assert [one.tag for one in xml.iter("testcase") for one in one] == [kind]
    assert "no source" in report([Environment("a")], AT)["table"][1]


def test_an_error_of_no_words_is_not_taken_for_none_known():
    assert Environment.of("a", {"error": "x"}, (), flown=False).error == "x"
    assert Environment.of("a", {"livesync": [entry()], "error": None}, (), flown=False).error is None


@pytest.mark.parametrize(
    ("flights", "column", "complaint"),
    [
        ([ARRIVED], "3.2 s", None),
        ([LOST], "not arrived", "It has not."),
        ([{**ARRIVED, "arrived": None, "seconds": None, "msg": "Check mode."}], "not known", None),
        ([{**ARRIVED, "source": "other"}], "none", None),
        ([], "none", "nothing was seen to arrive"),
    ],
)  # fmt: skip
def test_what_became_of_the_canaries(flights, column, complaint):
    found, document, xml = told(Environment.of("a", {"livesync": [entry()]}, flights, flown=True))
    assert "canary" in found["table"][0] and f" {column} " in f"{found['table'][1]} "
    assert "It arrived." not in found["table"][1]
    assert (complaint or "") in str(found["complaints"]) and bool(complaint) is bool(found["complaints"])
    assert (xml.find(".//failure") is not None) is bool(complaint)
    flew = bool(flights) and flights[0]["source"] == "s"
    assert (document["environments"][0]["sources"][0]["canary"] is not None) is flew


def test_a_canary_never_lifts_a_worse_state():
    environment = Environment.of("a", {"livesync": [entry(state="paused", remedy="Resume.")]}, [ARRIVED], flown=True)
    found, unused, xml = told(environment)
    assert found["complaints"] == {"a": ["s is paused: Resume."]} and xml.find(".//failure").get("type") == "paused"


@pytest.mark.skipif(not MASKED, reason="this ansible-core strikes secrets out of results")
def test_what_would_be_masked_where_it_is_printed_is_masked_in_what_is_written():
    register(["hunter2"])
    answers = ({"error": "hunter2"}, {"livesync": [entry(remedy="hunter2")]})
    flights = [{**LOST, "msg": "hunter2"}]
    found = report([Environment.of("a", answer, flights, flown=True) for answer in answers], AT)
    assert "hunter2" not in json.dumps(found) and "hunter2" not in found["junit"]


def test_what_xml_cannot_hold_is_replaced():
    text = "\x00\x08\x0b\ud800\ufffe<&>\"'\U0001f600\u00e9\t"
    xml = ElementTree.fromstring(as_junit("n", [("s", [Case("s", text, text, text, FAILURE)])], AT))
    assert xml.find(".//testcase").get("name") == "\ufffd" * 5 + "<&>\"'\U0001f600\u00e9\t"
