# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets an attribute of entries of the stack's directory (or removes it, without a value); returns their entryUUIDs."""

from __future__ import annotations

import ldap
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec={
            "uri": {"type": "str", "required": True},
            "bind_dn": {"type": "str", "required": True},
            "bind_password": {"type": "str", "required": True, "no_log": True},
            "dns": {"type": "list", "elements": "str", "required": True},
            "attribute": {"type": "str", "required": True},
            "value": {"type": "str"},
        }
    )
    value = module.params["value"]
    change = (ldap.MOD_REPLACE, module.params["attribute"], None if value is None else [value.encode()])
    ids = []
    try:
        line = ldap.initialize(module.params["uri"])
        line.simple_bind_s(module.params["bind_dn"], module.params["bind_password"])
        for dn in module.params["dns"]:
            line.modify_s(dn, [change])
            ((unused, entry),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
            ids.append(entry["entryUUID"][0].decode())
        line.unbind_s()
    except ldap.LDAPError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=True, ids=ids)


if __name__ == "__main__":
    main()
