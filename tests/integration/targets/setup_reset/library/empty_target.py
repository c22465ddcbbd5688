# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes all managed users and links from OpenIDM's repository, and nothing else."""

from __future__ import annotations

import requests
from ansible.module_utils.basic import AnsibleModule


def main():
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={"idm_url": text, "idm_username": text, "idm_password": {**text, "no_log": True}}
    )
    session = requests.Session()
    session.headers.update(
        {
            "X-OpenIDM-Username": module.params["idm_username"],
            "X-OpenIDM-Password": module.params["idm_password"],
            "X-OpenIDM-NoSession": "true",
        }
    )
    removed = 0
    for kind in ("managed/user", "link"):
        path = f"{module.params['idm_url']}/repo/{kind}"
        listed = session.get(path, params={"_queryFilter": "true", "_fields": "_id"}, timeout=60).json()
        for document in listed["result"]:
            headers = {"If-Match": f'"{document["_rev"]}"'}
            session.delete(f"{path}/{document['_id']}", headers=headers, timeout=60).raise_for_status()
            removed += 1
    module.exit_json(changed=removed > 0, removed=removed)


if __name__ == "__main__":
    main()
