# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciliations of single records: which of them there are, what a run of them is, and what it left out."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, replace

from .._base.errors import Refused, Unreachable
from .._base.filters import any_of, both
from .._http.client import Client
from .._idm.mapping import SyncMapping
from .._proof.pages import read_all, read_these
from .run import SUCCESS, EntryFailure
from .verdict import GONE, ReconFindings

#: So many records are one run: OpenDJ refuses a search for more than 99 ids, and the address of a query for 200 is too
#: long ("Experiments", section 4).
AT_ONCE = 50
#: So many entries are read in search of the one that breaks a query.
_MOST_READ = 5000
_LINKS = "repo/link"
_EXCLUDED = "the mapping's sourceQuery leaves it out; liveSync of a change of it brings it all the same"
_UNSEEN = "the run ended well without it, and IDM does not say why"


def only(mapping: SyncMapping, ids: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the body of a reconciliation of some records alone.

    It takes 3 ms a record, a run by reconById 130 ms, which reads all links each time ("Experiments", section 4).
    """
    these = both(str(mapping.source_filter), any_of("_id", ids))
    return {"sourceQuery": {"resourceName": mapping.source, "_queryFilter": these}, "runTargetPhase": False}


@dataclass(frozen=True)
class Records:
    """Single records of a mapping's source."""

    client: Client
    mapping: SyncMapping

    def gone(self, ids: t.Sequence[str]) -> list[str] | None:
        """Return those of some records that the source does not have; None where that cannot be known.

        Asked with a query, since a read answers 404 for a connector that is away as well.
        """
        return self._missing_in(ids, "true")

    def unknown(self, ids: t.Sequence[str]) -> set[str]:
        """Return those of some ids that no link knows; none where links cannot be read.

        Such an id was never one of an entry that was brought over; that of an entry that is gone has its link still.
        """
        if not ids:
            return set()
        try:
            sides = [read_these(self.client, _LINKS, side, ids, "firstId,secondId") for side in ("firstId", "secondId")]
        except (Unreachable, Refused):
            return set()
        linked = {str(link.get(side)) for found in sides for link in found for side in ("firstId", "secondId")}
        return set(ids) - linked

    def unread(self, ids: t.Collection[str]) -> str | None:
        """Return what a query of what the mapping reads is answered with, None where it goes well.

        :param ids: of the records; none: all of the source, of which the first few thousand are read.
        """
        fields = ",".join(["_id", *self.mapping.reads])
        where = any_of("_id", ids) if ids else "true"
        try:
            for _one in itertools.islice(read_all(self.client, self.mapping.source, fields, where=where), _MOST_READ):
                pass
        except Refused as exc:
            return exc.reason or None
        except Unreachable:
            return None
        return None

    def with_left_out(self, found: ReconFindings, ids: t.Sequence[str]) -> ReconFindings:
        """Return what a run has done, with the records that it was told of and did not take: IDM says nothing of them.

        :param ids: those that it was told of.
        """
        run = found.run
        missing = len(ids) - run.succeeded - run.failed
        if run.state != SUCCESS or missing <= 0:
            return found
        reasons = dict.fromkeys(self.gone(ids) or (), GONE)
        if self.mapping.source_filter not in ("true", None):
            reasons = {
                **dict.fromkeys(self._missing_in(ids, str(self.mapping.source_filter)) or (), _EXCLUDED),
                **reasons,
            }
        told = [EntryFailure(one, None, None, reason) for one, reason in reasons.items()][:missing]
        unknown = missing - len(told)
        if unknown:
            of = ids[0] if len(ids) == 1 else f"{unknown} of {', '.join(ids)}"
            told.append(EntryFailure(of, None, None, _UNSEEN))
        return replace(found, run=replace(run, failed=run.failed + missing), failures=(*(found.failures or ()), *told))

    def _missing_in(self, ids: t.Sequence[str], stated: str) -> list[str] | None:
        """Return those of some records that a query of the source does not find; None where it does not answer."""
        try:
            there = read_these(self.client, self.mapping.source, "_id", ids, "_id", where=stated)
        except (Unreachable, Refused):
            return None
        found = {str(one.get("_id")) for one in there}
        return [one for one in ids if one not in found]
