# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account of IDM whose role has the rights of the table of least rights, and no other.

state  present: the account, its role, and a filter of the router that judges by access rules
       granted: the account has the rights of ``module`` from now on, those in ``without`` left out
       refused: returns what the account was refused since ``since``, as audit/access has it
       absent: all is as before

The stack is put together without script/router-authz.js and script/access.js, which come with the product's archive.
The filter here judges by the same rules in the same way, and reads them from config/access, where IDM 7 keeps them.
"""

from __future__ import annotations

import json
import time
import uuid

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._http.right import Right
from ansible_collections.idmops.idm.plugins.module_utils._idm.least_rights import needs_of, rules
from ansible_collections.idmops.idm.tests.integration.in_worker import (
    IDM,
    SECRET,
    TEXT,
    Step,
    idm_session,
    loopback_session,
    options,
)
from ansible_collections.idmops.idm.tests.servers.stack import settings

ROLE = "liveSync-least"
FILTER = """
var roles = context.security.authorization.roles;
var asked = { method: String(request.method), path: String(request.resourcePath), action: String(request.action) };
function has(list, one) { return list === '*' || list.split(',').indexOf(one) >= 0; }
function covers(pattern) {
  return pattern === '*' || pattern === asked.path
    || (pattern.slice(-2) === '/*' && asked.path.indexOf(pattern.slice(0, -1)) === 0);
}
function allows(rule) {
  return covers(rule.pattern) && has(rule.methods, asked.method)
    && roles.some(function (role) { return has(rule.roles, role); })
    && (asked.method !== 'action' || has(rule.actions, asked.action));
}
if (roles.indexOf('openidm-admin') < 0 && !openidm.read('config/access').configs.some(allows)) {
  throw { code: 403, message: 'Access denied', detail: asked };
}
"""
LOGIN = """
({ authenticationId: context.security.authenticationId, authorization: context.security.authorization });
"""


class Idm:
    """OpenIDM over REST, as its administrator."""

    def __init__(self, params):
        self.params = params
        self.session = idm_session(params)

    def call(self, method, path, body=None, ok=(), **more):
        answer = self.session.request(method, f"{self.params['idm_url']}/{path}", json=body, timeout=60, **more)
        if answer.status_code >= 300 and answer.status_code not in ok:
            raise IdmopsError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else {}

    def status_for_the_account(self, **more):
        headers = {
            **more,
            "X-OpenIDM-Username": self.params["account"],
            "X-OpenIDM-Password": self.params["account_password"],
            "X-OpenIDM-NoSession": "true",
        }
        with loopback_session() as session:
            answer = session.get(f"{self.params['idm_url']}/config", headers=headers, timeout=60)
            return answer.status_code

    def moment(self):
        """Return the time of a call of the account that is audited after all that it has called before.

        Audit may write a call after its answer has come, so that the clock's time does not part calls.
        """
        known = f"moment-{uuid.uuid4()}"
        self.status_for_the_account(**{"X-ForgeRock-TransactionId": known})
        what = f'userId eq "{self.params["account"]}"'
        end = time.monotonic() + 30
        while time.monotonic() < end:
            params = {"_queryFilter": what, "_sortKeys": "-timestamp", "_pageSize": "20"}
            for call in self.call("GET", "audit/access", params=params)["result"]:
                if known in call["http"]["request"]["headers"].get("X-ForgeRock-TransactionId", []):
                    return call["timestamp"]
            time.sleep(0.1)
        raise IdmopsError("audit/access does not tell of a call of the account.")

    def filter(self, document, status):
        """Write the router's filters, and wait for it to have started again, and to refuse the account so."""
        self.call("PUT", "config/router", document)
        end = time.monotonic() + 30
        while (now := self.status_for_the_account()) != status:
            if time.monotonic() > end:
                raise IdmopsError(f"IDM answers {now} to the account, and not {status}.")
            time.sleep(0.1)


def router():
    return json.loads((settings.CONF / "idm" / "conf" / "router.json").read_text(encoding="utf-8"))


def present(idm):
    account = {"password": idm.params["account_password"], "roles": [{"_ref": f"repo/internal/role/{ROLE}"}]}
    for path, body in ((f"role/{ROLE}", {"description": "least rights"}), (f"user/{idm.params['account']}", account)):
        idm.call("PUT", f"repo/internal/{path}", body, headers={"If-None-Match": "*"})
    idm.call("PUT", "config/access", {"configs": []})
    idm.call("PUT", "config/info/login", {"infocontext": "login", "type": "text/javascript", "source": LOGIN})
    document = router()
    document["filters"][0]["onRequest"]["source"] = FILTER
    idm.filter(document, 403)
    return {"changed": True}


def absent(idm):
    for path in (f"user/{idm.params['account']}", f"role/{ROLE}"):
        found = idm.call("GET", f"repo/internal/{path}", ok=(404,))
        if "_rev" in found:
            idm.call("DELETE", f"repo/internal/{path}", headers={"If-Match": f'"{found["_rev"]}"'})
    idm.filter(router(), 401)
    for path in ("config/access", "config/info/login"):
        idm.call("DELETE", path, ok=(404,))
    return {"changed": True}


def granted(idm):
    """Grant what the table says; return the rights that the module fails without in the cases of ``when``."""
    known = needs_of(idm.params["module"])
    needs = known if idm.params["harmless"] else [need for need in known if need.required]
    rights = [need.right for need in needs if str(need.right) not in idm.params["without"]]
    idm.call("PUT", "config/access", {"configs": rules(ROLE, rights)})
    needed = [need.right for need in known if need.required and need.when in idm.params["when"]]
    return {
        "changed": True,
        "since": idm.moment(),
        "needed": list(dict.fromkeys(map(str, needed))),
    }


def refused(idm):
    """Return what was refused and is required, and what was refused and is not."""
    what = f'timestamp gt "{idm.params["since"]}" and userId eq "{idm.params["account"]}"'
    calls = idm.call("GET", "audit/access", params={"_queryFilter": what, "_pageSize": "1000"})["result"]
    asked = [call["response"].get("detail", {}).get("detail") for call in calls]
    rights = [
        Right(one["method"], one["path"], "" if one["action"] == "undefined" else one["action"]) for one in asked if one
    ]
    harmless = [need.right for need in needs_of(idm.params["module"]) if not need.required]
    found = {"harmless": [], "required": []}
    for right in dict.fromkeys(rights):
        found["harmless" if any(one.covers(right) for one in harmless) else "required"].append(str(right))
    return {"changed": False, "calls": len(calls), **found}


def operate(params, context):
    return {"present": present, "granted": granted, "refused": refused, "absent": absent}[params["state"]](Idm(params))


class ActionModule(Step):
    spec = options(
        IDM,
        state=TEXT,
        account=TEXT,
        account_password=SECRET,
        module={"type": "str"},
        without={"type": "list", "elements": "str", "default": []},
        harmless={"type": "bool", "default": True},
        when={"type": "list", "elements": "str", "default": []},
        since={"type": "str"},
    )
    operate = staticmethod(operate)
