# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_status
short_description: Tell whether liveSync works, and if not what is wrong
version_added: 1.0.0
description:
  - Judges each source of liveSync by what IDM and, with O(directory), the directory behind it say. One state and one
    remedy come out for each.
  - Finds the states that IDM answers with HTTP 200 while nothing moves.
  - Reads only. When changes are pending, or cannot be counted, and a schedule will run within 40 seconds, its next run
    is watched, for so long at the most. A run that ends in an error leaves nothing behind, and shows by that. A source
    that runs while changes are pending is looked at once more, a second later.
  - Changes that IDM gave up on stay told until a later entry of audit, or a recorded load, shows that they were brought
    over (RV(livesync[].dropped)).
  - A directory that does not answer stops nobody. Its sources are V(unreadable) where nothing worse is known of them.
  - Reads lists rather than items, so that many sources cost as many requests as one. With O(directory) and several
    connectors, only those whose host is among the servers of O(directory) are compared with a change log.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  sources:
    description:
      - The sources to look at. Without it, all that have a token or a schedule of liveSync.
      - An empty list is refused, since none is not all.
    type: list
    elements: str
    aliases: [source]
  fail_on:
    description: States that make the task fail.
    type: list
    elements: str
    default: []
    choices:
      - unavailable
      - unreadable
      - trimmed
      - ahead
      - dormant
      - stalled
      - disabled
      - gapped
      - dropping
      - failing
      - unscheduled
      - overdue
      - paused
      - never_run
      - lagging
      - running
      - healthy
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
seealso:
  - module: idmops.idm.livesync_trigger
  - module: idmops.idm.connector_info
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Fail when liveSync of any source needs mending
  idmops.idm.livesync_status:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
  register: status
  failed_when: status is failed or status.livesync | rejectattr("good_enough") | list | length > 0
"""

RETURN = r"""
msg:
  description:
    - The state of each source with its remedy, in a sentence for each.
    - It is what Ansible says where C(until) never came true; what went wrong, on failure.
  type: str
  returned: always
  sample: "system/ldap/account is lagging: Nothing to mend yet: the next run takes what is pending."
