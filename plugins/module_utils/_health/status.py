# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what is known of the sources of liveSync, with few requests, and judges each."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from .._base.context import Context
from .._base.errors import DirectoryError, IdmopsError, InvalidOption, Refused
from .._http.client import Client
from .._idm.audit import AuditEntry, seconds_between
from .._idm.connector import TWINS_REMEDY, Connector, ConnectorTest, not_tested
from .._idm.connector_filters import filters_of
from .._idm.mapping import queued_after
from .._idm.queue import has_no_queues, read_waiting
from .._idm.record_failure import RecordFailure, parse_failure, read_failure
from .._idm.source import Source
from .._idm.stage import Stage, read_stages
from .._schedule.schedule import Schedule, is_running
from .arrived import Unarrived, read_unarrived
from .dropped import DEAD_LETTERS, Dropped, Watched, newest_failures, read_dropped
from .log_facts import LogReader, directories
from .snapshot import Snapshot, read_snapshot
from .source_status import LONGEST_WATCH, SourceStatus
from .states import PENDING_SECONDS, RUNNING, UNAVAILABLE, Facts
from .traceless import ANY_SKEW, read_traceless

#: Between two looks at what runs, in seconds: a run that has nothing to do takes some 10 ms.
_LOOK = 1.0
#: How long an event may wait in the queue of a mapping before that is more than its turn, in seconds.
_LONGEST_QUEUED = 300.0
#: A next run that is further away than a week, and a day, is not waited for, in seconds.
_FAR = 8 * 86400.0

T = t.TypeVar("T")


def status(
    client: Client,
    sources: t.Sequence[Source],
    directory: t.Mapping[str, t.Any] | None,
    context: Context,
) -> list[SourceStatus]:
    """Judge the sources, all that are known where none are given.

    :param directory: connection options of the directory; without them nothing is known of pending changes.
    :raises InvalidOption: when none of several directory servers is the connector's.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    snapshot = read_snapshot(client)
    failures = newest_failures(client)
    chosen = list(sources or snapshot.known_sources())
    with _Logs(directory, chosen, snapshot, context) as logs:
        found = [_judged(source, snapshot, logs) for source in chosen]
        passed_by = _passed_by(client, found, context)
        if passed_by:
            snapshot = replace(snapshot, running=snapshot.running - passed_by)
            found = [_judged(source, snapshot, logs) for source in chosen]
        found = _with_dropped(client, found, failures, snapshot, logs, context)
    found = [_timed(_with_queues(client, entry, snapshot), client.server_time) for entry in found]
    found = _watch(client, found, snapshot, directory, context)
    found = [replace(entry, facts=replace(entry.facts, refused=_refused(client, entry))) for entry in found]
    return [replace(entry, failure=_last_failure(client, entry)) for entry in found]


def status_result(found: t.Sequence[SourceStatus], fail_on: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the module's result.

    :param fail_on: states that must not be.
    :raises IdmopsError: with the result, when a source is in one of them.
    """
    result: dict[str, t.Any] = {
        "changed": False,
        "msg": " ".join(entry.sentence for entry in found) or "No source has a token or a schedule of liveSync.",
        "livesync": [entry.as_result() for entry in found],
    }
    bad = [entry for entry in found if entry.health.state in fail_on]
    if bad:
        raise IdmopsError(" ".join(entry.sentence for entry in bad), remedy=bad[0].remedy, result=result)
    return result


class _Logs:
    """The change log of each system, read once however many sources it has."""

    def __init__(
        self,
        options: t.Mapping[str, t.Any] | None,
        sources: t.Sequence[Source],
        snapshot: Snapshot,
        context: Context,
    ) -> None:
        self._errors: dict[str, DirectoryError] = {}
        self._stack = ExitStack()
        systems = {source.system for source in sources}
        # where a connector's test fails, its directory may be down, and nothing is to be learnt of a change log
        known = {name: snapshot.connectors.get(name) for name in systems if _is_ok(snapshot.tests.get(name))}
        urls = directories(options, [connector for connector in known.values() if connector], context)
        self._logs = {
            name: self._stack.enter_context(LogReader(options, urls.get(name), connector, context, sole=len(urls) < 2))
            for name, connector in known.items()
        }

    def __enter__(self) -> _Logs:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self._stack.close()

    def ask(self, source: Source, what: t.Callable[[LogReader], T]) -> T | None:
        """Return what the change log behind a source tells, None where nothing can be known of it.

        A directory that has not answered is not asked again: see :meth:`error`.
        """
        log = self._logs.get(source.system)
        if log is None or source.system in self._errors:
            return None
        try:
            return what(log)
        except DirectoryError as exc:
            self._errors[source.system] = exc
            return None

    def error(self, source: Source) -> str | None:
        """Return why the directory behind a source cannot be asked, None where it can."""
        exc = self._errors.get(source.system)
        return f"{exc.message} {exc.remedy or ''}".rstrip() if exc else None


