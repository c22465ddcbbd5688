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
from dataclasses import dataclass, replace

from .._base.context import Context
from .._http.client import Client
from .._idm.audit import NO_SITUATION, NO_SITUATION_REMEDY, AuditEntry
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import DIFFERING, DUPLICATE, FILTERED, HIDDEN, MISSING, ORPHANED, REFUSED, UNKNOWN, Difference
from .._proof.look import SECOND_LINK, look
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .dropped import Dropped, successes_of
from .log_facts import LogReader, Touched

#: So many changes are looked at, the newest: one filter takes so many ids.
NEWEST = 40
#: So many of those that a run of ours has just taken.
MOST_TAKEN = 1000
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
    :param doubt: why it cannot be known of all of it, None where it is: then nothing is proved.
    :param aside: what else is to be said, and is no loss; None for nothing.
    :param compared: the ids of the entries of which it is known, whatever became of them.
    """

    records: tuple[Dropped, ...] = ()
    sentences: tuple[str, ...] = ()
    doubt: str | None = None
    aside: str | None = None
    compared: frozenset[str] = frozenset()

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
) -> Unarrived:
    """Compare the entries of the newest changes behind the token with what has become of them.

    :param mappings: those of the source.
    :param known: all mappings.
    :param token: read before this is asked.
    :param after: the change number that the changes come after.
    :param these: other changes, instead of the newest.
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
    cut = None
    if these is None:
        most = MOST_TAKEN if after else NEWEST
        # one more than are looked at tells whether there are more
        these = reader.touched(token, most + 1, after) if taking else []
        if len(these) > most or (after and token - after > MOST_TAKEN):
            cut, these = _cut(min(most, len(these))), these[:most]
    touched = these if taking else []
    doubt = " ".join(text for text in (doubt, cut if after else None) if text) or None
    times = {one.record: one.time for one in touched}
    for one in touched:
        for record in own.below(one.moved_to, _BELOW) if one.moved_to else ():
            times.setdefault(record, one.time)
    if not times:
        return Unarrived(doubt=doubt)
    managed = client.get("config/managed", none_on=(404,)) or {}
    left: list[tuple[SyncMapping, Difference]] = []
    unseen: set[str] = set()
    pending: set[str] = set()
    for mapping in taking:
        schema = TargetSchema.parse(managed, mapping.target.strip("/").partition("/")[2])
        comparison = Comparison.of(mapping, schema, connector.json_types.get(source.object_type, {}))
        sides = Sides.of(client, mapping, comparison, known)
        looked = _look_twice(sides, own, reader, token, times, context)
        left += [(mapping, one) for one in looked.left]
        unseen |= looked.unseen
        pending |= looked.pending
    strange = _no_accounts(own, [one for unused, one in left])
    left, ruled = _by_rule(client, source, [(mapping, one) for mapping, one in left if one.id not in strange])
    records = tuple(
        Dropped(str(one.id), mapping.name, times.get(str(one.id)), _situation(one), _cause(one))
        for mapping, one in left
    )
    aside = (
        [f"By the mapping's own rule, as audit tells, the newest changes were left alone: {ruled}."] if ruled else []
    )
    aside += [cut] if cut and not after else []
    aside += [_unseen(len(unseen))] if unseen else []
    aside += [_found_strange(len(strange), own)] if strange else []
    sentences = tuple(_sentences([one for unused, one in left]))
    compared = frozenset(times) - pending if doubt is None else frozenset()
    return Unarrived(records, sentences, doubt, " ".join(aside) or None, compared)


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


def _not_compared(mappings: t.Sequence[SyncMapping]) -> str | None:
    """Return of which mappings it cannot be known what has arrived, None for none."""
    why = "it has a queue, keeps no links, or nobody knows whether it is on"
    names = ", ".join(one.name for one in mappings)
    return f"{_UNKNOWABLE} by {names}: {why}. idmops.idm.livesync_verify compares all." if mappings else None


