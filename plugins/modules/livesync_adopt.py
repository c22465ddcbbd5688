# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_adopt
short_description: Write down what liveSync is there, as variables of the role
version_added: 1.0.0
description:
  - Reads from a live IDM who runs liveSync of which source and how, and writes a file with the variables of the role
    P(idmops.idm.livesync#role) that describe it, for environments that were made by hand or by others.
  - With these variables the role changes nothing. Where it would, since something cannot be said in them or is not as
    the role leaves it, the file says so beside the source, and so does the result. That is not foretold but asked of
    what the role itself begins with, M(idmops.idm.livesync_preflight).
  - Changes nothing in IDM and in the directory.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
requirements:
  - PyYAML
options:
  dest:
    description:
      - The file. It is made with mode 0600, and its folder where there is none.
      - A file that is there already is never touched; the module warns of it and changes nothing.
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The file's text.
  idempotent:
    support: full
notes:
  - No secret is written. Where the role needs one, the file has a reference such as C("{{ vault_idm_password }}").
  - A source without any record of a load gets C(initial_load=never), as where somebody loaded by hand.
  - A source that nobody runs, and one whose schedule is off while those of others are on, is left out, and named with
    the reason at the end of the file.
  - What a server says is no template. Where it looks like one, the file has C(!unsafe) before it.
seealso:
  - module: idmops.idm.livesync_preflight
  - module: idmops.idm.livesync_verify
    description: Whether everybody is there where somebody loaded by hand.
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Write down what is there
  idmops.idm.livesync_adopt:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    dest: "{{ inventory_dir }}/adopted/{{ inventory_hostname }}.yml"
"""

RETURN = r"""
msg:
  description: What was written, and whether the role would change something; what went wrong, on failure.
  type: str
  returned: always
  sample: adopted/production.yml describes system/ldap/account. The role run with it would change nothing.
dest:
  description: The file.
  type: str
  returned: on success
  sample: adopted/production.yml
sources:
  description: The sources that were found. Empty where the file was there already.
  type: list
  elements: dict
  returned: on success
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    written:
      description: Whether it is in C(livesync_sources) of the file.
      type: bool
      returned: always
      sample: true
    schedule:
      description: The name of its job. V(none) where it has none.
      type: str
      returned: always
      sample: liveSync_ldap_account
    scheduler:
      description: Who runs it, V(idm) or V(external). V(none) where it is not written.
      type: str
      returned: always
      sample: idm
    initial_load:
      description: V(never) where no load is recorded, else V(once). V(none) where it is not written.
      type: str
      returned: always
      sample: never
    remarks:
      description: What has to be known of it; why it is not written, where it is not.
      type: list
      elements: str
      returned: always
      sample: []
differences:
  description: In what the variables and what is there differ all the same, as in M(idmops.idm.livesync_preflight).
  type: list
  elements: dict
  returned: on success
  sample: []
not_compared:
  description: What may differ or not, since it could not be asked for, as in M(idmops.idm.livesync_preflight).
  type: list
  elements: dict
  returned: on success
  sample: []
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

from ..module_utils._ansible.arguments import connection_options, idm_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.context import Context
from ..module_utils._idm.session import session
from ..module_utils._rollout.adopt import adopt

SPEC = idm_spec({"dest": {"type": "path", "required": True}}, directory=True)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Write the file, and return the module's result."""
    with session("livesync_adopt", params, context) as client:
        return adopt(client, params, connection_options(), context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
