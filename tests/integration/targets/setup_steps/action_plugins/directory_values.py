# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets an attribute of entries of the stack's directory (or removes it, without a value); returns their entryUUIDs."""

from __future__ import annotations

import ldap
from ansible_collections.idmops.idm.tests.integration.in_worker import DIRECTORY, TEXT, Step, directory, options


def operate(params, context):
    value = params["value"]
    change = (ldap.MOD_REPLACE, params["attribute"], None if value is None else [value.encode()])
    ids = []
    with directory(params) as line:
        for dn in params["dns"]:
            line.modify_s(dn, [change])
            ((unused, entry),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
            ids.append(entry["entryUUID"][0].decode())
    return {"changed": True, "ids": ids}


class ActionModule(Step):
    spec = options(
        DIRECTORY,
        dns={"type": "list", "elements": "str", "required": True},
        attribute=TEXT,
        value={"type": "str"},
    )
    operate = staticmethod(operate)