def _unseen(count: int) -> str:
    """Return what is to be said of entries that have arrived and that IDM does not see any more."""
    entries = "1 of the newest changed entries has" if count == 1 else f"{count} of the newest changed entries have"
    return (
        f"{entries} arrived and cannot be seen through the connector now (an ACI, or the connector's own search): no"
        " further change of it will arrive, and a reconciliation of the whole mapping would take it for gone"
        " (SOURCE_MISSING). Let the connector's account see it before any such reconciliation."
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


def _by_rule(
    client: Client, source: Source, left: list[tuple[SyncMapping, Difference]]
) -> tuple[list[tuple[SyncMapping, Difference]], str]:
    """Take out what a policy or a script of the mapping left alone, by the newest word of audit; tell what that was.

    What failed by that word gets its cause.

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
        elif word and word.failed and one.reason == UNKNOWN and one.in_source:
            kept.append((mapping, replace(one, reason=REFUSED, detail=word.cause)))
        else:
            kept.append((mapping, one))
    return kept, ", ".join(sorted(ruled))


@dataclass(frozen=True)
class _LookedTwice:
    """What two looks have found.

    :param left: what differs.
    :param unseen: the ids of what has arrived, and that IDM does not see.
    :param pending: the ids of what changes that are still to come touch.
    """

    left: list[Difference]
    unseen: set[str]
    pending: set[str]


def _look_twice(
    sides: Sides,
    own: OwnEntries,
    reader: LogReader,
    token: int,
    ids: t.Collection[str],
    context: Context,
) -> _LookedTwice:
    """Return what differs at two looks, and no change that is pending explains."""
    found: list[Difference] = []
    unseen: set[str] = set()
    pending: set[str] = set()
    for again in (False, True):
        if again:
            context.clock.sleep(_PAUSE)
        looked = look(sides, own, ids)
        if not looked.differences:
            break  # what is pending may be long, and explains nothing
        log = reader.again()
        pending |= own.changed_after(log, token, {str(one.id) for one in looked.differences}) or set()
        token = max(token, log.last) if log else token
        still = [one for one in looked.differences if one.id not in pending]
        found = [one for one in still if _counts(one, sides.mapping)]
        unseen |= {str(one.id) for one in still if one.equal}
        ids = {str(one.id) for one in found}
        if not found:
            break
    return _LookedTwice(found, unseen, pending)


def _counts(one: Difference, mapping: SyncMapping) -> bool:
    """Tell whether liveSync should have mended a difference: what the mapping's policies leave alone is no loss.

    Nor is what the connector's own search leaves out and never had a link: a load leaves it out too.
    """
    if one.kind == MISSING and one.reason == FILTERED and one.target_id is None:
        return False
    if one.equal:
        return False  # it has arrived as it is now
    if one.kind == DUPLICATE:
        return one.detail == SECOND_LINK or bool(one.spare_links)
    if one.kind == MISSING:
        return mapping.creates or one.target_id is not None or not one.in_source
    if one.kind == DIFFERING:
        return mapping.updates
    return one.kind == ORPHANED and one.target_id is not None and mapping.removes


def _situation(one: Difference) -> str | None:
    return "SOURCE_MISSING" if one.kind == ORPHANED else None


def _cause(one: Difference) -> str:
    if one.kind == DUPLICATE and one.detail == SECOND_LINK:
        return f"{one.detail}, to {one.target_id}: it is in the target twice"
    if one.kind == DUPLICATE:
        return str(one.detail)
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
        if kind == DUPLICATE:
            yield f"{subject} arrived twice, {_MEND[kind]}"
        elif kind == _LEFT_LINK:
            yield f"{subject} {_MEND[kind]}"
        else:
            yield f"{subject} not arrived, though liveSync has passed the change: {_MEND[kind]}"


_UNKNOWABLE = "Whether the newest changes have arrived cannot be known"
_AWAY, _UNDECIDED, _LEFT_LINK = "away", "undecided", "left link"
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
    _LEFT_LINK: (
        "a link that is too many: to an object that is gone from the target, or once more to the same one. Delete that"
        " link first (DELETE repo/link/<id> with its revision in If-Match; livesync_verify names it in link_ids): each"
        " change of an entry with two links fails, and a reconciliation before that would make one more. Then reconcile"
        " the records (dropped): idmops.idm.recon with ids."
    ),
    _UNDECIDED: (
        f"{NO_SITUATION}. {NO_SITUATION_REMEDY} Then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    DUPLICATE: (
        "with two links of one mapping, as where two runs met (dropped names the second target): see that one schedule"
        " alone runs the source; delete that link first (repo/link), so that the removal reaches nobody else, then the"
        " target that is too many."
    ),
    _AWAY: "it is gone from the source, and its target is still there. Reconcile the whole mapping.",
    REFUSED: (
        "IDM refuses it (dropped has each cause). Mend the record or the mapping, then reconcile the records (dropped):"
        " idmops.idm.recon with ids."
    ),
    DIFFERING: (
        "the target is not as the source, and why is not told here: idmops.idm.livesync_verify looks for the reason."
        " See first that the mapping and the connector's object type are as they are meant to be, since a"
        " reconciliation writes what they say now, and empties what they read no value for. Then reconcile the records"
        " (dropped): idmops.idm.recon with ids."
    ),
}


def _kind(one: Difference) -> str:
    if one.reason == FILTERED:
        return FILTERED
    if one.detail == NO_SITUATION:
        return _UNDECIDED
    if one.kind == ORPHANED:
        return _AWAY
    if one.reason == HIDDEN or not one.in_source:
        return HIDDEN
    if one.spare_links and one.detail != SECOND_LINK:
        return _LEFT_LINK
    return REFUSED if one.reason == REFUSED else one.kind
