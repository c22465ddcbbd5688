# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs M(idmops.idm.idm_token) inside the worker, and hides the token from every output."""

from __future__ import annotations

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.modules.idm_token import SPEC, operate
from ansible_collections.idmops.idm.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    spec = SPEC
    operate = staticmethod(operate)

    def run(self, tmp=None, task_vars=None):
        """Run it; the result stays usable as a registered variable (seen on ansible-core 2.16, 2.19 and 2.21).

        With async it is Ansible that prints the result, and keeps it in a file (seen on ansible-core 2.19).
        """
        if self._task.async_val:
            way_out = "The token would be printed, and be left in ~/.ansible_async: leave async out, or make it 0."
            return {**InvalidOption("async", self._task.async_val, way_out).as_result(), "failed": True}
        result = super().run(tmp, task_vars)
        return result if result.get("failed") else {**result, "_ansible_no_log": True}
