# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches what a playbook printed for the secrets of a stand-in, and others.

Returns the names of those that it found, each with the line's number, and how many were sought. Never a secret.
"""

from __future__ import annotations

import pathlib

import yaml
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import Step, loopback_session, options
from ansible_collections.idmops.idm.tools import leaks


def operate(params, context):
    variables = yaml.safe_load(pathlib.Path(params["variables"]).read_text(encoding="utf-8"))
    told = loopback_session().get(f"{variables['ping_control']}/secrets", timeout=60)
    told.raise_for_status()
    sought = {**told.json(), **params["others"]}
    for name, value in sought.items():
        if leaks.searchable(value) is None:
            raise IdmopsError(f"{name} is too short to be searched for")
    found = leaks.found(pathlib.Path(params["output"]).read_text(encoding="utf-8"), sought)
    return {"found": found, "sought": len(sought)}


class ActionModule(Step):
    spec = options(
        output={"type": "path", "required": True},
        variables={"type": "path", "required": True},
        others={"type": "dict", "required": True, "no_log": True},
    )
    operate = staticmethod(operate)
