# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found about the schedule of a source, and about who runs it. No I/O."""

from __future__ import annotations

import typing as t

from .._base.errors import IdmopsError
from .evidence import SourceEvidence
from .finding import BLOCKING, MENDED, WARNING, Finding, Say


def schedule_finding(error: IdmopsError, source: str) -> Finding:
    """Return the finding of a schedule that cannot be."""
    remedy = (
        "Correct schedule of this source in livesync_sources; remove a schedule too many with livesync_schedule,"
        " state: absent."
    )
    return Finding("schedule_invalid", BLOCKING, error.message, remedy, source)


def schedule_findings(evidence: SourceEvidence) -> t.Iterator[Finding]:
    """Yield what was found about the schedule of a source, and who is to run it."""
    say = Say(evidence.name)
    others = [schedule for schedule in evidence.schedules if schedule.name != evidence.job_name]
    active = [schedule.name for schedule in others if schedule.enabled is not False]
    if evidence.job_name and active:
        yield say(
            "schedule_duplicate",
            BLOCKING,
            f"Another schedule runs liveSync of {evidence.name}: {', '.join(active)}. Two runs at once damage each"
            " other.",
            "Remove it (livesync_schedule with state: absent), or leave schedule.name out to take it over.",
        )
    for sentence in evidence.idle_jobs:
        yield say(
            "job_runs_nothing",
            WARNING,
            sentence,
            "Remove it (DELETE scheduler/job/<name>), or correct it; the role makes one of its own.",
        )
    if evidence.schedule_error and evidence.namesake:
        yield say("schedule_invalid", BLOCKING, evidence.schedule_error.message, evidence.namesake)
    elif evidence.schedule_error:
        yield schedule_finding(evidence.schedule_error, evidence.name)
    elif evidence.connector is None:
        return  # nothing is made for a source that there is not
    elif evidence.job is None:
        yield say(
            "schedule_missing",
            MENDED,
            f"{evidence.name} has no schedule {evidence.job_name}.",
            "The role makes it, and leaves it off: it keeps the record of the load."
            if evidence.request.scheduler.external
            else "The role makes it (schedule in livesync_sources).",
        )
    elif evidence.schedule_changes:
        yield say(
            "schedule_differs",
            MENDED,
            f"The schedule {evidence.job_name} differs from what is wanted: {', '.join(evidence.schedule_changes)}.",
            "The role changes it (schedule in livesync_sources, livesync_state).",
        )
    if evidence.scheduler != evidence.request.scheduler and evidence.connector and not evidence.request.errors:
        stop = "" if evidence.request.scheduler.external else " Stop the external one, so that their runs do not meet."
        yield say(
            "scheduler_differs",
            MENDED,
            f"{evidence.name} is to be run by {evidence.request.scheduler.name}; IDM's run record tells of"
            f" {evidence.scheduler.name}.",
            f"The role writes that down (scheduler and max_age in livesync_sources).{stop}",
        )
