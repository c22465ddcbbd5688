# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether liveSync has handled a change that a comparison cannot tell of, by audit's newest word on the entry.

Each record that liveSync, or a reconciliation, hands to a mapping leaves an entry in audit/sync, or in audit/recon,
whatever becomes of it. Seen on OpenIDM 6.1.0, each with status SUCCESS:

- left out by validSource or sourceCondition: SOURCE_IGNORED with REPORT where it has no link, UNQUALIFIED with the
  policy's action where it has one;
- ABSENT: IGNORE, CONFIRMED: IGNORE, under a condition or not: that situation and action; of a reconciliation too;
- CONFIRMED: UPDATE where the mapping reads nothing of what was changed, where a script makes all, and where a
  property's condition is not met: nothing tells that;
- none at all where a script names no link qualifier for it, with a link or without, by reconById neither.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property

from .._base.context import Context
from .._base.text import few
from .._base.values import as_texts
from .._http.client import Client
from .._idm.audit import (
    SYNC_TOPIC,
    AuditEntry,
    before,
    entries_since,
    has_reconciled,
    kept_topics,
    newest_entry,
    oldest_entry,
    second_of,
    seconds_between,
)
from .._idm.connector import Connector
from .._idm.connector_filters import MODIFIERS, filters_of, normal_name
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.difference import MISSING, Difference
from .._proof.own_entries import OwnEntries
from .dropped import successes_of
from .log_facts import LogReader
from .losses import PASSED_BY, UNHANDLED
from .traceless import ANY_SKEW, LATE, silent_since

#: How long audit gets to write what has just been handled, in seconds.
_PAUSE = 1.0
#: How exactly the difference of two clocks is known that both tell whole seconds, in seconds: a change that follows one
#: which was handled so soon after it is not told from that one.
_WITHIN = 2.0


@dataclass(frozen=True)
class Scene:
    """Whose changes are looked at, and who tells of them.

    :param mappings: those of the source.
    :param token: the change number that the changes lie before.
    :param times: when each entry was changed last, by its id and the directory's clock; None where that is not told.
    :param loaded: when the last load of the source ended, as IDM writes times; "" where that is not known.
    """

    client: Client
    source: Source
    connector: Connector
    mappings: t.Sequence[SyncMapping]
    own: OwnEntries
    reader: LogReader
    token: int
    context: Context
    times: t.Mapping[str, str | None]
    loaded: str = ""

    def passed_by(self, records: t.Collection[str]) -> dict[str, bool]:
        """Return which entries the connector leaves out by whoever changed them last, and whether it is itself."""
        stated = {normal_name(one) for one in as_texts(self.connector.sync_settings.get(MODIFIERS))}
        if not stated or not records:
            return {}
        itself = normal_name(self.connector.principal or "")
        by = {
            record: normal_name(entry.text("modifiersName") or entry.text("creatorsName") or "")
            for record, entry in self.own.entries(sorted(records)).items()
        }
        return {record: name == itself for record, name in by.items() if name in stated}


@dataclass(frozen=True)
class Unsure:
    """A changed entry of which a comparison cannot tell whether the change has arrived.

    :param one: what is so where the change was not handled: MISSING without a link, else the properties that cannot be
        compared, or that a condition may have left alone.
    :param asks: what the conditions of these ask for and the object type does not have; None where it is about none.
    """

    mapping: SyncMapping
    one: Difference
    asks: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by: an entry may be in several mappings."""
        return self.record, self.mapping.name, self.one.kind

    @property
    def record(self) -> str:
        """The entry's id within the source."""
        return str(self.one.id)

    @property
    def expected(self) -> bool:
        """Whether liveSync hands such an entry to the mapping to do something: who is new may never be made by it."""
        return self.mapping.creates if self.one.kind == MISSING else self.mapping.updates

    @property
    def suspicious(self) -> bool:
        """Whether something is seen to be otherwise than in the source."""
        return self.one.kind == MISSING or self.asks is not None


