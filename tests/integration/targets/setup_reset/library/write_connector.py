# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the configuration of the connector ldap; waits until IDM has taken it up (tests/stack/activation.py)."""

from __future__ import annotations

import sys

import requests
from ansible.module_utils.basic import AnsibleModule


def main():
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "idm_url": text,
            "idm_username": text,
            "idm_password": {**text, "no_log": True},
            "configuration": {"type": "dict", "required": True},
            "working": {"type": "bool", "default": True},
            "repository": {"type": "path", "required": True},
        }
    )
    params = module.params
    sys.path.insert(0, params["repository"])
    from tests.stack import activation  # pylint: disable=import-outside-toplevel

    session = requests.Session()
    session.headers.update(
        {
            "X-OpenIDM-Username": params["idm_username"],
            "X-OpenIDM-Password": params["idm_password"],
            "X-OpenIDM-NoSession": "true",
        }
    )

    def write(configuration):
        answer = session.put(f"{params['idm_url']}/config/provisioner.openicf/ldap", json=configuration, timeout=60)
        if answer.status_code >= 300:
            module.fail_json(msg=f"{answer.status_code}: {answer.text[:300]}")

    def test():
        answer = session.post(f"{params['idm_url']}/system/ldap", params={"_action": "test"}, timeout=60)
        return answer.json() if answer.status_code == 200 else {}

    try:
        activation.take_up(write, test, params["configuration"], params["working"])
    except (TimeoutError, requests.RequestException) as exc:
        module.fail_json(msg=f"{type(exc).__name__}: {exc}")
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
