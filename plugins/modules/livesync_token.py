# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_token
short_description: Set or remove the sync token of a source
version_added: 1.0.0
description:
  - The sync token is the point from which liveSync goes on. IDM stores it for each source.
  - Removing it replays nothing. The next run of liveSync stores the end of the change log and processes nothing, so all
    changes since the old token are lost to liveSync. To replay changes set an older token; to be sure that nothing is
    missing, reconcile (M(idmops.idm.recon)).
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  source:
    description: The object type, as in V(system/ldap/account).
    type: str
    required: true
  state:
    description:
      - V(present) stores O(sync_token). M(idmops.idm.livesync_status) tells the one that is stored.
      - V(absent) removes the token.
    type: str
    choices: [present, absent]
    default: present
  sync_token:
    description:
      - The token to store. It is compared with the stored one by its text, and stored as a number where O(native_type)
        is one.
      - With O(directory) it must lie within the change log, or just before its first change.
    type: raw
  native_type:
    description: The token's type in IDM. The stored one is kept where there is one; else V(integer) for a number.
    type: str
  force:
    description: Whether to go on although a schedule of the source is enabled, or a run is going on.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Take the changes from number 15000 on once more
  idmops.idm.livesync_token:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    sync_token: 14999

- name: Forget the token, since everybody is reconciled next
  idmops.idm.livesync_token:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    state: absent
"""

RETURN = r"""
token_before:
  description: The token before, V(null) where there was none.
  returned: success
  type: raw
  sample: 15022
token_after:
  description: The token after, V(null) where there is none.
  returned: success
  type: raw
  sample: 14999
status:
  description: The HTTP status or LDAP result code that came with a failure.
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
from ..module_utils._idm.session import session
from ..module_utils._livesync.token import keep_token, wish_of

SPEC = idm_spec(
    {
        "source": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "sync_token": {"type": "raw", "no_log": False},
        "native_type": {"type": "str"},
        "force": {"type": "bool", "default": False},
    },
    directory=True,
)


def operate(params, context):
    """Set or remove the token."""
    wish = wish_of(params)
    with session("livesync_token", params, context) as client:
        return keep_token(client, wish, context)


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
