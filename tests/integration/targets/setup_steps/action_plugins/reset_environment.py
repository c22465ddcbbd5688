# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts OpenIDM and OpenDJ of a test stack back to what they are on a bare stack, in a second or two.

IDM: no job, no run, no token, no dead letter, no failure in audit (the people are the same with each reset, so what
one test lost is lost for the next too), no managed user, no link, the stack's own mappings, its connector alone and
freshly activated. Directory: the stack's people and nobody else, no grant and no limit of the connector's account.
"""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import ldap
import ldap.modlist
import ldif
import requests
from ansible_collections.idmops.idm.tests.integration.in_worker import (
    DIRECTORY,
    IDM,
    SECRET,
    TEXT,
    Step,
    directory,
    idm_session,
    options,
    told,
)
from ansible_collections.idmops.idm.tests.servers.stack import activation, people, settings
from ansible_collections.idmops.idm.tests.servers.stack.numbering import await_number
from ansible_collections.idmops.idm.tests.servers.stack.render import render

HANDLER = "cn=Access Control Handler,cn=config"
GLOBAL_ACI = "ds-cfg-global-aci"
LIMITS = ("ds-rlim-size-limit", "ds-rlim-lookthrough-limit", "ds-rlim-time-limit", "ds-rlim-idle-time-limit")
REPO = (
    "repo/managed/user",
    "repo/link",
    "repo/synchronisation/pooledSyncStage",
    "repo/synchronisation/deadLetterQueue/ldap",
    "repo/audit/sync",
)


class Idm:
    """OpenIDM over REST, as its administrator."""

    def __init__(self, params):
        self.url = params["idm_url"]
        self.session = idm_session(params)
        self.session.headers["X-Requested-With"] = "reset"

    def call(self, method, path, body=None, ok=(), headers=None, **params):
        answer = self.session.request(
            method, f"{self.url}/{path}", json=body, params=params, timeout=60, headers=headers
        )
        if answer.status_code >= 300 and answer.status_code not in ok:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else {}

    def ids(self, path):
        """List documents; a kind that the repository has never held answers 404 or 400."""
        return self.call("GET", path, ok=(400, 404), _queryFilter="true", _fields="_id").get("result", [])

    def remove(self, path, document):
        self.call("DELETE", f"{path}/{document['_id']}", ok=(404, 412), headers={"If-Match": f'"{document["_rev"]}"'})

    def quiet(self):
        """Remove all schedules and wait until no liveSync runs and no reconciliation is active.

        A pause of all jobs reaches those that are made later: it is lifted.
        """
        self.call("POST", "scheduler/job", _action="resumeJobs")
        for job in self.ids("scheduler/job"):
            self.call("DELETE", f"scheduler/job/{requests.utils.quote(job['_id'], safe='')}", ok=(404,))
        for entry in self.call("GET", "config")["configurations"]:
            if entry["_id"].startswith("schedule/"):
                self.call("DELETE", "config/" + requests.utils.quote(entry["_id"]), ok=(404,))
        end = time.monotonic() + 120
        while time.monotonic() < end:
            running = self.call("POST", "scheduler/job", _action="listCurrentlyExecutingJobs")
            active = [run for run in self.call("GET", "recon")["reconciliations"] if run["state"] == "ACTIVE"]
            if not running and not active:
                return
            for run in active:
                self.call("POST", f"recon/{run['_id']}", ok=(404,), _action="cancel")
            time.sleep(0.1)
        raise RuntimeError(f"IDM did not come to rest: {running} {active}")

    def configure(self, mappings, connector):
        """Give IDM the stack's mappings and its connector, and no other connector."""
        stored = self.call("GET", "config/sync")
        if stored.get("mappings") != mappings["mappings"]:
            self.call("PUT", "config/sync", mappings)
        for entry in self.call("GET", "config")["configurations"]:
            name = entry["_id"]
            if name.startswith("provisioner.openicf/") and name != "provisioner.openicf/ldap":
                self.call("DELETE", f"config/{name}", ok=(404,))
        activation.put_back(partial(self.call, "PUT", "config/provisioner.openicf/ldap"), self.tested, connector)

    def tested(self):
        """Test the connector; nothing is told while it is being activated, and 500 as long as it has no name yet."""
        answer = self.call("POST", "system/ldap", ok=(404, 500, 503), _action="test")
        return answer if "ok" in answer else {}

    def empty(self):
        """Remove what was loaded and where liveSync stood."""
        removed = 0
        with ThreadPoolExecutor(max_workers=4) as pool:
            for path in REPO:
                while documents := self.ids(path):
                    removed += len(list(pool.map(partial(self.remove, path), documents)))
        return removed


