# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the newest changes behind the token have arrived: the evidence, where all else are signs.

An entry that an ACI hides, one that a rename brought into the connector's base contexts or took out of them, a change
that the connector leaves out: liveSync passes them all by, and nothing tells of it (each seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from .._base.context import Context
from .._http.client import Client
from .._idm.audit import AuditEntry
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import DIFFERING, FILTERED, HIDDEN, MISSING, ORPHANED, UNKNOWN, Difference
from .._proof.look import look
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .dropped import Dropped, successes_of
from .log_facts import LogReader

#: So many changes are looked at, the newest: one filter takes so many ids.
NEWEST = 40
#: What a policy does to what it leaves alone.
_LEFT_ALONE = ("IGNORE", "REPORT", "NOREPORT", "ASYNC")
#: So many entries below one that was renamed.
_BELOW = 40
#: How long a directory, and IDM, get to be of one mind with themselves, in seconds.
_PAUSE = 1.0


@dataclass(frozen=True)
class Unarrived:
    """What has not arrived.

    :param records: as the dropped ones are told.
    :param sentences: what it is, and what mends it.
    :param doubt: why it cannot be known, None where it is.
    """

    records: tuple[Dropped, ...] = ()
    sentences: tuple[str, ...] = ()
    doubt: str | None = None


def read_unarrived(
    client: Client,
    source: Source,
    connector: Connector,
    mappings: t.Sequence[SyncMapping],
    known: t.Sequence[SyncMapping],
    reader: LogReader,
    token: int,
    context: Context,
    after: int = 0,
) -> Unarrived:
    """Compare the entries of the newest changes behind the token with what has become of them.

    :param mappings: those of the source.
    :param known: all mappings.
    :param token: read before this is asked.
    :param after: the change number that the changes come after.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    own = OwnEntries.of(reader.directory, connector, source.object_type)
    if own is None or own.uid.lower() != "entryuuid":
        return Unarrived()
    taking = [one for one in mappings if one.sync_enabled and one.links_objects and not one.queue]
    touched = reader.touched(token, NEWEST, after) if taking else []
    times = {one.record: one.time for one in touched}
    for one in touched:
        for record in own.below(one.moved_to, _BELOW) if one.moved_to else ():
            times.setdefault(record, one.time)
    if not times:
        return Unarrived()
    managed = client.get("config/managed", none_on=(404,)) or {}
    left: list[tuple[SyncMapping, Difference]] = []
    for mapping in taking:
        schema = TargetSchema.parse(managed, mapping.target.strip("/").partition("/")[2])
        comparison = Comparison.of(mapping, schema, connector.json_types.get(source.object_type, {}))
        sides = Sides.of(client, mapping, comparison, known)
        left += [(mapping, one) for one in _left(sides, own, reader, token, times, context)]
    left, ruled = _by_rule(client, source, left)
    records = tuple(
        Dropped(str(one.id), mapping.name, times.get(str(one.id)), _situation(one), _cause(one))
        for mapping, one in left
    )
    doubt = (
        f"By the mapping's own rule, as audit tells, the newest changes were left alone: {ruled}." if ruled else None
    )
    return Unarrived(records, tuple(_sentences([one for unused, one in left])), doubt)


def _by_rule(
    client: Client, source: Source, left: list[tuple[SyncMapping, Difference]]
) -> tuple[list[tuple[SyncMapping, Difference]], str]:
    """Take out what a policy or a script of the mapping left alone, by the newest word of audit; tell what that was.

    :returns: what is left, and the situations with their actions.
    """
    ids = list(dict.fromkeys(str(one.id) for unused, one in left))
    newest: dict[tuple[str, str | None], AuditEntry] = {}
    for entry in successes_of(client, source, ids, failures=True) or () if ids else ():
        key = entry.record, entry.mapping
        if key not in newest or newest[key].timestamp < entry.timestamp:
            newest[key] = entry
    kept, ruled = [], set()
    for mapping, one in left:
        word = newest.get((str(one.id), mapping.name))
        if word and not word.failed and word.action in _LEFT_ALONE:
            ruled.add(f"{word.situation}: {word.action}")
        else:
            kept.append((mapping, one))
    return kept, ", ".join(sorted(ruled))


def _left(
    sides: Sides,
    own: OwnEntries,
    reader: LogReader,
    token: int,
    ids: t.Collection[str],
    context: Context,
) -> list[Difference]:
    """Return what differs at two looks, and no change that is pending explains."""
    found: list[Difference] = []
    for again in (False, True):
        if again:
            context.clock.sleep(_PAUSE)
        looked = look(sides, own, ids)
        flux = own.changed_after(reader.again(), token) or set()
        found = [one for one in looked.differences if one.id not in flux and _counts(one, sides.mapping)]
        ids = {str(one.id) for one in found}
        if not found:
            break
    return found


def _counts(one: Difference, mapping: SyncMapping) -> bool:
    """Tell whether liveSync should have mended a difference: what the mapping's policies leave alone is no loss.

    Nor is what the connector's own search leaves out and never had a link: a load leaves it out too.
    """
    if one.kind == MISSING and one.reason == FILTERED and one.target_id is None:
        return False
    if one.equal:
        return False  # it has arrived as it is now
    if one.kind == MISSING:
        return mapping.creates or one.target_id is not None or not one.in_source
    if one.kind == DIFFERING:
        return mapping.updates
    return one.kind == ORPHANED and one.target_id is not None and mapping.removes


def _situation(one: Difference) -> str | None:
    return "SOURCE_MISSING" if one.kind == ORPHANED else None


def _cause(one: Difference) -> str:
    if one.detail and (one.reason != UNKNOWN or not one.in_source) and one.kind != ORPHANED:
        return one.detail
    if one.kind == ORPHANED:
        return f"{one.detail or 'it is gone from the source'}, and its target is still there"
    if one.kind == MISSING:
        return f"liveSync has passed its change, and the target does not have it ({one.detail or 'no link'})"
    return f"liveSync has passed its change, and the target is not as the source: {', '.join(one.properties)}"


def _sentences(found: t.Sequence[Difference]) -> t.Iterator[str]:
    """Yield what has not arrived, each kind with what mends it."""
    kinds = Counter(_kind(one) for one in found)
    for kind, count in kinds.items():
        subject = "1 changed entry has" if count == 1 else f"{count} changed entries have"
        yield f"{subject} not arrived, though liveSync has passed the change: {_MEND[kind]}"


_AWAY = "away"
_MEND = {
    HIDDEN: (
        "the connector's account does not see all of it in the directory. Look for an ACI that denies it, then"
        " reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    FILTERED: (
        "it is not, or no more, what the connector looks for: its base contexts, object classes or search filter. Let"
        " the connector look there; only where it is rightly out, reconcile the whole mapping, which treats it as"
        " SOURCE_MISSING and may delete its target."
    ),
    MISSING: (
        "the target does not have it. Reconcile the records (dropped): idmops.idm.recon with ids; where nothing has"
        " been loaded yet, load (role livesync)."
    ),
    _AWAY: "it is gone from the source, and its target is still there. Reconcile the whole mapping.",
    DIFFERING: (
        "the target is not as the source, and why is not told here: idmops.idm.livesync_verify looks for the reason."
        " Reconcile the records (dropped): idmops.idm.recon with ids."
    ),
}


def _kind(one: Difference) -> str:
    if one.reason == FILTERED:
        return FILTERED
    if one.kind == ORPHANED:
        return _AWAY
    return HIDDEN if one.reason == HIDDEN or not one.in_source else one.kind
