# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What waits in the queues of mappings, as the state of a source knows it."""

from __future__ import annotations

from dataclasses import replace

from .._http.client import Client
from .._idm.audit import seconds_between
from .._idm.mapping import queued_after
from .._idm.queue import has_no_queues, read_waiting
from .snapshot import Snapshot
from .source_status import SourceStatus

#: How long an event may wait in the queue of a mapping before that is more than its turn, in seconds.
_LONGEST_QUEUED = 300.0


def with_queues(client: Client, entry: SourceStatus, snapshot: Snapshot) -> SourceStatus:
    """Add what waits in the queues that the changes of a source go through.

    :raises Unreachable: as the client.
    """
    queued = {one.name: one for one in queued_after(entry.mappings, snapshot.mappings)}
    told = {name: read_waiting(client, name) for name in queued}
    waiting = tuple(one for one in told.values() if one)
    silent = [] if has_no_queues(client) else [name for name, one in told.items() if one is None]
    unseen = [f"What waits in the queue of {name} cannot be known: sync/queue does not answer." for name in silent]
    facts = entry.facts
    stuck: list[str] = []
    late: list[str] = []
    for one in waiting:
        queue = queued[one.mapping].queue
        age = seconds_between(one.oldest, client.server_time)
        if one.depth and queue and queue.enabled is False:
            stuck.append(f"The queue of {one.mapping} is off, and {one.depth} events wait in it: switch queuedSync on.")
        elif one.depth and age is not None and age > _LONGEST_QUEUED:
            late.append(f"{one.depth} events wait in the queue of {one.mapping}, the oldest since {one.oldest}.")
        elif one.depth and age is None:
            unseen.append(f"{one.depth} events wait in the queue of {one.mapping}, since when is not told.")
    facts = replace(facts, filtered=(*facts.filtered, *stuck), queued=tuple(late), unseen=tuple(unseen))
    return replace(entry, queue=waiting, facts=facts)
