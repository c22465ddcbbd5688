# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes an entry's description, and waits until the change log has forgotten all changes up to that one.

The directory must have a short purge delay. It keeps the newest change, so that further changes are made meanwhile.
"""

from __future__ import annotations

import time

import ldap
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import DIRECTORY, TEXT, Step, directory, options


def numbers(line):
    """Return the first and the last change number."""
    ((unused, root),) = line.search_s("", ldap.SCOPE_BASE, attrlist=["firstChangeNumber", "lastChangeNumber"])
    return int(root["firstChangeNumber"][0]), int(root["lastChangeNumber"][0])


def operate(params, context):
    with directory(params) as line:
        before = numbers(line)[1]
        end = time.monotonic() + params["timeout"]
        value = params["value"].encode()
        while time.monotonic() < end:
            line.modify_s(params["dn"], [(ldap.MOD_REPLACE, "description", [value])])
            first, last = numbers(line)
            if first > before + 2:
                return {"changed": True, "first": first, "last": last}
            time.sleep(0.5)
    raise IdmopsError(f"The change log still begins at {first}; it ended at {before} before.")


class ActionModule(Step):
    spec = options(DIRECTORY, dn=TEXT, value=TEXT, timeout={"type": "int", "default": 120})
    operate = staticmethod(operate)
