# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recon
short_description: Reconcile a mapping, wait for the end, and tell what failed and why
version_added: 1.0.0
description:
  - Starts a reconciliation, or joins one that is running, and follows it to its end. Where the task runs on the control
    host a line at every tenth or every 15 seconds shows how far it is.
  - A run that IDM calls successful may hold entries that failed, and one that IDM calls failed gives no reason over
    REST. This module counts the one and finds out the other.
  - IDM goes on when the playbook is interrupted, the line is cut or the time is up. The same task run again joins the
    run (O(if_running=join)). Nothing is ever started a second time by itself.
  - The whole mapping, without O(ids), may delete. Where its policy for SOURCE_MISSING deletes or unlinks, so it does
    with everybody who is linked and whom the connector does not list, gone or not, as after its search filter or base
    contexts were narrowed, or where an ACI hides them. This module asks no directory and compares nothing before it;
    M(idmops.idm.livesync_load) does, and refuses.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  mapping:
    description: Name of the mapping.
    type: str
    required: true
  ids:
    description:
      - Reconcile these records of the source alone, as in RV(recon.failures[].record), or with the source before it as
        in V(system/ldap/account/60483ab6-d26a-34fe-acab-cdeed50f12a4).
      - Fifty are a run, without the phase of the target. Several runs go one after the other; RV(recon) sums them up,
        and its C(id) is that of the last. Where C(audit/recon) does not answer, each record is a run of its own, whose
        answer tells why it failed.
      - A record that a run leaves out has failed, as one that is not in the source any more.
      - Without it the whole mapping is reconciled. An empty list is refused, since none is not all.
    type: list
    elements: str
  wait:
    description: Whether to wait for the end. If not, the task ends as soon as the run is started.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for the end. The run goes on when the time is up.
    type: float
    default: 86400
  if_running:
    description:
      - What to do when a reconciliation of the same mapping is running. Releases since 7.1 refuse a second one, the
        open fork lets them race.
      - V(join) waits for the end of that one instead of starting another. One that is about other records (O(ids)) does
        not do what is asked for; V(join) then waits for its end and starts its own.
      - V(wait) waits for its end, then starts another, also with O(wait=false).
      - V(fail) fails.
    type: str
    choices: [join, wait, fail]
    default: join
  allow_empty_source:
    description:
      - Whether the source may be empty. IDM otherwise lets such a run fail, because all objects of the target would
        look like orphans, and a mapping may delete those.
    type: bool
    default: false
  max_failures:
    description: How many entries may fail without the task failing.
    type: int
    default: 0
  max_failure_percent:
    description:
      - What share of the entries may fail without the task failing, in percent.
      - The larger one of this and O(max_failures) counts.
    type: float
  persist_associations:
    description:
      - Whether IDM keeps what becomes of each entry, in C(recon/assoc), so that RV(recon.failures) can be told where
        C(audit/recon) does not answer, as on Advanced Identity Cloud. For IDM 7 and later.
      - IDM then writes an entry for each record. The vendor warns that this slows large reconciliations down.
      - It has no effect on a run that is joined.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details:
      - The mapping is looked up and running reconciliations are looked for; nothing is started and nothing waited for.
  diff_mode:
    support: full
  idempotent:
    support: none
    details:
      - This is an action, every task starts a run unless it joins one. Reconciling twice leaves the data as reconciling
        once does.
seealso:
  - module: idmops.idm.connector
  - module: idmops.idm.changelog_access
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Load everybody
  idmops.idm.recon:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    mapping: systemLdapAccount_managedUser

- name: Start a reconciliation and go on
  idmops.idm.recon:
    mapping: systemLdapAccount_managedUser
    wait: false

- name: Be content when less than one percent of the entries fails
  idmops.idm.recon:
    mapping: systemLdapAccount_managedUser
    max_failure_percent: 1
  register: load

- name: Reconcile again what failed
  idmops.idm.recon:
    mapping: systemLdapAccount_managedUser
    ids: "{{ load.recon.failures | map(attribute='record') | list }}"
  when: load.recon.failures
"""

RETURN = r"""
msg:
  description: How it stands, in a sentence; what went wrong, on failure.
  type: str
  returned: always
  sample: "The reconciliation of systemLdapAccount_managedUser is in the state SUCCESS, 200 of 200 source entries done."
