# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IDM's audit of synchronisation tells of liveSync: signs of life, causes, and how far a run is.

Each record that liveSync handles leaves an entry in audit/sync (seen on OpenIDM 6.1.0). The cloud service writes its
audit elsewhere and answers 501, newer servers may not keep the topic: everything here can also not be known.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from .._base.errors import Refused
from .._base.filters import equals, starts_with
from .._base.text import reason_in
from .._http.client import Client
from .source import Source

_TOPIC = "audit/sync"
#: So many entries of one record tell how its last attempts ended.
_FEW = 5


@dataclass(frozen=True)
class AuditEntry:
    """One record that was synchronised, or was not.

    :param record: the record's id within its source.
    :param cause: why it failed, one line, None where it did not.
    """

    id: str
    timestamp: str
    record: str
    failed: bool
    cause: str | None

    @classmethod
    def parse(cls, body: t.Mapping[str, t.Any], source: Source) -> AuditEntry:
        """Return the entry that an answer holds."""
        return cls(
            id=str(body.get("_id")),
            timestamp=str(body.get("timestamp")),
            record=str(body.get("sourceObjectId") or "").removeprefix(f"{source}/"),
            failed=body.get("status") == "FAILURE",
            cause=reason_in(str(body.get("exception") or body.get("message") or "")),
        )


def _ask(
    client: Client, source: Source, what: str, *, order: str = "-timestamp", size: int = 1
) -> list[AuditEntry] | None:
    """Return entries about a source, None where audit does not answer.

    :raises Unreachable: as the client.
    """
    try:
        found = client.query(_TOPIC, what, _pageSize=str(size), _sortKeys=order)
    except Refused:
        return None
    return [AuditEntry.parse(body, source) for body in found]


def newest_entry(client: Client, source: Source) -> list[AuditEntry] | None:
    """Return the newest entry about a source in a list, which is empty for none; None where audit does not answer."""
    return _ask(client, source, _about(source))


def entries_of_record(client: Client, source: Source, record: str) -> list[AuditEntry]:
    """Return the newest entries about one record, newest first; none where audit does not answer."""
    return _ask(client, source, equals("sourceObjectId", f"{source}/{record}"), size=_FEW) or []


def failures_since(client: Client, source: Source, since: str, most: int = 100) -> list[AuditEntry]:
    """Return the failed entries about a source from a moment on, oldest first.

    :param since: the server's time, as in 2026-11-24T17:19:26Z.
    """
    what = f'{_about(source)} and status eq "FAILURE" and timestamp ge "{_from(since)}"'
    return _ask(client, source, what, order="timestamp", size=most) or []


class Counter:
    """Counts the records that a run has handled so far; each call asks for the new ones alone.

    :param since: the server's time when the run began.
    """

    _PAGE = 1000

    def __init__(self, client: Client, source: Source, since: str) -> None:
        self._client = client
        self._source = source
        self._since = _from(since)
        self.count = 0

    def update(self) -> int | None:
        """Return how many records have been handled, None where audit does not answer."""
        while True:
            what = f'{_about(self._source)} and timestamp gt "{self._since}"'
            found = _ask(self._client, self._source, what, order="timestamp", size=self._PAGE)
            if found is None:
                return None
            self.count += len(found)
            if found:
                self._since = found[-1].timestamp
            if len(found) < self._PAGE:
                return self.count


def _about(source: Source) -> str:
    return starts_with("sourceObjectId", f"{source}/")


def _from(moment: str) -> str:
    """Return a time that audit's times of the same second do not come before: they are compared as texts.

    "11:00:00.898Z" comes before "11:00:00Z" and after "11:00:00".
    """
    return moment.removesuffix("Z")


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Return how much time lies between two of the server's times, as in 2026-11-24T17:19:26.898Z."""
    try:
        first, second = (datetime.fromisoformat(str(text).replace("Z", "+00:00")) for text in (earlier, later))
        return (second - first).total_seconds()
    except (ValueError, TypeError):
        return None