class Words:
    """The newest word of audit on entries of a source, in each mapping."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._newest: dict[tuple[str, str | None], AuditEntry] = {}
        #: Whether audit/sync answers.
        self.answers = True

    def of_all(self) -> None:
        """Ask what was handled since the first of the changes, with one request."""
        scene = self._scene
        since = before(min((time for time in scene.times.values() if time), default=None), ANY_SKEW)
        self._take(entries_since(scene.client, scene.source, since) if since else [])

    def of_these(self, records: t.Iterable[str]) -> None:
        """Ask for some entries."""
        ids = list(dict.fromkeys(records))
        if ids and self.answers:
            self._take(successes_of(self._scene.client, self._scene.source, ids, failures=True))

    def newest(self, record: str, mapping: str) -> AuditEntry | None:
        """Return the newest word on an entry, None where there is none."""
        found = [self._newest.get((record, name)) for name in (mapping, None)]
        return max((one for one in found if one), key=lambda one: one.timestamp, default=None)

    def on_change(self, one: Unsure) -> AuditEntry | None:
        """Return the newest word on an entry where it is not from before the entry's change."""
        word = self.newest(one.record, one.mapping.name)
        age = seconds_between(self.changed(one.record), word.timestamp) if word else None
        return word if age is None or age > -self._offset[1] else None

    def changed(self, record: str) -> str | None:
        """Return when an entry was changed last by IDM's clock, as far as that is known."""
        time = self._scene.times.get(record)
        return before(time, self._offset[0]) if time else None

    @cached_property
    def _offset(self) -> tuple[float, float]:
        """By how many seconds the directory's clock is ahead of IDM's, and how exactly that is known."""
        ahead = seconds_between(self._scene.client.server_time, self._scene.reader.now())
        return (0.0, ANY_SKEW) if ahead is None else (ahead, _WITHIN)

    def _take(self, found: t.Sequence[AuditEntry] | None) -> None:
        self.answers = self.answers and found is not None
        for entry in found or ():
            key = entry.record, entry.mapping
            if key not in self._newest or self._newest[key].timestamp < entry.timestamp:
                self._newest[key] = entry


@dataclass(frozen=True)
class Unhandled:
    """The changes of which audit has no word.

    :param lost: liveSync has never handled them; with why, where that is known.
    :param doubts: of which others that cannot be known, a sentence each.
    :param open: the entries that these are about.
    :param blind: whether they are about what is seen to be otherwise than in the source, and no waiting helps.
    """

    lost: tuple[tuple[Unsure, str], ...] = ()
    doubts: tuple[str, ...] = ()
    open: tuple[Unsure, ...] = ()
    blind: bool = False