def _is_ok(test: ConnectorTest | None) -> bool:
    return test is not None and test.ok


def _unknown_type(source: Source, connector: Connector | None) -> str | None:
    """Return what is wrong with a source whose connector has no such object type, None where it has."""
    if connector is None:
        return None
    try:
        source.check({connector.name: connector.object_types}, "sources")
    except InvalidOption as exc:
        return exc.message
    return None


def _unclear(source: Source, connector: Connector | None, test: ConnectorTest | None) -> str | None:
    """Return why what is known of a connector is not that of the one that runs, None where it is."""
    if connector and connector.ambiguity:
        return f"{connector.ambiguity} {TWINS_REMEDY}"
    if connector and test is None:
        error = not_tested(connector)
        return f"{error.message} {error.remedy}"
    if connector is None and test is not None:
        return (
            f"The connector {source.system} runs, and its configuration document has been removed: put it back (PUT"
            " config/provisioner.openicf/<name>), since it will be gone when IDM is started again."
        )
    return None


def _judged(source: Source, snapshot: Snapshot, logs: _Logs) -> SourceStatus:
    """Return what the snapshot and the change log tell of a source."""
    stage = snapshot.stages.get(source.stage_id)
    token = stage.token if stage else None
    test = snapshot.tests.get(source.system)
    connector = snapshot.connectors.get(source.system)
    schedules = [schedule for schedule in snapshot.schedules if schedule.source == str(source)]
    mappings = [mapping for mapping in snapshot.mappings if source.is_named_by(mapping.source)]
    misnamed = tuple(
        f"The mapping {mapping.name} names {mapping.source}, and takes no change: it is {source}, in this case."
        for mapping in snapshot.mappings
        if mapping not in mappings and source.resembles(mapping.source)
    )
    enabled = [schedule for schedule in schedules if schedule.enabled]
    number = stage.number if stage else None
    counts = connector is not None and connector.reads_change_log
    log = logs.ask(source, lambda reader: reader.facts(number))
    filters = filters_of(connector, source.object_type, mappings) if connector else ()
    facts = Facts(
        system=source.system,
        ok=test.ok if test else None,
        unknown_type=_unknown_type(source, connector) or _unclear(source, connector, test),
        error=test.error if test else None,
        remote=connector.remote if connector else None,
        token=token,
        void=stage is not None and stage.void,
        number=number,
        misfit=stage.misfit if stage and counts else None,
        log=log,
        log_error=logs.error(source),
        unmapped=not mappings,
        misnamed=misnamed,
        sync_disabled=tuple(mapping.name for mapping in mappings if mapping.sync_enabled is False),
        sync_unknown=tuple(mapping.name for mapping in mappings if mapping.sync_enabled is None),
        filtered=tuple(f"{one.effect} {one.remedy}" for one in filters if one.against),
        left_out=(
            *(f"{one.effect} {one.remedy}" for one in filters if not one.against),
            *(said for mapping in mappings if mapping.sync_enabled for said in mapping.ignored),
        ),
        failure=stage.failure if stage else None,
        blocks=connector.failure_policy.blocks if connector else False,
        enabled=len(enabled),
        paused=len([schedule for schedule in enabled if schedule.paused]),
        meeting=tuple(schedule.name for schedule in enabled if not schedule.paused),
        idle_jobs=snapshot.idle_jobs(source),
        unloaded=tuple(mapping.name for mapping in mappings if mapping.name not in _loads(schedules)),
        running=str(source) in snapshot.running,
    )
    return SourceStatus(source, facts, connector, schedules, mappings, stage, filters=filters)


def _loads(schedules: t.Iterable[Schedule]) -> dict[str, str]:
    """Return when each mapping's recorded load ended, by its name."""
    return {
        str(mapping): str(load.get("time") or "")
        for schedule in schedules
        for mapping, load in schedule.load_record.items()
        if isinstance(load, dict)
    }


