# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: changelog_access
short_description: Grant IDM's account on a directory what liveSync needs, and nothing more
version_added: 1.0.0
description:
  - Lets an ordinary account read the change log of OpenDJ, ForgeRock DS or PingDS, so that liveSync works. That takes
    the privilege C(changelog-read) on the account and, on every server, two global ACIs, one for the root DSE and one
    for C(cn=changelog).
  - What the account may already is asked of the directory itself (effective rights), so that a grant somebody else
    made, broader, by group or by pattern, is enough and is left alone. No ACI but the module's own is ever touched.
  - ACIs of the module bear the name C(idmops liveSync <digest of the account's DN> root DSE) or C(... change log), name
    one account exactly, and are compared by meaning.
  - Compares the account's limits with the number of entries that a load reads, since a load of more entries than the
    account may read fails, and IDM does not say why.
extends_documentation_fragment:
  - idmops.idm.directory
  - idmops.idm.attributes
options:
  state:
    description:
      - V(present) grants what is missing.
      - V(absent) removes the module's own ACIs for this account; the privilege only with O(remove_privilege). Limits
        that were raised, and the privilege C(unindexed-search), stay, since nothing records what was there before.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - O(servers), O(bind_dn), O(bind_password) and O(ca_path) are taken from the environment variables
    E(IDM_DIRECTORY_SERVERS) (URLs, separated by commas), E(IDM_DIRECTORY_BIND_DN), E(IDM_DIRECTORY_BIND_PASSWORD) and
    E(IDM_DIRECTORY_CA_PATH) where they are not given.
seealso:
  - module: idmops.idm.livesync_trigger
  - module: idmops.idm.connector
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Let IDM's account read the change log of both servers, and load everybody
  idmops.idm.changelog_access:
    servers:
      - ldaps://ds1.example.com:4444
      - ldaps://ds2.example.com:4444
    bind_dn: uid=admin
    bind_password: "{{ vault_ds_password }}"
    ca_path: /etc/pki/ds-ca.pem
    principal: uid=idm,ou=apps,dc=example,dc=com
    raise_limits: true
    base_contexts: ["ou=People,dc=example,dc=com"]

- name: Prove it as the account itself, on the port that the connector uses
  idmops.idm.changelog_access:
    servers: [ldaps://ds1.example.com:4444]
    bind_dn: uid=admin
    bind_password: "{{ vault_ds_password }}"
    principal: uid=idm,ou=apps,dc=example,dc=com
    principal_password: "{{ vault_connector_password }}"
    verify_uri: ldaps://ds1.example.com:1636

- name: Take the grants away again
  idmops.idm.changelog_access:
    servers: [ldaps://ds1.example.com:4444]
    bind_dn: uid=admin
    bind_password: "{{ vault_ds_password }}"
    principal: uid=idm,ou=apps,dc=example,dc=com
    state: absent
    remove_privilege: true
"""

RETURN = r"""
servers:
  description: What became of each server, in the order of O(servers). In check mode, what would be there afterwards.
  type: list
  elements: dict
  returned: when the options are valid
  contains:
    uri:
      description: The server's URL.
      type: str
      returned: always
      sample: ldaps://ds1.example.com:4444
    granted:
      description:
        - Which of V(privilege), V(root_dse) and V(change_log) it has, by the directory's own judgement.
        - Null in check mode with O(state=absent) where something would be taken away. What others grant as well, only
          the directory could tell then.
      type: list
      elements: str
      returned: always
      sample: [privilege, root_dse, change_log]
    missing:
      description:
        - What it may not, and which of V(size_limit), V(lookthrough_limit), V(time_limit), V(idle_time_limit) and
          V(unindexed_search) stop a load of all entries.
      type: list
      elements: str
      returned: always
      sample: [size_limit]
    change_log:
      description: How far the change log reaches. V(none) where the server keeps none.
      type: dict
      returned: always
      contains:
        first:
          description: Its lowest change number; V(0) while it is empty.
          type: int
          returned: when there is one
        last:
          description: Its highest change number.
          type: int
          returned: when there is one
        mode:
          description: V(change_numbers), or V(cookies_only), which liveSync cannot use.
          type: str
          returned: when there is one
      sample: {first: 1, last: 5612, mode: change_numbers}
    limits:
      description:
        - For C(size_limit), C(lookthrough_limit), C(time_limit), C(idle_time_limit) and C(unindexed_search), what holds
          for the account (C(effective)), what a load needs (C(needed)), whether that is C(enough), and whether the
          value is the account's C(own) or the server's default. C(0) is no limit.
        - C(index_entry_limit) is how many entries an index key may hold before it is not used.
      type: dict
      returned: always
      sample:
        size_limit: {effective: 1000, needed: 6724, enough: false, own: false}
        index_entry_limit: 4000
    entries:
      description: Number of entries below O(base_contexts), as the administrator sees them.
      type: int
      returned: always
      sample: 5603
    verified:
      description:
        - Whether the account itself read the change log on this server, as the connector does.
        - V(none) where that was not asked for, not possible yet, or proves nothing (an empty log).
      type: bool
      returned: always
      sample: true
    left:
      description: What the account keeps, since nothing records who gave it.
      type: list
      elements: str
      returned: with O(state=absent)
      sample: ["ds-privilege-name: changelog-read", "ds-rlim-size-limit: 20000"]
    error:
      description: Why this server could not be dealt with.
      type: str
      returned: when it could not
limits_raised:
  description:
    - Whether limits of the account were raised. Connections that are open keep the limits of their bind, so the
      connector must then be activated again (M(idmops.idm.connector)).
  type: bool
  returned: when the options are valid
verification:
  description: What the account itself met.
  type: dict
  returned: with O(principal_password)
  contains:
    uri:
      description: Where it was bound.
      type: str
      returned: always
      sample: ldaps://ds1.example.com:1636
    verified:
      description: As RV(servers[].verified).
      type: bool
      returned: always
      sample: true
    found:
      description: What it found, as a sentence.
      type: str
      returned: always
      sample: The account reads change 5612 of ldaps://ds1.example.com:1636 as the connector does.
status:
  description: The LDAP result code.
  type: int
  returned: on failure
remedy:
  description: What mends it.
  type: str
  returned: on failure, where it is known
"""

import typing as t

from ..module_utils._ansible.arguments import access_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.context import Context
from ..module_utils._changelog.access import grant_everywhere
from ..module_utils._changelog.aci import principal_name
from ..module_utils._changelog.grants import WantedGrants
from ..module_utils._changelog.limits import checked_limits, outermost

SPEC = access_spec({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}})


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Grant or take away, and return the module's result."""
    wanted = WantedGrants(
        principal=principal_name(params["principal"]),
        present=params["state"] == "present",
        remove_privilege=params["remove_privilege"],
        raise_limits=params["raise_limits"],
        limits=checked_limits(params),
        unindexed_search=params["unindexed_search"],
        base_contexts=tuple(outermost(params["base_contexts"] or ())),
    )
    return grant_everywhere(params, wanted, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
