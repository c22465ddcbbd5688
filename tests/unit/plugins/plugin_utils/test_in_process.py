# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a task runs inside the worker, and that it ends there as it would as a module."""

from __future__ import annotations

import types

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import idm_spec
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, MissingLibrary
from ansible_collections.idmops.idm.plugins.plugin_utils import _in_process
from ansible_collections.idmops.idm.plugins.plugin_utils._in_process import InProcessAction

try:
    from ansible.module_utils.secrets import mask_secrets
except ImportError:
    mask_secrets = None

ARGS = {"url": "https://idm.example.com/openidm", "username": "admin", "password": "verysecret"}


def printed(result):
    """Return a result as ansible-core prints it: from 2.22 on it masks what it was told of."""
    return mask_secrets(repr(result), mask_placeholder="********") if mask_secrets else repr(result)


def action(monkeypatch, operate, args=None, **more):
    """Return an action plugin on a task of the test's own; as a module it answers {"as_module": True}."""
    task = types.SimpleNamespace(
        action="idmops.idm.probe",
        args={**ARGS, **(args or {})},
        async_val=more.get("async_val", 0),
        environment=more.get("environment", [{}]),
        check_mode=more.get("check_mode", False),
        no_log=more.get("no_log", False),
    )

    class Plugin(InProcessAction):
        spec = idm_spec(
            {"sources": {"type": "list", "elements": "dict", "options": {"x": {"type": "str", "no_log": True}}}}
        )

    Plugin.operate = staticmethod(operate)
    plugin = Plugin.__new__(Plugin)
    plugin._task = task
    plugin._connection = types.SimpleNamespace(transport=more.get("transport", "local"))
    plugin._play_context = types.SimpleNamespace(become=more.get("become", False))
    plugin._loader = types.SimpleNamespace(get_basedir=lambda: more.get("folder", "."))
    plugin._templar = types.SimpleNamespace(template=lambda value: value)
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(plugin, "_execute_module", lambda **how: {"as_module": True}, raising=False)
    return plugin


def fine(params, context):
    return {"changed": True, "seconds": params["timeout"], "said": params["password"]}


def test_it_runs_here_and_shows_no_secret(monkeypatch):
    result = action(monkeypatch, fine).run(task_vars={})
    assert (result["changed"], result["seconds"]) == (True, 30.0)
    assert "verysecret" not in printed(result)


@pytest.mark.parametrize(
    "more, task_vars",
    [
        ({"transport": "ssh"}, {}),
        ({"become": True}, {}),
        ({"async_val": 10}, {}),
        ({"environment": [{}, {"https_proxy": "x"}]}, {}),
        ({}, {"idmops_in_process": False}),
        ({}, {"idmops_in_process": "no"}),
    ],
)
def test_where_the_worker_is_not_the_place_the_module_runs(monkeypatch, more, task_vars):
    assert action(monkeypatch, fine, **more).run(task_vars=task_vars) == {"as_module": True}


def test_on_macos_the_module_runs(monkeypatch):
    monkeypatch.setattr(_in_process.sys, "platform", "darwin")
    assert action(monkeypatch, fine).run(task_vars={}) == {"as_module": True}


def test_a_library_that_the_controller_lacks_may_be_where_the_module_runs(monkeypatch):
    def operate(params, context):
        raise MissingLibrary("requests", "No module named 'requests'")

    assert action(monkeypatch, operate).run(task_vars={}) == {"as_module": True}


def test_check_mode_is_handed_on(monkeypatch):
    result = action(monkeypatch, lambda params, context: {"check": context.check_mode}, check_mode=True).run(
        task_vars={}
    )
    assert result["check"] is True and result["changed"] is False


def test_a_failure_is_a_result(monkeypatch):
    def operate(params, context):
        context.report.warn("look out")
        raise IdmopsError("It broke.", status=500, remedy="Mend it.", result={"runs": [1]})

    result = action(monkeypatch, operate).run(task_vars={})
    assert result["failed"] is True and result["msg"] == "It broke. Mend it."
    assert (result["status"], result["runs"], result["warnings"]) == (500, [1], ["look out"])


def test_a_fault_of_ours_carries_no_secret_out(monkeypatch):
    def operate(params, context):
        context.report.keep_secret("minted-on-the-way")
        raise KeyError(f"{params['password']} minted-on-the-way")

    result = action(monkeypatch, operate).run(task_vars={})
    assert result["failed"] is True and result["msg"].startswith("Unexpected KeyError")
    assert "minted-on-the-way" not in printed(result) and "verysecret" not in printed(result)


@pytest.mark.parametrize(
    "args, words",
    [
        ({"nonsense": 1}, "Unsupported parameters for (idmops.idm.probe) module: nonsense"),
        ({"timeout": "soon"}, "timeout"),
        ({"auth_method": "magic"}, "auth_method"),
        ({"client_key": "/key.pem"}, "client_cert"),
        ({"sources": "nonsense"}, "sources: a text cannot be used. Give a list of dictionaries."),
        ({"sources": ["nonsense"]}, "sources[0]: a text cannot be used. Give a dictionary."),
        ({"sources": 15}, "sources: 15 cannot be used. Give a list of dictionaries."),
        ({"sources": {"x": "verysecret"}}, "sources: a dictionary cannot be used. Give a list of dictionaries."),
        ({"sources": [{}, 15]}, "sources[1]: 15 cannot be used. Give a dictionary."),
        ({"sources": [["verysecret"]]}, "sources[0]: a list cannot be used. Give a dictionary."),
    ],
)
def test_options_are_checked_as_the_module_checks_them(monkeypatch, args, words):
    result = action(monkeypatch, fine, args).run(task_vars={})
    assert result["failed"] is True and words in result["msg"]
    assert "verysecret" not in printed(result)


@pytest.mark.parametrize("sources", ["x=1", ["x=1"], ['{"x": "1"}'], [{"x": "1"}], None])
def test_what_ansible_makes_a_dictionary_of_is_one(monkeypatch, sources):
    result = action(monkeypatch, lambda params, context: {"sources": params["sources"]}, {"sources": sources}).run(
        task_vars={}
    )
    assert "failed" not in result


def test_progress_is_shown_at_once_without_secrets(monkeypatch):
    shown = []

    def display(line, stderr):
        assert stderr
        shown.append(line)

    monkeypatch.setattr(_in_process, "Display", lambda: types.SimpleNamespace(display=display))

    def operate(params, context):
        context.report.progress(f"half of it, {params['password']}")
        return {}

    action(monkeypatch, operate).run(task_vars={"inventory_hostname": "prod"})
    assert [printed(line) for line in shown] == [repr("  [prod] half of it, ********")]
    action(monkeypatch, operate, no_log=True).run(task_vars={})
    assert len(shown) == 1, "no_log means no progress either"