livesync:
  description: What is known of each source.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    state:
      description:
        - The worst state that holds. In this order,
          V(unavailable), the connector's test fails;
          V(unreadable), its account may not read the change log, or there is none with change numbers;
          V(trimmed), the change log begins after the token; V(ahead), the token lies beyond the change log's end;
          V(dormant), the connector was activated while its system was down, and everything works but liveSync;
          V(stalled), pending changes do not move; V(disabled), no mapping, or one with C(enableSync) false, so that
          changes are consumed and lost; V(gapped), the change log hides changes from a search by number, or gives them
          none; V(dropping), changes that IDM gave up on and nothing has brought over since;
          V(failing), a record fails, or the schedule's runs end in an error; V(unscheduled), no schedule is enabled;
          V(overdue), an external scheduler was to run it, and the last run is longer ago than C(max_age), or nobody
          knows; V(paused), its trigger is paused; V(never_run), there is no token; V(lagging), changes are pending;
          V(running); V(healthy).
      type: str
      returned: always
      sample: healthy
    good_enough:
      description: Whether liveSync can be left alone, which is so in V(healthy), V(running) and V(lagging).
      type: bool
      returned: always
    proved:
      description:
        - Whether something was seen that no other state looks like. Where nothing is pending, a healthy connector and a
          dormant one look alike from outside, so V(healthy) and V(lagging) are proved by a token that was seen moving.
      type: bool
      returned: always
    remedy:
      description: What mends it.
      type: str
      returned: always
    token:
      description: The sync token.
      type: raw
      returned: always
    native_type:
      description: The type that the token has in IDM.
      type: str
      returned: always
    pending:
      description:
        - Changes within the connector's base contexts that are not synchronised yet. Known with O(directory).
      type: int
      returned: always
    pending_exact:
      description:
        - Whether these are all. If V(false), there are so many at the least, since 5,000 are looked at where their
          numbers alone do not tell.
        - V(none) where nothing is known.
      type: bool
      returned: always
    behind:
      description:
        - All changes after the token, by their numbers, also those that are none of the source's. Always exact. Known
          with O(directory).
      type: int
      returned: always
    first_change_number:
      description: The oldest change in the change log. Known with O(directory).
      type: int
      returned: always
    last_change_number:
      description: The newest change in the change log. Known with O(directory).
      type: int
      returned: always
    server:
      description:
        - URL of the directory server that was asked, the one that the connector reads. Known with O(directory).
        - Of several in O(directory.servers) it is the first of the connector's that answers, its host before its
          failover. What speaks against the others, or cannot be known of them, is in RV(livesync[].remedy).
      type: str
      returned: always
    last_failure:
      description: The record that stopped the last run, as RV(idmops.idm.livesync_trigger#module:runs[].failure).
      type: dict
      returned: always
    schedules:
      description:
        - The schedules of this source, as RV(idmops.idm.livesync_schedule#module:schedule). Where they are kept is not
          looked up, so that C(storage) is V(none).
      type: list
      elements: dict
      returned: always
    scheduler:
      description:
        - Who runs it, as the run record has it. V(idm) is a schedule in IDM, V(external) somebody who calls
          M(idmops.idm.livesync_trigger), as the role P(idmops.idm.livesync#role) and
          O(idmops.idm.livesync_schedule#module:scheduler) note it.
      type: str
      returned: always
      sample: idm
    max_age:
      description: With an external scheduler, how many seconds ago the last run may have ended.
      type: float
      returned: always, V(none) with IDM's own schedule, or where it is not known
    last_run:
      description: When the last run of M(idmops.idm.livesync_trigger) ended, and how, as the run record has it.
      type: dict
      returned: always, V(none) where there was none
      contains:
        time:
          description: By the server's clock.
          type: str
          returned: always
        outcome:
          description: As RV(idmops.idm.livesync_trigger#module:runs[].outcome).
          type: str
          returned: always
        failed:
          description: Whether the task failed for this source.
          type: bool
          returned: always
    arrived:
      description:
        - When something of this source was last seen to arrive, as the run record has it.
        - Null says that it was never shown. It tells of that moment, and lifts no state.
      type: dict
      returned: always, V(none) where it was never shown
      contains:
        by:
          description: V(canary), a change that was made for this, or V(sample), a comparison in which nothing differed.
          type: str
          returned: always
        at:
          description: When that was, by the server's clock.
          type: str
          returned: always
        checked:
          description: How many entries were looked at.
          type: int
          returned: always
        seconds:
          description: How long the canary took.
          type: float
          returned: always
        mappings:
          description: The mappings that were compared. Of these it is known that what was there has arrived.
          type: list
          elements: str
          returned: for V(sample), where this release or a later one has noted it
    held_by:
      description: The task of this collection that runs the source now, on whichever control host.
      type: dict
      returned: always, V(none) where none does
      contains:
        host:
          description: Where it runs.
          type: str
          returned: always
        process:
          description: The number of its process there.
          type: int
          returned: always
        work:
          description: V(liveSync), V(load) or V(token).
          type: str
          returned: always
        since:
          description: When it took the source, by the server's clock.
          type: str
          returned: always
        renewed:
          description: When it last gave word. 30 seconds later it counts as gone.
          type: str
          returned: always
    running:
      description: Whether a job of the scheduler runs it now, on the node that answered.
      type: bool
      returned: always
    connector:
      description: The connector's name and its test.
      type: dict
      returned: always
      contains:
        name:
          description: Its name, as in C(system/<name>).
          type: str
          returned: always
          sample: ldap
        ok:
          description: Whether its test is ok; V(none) where there is no such connector.
          type: bool
          returned: always
          sample: true
        error:
          description: What its test said.
          type: str
          returned: always
          sample: null
    mappings:
      description: The mappings that take changes of this source.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: Its name.
          type: str
          returned: always
          sample: systemLdapAccount_managedUser
        target:
          description: What it writes to.
          type: str
          returned: always
          sample: managed/user
        sync_enabled:
          description: Its C(enableSync). If it is false, liveSync reads the changes and drops them.
          type: bool
          returned: always
          sample: true
    filters:
      description:
        - What the connector's configuration keeps from liveSync. Where a load brings what liveSync leaves out, the
          state is V(disabled); so it is where a mapping copies a property that the object type does not have, since
          what is written loses that value in the target.
      type: list
      elements: dict
      returned: always
      contains:
        property:
          description: The property of the connector.
          type: str
          returned: always
          sample: attributesToSynchronize
        value:
          description: As it stands there.
          type: raw
          returned: always
          sample: [uid, sn, cn]
        effect:
          description: What never arrives.
          type: str
          returned: always
          sample: A change of nothing but mail never arrives, though the mapping reads it.
        remedy:
          description: What mends it.
          type: str
          returned: always
          sample: Add mail to attributesToSynchronize, or empty it, in config/provisioner.openicf/ldap.
    queue:
      description:
        - What waits in the queues (C(queuedSync)) of the source's mappings and of those that go on from their targets,
          where the server tells.
      type: list
      elements: dict
      returned: always
      contains:
        mapping:
          description: The mapping.
          type: str
          returned: always
          sample: managedUser_systemHrPerson
        depth:
          description: How many events wait.
          type: int
          returned: always
          sample: 0
        oldest:
          description: When the oldest of them was made.
          type: str
          returned: always
          sample: "2026-11-24T12:00:00.123456789Z"
    failure_policy:
      description:
        - What the connector does with a record that fails, as
          RV(idmops.idm.connector_info#module:connectors[].failure_policy).
      type: dict
      returned: always
    gaps:
      description:
        - Records whose change the directory's change log hides from liveSync, and that have not arrived, the first
          hundred. V(none) where that is not known, as without O(directory).
        - Looked for each time, among the newest 5,000 changes that the token has passed, where more than one
          directory server takes changes. What M(idmops.idm.livesync_trigger) found stays in the run record, and is
          compared each time.
        - Bring them over with M(idmops.idm.recon) and its O(idmops.idm.recon#module:ids).
      type: list
      elements: dict
      returned: always
      contains:
        record:
          description: Its id within the source.
          type: str
          returned: always
        kind:
          description:
            - V(left_out), its number is left out of a search for a range; V(unnumbered), it has got no number for more
              than 10 seconds.
          type: str
          returned: always
        csn:
          description: The C(replicationCSN) of the change, where that is told.
          type: str
          returned: always
        time:
          description: When the change was made, where that is told.
          type: str
          returned: always
        mapping:
          description: The mapping in which it has not arrived, where that can be compared.
          type: str
          returned: always
        situation:
          description: V(SOURCE_MISSING) where it is gone from the source. Reconcile the whole mapping then.
          type: str
          returned: always
    dropped:
      description:
        - Records that IDM gave up on and that nothing has brought over since, the first hundred. V(none) where neither
          audit nor a dead letter queue tells.
        - With O(directory) also those of the newest 40 changed entries that have not arrived, have arrived twice, or
          whose name another object of the target has, and those that a policy of the mapping leaves alone for ever.
        - Bring them over with M(idmops.idm.recon) and its O(idmops.idm.recon#module:ids), unless RV(livesync[].remedy)
          says that something else goes first.
      type: list
      elements: dict
      returned: always
      contains:
        record:
          description: Its id within the source.
          type: str
          returned: always
        mapping:
          description: The mapping that it failed in, where IDM tells.
          type: str
          returned: always
        time:
          description: When it failed last, where that is known.
          type: str
          returned: always
        situation:
          description: The situation that it was found in, where IDM tells.
          type: str
          returned: always
        cause:
          description: Why it failed, where IDM tells.
          type: str
          returned: always
        dead_letter:
          description: The id of its entry in the dead letter queue, V(none) where it has none.
          type: str
          returned: always
    dead_letters:
      description:
        - How many of RV(livesync[].dropped) IDM has put into the dead letter queue. V(none) where the connector's
          policy does not use it.
      type: int
      returned: always
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
from ..module_utils._health.states import STATES
from ..module_utils._health.status import status, status_result
from ..module_utils._idm.session import session
from ..module_utils._idm.source import named_sources
from ..module_utils._ldap.options import given

SPEC = idm_spec(
    {
        "sources": {"type": "list", "elements": "str", "aliases": ["source"]},
        "fail_on": {"type": "list", "elements": "str", "default": [], "choices": list(STATES)},
    },
    directory=True,
)


def operate(params, context):
    """Judge the sources."""
    sources = named_sources(params)
    with session("livesync_status", params, context) as client:
        return status_result(status(client, sources, given(params["directory"]), context), params["fail_on"])


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