recon:
  description: The reconciliation; several runs (O(ids)) as one.
  type: dict
  returned: when the options are valid
  contains:
    id:
      description: Its id; V(none) in check mode where one would be started.
      type: str
      returned: always
      sample: 37e40b4a-0ff9-4575-9469-bf3b97ba33db-2495
    mapping:
      description: Name of the mapping.
      type: str
      returned: always
      sample: systemLdapAccount_managedUser
    state:
      description:
        - V(SUCCESS), V(FAILED) or V(CANCELED) as IDM says it; V(ACTIVE) while it is running.
        - V(PLANNED) in check mode where one would be started; V(LOST) when IDM does not know it any more, as after a
          restart; V(UNKNOWN) when IDM stopped answering.
      type: str
      returned: always
      sample: SUCCESS
    joined:
      description: Whether the run had been started by somebody else.
      type: bool
      returned: when a run was started or joined
      sample: false
    progress:
      description: For C(source), C(target) and C(links), how many were processed and how many there are.
      type: dict
      returned: always
      contains:
        source:
          description: Objects of the source.
          type: dict
          returned: always
          sample: {processed: 200, total: 200}
        target:
          description:
            - Objects of the target, and how many were created and, since IDM 7, left unchanged, updated, deleted.
          type: dict
          returned: always
          sample: {processed: 199, total: 199, created: 1}
        links:
          description: Links.
          type: dict
          returned: always
          sample: {processed: 199, total: 199}
    situations:
      description: How many entries were found in which situation; those that did not occur are left out.
      type: dict
      returned: always
      sample: {CONFIRMED: 199, ABSENT: 1}
    succeeded:
      description: How many entries ended well.
      type: int
      returned: always
      sample: 199
    failed:
      description: How many entries did not, as IDM counts them; RV(recon.gone) of them are no failures.
      type: int
      returned: always
      sample: 1
    gone:
      description:
        - How many of them failed because somebody had removed them from the source since the run began. They do not
          count for O(max_failures), and are not listed in RV(recon.failures).
        - Known where C(audit/recon) answers, for the first thousand entries that failed, and not with O(ids).
      type: int
      returned: when the run has ended
      sample: 0
    failures:
      description:
        - The first hundred entries that failed. Where C(audit/recon) does not answer, as on Advanced Identity Cloud,
          they are known of single records (O(ids)), and of a run with O(persist_associations=true).
      type: list
      elements: dict
      returned: always
      contains:
        record:
          description: Id of the record within the source.
          type: str
          returned: always
          sample: 60483ab6-d26a-34fe-acab-cdeed50f12a4
        situation:
          description: The situation it was found in.
          type: str
          returned: always
          sample: ABSENT
        action:
          description: What was to be done about it.
          type: str
          returned: always
          sample: CREATE
        reason:
          description: Why that failed. What the server quotes in it is left out, since it may be attribute values.
          type: str
          returned: always
          sample: Policy validation failed
    duration_ms:
      description: How long it took, in milliseconds.
      type: int
      returned: always
      sample: 728
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
from ..module_utils._idm.session import session
from ..module_utils._recon.recon import ReconRequest, reconcile

SPEC = idm_spec(
    {
        "mapping": {"type": "str", "required": True},
        "ids": {"type": "list", "elements": "str"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 86400},
        "if_running": {"type": "str", "choices": ["join", "wait", "fail"], "default": "join"},
        "allow_empty_source": {"type": "bool", "default": False},
        "max_failures": {"type": "int", "default": 0},
        "max_failure_percent": {"type": "float"},
        "persist_associations": {"type": "bool", "default": False},
    }
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Reconcile, and return the module's result."""
    request = ReconRequest(
        mapping=params["mapping"],
        ids=None if params["ids"] is None else tuple(params["ids"]),
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        if_running=params["if_running"],
        allow_empty_source=params["allow_empty_source"],
        max_failures=params["max_failures"],
        max_failure_percent=params["max_failure_percent"],
        persist_associations=params["persist_associations"],
    )
    with session("recon", params, context) as client:
        outcome = reconcile(client, request, context)
    return {"changed": outcome.started, "diff": outcome.diff, "msg": outcome.run.sentence, "recon": outcome.as_result()}


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
