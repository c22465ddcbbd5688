# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for the end of a program that start_background has started, and removes its folder."""

from __future__ import annotations

import shutil
import time

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import Step, options
from ansible_collections.idmops.idm.tests.servers.stack.process import started_at


def operate(params, context):
    end = time.monotonic() + 30
    while started_at(params["pid"]) is not None:
        if time.monotonic() > end:
            raise IdmopsError(f"The process {params['pid']} still runs.")
        time.sleep(0.05)
    shutil.rmtree(params["folder"])
    return {"changed": True}


class ActionModule(Step):
    spec = options(pid={"type": "int", "required": True}, folder={"type": "path", "required": True})
    operate = staticmethod(operate)
