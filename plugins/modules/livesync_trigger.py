# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_trigger
short_description: Run liveSync now, and tell what came of it
version_added: 1.0.0
description:
  - Runs liveSync of one or several sources and tells how each run ended, a failure that IDM answers with HTTP 200
    included.
  - A line that is cut (a time-out, a proxy, a reset) does not end the run on the server. The module then finds out how
    the run ended, and sends no second one. Where that cannot be known it says so.
  - Runs of one source that are sent from here never overlap, from whichever control host or container they come, and a
    job of the scheduler that runs it is waited for. A run that an interrupted task has left is waited for too, until
    audit/access tells of its end, or for an hour where IDM does not tell. See O(lock).
  - What others send beside this collection can still meet a run. What comes of that is told as such
    (RV(runs[].failure.by_race), RV(runs[].attributed)). Two runs at once may create the same object twice.
  - After a record failure nothing is sent again. Each run uses up one of the connector's retries, and with the last one
    IDM drops the change.
  - No run is sent where its changes would be lost, since liveSync consumes them all the same. That is where no enabled
    mapping takes them, where the change log does not reach back to the token, and where the token has a type that the
    connector does not take. Without O(directory) none is sent either where the connector's test fails.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  sources:
    description:
      - The object types to synchronise, as in V(system/ldap/account). One that is named twice runs once.
      - Exactly one of O(sources) and O(follow) is needed.
    type: list
    elements: str
    aliases: [source]
  endpoint:
    description:
      - V(resource) posts to the object type itself, which Ping recommends.
      - V(system) posts to C(system?source=), which is what a schedule does, so it tests a schedule.
    type: str
    choices: [resource, system]
    default: resource
  wait:
    description:
      - Whether to wait for the runs' ends. Without, a run that has not ended within a second has the outcome
        V(started), and RV(runs[].follow) is what O(follow) needs later.
    type: bool
    default: true
  follow:
    description:
      - Wait for runs that an earlier task has left (the list of RV(runs[].follow)). Nothing is sent for them, unless
        IDM was restarted and the run has died.
    type: list
    elements: dict
  wait_timeout:
    description: Seconds to wait for a run's end, for other runs before it, and for O(until_caught_up).
    type: float
    default: 3600
  stall_timeout:
    description:
      - Seconds without any sign of a run whose line was cut, after which its end counts as unknown.
      - Where audit/sync does not answer there are no signs, and O(wait_timeout) alone ends the waiting. While IDM is
        down, its return is awaited for 120 seconds at least.
      - Nothing is sent again. The next task waits for what this one has left, as described above.
    type: float
    default: 300
  until_caught_up:
    description:
      - Run again until the token has reached the end that the change log had at the start. Changes that others make
        meanwhile do not prolong it.
      - Without O(directory), until a run moved nothing. That proves nothing, since a connector that cannot see the
        changes looks the same; the task warns of it, and RV(runs[].proved) is false.
    type: bool
    default: false
  mappings:
    description:
      - The mappings that must take the changes. The task fails, and nothing is sent, where one of them has
        C(enableSync) set to false.
      - Without it one enabled mapping of the source will do, and others that are off are worth a warning.
    type: list
    elements: str
  on_record_failure:
    description:
      - What to do when a record could not be synchronised, or when IDM gave up on one and dropped the change.
      - The next source is run either way.
    type: str
    choices: [fail, warn]
    default: fail
  if_running:
    description: What to do when another run of the same source is going on.
    type: str
    choices: [wait, fail, skip]
    default: wait
  lock:
    description:
      - Where runs of one source are kept apart.
      - V(server) keeps a run record in IDM, beside the stage of the source, which all control hosts and containers see.
        Whoever dies while holding it is followed after 30 seconds, once nothing tells of a run that may be going on. It
        takes four small requests. Where IDM keeps no such record the task warns, and does as with V(local).
      - V(local) keeps the runs of this host apart alone. Give it only where no other host runs the source, and give it
        to all tasks then, since the two ways do not see each other.
    type: str
    choices: [server, local]
    default: server
  detailed_failure:
    description: Whether RV(runs[].failure) shows the attributes of a record that failed. Passwords stay hidden.
    type: bool
    default: false
  parallel:
    description: How many systems are synchronised side by side. Sources of one system run one after the other.
    type: int
    default: 4
  reactivate:
    description:
      - Whether a connector that does nothing, because it was activated while its system was down, may be activated
        again, once. That ends what the connector has in flight.
    type: bool
    default: false
  catch_up:
    description:
      - What brings over what is pending.
      - V(livesync), runs of liveSync alone.
      - V(reconcile), a reconciliation, for a backlog that liveSync does not get through. The end of the change log is
        noted, what is pending is reconciled, and the noted end becomes the sync token, with nothing in between left
        out. Where an entry fails, or something would be left out, the token stays where it was, and the task fails.
        Whatever stops it, it can be run again. A run of liveSync follows, for what has changed meanwhile.
      - V(auto), a reconciliation where more changes are pending than O(catch_up_above), and after a run that lost its
        connection and stored nothing. Where the reconciliation cannot be done beforehand, liveSync is run, with a
        warning. Without O(directory) it is as V(livesync).
      - Up to 500 changed entries are reconciled by themselves. For more of them, and where something of them cannot be
        known, the whole mapping is, under the same guard as in M(idmops.idm.livesync_load).
      - V(reconcile) needs O(directory), and fails while a schedule of the source is enabled. It switches no schedule
        off. V(auto) leaves the backlog to liveSync then, with a warning. The role C(livesync) holds the schedule.
    type: str
    choices: [livesync, reconcile, auto]
    default: livesync
  catch_up_above:
    description: With O(catch_up=auto), how many changes may be pending that liveSync has to bring.
    type: int
    default: 2000
  allow_deletes:
    description:
      - With a reconciliation of single entries, whether the targets of entries that are gone may be removed one by one.
        The change log has to call the entry deleted, IDM to answer 404, and O(directory) to find it nowhere.
      - Without, a deletion among the changes means that the whole mapping is reconciled, under its guard.
      - For the whole mapping it is what it is in M(idmops.idm.livesync_load), whether something may be deleted although
        what the connector sees cannot be compared with what is there.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Checks the sources and sends no run.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: A run without pending changes changes nothing, and IDM still rewrites the revision of its stage document.
