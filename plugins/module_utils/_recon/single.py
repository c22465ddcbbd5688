# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why entries failed where audit/recon cannot be read, as on Advanced Identity Cloud."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.errors import Refused
from .._base.text import reason_in
from .._http.client import Client
from .._idm.entries import errors_come_alone, kept_failures
from .run import ACTIVE, FAILED, MOST_FAILURES, EntryFailure, ReconRun

#: How long the run of one record may take that is waited for, in seconds.
RECORD_TIMEOUT = 120.0
_UNSAID = "IDM does not say why here; its log does"


@dataclass
class OwnWord:
    """What IDM says of failed entries beside its audit.

    A run of one record that is waited for answers 409 with the record's error, and with nothing else: that is no other
    run in the way ("Advanced Identity Cloud as others met it live", section 4).
    """

    client: Client
    mapping: str
    told: dict[str, EntryFailure] = field(default_factory=dict)
    _wanted: bool | None = None

    def is_awaited(self, ids: t.Sequence[str]) -> bool:
        """Tell whether a run of these records is to be waited for, so that its answer tells why it failed.

        :raises Unreachable, Refused: as the client.
        """
        if not ids:
            return False
        if self._wanted is None:
            self._wanted = errors_come_alone(self.client)
        return self._wanted

    def has_told(self, ids: t.Sequence[str]) -> bool:
        """Tell whether the start of a run of these records was answered with why it failed."""
        return any(record in self.told for record in ids)

    def ended(self, refused: Refused, ids: tuple[str, ...], new: t.Sequence[ReconRun], others: bool) -> ReconRun | None:
        """Return the run of a record that an error is the end of; None where the error is none of the record's.

        :param new: the runs that have come up since the start.
        :param others: whether another run of the mapping is active.
        """
        own = next((run for run in new if run.source_ids == ids and run.state != ACTIVE), None)
        if refused.status != 409 or (own is None and others):
            return None
        reason = reason_in(refused.reason) or _UNSAID
        self.told[ids[0]] = EntryFailure(ids[0], None, None, reason)
        own = own or ReconRun("", self.mapping, FAILED, source_ids=ids)
        return replace(own, failed=max(1, own.failed))

    def is_unwelcome(self, refused: Refused) -> bool:
        """Tell whether a run cannot be waited for, as that of a clustered mapping; it can be started without."""
        if self._wanted and refused.status == 400:
            self._wanted = False
            return True
        return False

    def failures(self, run: ReconRun, may_be_kept: bool) -> tuple[EntryFailure, ...] | None:
        """Return the entries of a run that failed, None where nothing tells.

        :param may_be_kept: whether the run may have kept its associations.
        :raises Unreachable: as the client.
        """
        if told := tuple(self.told[record] for record in run.source_ids if record in self.told):
            return told
        if may_be_kept and (kept := kept_failures(self.client, run.id, MOST_FAILURES)):
            return tuple(map(EntryFailure.parse, kept))
        if len(run.source_ids) == 1:
            return (EntryFailure(run.source_ids[0], None, None, _UNSAID, marked=not run.failed),)
        return None
