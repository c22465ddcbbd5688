# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connector_info
short_description: Test connectors, and tell what their configuration says
version_added: 1.0.0
description:
  - Tests connectors, and returns what liveSync depends on in their configuration, without secrets.
  - A connector whose test is not ok does not make the task fail. Its C(ok) is V(false), and it comes with a remedy.
  - Reads only.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  systems:
    description:
      - Names of the connectors, as in C(system/<name>). By default all that there are.
      - The name is the field C(name) of the configuration where there is one, else the last part of its id.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
seealso:
  - module: idmops.idm.connector
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: See that the connector works, and what it is connected to
  idmops.idm.connector_info:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    systems: [ldap]
  register: found
  failed_when: found is failed or not found.connectors[0].ok
"""

RETURN = r"""
msg:
  description: What came of each test, in a sentence for each; what went wrong, on failure.
  type: str
  returned: always
  sample: The test of the connector ldap succeeds.
connectors:
  description:
    - The connectors, in the order of O(systems), else by name.
    - What a placeholder (V(&{esv.host})) stands for is V(none), or missing from a list.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Its name, as in C(system/<name>).
      type: str
      returned: always
      sample: ldap
    ok:
      description: Whether its test is ok.
      type: bool
      returned: always
      sample: true
    error:
      description: What its test said.
      type: str
      returned: always
      sample: null
    remedy:
      description: What mends it where it is not ok.
      type: str
      returned: always
      sample: null
    enabled:
      description: Whether it is enabled.
      type: bool
      returned: always
      sample: true
    type:
      description: Its class.
      type: str
      returned: always
      sample: org.identityconnectors.ldap.LdapConnector
    principal:
      description: The account that it uses on its system.
      type: str
      returned: always
      sample: uid=idm,ou=apps,dc=example,dc=com
    host:
      description: The host of its system.
      type: str
      returned: always
      sample: ds1.example.com
    port:
      description: The port of its system.
      type: int
      returned: always
      sample: 1636
    failover:
      description: Further servers.
      type: list
      elements: str
      returned: always
      sample: ["ds2.example.com:1636"]
    base_contexts:
      description: Where it searches.
      type: list
      elements: str
      returned: always
      sample: ["ou=People,dc=example,dc=com"]
    uid_attribute:
      description: The attribute that identifies a record.
      type: str
      returned: always
      sample: entryUUID
    object_types:
      description: Its object types.
      type: list
      elements: str
      returned: always
      sample: [account, group]
    failure_policy:
      description: What liveSync does with a record that fails.
      type: dict
      returned: always
      contains:
        max_retries:
          description: How often it is tried again, once in each run; V(none) where nothing is set.
          type: int
          returned: always
          sample: 5
        post_retry_action:
          description: What becomes of it then, as in V(logged-ignore), V(dead-letter-queue), V(script).
          type: str
          returned: always
          sample: dead-letter-queue
        blocks:
          description: Whether it holds up all that come after it for ever.
          type: bool
          returned: always
          sample: false
        drops:
          description: Whether it is dropped without a trace, since IDM does not know the action.
          type: bool
          returned: always
          sample: false
    remote:
      description: The remote connector server, or group of them, that it runs on.
      type: str
      returned: always
      sample: null
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
from ..module_utils._idm.connector import describe_connectors, sentences
from ..module_utils._idm.session import session

SPEC = idm_spec({"systems": {"type": "list", "elements": "str", "default": []}})


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Test the connectors, and return the module's result."""
    with session("connector_info", params, context) as client:
        connectors = describe_connectors(client, params["systems"])
    return {"changed": False, "msg": sentences(connectors), "connectors": connectors}


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
