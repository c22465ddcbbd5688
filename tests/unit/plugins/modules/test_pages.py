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
from ansible_collections.idmops.idm.plugins.module_utils._health.report import Environment, report
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
    assert sum(len(expressions(path)) for path in roles) == 3
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
    told = report([Environment("h", (new,))], "2026-11-28T10:00:00Z")
    assert told["complaints"] == {"h": ["s is brand_new: x"]}


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
    shown = nativetypes.NativeEnvironment().from_string(task["ansible.builtin.debug"]["msg"])
    assert shown.render(livesync_format=form, livesync_report={"table": ["head", "row  one"]}) == text


def test_what_the_status_does_once_it_does_here():
    """Whatever connection somebody gave to the first host, it is no hindrance to the report on all of them."""
    _matched, play = yaml.safe_load((ROOT / "playbooks/status.yml").read_text(encoding="utf-8"))
    once = [task for task in play["tasks"] if task.get("run_once")]
    assert len(once) == 5 and all(task.get("delegate_to") == "localhost" for task in once)
