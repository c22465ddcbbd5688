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
  - The task fails only for options that cannot be used. Whether a finding is a failure is for the caller to say.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  sources:
    description: The sources, as in C(livesync_sources) of the role.
    type: list
    elements: dict
    required: true
    suboptions:
      source:
        description: The source, as in V(system/ldap/account).
        type: str
        required: true
      mappings:
        description: The mappings to load. By default every mapping with this source.
        type: list
        elements: str
      schedule:
        description:
          - What the schedule shall be, as in M(idmops.idm.livesync_schedule). What is left out stays, but for
            C(persisted).
        type: dict
        suboptions:
          interval:
            description: Seconds between two runs.
            type: raw
          cron:
            description: A Quartz cron expression.
            type: str
          name:
            description: The job's name.
            type: str
          storage:
            description: Where it is kept.
            type: str
            choices: [auto, job, config]
            default: auto
          start_time:
            description: When it begins.
            type: str
          end_time:
            description: When it ends.
            type: str
          persisted:
            description: Whether it outlives a restart.
            type: bool
            default: true
          misfire_policy:
            description: What happens to a run that was missed.
            type: str
            choices: [fireAndProceed, doNothing]
      initial_load:
        description: Whether mappings are loaded whose load is not recorded (V(once)), all of them, or none.
        type: str
        choices: [once, always, never]
        default: once
      max_failures:
        description: How many entries may fail in a load.
        type: int
        default: 0
      max_failure_percent:
        description: How many of a hundred entries may fail in a load. The one that allows more counts.
        type: float
      on_record_failure:
        description: Whether a record that liveSync cannot bring over while catching up is an error.
        type: str
        choices: [fail, warn]
        default: fail
      wait_timeout:
        description: Seconds that a load, and the catching up after it, may each take.
        type: float
        default: 86400
      allow_deletes:
        description: Load a mapping that can delete and has links although nothing can be compared.
        type: bool
        default: false
      ds:
        description: The directory behind this source, if it is another one than O(ds); empty for none.
        type: dict
        suboptions: &ds
          servers:
            description: URLs of the directory servers.
            type: list
            elements: str
          bind_dn:
            description: DN of an administrator.
            type: str
          bind_password:
            description: Its password.
            type: str
          start_tls:
            description: Whether to encrypt a connection to an C(ldap://) URL with StartTLS before the bind.
            type: bool
            default: false
          validate_certs:
            description: Whether the server's TLS certificate must be trusted.
            type: bool
            default: true
          ca_path:
            description: File (PEM) of the CA certificates to trust instead of the system's.
            type: path
          timeout:
            description: Seconds for connecting, and for the answer to one request.
            type: float
            default: 30
          principal:
            description: The connector's account, if it is not the one in its configuration.
            type: str
          verify_uri:
            description: As in M(idmops.idm.changelog_access); not used here.
            type: str
          principal_password:
            description: As in M(idmops.idm.changelog_access); not used here.
            type: str
          remove_privilege:
            description: As in M(idmops.idm.changelog_access); not used here.
            type: bool
            default: false
          load:
            description: Whether the role raises the account's limits to what a load needs.
            type: str
            choices: [report, allow]
            default: report
          base_contexts:
            description: Where the connector searches, if not where its configuration says.
            type: list
            elements: str
          size_limit:
            description: The account's size limit.
            type: int
          lookthrough_limit:
            description: The account's look-through limit.
            type: int
          time_limit:
            description: The account's time limit.
            type: int
          idle_time_limit:
            description: The account's idle time limit.
            type: int
          unindexed_search:
            description: Whether the account is given the privilege C(unindexed-search).
            type: bool
  ds:
    description:
      - The directory behind the sources, with every option of M(idmops.idm.changelog_access) but its C(state).
      - Without it nothing is known of the change log.
    type: dict
    suboptions: *ds
  state:
    description: What the role is to bring about.
    type: str
    choices: [enabled, disabled, absent]
    default: enabled
requirements:
  - python-ldap, for O(ds)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
  in_process:
    support: full
  action_group:
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
    ds:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
      load: allow
  register: preflight
  failed_when: preflight.blocking > 0
"""

RETURN = r"""
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
      sample: "The role raises it (load: allow in livesync_ds)."
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
    directory:
      description: Whether the change log behind it can be read.
      type: bool
      returned: always
      sample: true
    principal:
      description: The account whose grants change. V(none) where there is nothing to change.
      type: str
      returned: always
      sample: uid=idm,ou=apps,dc=example,dc=com
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
    load:
      description: The mappings to load, each with the reason.
      type: list
      elements: dict
      returned: always
      sample:
        - mapping: systemLdapAccount_managedUser
          reason: No load of this mapping is recorded, and a schedule or a token alone proves none.
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
    switch_off:
      description: The schedules that are switched off (O(state=disabled)) or removed (O(state=absent)).
      type: list
      elements: str
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

from ..module_utils._ansible.arguments import ArgumentSpec, connection_spec
from ..module_utils._ansible.run import run_module
from ..module_utils._base.context import Context
from ..module_utils._http.client import Client
from ..module_utils._rollout.preflight import preflight
from ..module_utils._rollout.request import grant_spec, source_spec

SPEC = connection_spec().merge(
    ArgumentSpec(
        argument_spec={
            "sources": {"type": "list", "elements": "dict", "required": True, "options": source_spec()},
            "ds": {"type": "dict", "options": grant_spec()},
            "state": {"type": "str", "choices": ["enabled", "disabled", "absent"], "default": "enabled"},
        }
    )
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Read the evidence, and return the module's result."""
    with Client(params, context) as client:
        return preflight(client, params["sources"], params["ds"], params["state"], context).as_result()


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
