# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes all managed users and links from OpenIDM's repository, and nothing else."""

from __future__ import annotations

from ansible_collections.idmops.idm.tests.integration.in_worker import IDM, Step, idm_session, options


def operate(params, context):
    session = idm_session(params)
    removed = 0
    for kind in ("managed/user", "link"):
        path = f"{params['idm_url']}/repo/{kind}"
        listed = session.get(path, params={"_queryFilter": "true", "_fields": "_id"}, timeout=60).json()
        for document in listed["result"]:
            headers = {"If-Match": f'"{document["_rev"]}"'}
            session.delete(f"{path}/{document['_id']}", headers=headers, timeout=60).raise_for_status()
            removed += 1
    return {"changed": removed > 0, "removed": removed}


class ActionModule(Step):
    spec = options(IDM)
    operate = staticmethod(operate)
