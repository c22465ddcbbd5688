# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a piece of domain code inside Ansible's worker.

A module costs 0.4 s before it does anything (packing, a new Python, imports) and cannot show progress. On the
control host both can be spared. Where that is not possible the module runs, with the same code and result.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import ArgumentSpec
from ansible_collections.idmops.idm.plugins.module_utils._ansible.misfit import misfit
from ansible_collections.idmops.idm.plugins.module_utils._ansible.secrets import (
    MASKED,
    hidden_values,
    readable,
    register,
    struck_out,
)
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context, Report
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError, MissingLibrary

# Workers are forked from the process that has imported this: what is there already none of them imports for itself.
for _library in ("ldap", "jwt"):
    with contextlib.suppress(ImportError):
        importlib.import_module(_library)

_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class _ShownReport(Report):
    """A report whose progress appears at once, without the secrets of the task."""

    live = True

    def __init__(self, host: str, secrets: t.Iterable[str], quiet: bool) -> None:
        super().__init__()
        self.secrets.update(secrets)
        register(secrets)
        self._host = host
        self._quiet = quiet

    def keep_secret(self, value: str) -> None:
        super().keep_secret(value)
        register([value] if value else [])

    def progress(self, text: str) -> None:
        if not self._quiet:
            line = struck_out(f"  [{self._host}] {text}", self.secrets)
            Display().display(line, stderr=True)  # standard output is the callback's, which may print a document there


class InProcessAction(ActionBase):
    """An action plugin that is its module, run in the worker where possible.

    Subclasses set ``spec`` and ``operate`` to those of the module of the same name.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = True

    spec: ArgumentSpec
    operate: t.Callable[[t.Mapping[str, t.Any], Context], dict[str, t.Any]]

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task here, or as the module where the worker is not the place that the task means."""
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if self._may_run_here(task_vars):
            try:
                return {**result, **self._run_here(task_vars)}
            except MissingLibrary:
                pass  # nothing has been sent yet; the module's Python may have the library
        return self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)

    def _may_run_here(self, task_vars: dict[str, t.Any]) -> bool:
        wanted = boolean(self._templar.template(task_vars.get("idmops_in_process", True)), strict=False)
        return bool(
            wanted
            and self._connection.transport == "local"
            and not self._play_context.become
            and not self._task.async_val
            and not any(self._task.environment or [])  # the worker would not see it
            and sys.platform != "darwin"  # a forked worker and the system's proxy look-up do not go together there
        )

    def _run_here(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        given = readable(self._task.args)
        complaint = misfit(self.spec.argument_spec, given)
        if complaint:
            validated = ValidationResult(given)
        else:
            validated = ArgumentSpecValidator(**self.spec.as_arguments()).validate(given)
            complaint = self._complaint(validated)
        hidden = hidden_values(self.spec, validated.validated_parameters, validated._no_log_values)
        report = _ShownReport(task_vars.get("inventory_hostname", "localhost"), hidden, bool(self._task.no_log))
        if complaint:
            outcome: dict[str, t.Any] = {"failed": True, "msg": complaint}
        else:
            with _folder(self._loader.get_basedir()):
                outcome = self._outcome(validated.validated_parameters, report)
        outcome.setdefault("changed", False)
        twice = (
            f"Both option {found['option']} and its alias {found['alias']} are set." for found in validated._warnings
        )
        if warnings := [*twice, *report.warnings]:
            outcome["warnings"] = warnings
        if deprecations := [dict(entry) for entry in validated._deprecations]:
            outcome["deprecations"] = deprecations
        if _shows_invocation(task_vars):
            outcome["invocation"] = {"module_args": self._shown(validated.validated_parameters)}
        return struck_out(outcome, report.secrets)

    def _shown(self, params: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return options as a module shows them."""
        spec = {} if MASKED else self.spec.argument_spec
        return {
            name: _HIDDEN if value and spec.get(name, {}).get("no_log") else value for name, value in params.items()
        }

    def _complaint(self, validated: ValidationResult) -> str | None:
        """Return what is wrong with the options, in the words that AnsibleModule has for it; None if nothing is."""
        if not validated.error_messages:
            return None
        text = str(validated.errors.msg)
        if isinstance(validated.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {text}"
        return text

    def _outcome(self, params: dict[str, t.Any], report: Report) -> dict[str, t.Any]:
        try:
            return dict(type(self).operate(params, Context(check_mode=self._task.check_mode, report=report)))
        except MissingLibrary:
            raise
        except IdmopsError as exc:
            return {**exc.as_result(), "failed": True}
        except Exception as exc:  # a fault of ours must not carry a secret out in its traceback
            return {
                "failed": True,
                "msg": f"Unexpected {type(exc).__name__}: {exc}",
                "exception": traceback.format_exc(),
            }


def _shows_invocation(task_vars: dict[str, t.Any]) -> bool:
    """Tell whether a module's result holds the options that it was called with: since ansible-core 2.21 if told so."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except AnsibleError:
        return True


@contextlib.contextmanager
def _folder(path: str) -> t.Iterator[None]:
    """Work in a folder: that of the playbook is where a module runs on a local connection."""
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
