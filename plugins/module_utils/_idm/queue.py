# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queued synchronisation: a mapping whose implicit changes wait in a queue (queuedSync; IDM 7 and later).

liveSync changes the target of its own mapping; a mapping that goes on from there may do so later, or never ("Advanced
Identity Cloud as others met it live", section 6).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.errors import Refused
from .._base.filters import equals
from .._base.values import as_bool, as_dict, as_int, as_text
from .._http.client import Client
from .connector_config import FailurePolicy

_PATH = "sync/queue"


@dataclass(frozen=True)
class QueuedSync:
    """What a mapping's queuedSync says.

    :param enabled: None where a placeholder stands there.
    :param drops: whether an event that used up its retries is gone without a trace.
    :param blocks: whether an event that fails holds up all that come after it, for ever.
    """

    enabled: bool | None
    drops: bool
    blocks: bool

    @classmethod
    def parse(cls, stated: t.Any) -> QueuedSync | None:
        """Return what a mapping's queuedSync says, None where there is none, or it says nothing.

        Its maxRetries and postRetryAction are those of a connector's syncFailureHandler: logged-ignore and without end
        unless stated.
        """
        if not isinstance(stated, dict) or not stated:
            return None
        policy = FailurePolicy.parse(stated)
        return cls(as_bool(stated.get("enabled", False)), drops=policy.drops, blocks=policy.blocks)


@dataclass(frozen=True)
class Waiting:
    """What waits in the queue of one mapping.

    :param depth: how many events.
    :param oldest: when the oldest of them was made, None where none waits, or it does not say.
    """

    mapping: str
    depth: int
    oldest: str | None

    def as_result(self) -> dict[str, t.Any]:
        """Return it as modules show it."""
        return dict(vars(self))


def read_waiting(client: Client, mapping: str) -> Waiting | None:
    """Return what waits for a mapping, None where the server does not tell; one request, at any depth.

    :raises Unreachable: as the client.
    """
    if _PATH in client.silent:
        return None
    params = {
        "_queryFilter": equals("mapping", mapping),
        "_pageSize": "1",
        "_fields": "_id,createDate",
        "_sortKeys": "createDate",
        "_totalPagedResultsPolicy": "EXACT",
    }
    try:
        page = as_dict(client.get(_PATH, params))
    except Refused as exc:
        if exc.status in (404, 501):
            client.silent.add(_PATH)
        return None
    shown, depth = page.get("result"), as_int(page.get("totalPagedResults"))
    if depth is None or not isinstance(shown, list):
        return None
    first = as_dict(next(iter(shown), None))
    return Waiting(mapping, max(depth, len(shown)), as_text(first.get("createDate")))


def has_no_queues(client: Client) -> bool:
    """Tell whether the server has said that it knows of no queues, whichever its mappings state."""
    return _PATH in client.silent
