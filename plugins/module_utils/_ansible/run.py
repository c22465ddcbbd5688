# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a piece of domain code as an Ansible module."""

from __future__ import annotations

import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._base.context import Context, Report
from .._base.errors import IdmopsError, MissingLibrary
from .arguments import ArgumentSpec
from .misfit import misfit
from .secrets import Secrets, hidden_values, readable, register, struck_out

#: Takes validated options and a context, returns a result; raises IdmopsError.
Operation = t.Callable[[t.Mapping[str, t.Any], Context], t.Dict[str, t.Any]]


class _Module(AnsibleModule):  # type: ignore[misc]  # ansible-core says nothing of its types
    """An AnsibleModule that hides the secrets of options that it could not read, too."""

    no_log_values: Secrets
    params: dict[str, t.Any]

    def __init__(self, spec: ArgumentSpec) -> None:
        self._spec = spec
        super().__init__(supports_check_mode=True, **spec.as_arguments())

    def _load_params(self) -> None:
        super()._load_params()
        self.params = readable(self.params)

    def _set_internal_properties(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Stop before the validation, which does not survive a value of the wrong kind below another option."""
        super()._set_internal_properties(*args, **kwargs)
        if complaint := misfit(self._spec.argument_spec, self.params):
            self.fail_json(complaint)

    def hide(self, more: t.Iterable[str] = ()) -> None:
        """Bring up to date what must not appear in the output."""
        self.no_log_values = hidden_values(self._spec, self.params, {*self.no_log_values, *more})
        register(self.no_log_values)

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:  # type: ignore[misc]
        """End with an error; ``__init__`` does that as well."""
        self.hide()
        super().fail_json(msg, **kwargs)


def run_module(spec: ArgumentSpec, operate: Operation) -> None:
    """Run ``operate`` with the module's options and end the module with its result or its error."""
    module = _Module(spec)
    report = Report()
    failure: dict[str, t.Any] | None = None
    result: dict[str, t.Any] = {}
    try:
        result = operate(module.params, Context(check_mode=module.check_mode, report=report))
    except MissingLibrary as exc:
        failure = {"msg": missing_required_lib(exc.library), "exception": exc.reason}
    except IdmopsError as exc:
        failure = exc.as_result()
    except Exception as exc:  # a fault of ours must not carry a secret out in its traceback
        failure = {"msg": f"Unexpected {type(exc).__name__}: {exc}", "exception": traceback.format_exc()}
    module.hide(report.secrets)
    for text in report.warnings:
        module.warn(struck_out(text, module.no_log_values))
    if failure is not None:
        module.fail_json(**failure)
    module.exit_json(**result)
