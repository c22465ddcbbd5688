# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Did everything arrive? Compares source, links and target of each mapping, and says of what differs why."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Refused, TimedOut
from .._health.arrived import MOST_TAKEN, Unarrived, read_unarrived
from .._health.directories import directories
from .._health.judged import oldest_load
from .._health.log_facts import LogReader
from .._health.losses import Loss, emptied_by
from .._health.snapshot import Snapshot, read_snapshot
from .._http.client import Client
from .._idm.connector import TWINS_REMEDY, Connector, check_source, checked, failed_test
from .._idm.connector_filters import filters_of
from .._idm.mapping import SyncMapping, read_managed
from .._idm.source import Source
from .._idm.stage import read_stage
from .._proof.comparison import Comparison, TargetSchema
from .._proof.difference import HIDDEN, KINDS, ORPHANED, UNKNOWN, Difference
from .._proof.look import look, not_gone
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .._proof.suspects import Suspects, suspects_of_all, suspects_of_some
from .._recon.verdict import remedy_for_query
from .reasons import Reasons
from .verified import Verified, VerifyRequest

#: The longest time that differences are given by default, in seconds, however seldom the schedule runs.
_LONGEST_RECHECK = 60.0
_EMPTYING = "the source has no value where the target has one: a reconciliation would empty it"


def verify(client: Client, request: VerifyRequest, context: Context) -> tuple[list[Verified], list[IdmopsError]]:
    """Compare each mapping; return what was found, and the errors of those that could not be compared.

    :raises InvalidOption: for what cannot be verified.
    :raises Unreachable, Refused, DirectoryError: as the servers, where it is about all.
    """
    snapshot = read_snapshot(client)
    pairs = _pairs(request, snapshot)
    managed = read_managed(client)
    connectors = [
        snapshot.connectors[name] for name in {one.system for one, _of in pairs} if name in snapshot.connectors
    ]
    urls = directories(request.directory, connectors, context)
    done: list[Verified] = []
    failed: list[IdmopsError] = []
    with ExitStack() as stack:
        readers = {
            one.name: stack.enter_context(
                LogReader(request.directory, urls.get(one.name), one, context, sole=len(urls) < 2)
            )
            for one in connectors
        }
        for source, mapping in pairs:
            try:
                done.append(_Pair(client, context, request, snapshot, source, mapping, readers, managed).verified())
            except IdmopsError as exc:
                why = _why_broken(client, snapshot.connectors.get(source.system), exc)
                failed.append(IdmopsError(f"{mapping.name}: {why.message}", status=exc.status, remedy=why.remedy))
    return done, failed


def _why_broken(client: Client, connector: Connector | None, error: IdmopsError) -> IdmopsError:
    """Return why a mapping could not be compared: a connector that fails its test explains a query that fails."""
    if error.remedy or not (isinstance(error, Refused) and error.status == 500 and "/system/" in error.url):
        return error
    test = checked(client, connector) if connector else None
    if connector and test and not test.ok:
        cause = failed_test(connector, test)
        return IdmopsError(f"{error.message} {cause.message}", remedy=cause.remedy)
    return IdmopsError(error.message, remedy=remedy_for_query(error.reason))


def _pairs(request: VerifyRequest, snapshot: Snapshot) -> list[tuple[Source, SyncMapping]]:
    sources = request.sources or tuple(snapshot.known_sources())
    for source in request.sources:
        check_source(source, snapshot.connectors.values(), "sources")
    pairs = [(one, mapping) for one in sources for mapping in snapshot.mappings if one.is_named_by(mapping.source)]
    names = {mapping.name for unused, mapping in pairs}
    for name in request.mappings or ():
        if name not in names:
            raise InvalidOption(
                "mappings", name, f"The sources have these mappings: {', '.join(sorted(names)) or 'none'}."
            )
    bare = [str(one) for one in sources if not any(of is one for of, unused in pairs)]
    if bare and request.sources:
        raise IdmopsError(f"IDM has no mapping of {', '.join(bare)}, so nothing of it can arrive.")
    return [(one, mapping) for one, mapping in pairs if request.mappings is None or mapping.name in request.mappings]