def _with_dropped(
    client: Client,
    found: t.Sequence[SourceStatus],
    failures: t.Sequence[AuditEntry] | None,
    snapshot: Snapshot,
    logs: _Logs,
    context: Context,
) -> list[SourceStatus]:
    """Add the records that IDM gave up on, whether such ones would show, and the newest that have not arrived."""
    watched = [
        Watched(
            entry.source,
            entry.connector.failure_policy,
            _loads(entry.schedules),
            parse_failure(entry.stage).record if entry.stage and entry.stage.failure else None,
            partial(_time_of, logs, entry.source),
        )
        for entry in found
        if entry.connector
    ]
    dropped = read_dropped(client, failures, watched)
    told = []
    for entry in found:
        known = dropped.get(entry.source)
        records = known.records if known else None
        policy = entry.connector.failure_policy if entry.connector else None
        if failures is not None and policy:
            records = _with_traceless(client, entry, records or (), logs)
        unarrived = _unarrived(client, entry, snapshot, logs, context)
        names = {one.record for one in records or ()}
        more = [one for one in unarrived.records if one.record not in names]
        untraced = (policy.untraced(audited=failures is not None) if policy else None) or (
            known.unread if known else None
        )
        facts = replace(
            entry.facts,
            dropped=len(names),
            untraced=untraced,
            unarrived=unarrived.sentences if more else (),
            doubt=unarrived.doubt,
        )
        records = (*(records or ()), *more) if more else records
        told.append(replace(entry, dropped=records, letters_unread=bool(known and known.unread), facts=facts))
    return told


def _unarrived(client: Client, entry: SourceStatus, snapshot: Snapshot, logs: _Logs, context: Context) -> Unarrived:
    """Return the newest changes behind the token that have not arrived."""
    facts, connector = entry.facts, entry.connector
    if facts.number is None or connector is None or entry.health.state == UNAVAILABLE:
        return Unarrived()
    try:
        found = logs.ask(
            entry.source,
            lambda reader: read_unarrived(
                client, entry.source, connector, entry.mappings, snapshot.mappings, reader, facts.number or 0, context
            ),
        )
    except Refused as exc:
        return Unarrived(doubt=f"Whether the newest changes have arrived cannot be known: {exc.message}")
    return found or Unarrived()


def _with_queues(client: Client, entry: SourceStatus, snapshot: Snapshot) -> SourceStatus:
    """Add what waits in the queues that the changes of a source go through."""
    queued = {one.name: one for one in queued_after(entry.mappings, snapshot.mappings)}
    told = {name: read_waiting(client, name) for name in queued}
    waiting = tuple(one for one in told.values() if one)
    silent = [] if has_no_queues(client) else [name for name, one in told.items() if one is None]
    unseen = [f"What waits in the queue of {name} cannot be known: sync/queue does not answer." for name in silent]
    facts = entry.facts
    stuck: list[str] = []
    late: list[str] = []
    for one in waiting:
        queue = queued[one.mapping].queue
        age = seconds_between(one.oldest, client.server_time)
        if one.depth and queue and queue.enabled is False:
            stuck.append(f"The queue of {one.mapping} is off, and {one.depth} events wait in it: switch queuedSync on.")
        elif one.depth and age is not None and age > _LONGEST_QUEUED:
            late.append(f"{one.depth} events wait in the queue of {one.mapping}, the oldest since {one.oldest}.")
        elif one.depth and age is None:
            unseen.append(f"{one.depth} events wait in the queue of {one.mapping}, since when is not told.")
    facts = replace(facts, filtered=(*facts.filtered, *stuck), queued=tuple(late), unseen=tuple(unseen))
    return replace(entry, queue=waiting, facts=facts)


def _with_traceless(
    client: Client, entry: SourceStatus, known: tuple[Dropped, ...], logs: _Logs
) -> tuple[Dropped, ...]:
    """Add the records whose newest change left no trace, where each change should have left one."""
    facts, connector, number = entry.facts, entry.connector, entry.facts.number
    if number is None or facts.failure or facts.unmapped or facts.sync_disabled or connector is None:
        return known
    if entry.filters or connector.sync_settings.get("attributesToSynchronize"):
        return known  # what leaves no trace may have been left out
    if any(mapping.selective for mapping in entry.mappings):
        return known  # or be none of the mapping's
    taken = logs.ask(entry.source, lambda reader: reader.taken(number)) or []
    loaded = max(_loads(entry.schedules).values(), default=None)
    clock = logs.ask(entry.source, lambda reader: reader.now()) if taken else None
    found = read_traceless(client, entry.source, taken, loaded, client.server_time, clock)
    names = {one.record for one in known}
    return (*known, *(one for one in found if one.record not in names))


def _time_of(logs: _Logs, source: Source, number: int) -> str | None:
    return logs.ask(source, lambda reader: reader.time_of(number))