def find_unhandled(scene: Scene, words: Words, unsure: t.Iterable[Unsure]) -> Unhandled:
    """Part what liveSync has never handled from what nobody can know of; what came by a load is neither.

    :param words: what audit has told so far.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    loaded = second_of(scene.loaded)
    left = [one for one in unsure if not (words.changed(one.record) or loaded) < loaded]
    if left and words.answers:
        scene.context.clock.sleep(_PAUSE)
        words.of_these(one.record for one in left)
        left = [one for one in left if words.on_change(one) is None]
    if left:  # what comes later brings all of an entry
        ids = [one.record for one in left]
        pending = scene.own.changed_after(scene.reader.again(), scene.token, ids) or set()
        left = [one for one in left if one.record not in pending]
    if not left:
        return Unhandled()
    by_whom = scene.passed_by({one.record for one in left})
    left = [one for one in left if not by_whom.get(one.record)]
    lost: list[tuple[Unsure, str]] = [(one, PASSED_BY) for one in left if one.record in by_whom]
    others = [one for one in left if one.record not in by_whom]
    reasons = _reasons(scene, words, others) if others else {}
    lost += [(one, UNHANDLED) for one in others if not reasons[one.key]]
    open_ones = [one for one in others if reasons[one.key]]
    doubts = tuple(
        _doubt([one for one in open_ones if reasons[one.key] == why], why)
        for why in dict.fromkeys(reasons[one.key] for one in open_ones)
    )
    may_answer = SYNC_TOPIC not in scene.client.silent
    blind = may_answer and any(one.suspicious and reasons[one.key] in _BLIND for one in open_ones)
    return Unhandled(tuple(lost), doubts, tuple(open_ones), blind)


_UNTIMED = "when they were changed is not told"
_YOUNG = "audit has no word of them yet, which may come within a minute"
_NO_AUDIT = "IDM's audit does not answer here"
_NO_QUALIFIER = (
    "a script of the mapping names the link qualifiers, and whoever it names none for leaves no word in audit"
)
_LEFT_OUT = "the connector leaves changes out (filters, attributesToSynchronize), and those leave no word in audit"
_NO_RECON = "IDM keeps no audit of reconciliations, one of which may have brought them over"
_OUT_OF_REACH = "audit does not reach back so far"
#: What somebody can do something about; on Advanced Identity Cloud there is no audit to ask (501).
_BLIND = (_NO_AUDIT,)


def _reasons(scene: Scene, words: Words, those: t.Sequence[Unsure]) -> dict[tuple[str, str, str], str]:
    """Return why it cannot be known that a change was not handled; "" where it was not."""
    if not words.answers:
        return {one.key: _NO_AUDIT for one in those}
    filters = filters_of(scene.connector, scene.source.object_type, scene.mappings, logged=True)
    left_out = any(one.property != MODIFIERS for one in filters) or bool(
        scene.connector.sync_settings.get("attributesToSynchronize")
    )
    told: dict[tuple[str, str, str], str] = {}
    for one in those:
        age = seconds_between(words.changed(one.record), scene.client.server_time)
        if age is None:
            told[one.key] = _UNTIMED
        elif age <= LATE:
            told[one.key] = _YOUNG
        elif one.mapping.qualified:
            told[one.key] = _NO_QUALIFIER
        elif left_out:
            told[one.key] = _LEFT_OUT
    rest = [one for one in those if one.key not in told]
    return {**told, **(_by_reach(scene, {one.key: str(words.changed(one.record)) for one in rest}) if rest else {})}


def _by_reach(scene: Scene, times: t.Mapping[tuple[str, str, str], str]) -> dict[tuple[str, str, str], str]:
    """Return why audit need not have a word of some changes; "" where it should have one.

    :param times: when each was made, by IDM's clock.
    """
    begins = oldest_entry(scene.client, scene.source)
    within = {key for key, time in times.items() if begins and begins.timestamp < time}
    if not within:
        return dict.fromkeys(times, _OUT_OF_REACH)
    topics = kept_topics(scene.client)
    last = next((one.timestamp for one in newest_entry(scene.client, scene.source) or ()), "")
    silent = "" if "sync" in topics else silent_since(scene.source, last)
    brought = "" if "recon" in topics or has_reconciled(scene.client, scene.source) else _NO_RECON
    told = {key: (silent if time >= last else "") or brought for key, time in times.items()}
    return {key: why if key in within else _OUT_OF_REACH for key, why in told.items()}


def _doubt(those: t.Sequence[Unsure], why: str) -> str:
    """Return what is to be said of changes of which nothing can be known, for one reason."""
    unlinked = list(dict.fromkeys(one.record for one in those if one.one.kind == MISSING))
    others = [one for one in those if one.one.kind != MISSING]
    said = []
    if unlinked:
        said.append(
            "Changed entries have no link, and audit does not tell that the mapping leaves them out:"
            f" {few(unlinked)} ({why}). idmops.idm.recon with ids brings over what the mapping lets through."
        )
    if others:
        names = sorted({name for one in others for name in one.one.properties})
        said.append(
            f"Whether changes of {', '.join(names) or 'what its scripts write'} have arrived cannot be known of"
            f" {_of(others)}: they cannot be compared (a script or a condition of the mapping, or nobody may read"
            f" them), and {why}."
        )
    return " ".join(said)


def _of(those: t.Sequence[Unsure]) -> str:
    ids = list(dict.fromkeys(one.record for one in those))
    return f"1 changed entry ({ids[0]})" if len(ids) == 1 else f"{len(ids)} changed entries ({few(ids, 3)})"
