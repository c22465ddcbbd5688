# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what is known of the sources of liveSync, with few requests, and judges each."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import partial

from .._base.context import Context
from .._base.errors import IdmopsError, Refused
from .._http.client import Client
from .._idm.audit import SYNC_TOPIC, AuditEntry, kept_out, seconds_between
from .._idm.mapping import SyncMapping
from .._idm.record_failure import RecordFailure, parse_failure, read_failure
from .._idm.source import Source
from .._idm.stage import Stage, read_stages
from .._ldap.lines import Connect
from .._proof.link_ids import by_uuid, estranged
from .._record.load_record import made_elsewhere
from .._schedule.schedule import which_run
from .._schedule.threads import why_none_begins
from .arrived import MOST_TAKEN, Unarrived, read_unarrived
from .dropped import DEAD_LETTERS, Watched, newest_failures, read_dropped, untold
from .facts import LogFacts
from .gapped import Gaps, read_gaps
from .in_vain import AHEAD, in_vain
from .judged import Logs, judged, loads_of, oldest_load, recorded
from .log_facts import LogReader
from .queued import with_queues
from .snapshot import Snapshot, read_snapshot
from .source_status import LONGEST_WATCH, SourceStatus
from .states import PENDING_SECONDS, RUNNING, UNAVAILABLE
from .traceless import ANY_SKEW, Traceless, read_traceless

#: Between two looks at what runs, in seconds: a run that has nothing to do takes some 10 ms.
_LOOK = 1.0
#: A next run that is further away than a week, and a day, is not waited for, in seconds.
_FAR = 8 * 86400.0
_UNCOUNTED = (
    "The connector {} reads no change log, so that what is pending, and whether all has arrived, cannot be known here:"
    " idmops.idm.livesync_verify compares."
)


