# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: livesync_report
short_description: The status of all environments as a table, a document, and JUnit's XML
version_added: 1.0.0
description:
  - Makes of what M(idmops.idm.livesync_status) returned for each environment what people, programs and pipelines read.
  - The playbook C(idmops.idm.status) shows the table, and writes the others to C(json_path) and C(junit_path).
  - Values of records are in none of them; remedies name records by their ids and DNs.
positional: at
options:
  _input:
    description:
      - By the environment's name a dictionary with C(livesync) of M(idmops.idm.livesync_status), or with C(error), why
        it could not be asked. An empty one says that nothing is known of it.
    type: dict
    required: true
  at:
    description: When it was asked, in ISO 8601.
    type: str
    required: true
  canaries:
    description:
      - By the environment's name C(livesync_canaries) of the role P(idmops.idm.livesync#role). Leave it out where none
        was let fly.
    type: dict
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Show how the environment is
  ansible.builtin.debug:
    msg: "{{ ({inventory_hostname: livesync_answer} | idmops.idm.livesync_report(now(utc=true).isoformat())).table }}"
"""

RETURN = r"""
_value:
  description: All forms at once.
  type: dict
  contains:
    table:
      description: The lines of a table, the head first.
      type: list
      elements: str
    document:
      description: What C(docs/schemas/status.json) of this collection describes.
      type: dict
    junit:
      description:
        - JUnit's XML. A source whose state is not good enough is a failure, and so is an environment without a source;
          one that could not be asked is an error.
      type: str
    errors:
      description: Why an environment could not be asked, by its name.
      type: dict
    complaints:
      description: What keeps an environment from being good enough, by its name, as sentences.
      type: dict
"""

from ansible_collections.idmops.idm.plugins.module_utils._health.report import Environment, report


def livesync_report(answers, at, canaries=None):
    """Return the report on all environments."""
    flown = canaries is not None
    return report(
        [
            Environment.of(name, answer, (canaries or {}).get(name) or (), flown=flown)
            for name, answer in answers.items()
        ],
        at,
    )


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self):
        return {"livesync_report": livesync_report}
