# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the newest changes behind the token have arrived: the evidence, where all else are signs.

An entry that an ACI hides, one that a rename brought into the connector's base contexts or took out of them, a change
that the connector leaves out: liveSync passes them all by, and nothing tells of it (each seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from functools import partial

from .._base.context import Context
from .._http.client import Client
from .._idm.audit import before, second_of
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping, read_managed
from .._idm.source import Source
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import MISSING, UNKNOWN, Difference
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .by_rule import by_rule
from .dropped import Dropped
from .handled import Scene, Unsure
from .log_facts import LogReader
from .looked import look_twice, unsure_of
from .losses import NOT_LOADED, Loss, cause_of, emptied_by, forbids, sentences_of, situation_of
from .touched import Touched

#: Tells config/managed.
Managed = t.Callable[[], t.Mapping[str, t.Any]]
#: So many changes are looked at, the newest: one filter takes so many ids.
NEWEST = 40
#: So many of those that a run of ours has just taken.
MOST_TAKEN = 1000
_UNKNOWABLE = "Whether the newest changes have arrived cannot be known"
#: A load may take a day (the default of wait_timeout), in seconds: what is changed meanwhile does not come by it.
_LONGEST_LOAD = 86400.0


@dataclass(frozen=True)
class Unarrived:
    """What has not arrived.

    :param records: as the dropped ones are told.
    :param sentences: what it is, and what mends it.
    :param doubt: why it cannot be known of all of it, None where it is: then nothing is proved.
    :param aside: what else is to be said, and is no loss; None for nothing.
    :param compared: the ids of the entries of which it is known, whatever became of them.
    :param forbidding: whether a sentence tells of something that has to be mended before anything is reconciled.
    :param cut: whether there are more changes than were looked at.
    :param since: up to which change number all was seen to have arrived before, as far as that goes on to these; 0
        where that was not noted, None where what was noted is not known to be of this change log.
    :param denied: whether IDM does not let the account read what would tell, or that does not answer, or it is more
        than is looked at.
    :param uncompared: of which properties audit alone tells that their changes were handled, in a sentence.
    :param differences: what ``records`` tell of, as a comparison has it.
    """

    records: tuple[Dropped, ...] = ()
    sentences: tuple[str, ...] = ()
    doubt: str | None = None
    aside: str | None = None
    compared: frozenset[str] = frozenset()
    forbidding: bool = False
    cut: bool = False
    since: int | None = 0
    denied: bool = False
    uncompared: str | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all that was to be looked at has arrived, for all that can be known."""
        return not (self.records or self.sentences or self.doubt or self.cut)

    @property
    def said(self) -> str | None:
        """What is to be said beside what has not arrived, None for nothing."""
        return " ".join(text for text in (self.doubt, self.aside) if text) or None


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
    these: t.Sequence[Touched] | None = None,
    loaded: str = "",
    most: int | None = None,
    shown: str = "",
    unloaded: t.Collection[str] = (),
    seen: int = 0,
    managed: Managed | None = None,
) -> Unarrived:
    """Compare the entries of the newest changes behind the token with what has become of them.

    :param mappings: those of the source.
    :param known: all mappings.
    :param token: read before this is asked.
    :param after: the change number that the changes come after.
    :param these: other changes, instead of the newest.
    :param loaded: when the last load of the source ended, as IDM writes times; "" where that is not known. What is
        older than that by the time that a load may take came by it.
    :param most: how many are looked at, NEWEST unless told; more where one of them has not arrived, and all that came
        after ``after``.
    :param shown: when more than MOST_TAKEN entries were compared and were as they should be, as IDM writes times.
    :param unloaded: the mappings of which nobody knows that what was there before was brought over.
    :param seen: up to which change number all was seen to have arrived before.
    :param managed: tells config/managed, where several sources are looked at.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    on = [one for one in mappings if one.sync_enabled is not False]
    if reader.directory is None or not on:
        return Unarrived()
    own = OwnEntries.of(reader.directory, connector, source.object_type)
    if own is None or own.uid.lower() != "entryuuid":
        return Unarrived(doubt=_cannot_compare(own))
    taking = [one for one in on if one.sync_enabled and one.links_objects and not one.queue]
    doubt = _not_compared([one for one in on if one not in taking])
    cut, newest = False, these is None
    most = MOST_TAKEN if after else most or NEWEST
    if these is None:
        # one more than are looked at tells whether there are more
        these = reader.touched(token, most + 1, after) if taking else []
        loaded_before = before(loaded, _LONGEST_LOAD) if loaded else None
        came_by_load = loaded_before and len(these) > most and (these[most].time or loaded_before) < loaded_before
        cut = bool(len(these) > most or (after and token - after > MOST_TAKEN)) and not came_by_load
        these = these[:most]
    touched = these if taking else []
    times = {one.record: one.time for one in touched}
    there = {one.record for one in touched if one.removed is False}
    beyond = ""
    for one in touched:
        below = own.below(one.moved_to, MOST_TAKEN + 1) if one.moved_to else []
        if one.moved_to and len(below) > MOST_TAKEN and (not one.time or one.time >= second_of(shown)):
            beyond = _BEYOND.format(f"{MOST_TAKEN:,}", one.moved_to)
        times.update({record: one.time for record in below[:MOST_TAKEN] if record not in times})
    doubt = " ".join(text for text in (doubt, beyond, _cut(len(times)) if cut and after else None) if text) or None
    outside = reader.strays(token, MOST_TAKEN if after else NEWEST, after) if taking and newest else []
    strays = {one.record: one.time for one in outside if one.record not in times}
    if not (times or strays):
        return Unarrived(doubt=doubt)
    managed = managed or partial(read_managed, client)
    described = managed()
    left: list[tuple[SyncMapping, Difference]] = []
    unseen: set[str] = set()
    pending: set[str] = set()
    keyless: list[str] = []
    unsure: list[Unsure] = []
    made: set[str] = set()
    for mapping in taking:
        schema = TargetSchema.parse(described, mapping.target.strip("/").partition("/")[2])
        comparison = Comparison.of(mapping, schema, connector.json_types.get(source.object_type, {}))
        sides = Sides.of(client, mapping, comparison, known)
        keyless += [] if comparison.unique else [mapping.name]
        looked = look_twice(sides, own, reader, token, times, there, context, strays)
        left += [(mapping, one) for one in looked.left]
        changed = {one.record for one in touched}  # those below a name that was changed were not
        unsure += unsure_of(mapping, comparison, looked, changed, connector.native_names.get(source.object_type))
        made |= comparison.made
        unseen |= set(looked.unseen)
        pending |= looked.pending
    times.update({str(one.id): strays[str(one.id)] for unused, one in left if one.id in strays})
    strange = _no_accounts(own, [one for unused, one in left])
    scene = Scene(client, source, connector, mappings, own, reader, token, context, times, loaded)
    lost, ruled = by_rule(scene, [(mapping, one) for mapping, one in left if one.id not in strange], unsure)
    if newest and cut and lost and most < MOST_TAKEN:
        # where some are lost there may be as many as nobody has counted
        return read_unarrived(
            client,
            source,
            connector,
            mappings,
            known,
            reader,
            token,
            context,
            loaded=loaded,
            most=MOST_TAKEN,
            shown=shown,
            unloaded=unloaded,
            seen=seen,
            managed=managed,
        )
    lost = [_unless_loaded(one, unloaded) for one in lost]
    emptied = None
    if newest:  # what the change log hides is told entry by entry
        lost, emptied = emptied_by(lost)
    # the oldest first: who mends as many as are shown finds the others among the newest
    lost.sort(key=lambda loss: times.get(str(loss.one.id)) or "")
    records = tuple(
        Dropped(str(one.one.id), one.mapping.name, times.get(str(one.one.id)), situation_of(one), cause_of(one))
        for one in lost
    )
    here = set(times) - pending
    aside = [ruled.aside(here)]
    aside += [_keyless(keyless)] if keyless else []
    aside += [_cut(len(times))] if cut and not after and (lost or seen < token) else []
    unseen -= {str(one.one.id) for one in lost} | {one.record for one in ruled.unhandled.open}
    aside += [_unseen(len(unseen), own)] if unseen else []
    aside += [_found_strange(len(strange), own)] if strange else []
    forbidding = emptied is not None or any(map(forbids, lost))
    sentences = (*([emptied] if emptied else []), *sentences_of(lost))
    sentences += (_more(len(times)),) if cut and lost else ()
    compared = frozenset(here) if doubt is None else frozenset()
    doubt = " ".join(text for text in (doubt, ruled.doubt(here)) if text) or None
    return Unarrived(
        records,
        sentences,
        doubt,
        " ".join(text for text in aside if text) or None,
        compared,
        forbidding,
        cut,
        denied=ruled.unhandled.blind or bool(beyond),
        uncompared=_made(made) if made else None,
        differences=tuple(loss.one for loss in lost),
    )


def _unless_loaded(loss: Loss, unloaded: t.Container[str]) -> Loss:
    """Return a loss; where it may be one of many that nobody has loaded, as that."""
    one = loss.one
    bare = one.kind == MISSING and one.reason == UNKNOWN and one.target_id is None and not (loss.rule or one.detail)
    return replace(loss, one=replace(one, detail=NOT_LOADED)) if bare and loss.mapping.name in unloaded else loss


def _cannot_compare(own: OwnEntries | None) -> str:
    """Return why the newest changes cannot be compared with the target."""
    why = "the connector's configuration does not tell which entries it looks for"
    if own is not None:
        why = f"the connector knows entries by {own.uid} (uidAttribute), and the change log by entryUUID"
    return f"{_UNKNOWABLE}: {why}. idmops.idm.livesync_verify compares all."


def _cut(count: int) -> str:
    """Return what is to be said where more entries were changed than are looked at."""
    return (
        f"Of the entries that were changed, the newest {count} were compared with the target; whether the others have"
        " arrived idmops.idm.livesync_verify tells."
    )


_BEYOND = (
    f"{_UNKNOWABLE}: more than {{}} entries lie below {{}}, which has got that name. Reconcile the whole mapping"
    " (idmops.idm.recon), then compare all: idmops.idm.livesync_verify with sample: 0 and note: true."
)


def _more(count: int) -> str:
    """Return what is to be said where some are lost, and more were changed than are looked at."""
    return (
        f"There may be more of them: only the newest {count} changed entries were compared. idmops.idm.livesync_verify"
        " compares all; where many are missing, reconcile the whole mapping."
    )


def _made(names: t.Iterable[str]) -> str:
    """Return of which properties a comparison does not tell whether they have arrived."""
    return (
        f"Not compared, since a script makes them or nobody may read them: {', '.join(sorted(names))}; that their"
        " changes were handled audit tells, as far as it does."
    )


def _not_compared(mappings: t.Sequence[SyncMapping]) -> str | None:
    """Return of which mappings it cannot be known what has arrived, None for none."""
    why = "it has a queue, keeps no links, or nobody knows whether it is on"
    names = ", ".join(one.name for one in mappings)
    return f"{_UNKNOWABLE} by {names}: {why}. idmops.idm.livesync_verify compares all." if mappings else None


def _keyless(names: t.Sequence[str]) -> str:
    """Return of which mappings it cannot be known whether the target has somebody twice."""
    return (
        f"Whether the target has somebody twice cannot be known by {', '.join(names)}: what is copied holds neither"
        " userName nor another property of the target with the policy unique."
    )


def _unseen(count: int, own: OwnEntries) -> str:
    """Return what is to be said of entries that have arrived and that IDM does not see any more."""
    entries = "1 of the newest changed entries has" if count == 1 else f"{count} of the newest changed entries have"
    return (
        f"{entries} arrived and cannot be seen through the connector now (an ACI, the connector's own search, or its"
        f" object classes, {own.classes}): no further change of it will arrive, and a reconciliation of the whole"
        " mapping would take it for gone (SOURCE_MISSING). Let the connector see it before any such reconciliation."
    )


def _no_accounts(own: OwnEntries, found: t.Iterable[Difference]) -> set[str]:
    """Return the ids of unlinked entries that the connector finds, and whose object classes it does not look for.

    A search filter stands in place of the object classes: with (!(uid=user.1*)) the container above the people was
    listed as an account, and liveSync left its changes out (seen on OpenIDM 6.1.0).
    """
    if own.narrowing is None:
        return set()
    new = [str(one.id) for one in found if one.kind == MISSING and one.in_source and one.target_id is None]
    entries = own.entries(new)
    return set(own.elsewhere([one for one in new if one not in entries]))


def _found_strange(count: int, own: OwnEntries) -> str:
    """Return what is to be said of entries that are found and are not what the object type stands for."""
    name = own.narrowing[0] if own.narrowing else "its search filter"
    entries = "1 of the newest changed entries has" if count == 1 else f"{count} of the newest changed entries have"
    return (
        f"{entries} not all object classes that the connector looks for, and the connector finds them all the same,"
        f" since {name} stands in their place: liveSync leaves them out, and a load would bring them over, as people."
        f" Put the object classes into {name} too, as in (&(objectClass=inetOrgPerson)...)."
    )
