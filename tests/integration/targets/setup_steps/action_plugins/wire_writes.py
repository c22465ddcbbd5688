# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection wrote to both servers, as the servers themselves recorded it.

Without ``since`` it returns a mark; with the mark of an earlier call the writes that came after it, and under
``changes`` those of them that are not about our own run record.
"""

from __future__ import annotations

import pathlib
import re
import time
from datetime import datetime, timezone

from ansible_collections.idmops.idm.tests.integration.in_worker import IDM, TEXT, Step, idm_session, options

READING = {"test", "testconfig", "testconnectorservers", "validatequartzcronexpression", "listcurrentlyexecutingjobs"}
OURS = "idmops.idm"
LDAP_WRITE = re.compile(r"\b(ADD|DELETE|MODIFY|MODIFYDN|EXTENDED) REQ conn=(-?\d+)")
LDAP_BIND = re.compile(r'\bBIND REQ conn=(-?\d+) .*dn="([^"]*)"')


def idm_writes(params, since):
    """Return the newest time in the audit log, and our writes after a time; without one, the time that it is.

    The whole log must not be asked for: on a stack that has run for long IDM's heap does not hold it.
    """
    if not since:
        return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"), []
    answer = idm_session(params).get(
        f"{params['idm_url']}/audit/access",
        params={"_queryFilter": f'/http/request/method pr and timestamp gt "{since}"'},
        timeout=60,
    )
    answer.raise_for_status()
    newest, writes, seen = since, [], set()
    for entry in answer.json()["result"]:
        newest = max(newest, entry["timestamp"])
        request = entry["http"]["request"]
        if OURS not in request["headers"].get("X-Requested-With", []):
            continue
        # one PUT is logged three times: as a create, an update, and the request itself (seen on OpenIDM 6.1.0)
        sent = "".join(request["headers"].get("X-ForgeRock-TransactionId", [entry["_id"]]))
        if sent in seen:
            continue
        seen.add(sent)
        action = "".join(request["queryParameters"].get("_action", []))
        if request["method"] != "GET" and not (request["method"] == "POST" and action.lower() in READING):
            writes.append(f"{request['method']} {request['path'].partition('/openidm/')[2]} {action}".strip())
    return newest, writes


def ldap_writes(log, since, administrator):
    """Return the size of the access log, and the administrator's writes after a size."""
    time.sleep(0.6)  # the directory writes its log once every half second, and says nowhere that it has
    text = log.read_bytes()
    bound = {}
    writes = []
    for line in text.decode(errors="replace").splitlines(keepends=True):
        found = LDAP_BIND.search(line)
        if found:
            bound[found.group(1)] = found.group(2).lower()
    for line in text[since:].decode(errors="replace").splitlines():
        found = LDAP_WRITE.search(line)
        if found and bound.get(found.group(2)) == administrator.lower():
            writes.append(line.partition("] ")[2])
    return len(text), writes


def operate(params, context):
    since = params["since"] or {}
    newest, writes = idm_writes(params, since.get("time", ""))
    log = pathlib.Path(params["stack_dir"], "ds", "logs", "access")
    size, more = ldap_writes(log, int(since.get("size", 0)), params["ds_admin_dn"])
    writes = writes + more if since else []
    return {
        "mark": {"time": newest, "size": size},
        "writes": writes,
        "changes": [write for write in writes if "/idmops-" not in write],
    }


class ActionModule(Step):
    spec = options(IDM, ds_admin_dn=TEXT, stack_dir={"type": "path", "required": True}, since={"type": "dict"})
    operate = staticmethod(operate)
