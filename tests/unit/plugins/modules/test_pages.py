# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages have every state and every finding that the code has, and no other; nobody else keeps a list of states."""

from __future__ import annotations

import ast
import pathlib
import re

import jinja2
import pytest
import yaml
from ansible_collections.idmops.idm.plugins.module_utils._health.states import GOOD_ENOUGH, STATES
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import KINDS, REASONS
from ansible_collections.idmops.idm.plugins.modules import livesync_status
from jinja2 import nativetypes

ROOT = pathlib.Path(__file__).resolve().parents[4]
ROLLOUT = ROOT / "plugins" / "module_utils" / "_rollout"
#: The findings that bear the name of a limit.
LIMITS = {"size_limit", "lookthrough_limit", "time_limit", "idle_time_limit", "unindexed_search"}


def first_column(page):
    """Return the codes that stand in the first column of a page's tables."""
    rows = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [code for row in rows if row.startswith("| `") for code in re.findall(r"`(\w+)`", row.split("|")[1])]


def constants(node):
    return {item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)}


def codes():
    """Return the codes of all findings, as they stand in the code."""
    found = set()
    for path in ROLLOUT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "Finding") and node.args:
                found |= constants(node.args[0])
            elif isinstance(node, ast.Assign) and {"code", "codes"} & {getattr(one, "id", "") for one in node.targets}:
                found |= constants(node.value)
    return found


def test_every_finding_has_its_line():
    told = first_column("findings.md")
    assert len(codes()) > 50
    assert sorted(told) == sorted(set(told))
    assert set(told) == codes() | LIMITS


def test_every_kind_and_reason_of_a_difference_has_its_line():
    assert first_column("proof.md") == [*KINDS, *REASONS]


def test_every_state_has_its_line_in_the_order_of_the_code():
    told = [code for code in first_column("states.md") if code in STATES or code.islower()]
    assert told[: len(STATES)] == list(STATES)
    documented = yaml.safe_load(livesync_status.DOCUMENTATION)["options"]["fail_on"]["choices"]
    assert documented == list(STATES)
    described = " ".join(yaml.safe_load(livesync_status.RETURN)["livesync"]["contains"]["state"]["description"])
    assert all(f"V({state})" in described for state in STATES)


def expressions(path):
    """Yield the expressions of a file of tasks that judge a status."""
    text = path.read_text(encoding="utf-8")
    return [text[found.start() : found.start() + 400] for found in re.finditer("good_enough", text)]


def test_role_and_playbooks_take_from_the_status_what_is_good_enough():
    """A state that is added tomorrow is bad there without anybody's doing: no other list of states is kept."""
    roles = list((ROOT / "roles").rglob("*.yml")) + list((ROOT / "playbooks").glob("*.yml"))
    assert sum(len(expressions(path)) for path in roles) == 4
    named = {state for path in roles for state in STATES if re.search(rf"""['"]{state}['"]""", path.read_text())}
    assert named <= {"dormant"}  # which the role wakes


def test_a_new_state_is_bad_for_the_role_and_the_playbook():
    new = {"source": "s", "state": "brand_new", "good_enough": False, "remedy": "x"}
    tasks = yaml.safe_load((ROOT / "roles/livesync/tasks/enabled.yml").read_text(encoding="utf-8"))[0]["block"]
    (prove,) = [task for task in tasks if task["name"] == "Prove that liveSync works"]
    environment = jinja2.Environment()
    environment.tests["failed"] = lambda result: result.get("failed", False)
    environment.filters["bool"] = bool
    judge = environment.compile_expression(prove["failed_when"])
    plan = {"tolerated": []}
    for state, good in [("brand_new", False), *((state, state in GOOD_ENOUGH) for state in STATES)]:
        proof = {"livesync": [{**new, "state": state, "good_enough": good}]}
        judged = judge(livesync__proof=proof, livesync__plan=plan, livesync_reactivate=False)
        assert judged is not good, state
    _matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    (fails,) = [task for task in play["tasks"] if task["name"] == "Fail when something is unhealthy"]
    bad = environment.from_string(fails["vars"]["livesync_unhealthy"])
    assert "brand_new" in bad.render(livesync_answer={"livesync": [new]})


