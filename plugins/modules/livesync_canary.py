# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_canary
short_description: Make one harmless change, and see it arrive
version_added: 1.0.0
description:
  - Changes an entry of the directory that is set aside for this, waits until the target of the mapping has the change,
    and puts the old value back. That is the only proof that the next change will arrive too.
  - The entry's attribute has to begin with C(idmops canary), which its owner writes there once, so that a mistyped DN
    never touches a person. The new value is the old one with a mark behind it. A run that was interrupted leaves that
    mark; the next one knows it, and puts the old value back.
  - The old value is put back after the arrival, or when the time is up, since liveSync reads an entry as it is then.
    What somebody else has written there meanwhile is left alone.
  - Nothing is written to a directory that is not shown to be the connector's, unless IDM sees the entry by the same id.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  source:
    description: The source, as in V(system/ldap/account).
    type: str
    required: true
  mapping:
    description: The mapping that is to bring it. Without it, the only one of the source.
    type: str
  dn:
    description: The entry that is set aside for this.
    type: str
    required: true
  attribute:
    description: The attribute that is changed, as the directory calls it. The mapping has to copy it plainly.
    type: str
    default: description
  within:
    description:
      - Seconds that the change may take. Without it, two intervals of the source's schedule, and a second;
        where an external scheduler runs the source, two times its C(max_age).
      - Without a schedule that is on it has to be given, but with O(run_livesync).
    type: float
  run_livesync:
    description: Whether to run liveSync, rather than to wait for the schedule. A run that fails is not repeated.
    type: bool
    default: false
attributes:
  check_mode:
    support: partial
    details: Nothing is changed then, so that whether a change arrives is not known.
  diff_mode:
    support: none
    details: What it changes it puts back.
  idempotent:
    support: none
    details: Each run makes a change of its own.
seealso:
  - module: idmops.idm.livesync_verify
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: See a change arrive
  idmops.idm.livesync_canary:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    dn: uid=idmops.canary,ou=People,dc=example,dc=com
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
"""

RETURN = r"""
msg:
  description: What became of the change, in a sentence; on failure why it did not arrive, as far as that can be known.
  type: str
  returned: always
  sample: "system/ldap/account: The change arrived after 3.2 s."
canary:
  description: What became of the change. The task fails where it did not arrive.
  type: dict
  returned: when the options are valid
  contains:
    arrived:
      description: Whether it arrived. V(none) in check mode, and where that cannot be known.
      type: bool
      returned: always
      sample: true
    seconds:
      description: How long it took.
      type: float
      returned: always
      sample: 3.2
    token_before:
      description: The sync token before it.
      type: raw
      returned: always
      sample: 3522
    token_after:
      description: The sync token after it. Where it is as before, something else may have brought the change.
      type: raw
      returned: always
      sample: 3523
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
from ..module_utils._idm.source import Source
from ..module_utils._ldap.options import given
from ..module_utils._verify.canary import CanaryRequest, fly

SPEC = idm_spec(
    {
        "source": {"type": "str", "required": True},
        "mapping": {"type": "str"},
        "dn": {"type": "str", "required": True},
        "attribute": {"type": "str", "default": "description"},
        "within": {"type": "float"},
        "run_livesync": {"type": "bool", "default": False},
    },
    directory=True,
)


def operate(params, context):
    """Let the canary fly."""
    request = CanaryRequest(
        source=Source.parse(params["source"]),
        dn=params["dn"],
        directory=given(params["directory"]),
        mapping=params["mapping"],
        attribute=params["attribute"],
        within=params["within"],
        run_livesync=params["run_livesync"],
    )
    request.check()
    with session("livesync_canary", params, context) as client:
        return fly(client, request, context)


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
