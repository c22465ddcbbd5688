# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the configuration of the connector ldap, and waits until IDM has taken it up."""

from __future__ import annotations

import requests
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import IDM, Step, idm_session, options, told
from ansible_collections.idmops.idm.tests.servers.stack import activation


def operate(params, context):
    session = idm_session(params)

    def write(configuration):
        answer = session.put(f"{params['idm_url']}/config/provisioner.openicf/ldap", json=configuration, timeout=60)
        if answer.status_code >= 300:
            raise IdmopsError(f"{answer.status_code}: {answer.text[:300]}")

    def test():
        answer = session.post(f"{params['idm_url']}/system/ldap", params={"_action": "test"}, timeout=60)
        return answer.json() if answer.status_code == 200 else {}

    with told(TimeoutError, requests.RequestException):
        activation.take_up(write, test, params["configuration"], params["working"])
    return {"changed": True}


class ActionModule(Step):
    spec = options(IDM, configuration={"type": "dict", "required": True}, working={"type": "bool", "default": True})
    operate = staticmethod(operate)
