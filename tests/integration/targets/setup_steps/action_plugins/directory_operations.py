# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was asked of the directory as its administrator, as its access log has it, the binds among it.

Without ``since`` it returns a mark; with the mark of an earlier call the operations that came after it.
"""

from __future__ import annotations

import pathlib
import re

from ansible_collections.idmops.idm.tests.integration.in_worker import TEXT, Step, operations_of, options

WHERE = re.compile(r' (?:base|dn)="([^"]*)"')


def operate(params, context):
    log = pathlib.Path(params["stack_dir"], "ds", "logs", "access")
    size, asked = operations_of(log, params["since"] or 0, params["ds_admin_dn"])
    told = [f"{kind} {found.group(1) if (found := WHERE.search(line)) else ''}".strip() for kind, line in asked]
    return {"mark": size, "operations": told if params["since"] else []}


class ActionModule(Step):
    spec = options(ds_admin_dn=TEXT, stack_dir={"type": "path", "required": True}, since={"type": "int"})
    operate = staticmethod(operate)
