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

from .._base.context import Context
from .._http.client import Client
from .._idm.audit import AuditEntry
from .._idm.connector import Connector
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import MISSING, REFUSED, UNKNOWN, Difference
from .._proof.look import look
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .dropped import Dropped, successes_of
from .log_facts import LogReader, Touched
from .not_arrived import BY_POLICY, LEFT_ALONE, cause_of, counts, sentences_of, situation_of

#: So many changes are looked at, the newest: one filter takes so many ids.
NEWEST = 40
#: So many of those that a run of ours has just taken.
MOST_TAKEN = 1000
#: Situations in which a mapping rightly leaves an entry alone: it is not for this target.
_MEANT = ("UNQUALIFIED", "UNASSIGNED", "SOURCE_IGNORED", "TARGET_IGNORED")
#: Situations of an entry that is for this target, and that nothing brings there as long as they are left alone.
_LOST = ("MISSING", "AMBIGUOUS", "FOUND_ALREADY_LINKED")
#: So many entries below one that was renamed.
_BELOW = 40
#: How long a directory, and IDM, get to be of one mind with themselves, in seconds.
_PAUSE = 1.0
_LEFT_BY_RULE = "By the mapping's own rule, as audit tells, newest changes were left alone: {}."
_MEANT_OR_NOT = "Whether that is meant so cannot be known: a script, or a policy, decides it."
_UNKNOWABLE = "Whether the newest changes have arrived cannot be known"


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
    ruled = _by_rule(client, source, [(mapping, one) for mapping, one in left if one.id not in strange])
    records = tuple(
        Dropped(str(one.id), mapping.name, times.get(str(one.id)), situation or situation_of(one), cause_of(one))
        for mapping, one, situation in ruled.left
    )
    aside = [_LEFT_BY_RULE.format(", ".join(sorted(ruled.meant)))] if ruled.meant else []
    aside += [cut] if cut and not after else []
    aside += [_unseen(len(unseen))] if unseen else []
    aside += [_found_strange(len(strange), own)] if strange else []
    sentences = tuple(sentences_of([one for unused, one, unused_too in ruled.left]))
    compared = frozenset(times) - pending if doubt is None else frozenset()
    if ruled.doubtful:
        said = _LEFT_BY_RULE.format(", ".join(sorted(ruled.doubtful)))
        doubt = " ".join(text for text in (doubt, said, _MEANT_OR_NOT) if text)
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


@dataclass(frozen=True)
class _Ruled:
    """What is left of the differences once audit has told what policies and scripts of the mappings made of them.

    :param left: what has not arrived, each with its mapping, and the situation that a policy leaves alone.
    :param meant: situations with their actions in which an entry is rightly left alone.
    :param doubtful: those in which a script, or a policy of another system, may have meant it.
    """

    left: t.Sequence[tuple[SyncMapping, Difference, str | None]]
    meant: t.Collection[str]
    doubtful: t.Collection[str]


def _by_rule(client: Client, source: Source, left: t.Sequence[tuple[SyncMapping, Difference]]) -> _Ruled:
    """Take out what a policy or a script of the mapping rightly left alone, by the newest word of audit.

    What failed by that word, or was left alone though it is for this target, gets its cause.
    """
    ids = list(dict.fromkeys(str(one.id) for unused, one in left))
    newest: dict[tuple[str, str | None], AuditEntry] = {}
    for entry in successes_of(client, source, ids, failures=True) or () if ids else ():
        key = entry.record, entry.mapping
        if key not in newest or newest[key].timestamp < entry.timestamp:
            newest[key] = entry
    kept: list[tuple[SyncMapping, Difference, str | None]] = []
    meant: set[str] = set()
    doubtful: set[str] = set()
    for mapping, one in left:
        word = newest.get((str(one.id), mapping.name))
        told = f"{word.situation}: {word.action}" if word else ""
        if word is None:
            kept.append((mapping, one, None))
        elif not word.failed and word.action in LEFT_ALONE and word.situation in _LOST:
            detail = f"the mapping leaves it alone ({told})"
            kept.append((mapping, replace(one, reason=BY_POLICY, detail=detail), word.situation))
        elif not word.failed and word.action in LEFT_ALONE:
            (meant if word.situation in _MEANT else doubtful).add(told)
        elif word.failed and one.reason == UNKNOWN and one.in_source:
            kept.append((mapping, replace(one, reason=REFUSED, detail=word.cause), None))
        else:
            kept.append((mapping, one, None))
    return _Ruled(kept, meant, doubtful)


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
        looked = look(sides, own, ids, twins=True)
        if not looked.differences:
            break  # what is pending may be long, and explains nothing
        log = reader.again()
        pending |= own.changed_after(log, token, {str(one.id) for one in looked.differences}) or set()
        token = max(token, log.last) if log else token
        still = [one for one in looked.differences if one.id not in pending]
        found = [one for one in still if counts(one, sides.mapping)]
        unseen |= {str(one.id) for one in still if one.equal}
        ids = {str(one.id) for one in found}
        if not found:
            break
    return _LookedTwice(found, unseen, pending)
