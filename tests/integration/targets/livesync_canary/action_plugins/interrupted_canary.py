# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets a canary fly in a process of its own, and kills that while it waits for the arrival. Returns what it left."""

from __future__ import annotations

import os
import signal
import time

import ldap
from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.modules.livesync_canary import SPEC
from ansible_collections.idmops.idm.plugins.modules.livesync_canary import operate as fly
from ansible_collections.idmops.idm.tests.integration.in_worker import Step


def value(params):
    known = params["directory"]
    line = ldap.initialize(known["servers"][0])
    line.simple_bind_s(known["bind_dn"], known["bind_password"])
    try:
        return line.search_s(params["dn"], ldap.SCOPE_BASE, attrlist=["description"])[0][1]["description"][0].decode()
    finally:
        line.unbind_s()


def operate(params, context):
    before, end = value(params), time.monotonic() + 30
    pid = os.fork()
    if not pid:
        try:
            fly(params, Context())
        finally:
            os._exit(0)
    try:
        while (left := value(params)) == before:
            if time.monotonic() > end:
                raise IdmopsError("It never made its change.")
            time.sleep(0.02)
    finally:
        os.kill(pid, signal.SIGKILL)
        unused, status = os.waitpid(pid, 0)
    return {"changed": True, "left": left, "killed": os.WIFSIGNALED(status)}


class ActionModule(Step):
    spec = SPEC
    operate = staticmethod(operate)
