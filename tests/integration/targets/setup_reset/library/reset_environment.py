# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts OpenIDM and OpenDJ of a test stack back to what they are on a bare stack, in a second or two.

IDM: no job, no run, no token, no dead letter, no managed user, no link, the stack's own mappings, its connector alone
and freshly activated. Directory: the stack's people and nobody else, no grant and no limit of the connector's account.
"""

from __future__ import annotations

import io
import json
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import ldap
import ldap.modlist
import ldif
import requests
from ansible.module_utils.basic import AnsibleModule

HANDLER = "cn=Access Control Handler,cn=config"
GLOBAL_ACI = "ds-cfg-global-aci"
LIMITS = ("ds-rlim-size-limit", "ds-rlim-lookthrough-limit", "ds-rlim-time-limit", "ds-rlim-idle-time-limit")
REPO = (
    "repo/managed/user",
    "repo/link",
    "repo/synchronisation/pooledSyncStage",
    "repo/synchronisation/deadLetterQueue/ldap",
)


class Idm:
    """OpenIDM over REST, as its administrator."""

    def __init__(self, params, activation):
        self.activation = activation
        self.url = params["idm_url"]
        self.session = requests.Session()
        self.session.headers.update(
            {
                "X-OpenIDM-Username": params["idm_username"],
                "X-OpenIDM-Password": params["idm_password"],
                "X-OpenIDM-NoSession": "true",
                "X-Requested-With": "reset",
            }
        )

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
        """Remove all schedules and wait until no liveSync runs and no reconciliation is active."""
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
        self.activation.put_back(partial(self.call, "PUT", "config/provisioner.openicf/ldap"), self.tested, connector)

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


def reset_directory(params, wanted, await_number):
    """Put the directory back; return how many entries were touched."""
    line = ldap.initialize(params["ds_uri"])
    line.simple_bind_s(params["ds_admin_dn"], params["ds_admin_password"])
    touched = 0
    ((unused, handler),) = line.search_s(HANDLER, ldap.SCOPE_BASE, attrlist=[GLOBAL_ACI])
    foreign = [value for value in handler[GLOBAL_ACI] if b"idmops" in value or b"ou=apps" in value.lower()]
    if foreign:
        line.modify_s(HANDLER, [(ldap.MOD_DELETE, GLOBAL_ACI, foreign)])
    for dn in [dn for dn in wanted if "ou=apps" in dn.lower()]:
        ((unused, account),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["ds-privilege-name", "aci", *LIMITS])
        if account:
            line.modify_s(dn, [(ldap.MOD_DELETE, name, None) for name in account])
    found = dict(line.search_s(params["base_dn"], ldap.SCOPE_SUBTREE, attrlist=["*", "aci"]))
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
        line.modify_s(params["base_dn"], [(ldap.MOD_REPLACE, "description", None)])
        await_number(line, params["base_dn"])
    line.unbind_s()
    return touched


def main():
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "idm_url": text,
            "idm_username": text,
            "idm_password": {**text, "no_log": True},
            "ds_uri": text,
            "ds_port": {"type": "int", "required": True},
            "ds_admin_dn": text,
            "ds_admin_password": {**text, "no_log": True},
            "connector_dn": text,
            "connector_password": {**text, "no_log": True},
            "base_dn": {"type": "str", "default": "dc=example,dc=com"},
            "users": {"type": "int", "required": True},
            "collection": {"type": "path", "required": True},
        }
    )
    params = module.params
    sys.path.insert(0, params["collection"])
    from tests.stack import activation, numbering, people, settings  # pylint: disable=import-outside-toplevel
    from tests.stack.render import render  # pylint: disable=import-outside-toplevel

    wanted = Entries(people.ldif(params["users"], params["connector_password"])).all
    conf = pathlib.Path(params["collection"], "tests", "stack", "conf", "idm", "conf")
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
    idm = Idm(params, activation)
    try:
        idm.quiet()
        entries = reset_directory(params, wanted, numbering.await_number)
        idm.configure(json.loads((conf / "sync.json").read_text(encoding="utf-8")), connector)
        removed = idm.empty()
    except (RuntimeError, TimeoutError, requests.RequestException, ldap.LDAPError) as exc:
        module.fail_json(msg=f"{type(exc).__name__}: {exc}")
    module.exit_json(changed=True, entries=entries, removed=removed)


if __name__ == "__main__":
    main()
