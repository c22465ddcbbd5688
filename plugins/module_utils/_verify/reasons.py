# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why something did not arrive, where that can be known. What cannot be known is unknown, never guessed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from functools import cached_property

from .._base.errors import Refused
from .._base.filters import any_of
from .._base.values import as_bool, as_dict, as_list, as_text, as_texts
from .._changelog.log import as_time
from .._health.dropped import Dropped, read_dead_letters, successes_of
from .._health.losses import LEFT_ALONE
from .._health.traceless import ANY_SKEW
from .._http.client import Client
from .._idm.audit import CONFIG_TOPIC, AuditEntry, ask_audit, seconds_between
from .._idm.connector_config import Connector
from .._idm.connector_filters import bracketed, sync_filter
from .._idm.entries import kept_failures
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._ldap.directory import Entry
from .._ldap.dn import Name, is_within_any
from .._proof.comparison import Comparison
from .._proof.difference import (
    DIFFERING,
    FILTERED,
    MAPPING_OFF,
    MISSING,
    ORPHANED,
    REFUSED,
    UNKNOWN,
    UNLINKED,
    Difference,
)
from .._proof.own_entries import OwnEntries
from .._recon.run import ACTIVE, MOST_FAILURES, EntryFailure
from .._recon.watch import list_runs

#: So many changes of the mappings are looked through, the newest.
_MOST_CHANGES = 200
#: Of so many entries audit is asked whether a rule leaves them out.
_MOST_ASKED = 400
#: So many differences are looked at together: what the directory has of them is not kept for longer.
_AT_ONCE = 1000


