# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets an attribute of an entry of the directory, without a value removes it, and waits for the change's number."""

from __future__ import annotations

import sys

import ldap
from ansible.module_utils.basic import AnsibleModule


def main():
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "uri": text,
            "bind_dn": text,
            "bind_password": {**text, "no_log": True},
            "dn": text,
            "attribute": text,
            "value": {"type": "str"},
            "values": {"type": "list", "elements": "str"},
            "repository": {"type": "path", "required": True},
        }
    )
    params = module.params
    sys.path.insert(0, params["repository"])
    from tests.stack.numbering import await_number  # pylint: disable=import-outside-toplevel

    values = params["values"] or ([params["value"]] if params["value"] else None)
    line = ldap.initialize(params["uri"])
    line.simple_bind_s(params["bind_dn"], params["bind_password"])
    stored = [value.encode() for value in values] if values else None
    line.modify_s(params["dn"], [(ldap.MOD_REPLACE, params["attribute"], stored)])
    await_number(line, params["dn"])
    line.unbind_s()
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
