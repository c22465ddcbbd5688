# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: livesync_schedule
short_description: Schedule liveSync of a source, turn the schedule off, remove it
version_added: 1.0.0
description:
  - Makes the schedule that runs liveSync of one source what it shall be. What the schedule does is compared, not how
    its document is written, so that nothing is sent where it does the same already.
  - Waits until the server has activated the schedule and knows when it will run. What cannot be activated is undone,
    and the schedule that was there before is put back.
  - Keys of the schedule and of its C(invokeContext) that this module does not know are left as they are.
  - 'A placeholder in a stored schedule (V(&{esv.sync.cron}), V({"$bool": "&{esv.sync.enabled}"})) is left as it is
    where it stands for what is wanted. Where it stands for something else the module fails: its value lives elsewhere.'
extends_documentation_fragment:
  - idmops.idm.connection
  - idmops.idm.attributes
  - idmops.idm.attributes.idm
options:
  source:
    description: The source, as in V(system/ldap/account).
    type: str
    required: true
  name:
    description:
      - The schedule's name, which is the id of its job.
      - By default that of the only schedule of this source, or C(liveSync_<system>_<type>) where there is none. With
        more than one, the module fails and lists them.
      - OpenIDM cannot handle blanks and other characters that a URL must encode in a name; Ping's IDM can.
    type: str
  state:
    description:
      - V(present) makes the schedule what the other options say.
      - V(absent) removes this one schedule, its configuration document included.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description:
      - Whether it runs.
      - 'A placeholder can be given with O(storage=config): V({"$bool": "&{esv.sync.enabled}"}).'
    type: raw
    default: true
  interval:
    description:
      - Seconds between two runs. A placeholder can be given where the server repeats simple schedules.
      - Ping's IDM (7.0 and later) keeps it as a simple schedule, which loses no hour when daylight saving begins.
      - OpenIDM repeats cron schedules alone. There an interval becomes the equivalent cron expression, which exists for
        those that divide a minute, an hour or a day evenly. Any other is refused, and the nearest are named.
      - What an existing schedule fires by stays when neither O(interval) nor O(cron) is given. A new one needs one.
        Both at once are refused.
    type: raw
  cron:
    description:
      - A Quartz cron expression, with seconds, as in V(0 0/5 * * * ?), or a placeholder.
      - The server's own validation is asked before anything is written.
    type: str
  storage:
    description:
      - V(job) keeps the schedule in the scheduler (C(scheduler/job)). It belongs to this server or tenant alone.
      - V(config) keeps it as a configuration document (C(config/schedule)), which makes the job, and which is what gets
        promoted from one tenant to the next. It cannot be changed where the configuration is immutable, as in staging
        and production of PingOne Advanced Identity Cloud.
      - V(auto) leaves it where it is; a new schedule is a V(job).
    type: str
    choices: [auto, job, config]
    default: auto
  start_time:
    description:
      - When it begins to run, as in V(2027-01-31T04:30:00), in the server's time zone. Ping's IDM takes an offset too,
        as in V(2027-01-31T04:30:00+01:00).
      - An empty text removes it.
    type: str
  end_time:
    description: When it ends, written like O(start_time). OpenIDM removes a schedule that has ended.
    type: str
  persisted:
    description:
      - Whether it is kept in the repository, so that it outlives a restart and runs on one node of a cluster at a time.
      - Unlike most options it has a default for an existing schedule too, since one that is not kept is lost unnoticed.
    type: bool
    default: true
  misfire_policy:
    description:
      - What becomes of a run that was missed. V(fireAndProceed) runs once as soon as possible, V(doNothing) waits for
        the next time.
      - With O(interval) on Ping's IDM it can be V(fireAndProceed) alone.
      - A new schedule has V(fireAndProceed).
    type: str
    choices: [fireAndProceed, doNothing]
  paused:
    description:
      - Whether the schedule is paused, which is lighter than turning it off. It stays as it is by default.
      - OpenIDM can pause all its jobs together only, which this module does not do.
    type: bool
  load_record:
    description:
      - The record of the initial load of this source's mappings, which is kept in the schedule's C(invokeContext).
      - The role C(idmops.idm.livesync) writes and reads it. An empty dictionary removes it.
    type: dict
  scheduler:
    description:
      - Who runs the source, which IDM's run record keeps for M(idmops.idm.livesync_status) to judge by. It stays as it
        is where this is left out.
      - V(external) is a scheduler outside of IDM that calls M(idmops.idm.livesync_trigger), as the playbook
        C(idmops.idm.run) does. The schedule keeps the record of the load and stays off (O(enabled=false)); where there
        is none yet, one is made that needs neither O(interval) nor O(cron).
      - V(idm) is the schedule.
    type: str
    choices: [idm, external]
  max_age:
    description:
      - With O(scheduler=external), needed there, how many seconds ago the last run may have ended. Where it is longer
        ago, M(idmops.idm.livesync_status) calls the source C(overdue).
    type: raw
  run_first:
    description:
      - Run liveSync once, in the way a schedule does, before the schedule is created, changed or turned on, and fail
        without changing it when that run does not go well. M(idmops.idm.livesync_trigger) says what that means.
      - Nothing is run where the schedule stays as it is or is off.
    type: bool
    default: false
  wait_timeout:
    description: Seconds that the server may take to activate the schedule, or to remove it.
    type: float
    default: 30
  idle_timeout:
    description:
      - Wait for so many seconds until no job runs liveSync of this source any more, once the schedule is turned off or
        removed. A run that is going on then is not ended by that.
      - Without it the task does not wait for that.
    type: float
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Runs of one source must not overlap, so concurrent execution is always switched off. It keeps one schedule's own
    runs apart; the module warns of other schedules of the same source.
  - A paused schedule looks like one that runs, next run included. The module warns of it.
