# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the attributes of the modules mean, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments: the standard attributes, and membership of the action group."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without sending a write.
  diff_mode:
    description: Returns what it changes or would change, normalised, as RV(ignore:diff).
  idempotent:
    description: A second run with the same options changes nothing and sends no write.
  in_process:
    description:
      - Runs inside Ansible's worker on the control host, where a task costs milliseconds and long waits show progress,
        if the task's connection is local, without become, async or O(ignore:environment), the needed Python libraries
        are installed for the controller, and the variable C(idmops_in_process) is not V(false). Otherwise the module
        runs.
      - The result is the same either way.
    support: full
"""

    IDM = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/idmops.idm.idm) in C(module_defaults) to give connection options once.
    support: full
    membership:
      - idmops.idm.idm
"""
