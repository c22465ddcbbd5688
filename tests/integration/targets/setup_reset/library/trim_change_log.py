# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes an entry's description, and waits until the change log has forgotten all changes up to that one.

The directory must have a short purge delay. It keeps the newest change, so that further changes are made meanwhile.
"""

from __future__ import annotations

import time

import ldap
from ansible.module_utils.basic import AnsibleModule


def numbers(line):
    """Return the first and the last change number."""
    ((unused, root),) = line.search_s("", ldap.SCOPE_BASE, attrlist=["firstChangeNumber", "lastChangeNumber"])
    return int(root["firstChangeNumber"][0]), int(root["lastChangeNumber"][0])


def main():
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "uri": text,
            "bind_dn": text,
            "bind_password": {**text, "no_log": True},
            "dn": text,
            "value": text,
            "timeout": {"type": "int", "default": 120},
        }
    )
    params = module.params
    line = ldap.initialize(params["uri"])
    line.simple_bind_s(params["bind_dn"], params["bind_password"])
    before = numbers(line)[1]
    end = time.monotonic() + params["timeout"]
    value = params["value"].encode()
    while time.monotonic() < end:
        line.modify_s(params["dn"], [(ldap.MOD_REPLACE, "description", [value])])
        first, last = numbers(line)
        if first > before + 2:
            module.exit_json(changed=True, first=first, last=last)
        time.sleep(0.5)
    module.fail_json(msg=f"The change log still begins at {first}; it ended at {before} before.")


if __name__ == "__main__":
    main()
