# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that the change log hides from liveSync, and that have not arrived: gaps.

They are looked for each time, as far behind the token as that costs about a second, and compared with the target, with
what the run record keeps of earlier ones: a record that is as it should be is no gap, whatever brought it over.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.context import Context
from .._base.text import few
from .._base.values import as_text
from .._changelog.numbered import NUMBERED_WITHIN
from .._http.client import Client
from .._idm.audit import seconds_between
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .arrived import Managed, Unarrived, read_unarrived
from .dropped import Dropped, successes_of
from .log_facts import LogReader
from .touched import Hidden, Touched

LEFT_OUT, UNNUMBERED = "left_out", "unnumbered"


@dataclass(frozen=True)
class Gap:
    """A record whose change the change log hides.

    :param record: its id within the source.
    :param kind: LEFT_OUT or UNNUMBERED.
    :param csn: the change's replicationCSN, None where that is not told.
    :param time: when the change was made, as in 2026-11-24T17:19:26Z; None where it is not told.
    :param mapping: in which it has not arrived, None where that could not be compared.
    :param situation: SOURCE_MISSING where it is gone from the source, and its target is there; else None.
    """

    record: str
    kind: str
    csn: str | None
    time: str | None
    mapping: str | None = None
    situation: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return the record as modules show it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Gaps:
    """What the change log hides.

    :param records: those that have not arrived.
    :param said: what is so of those that the change log leaves out, and what mends it; None where it leaves out none.
    :param standing: the same of changes that should have got a number.
    :param doubt: of what it cannot be known, None for nothing.
    """

    records: tuple[Gap, ...] = ()
    said: str | None = None
    standing: str | None = None
    doubt: str | None = None


