# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What livesync_schedule does: a schedule, who runs its source, and if wanted a run that proves it beforehand.

Apart from the package ``_schedule``, which what runs liveSync builds upon.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Refused
from .._base.limits import check_seconds
from .._http.client import Client
from .._idm.server import ask_server
from .._idm.source import Source
from .._record.run_record import RunRecord, forget, note, read_record
from .._record.scheduler import Scheduler, checked_scheduler
from .._schedule.schedule import (
    WantedSchedule,
    apply_schedule,
    read_schedules,
    remove_schedule,
    wait_until_idle,
)
from .._schedule.wanted import wanted_of
from .trigger import Request, trigger


def schedule(client: Client, options: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Return the result of livesync_schedule.

    Whoever runs the source is written down last: what stops this before that leaves a schedule that is off and a record
    that tells of none, or both of them, and livesync_status says so.

    :raises IdmopsError: as :func:`apply_schedule`, and as :func:`trigger` for the run before it.
    """
    wanted, by = _wanted(options)
    timeout = options["wait_timeout"]
    check_seconds("wait_timeout", timeout)
    if options["idle_timeout"] is not None:
        check_seconds("idle_timeout", options["idle_timeout"])
    server = ask_server(client)
    if options["state"] == "absent":
        removed = remove_schedule(client, server, wanted.source, wanted.name, context, timeout)
        _wait_until_idle(client, wanted, options, context)
        result = _with_scheduler(client, wanted.source, by, removed.as_result(), context)
        if result["changed"] and not context.check_mode and not read_schedules(client, server, str(wanted.source)):
            _forget(client, wanted, context)
        return result
    runs: list[dict[str, t.Any]] = []

    def run_first() -> None:
        # The endpoint that a job calls, not the object type's own.
        runs.extend(trigger(client, Request((wanted.source,), endpoint="system"), context)["runs"])

    applied = apply_schedule(client, server, wanted, context, run_first if options["run_first"] else None, timeout)
    schedule = applied.schedule
    if wanted.enabled is True and wanted.load_record is None and schedule and not schedule.load_record:
        context.report.warn(
            f"No load of {wanted.source} is recorded: what was there before its base point comes over by a load alone."
            " The role livesync loads and records it (idmops.idm.livesync_load by hand)."
        )
    if wanted.enabled is False:
        _wait_until_idle(client, wanted, options, context)
    result = _with_scheduler(client, wanted.source, by, applied.as_result(), context)
    return {**result, **({"run": runs[0]} if runs else {})}


def _wanted(options: t.Mapping[str, t.Any]) -> tuple[WantedSchedule, Scheduler | None]:
    """Return what the options ask for: of the schedule, and of who runs the source, None where that stays as it is.

    :raises InvalidOption: for options that cannot work anywhere.
    """
    wanted = wanted_of(options)
    by = checked_scheduler(options)
    if options.get("scheduler") is None:
        return wanted, None
    if by.external and options["state"] == "absent":
        raise InvalidOption("scheduler", by.kind, "What is removed is run by nobody: give idm, or leave it out.")
    if by.external and wanted.enabled is not False:
        raise InvalidOption(
            "enabled",
            options["enabled"],
            "Where an external scheduler runs the source, the schedule is there for the record of its load alone, and"
            " has to be off: give enabled: false.",
        )
    return replace(wanted, idle=wanted.enabled is False), by


def _with_scheduler(
    client: Client, source: Source, by: Scheduler | None, result: dict[str, t.Any], context: Context
) -> dict[str, t.Any]:
    """Write down who runs a source where that is another than before; return the result with it.

    :param by: None leaves it as it is.
    :raises IdmopsError: where IDM does not keep it, which means that nobody would know.
    :raises Unreachable: as the client.
    """
    if by is None:
        return result
    remedy = (
        "An external scheduler takes an IDM that keeps the run record, and an account that may write it"
        " (docs/least-rights.md)."
    )
    try:
        before = (read_record(client, source) or RunRecord()).scheduler
        if before != by and not context.check_mode:
            note(client, source, scheduler=by)
            if (read_record(client, source) or RunRecord()).scheduler != by:
                raise IdmopsError(f"{source}: IDM did not keep in its run record who runs it.", remedy=remedy)
    except Refused as exc:
        raise IdmopsError(
            f"{source}: who runs it cannot be kept in IDM's run record: {exc.message}", status=exc.status, remedy=remedy
        ) from exc
    diff = result["diff"]
    return {
        **result,
        **by.as_result(),
        "changed": result["changed"] or before != by,
        "diff": {
            "before": {**diff["before"], **before.as_result()},
            "after": {**diff["after"], **by.as_result()},
        },
    }


def _forget(client: Client, wanted: WantedSchedule, context: Context) -> None:
    """Remove the run record of a source that no schedule is left of, unless somebody needs it."""
    try:
        forget(client, wanted.source)
    except Refused as exc:
        context.report.warn(f"The run record of {wanted.source} stays in IDM: {exc.message}")


def _wait_until_idle(client: Client, wanted: WantedSchedule, options: t.Mapping[str, t.Any], context: Context) -> None:
    """Wait until no job runs the source, where the task asks for that: what is going on goes on without a schedule."""
    if options["idle_timeout"] and not context.check_mode:
        wait_until_idle(client, wanted.source, context, options["idle_timeout"])
