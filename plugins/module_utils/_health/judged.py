# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the snapshot and the change log tell of a source, before anything is followed up."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack

from .._base.context import Context
from .._base.errors import DirectoryError, InvalidOption
from .._http.client import Client
from .._idm.audit import seconds_between
from .._idm.connector import TWINS_REMEDY, Connector, ConnectorTest, not_tested
from .._idm.connector_config import renamed
from .._idm.connector_filters import filters_of
from .._idm.mapping import SyncMapping, misnamed, read_managed
from .._idm.source import Source
from .._ldap.lines import Connect
from .._record.load_record import Load, made_elsewhere
from .._record.load_record import read_record as read_loads
from .._record.run_record import RunRecord, read_record
from .._schedule.document import SEE_STATE, SERVICE
from .._schedule.schedule import Schedule
from .directories import directories
from .external import judge_external
from .facts import Facts
from .log_facts import LogReader
from .snapshot import Snapshot
from .source_status import SourceStatus
from .states import said_of_elsewhere, said_of_unloaded

T = t.TypeVar("T")
#: By how much two nodes of a cluster may differ in their time, in seconds.
_AHEAD = 300.0


class Logs:
    """The change log of each system, read once however many sources it has."""

    def __init__(
        self,
        options: t.Mapping[str, t.Any] | None,
        sources: t.Sequence[Source],
        snapshot: Snapshot,
        context: Context,
        connect: Connect | None = None,
    ) -> None:
        #: Whether a directory was given.
        self.given = options is not None
        self._errors: dict[str, DirectoryError] = {}
        self._managed: t.Mapping[str, t.Any] | None = None
        self._stack = ExitStack()
        systems = {source.system for source in sources}
        # where a connector's test fails, its directory may be down, and nothing is to be learnt of a change log
        known = {name: snapshot.connectors.get(name) for name in systems if _is_ok(snapshot.tests.get(name))}
        urls = directories(options, [connector for connector in known.values() if connector], context)
        self._logs = {
            name: self._stack.enter_context(
                LogReader(
                    options,
                    urls.get(name),
                    connector,
                    context,
                    sole=len(urls) < 2,
                    connect=connect,
                    momentary=True,
                )
            )
            for name, connector in known.items()
        }

    def __enter__(self) -> Logs:
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

    def managed(self, client: Client) -> t.Mapping[str, t.Any]:
        """Return config/managed, read once for all sources.

        :raises Unreachable, Refused: as the client.
        """
        if self._managed is None:
            self._managed = read_managed(client)
        return self._managed

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


def judged(source: Source, snapshot: Snapshot, logs: Logs) -> SourceStatus:
    """Return what the snapshot and the change log tell of a source."""
    stage = snapshot.stages.get(source.stage_id)
    token = stage.token if stage else None
    test = snapshot.tests.get(source.system)
    connector = snapshot.connectors.get(source.system)
    schedules = [schedule for schedule in snapshot.schedules if schedule.source == str(source)]
    mappings = [mapping for mapping in snapshot.mappings if source.is_named_by(mapping.source)]
    enabled = [schedule for schedule in schedules if schedule.enabled]
    number = stage.number if stage else None
    record = snapshot.record(source)
    here = [load for load in recorded(schedules).values() if load.recon not in snapshot.elsewhere]
    anchors = [record.anchor, *(load.base_point for load in here)]
    log = logs.ask(source, lambda reader: reader.facts(number, anchors, here))
    namesake = snapshot.namesake(source)
    keeping = [*schedules, namesake] if namesake else schedules
    loads, known, elsewhere = loads_of(keeping, snapshot.time), recorded(keeping), snapshot.elsewhere
    mute = [schedule.name for schedule in enabled if schedule.mute]
    filters = filters_of(connector, source.object_type, mappings, logged=logs.given) if connector else ()
    holder = record.held(snapshot.time)
    by_others = judge_external(record, holder, stage, log, snapshot.time)
    external = record.scheduler.external
    facts = Facts(
        system=source.system,
        ok=test.ok if test else None,
        unknown_type=renamed(source.system, snapshot.connectors.values())
        or _unknown_type(source, connector)
        or _unclear(source, connector, test),
        error=test.error if test else None,
        remote=connector.remote if connector else None,
        token=token,
        void=stage is not None and stage.void,
        number=number,
        misfit=stage.misfit(connector, numbered=log is not None and log.usable and log.last is not None)
        if stage
        else None,
        log=log,
        log_error=logs.error(source),
        unmapped=not mappings,
        misnamed=() if _unknown_type(source, connector) else misnamed(source, snapshot.mappings),
        refused_mappings=next((mapping.refused for mapping in snapshot.mappings if mapping.refused), None),
        sync_disabled=tuple(mapping.name for mapping in mappings if mapping.sync_enabled is False),
        sync_unknown=tuple(mapping.name for mapping in mappings if mapping.sync_enabled is None),
        filtered=tuple(f"{one.effect} {one.remedy}" for one in filters if one.against),
        unproved=bool(mute) or (connector is not None and connector.uses_timestamps),
        left_out=(
            *(f"Whether the schedule {name} is paused cannot be known. {SEE_STATE}" for name in mute),
            *(f"{one.effect} {one.remedy}" for one in filters if not one.against),
            *(said for mapping in mappings if mapping.sync_enabled for said in mapping.ignored),
        ),
        failure=stage.failure if stage else None,
        blocks=connector.failure_policy.blocks if connector else False,
        breaks_off=" ".join(text for text in (connector.nobody, connector.breaks_off) if text) if connector else None,
        enabled=len(enabled),
        paused=len([schedule for schedule in enabled if schedule.paused]),
        meeting=(*(one.name for one in enabled if not one.paused), *snapshot.scripts(source)),
        concurrent=tuple(one.name for one in enabled if one.concurrent is True and not one.paused),
        idle_jobs=snapshot.idle_jobs(source),
        unloaded=tuple(mapping.name for mapping in mappings if mapping.name not in loads),
        foreign=tuple(known[one.name] for one in mappings if one.name in known and known[one.name].recon in elsewhere),
        namesake=said_of_namesake(source, namesake, mappings) if namesake else None,
        shown=record.sampled,
        running=str(source) in snapshot.running or (external and holder is not None),
        external=external,
        on_beside=tuple(schedule.name for schedule in enabled) if external else (),
        overdue=by_others.overdue,
        overdue_unknown=by_others.unknown,
        ran_badly=by_others.failed,
        not_followed=by_others.doubt,
        unmoved=by_others.unmoved,
    )
    return SourceStatus(
        source,
        facts,
        connector,
        schedules,
        mappings,
        stage,
        filters=filters,
        record=record,
        holder=holder,
        held=f"{holder.name} holds it{said}." if holder and (said := holder.silence(snapshot.time)) else None,
    )