def _timed(entry: SourceStatus, now: str | None) -> SourceStatus:
    """Add when a schedule that is too slow to be watched runs next, and whether changes are older than two intervals.

    :param now: the server's time.
    """
    if entry.due(now) < LONGEST_WATCH:
        return entry
    runs = [str(schedule.next_run) for schedule in entry.schedules if schedule.enabled and schedule.next_run]
    far = entry.due(now) > _FAR
    entry = replace(entry, facts=replace(entry.facts, next_run=min(runs, default=None), far=far))
    facts, log = entry.facts, entry.facts.log
    if not log or not log.oldest or facts.running:
        return entry
    known = [schedule.interval_seconds for schedule in entry.schedules if schedule.enabled and not schedule.paused]
    age = seconds_between(log.oldest, now)
    if not known or None in known or age is None or age <= 2 * min(filter(None, known)) + ANY_SKEW:
        return entry
    return replace(entry, facts=replace(facts, neglected=log.oldest))


def _passed_by(client: Client, found: t.Sequence[SourceStatus], context: Context) -> frozenset[str]:
    """Return the sources whose run was over a moment later, although changes are pending.

    A schedule of a second or so runs at every third look, and a run that does nothing must not pass for one at work.
    """
    met = [entry for entry in found if entry.health.state == RUNNING and entry.facts.is_behind]
    if not met:
        return frozenset()
    context.clock.sleep(_LOOK)
    stages = read_stages(client)
    return frozenset(
        str(entry.source)
        for entry in met
        if _rev(stages.get(entry.source.stage_id)) != _rev(entry.stage) or not is_running(client, entry.source)
    )


def _refused(client: Client, entry: SourceStatus) -> tuple[str, ...]:
    """Return what the account may not ask that would tell of changes which did not arrive, a sentence each."""
    telling = {"audit/sync": "audit", f"{DEAD_LETTERS}/{entry.source.system}": "dead letter queue"}
    if any(mapping.queue for mapping in entry.mappings):
        telling["sync/queue"] = "queue of a mapping"
    return tuple(
        f"The account has not the right: {right}. So whether changes were dropped or wait there, as IDM's"
        f" {telling[right.resource]} tells, cannot be known. Add an access rule for it (docs/least-rights.md)."
        for right in client.lacking
        if right.resource in telling
    )


def _rev(stage: Stage | None) -> str | None:
    return stage.rev if stage else None


def _watch(
    client: Client,
    found: t.Sequence[SourceStatus],
    snapshot: Snapshot,
    directory: t.Mapping[str, t.Any] | None,
    context: Context,
) -> list[SourceStatus]:
    """Watch the suspicious sources until their tokens move, or a run has come and gone and left them."""
    now = client.server_time
    open_ones = {entry.source: entry for entry in found if entry.suspicious and entry.due(now) < LONGEST_WATCH}
    if not open_ones:
        return list(found)
    limits = {
        source: min(LONGEST_WATCH, max(PENDING_SECONDS, entry.due(now)) + 1.2 * entry.interval + 2)
        for source, entry in open_ones.items()
    }
    context.report.progress(f"{', '.join(str(source) for source in open_ones)}: watching the next run")
    seen: dict[Source, SourceStatus] = {}
    start = context.clock.now()
    while open_ones:
        context.clock.sleep(_LOOK)
        waited = context.clock.now() - start
        stages = read_stages(client)
        for source, entry in list(open_ones.items()):
            stage = stages.get(source.stage_id)
            if stage is not None and stage.token != entry.facts.token:
                moved = replace(snapshot, stages={**snapshot.stages, source.stage_id: stage})
                with _Logs(directory, [source], moved, context) as logs:
                    # that run may have dropped changes itself
                    again = _judged(source, moved, logs)
                    (again,) = _with_dropped(client, [again], newest_failures(client), moved, logs, context)
                again = _with_queues(client, again, moved)
                seen[source] = replace(again, facts=replace(again.facts, moved=True))
            elif _rev(stage) != _rev(entry.stage) and not entry.facts.is_behind:
                pass  # a run has ended well, and nothing is known to wait for it
            elif _rev(stage) != _rev(entry.stage) and waited >= PENDING_SECONDS:
                seen[source] = replace(entry, facts=replace(entry.facts, unmoved=True))
            elif waited < limits[source]:
                continue
            elif _rev(stage) == _rev(entry.stage):
                runs = is_running(client, source)
                seen[source] = replace(entry, facts=replace(entry.facts, running=runs, erring=not runs))
            del open_ones[source]
    return [seen.get(entry.source, entry) for entry in found]


def _last_failure(client: Client, entry: SourceStatus) -> RecordFailure | None:
    """Return the record that stopped the last run, None where none did."""
    if entry.stage is None or not entry.stage.failure:
        return None
    failure = read_failure(client, entry.source, entry.stage, detailed=False)
    return failure.under(entry.connector.failure_policy) if entry.connector else failure
