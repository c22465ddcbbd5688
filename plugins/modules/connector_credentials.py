# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connector_credentials
short_description: Give a connector the new password of its account
version_added: 1.0.0
description:
  - Tries the password that a connector is to log in with, and writes it into the connector's configuration if the
    connected system takes it. The password has to be set in the system before.
  - On each node the connector then has to answer well. Where it does not, the former configuration is written back, its
    encrypted value as it was read.
  - A password that the system refuses is tried once, since more tries may lock the account; nothing is written then.
    Where the line to IDM breaks the try is repeated once.
  - Writing activates the connector again, which cuts what it has in flight. A liveSync that is cut begins again at its
    token; a reconciliation that is cut has failed. Switch schedules off before, with O(ignore:idle_timeout) of
    M(idmops.idm.livesync_schedule).
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  system:
    description:
      - Name of the connector, as in C(system/<name>).
      - It is the field C(name) of its configuration where there is one, else the last part of the configuration's id.
    type: str
    required: true
  principal_password:
    description:
      - The new password of the connector's account, which O(password) of the connection is not.
      - One that holds C(&{) cannot be used, since IDM takes that for a placeholder.
    type: str
    required: true
  property:
    description:
      - The property of C(configurationProperties) that holds the password.
      - By default C(credentials), as the LDAP connector calls it, or else the only one that is encrypted.
      - A placeholder that stands there is not written over. Change the password where the placeholder takes it from.
    type: str
  update_password:
    description:
      - V(always) writes the password each time.
      - V(if_refused) writes it where the system refuses the one that IDM has. Where the system takes both, as
        directories can for a while after a change, nothing is written, and which of them IDM has is not known.
    type: str
    choices: [always, if_refused]
    default: always
  wait_timeout:
    description: Seconds that the connector may take to answer again, on each node.
    type: float
    default: 60
attributes:
  check_mode:
    support: full
    details: The password is tried in check mode too, which changes nothing in IDM.
  diff_mode:
    support: full
    details: Tells which property is written, and never a value.
  idempotent:
    support: partial
    details: IDM does not show which password it has. With O(update_password=if_refused) a second run changes nothing.
notes:
  - A task that runs each night, rather than after the one that changed the password, is given
    O(update_password=if_refused). Each refused try of the former password counts for a lock of the account, too.
  - With several nodes of OpenIDM list the own URLs of all of them in O(nodes). Otherwise the module fails before it
    tries anything, since the others would keep the former password. A node that is down at that time keeps it; run the
    task again when it is back.
seealso:
  - module: idmops.idm.connector
  - module: idmops.idm.livesync_schedule
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Would the new password do?
  idmops.idm.connector_credentials: &rotation
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    system: ldap
    principal_password: "{{ vault_new_connector_password }}"
  check_mode: true

- name: Let the connector log in with it
  idmops.idm.connector_credentials: *rotation
"""

RETURN = r"""
connector:
  description:
    - The connector, as in RV(idmops.idm.connector_info#module:connectors).
    - Where the password is not good, its test is that of the former one, which pooled connections may answer well.
  type: dict
  returned: on success, and where the password is not good
  sample: {name: ldap, ok: true, error: null, enabled: true, host: ds1.example.com, port: 1636}
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

import typing as t

from ..module_utils._ansible.arguments import idm_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.context import Context
from ..module_utils._idm.connector_credentials import ALWAYS, IF_REFUSED, change_password, wish_of
from ..module_utils._idm.session import session

SPEC = idm_spec(
    {
        "system": {"type": "str", "required": True},
        "principal_password": {"type": "str", "required": True, "no_log": True},
        "property": {"type": "str"},
        "update_password": {"type": "str", "choices": [ALWAYS, IF_REFUSED], "default": ALWAYS},
        "wait_timeout": {"type": "float", "default": 60},
    }
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Try the password, write it, and return the module's result."""
    wish = wish_of(params)
    with session("connector_credentials", params, context) as client:
        return change_password(client, wish, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