def said_of_namesake(source: Source, job: Schedule, mappings: t.Sequence[SyncMapping]) -> str:
    """Return what a job is that has the name of a source's own schedule and does something else, and the way out."""
    does = f"runs the action {job.invoke_context.get('action')} of the service {job.service or 'unknown'}"
    if source.resembles(job.source):
        does = f"names {job.source}, {source.otherwise(str(job.source))}, and runs nothing"
    elif job.source:
        does = f"runs liveSync of {job.source}"
    elif source.resembles(job.meant):
        does = f"invokes {job.document.get('invokeService')}, which runs nothing"
    service = "" if job.service == SERVICE else f"invokeService to {SERVICE}, "
    loads = loads_of([job])
    recorded = ", ".join(mapping.name for mapping in mappings if mapping.name in loads)
    return (
        f"The job {job.name} has the name of this source's schedule, and {does}. Where it should be that schedule,"
        f" set {service}action to liveSync and source to {source} in its invokeContext (PUT scheduler/job/{job.name})"
        + (f", and keep the rest of it: the load of {recorded} is recorded there." if recorded else ".")
        + " Where it is meant so, give the schedule of this source another name."
    )


def loads_of(schedules: t.Iterable[Schedule], now: str | None = None) -> dict[str, str]:
    """Return when each mapping's recorded load ended, by its name.

    :param now: the server's time: what is said to have ended after that has ended nobody knows when, which is told by
        "".
    """
    found = {
        str(mapping): str(load.get("time") or "")
        for schedule in schedules
        for mapping, load in schedule.load_record.items()
        if isinstance(load, dict)
    }
    return {name: "" if (seconds_between(now, time) or 0.0) > _AHEAD else time for name, time in found.items()}


def unloaded(
    client: Client,
    source: Source,
    mappings: t.Iterable[SyncMapping],
    loads: t.Mapping[str, Load],
    foreign: t.Mapping[str, Load],
) -> str | None:
    """Return what is to be said where nobody knows that what was there before has ever been brought over; else None.

    That somebody has compared here does not outweigh that a record is another IDM's: a repository that was put back
    brings its comparison with it.

    :param mappings: those of the source.
    :param loads: those that are recorded; ``foreign``: those that were done on another IDM.
    :raises Unreachable, Refused: as the client.
    """
    on = [one for one in mappings if one.sync_enabled is not False]
    names = not_loaded(on, {*loads, *foreign})
    names = not_loaded(on, {*loads, *foreign}, read_record(client, source)) if names else []
    said = [said_of_unloaded(names)] if names else []
    elsewhere = [foreign[one.name] for one in on if one.name in foreign]
    return " ".join([*said, *([said_of_elsewhere(elsewhere)] if elsewhere else [])]) or None


def not_loaded(mappings: t.Iterable[SyncMapping], loads: t.Iterable[str], record: RunRecord | None = None) -> list[str]:
    """Return the mappings of which no load is recorded, nor a comparison in which nothing differed.

    :param loads: those of which one is.
    """
    known = {*loads, *(record.sampled if record else ())}
    return [one.name for one in mappings if one.name not in known]


def recorded(schedules: t.Iterable[Schedule]) -> dict[str, Load]:
    """Return the recorded load of each mapping, by its name."""
    return {name: load for schedule in schedules for name, load in read_loads(schedule.load_record).items()}


def parted(client: Client | None, schedules: t.Iterable[Schedule]) -> tuple[dict[str, Load], dict[str, Load]]:
    """Return the recorded loads that were done on this IDM, and those that were not, by their mappings.

    :param client: None where nobody asks: then all are taken for this IDM's.
    :raises Unreachable: as the client.
    """
    found = recorded(schedules)
    foreign = made_elsewhere(client, found) if client else frozenset()
    here = {name: load for name, load in found.items() if name not in foreign}
    return here, {name: load for name, load in found.items() if name in foreign}


def oldest_load(schedules: t.Iterable[Schedule], mappings: t.Iterable[SyncMapping], now: str | None) -> str:
    """Return when the oldest of the last recorded loads of some mappings ended, "" where one has none.

    :param now: the server's time.
    """
    loads = loads_of(schedules, now)
    return min((loads.get(mapping.name, "") for mapping in mappings), default="")
