# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what is known of the sources of liveSync, with few requests, and judges each."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Refused
from .._http.client import Client, segment
from .._idm.audit import seconds_between
from .._idm.connector import Connector, ConnectorTest, read_connectors, test_connectors
from .._idm.mapping import SyncMapping, read_mappings
from .._idm.record_failure import RecordFailure, read_failure
from .._idm.server import ask_server
from .._idm.source import Source
from .._idm.stage import Stage, read_stages
from .._schedule.schedule import Schedule, executing_sources, is_running, read_schedules, running_elsewhere
from .log_facts import LogReader, directories
from .states import DISABLED, FAILING, HEALTHY, LAGGING, PENDING_SECONDS, RUNNING, Facts, Health, judge_health

#: For how long at most the runs of a schedule are watched, in seconds.
_LONGEST_WATCH = 40.0
#: Between two looks at what runs, in seconds: a run that has nothing to do takes some 10 ms.
_LOOK = 1.0
_DEAD_LETTERS = "dead-letter-queue"


@dataclass(frozen=True)
class SourceStatus:
    """What is known of one source."""

    source: Source
    facts: Facts
    connector: Connector | None
    schedules: t.Sequence[Schedule]
    mappings: t.Sequence[SyncMapping]
    stage: Stage | None
    failure: RecordFailure | None = None
    dead_letters: int | None = None

    @property
    def health(self) -> Health:
        """What the facts come to."""
        return judge_health(self.facts)

    @property
    def remedy(self) -> str | None:
        """What mends it; where a record fails, that record's name, its reason and its attempts before it."""
        health = self.health
        if health.state == FAILING and self.failure is not None:
            return f"{self.failure.sentence()} {self.failure.remedy}"
        return health.remedy

    @property
    def suspicious(self) -> bool:
        """Whether changes are pending that a schedule should have taken, so that its next run is worth watching."""
        facts, log = self.facts, self.facts.log
        return bool(
            log
            and log.pending
            and facts.enabled > facts.paused
            and not facts.failure
            and self.health.state in (LAGGING, HEALTHY, DISABLED)
        )

    def due(self, now: str | None) -> float:
        """Return in how many seconds a schedule runs it next, 0 where that is not known.

        :param now: the server's time.
        """
        enabled = [schedule for schedule in self.schedules if schedule.enabled and not schedule.paused]
        waits = [seconds_between(now, schedule.next_run) for schedule in enabled]
        return max(0.0, min((wait for wait in waits if wait is not None), default=0.0))

    @property
    def interval(self) -> float:
        """The shortest interval of its schedules, in seconds."""
        known = [schedule.interval_seconds for schedule in self.schedules if schedule.enabled]
        return float(min((seconds for seconds in known if seconds), default=_LONGEST_WATCH))

    def as_result(self) -> dict[str, t.Any]:
        """Return the entry of ``livesync`` that users see."""
        facts, log, stage, health = self.facts, self.facts.log, self.stage, self.health
        return {
            "source": str(self.source),
            "state": health.state,
            "proved": health.proved,
            "remedy": self.remedy,
            "token": facts.token,
            "native_type": stage.native_type if stage else None,
            "pending": log.pending_inside if log else None,
            "first_change_number": log.first if log else None,
            "last_change_number": log.last if log else None,
            "last_failure": self.failure.as_result() if self.failure else None,
            "schedules": [schedule.as_result() for schedule in self.schedules],
            "running": facts.running,
            "connector": {"name": facts.system, "ok": facts.ok, "error": facts.error},
            "mappings": [
                {"name": mapping.name, "target": mapping.target, "sync_enabled": mapping.sync_enabled}
                for mapping in self.mappings
            ],
            "failure_policy": self.connector.failure_policy.as_result() if self.connector else None,
            "dead_letters": self.dead_letters,
        }


@dataclass(frozen=True)
class Snapshot:
    """What the server tells about all sources at once: lists, not items."""

    connectors: t.Mapping[str, Connector]
    tests: t.Mapping[str, ConnectorTest]
    stages: t.Mapping[str, Stage]
    schedules: t.Sequence[Schedule]
    mappings: t.Sequence[SyncMapping]
    running: frozenset[str]

    def known_sources(self) -> list[Source]:
        """Return the sources that have a token or a schedule of liveSync."""
        found = {source for schedule in self.schedules if (source := Source.of(schedule.source))}
        for connector in self.connectors.values():
            for object_type in connector.object_types:
                source = Source(connector.name, object_type)
                if source.stage_id in self.stages:
                    found.add(source)
        return sorted(found, key=str)


def read_snapshot(client: Client) -> Snapshot:
    """Read what there is, with one request for each kind of thing.

    :raises Unreachable, Refused: as the client.
    """
    return Snapshot(
        connectors={connector.name: connector for connector in read_connectors(client)},
        tests={test.name: test for test in test_connectors(client)},
        stages=read_stages(client),
        schedules=(schedules := read_schedules(client, ask_server(client))),
        mappings=read_mappings(client),
        running=_running(client, schedules),
    )


