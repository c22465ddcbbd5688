# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_preflight
short_description: Find everything that stands in the way of liveSync, and plan what is to be done
version_added: 1.0.0
description:
  - Reads all evidence about the sources, from IDM and from the directory behind them, and changes nothing.
  - Returns what was found, each with its remedy, and for each source what the role P(idmops.idm.livesync#role) does
    about it. What cannot be read is a finding and does not keep the rest from being read.
  - It also tells field by field in what the options and what is there differ, which the playbook C(idmops.idm.drift)
    shows.
  - The task fails only for options that cannot be used. Whether a finding is a failure is for the caller to say.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.sources
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  state:
    description: What the role is to bring about.
    type: str
    choices: [enabled, disabled, absent]
    default: enabled
  judge:
    description:
      - Judge, as M(idmops.idm.livesync_status) does, the sources on which nothing is left to do, without waiting for a
        run. One that is well needs nothing more (RV(plans[].settled)), and is in RV(livesync).
      - Where the account lacks a right that this takes, the source is not called settled.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
seealso:
  - module: idmops.idm.livesync_load
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Look before the role is run for the first time
  idmops.idm.livesync_preflight:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    sources:
      - source: system/ldap/account
        schedule:
          interval: 15
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
      raise_limits: true
  register: preflight
  failed_when: preflight.blocking > 0
"""

RETURN = r"""
msg:
  description: What blocks; what went wrong, on failure.
  type: str
  returned: always
  sample: Nothing blocks.
findings:
  description: Everything that was found.
  type: list
  elements: dict
  returned: always
  contains:
    code:
      description: The finding's name, for programs.
      type: str
      returned: always
      sample: size_limit
    severity:
      description:
        - V(blocking) keeps its source from being dealt with, V(mended) is what the role mends or does by itself,
          V(warning) works all the same.
      type: str
      returned: always
      sample: mended
    source:
      description: The source that it is about. V(none) where it is about all.
      type: str
      returned: always
      sample: system/ldap/account
    message:
      description: What was found.
      type: str
      returned: always
      sample: The size limit of uid=idm on ldaps://ds1.example.com:4444 is 1000; a load of 5603 entries needs 6724.
    remedy:
      description: What mends it, with the variable or the command that does.
      type: str
      returned: always
      sample: "The role raises it (raise_limits: true in livesync_directory)."
blocking:
  description: How many findings block.
  type: int
  returned: always
  sample: 0
report:
  description: The findings as lines to read.
  type: list
  elements: str
  returned: always
  sample: ["Nothing was found."]
differences:
  description:
    - In what the options and what is there differ. It is the role's own comparison; without a difference that is
      C(mended) a run of the role changes nothing, but what O(sources[].initial_load=always) asks for.
    - With O(state=absent) the grants are not looked at.
  type: list
  elements: dict
  returned: always
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    field:
      description: The option, as in V(schedule.interval); what it is, where it is no option.
      type: str
      returned: always
      sample: schedule.interval
    wanted:
      description: Its value in the options. V(none) where nothing is wanted.
      type: raw
      returned: always
      sample: 15
    found:
      description: What is there. V(none) where there is nothing.
      type: raw
      returned: always
      sample: 60
    mended:
      description: Whether a run of the role changes that, where nothing blocks the source.
      type: bool
      returned: always
      sample: true
not_compared:
  description: What may differ or not, since it could not be asked for.
  type: list
  elements: dict
  returned: always
  contains:
    source:
      description: The source. V(none) where it is all of them.
      type: str
      returned: always
      sample: system/ldap/account
    field:
      description: What of it.
      type: str
      returned: always
      sample: directory
    reason:
      description: Why, in a sentence.
      type: str
      returned: always
      sample: ldaps://ds1.example.com:4444 does not answer.
plans:
  description: What the role does about each source.
  type: list
  elements: dict
  returned: always
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    index:
      description: Its place in O(sources).
      type: int
      returned: always
      sample: 0
    blocked:
      description: Whether something stands in the way, so that nothing is done.
      type: bool
      returned: always
      sample: false
    change_log:
      description: Whether the change log behind it can be read.
      type: bool
      returned: always
      sample: true
    principal:
      description: The account whose grants change. V(none) where there is nothing to change.
      type: str
      returned: always
      sample: uid=idm,ou=apps,dc=example,dc=com
    servers:
      description: The directory servers to grant on, without those that do not answer, which RV(findings) names.
      type: list
      elements: str
      returned: always
      sample: ["ldaps://ds1.example.com:4444"]
    prove:
      description: Whether the account can be let bind with its password; false where a server there does not answer.
      type: bool
      returned: always
      sample: true
    base_contexts:
      description: Where the connector searches.
      type: list
      elements: str
      returned: always
      sample: ["ou=People,dc=example,dc=com"]
    job:
      description: The schedule that is managed.
      type: str
      returned: always
      sample: liveSync_ldap_account
    hold:
      description: Whether it is switched off while the base point is stored and the mappings are loaded.
      type: bool
      returned: always
      sample: false
    enable:
      description: Whether it is on in the end, which it is not where an external scheduler runs the source.
      type: bool
      returned: always
      sample: true
    run_by:
      description: C(scheduler) and C(max_age) that the run record is to tell; empty where it stays as it is.
      type: dict
      returned: always
      sample: {}
    reset:
      description: Why the token is forgotten. V(none) where it stays.
      type: str
      returned: always
      sample: "The change log begins at 3823, after the token 3522: the changes in between have been removed from it."
    baseline:
      description: Whether a first liveSync stores the base point.
      type: bool
      returned: always
      sample: true
    to_load:
      description: The mappings to load, each with the reason.
      type: list
      elements: dict
      returned: always
      sample:
        - mapping: systemLdapAccount_managedUser
          reason: No load of this mapping is recorded, and a schedule or a token alone proves none.
    catch_up:
      description: Whether what has changed is brought over before the schedule is switched on.
      type: bool
      returned: always
      sample: true
    forget:
      description:
        - Mappings whose recorded load does not count any more, since C(enableSync) is false. liveSync takes their
          changes and drops them, so once they are on they are loaded again.
      type: list
      elements: str
      returned: always
      sample: []
    enabled:
      description: Whether the schedule is on now.
      type: raw
      returned: always
      sample: false
    record:
      description: What of the load record holds meanwhile.
      type: dict
      returned: always
      sample: {}
    schedule:
      description: What was given for the schedule.
      type: dict
      returned: always
      sample: {interval: 15}
    options:
      description: Options of the source that its steps take, with their defaults.
      type: dict
      returned: always
      sample: {max_failures: 0, on_record_failure: fail, wait_timeout: 86400, allow_deletes: false}
    tolerated:
      description:
        - States of M(idmops.idm.livesync_status) that are no failure in the end, as V(disabled) where a mapping with
          enableSync false is not asked for.
      type: list
      elements: str
      returned: always
      sample: []
    finished:
      description: Whether nothing is left to do, so that the steps would find everything as it is wanted.
      type: bool
      returned: always
      sample: true
    settled:
      description: Whether the source was found well besides (O(judge)), so that no step is needed.
      type: bool
      returned: always
      sample: true
    switch_off:
      description: The schedules that are switched off (O(state=disabled)) or removed (O(state=absent)).
      type: list
      elements: str
      returned: always
      sample: []
livesync:
  description:
    - What M(idmops.idm.livesync_status) returns of the sources that are settled (O(judge)).
  type: list
  elements: dict
  returned: always
  sample: []
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

import typing as t

from ..module_utils._ansible.arguments import idm_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.context import Context
from ..module_utils._idm.session import session
from ..module_utils._rollout.preflight import preflight
from ..module_utils._rollout.request import source_options

SPEC = idm_spec(
    {
        "sources": {"type": "list", "elements": "dict", "required": True, "options": source_options()},
        "state": {"type": "str", "choices": ["enabled", "disabled", "absent"], "default": "enabled"},
        "judge": {"type": "bool", "default": False},
    },
    directory=True,
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Read the evidence, and return the module's result."""
    with session("livesync_preflight", params, context) as client:
        asked = params["sources"], params["directory"], params["state"]
        return preflight(client, *asked, context, params["judge"]).as_result()


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
