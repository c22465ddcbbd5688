# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backlog that a reconciliation brings over in liveSync's place: what is asked for, and what came of it. No I/O.

How that is done is told in ``_rollout``, which builds upon this package.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._http.client import Client
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._idm.stage import Stage
from .._record.hold import SERVER

LIVESYNC, RECONCILE, AUTO = "livesync", "reconcile", "auto"
#: What the option catch_up_above is where it is not given: on OpenDJ 4 the connection is cut after some 3,000 records.
MOST = 2000
BY_IDS, BY_MAPPING = "ids", "mapping"


@dataclass(frozen=True)
class Backlog:
    """A source that lags behind.

    :param directory: connection options of its directory.
    :param url: of the server whose change log the connector reads.
    :param mappings: those of the source; ``known`` are all.
    :param allow_deletes: whether targets of entries that are certainly gone may be removed one by one.
    :param wait_timeout: for everything, in seconds.
    :param lock: the other tasks that are kept away: those of all control hosts, or of this one.
    """

    source: Source
    connector: Connector
    directory: t.Mapping[str, t.Any] | None
    url: str | None
    mappings: t.Sequence[SyncMapping]
    known: t.Sequence[SyncMapping]
    allow_deletes: bool = False
    wait_timeout: float = 3600.0
    lock: str = SERVER


@dataclass(frozen=True)
class Reconciled:
    """A backlog that has been brought over.

    :param by: BY_IDS, the entries that the changes touch alone, or BY_MAPPING, everything.
    :param before: the stage with the token that the backlog lay behind.
    :param after: the stage with the end of the backlog as its token; None in check mode.
    :param through: that end.
    :param records: how many entries were reconciled one by one, None for everything.
    :param removed: how many targets were removed one by one, since their entries are gone.
    """

    by: str
    before: Stage
    after: Stage | None
    through: int
    records: int | None = None
    removed: int = 0
    seconds: float = 0.0

    def as_result(self) -> dict[str, t.Any]:
        """Return it as modules show it."""
        return {
            "by": self.by,
            "through": self.through,
            "records": self.records,
            "removed": self.removed,
            "duration_ms": round(self.seconds * 1000),
        }


#: Brings a backlog over; returns None where nothing is pending, or liveSync has no token yet.
Reconcile = t.Callable[[Client, Backlog, Context], t.Optional[Reconciled]]