@dataclass(frozen=True)
class Reasons:
    """Finds the reasons of one mapping's differences.

    :param connector: that of the source, None where it is not known.
    :param own: the directory itself, None where it is not asked.
    """

    client: Client
    source: Source
    mapping: SyncMapping
    comparison: Comparison
    connector: Connector | None
    own: OwnEntries | None

    def of(self, found: t.Sequence[Difference]) -> list[Difference]:
        """Return the differences, each with its reason.

        :raises Unreachable, DirectoryError: as the servers.
        """
        parts = (found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE))
        return [one for part in parts for one in self._of_some(part)]

    def _of_some(self, found: t.Sequence[Difference]) -> list[Difference]:
        ids = list(dict.fromkeys(one.id for one in found if one.id is not None))
        entries = self.own.entries(ids) if self.own and ids else {}
        words = self._words(ids)
        refusals = self._refusals(ids, words)
        off = self._off_periods if entries else None
        passed = self._passed(list(entries))
        told: list[Difference] = []
        for one in found:
            entry = entries.get(one.id or "")
            if entry is not None:
                one = replace(one, dn=entry.dn)
            refused = refusals.get(one.id or "")
            if one.reason != UNKNOWN:
                told.append(one)
            elif one.kind == ORPHANED and refused:
                told.append(replace(one, reason=REFUSED, detail=refused))
            elif one.kind in (MISSING, DIFFERING, UNLINKED):
                told.append(self._of_one(one, entry, refusals, off, passed, (words or {}).get(one.id or "")))
            else:
                told.append(one)
        return told

    def _of_one(
        self,
        one: Difference,
        entry: Entry | None,
        refusals: t.Mapping[str, str],
        off: t.Sequence[tuple[str, str]] | None,
        passed: t.Collection[str],
        word: AuditEntry | None,
    ) -> Difference:
        changed = as_time(entry.text("modifyTimestamp") or entry.text("createTimestamp")) if entry else None
        if refused := refusals.get(one.id or ""):
            return replace(one, reason=REFUSED, detail=refused)
        if self.mapping.sync_enabled is False:
            return replace(
                one, reason=MAPPING_OFF, detail="enableSync is false: liveSync takes its changes and drops them"
            )
        absent = one.kind == MISSING and one.target_id is None and one.detail is None
        ignored = (absent and not self.mapping.creates) or (one.kind == DIFFERING and not self.mapping.updates)
        if ignored:
            situation = "ABSENT" if one.kind == MISSING else "CONFIRMED"
            detail = f"the mapping's policy for {situation} is {self.mapping.actions[situation]}"
            return replace(one, reason=FILTERED, detail=detail, ruled=True)
        if word and _leaves_alone(word) and (seconds_between(changed, word.timestamp) or 0.0) > -ANY_SKEW:
            detail = f"the mapping's own rule leaves it alone, as audit tells: {word.situation}: {word.action}"
            return replace(one, reason=FILTERED, detail=f"{one.detail}; {detail}" if one.detail else detail, ruled=True)
        if filtered := self._filtered(one, entry, passed):
            return replace(one, reason=FILTERED, detail=filtered)
        # an entry tells seconds, so that of the second in which the mapping was switched nothing is known
        during = next((span for span in off or () if changed and span[0][:19] < changed[:19] < span[1][:19]), None)
        if during:
            return replace(
                one,
                reason=MAPPING_OFF,
                detail=f"it changed at {changed}, while enableSync of the mapping was false (to {during[1]})",
            )
        return replace(one, reason=UNKNOWN)

    def ruled_out(self, ids: t.Collection[str]) -> int | None:
        """Return of how many entries audit's newest word says that a rule of the mapping leaves them alone.

        :returns: None where there are none, or too many to ask for, or audit does not answer.
        """
        words = self._words(sorted(ids)) if 0 < len(ids) <= _MOST_ASKED else None
        return None if words is None else sum(1 for word in words.values() if _leaves_alone(word))

    def _words(self, ids: t.Sequence[str]) -> dict[str, AuditEntry] | None:
        """Return the newest word of audit on each of some records, None where it does not answer."""
        told = successes_of(self.client, self.source, ids, failures=True) if ids else []
        newest: dict[str, AuditEntry] = {}
        for entry in told or ():
            if entry.mapping not in (None, self.mapping.name):
                continue
            if entry.record not in newest or newest[entry.record].timestamp < entry.timestamp:
                newest[entry.record] = entry
        return None if told is None else newest

    def _refusals(self, ids: t.Sequence[str], words: t.Mapping[str, AuditEntry] | None) -> dict[str, str]:
        """Return why IDM refused records, as audit and the dead letter queue tell: the newest word on each counts.

        Where audit does not answer, as on Advanced Identity Cloud, reconciliations that have kept their entries tell.

        :param words: those of audit, None where it does not answer.
        """
        if not ids:
            return {}
        found: dict[str, str] = {}
        if words is None:
            found.update((record, self._kept[record]) for record in ids if record in self._kept)
        for record, entry in (words or {}).items():
            if entry.failed:
                situation = f", situation {entry.situation}" if entry.situation else ""
                found[record] = (
                    f"{(entry.cause or 'no cause is told').rstrip('.')} (audit, {entry.timestamp}{situation})"
                )
        for letter in self._letters:
            if letter.record not in found:
                found[letter.record] = f"{letter.cause or 'no cause is told'} (dead letter queue)"
        return found

    @cached_property
    def _kept(self) -> dict[str, str]:
        """Why the newest reconciliation of each record refused it, as far as such runs have kept their entries.

        They have where they were started with persistAssociations=true ("Advanced Identity Cloud as others met it
        live", section 4). A run of all that has kept nothing hides what older ones tell.
        """
        try:
            runs = [run for run in list_runs(self.client, self.mapping.name) if run.state != ACTIVE]
        except Refused:
            return {}
        found: dict[str, str | None] = {}
        for run in reversed(runs):
            kept = kept_failures(self.client, run.id, MOST_FAILURES) if run.failed else []
            for failure in filter(lambda one: one.in_source, map(EntryFailure.parse, kept)):
                situation = f", situation {failure.situation}" if failure.situation else ""
                found.setdefault(failure.record, f"{failure.reason.rstrip('.')} (reconciliation {run.id}{situation})")
            if not run.source_ids:
                break
            for record in run.source_ids:
                found.setdefault(record, None)
        return {record: why for record, why in found.items() if why}

    @cached_property
    def _letters(self) -> list[Dropped]:
        try:
            return [letter for unused, letter in read_dead_letters(self.client, self.source)]
        except Refused:
            return []

    @cached_property
    def _off_periods(self) -> list[tuple[str, str]] | None:
        """Return from when to when liveSync did not use the mapping, as audit/config tells; None where it does not."""
        names = ["sync", f"mapping/{self.mapping.name}"]
        changes = ask_audit(
            self.client, CONFIG_TOPIC, any_of("objectId", names), order="-timestamp", size=_MOST_CHANGES
        )
        if changes is None:
            return None
        spans: list[tuple[str, str]] = []
        since: str | None = None
        for change in sorted(changes, key=lambda one: str(one.get("timestamp"))):
            before, after = (self._is_on(change.get(side)) for side in ("before", "after"))
            time = str(change.get("timestamp"))
            if after is False and since is None:
                since = time
            if after and (since or before is False):
                spans.append((since or "", time))
                since = None
        return spans

    def _is_on(self, document: t.Any) -> bool | None:
        """Tell whether a document of the configuration has the mapping on, None where it is not in there."""
        stated = as_dict(document)
        items = [stated, *map(as_dict, as_list(stated.get("mappings")))]
        mine = next((item for item in items if item.get("name") == self.mapping.name), None)
        return None if mine is None else as_bool(mine.get("enableSync", True)) is not False

    def _passed(self, ids: t.Sequence[str]) -> set[str]:
        """Return the entries that the connector's filter of changes lets pass; all where it has none."""
        stated = sync_filter(self.connector, self.source.object_type) if self.connector else None
        wanted = bracketed(as_text(stated[1])) if stated else None
        if self.own is None or wanted is None or not ids:
            return set(ids)
        return set(self.own.entries(ids, wanted))

    def _filtered(self, one: Difference, entry: Entry | None, passed: t.Collection[str]) -> str | None:
        """Return by which property the connector keeps a change from liveSync, None where none is known to."""
        settings = self.connector.sync_settings if self.connector else {}
        if one.kind == DIFFERING and (
            taken := {name.lower() for name in as_texts(settings.get("attributesToSynchronize"))}
        ):
            sources = {copied.target: copied.source for copied in self.comparison.seen}
            names = self.connector.native_names.get(self.source.object_type, {}) if self.connector else {}
            natives = {names.get(sources[name], sources[name]).lower() for name in one.properties}
            if not natives & taken:
                return "attributesToSynchronize does not name what differs"
        if entry is None:
            return None
        stated = sync_filter(self.connector, self.source.object_type) if self.connector else None
        if stated and one.id not in passed:
            return f"{stated[0]} does not match it"
        classes = {name.lower() for name in as_texts(settings.get("objectClassesToSynchronize"))}
        if classes and not classes & {name.lower() for name in entry.texts("objectClass")}:
            return "objectClassesToSynchronize names none of its object classes"
        bases = as_texts(settings.get("baseContextsToSynchronize"))
        try:
            if bases and not is_within_any(entry.dn, [Name.parse(base) for base in bases]):
                return "it lies outside of baseContextsToSynchronize"
        except ValueError:
            return None
        by = {name.lower() for name in (entry.text("modifiersName") or entry.text("creatorsName") or "",)}
        if by & {name.lower() for name in as_texts(settings.get("modifiersNamesToFilterOut"))}:
            return "modifiersNamesToFilterOut names whoever changed it last"
        return None


def _leaves_alone(word: AuditEntry) -> bool:
    """Tell whether a word of audit says that a rule of the mapping has left an entry alone."""
    return not word.failed and word.action in LEFT_ALONE
