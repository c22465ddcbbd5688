# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connector
short_description: Activate a connector again
version_added: 1.0.0
description:
  - Tests a connector, then writes its configuration back as it was read, encrypted values and placeholders included,
    and waits until the connector answers again and its test is ok.
  - It is the cure of a connector that was activated while its system was down (its liveSync answers and does nothing,
    although its test is ok), and of pooled connections that keep the limits of their bind.
  - What is in flight is cut. A connector whose test fails is left alone, since that would leave its liveSync dead.
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
  state:
    description:
      - V(reactivated) activates it again each time; there is no default, since that cuts what is in flight.
      - To look at a connector, use M(idmops.idm.connector_info).
    type: str
    choices: [reactivated]
    required: true
  wait_timeout:
    description: Seconds that the connector may take to answer again.
    type: float
    default: 60
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: none
    details: It is an action, and activates again each time.
seealso:
  - module: idmops.idm.connector_info
  - module: idmops.idm.changelog_access
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Activate the connector again, after the limits of its account were raised
  idmops.idm.connector:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    system: ldap
    state: reactivated
"""

RETURN = r"""
connector:
  description: The connector, as in RV(idmops.idm.connector_info#module:connectors).
  type: dict
  returned: when there is such a connector
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
from ..module_utils._idm.connector_activation import activate_again
from ..module_utils._idm.session import session

SPEC = idm_spec(
    {
        "system": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["reactivated"], "required": True},
        "wait_timeout": {"type": "float", "default": 60},
    }
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Activate the connector again, and return the module's result."""
    with session("connector", params, context) as client:
        return activate_again(client, params["system"], context, timeout=params["wait_timeout"])


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
