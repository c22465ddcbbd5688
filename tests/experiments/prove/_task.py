# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of the collection run in this process, and a directory whose changes have their numbers."""

from __future__ import annotations

import importlib
import sys
import time
import typing as t

from ._bed import Bed

#: The change log as the modules are told of it.
Directory = t.Dict[str, t.Any]


class Result(t.NamedTuple):
    """What a task returned, and how long it took; a task that failed has the key ``failed``."""

    told: dict[str, t.Any]
    took: float

    @property
    def run(self) -> dict[str, t.Any]:
        """The only entry of ``runs``."""
        (run,) = self.told["runs"]
        return t.cast("dict[str, t.Any]", run)


class Tasks:
    """Runs modules of the collection as the action plugins do: the same code, with the same options."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        path = str(bed.folder / "collections")
        if path not in sys.path:
            sys.path.insert(0, path)

    @property
    def directory(self) -> Directory:
        """The option ``directory``."""
        known = self._bed.vars
        return {
            "servers": [known["ds_uri"]],
            "bind_dn": known["ds_admin_dn"],
            "bind_password": known["ds_admin_password"],
        }

    def run(self, name: str, url: str | None = None, **options: t.Any) -> Result:
        """Run a task.

        :param url: instead of IDM's own.
        """
        base = "ansible_collections.idmops.idm.plugins"
        module = importlib.import_module(f"{base}.modules.{name}")
        context = importlib.import_module(f"{base}.module_utils._base.context").Context()
        error = importlib.import_module(f"{base}.module_utils._base.errors").IdmopsError
        validator = importlib.import_module("ansible.module_utils.common.arg_spec").ArgumentSpecValidator
        known = self._bed.vars
        given = {"url": url or known["idm_url"], "username": known["idm_username"], "password": known["idm_password"]}
        checked = validator(**module.SPEC.as_arguments()).validate({**given, **options})
        assert not checked.error_messages, checked.error_messages
        began = time.monotonic()
        try:
            told = module.operate(checked.validated_parameters, context)
        except error as exc:
            told = {**exc.as_result(), "failed": True}
        told["warnings"] = context.report.warnings
        return Result(told, time.monotonic() - began)

    def trigger(self, url: str | None = None, **options: t.Any) -> Result:
        """Run livesync_trigger."""
        return self.run("livesync_trigger", url, source=self._bed.source, **options)

    def change(self, numbers: t.Sequence[int], description: str) -> int:
        """Change people, wait until the changes have their numbers, and return the last one."""
        return self._bed.describe(numbers, description, numbered=True)