def read_gaps(
    client: Client,
    source: Source,
    connector: Connector,
    mappings: t.Sequence[SyncMapping],
    known: t.Sequence[SyncMapping],
    reader: LogReader,
    token: int,
    context: Context,
    *,
    after: int | None = None,
    compared: str = "",
    kept: t.Sequence[t.Mapping[str, t.Any]] = (),
    managed: Managed | None = None,
) -> Gaps:
    """Look for what the change log hides, and compare it with the target.

    :param mappings: those of the source.
    :param known: all mappings.
    :param token: read before this is asked.
    :param after: look only at what a run took, from this change number to the token.
    :param compared: when all of the source was last loaded, as IDM writes times; "" where that is not known.
    :param kept: what was found earlier, as the run record has it; ``managed``: see :func:`read_unarrived`.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    hidden = reader.hidden(token, after=after)
    late = _late(hidden, reader.now() or client.server_time) if hidden.unnumbered else ()
    earlier = [Touched(str(one["record"]), as_text(one.get("time")), None, as_text(one.get("csn"))) for one in kept]
    sought = {one.record: one for one in (*earlier, *late, *hidden.left_out)}
    kinds = {one.record: UNNUMBERED if one in late else LEFT_OUT for one in sought.values()}
    doubts = [_unlooked(hidden, reader, compared)]
    if hidden.unnumbered is None:
        doubts.append(_UNSHOWN)
    if hidden.unknown:
        doubts.append(_UNKNOWN.format(hidden.unknown))
    records: list[Gap] = []
    if sought:
        these = list(sought.values())
        about = (client, source, connector, mappings, known, reader, token, context)
        found = read_unarrived(*about, these=these, loaded=compared, managed=managed)
        for one in found.records:  # those below a name that was changed are not sought, and as much without a number
            change = sought.get(one.record)
            kind, csn = kinds.get(one.record, LEFT_OUT), change.csn if change else None
            records.append(Gap(one.record, kind, csn, one.time, one.mapping, one.situation))
        if found.doubt:
            named = {one.record for one in records}
            waiting = [one for one in these if one.record not in named]
            left = _not_brought(client, source, waiting, compared)
            records += [Gap(one.record, kinds[one.record], one.csn, one.time) for one in left]
    numbered = [one for one in records if one.kind == LEFT_OUT]
    return Gaps(
        tuple(records),
        _said(numbered) if numbered else None,
        _standing(late) if late else None,
        " ".join(text for text in doubts if text) or None,
    )


def with_gaps(found: Unarrived, gaps: Gaps) -> Unarrived:
    """Return what has not arrived together with what the change log hides; changes without a number prove nothing."""
    named = {one.record for one in found.records}
    left_out = [one for one in gaps.records if one.kind == LEFT_OUT and one.record not in named]
    more = [
        Dropped(
            one.record,
            one.mapping,
            one.time,
            one.situation,
            f"the change log leaves out the change {one.csn or ''}".rstrip(),
        )
        for one in left_out
    ]
    return replace(
        found,
        records=(*found.records, *more),
        sentences=(*found.sentences, *([gaps.said] if gaps.said else [])),
        doubt=" ".join(text for text in (found.doubt, gaps.standing, gaps.doubt) if text) or None,
    )


def beside(gaps: Gaps, earlier: Gaps) -> Gaps:
    """Return what the change log hides from a run, with what it hid from earlier ones: that proves nothing of this."""
    if earlier.said is None or all(one in gaps.records for one in earlier.records):
        return gaps
    said = f"Of earlier runs: {earlier.said}"
    return replace(gaps, doubt=f"{gaps.doubt} {said}" if gaps.doubt else said)


def _late(hidden: Hidden, now: str | None) -> tuple[Touched, ...]:
    """Return the changes that should have got a number by now; all where nobody tells the time."""
    ages = [(one, seconds_between(one.time, now)) for one in hidden.unnumbered or ()]
    return tuple(one for one, age in ages if age is None or age > NUMBERED_WITHIN)


def _not_brought(client: Client, source: Source, these: t.Sequence[Touched], compared: str) -> list[Touched]:
    """Return the changes that neither a load nor, by audit, anything else has brought over since; where the target
    cannot be compared.
    """
    left = [one for one in these if not (one.time and one.time < compared)]
    brought: dict[str, str] = {}
    for entry in successes_of(client, source, [one.record for one in left]) or () if left else ():
        brought[entry.record] = max(entry.timestamp, brought.get(entry.record, ""))
    return [one for one in left if not (one.time and brought.get(one.record, "") > one.time)]


def _unlooked(hidden: Hidden, reader: LogReader, compared: str) -> str | None:
    """Return what is to be said where older changes were not looked at, and nothing has compared them since."""
    if hidden.since is None:
        return None
    if compared and (time := reader.time_of(hidden.since)) and time < compared:
        return None
    return (
        f"Whether the change log hides changes before {hidden.since} is not looked at each time:"
        " idmops.idm.livesync_verify compares all."
    )


_UNSHOWN = (
    "The change log has changes without a number, and the directory does not show which: whether they are new cannot"
    " be known."
)
_UNKNOWN = (
    "{} numbers of the change log cannot be looked at: their changes are not shown, or were purged on the way."
    " idmops.idm.livesync_verify compares all."
)


def _standing(late: t.Sequence[Touched]) -> str:
    since = min((one.time for one in late if one.time), default=None)
    count = "1 change has" if len(late) == 1 else f"{len(late)} changes have"
    return (
        f"{count} got no number{f' since {since}' if since else ''}, so that liveSync sees none of them, nor any that"
        " comes: the directory numbers nothing while another server of the replication topology is gone that was not"
        " stopped in an orderly way. Start that directory server again (or take it out of the topology): what waits is"
        " numbered then, and liveSync brings it. Until then idmops.idm.recon brings it (gaps has the ids)."
    )


def _said(records: t.Sequence[Gap]) -> str:
    """Return what is to be said of records that the change log leaves out, and how to bring them over."""
    here = list(dict.fromkeys(one.record for one in records if one.situation != "SOURCE_MISSING"))
    away = list(dict.fromkeys(one.record for one in records if one.situation == "SOURCE_MISSING"))
    count = len(here) + len(away)
    said = (
        f"The change log leaves out changes of {count} record{'' if count == 1 else 's'} where it is searched by"
        " number, so that liveSync never sees them (gaps), as happens where several directory servers take changes at"
        " the same moment; and they have not arrived."
    )
    if here:
        said += f" Reconcile them: idmops.idm.recon with ids: {few(here, 3)}."
    if away:
        said += f" Gone from the source, and not from the target: {few(away, 3)}; reconcile the whole mapping."
    return said
