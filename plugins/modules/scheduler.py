# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduler
short_description: Pause all jobs of the server, and let them go on
version_added: 1.0.0
description:
  - Pauses the scheduler of the whole server, as for a maintenance of the directory, and lets it go on afterwards.
  - It reaches all jobs, those of others too, not liveSync alone. What runs goes on to its end.
  - A job that fires within the next 30 seconds has been taken for that by the scheduler, and fires once more although
    it is paused (seen on OpenIDM 6.1.0). The module waits for that, so that no job fires after it has ended; runs that
    have begun may still go on.
  - Such a job goes on firing where it may run beside itself (C(concurrentExecution)); the module fails then and names
    it.
  - Whether the scheduler is paused shows in the triggers of the jobs that are enabled, and nowhere else. Where no job
    is enabled the module fails, since a pause then reaches nothing, not even a job that is enabled later.
  - A job that is made or enabled while the scheduler is paused is paused too (seen on OpenIDM 6.1.0).
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  state:
    description:
      - V(paused), no job fires.
      - V(running), all jobs that are enabled fire, those too that somebody has paused one by one.
    type: str
    choices: [paused, running]
    required: true
  jobs:
    description:
      - The ids of the jobs that are meant, where not all are. The others stay as they are.
      - IDM 7 and later alone can do that.
    type: list
    elements: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - A job that is not persisted is kept by each node for itself. Where there are several nodes the module warns of it.
seealso:
  - module: idmops.idm.livesync_schedule
    description: Turns the schedule of one source off, which other jobs do not feel.
  - module: idmops.idm.livesync_status
    description: Calls a source whose trigger is paused V(ignore:paused).
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Let nothing fire while the directory is being moved
  idmops.idm.scheduler:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    state: paused

- name: Let all jobs go on
  idmops.idm.scheduler:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    state: running
"""

RETURN = r"""
scheduler:
  description: The scheduler after the task.
  type: dict
  returned: when its jobs could be read
  sample:
    state: paused
    jobs:
      - {name: liveSync_ldap_account, source: system/ldap/account, enabled: true, paused: true,
         next_run: "2026-11-24T12:00:15.000Z"}
  contains:
    state:
      description:
        - V(paused) or V(running) where that is so of each job that is enabled; V(partly), some are paused; V(unknown),
          no job is enabled.
      type: str
      returned: always
    jobs:
      description: All jobs.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The job's id.
          type: str
          returned: always
        source:
          description: What liveSync reads; V(null) for a job that is not liveSync.
          type: str
          returned: always
        enabled:
          description: Whether it is enabled.
          type: bool
          returned: always
        paused:
          description: Whether it is paused; V(null) for one that is not enabled.
          type: bool
          returned: always
        next_run:
          description: When it fires next, as the server says it, also of one that is paused and does not fire.
          type: str
          returned: always
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
from ..module_utils._schedule.scheduler import keep_scheduler, wish_of

SPEC = idm_spec(
    {
        "state": {"type": "str", "choices": ["paused", "running"], "required": True},
        "jobs": {"type": "list", "elements": "str"},
    }
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Pause the jobs or let them go on, and return the module's result."""
    wish = wish_of(params)
    with session("scheduler", params, context) as client:
        return keep_scheduler(client, wish, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
