# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why no job begins although its time has come: the next times of all go on all the same (seen on OpenIDM 6.1.0)."""

from __future__ import annotations

import typing as t

from .._base.errors import Refused
from .._base.text import few
from .._base.values import as_bool, as_dict, as_int
from .._http.client import Client
from .document import Schedule
from .store import executing_jobs

_CONFIG = "config/scheduler"


def why_none_begins(client: Client, jobs: t.Iterable[Schedule]) -> str | None:
    """Return what keeps the scheduler of the node that answers from running a job, and what mends it; None where
    nothing is seen to.

    :param jobs: all that there are: what runs is known by what it does, and not by a name.
    :raises Unreachable: as the client.
    """
    try:
        config = as_dict(client.get(_CONFIG))
        running = executing_jobs(client)
    except Refused:
        return None
    if as_bool(as_dict(config.get("scheduler")).get("executePersistentSchedules")) is False:
        return (
            f"IDM's scheduler runs no job that is persisted: executePersistentSchedules is false ({_CONFIG}), on the"
            " node that answered at least. Set it to true on a node that is to run them."
        )
    threads = as_int(as_dict(config.get("threadPool")).get("threadCount"))
    if not threads or len(running) < threads:
        return None
    taking = [job.name for job in jobs if any(_is_one(job, other) for other in running)]
    named = f" ({few(sorted(taking))})" if taking else ""
    return (
        f"All {threads} threads of IDM's scheduler are taken (threadPool.threadCount in {_CONFIG}), by other jobs"
        f"{named}: no job begins until one of them ends. See why they take so long, or give it more threads."
    )


def _is_one(job: Schedule, running: Schedule) -> bool:
    name = "invokeService"
    same = job.document.get(name) == running.document.get(name) or not running.document.get(name)
    return same and job.invoke_context == running.invoke_context
