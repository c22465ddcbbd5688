# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What livesync_schedule does: a schedule, and if wanted a run that proves it beforehand.

Apart from the package ``_schedule``, which what runs liveSync builds upon.
"""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import Refused
from .._base.limits import check_seconds
from .._http.client import Client
from .._idm.server import ask_server
from .._record.run_record import forget
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

    :raises IdmopsError: as :func:`apply_schedule`, and as :func:`trigger` for the run before it.
    """
    wanted = wanted_of(options)
    timeout = options["wait_timeout"]
    check_seconds("wait_timeout", timeout)
    if options["idle_timeout"] is not None:
        check_seconds("idle_timeout", options["idle_timeout"])
    server = ask_server(client)
    if options["state"] == "absent":
        removed = remove_schedule(client, server, wanted.source, wanted.name, context, timeout)
        _wait_until_idle(client, wanted, options, context)
        if removed.changed and not context.check_mode and not read_schedules(client, server, str(wanted.source)):
            _forget(client, wanted, context)
        return removed.as_result()
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
    return {**applied.as_result(), **({"run": runs[0]} if runs else {})}


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