def status(
    client: Client,
    sources: t.Sequence[Source],
    directory: t.Mapping[str, t.Any] | None,
    context: Context,
    known: Snapshot | None = None,
    connect: Connect | None = None,
) -> list[SourceStatus]:
    """Judge the sources, all that are known where none are given.

    :param directory: connection options of the directory; without them nothing is known of pending changes.
    :param known: what has just been read, by a caller who waits for no run: then none is watched.
    :param connect: gives the connections to the directory, for all but what is watched.
    :raises InvalidOption: when none of several directory servers is the connector's.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    snapshot = known or read_snapshot(client)
    failures = newest_failures(client)
    if known is None:  # who has loaded knows where
        loads = recorded(snapshot.jobs).values()
        snapshot = replace(snapshot, elsewhere=made_elsewhere(client, {load.recon: load for load in loads}))
    chosen = list(sources or snapshot.known_sources())
    with Logs(directory, chosen, snapshot, context, connect) as logs:
        found = [judged(source, snapshot, logs) for source in chosen]
        passed_by = _passed_by(client, found, context)
        if passed_by:
            snapshot = replace(snapshot, running=snapshot.running - passed_by)
            found = [judged(source, snapshot, logs) for source in chosen]
        found = _with_dropped(client, found, failures, snapshot, logs, context)
    found = [_timed(with_queues(client, entry, snapshot), client.server_time) for entry in found]
    found = found if known else _watch(client, found, snapshot, directory, context)
    found = [_with_runs_in_vain(client, entry, snapshot, directory, context) for entry in found]
    found = [
        replace(
            entry,
            facts=replace(
                entry.facts,
                refused=(*entry.facts.refused, *_refused(client, entry)),
                estranged=_estranged(client, entry, snapshot.mappings),
            ),
        )
        for entry in found
    ]
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


def _with_dropped(
    client: Client,
    found: t.Sequence[SourceStatus],
    failures: t.Sequence[AuditEntry] | None,
    snapshot: Snapshot,
    logs: Logs,
    context: Context,
) -> list[SourceStatus]:
    """Add the records that IDM gave up on, whether such ones would show, and the newest that have not arrived."""
    watched = [
        Watched(
            entry.source,
            entry.connector.failure_policy,
            loads_of(entry.schedules, snapshot.time),
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
        unarrived = _unarrived(client, entry, snapshot, logs, context)
        gaps = _gaps(client, entry, snapshot, logs, context)
        silent = None
        if failures is not None and policy:
            well = unarrived.compared - {one.record for one in unarrived.records}
            traceless = _traceless(client, entry, well, logs)
            known_ones = {one.record for one in records or ()}
            records = (*(records or ()), *(one for one in traceless.records if one.record not in known_ones))
            silent = traceless.doubt
        names = {one.record for one in records or ()}
        more = [one for one in unarrived.records if one.record not in names]
        loaded = oldest_load(entry.schedules, entry.mappings, snapshot.time)
        drops = policy is not None and policy.drops
        mute = untold(failures, entry.source, loaded, kept_out(client)) if failures and drops else None
        silent_audit = failures is None and drops
        untraced = (policy.untraced(audited=failures is not None) if policy and not mute else None) or (
            known.unread if known else None
        )
        log, number = entry.facts.log, entry.facts.number
        facts = replace(
            entry.facts,
            log=(logs.ask(entry.source, partial(_recounted, log, number)) if log else None) or log,
            log_error=logs.error(entry.source),  # it may have gone away since it was counted
            dropped=len(names),
            untraced=untraced,
            unarrived=unarrived.sentences if more or unarrived.forbidding else (),
            forbidding=unarrived.forbidding,
            refused=(
                *((unarrived.doubt or "",) if unarrived.denied else ()),
                # on Advanced Identity Cloud there is no audit to ask (501)
                *((untraced or "",) if silent_audit and SYNC_TOPIC not in client.silent else ()),
                *((mute,) if mute else ()),
            ),
            unproved=entry.facts.unproved or any((unarrived.doubt, gaps and gaps.doubt, silent, silent_audit)),
            gapped=tuple(text for text in (gaps.standing, gaps.said) if text) if gaps else (),
            doubt=" ".join(text for text in (unarrived.said, unarrived.uncompared, gaps and gaps.doubt, silent) if text)
            or None,
        )
        records = (*(records or ()), *more) if more else records
        found_gaps = gaps.records if gaps else None
        unread = bool(known and known.unread)
        told.append(replace(entry, dropped=records, gaps=found_gaps, letters_unread=unread, facts=facts))
    return told


def _recounted(log: LogFacts, number: int | None, reader: LogReader) -> LogFacts:
    return reader.recounted(log, number)


def _unarrived(client: Client, entry: SourceStatus, snapshot: Snapshot, logs: Logs, context: Context) -> Unarrived:
    """Return the newest changes behind the token that have not arrived."""
    facts, connector = entry.facts, entry.connector
    if connector is None or entry.health.state == UNAVAILABLE:
        return Unarrived()
    if not connector.reads_change_log:
        return Unarrived(doubt=_UNCOUNTED.format(connector.name))
    if facts.number is None:
        return Unarrived()
    known = snapshot.mappings
    try:
        found = logs.ask(
            entry.source,
            lambda reader: read_unarrived(
                client,
                entry.source,
                connector,
                entry.mappings,
                known,
                reader,
                facts.number or 0,
                context,
                loaded=oldest_load(entry.schedules, entry.mappings, snapshot.time),
                shown=entry.record.shown(MOST_TAKEN),
                unloaded=facts.unshown,
                seen=entry.record.compared,
                managed=partial(logs.managed, client),
            ),
        )
    except Refused as exc:
        said = f"Whether the newest changes have arrived cannot be known: {exc.message}"
        if not exc.own:
            said += " Something before IDM answers for it: see that nothing in between changes IDM's answers."
        elif _hides(exc) and exc.status != 403:
            said += " Look into IDM's log for that, and ask again when it answers."
        return Unarrived(doubt=said, denied=_hides(exc))
    return found or Unarrived()


def _hides(exc: Refused) -> bool:
    """Tell whether there is what would tell of a change that did not arrive, and it is not shown; 501: there is not.

    What is not IDM's own, as a log-in page, shows nothing of IDM's, whatever its status.
    """
    if exc.status == 501:
        return False
    return exc.status == 403 or not exc.own or (exc.status is not None and exc.status >= 500)


def _gaps(client: Client, entry: SourceStatus, snapshot: Snapshot, logs: Logs, context: Context) -> Gaps | None:
    """Return what the change log hides from liveSync, None where that is not known."""
    facts, connector = entry.facts, entry.connector
    if connector is None or entry.health.state == UNAVAILABLE or facts.number is None or not facts.log:
        return None
    loaded = oldest_load(entry.schedules, entry.mappings, snapshot.time)
    mappings, known, number = entry.mappings, snapshot.mappings, facts.number
    try:
        return logs.ask(
            entry.source,
            lambda reader: read_gaps(
                client,
                entry.source,
                connector,
                mappings,
                known,
                reader,
                number,
                context,
                compared=loaded,
                kept=entry.record.gaps,
                managed=partial(logs.managed, client),
            ),
        )
    except Refused as exc:
        return Gaps(doubt=f"Whether the change log hides changes cannot be known: {exc.message}")


def _traceless(client: Client, entry: SourceStatus, well: t.Collection[str], logs: Logs) -> Traceless:
    """Return the records whose newest change left no trace, where each change should have left one.

    :param well: the ids of entries that are as they should be, whatever audit tells: it may have been switched off.
    """
    facts, connector, number = entry.facts, entry.connector, entry.facts.number
    if number is None or facts.failure or facts.unmapped or facts.sync_disabled or connector is None:
        return Traceless()
    if entry.filters or connector.sync_settings.get("attributesToSynchronize"):
        return Traceless()  # what leaves no trace may have been left out
    if any(mapping.qualified for mapping in entry.mappings):
        return Traceless()  # or be none of the mapping's
    taken = [one for one in logs.ask(entry.source, lambda reader: reader.taken(number)) or [] if one.record not in well]
    loaded = max(loads_of(entry.schedules, client.server_time).values(), default=None)
    now = partial(logs.ask, entry.source, lambda reader: reader.now())
    return read_traceless(client, entry.source, taken, loaded, client.server_time, now)


def _time_of(logs: Logs, source: Source, number: int) -> str | None:
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
    still = [entry.source for entry in met if _rev(stages.get(entry.source.stage_id)) == _rev(entry.stage)]
    on = which_run(client, still) if still else ()
    return frozenset(str(entry.source) for entry in met if entry.source not in still or str(entry.source) not in on)


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


def _estranged(client: Client, entry: SourceStatus, known: t.Sequence[SyncMapping]) -> str | None:
    """Return what has happened to the links, asked where something speaks for it: to find one, IDM reads them all."""
    facts, connector = entry.facts, entry.connector
    if connector is None or not (facts.failure or facts.dropped or facts.unarrived or not by_uuid(connector)):
        return None
    return estranged(client, connector, entry.mappings, known)


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
        on: set[str] | None = None  # those that run at this look
        for source, entry in list(open_ones.items()):
            stage = stages.get(source.stage_id)
            if stage is not None and stage.token != entry.facts.token:
                moved = replace(snapshot, stages={**snapshot.stages, source.stage_id: stage})
                with Logs(directory, [source], moved, context) as logs:
                    # that run may have dropped changes itself
                    again = judged(source, moved, logs)
                    (again,) = _with_dropped(client, [again], newest_failures(client), moved, logs, context)
                again = with_queues(client, again, moved)
                seen[source] = replace(again, facts=replace(again.facts, moved=True))
            elif _rev(stage) != _rev(entry.stage) and not entry.facts.is_behind:
                pass  # a run has ended well, and nothing is known to wait for it
            elif _rev(stage) != _rev(entry.stage) and waited >= PENDING_SECONDS:
                seen[source] = replace(entry, facts=replace(entry.facts, unmoved=True))
            elif waited < limits[source]:
                continue
            elif _rev(stage) == _rev(entry.stage):
                on = which_run(client, open_ones) if on is None else on
                runs = str(source) in on
                seen[source] = replace(entry, facts=replace(entry.facts, running=runs, erring=not runs))
            del open_ones[source]
    why = why_none_begins(client, snapshot.jobs) if any(one.facts.erring for one in seen.values()) else None
    told = [seen.get(entry.source, entry) for entry in found]
    return [replace(one, facts=replace(one.facts, not_begun=why)) if one.facts.erring else one for one in told]


def _with_runs_in_vain(
    client: Client,
    entry: SourceStatus,
    snapshot: Snapshot,
    directory: t.Mapping[str, t.Any] | None,
    context: Context,
) -> SourceStatus:
    """Add what shows that a schedule's runs store nothing, although one seems to go on whenever somebody looks."""
    facts, number = entry.facts, entry.facts.number
    if entry.health.state != RUNNING or not facts.enabled or not facts.is_behind or number is None:
        return entry
    with Logs(directory, [entry.source], snapshot, context) as logs:
        touched = logs.ask(entry.source, lambda reader: reader.touched(number + AHEAD, AHEAD, number))
    said = in_vain(client, entry.source, touched[-1]) if touched else None
    if said is None:
        return entry
    stage = read_stages(client).get(entry.source.stage_id)
    moved = stage is None or stage.token != facts.token
    return entry if moved else replace(entry, facts=replace(facts, in_vain=said))


def _last_failure(client: Client, entry: SourceStatus) -> RecordFailure | None:
    """Return the record that stopped the last run, None where none did."""
    if entry.stage is None or not entry.stage.failure:
        return None
    failure = read_failure(client, entry.source, entry.stage, detailed=False)
    return failure.under(entry.connector.failure_policy) if entry.connector else failure
