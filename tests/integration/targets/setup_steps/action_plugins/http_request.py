# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends a request; returns status, content, and json where the answer is that.

An answer with another status than those of ``status_code`` is a failure. -1 stands for a line that breaks.
"""

from __future__ import annotations

import requests
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import TEXT, Step, loopback_session, options


def operate(params, context):
    with loopback_session() as session:
        sent = {"json": params["body"]} if params["body"] is not None else {}
        try:
            answer = session.request(
                params["method"], params["url"], headers=params["headers"], timeout=params["timeout"], **sent
            )
        except requests.RequestException as exc:
            if -1 in params["status_code"]:
                return {"status": -1}
            raise IdmopsError(f"{params['method']} {params['url']}: {exc}", status=-1) from exc
    found = {"status": answer.status_code, "content": answer.text}
    if "json" in answer.headers.get("Content-Type", ""):
        found["json"] = answer.json()
    if answer.status_code not in params["status_code"]:
        raise IdmopsError(
            f"{params['method']} {params['url']} answered {answer.status_code}: {answer.text[:300]}",
            status=answer.status_code,
            result=found,
        )
    return found


class ActionModule(Step):
    spec = options(
        url=TEXT,
        method={"type": "str", "default": "GET"},
        headers={"type": "dict", "default": {}},
        body={"type": "raw"},
        status_code={"type": "list", "elements": "int", "default": [200, 201]},
        timeout={"type": "float", "default": 60},
    )
    operate = staticmethod(operate)