class Entries(ldif.LDIFParser):
    """Collects the entries of an LDIF text."""

    def __init__(self, text):
        super().__init__(io.StringIO(text))
        self.all = {}
        self.parse()

    def handle(self, dn, entry):
        self.all[dn] = entry


def reset_directory(params, wanted):
    """Put the directory back; return how many entries were touched."""
    with directory(params) as line:
        return _put_back(line, params["base_dn"], wanted)


def _put_back(line, base_dn, wanted):
    touched = 0
    ((unused, handler),) = line.search_s(HANDLER, ldap.SCOPE_BASE, attrlist=[GLOBAL_ACI])
    foreign = [value for value in handler[GLOBAL_ACI] if b"idmops" in value or b"ou=apps" in value.lower()]
    if foreign:
        line.modify_s(HANDLER, [(ldap.MOD_DELETE, GLOBAL_ACI, foreign)])
    for dn in [dn for dn in wanted if "ou=apps" in dn.lower()]:
        ((unused, account),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["ds-privilege-name", "aci", *LIMITS])
        if account:
            line.modify_s(dn, [(ldap.MOD_DELETE, name, None) for name in account])
            touched += 1
    found = dict(line.search_s(base_dn, ldap.SCOPE_SUBTREE, attrlist=["*", "aci"]))
    spelled = {dn.lower(): dn for dn in found}
    known = {dn.lower() for dn in wanted}
    for dn in sorted(found, key=len, reverse=True):
        if dn.lower() not in known:
            line.delete_s(dn)
            touched += 1
    for dn, attributes in wanted.items():
        if dn.lower() not in spelled:
            line.add_s(dn, ldap.modlist.addModlist(attributes))
            touched += 1
            continue
        changes = ldap.modlist.modifyModlist(found[spelled[dn.lower()]], attributes, ignore_attr_types=["userPassword"])
        if changes:
            line.modify_s(dn, changes)
            touched += 1
    if touched:
        # What comes after this must not meet changes that get their numbers only then: a last change closes the row.
        line.modify_s(base_dn, [(ldap.MOD_REPLACE, "description", None)])
        await_number(line, base_dn)
    return touched


def restore_password(params):
    """Give the connector's account the stack's password, where a bind shows that it has another one."""
    line = ldap.initialize(params["uri"])
    try:
        line.simple_bind_s(params["connector_dn"], params["connector_password"])
    except ldap.INVALID_CREDENTIALS:
        change = [(ldap.MOD_REPLACE, "userPassword", [params["connector_password"].encode()])]
        with directory(params) as administrator:
            administrator.modify_s(params["connector_dn"], change)
    finally:
        line.unbind_s()


def operate(params, context):
    wanted = Entries(people.ldif(params["users"], params["connector_password"])).all
    conf = settings.CONF / "idm" / "conf"
    connector = json.loads(
        render(
            (conf / "provisioner.openicf-ldap.json").read_text(encoding="utf-8"),
            {
                "LDAP_PORT": params["ds_port"],
                "CONNECTOR_DN": params["connector_dn"],
                "PEOPLE_DN": settings.PEOPLE_DN,
                "CONNECTOR_PASSWORD": params["connector_password"],
            },
        )
    )
    idm = Idm(params)
    with told(RuntimeError, TimeoutError, requests.RequestException, ldap.LDAPError):
        idm.quiet()
        restore_password(params)
        entries = reset_directory(params, wanted)
        idm.configure(json.loads((conf / "sync.json").read_text(encoding="utf-8")), connector)
        removed = idm.empty()
    return {"changed": True, "entries": entries, "removed": removed}


class ActionModule(Step):
    spec = options(
        IDM,
        DIRECTORY,
        ds_port={"type": "int", "required": True},
        connector_dn=TEXT,
        connector_password=SECRET,
        base_dn={"type": "str", "default": "dc=example,dc=com"},
        users={"type": "int", "required": True},
    )
    operate = staticmethod(operate)
