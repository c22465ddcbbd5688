# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources on which nothing is left to do, judged with what has been read already: no step is needed for one that
is well. Reads only.
"""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError
from .._health.snapshot import Snapshot
from .._health.source_status import LONGEST_WATCH, SourceStatus
from .._health.status import status
from .._http.client import Client
from .._ldap.lines import Connect
from .plan import SourcePlan
from .request import SourceRequest

Directory = t.Optional[t.Mapping[str, t.Any]]


def judge_finished(
    client: Client,
    plans: t.Iterable[SourcePlan],
    requests: t.Mapping[int, SourceRequest],
    snapshot: Snapshot,
    connect: Connect,
    context: Context,
) -> list[SourceStatus]:
    """Judge the sources of finished plans as livesync_status does, but watch no run; return those that are well.

    Where a run has to be watched before a source can be called well, and where something cannot be known for want of a
    right or for an error, it is not among them: then the steps tell.

    :param connect: gives the connections to the directory.
    """
    found: list[SourceStatus] = []
    for directory, chosen in _by_directory(plans, requests):
        lacked = set(client.lacking)
        try:
            told = status(
                client, [requests[plan.index].source for plan in chosen], directory, context, snapshot, connect
            )
        except IdmopsError:
            continue
        if set(client.lacking) <= lacked:
            found += [one for one, plan in zip(told, chosen) if _is_well(one, plan, client.server_time)]
    return found


def _by_directory(
    plans: t.Iterable[SourcePlan], requests: t.Mapping[int, SourceRequest]
) -> list[tuple[Directory, list[SourcePlan]]]:
    """Return the finished plans by the directory that their sources are asked for with."""
    found: list[tuple[Directory, list[SourcePlan]]] = []
    for plan in plans:
        if not plan.finished:
            continue
        directory = requests[plan.index].directory if plan.change_log else None
        same = next((chosen for known, chosen in found if known == directory), None)
        if same is None:
            found.append((directory, [plan]))
        else:
            same.append(plan)
    return found


def _is_well(one: SourceStatus, plan: SourcePlan, now: str | None) -> bool:
    if one.suspicious and one.due(now) < LONGEST_WATCH:
        return False
    return one.health.good_enough or one.health.state in plan.tolerated
