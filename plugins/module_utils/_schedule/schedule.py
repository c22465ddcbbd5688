# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules of liveSync: make one what it shall be, and see that the server has taken it up.

The other files of this name hold the parts: ``_schedule_document`` what a schedule is, ``_schedule_store`` where it is
kept, ``_schedule_wanted`` what it shall be, ``_schedule_plan`` what has to change, ``_schedule_activation`` how it is
done.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .._base.context import Context
from .._http.client import Client
from .._idm.connector import check_source, read_connectors
from .._idm.server import Server
from .._idm.source import Source
from .activation import Activation
from .document import CONFIG, JOB, LOAD_RECORD, Schedule, is_placeholder
from .plan import Found, SchedulePlan, check_owner, decide_schedule, pick_name
from .store import (
    check_cron,
    executing_sources,
    is_running,
    read_all_jobs,
    read_config,
    read_job,
    read_jobs,
    read_schedules,
    running_elsewhere,
    wait_until_idle,
    which_run,
)
from .wanted import AUTO, WantedSchedule

__all__ = [
    "AUTO",
    "CONFIG",
    "JOB",
    "Applied",
    "Schedule",
    "WantedSchedule",
    "apply_schedule",
    "executing_sources",
    "is_running",
    "running_elsewhere",
    "locate",
    "read_all_jobs",
    "read_schedules",
    "remove_schedule",
    "wait_until_idle",
    "which_run",
]

#: How long the server may take to activate what was written, in seconds. A configuration that was accepted may take
#: some 15 s to stay ("Recorded HTTP answers", section 4); then it is written once more.
ACTIVATION = 30.0


@dataclass(frozen=True)
class Applied:
    """What was done, or would be done in check mode.

    :param before, after: what the collection manages, for a diff; None where there is no schedule.
    :param schedule: as it is now; in check mode as it would be.
    :param not_kept: keys of invokeContext that the server did not keep.
    """

    changed: bool
    before: t.Mapping[str, t.Any] | None
    after: t.Mapping[str, t.Any] | None
    schedule: Schedule | None
    not_kept: t.Sequence[str] = ()

    def as_result(self) -> dict[str, t.Any]:
        """Return the result of a module."""
        return {
            "changed": self.changed,
            "diff": {"before": dict(self.before or {}), "after": dict(self.after or {})},
            "schedule": self.schedule.as_result() if self.schedule else None,
            **({"not_kept": list(self.not_kept)} if self.not_kept else {}),
        }


def apply_schedule(
    client: Client,
    server: Server,
    wanted: WantedSchedule,
    context: Context,
    test: t.Callable[[], t.Any] | None = None,
    timeout: float = ACTIVATION,
) -> Applied:
    """Make a schedule what it shall be, and wait until the server has activated it.

    Nothing is sent where that is so already. What could not be activated is undone.

    :param test: called before an enabled schedule is written; it raises IdmopsError where that must not be done.
    :param timeout: seconds that the server may take.
    :raises InvalidOption: before anything is written, for what cannot be.
    :raises TimedOut: when the server does not activate it.
    :raises Unreachable, Refused: as the client.
    """
    jobs = read_jobs(client, server.scheduler_version)
    name = pick_name(jobs, wanted.source, wanted.name, server)
    found = _find(client, server, name, jobs)
    activation = Activation(client, server, context, timeout)
    now = datetime.now(timezone.utc)
    plan = decide_schedule(found, wanted, server, now)
    if plan.changes == ["activation"]:
        found = replace(found, job=activation.settled(plan.after))
        plan = decide_schedule(found, wanted, server, now)
    _warn_of_others(jobs, name, wanted.source, context)
    if plan.writes:
        _check(client, server, plan, wanted)
    before = plan.before.managed() if plan.before else None
    if not plan.changes:
        schedule = _shown(plan, found.job)
    elif context.check_mode:
        return Applied(True, before, plan.after.managed(), plan.after)
    else:
        if plan.writes and test and plan.after.enabled is True:
            test()
        schedule = _shown(plan, activation.carry_out(plan, found.job))
    _warn_of_pause(schedule, wanted, server, context)
    not_kept = _not_kept(plan.after, schedule)
    if not_kept:
        lost = f"The server did not keep {', '.join(not_kept)} in the invokeContext of the schedule {name}."
        context.report.warn(lost + _consequence(not_kept))
    return Applied(bool(plan.changes), before, plan.after.managed(), schedule, not_kept)


def remove_schedule(
    client: Client,
    server: Server,
    source: Source,
    name: str | None,
    context: Context,
    timeout: float = ACTIVATION,
) -> Applied:
    """Remove one schedule, and its config document where it has one.

    :param timeout: seconds that the server may take.
    :raises InvalidOption: when it is not clear which one, or when it is not one of this source.
    :raises TimedOut: when the server keeps the job.
    :raises Unreachable, Refused: as the client.
    """
    jobs = read_jobs(client, server.scheduler_version)
    name = pick_name(jobs, source, name, server)
    found = _find(client, server, name, jobs)
    check_owner(found, source)
    if found.current is None:
        return Applied(False, None, None, None)
    if not context.check_mode:
        Activation(client, server, context, timeout).remove(found)
    return Applied(True, found.current.managed(), None, None)


def locate(client: Client, schedule: Schedule) -> Schedule:
    """Return the schedule with the knowledge of where it is kept: one request.

    :raises Unreachable, Refused: as the client.
    """
    return replace(schedule, storage=CONFIG if read_config(client, schedule.name) else JOB)


def _find(client: Client, server: Server, name: str, jobs: t.Iterable[Schedule]) -> Found:
    job = next((job for job in jobs if job.name == name), None) or read_job(client, server, name)
    return Found(name, job, read_config(client, name))


def _warn_of_others(jobs: t.Iterable[Schedule], name: str, source: Source, context: Context) -> None:
    for job in jobs:
        if job.source == str(source) and job.name != name:
            context.report.warn(
                f"{source} has another schedule: {job.name} ({'enabled' if job.enabled else 'disabled'}). Runs of two"
                " schedules at the same time damage each other; remove one of them."
            )


def _warn_of_pause(schedule: Schedule, wanted: WantedSchedule, server: Server, context: Context) -> None:
    if schedule.paused and not wanted.paused:
        way = (
            "paused: false resumes it" if server.job_actions else "idmops.idm.scheduler with state: running resumes all"
        )
        context.report.warn(f"The schedule {schedule.name} is paused and does not fire; {way}.")


def _check(client: Client, server: Server, plan: SchedulePlan, wanted: WantedSchedule) -> None:
    """Have the server's word on what it would otherwise take and not do, before anything is written."""
    cron = plan.after.cron
    if wanted.cron is not None and isinstance(cron, str) and not is_placeholder(cron):
        check_cron(client, server, cron)
    if plan.before is None:
        check_source(wanted.source, read_connectors(client))


def _shown(plan: SchedulePlan, job: Schedule | None) -> Schedule:
    """Return what the server runs, with where it is kept; the document where there is no job."""
    return replace(job, storage=plan.after.storage) if job is not None else plan.after


def _consequence(not_kept: t.Sequence[str]) -> str:
    if LOAD_RECORD not in not_kept:
        return ""
    return (
        " So no load is recorded, and the next run of the role loads again: set initial_load to never in"
        " livesync_sources once all is loaded."
    )


def _not_kept(after: Schedule, schedule: Schedule) -> tuple[str, ...]:
    kept = schedule.invoke_context
    lost = (key for key, value in after.invoke_context.items() if not is_placeholder(value) and kept.get(key) != value)
    return tuple(sorted(key for key in lost if key not in ("action", "source")))