class _Pair:
    """The comparison of one mapping."""

    def __init__(
        self,
        client: Client,
        context: Context,
        request: VerifyRequest,
        snapshot: Snapshot,
        source: Source,
        mapping: SyncMapping,
        readers: t.Mapping[str, LogReader],
        managed: t.Mapping[str, t.Any],
    ) -> None:
        self._client = client
        self._context = context
        self._request = request
        self._source = source
        self._mapping = mapping
        connector = snapshot.connectors.get(source.system)
        self._connector = connector
        self._known = snapshot.mappings
        self._token: int | None = None
        own_jobs = [one for one in snapshot.schedules if one.source == str(source)]
        self._loaded = oldest_load(own_jobs, [mapping], snapshot.time)
        self._ambiguity = connector.ambiguity if connector else None
        schema = TargetSchema.parse(managed, mapping.target.strip("/").partition("/")[2])
        self._logged = connector is None or connector.reads_change_log
        types = connector.json_types.get(source.object_type, {}) if connector else {}
        self._comparison = Comparison.of(mapping, schema, types)
        key = self._comparison.key
        keyed = bool(key and key.target in schema.required)
        self._sides = Sides.of(client, mapping, self._comparison, snapshot.mappings, keyed)
        self._reader = reader = readers.get(source.system)
        self._own = OwnEntries.of(reader.directory, connector, source.object_type) if reader and connector else None
        self._reasons = Reasons(client, source, mapping, self._comparison, connector, self._own)
        schedules = [one for one in own_jobs if one.enabled and not one.paused]
        intervals = [one.interval_seconds or _LONGEST_RECHECK for one in schedules]
        scheduler = snapshot.record(source).scheduler
        if scheduler.external:
            intervals.append(scheduler.max_age or _LONGEST_RECHECK)
        self._recheck = min([_LONGEST_RECHECK, *(2 * one for one in intervals)]) if intervals else 0.0
        if request.recheck is not None:
            self._recheck = request.recheck
        if request.directory and reader and reader.directory and self._own is None:
            context.report.warn(
                f"directory: which of its entries {source} is about cannot be known: a placeholder stands in the"
                " connector's configuration. What IDM does not see was not looked for."
            )

    def verified(self) -> Verified:
        """Compare.

        :raises IdmopsError: where it cannot be done.
        """
        if self._ambiguity:
            raise IdmopsError(self._ambiguity, remedy=TWINS_REMEDY)
        if not self._mapping.links_objects:
            raise IdmopsError(
                "it keeps no links (enableLinking is false), so which object of the target belongs to which of the"
                " source is recorded nowhere, and cannot be verified."
            )
        ids = partial(self._own.masks, self._comparison) if self._own else None
        sample = self._request.sample
        seen = suspects_of_some(self._sides, ids, sample) if sample else suspects_of_all(self._sides, ids)
        found = Verified(self._source, self._mapping, self._comparison, seen, sampled=0 < sample < seen.in_source)
        found.differences, found.pending = self._settled(seen)
        found.differences = self._not_gone(found.differences)
        found.logged, found.given = self._logged, self._request.directory is not None
        behind = self._behind(seen)
        known = {one.id for one in found.differences}
        found.differences += [one for one in behind.differences if one.id not in known]
        seen.left_out -= {one.id for one in found.differences if one.id}
        found.doubt = behind.doubt
        found.ruled_out = self._reasons.ruled_out(seen.left_out)
        found.differences = self._reasons.of(found.differences)
        found.differences, said = self._not_emptied(found.differences)
        found.doubt = " ".join(text for text in (found.doubt, said) if text) or None
        found.differences.sort(key=lambda one: (KINDS.index(one.kind), one.id or "", one.target_id or ""))
        return found

    def _not_emptied(self, differences: t.Sequence[Difference]) -> tuple[list[Difference], str | None]:
        """Return the differences, those marked that a reconciliation would do harm to, and what is to be said of them.

        Where a mapping reads what the object type does not have, whoever liveSync has emptied is as the mapping makes
        him, and those who are well are the ones that differ (seen on OpenIDM 6.1.0).
        """
        filters = (
            filters_of(self._connector, self._source.object_type, [self._mapping], logged=self._logged)
            if self._connector
            else ()
        )
        said = next((f"{one.effect} {one.remedy}" for one in filters if one.empties), None)
        left, several = emptied_by([Loss(self._mapping, one) for one in differences])
        spared = () if said else [loss.one for loss in left]
        told = [
            replace(one, detail=one.detail or _EMPTYING, emptying=True) if one.emptied and one not in spared else one
            for one in differences
        ]
        return told, said or several

    def _behind(self, seen: Suspects) -> Unarrived:
        """Return what of the newest changes behind the token has not arrived, where a comparison of all cannot tell."""
        mapping, reader, connector = self._mapping, self._reader, self._connector
        whole = not (self._comparison.made or self._comparison.conditioned or seen.left_out)
        if whole or not mapping.sync_enabled or mapping.queue or reader is None or connector is None:
            return Unarrived()
        if self._token is None or self._own is None or self._own.uid.lower() != "entryuuid":
            return Unarrived()
        return read_unarrived(
            self._client,
            self._source,
            connector,
            [mapping],
            self._known,
            reader,
            self._token,
            self._context,
            loaded=self._loaded,
            most=MOST_TAKEN,
        )

    def _not_gone(self, differences: t.Sequence[Difference]) -> list[Difference]:
        """Return the differences; what seems to be gone from the source is not where that cannot be known.

        Who is not shown an entry gets the same answer as if it were gone: a reconciliation would remove its target.
        """
        gone = [one for one in differences if one.kind == ORPHANED and one.reason == UNKNOWN and not one.in_source]
        if not gone or self._own is None or self._reader is None:
            return list(differences)
        touched = self._reader.touched(self._reader.last() or 0, MOST_TAKEN)
        there = {one.record for one in touched if one.removed is False}
        told = [not_gone(one, there, self._own) for one in differences]
        why = self._own.unproved()
        detail = f"whether it is gone cannot be known: {why}"
        return [replace(one, reason=HIDDEN, detail=detail) if why and one in gone else one for one in told]

    def _settled(self, seen: Suspects) -> tuple[list[Difference], int | None]:
        """Look at what seems to differ until time has shown what does, and return that, and how much is pending."""
        sources, targets = seen.sources, seen.targets
        left: list[Difference] = []
        flux: set[str] | None = None

        def probe() -> bool | None:
            nonlocal sources, targets, left, flux
            stage = read_stage(self._client, self._source)
            looked = look(self._sides, self._own, sources, targets)
            if seen.linked is None:
                seen.linked = looked.linked
            if sources is seen.sources:
                seen.left_out |= looked.left_out
            left = looked.differences
            sources = {one.id for one in left if one.id is not None}
            targets = {one.target_id for one in left if one.target_id is not None}
            self._token = number = stage.number if stage else None
            flux = None
            if self._own and self._reader and number is not None:
                flux = self._own.changed_after(self._reader.again(), number)
            return True if not left or (flux is not None and not flux & sources) else None

        try:
            self._context.wait_for(probe, timeout=self._recheck, what="differences to vanish", first_pause=0.5)
        except TimedOut:
            pass  # what is left by now is what differs
        if flux is None:
            return left, None
        pending = [one for one in left if one.id in flux]
        return [one for one in left if one.id not in flux], len({one.id for one in pending})
