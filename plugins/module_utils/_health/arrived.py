# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the newest changes behind the token have arrived: the evidence, where all else are signs.

An entry that an ACI hides, one that a rename brought into the connector's base contexts or took out of them, a change
that the connector leaves out: liveSync passes them all by, and nothing tells of it (each seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.text import few
from .._http.client import Client
from .._idm.audit import before, second_of
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import DIFFERING, DUPLICATE, FILTERED, HIDDEN, MISSING, ORPHANED, UNLINKED, Difference
from .._proof.look import SECOND_LINK, TWINS, look, not_gone
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .by_rule import by_rule
from .dropped import Dropped
from .log_facts import LogReader
from .losses import cause_of, emptied_by, forbids, sentences_of, situation_of
from .touched import Touched

#: So many changes are looked at, the newest: one filter takes so many ids.
NEWEST = 40
#: So many of those that a run of ours has just taken.
MOST_TAKEN = 1000
_UNKNOWABLE = "Whether the newest changes have arrived cannot be known"
#: A load may take a day (the default of wait_timeout), in seconds: what is changed meanwhile does not come by it.
_LONGEST_LOAD = 86400.0
#: How long a directory, and IDM, get to be of one mind with themselves, in seconds.
_PAUSE = 1.0


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
        where that is not known.
    :param denied: whether IDM does not let the account read what would tell, or it is more than is looked at.
    """

    records: tuple[Dropped, ...] = ()
    sentences: tuple[str, ...] = ()
    doubt: str | None = None
    aside: str | None = None
    compared: frozenset[str] = frozenset()
    forbidding: bool = False
    cut: bool = False
    since: int = 0
    denied: bool = False

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
    if not times:
        return Unarrived(doubt=doubt)
    managed = client.get("config/managed", none_on=(404,)) or {}
    left: list[tuple[SyncMapping, Difference]] = []
    unseen: set[str] = set()
    pending: set[str] = set()
    keyless: list[str] = []
    unlinked: list[tuple[SyncMapping, str]] = []
    doubts: list[str] = []
    made: set[str] = set()
    for mapping in taking:
        schema = TargetSchema.parse(managed, mapping.target.strip("/").partition("/")[2])
        comparison = Comparison.of(mapping, schema, connector.json_types.get(source.object_type, {}))
        sides = Sides.of(client, mapping, comparison, known)
        keyless += [] if comparison.unique else [mapping.name]
        looked = _look_twice(sides, own, reader, token, times, there, context)
        left += [(mapping, one) for one in looked.left]
        unlinked += [(mapping, one) for one in sorted(looked.unlinked)]
        doubts += [_left_alone(mapping, looked.left_alone)] if looked.left_alone else []
        doubts += [] if comparison.copied else [_NOTHING_COPIED.format(mapping.name)]
        made |= comparison.made
        unseen |= looked.unseen
        pending |= looked.pending
    strange = _no_accounts(own, [one for unused, one in left])
    lost, ruled = by_rule(
        client, source, [(mapping, one) for mapping, one in left if one.id not in strange], unlinked, times
    )
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
        )
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
    aside += [_made(made)] if made else []
    aside += [_cut(len(times))] if cut and not after else []
    aside += [_unseen(len(unseen), own)] if unseen else []
    aside += [_found_strange(len(strange), own)] if strange else []
    forbidding = emptied is not None or any(map(forbids, lost))
    sentences = (*([emptied] if emptied else []), *sentences_of(lost))
    sentences += (_more(len(times)),) if cut and lost else ()
    compared = frozenset(here - set(ruled.untold)) if doubt is None else frozenset()
    doubt = " ".join(text for text in (doubt, *doubts, ruled.doubt(here)) if text) or None
    return Unarrived(
        records,
        sentences,
        doubt,
        " ".join(text for text in aside if text) or None,
        compared,
        forbidding,
        cut,
        denied=bool(beyond),
    )


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
    """Return of which properties it is not known whether they have arrived."""
    return f"Not compared, since a script makes them or nobody may read them: {', '.join(sorted(names))}."


_NOTHING_COPIED = f"{_UNKNOWABLE} by {{}}: it copies no property plainly. idmops.idm.livesync_verify compares no more."


def _left_alone(mapping: SyncMapping, found: t.Mapping[str, t.Sequence[str]]) -> str:
    """Return what is to be said of properties that a condition may have left as they were."""
    names = sorted({name for properties in found.values() for name in properties})
    return (
        f"{', '.join(names)} of changed entries is not as in the source ({few(sorted(found))}): the mapping"
        f" {mapping.name} takes it under a condition, and whether that is rightly not met cannot be known here. Where"
        " it is not, correct the condition of that property, then reconcile them: idmops.idm.recon with ids."
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


@dataclass(frozen=True)
class _LookedTwice:
    """What two looks have found.

    :param left: what differs.
    :param unseen: the ids of what has arrived, and that IDM does not see.
    :param pending: the ids of what changes that are still to come touch.
    :param unlinked: the ids of what has no link, and a condition or a script of the mapping may leave out.
    :param left_alone: the properties that a condition may have left as they were, by the ids.
    """

    left: list[Difference]
    unseen: set[str]
    pending: set[str]
    unlinked: set[str]
    left_alone: dict[str, tuple[str, ...]]


def _look_twice(
    sides: Sides,
    own: OwnEntries,
    reader: LogReader,
    token: int,
    ids: t.Collection[str],
    there: t.Collection[str],
    context: Context,
) -> _LookedTwice:
    """Return what differs at two looks, and no change that is pending explains.

    :param there: the ids of entries whose newest change has not removed them.
    """
    found: list[Difference] = []
    unseen: set[str] = set()
    pending: set[str] = set()
    unlinked: set[str] = set()
    left_alone: dict[str, tuple[str, ...]] = {}
    for again in (False, True):
        if again:
            context.clock.sleep(_PAUSE)
        looked = look(sides, own, ids, twins=True)
        asked = {str(one.id) for one in looked.differences}
        asked |= set() if again else looked.left_out | set(looked.left_alone)
        if not asked:
            found = []
            break  # what is pending may be long, and explains nothing
        log = reader.again()
        pending |= own.changed_after(log, token, asked) or set()
        token = max(token, log.last) if log else token
        still = [not_gone(one, there, own) for one in looked.differences if one.id not in pending]
        found = [one for one in still if _counts(one, sides.mapping)]
        unseen |= {str(one.id) for one in still if one.equal}
        if not again:
            unlinked, left_alone = looked.left_out, looked.left_alone
        ids = {str(one.id) for one in found}
        if not found:
            break
    return _LookedTwice(
        found,
        unseen,
        pending,
        unlinked - pending,
        {one: names for one, names in left_alone.items() if one not in pending},
    )


def _counts(one: Difference, mapping: SyncMapping) -> bool:
    """Tell whether liveSync should have mended a difference: what the mapping's policies leave alone is no loss.

    Nor is what the connector's own search leaves out and never had a link: a load leaves it out too.
    """
    if one.kind == MISSING and one.reason == FILTERED and one.target_id is None:
        return False
    if one.equal:
        return False  # it has arrived as it is now
    if one.kind == DUPLICATE:
        return one.detail in (SECOND_LINK, *TWINS) or bool(one.spare_links)
    if one.kind == UNLINKED:
        return not mapping.selective  # else a script may have left it out, as in a look at one that is missing
    if one.kind == MISSING:
        return True  # where the mapping makes nobody new, audit's word decides
    if one.kind == DIFFERING:
        return mapping.updates
    if one.kind == ORPHANED and one.reason == HIDDEN:
        return True  # what has become of it nobody can see
    return one.kind == ORPHANED and one.target_id is not None and mapping.removes
