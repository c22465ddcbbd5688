# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_verify
short_description: Compare source and target, and name what did not arrive and why
version_added: 1.0.0
description:
  - States are drawn from signs, and there may always be one that nobody knew. This module looks whether everything
    arrived. It reads the source, the links and the target of each mapping, and compares them both ways.
  - With O(directory) the directory itself is read too, as its administrator, so that entries are found which the
    connector's account does not see or the connector leaves out.
  - On a live system something always differs. What differs is read again until it is equal, or O(recheck) is over. With
    O(directory), what differs only since a change that liveSync has yet to take is counted as
    RV(verified[].pending), and is no difference.
  - Only the properties that are compared are asked for, and passwords never. No value leaves the process.
  - Reads only, but for O(note). The memory that it takes grows with the number of entries, by some 600 bytes for each,
    and 300 more for each that differs.
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.directory.option
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  sources:
    description:
      - The sources to compare. Without it, all that have a token or a schedule of liveSync.
      - An empty list is refused, since none is not all.
    type: list
    elements: str
    aliases: [source]
  mappings:
    description: The mappings to compare. Without it, all mappings of the sources.
    type: list
    elements: str
  sample:
    description:
      - How many entries to draw on each side, all with the same chance. V(0) compares all.
      - With 1,000 of 80,000 equal, fewer than 0.3 % differ, at 95 %. A single entry that differs is hardly found so.
    type: int
    default: 1000
  recheck:
    description:
      - For how many seconds what differs is read again, until it is equal.
      - Without it, two intervals of the source's schedule, 60 seconds at the most. Without a schedule that is on,
        nothing is read again, since nothing moves.
    type: float
  fail_on:
    description: Kinds of differences that make the task fail.
    type: list
    elements: str
    default: []
    choices: [missing, duplicate, unlinked, orphaned, differing]
  detailed:
    description: Whether to tell the DN of each entry that differs. A DN may be personal data.
    type: bool
    default: false
  max_listed:
    description: How many differences of each mapping are listed in RV(verified[].entries). All are counted.
    type: int
    default: 100
  note:
    description:
      - Whether to leave in IDM that it has arrived, for each source in which nothing differs. It stands in the run
        record then, where RV(idmops.idm.livesync_status#module:livesync[].arrived) shows it. Never in check mode.
      - Nothing else is ever written.
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
  - module: idmops.idm.livesync_status
  - module: idmops.idm.recon
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Look whether everything arrived
  idmops.idm.livesync_verify:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    sample: 0
    directory:
      servers: [ldaps://ds1.example.com:4444]
      bind_dn: uid=admin
      bind_password: "{{ vault_ds_password }}"
  register: verified

- name: Bring over what did not
  idmops.idm.recon:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    mapping: systemLdapAccount_managedUser
    ids: "{{ verified.ids }}"
  when: verified.ids | length > 0
"""

RETURN = r"""
msg:
  description: What was found for each mapping, in a sentence or two; what went wrong, on failure.
  type: str
  returned: always
  sample: >-
    systemLdapAccount_managedUser (system/ldap/account to managed/user): all 6000 entries were compared; they are as the
    mapping would have them.
verified:
  description: What was found, for each mapping.
  type: list
  elements: dict
  returned: always
  contains:
    source:
      description: The source.
      type: str
      returned: always
      sample: system/ldap/account
    mapping:
      description: The mapping.
      type: str
      returned: always
      sample: systemLdapAccount_managedUser
    in_source:
      description: How many entries IDM sees in the source.
      type: int
      returned: always
      sample: 6000
    in_target:
      description: How many objects the target has, also those that come from elsewhere.
      type: int
      returned: always
      sample: 6000
    in_directory:
      description: How many entries the directory itself has. V(none) without O(directory).
      type: int
      returned: always
      sample: 6000
    checked:
      description: How many entries of the source were compared.
      type: int
      returned: always
      sample: 1000
    linked:
      description: How many of these have a link.
      type: int
      returned: always
      sample: 1000
    pending:
      description:
        - How many entries differ only since changes that liveSync has yet to take. They are no differences.
        - V(none) where that cannot be known, as without O(directory).
      type: int
      returned: always
      sample: 0
    not_comparable:
      description: What cannot be compared.
      type: dict
      returned: always
      contains:
        properties:
          description: Properties of the target that a script or a condition of the mapping makes.
          type: list
          elements: str
          returned: always
          sample: [displayName]
        entries:
          description: How many entries of the source have no link, and may be left out by a condition of the mapping.
          type: int
          returned: always
          sample: 0
    differences:
      description:
        - How many differences there are of each kind that there is.
        - V(missing), an entry of the source that the target does not have.
          V(duplicate), an object of the target that is there twice. V(unlinked), one that lacks its link.
          V(orphaned), a link whose source is gone or not seen. V(differing), one with other values.
      type: dict
      returned: always
      sample: {missing: 2}
    entries:
      description: The differences, the first O(max_listed).
      type: list
      elements: dict
      returned: always
      contains:
        id:
          description: The id within the source. V(none) where it is about an object of the target alone.
          type: str
          returned: always
        target_id:
          description: The id within the target. V(none) where there is none.
          type: str
          returned: always
        kind:
          description: The kind, as in RV(verified[].differences).
          type: str
          returned: always
          sample: missing
        reason:
          description:
            - Why, where that can be known. V(filtered), the connector, or a rule of the mapping, leaves it out (the
              latter is not in RV(ids), since a reconciliation does so too). V(hidden), its account does not
              see it. V(refused), IDM refused it. V(mapping_off), it changed while C(enableSync) was false. V(unknown).
          type: str
          returned: always
          sample: refused
        detail:
          description: The reason in words, without values.
          type: str
          returned: always
          sample: Policy validation failed (audit, 2026-11-24T12:00:00.123Z, situation ABSENT)
        properties:
          description: The properties of the target that differ.
          type: list
          elements: str
          returned: always
          sample: [mail]
        link_ids:
          description: Those of RV(link_ids) that are about this entry.
          type: list
          elements: str
          returned: always
        dn:
          description: The DN of the entry, where it is known.
          type: str
          returned: with O(detailed=true)
ids:
  description:
    - Ids of the source that a reconciliation of them alone can mend, for O(idmops.idm.recon#module:ids). Not those of
      entries that have one of RV(link_ids).
  type: list
  elements: str
  returned: always
link_ids:
  description:
    - The ids of links that are too many, in C(repo/link), to an object that is gone, or once more to the same object.
      Remove them before anything is reconciled.
    - With O(directory) also those of entries that are gone from the source, to an object that is known by the name of
      another entry, as where somebody is hired again. Until they are removed each change and each reconciliation of
      that entry fails (C(FOUND_ALREADY_LINKED)).
    - A reconciliation leaves a link to an object that is gone, makes the object anew, and puts a second link beside it.
      Each later change of an entry with two links fails with C(More than one link found).
  type: list
  elements: str
  returned: always
target_ids:
  description:
    - The ids of the target whose source is gone. They take a reconciliation of the whole mapping, with its phase of the
      target.
  type: list
  elements: str
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
from ..module_utils._idm.session import session
from ..module_utils._idm.source import named_sources
from ..module_utils._ldap.options import given
from ..module_utils._proof.difference import KINDS
from ..module_utils._verify.noted import note_arrivals
from ..module_utils._verify.verified import VerifyRequest, verify_result
from ..module_utils._verify.verify import verify

SPEC = idm_spec(
    {
        "sources": {"type": "list", "elements": "str", "aliases": ["source"]},
        "mappings": {"type": "list", "elements": "str"},
        "sample": {"type": "int", "default": 1000},
        "recheck": {"type": "float"},
        "fail_on": {"type": "list", "elements": "str", "default": [], "choices": list(KINDS)},
        "detailed": {"type": "bool", "default": False},
        "max_listed": {"type": "int", "default": 100},
        "note": {"type": "bool", "default": False},
    },
    directory=True,
)


def operate(params, context):
    """Compare the mappings."""
    request = VerifyRequest(
        sources=tuple(named_sources(params)),
        mappings=None if params["mappings"] is None else tuple(params["mappings"]),
        sample=params["sample"],
        directory=given(params["directory"]),
        recheck=params["recheck"],
        detailed=params["detailed"],
        most=params["max_listed"],
        fail_on=tuple(params["fail_on"]),
    )
    request.check()
    with session("livesync_verify", params, context) as client:
        done, failed = verify(client, request, context)
        if params["note"]:
            note_arrivals(client, done, failed, context)
        return verify_result(done, failed, request)


def main():
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
