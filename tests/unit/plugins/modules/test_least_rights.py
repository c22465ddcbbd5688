# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of least rights, the page that shows it, and what is said for want of a right.

That no module asks for what has no line there is checked by the scripted client at each of its requests, and by the
integration target least_rights on a real server.
"""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml
from ansible_collections.idmops.idm.plugins.module_utils._changelog.grants import _needed_privileges
from ansible_collections.idmops.idm.plugins.module_utils._http.right import Right, rights_asked, spoken
from ansible_collections.idmops.idm.plugins.module_utils._idm.least_rights import (
    MODULES,
    NEEDS,
    ROLE,
    is_known,
    needs_of,
    rights_to_write,
    rules,
    unknown_without,
)
from ansible_collections.idmops.idm.plugins.module_utils._ldap.directory import Modification

ROOT = pathlib.Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "least-rights.md").read_text(encoding="utf-8")


def row(need):
    """Return the line of the page that shows a need."""
    right = f"{need.right.method} `{need.right.action}`" if need.right.action else need.right.method
    modules = ", ".join(f"`{name}`" for name in need.modules) if need.modules != MODULES else "all"
    return f"| {right} | `{need.right.resource}` | {modules} | {need.when or 'always'} | {need.unknown or 'fails'} |"


def test_the_page_shows_the_table_and_nothing_else():
    shown = [line for line in PAGE.splitlines() if re.match(r"\| (read|query|create|update|delete|action)\b", line)]
    assert shown == [row(need) for need in NEEDS]


def test_every_module_that_asks_idm_is_in_the_table():
    asking = {
        path.stem
        for path in (ROOT / "plugins" / "modules").glob("*.py")
        if "session(" in path.read_text(encoding="utf-8")
    }
    assert asking == set(MODULES) == {name for need in NEEDS for name in need.modules}
    for name in asking:
        assert f'session("{name}", params, context)' in (ROOT / f"plugins/modules/{name}.py").read_text(
            encoding="utf-8"
        )


def test_the_role_runs_what_the_table_says():
    tasks = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "roles/livesync/tasks").glob("*.yml"))
    assert set(re.findall(r"^ +idmops\.idm\.(\w+):", tasks, re.M)) - {"changelog_access"} == set(ROLE)


def test_the_page_s_rules_are_those_of_the_role():
    (text,) = re.findall(r"```json\n(\[.*?\])\n```", PAGE, re.DOTALL)
    wanted = [need.right for name in ROLE for need in needs_of(name)]
    shown = [
        Right(method, rule["pattern"], action)
        for rule in json.loads(text)
        for method in rule["methods"].split(",")
        for action in (rule["actions"].split(",") if method == "action" else [""])
    ]
    assert {rule["roles"] for rule in json.loads(text)} == {"livesync-operator"}
    assert len(shown) == len(set(shown))
    assert set(shown) == set(wanted)


def test_the_page_names_each_privilege_of_the_directory():
    written = [Modification("add", name, ()) for name in ("ds-cfg-global-aci", "ds-privilege-name")]
    for privilege in (*_needed_privileges(written), "changelog-read"):
        assert f"`{privilege}`" in PAGE


def test_the_page_s_acis_and_privileges_are_those_that_were_tried():
    tried = ROOT / "tests/integration/targets/least_rights/vars/directory.yml"
    needed = yaml.safe_load(tried.read_text(encoding="utf-8"))
    (shown,) = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert shown.splitlines() == [one["text"] for one in needed["acis"]]
    told = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.M)
    assert sorted(told) == sorted(needed["privileges"])


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        (("GET", "config/sync"), "read config/sync"),
        (("GET", "config", {"_queryFilter": "true"}), "query config"),
        (("GET", "scheduler/job", {"_queryId": "query-all-ids"}), "query scheduler/job"),
        (("POST", "system/ldap/account", {"_action": "liveSync"}), "action liveSync on system/ldap/account"),
        (("POST", "managed/user", {"_action": "create"}), "create managed/user"),
        (("PUT", "scheduler/job/a%20b"), "create scheduler/job, update scheduler/job/a b"),
        (("PUT", "repo/x/Y", None, {"If-Match": '"1"'}), "update repo/x/Y"),
        (("PUT", "repo/x/Y", None, {"If-None-Match": "*"}), "create repo/x"),
        (("DELETE", "repo/x/Y"), "delete repo/x/Y"),
    ],
)
def test_what_a_request_asks_for(request_, asked):
    """As OpenIDM 6.1.0 showed its access rules the same requests."""
    assert spoken(rights_asked(*request_)) == asked


def test_a_rule_covers_what_lies_below_it_and_not_itself():
    rule = Right("action", "system/*", "liveSync")
    assert rule.covers(Right("action", "system/ldap/account", "liveSync"))
    assert not rule.covers(Right("action", "system", "liveSync"))
    assert not rule.covers(Right("action", "system/ldap", "test"))
    assert not Right("read", "config").covers(Right("read", "config/sync"))
    assert is_known(Right("read", "config/schedule/x")) and not is_known(Right("read", "managed/user/x"))


def test_rules_are_written_as_idm_writes_them():
    right = Right("action", "system/*", "test")
    rule = {"pattern": "system/*", "roles": "r", "methods": "action", "actions": "test"}
    assert rules("r", [right, right]) == [rule]


def test_what_the_role_has_to_write():
    said = spoken(rights_to_write())
    for right in ("action liveSync on system/*", "create scheduler/job", "action recon on recon"):
        assert right in said
    assert "test" not in said and "read" not in said.replace("already", "")


def test_what_is_unknown_for_want_of_a_right_is_said():
    lacking = [Right("query", "audit/recon"), Right("read", "info/ping"), Right("read", "config/sync")]
    (said,) = unknown_without("recon", lacking)
    assert said.startswith("The account has not the right: query audit/recon. Unknown is which entries failed")
    assert unknown_without("connector_info", lacking) == []