def _running(client: Client, schedules: t.Iterable[Schedule]) -> frozenset[str]:
    """Return the sources that jobs run liveSync of, on whichever node."""
    return frozenset([*executing_sources(client), *running_elsewhere(client, schedules)])


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
    chosen = list(sources or snapshot.known_sources())
    with _Logs(directory, chosen, snapshot, context) as logs:
        found = [_judged(source, snapshot, logs) for source in chosen]
        passed_by = _passed_by(client, found, context)
        if passed_by:
            snapshot = replace(snapshot, running=snapshot.running - passed_by)
            found = [_judged(source, snapshot, logs) for source in chosen]
    found = _watch(client, found, snapshot, directory, context)
    dead_letters = _dead_letters(client, {entry.source.system: entry.connector for entry in found})
    return [
        replace(
            entry,
            failure=_last_failure(client, entry),
            dead_letters=dead_letters.get(entry.source.system),
        )
        for entry in found
    ]


def status_result(found: t.Sequence[SourceStatus], fail_on: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the module's result.

    :param fail_on: states that must not be.
    :raises IdmopsError: with the result, when a source is in one of them.
    """
    result: dict[str, t.Any] = {"changed": False, "livesync": [entry.as_result() for entry in found]}
    bad = [entry for entry in found if entry.health.state in fail_on]
    if bad:
        told = "; ".join(f"{entry.source} is {entry.health.state}" for entry in bad)
        raise IdmopsError(f"{told}.", remedy=bad[0].remedy, result=result)
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
        self._stack = ExitStack()
        systems = {source.system for source in sources}
        # where a connector's test fails, its directory may be down, and nothing is to be learnt of a change log
        known = {name: snapshot.connectors.get(name) for name in systems if _is_ok(snapshot.tests.get(name))}
        urls = directories(options, [connector for connector in known.values() if connector], context)
        self._logs = {
            name: self._stack.enter_context(LogReader(options, urls.get(name), connector, context))
            for name, connector in known.items()
        }

    def __enter__(self) -> _Logs:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self._stack.close()

    def of(self, source: Source) -> LogReader | None:
        """Return the change log behind a source, None where nothing can be known of it."""
        return self._logs.get(source.system)


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


def _judged(source: Source, snapshot: Snapshot, logs: _Logs) -> SourceStatus:
    """Return what the snapshot and the change log tell of a source."""
    stage = snapshot.stages.get(source.stage_id)
    token = stage.token if stage else None
    test = snapshot.tests.get(source.system)
    connector = snapshot.connectors.get(source.system)
    schedules = [schedule for schedule in snapshot.schedules if schedule.source == str(source)]
    mappings = [mapping for mapping in snapshot.mappings if mapping.source == str(source)]
    enabled = [schedule for schedule in schedules if schedule.enabled]
    log = logs.of(source)
    facts = Facts(
        system=source.system,
        ok=test.ok if test else None,
        unknown_type=_unknown_type(source, connector),
        error=test.error if test else None,
        remote=connector.remote if connector else None,
        token=token,
        log=log.facts(token) if log else None,
        sync_disabled=tuple(mapping.name for mapping in mappings if mapping.sync_enabled is False),
        failure=stage.failure if stage else None,
        blocks=connector.failure_policy.blocks if connector else False,
        enabled=len(enabled),
        paused=len([schedule for schedule in enabled if schedule.paused]),
        running=str(source) in snapshot.running,
    )
    return SourceStatus(source, facts, connector, schedules, mappings, stage)


def _passed_by(client: Client, found: t.Sequence[SourceStatus], context: Context) -> frozenset[str]:
    """Return the sources whose run was over a moment later, although changes are pending.

    A schedule of a second or so runs at every third look, and a run that does nothing must not pass for one at work.
    """
    met = [entry for entry in found if entry.health.state == RUNNING and entry.facts.log and entry.facts.log.pending]
    if not met:
        return frozenset()
    context.clock.sleep(_LOOK)
    stages = read_stages(client)
    return frozenset(
        str(entry.source)
        for entry in met
        if _rev(stages.get(entry.source.stage_id)) != _rev(entry.stage) or not is_running(client, entry.source)
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
    open_ones = {entry.source: entry for entry in found if entry.suspicious and entry.due(now) < _LONGEST_WATCH}
    if not open_ones:
        return list(found)
    limits = {
        source: min(_LONGEST_WATCH, max(PENDING_SECONDS, entry.due(now)) + 1.2 * entry.interval + 2)
        for source, entry in open_ones.items()
    }
    context.report.progress(
        f"{', '.join(str(source) for source in open_ones)}: changes are pending; watching the next run"
    )
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
                    again = _judged(source, moved, logs)
                seen[source] = replace(again, facts=replace(again.facts, moved=True))
            elif stage is not None and entry.stage and stage.rev != entry.stage.rev and waited >= PENDING_SECONDS:
                seen[source] = replace(entry, facts=replace(entry.facts, unmoved=True))
            elif waited < limits[source]:
                continue
            del open_ones[source]
    return [seen.get(entry.source, entry) for entry in found]


def _last_failure(client: Client, entry: SourceStatus) -> RecordFailure | None:
    """Return the record that stopped the last run, None where none did."""
    if entry.stage is None or not entry.stage.failure:
        return None
    failure = read_failure(client, entry.source, entry.stage, detailed=False)
    return failure.under(entry.connector.failure_policy) if entry.connector else failure


def _dead_letters(client: Client, connectors: t.Mapping[str, Connector | None]) -> dict[str, int | None]:
    """Return how many records IDM has put aside, for each connector whose policy does that."""
    found: dict[str, int | None] = {}
    for system, connector in connectors.items():
        if connector and connector.failure_policy.post_retry_action == _DEAD_LETTERS:
            try:
                found[system] = len(
                    client.query(f"repo/synchronisation/deadLetterQueue/{segment(system)}", _fields="_id")
                )
            except Refused:
                found[system] = None
    return found