seealso:
  - module: idmops.idm.livesync_status
  - module: idmops.idm.livesync_schedule
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Push the changes of the directory to IDM, now
  idmops.idm.livesync_trigger:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account

- name: Catch up with what the change log holds now
  idmops.idm.livesync_trigger:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    sources:
      - system/ldap/account
      - system/hr/person
    until_caught_up: true
    reactivate: true
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
"""

RETURN = r"""
msg:
  description: What came of all sources, in a sentence for each; what went wrong, on failure.
  type: str
  returned: always
  sample: "system/ldap/account: advanced, the token from 2019 to 2419."
runs:
  description: What came of each source, in the order of O(sources).
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    outcome:
      description:
        - V(baseline), the first run, which stores the end of the change log as the point to go on from and moves
          nothing.
        - V(advanced), the token moved. V(unchanged), there was nothing to do.
        - V(record_failed), a record could not be synchronised. V(failed), IDM answered with an error, see
          RV(runs[].error).
        - V(skipped), another run was going on. V(planned), in check mode. V(started), with O(wait=false).
        - V(unknown), the line was cut and the run's end cannot be known.
      type: str
      returned: always
      sample: advanced
    token_before:
      description: The sync token before the run. Its type depends on the connector.
      type: raw
      returned: always
      sample: 2019
    token_after:
      description: The sync token after the run.
      type: raw
      returned: always
      sample: 2419
    native_type:
      description: The type that the connector's token has in IDM.
      type: str
      returned: always
      sample: integer
    failure:
      description: The record that stopped the run.
      type: dict
      returned: always, V(none) where none did
      contains:
        record:
          description: Its id within the source.
          type: str
          returned: when a record failed
        dn:
          description: Its DN, where IDM tells.
          type: str
          returned: when a record failed
        operation:
          description: What was to be done, as in V(UPDATE).
          type: str
          returned: when a record failed
        change_number:
          description: The token of the change.
          type: raw
          returned: when a record failed
        attempt:
          description: Which attempt this was, counted from 1.
          type: int
          returned: when a record failed
        allowed:
          description: After which attempt IDM drops the change.
          type: int
          returned: when a record failed
        blocks:
          description: Whether the record stands in the way of all later changes for ever.
          type: bool
          returned: when a record failed
        cause:
          description: Why it failed.
          type: str
          returned: when a record failed
        by_race:
          description: Whether two runs at the same time caused it, so that it says nothing of the record.
          type: bool
          returned: when a record failed
        attributes:
          description: What the record holds, with O(detailed_failure) only.
          type: dict
          returned: when a record failed
    skipped_records:
      description: Records that the token has passed although they were never synchronised.
      type: list
      elements: dict
      returned: always
      contains:
        record:
          description: Its id within the source.
          type: str
          returned: always
        dn:
          description: Its DN, where IDM tells.
          type: str
          returned: always
        operation:
          description: What was to be done, as in V(UPDATE).
          type: str
          returned: always
        change_number:
          description: The token of the change.
          type: raw
          returned: always
        cause:
          description: Why it failed, where audit/sync tells.
          type: str
          returned: always
    attributed:
      description: Whether the outcome is certainly that of this run, and not that of another one at the same time.
      type: bool
      returned: always
    restarted:
      description: Whether IDM was restarted meanwhile, so that the run was sent again.
      type: bool
      returned: always
    proved:
      description:
        - Whether the token was seen to reach the end that the change log had at the start, with no record left out.
          Always V(false) without O(directory), and where the changes cannot be compared with the target (the
          connector's uidAttribute is not entryUUID, the mapping has a queue or keeps no links), which is warned of.
          So it is for a base point, which tells nothing of what was there before, where no load of a mapping is
          recorded, and where the connector leaves changes out by its configuration.
        - What a script makes, or a condition may leave out, cannot be compared. There audit has to tell that it was
          handled.
      type: bool
      returned: always
    caught_up_by:
      description:
        - V(reconcile) where a reconciliation has brought over what was pending, before the last run of liveSync, else
          V(livesync). In check mode, what would.
      type: str
      returned: always
      sample: livesync
    reconciliation:
      description: What was reconciled. V(none) where nothing was.
      type: dict
      returned: always
      contains:
        by:
          description: V(ids), the changed entries alone; V(mapping), everything.
          type: str
          returned: always
        through:
          description: The change number up to which everything has been brought over.
          type: int
          returned: always
        records:
          description: How many entries were reconciled by themselves.
          type: int
          returned: always, V(none) for everything
        removed:
          description: How many targets were removed one by one.
          type: int
          returned: always
        duration_ms:
          description: How long it took, in milliseconds.
          type: int
          returned: always
    error:
      description: What went wrong.
      type: str
      returned: always
    remedy:
      description: What mends it.
      type: str
      returned: always
    transaction_id:
      description:
        - The id of the request that did not end well, by which the logs of IDM and of what stands before it know it.
        - Null where every request ended well.
      type: str
      returned: always
    duration_ms:
      description: How long it took, in milliseconds.
      type: int
      returned: always
    lock:
      description: What kept other runs of ours away, V(server) or V(local) as in O(lock). Null where nothing was sent.
      type: str
      returned: always
      sample: server
    runs:
      description: How many runs were sent.
      type: int
      returned: always
    changes:
      description: By how many changes the token moved, where the connector reads a change log.
      type: int
      returned: always
    rate:
      description: Changes a second.
      type: float
      returned: always
    follow:
      description: What the option O(follow) needs to wait for this run.
      type: dict
      returned: when the outcome is V(started) or V(unknown)
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
from ..module_utils._livesync.backlog import AUTO, LIVESYNC, MOST, RECONCILE
from ..module_utils._livesync.trigger import request_of, trigger
from ..module_utils._record.hold import LOCAL, SERVER

SPEC = idm_spec(
    {
        "sources": {"type": "list", "elements": "str", "aliases": ["source"]},
        "endpoint": {"type": "str", "choices": ["resource", "system"], "default": "resource"},
        "wait": {"type": "bool", "default": True},
        "follow": {"type": "list", "elements": "dict"},
        "wait_timeout": {"type": "float", "default": 3600},
        "stall_timeout": {"type": "float", "default": 300},
        "until_caught_up": {"type": "bool", "default": False},
        "mappings": {"type": "list", "elements": "str"},
        "on_record_failure": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        "if_running": {"type": "str", "choices": ["wait", "fail", "skip"], "default": "wait"},
        "lock": {"type": "str", "choices": [SERVER, LOCAL], "default": SERVER},
        "detailed_failure": {"type": "bool", "default": False},
        "parallel": {"type": "int", "default": 4},
        "reactivate": {"type": "bool", "default": False},
        "catch_up": {"type": "str", "choices": [LIVESYNC, RECONCILE, AUTO], "default": LIVESYNC},
        "catch_up_above": {"type": "int", "default": MOST},
        "allow_deletes": {"type": "bool", "default": False},
    },
    directory=True,
    required_one_of=[("sources", "follow")],
    mutually_exclusive=[("sources", "follow")],
)


def _bring_over(client, backlog, context):
    """Reconcile a backlog; what that takes is imported by those alone who have one."""
    from ..module_utils._rollout.backlog import bring_over

    return bring_over(client, backlog, context)


def operate(params, context):
    """Run liveSync as the options say."""
    request = request_of(params)
    with session("livesync_trigger", params, context) as client:
        return trigger(client, request, context, _bring_over)


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
