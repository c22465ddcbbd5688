# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that liveSync has taken and that left no trace in audit.

Each record that liveSync handles leaves an entry in audit/sync; one that fails before the mapping leaves none, and
where the connector's failure policy drops it, IDM's log alone knows of it (seen on OpenIDM 6.1.0). A change that was
consumed while no mapping was on leaves none either. So the newest changes behind the token are compared with audit.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.errors import Refused
from .._http.client import Client
from .._idm.audit import AuditEntry, newest_entry, oldest_entry, second_of, seconds_between
from .._idm.source import Source
from .dropped import Dropped, successes_of, there_in

#: How late an entry of audit may come, in seconds: IDM 7 and later buffer them.
LATE = 60.0
#: By how much the clocks of IDM and of the directory may differ where that is not known, and how exactly it can be
#: known where it is, in seconds.
ANY_SKEW, _EXACTLY = 60.0, 5.0

CAUSE = (
    "audit has no entry of this change: it failed before the mapping, as IDM's log tells, or the connector leaves such"
    " entries out (the object type's nativeType, filters), or no mapping was on when it came"
)


@dataclass(frozen=True)
class Traceless:
    """What has left no trace.

    :param doubt: why that cannot be told of all changes, None where it can.
    """

    records: tuple[Dropped, ...] = ()
    doubt: str | None = None


@dataclass(frozen=True)
class Taken:
    """One change of an entry, which the token has passed.

    :param record: the id of the entry within the source.
    :param time: when it was made, as in 2026-11-24T17:19:26Z.
    """

    record: str
    time: str


def read_traceless(
    client: Client,
    source: Source,
    taken: t.Iterable[Taken],
    loaded: str | None,
    now: str | None,
    directory_now: t.Callable[[], str | None] = lambda: None,
) -> Traceless:
    """Return the records whose newest change has left no trace, although the source still has them.

    :param taken: the newest changes behind the token, oldest first.
    :param loaded: when the last recorded load ended; what is older was loaded.
    :param now: the server's time; what is younger than :data:`LATE` may still come.
    :param directory_now: tells the directory's time, None where it does not; asked where it matters.
    :raises Unreachable: as the client.
    """
    newest = {change.record: change for change in taken if change.time >= second_of(loaded or "")}
    old = [change for change in newest.values() if (seconds_between(change.time, now) or 0.0) > LATE]
    begins = oldest_entry(client, source) if old else None
    old = [change for change in old if begins and change.time > begins.timestamp]  # audit may not reach further back
    if not old:
        return Traceless()
    differ = seconds_between(client.server_time or now, directory_now())  # IDM has just answered
    skew = ANY_SKEW if differ is None else abs(differ) + _EXACTLY
    traces = successes_of(client, source, [change.record for change in old], failures=True)
    if traces is None:
        return Traceless()
    left = [change for change in old if not any(_is_trace(entry, change, skew) for entry in traces)]
    try:
        there = there_in(client, source, [change.record for change in left]) if left else set()
    except Refused:
        there = {change.record for change in left}
    left = [change for change in left if change.record in there]
    written = newest_entry(client, source) if left else None
    last = written[0].timestamp if written else ""
    told = [change for change in left if change.time < last]  # where audit has gone on without a word of it
    return Traceless(
        tuple(Dropped(change.record, None, change.time, None, CAUSE) for change in told),
        _silent(source, last) if len(told) < len(left) else None,
    )


def silent_since(source: Source, last: str) -> str:
    """Return why audit proves nothing of what has come after its last entry."""
    return f"audit/sync has no entry about {source} since {last}: the topic sync may be switched off (config/audit)"


def _silent(source: Source, last: str) -> str:
    return (
        f"{silent_since(source, last)}. Whether the changes that liveSync has passed since then failed cannot be known:"
        " idmops.idm.livesync_verify compares all."
    )


def _is_trace(entry: AuditEntry, change: Taken, skew: float) -> bool:
    after = seconds_between(change.time, entry.timestamp)
    return entry.record == change.record and after is not None and after > -skew