seealso:
  - module: idmops.idm.livesync_trigger
  - module: idmops.idm.livesync_status
author:
  - idmops.idm contributors (@idmops)
"""

EXAMPLES = r"""
- name: Run liveSync every 15 seconds
  idmops.idm.livesync_schedule:
    url: https://idm.example.com/openidm
    username: openidm-admin
    password: "{{ vault_idm_password }}"
    source: system/ldap/account
    interval: 15

- name: Run it at night alone, if it works now
  idmops.idm.livesync_schedule:
    source: system/ldap/account
    cron: "0 0/5 22-23 * * ?"
    run_first: true

- name: Turn the schedule off
  idmops.idm.livesync_schedule:
    source: system/ldap/account
    enabled: false

- name: A schedule that is promoted with the configuration, and switched by a variable of the tenant
  idmops.idm.livesync_schedule:
    source: system/ldap/account
    name: People from LDAP
    storage: config
    interval: 60
    enabled:
      $bool: "&{esv.livesync.enabled}"

- name: Let somebody else call, who does so every minute
  idmops.idm.livesync_schedule:
    source: system/ldap/account
    enabled: false
    scheduler: external
    max_age: 300

- name: Remove the schedule
  idmops.idm.livesync_schedule:
    source: system/ldap/account
    state: absent
"""

RETURN = r"""
schedule:
  description: The schedule as the server has it, in check mode as it would be; V(none) where there is none.
  type: dict
  returned: success
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: liveSync_ldap_account
    source:
      description: What it runs liveSync of.
      type: str
      returned: always
      sample: system/ldap/account
    enabled:
      description: Whether it runs.
      type: bool
      returned: always
      sample: true
    cron:
      description: The cron expression that it fires by; V(none) for a simple schedule.
      type: str
      returned: always
      sample: 0/15 * * * * ?
    interval:
      description: Seconds between any two runs, also where a cron expression makes them; V(none) where they vary.
      type: float
      returned: always
      sample: 15
    start_time:
      description: When it begins.
      type: str
      returned: always
      sample: null
    end_time:
      description: When it ends.
      type: str
      returned: always
      sample: null
    time_zone:
      description: The time zone of its times and its cron expression; V(none) is the server's.
      type: str
      returned: always
      sample: null
    persisted:
      description: Whether it is kept in the repository.
      type: bool
      returned: always
      sample: true
    misfire_policy:
      description: What becomes of a run that was missed.
      type: str
      returned: always
      sample: fireAndProceed
    concurrent:
      description: Whether its own runs may overlap.
      type: bool
      returned: always
      sample: false
    storage:
      description: Where it is kept, V(job) or V(config).
      type: str
      returned: always
      sample: job
    paused:
      description: Whether it is paused.
      type: bool
      returned: always
      sample: false
    running:
      description: Whether its trigger says that it is being executed now.
      type: bool
      returned: always
      sample: false
    next_run:
      description: When it runs next; V(none) where it does not, and in check mode where it would be changed.
      type: str
      returned: always
      sample: "2026-11-24T13:00:15.000Z"
    load_record:
      description: The record of the initial load.
      type: dict
      returned: always
      sample: {}
    invoke_context:
      description: What its job is told, with the keys that this module does not know.
      type: dict
      returned: always
      sample:
        action: liveSync
        source: system/ldap/account
not_kept:
  description: Keys of C(invokeContext) that the server did not keep.
  type: list
  elements: str
  returned: when there are any
  sample: [initialLoad]
scheduler:
  description: Who runs the source.
  type: str
  returned: when O(scheduler) is given
  sample: external
max_age:
  description: How many seconds ago the last run may have ended; V(none) where IDM's own schedule runs the source.
  type: float
  returned: when O(scheduler) is given
  sample: 300
run:
  description: The run that O(run_first) made, as in RV(idmops.idm.livesync_trigger#module:runs).
  type: dict
  returned: when O(run_first=true) and a run was made
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
from ..module_utils._livesync.proved_schedule import schedule
from ..module_utils._record.scheduler import EXTERNAL, IDM

SPEC = idm_spec(
    {
        "source": {"type": "str", "required": True},
        "name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "enabled": {"type": "raw", "default": True},
        "interval": {"type": "raw"},
        "cron": {"type": "str"},
        "storage": {"type": "str", "choices": ["auto", "job", "config"], "default": "auto"},
        "start_time": {"type": "str"},
        "end_time": {"type": "str"},
        "persisted": {"type": "bool", "default": True},
        "misfire_policy": {"type": "str", "choices": ["fireAndProceed", "doNothing"]},
        "paused": {"type": "bool"},
        "load_record": {"type": "dict"},
        "scheduler": {"type": "str", "choices": [IDM, EXTERNAL]},
        "max_age": {"type": "raw"},
        "run_first": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 30},
        "idle_timeout": {"type": "float"},
    },
    mutually_exclusive=[["interval", "cron"]],
)


def operate(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Make the schedule what the options say, and return the module's result."""
    with session("livesync_schedule", params, context) as client:
        return schedule(client, params, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, operate)


if __name__ == "__main__":
    main()
