# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does a list of steps on a directory. Each is a dictionary with one of these keys:

add         a DN, with ``attributes``
accounts    DNs that get the same ``attributes``
modify      a DN, with ``changes``: lists of add, delete or replace, an attribute, values
rename      a DN, below the DN ``superior`` from then on
delete      a DN
delete_all  DNs, which may be gone
read        a DN, with ``attributes``
numbered    a DN: waits until its newest change has a number
count       a DN, below which all inetOrgPersons are searched
writes      the path of the server's access log, in which the changes that clients asked for are counted
refused_binds  the same, for binds that were refused (49)
readers     DNs, of which those are returned that read the change log and its numbers in the root DSE; each binds with
            ``password``
alone       the same for the ACIs of each account while they are the only ones of ours

Returns for each step {code, found}: the LDAP result code (0 is success) and what was read.
"""

from __future__ import annotations

import pathlib
import re
import time
import uuid

import ldap
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import DIRECTORY, Step, directory, options
from ansible_collections.idmops.idm.tests.servers.stack.numbering import await_number

HANDLER = "cn=Access Control Handler,cn=config"
GLOBAL_ACI = "ds-cfg-global-aci"
LOGGED = {
    "writes": re.compile(r"\b(?:ADD|DELETE|MODIFY|MODIFYDN) REQ conn=\d"),
    "refused_binds": re.compile(r"\bBIND RES .*\bresult=49\b"),
}
KINDS = {"add": ldap.MOD_ADD, "delete": ldap.MOD_DELETE, "replace": ldap.MOD_REPLACE}


def octets(values):
    return [str(value).encode() for value in (values if isinstance(values, list) else [values])]


def texts(attributes):
    return {name: sorted(value.decode(errors="replace") for value in values) for name, values in attributes.items()}


def reads_the_log(uri, dn, password):
    """Tell how much of what the connector reads an account reads: none, a part, or all of it."""
    line = ldap.initialize(uri)
    try:
        line.simple_bind_s(dn, password)
        line.set_option(ldap.OPT_DEREF, ldap.DEREF_ALWAYS)
        root = line.search_s(
            "", ldap.SCOPE_BASE, "(objectClass=*)", ["changelog", "firstChangeNumber", "lastChangeNumber"]
        )
        changes = line.search_s("cn=changelog", ldap.SCOPE_ONELEVEL, "(changeNumber<=3)", ["changeNumber", "targetDN"])
        seen = len(root[0][1]) if root else 0, sum(len(found) for dn, found in changes)
        return "none" if seen == (0, 0) else "all" if seen == (3, 2 * len(changes)) else f"a part: {seen}"
    except ldap.INSUFFICIENT_ACCESS:
        return "none"
    finally:
        line.unbind_s()


def do(line, step, params):
    if "add" in step:
        return line.add_s(step["add"], [(name, octets(values)) for name, values in step["attributes"].items()])[0]
    if "modify" in step:
        changes = [(KINDS[how], name, octets(values) if values else None) for how, name, values in step["changes"]]
        return line.modify_s(step["modify"], changes)[0]
    if "rename" in step:
        return line.rename_s(step["rename"], step["rename"].partition(",")[0], step["superior"])[0]
    if "delete" in step:
        return line.delete_s(step["delete"])[0]
    if "read" in step:
        return texts(line.search_s(step["read"], ldap.SCOPE_BASE, "(objectClass=*)", step["attributes"])[0][1])
    for name, pattern in LOGGED.items():
        if name in step:
            return logged(line, pathlib.Path(step[name]), pattern)
    if "numbered" in step:
        return await_number(line, step["numbered"])
    if "count" in step:
        return len(line.search_s(step["count"], ldap.SCOPE_SUBTREE, "(objectClass=inetOrgPerson)", ["1.1"]))
    if "accounts" in step:
        values = [(name, octets(values)) for name, values in step["attributes"].items()]
        return [line.add_s(dn, values)[0] for dn in step["accounts"]]
    if "delete_all" in step:
        return [delete(line, dn) for dn in step["delete_all"]]
    if "alone" in step:
        return alone(line, step, params)
    return readers(params["uri"], step["readers"], step["password"])


def delete(line, dn):
    try:
        return line.delete_s(dn)[0]
    except ldap.NO_SUCH_OBJECT:
        return 32


def logged(line, log, pattern):
    """Count what fits in the log, once it holds a search that comes after them: the server writes it a bit later."""
    mark = f"(cn={uuid.uuid4()})"
    line.search_s("", ldap.SCOPE_BASE, mark, ["1.1"])
    end = time.monotonic() + 30
    while mark not in (text := log.read_text(encoding="utf-8", errors="replace")):
        if time.monotonic() > end:
            raise TimeoutError(f"{log} never showed {mark}")
        time.sleep(0.05)
    return len(pattern.findall(text))


def readers(uri, dns, password):
    found = {dn: reads_the_log(uri, dn, password) for dn in dns}
    return {dn: seen for dn, seen in found.items() if seen != "none"}


def alone(line, step, params):
    """Keep the ACIs of one account at a time, and see who reads."""
    stored = line.search_s(HANDLER, ldap.SCOPE_BASE, "(objectClass=*)", [GLOBAL_ACI])[0][1][GLOBAL_ACI]
    ours = {}
    for value in stored:
        name = re.search(rb'acl "idmops liveSync ([0-9a-f]{8}) ', value)
        if name:
            ours.setdefault(name.group(1).decode(), []).append(value)
    others = [value for value in stored if not any(value in values for values in ours.values())]
    found = {}
    try:
        for name, values in ours.items():
            line.modify_s(HANDLER, [(ldap.MOD_REPLACE, GLOBAL_ACI, others + values)])
            found[name] = readers(params["uri"], step["alone"], step["password"])
    finally:
        line.modify_s(HANDLER, [(ldap.MOD_REPLACE, GLOBAL_ACI, stored)])
    return found


def operate(params, context):
    results = []
    with directory(params) as line:
        for step in params["steps"]:
            try:
                results.append({"code": 0, "found": do(line, step, params)})
            except ldap.LDAPError as exc:
                results.append({"code": exc.args[0].get("result"), "found": exc.args[0].get("info")})
                if results[-1]["code"] not in params["ok"]:
                    raise IdmopsError(f"{step}: {exc}", result={"results": results}) from exc
    return {"changed": True, "results": results}


class ActionModule(Step):
    spec = options(
        DIRECTORY,
        steps={"type": "list", "elements": "dict", "required": True},
        ok={"type": "list", "elements": "int", "default": [0]},
    )
    operate = staticmethod(operate)
