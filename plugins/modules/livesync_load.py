# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_load
short_description: Load the mappings of a source, without deleting anybody by surprise
version_added: 1.0.0
description:
  - Reconciles mappings one after the other, as the initial load before liveSync, and returns what proves it. The role
    P(idmops.idm.livesync#role) uses it between base point and schedule.
  - Before that it compares how many entries there are with how many the connector's account may read and how many IDM
    finds through the connector. If those are fewer it does not start, since a load takes what it does not find for
    deleted.
  - It compares the links too with what IDM lists. Linked entries that are not listed, and that the directory still has,
    as after the connector's search filter or base contexts were narrowed, would be taken for gone as well; then it does
    not start either, unless O(allow_deletes) is set. Whoever is gone from the directory is dealt with as the mapping
    says.
  - Without O(directory) nothing can be compared; a mapping whose policies can delete and that has links is then loaded
    only with O(allow_deletes).
  - A load beside liveSync loses changes. So it begins when no liveSync of the source runs, one that an interrupted task
    of this control host has left included; and where one has moved the sync token during the load all the same, the
    token is put back with a warning, so that its changes are brought once more.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.sources.load
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  source:
    description: The source, as in V(system/ldap/account).
    type: str
    required: true
  mappings:
    description: The mappings to load, each with this source.
    type: list
    elements: str
    required: true
  reactivate:
    description: Whether the connector may be activated again where its pooled connections hold old limits.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: >-
      Says what would be loaded, and refuses what the directory and the links tell against. How many entries IDM lists
      is not asked, since a task before this one may be going to raise limits.
  diff_mode:
    support: full
  idempotent:
    support: none
    details: Each run loads.
seealso:
  - module: idmops.idm.recon
  - module: idmops.idm.livesync_preflight
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Load everybody, after the base point has been stored
  idmops.idm.livesync_load:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    mappings: [systemLdapAccount_managedUser]
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
"""

RETURN = r"""
record:
  description:
    - For each mapping what proves its load, to be kept with the schedule
      (O(idmops.idm.livesync_schedule#module:load_record)).
  type: dict
  returned: always
  sample:
    systemLdapAccount_managedUser:
      recon: 0890ad62-4738-4a3f-8b8e-f3c83bbf212e-123
      time: "2026-11-24T12:00:00Z"
      idm: [dadfdea6-c2c7-45ac-a45c-e8bc36e74913]
loads:
  description: What became of each mapping.
  type: list
  elements: dict
  returned: always
  contains:
    mapping:
      description: The mapping.
      type: str
      returned: always
      sample: systemLdapAccount_managedUser
    state:
      description: The state of its reconciliation, V(planned) in check mode.
      type: str
      returned: always
      sample: SUCCESS
    recon:
      description: As RV(idmops.idm.recon#module:recon).
      type: dict
      returned: always
      sample: {id: 0890ad62-4738-4a3f-8b8e-f3c83bbf212e-123, state: SUCCESS}
entries:
  description: What was compared.
  type: dict
  returned: always
  contains:
    total:
      description: How many entries the administrator sees.
      type: int
      returned: always
      sample: 5603
    readable:
      description: How many of them the connector's account may read.
      type: int
      returned: always
      sample: 5603
    through_idm:
      description: How many IDM finds through the connector.
      type: int
      returned: always
      sample: 5603
reactivated:
  description: Whether the connector was activated again.
  type: bool
  returned: always
  sample: false
recon:
  description: The reconciliation that did not end well.
  type: dict
  returned: on failure of one
status:
  description: The HTTP status or LDAP result code.
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
from ..module_utils._idm.session import session
from ..module_utils._rollout.load import LoadRequest, load
from ..module_utils._rollout.request import SourceRequest, load_options

SPEC = idm_spec(
    {
        "source": {"type": "str", "required": True},
        "mappings": {"type": "list", "elements": "str", "required": True},
        "reactivate": {"type": "bool", "default": False},
        **load_options(),
    },
    directory=True,
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Load the mappings, and return the module's result."""
    source = SourceRequest.parse({**params, "directory": None}, params["directory"], "", "directory")
    source.check()
    request = LoadRequest(
        source=source,
        mappings=tuple(dict.fromkeys(params["mappings"])),
        max_failures=params["max_failures"],
        max_failure_percent=params["max_failure_percent"],
        may_reactivate=params["reactivate"],
    )
    with session("livesync_load", params, context) as client:
        return load(client, request, context).as_result()


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
