# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets an attribute of an entry of the directory, without a value removes it, and waits for the change's number."""

from __future__ import annotations

import ldap
from ansible_collections.idmops.idm.tests.integration.in_worker import DIRECTORY, TEXT, Step, directory, options
from ansible_collections.idmops.idm.tests.servers.stack.numbering import await_number


def operate(params, context):
    values = params["values"] or ([params["value"]] if params["value"] else None)
    stored = [value.encode() for value in values] if values else None
    with directory(params) as line:
        line.modify_s(params["dn"], [(ldap.MOD_REPLACE, params["attribute"], stored)])
        await_number(line, params["dn"])
    return {"changed": True}


class ActionModule(Step):
    spec = options(
        DIRECTORY, dn=TEXT, attribute=TEXT, value={"type": "str"}, values={"type": "list", "elements": "str"}
    )
    operate = staticmethod(operate)
