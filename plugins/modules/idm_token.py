# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: idm_token
short_description: Get an access token once, for the tasks of a whole play
version_added: 1.0.0
description:
  - Gets an access token from AM, for Advanced Identity Cloud or an IDM that AM protects.
  - Other tasks take it with O(ignore:auth_method=bearer) and O(ignore:access_token). Without this module each task gets
    a token of its own, which costs about 0.1 s a task.
  - A token lives for minutes only (899 s on Advanced Identity Cloud). A task that may wait longer should rather have
    O(auth_method=service_account) or O(auth_method=client_credentials), since only these get a new token while the task
    runs.
notes:
  - A playbook's task hides its result from every output; the registered variable stays usable. That is done by the
    action plugin of the same name, which every task with this module's name runs. What calls the module without it,
    such as another action plugin, needs C(no_log) to be V(true).
  - A task with C(async) is refused. Its result would be printed, and be left in a file.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
attributes:
  check_mode:
    support: full
    details: Gets a token in check mode too, since tasks that only read need it.
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
    details: Nothing is changed; each run gets another token.
  in_process:
    support: full
  action_group:
    support: full
seealso:
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Get a token for the play
  idmops.idm.idm_token:
    url: https://tenant.example.com/openidm
    auth_method: service_account
    service_account_id: "{{ vault_service_account_id }}"
    service_account_jwk: "{{ vault_service_account_jwk }}"
  register: token

- name: Use it
  idmops.idm.livesync_status:
    url: https://tenant.example.com/openidm
    auth_method: bearer
    access_token: "{{ token.access_token }}"
"""

RETURN = r"""
access_token:
  description: The token, a secret.
  returned: success
  type: str
  sample: eyJ0eXAiOiJKV1QiLCJ
expires_in:
  description: Seconds for which it is good, V(null) where the token endpoint does not say.
  returned: success
  type: float
  sample: 899
scope:
  description: What it is good for, as the token endpoint says.
  returned: success
  type: str
  sample: fr:idm:*
status:
  description: The HTTP status that came with a failure.
  type: int
  returned: on failure
remedy:
  description: What mends it.
  type: str
  returned: on failure, where it is known
transaction_id:
  description: The id of the request to IDM that did not end well, by which its logs know it.
  type: str
  returned: on failure of a request to IDM
"""

from ..module_utils._ansible.arguments import idm_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.errors import InvalidOption
from ..module_utils._http.client import Client

SPEC = idm_spec()


def operate(params, context):
    """Get a token."""
    with Client(params, context) as client:
        method = client.token_method()
        if method is None:
            raise InvalidOption(
                "auth_method", params["auth_method"], "Only service_account and client_credentials get access tokens."
            )
        token = method.token()
    context.report.secrets.discard(token.value)  # it is the result, for once
    return {"changed": False, "access_token": token.value, "expires_in": token.expires_in, "scope": token.scope}


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
