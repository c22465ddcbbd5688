# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources that the role deals with, and what a load of one of them takes: said once."""

from __future__ import annotations

import textwrap

from ansible_collections.idmops.idm.plugins.doc_fragments.directory import SUBOPTIONS

_LOAD = """\
max_failures:
  description: How many entries may fail in a load.
  type: int
  default: 0
max_failure_percent:
  description: How many of a hundred entries may fail in a load. The one of the two that allows more counts.
  type: float
wait_timeout:
  description: Seconds that one load may take, and so may the catching up after it.
  type: float
  default: 86400
allow_deletes:
  description:
    - Load a mapping whose policies can delete although it has links and what the connector's account sees cannot be
      compared with what is there, because no directory is given; or although linked entries are in the directory that
      the connector does not look for any more. These are deleted then.
  type: bool
  default: false
"""

_SOURCE = f"""\
source:
  description: The connector and its object type, as in V(system/ldap/account).
  type: str
  required: true
mappings:
  description: The mappings to load. By default every mapping with this source.
  type: list
  elements: str
schedule:
  description:
    - What the schedule shall be, as in M(idmops.idm.livesync_schedule). What is left out stays, but for C(persisted).
    - Needed where liveSync shall run and there is no schedule of the source yet.
  type: dict
  suboptions:
    interval:
      description: Seconds between two runs, or a placeholder of the configuration.
      type: raw
    cron:
      description: A Quartz cron expression, with seconds.
      type: str
    name:
      description:
        - The job's name. By default that of the only liveSync schedule of this source, else
          C(liveSync_<system>_<type>).
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
      description: Whether it outlives a restart and runs on one node of a cluster alone.
      type: bool
      default: true
    misfire_policy:
      description: What happens to a run that was missed.
      type: str
      choices: [fireAndProceed, doNothing]
scheduler:
  description:
    - Who runs liveSync of the source. V(idm) is C(schedule), in IDM.
    - V(external) is a scheduler outside of IDM, as a systemd timer, that calls the playbook C(idmops.idm.run).
      C(schedule) is left out then; the job in IDM keeps the record of the load, and is never on.
  type: str
  choices: [idm, external]
  default: idm
max_age:
  description:
    - With C(scheduler=external), needed there, how many seconds ago the last run may have ended. Where it is longer
      ago, M(idmops.idm.livesync_status) calls the source C(overdue).
  type: raw
initial_load:
  description:
    - V(once) loads each mapping whose load on this IDM is not recorded, or whose changes since then cannot be had from
      the change log any more.
    - V(always) loads each time. V(never) adopts an environment that was loaded by hand.
  type: str
  choices: [once, always, never]
  default: once
on_record_failure:
  description: Whether a record that liveSync cannot bring over while catching up is an error.
  type: str
  choices: [fail, warn]
  default: fail
{_LOAD}canary:
  description:
    - An entry that is set aside, as M(idmops.idm.livesync_canary) takes it. After a run of the role that changed
      something, a change of it is made and seen to arrive.
  type: dict
  suboptions:
    dn:
      description: The entry.
      type: str
      required: true
    attribute:
      description: The attribute that is changed.
      type: str
      default: description
    within:
      description: Seconds that the change may take. Without it, two intervals of the schedule.
      type: float
directory:
  description:
    - The directory behind this source, if it is another one than the general one, of which nothing is added to it. An
      empty dictionary says that there is none.
    - Where IDM has several connectors to directories, the general one is taken for that of those whose host it names,
      and the others need this.
  type: dict
  suboptions:
{textwrap.indent(SUBOPTIONS, "    ")}"""


class ModuleDocFragment:
    """Fragments: the option ``sources``, and the options of one load (annotated as in ``directory``)."""

    DOCUMENTATION: str = f"""
options:
  sources:
    description: The sources, as in C(livesync_sources) of the role P(idmops.idm.livesync#role).
    type: list
    elements: dict
    required: true
    suboptions:
{textwrap.indent(_SOURCE, "      ")}
"""

    LOAD: str = f"""
options:
{textwrap.indent(_LOAD, "  ")}
"""