@pytest.mark.parametrize(
    ("states", "fails"), [(["not asked"], True), (["healthy"], False), (["healthy", "failing"], False), ([], False)]
)
def test_the_playbook_of_the_status_fails_where_it_could_not_ask(states, fails):
    _matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    (task,) = [task for task in play["tasks"] if task["name"] == "Fail where it could not be asked"]
    answer = {"livesync": [{"source": "s", "state": state} for state in states]}
    assert jinja2.Environment().compile_expression(task["when"])(livesync_answer=answer) is fails


@pytest.mark.parametrize("hosts", [[], ["one"]])
def test_the_playbook_of_the_status_fails_when_no_host_matches(hosts):
    matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    (task,) = matched["tasks"]
    asked = []
    judge = jinja2.Environment().compile_expression(task["ansible.builtin.assert"]["that"])
    assert judge(query=lambda *words: asked.append(words) or hosts, target="some") is bool(hosts)
    assert asked == [("ansible.builtin.inventory_hostnames", "some")]
    assert matched["hosts"] == "localhost" and "target | default('all')" in play["hosts"]


@pytest.mark.parametrize(("form", "text"), [("json", ["head", "row  one"]), ("yaml", "head\nrow  one")])
def test_the_table_of_the_status_is_one_in_both_formats(form, text):
    _matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    (task,) = [task for task in play["tasks"] if task["name"] == "Show the table"]
    environment = nativetypes.NativeEnvironment()
    rows = environment.from_string(task["vars"]["livesync_table"]).render(
        livesync_head="head   ", livesync_rows=["row  one "]
    )
    shown = environment.from_string(task["ansible.builtin.debug"]["msg"])
    assert shown.render(livesync_format=form, livesync_table=list(rows)) == text


def playbook_of_status():
    """Return the variables of the table, and what the playbook calls unhealthy, as functions of a host's variables."""
    _matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    environment = jinja2.Environment()
    environment.filters["bool"] = lambda value: str(value).lower() == "true"
    table, fails = (
        next(task["vars"] for task in play["tasks"] if task["name"] == name)
        for name in ("Show the table", "Fail when something is unhealthy")
    )

    def shown(canaries, **flags):
        answer = {
            "livesync": [{"source": "s", "state": "healthy", "good_enough": True, "remedy": None, "proved": True}]
        }
        host = {"livesync_answer": answer, **({"livesync_canaries": canaries} if canaries is not None else {})}
        given = {**flags, **host, "ansible_play_hosts": ["h"], "hostvars": {"h": host}}
        for name in ("livesync_flown", "livesync_columns"):
            given[name] = environment.from_string(play["vars"][name]).render(**given)
        return (
            environment.from_string(table["livesync_head"]).render(**given),
            environment.from_string(table["livesync_rows"]).render(**given),
            environment.from_string(fails["livesync_unhealthy"]).render(**given),
        )

    return shown


def test_the_table_says_what_became_of_the_canaries_where_they_flew():
    shown = playbook_of_status()
    head, rows, bad = shown(None)
    assert "canary" not in head and " none " not in rows and bad == "[]"
    arrived = {"source": "s", "arrived": True, "seconds": 3.2, "msg": "It arrived.", "ok": True}
    head, rows, bad = shown([arrived], canary="true")
    assert "canary" in head and "3.2 s" in rows and "It arrived." not in rows and bad == "[]"
    lost = {"source": "s", "arrived": False, "seconds": None, "msg": "It has not arrived.", "ok": False}
    head, rows, bad = shown([lost], canary="true")
    assert "not arrived" in rows and "It has not arrived." in rows and bad == "['s: It has not arrived.']"
    unknown = {"source": "s", "arrived": None, "seconds": None, "msg": "In check mode nothing flies.", "ok": True}
    head, rows, bad = shown([unknown], canary="true")
    assert "not known" in rows and bad == "[]"
    head, rows, bad = shown([], canary="true")
    assert " none " in rows and "nothing was seen to arrive" in bad
