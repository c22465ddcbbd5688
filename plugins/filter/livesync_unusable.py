# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: livesync_unusable
short_description: What is wrong with the variables of the role livesync
version_added: 1.0.0
description:
  - Looks into the variables of the role P(idmops.idm.livesync#role) and says in one sentence each what is wrong.
  - The role uses it before anything else, so that what is wrong with one variable is not told by Ansible with the
    specification of all of them.
options:
  _input:
    description: The variables by their names; V(none) for what is not given.
    type: dict
    required: true
  needed:
    description: The names of those that must be given.
    type: list
    elements: str
    default: []
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: See whether the sources can be used
  ansible.builtin.assert:
    that: wrong | length == 0
    fail_msg: "{{ wrong | join(' ') }}"
  vars:
    wrong: "{{ {'livesync_sources': livesync_sources} | idmops.idm.livesync_unusable(needed=['livesync_sources']) }}"
"""

RETURN = r"""
_value:
  description: What is wrong; an empty list where nothing is. No value of a secret is among it.
  type: list
  elements: str
  sample: ["livesync_sources[0].shedule: there is no such option. Did you mean schedule? There are: ..."]
"""

from ansible_collections.idmops.idm.plugins.module_utils._rollout.variables import unusable


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self):
        return {"livesync_unusable": lambda given, needed=(): unusable(given, needed)}
