# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers liveSync of several sources and tells the truth about each."""

from __future__ import annotations

import typing as t
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from .._base.context import Context
from .._base.errors import DirectoryError, IdmopsError, Refused, TimedOut, Unreachable
from .._base.threads import side_by_side
from .._health.arrived import MOST_TAKEN, Unarrived, read_unarrived
from .._health.directories import directories
from .._health.gapped import LEFT_OUT, Gaps, beside, read_gaps, with_gaps
from .._health.judged import not_loaded, oldest_load, parted, recorded, unloaded
from .._health.log_facts import LogReader
from .._health.states import said_of_runs
from .._http.client import Client
from .._idm.audit import kept_out
from .._idm.connector import (
    TWINS_REMEDY,
    Connector,
    check_source,
    checked,
    failed_test,
    not_tested,
    read_connectors,
    rouse,
)
from .._idm.connector_filters import MODIFIERS, SyncFilter, filters_of
from .._idm.mapping import SyncMapping, read_mappings
from .._idm.server import ask_server
from .._idm.source import Source
from .._idm.stage import read_stage
from .._proof.link_ids import by_uuid, estranged
from .._record.hold import hold, who_holds
from .._record.run_record import note_gaps, read_record
from .._schedule.schedule import Schedule, executing_sources, is_running, read_all_jobs
from .audited import Audited
from .backlog import AUTO, LIVESYNC, RECONCILE, Backlog, Reconcile, Reconciled
from .catch_up import Runs
from .mapped import check_mapped
from .one_run import LiveSync
from .outcome import FAILED, PLANNED, SKIPPED, UNCHANGED, Surroundings
from .request import Request, request_of
from .tally import Tally, result_of
from .watch import LeftRun

__all__ = ["Request", "request_of", "trigger"]


def trigger(client: Client, request: Request, context: Context, reconcile: Reconcile | None = None) -> dict[str, t.Any]:
    """Run liveSync of all sources; return the module's result.

    Sources of different systems run side by side, those of one system one after the other.

    :param reconcile: brings a backlog over where the request asks for that.
    :raises InvalidOption: before anything is run, when a source does not exist, or the directory is not a connector's.
    :raises IdmopsError: with all runs in its result, when one of them failed.
    """
    connectors = {connector.name: connector for connector in read_connectors(client)}
    for source in request.sources:
        check_source(source, connectors.values(), request.option)
    systems = {source.system: connectors[source.system] for source in request.sources}
    urls = directories(request.directory, systems.values(), context)
    mappings = read_mappings(client)
    jobs = read_all_jobs(client, ask_server(client))
    audited = Audited()
    groups: dict[str, list[_SourceTask]] = {}
    for source in request.sources:
        own = [job for job in jobs if job.source == str(source)]
        firing = tuple(job.name for job in jobs if job.fires_for(str(source)))
        mapped = [mapping for mapping in mappings if source.is_named_by(mapping.source)]
        system, url = systems[source.system], urls.get(source.system)
        task = _SourceTask(request, context, source, system, url, own, mapped, mappings, reconcile, audited, firing)
        groups.setdefault(source.system, []).append(task)

    def run_group(tasks: list[_SourceTask]) -> list[Tally]:
        # one system is run over the connection that there is; a new one may cost several round trips
        with nullcontext(client) if len(groups) == 1 else client.sibling() as own_client:
            return [task.tally(own_client) for task in tasks]

    works = [partial(run_group, tasks) for tasks in groups.values()]
    tallies = [tally for group in side_by_side(works, request.parallel) for tally in group]
    order = list(request.sources)
    return result_of(sorted(tallies, key=lambda tally: order.index(tally.source)))


@dataclass(frozen=True)
class _SourceTask:
    """One source with what surrounds it.

    :param url: of the directory whose change log the connector reads, None where that is not known.
    :param mappings: those of the source.
    :param known: all mappings.
    :param firing: the names of the jobs that run it, those whose script calls liveSync of it among them.
    """

    request: Request
    context: Context
    source: Source
    connector: Connector
    url: str | None
    schedules: t.Sequence[Schedule]
    mappings: t.Sequence[SyncMapping]
    known: t.Sequence[SyncMapping] = ()
    reconcile: Reconcile | None = None
    audited: Audited = field(default_factory=Audited)
    firing: tuple[str, ...] = ()

    def tally(self, client: Client) -> Tally:
        """Run this source; an error becomes part of its tally, so that the other sources go on."""
        tally = self._tried(client, self._reconciled_first)
        if self._is_in_vain(tally):
            tally = self._reconciled_after(tally, client)
        self._warn_of_slowness(tally)
        return tally

    def _tried(self, client: Client, first: t.Callable[[Client, Tally], Reconciled | None]) -> Tally:
        """Run this source, after what comes first."""
        tally = Tally(self.source, FAILED, counts=self.connector.reads_change_log)
        reconciled = None
        try:
            reconciled = first(client, tally)
            self._fill(tally, client)
        except IdmopsError as exc:
            tally.fail(exc.message, exc.remedy, exc.status)
            tally.transaction = exc.result.get("transaction_id")
        if reconciled:
            tally.follow(reconciled)
        return tally

    def _reconciled_first(self, client: Client, tally: Tally) -> Reconciled | None:
        """Reconcile what is pending where the task says so, or where liveSync would hardly get through it.

        :raises IdmopsError: where the task says so, and it cannot be.
        """
        way = self.request.catch_up if self.source not in self.request.follow else LIVESYNC
        if way == LIVESYNC or (way == AUTO and (self.url is None or not self.connector.reads_change_log)):
            return None
        tally.before = read_stage(client, self.source)
        if way == RECONCILE:
            return self._reconciled(client)
        if not self._is_long(tally.number):
            return None
        try:
            return self._reconciled(client)
        except IdmopsError as exc:
            self.context.report.warn(f"{self.source}: liveSync catches up, since a reconciliation did not. {exc}")
            return None

    def _reconciled(self, client: Client) -> Reconciled | None:
        if self.reconcile is None:
            return None
        self._see_that_it_can_work(client)
        request = self.request
        backlog = Backlog(
            self.source,
            self.connector,
            request.directory,
            self.url,
            self.mappings,
            self.known,
            request.allow_deletes,
            request.patience.wait,
            request.lock,
        )
        return self.reconcile(client, backlog, self.context)

    def _is_long(self, number: int | None) -> bool:
        """Tell whether more changes are pending than liveSync is to bring, and a reconciliation may be tried.

        :param number: the change number that liveSync stands at.
        """
        with LogReader(self.request.directory, self.url, self.connector, self.context) as log:
            last = log.last()
        if last is None or number is None or last - number <= self.request.catch_up_above:
            return False
        if not (enabled := [schedule.name for schedule in self.schedules if schedule.enabled]):
            return True
        if not self.context.check_mode:  # the task before this one may be going to switch it off
            self.context.report.warn(
                f"{self.source}: {last - number} changes are pending, more than {self.request.catch_up_above}"
                f" (catch_up_above), and the schedule {', '.join(enabled)} is enabled, so that liveSync has to bring"
                " them. Switch it off first to have them reconciled."
            )
        return False

    def _is_in_vain(self, tally: Tally) -> bool:
        """Tell whether liveSync would lose its connection again and again, and a reconciliation may be tried."""
        run = tally.last
        if run is None or not run.cut or tally.token != run.mark.token or tally.reconciled:
            return False
        return self.request.catch_up == AUTO and self.url is not None and self.source not in self.request.follow

    def _reconciled_after(self, tally: Tally, client: Client) -> Tally:
        """Reconcile after runs that ended with nothing stored, and run liveSync behind that."""
        try:
            reconciled = self._reconciled(client)
        except IdmopsError as exc:
            tally.fail(f"{tally.error} It was not reconciled either: {exc.message}", exc.remedy, tally.status)
            return tally
        if reconciled is None:
            return tally
        again = self._tried(client, lambda *unused: None)
        again.follow(reconciled, tally.runs, tally.seconds)
        again.before = tally.before or reconciled.before
        return again

    def _fill(self, tally: Tally, client: Client) -> None:
        request, context = self.request, self.context
        if self.source not in request.follow:
            self._see_that_it_can_work(client)
        if context.check_mode:
            with LogReader(request.directory, self.url, self.connector, context) as log:
                _unused = log.whose  # a directory that is not the connector's would fail the run, too
                last = log.last() if request.catch_up == RECONCILE else None
            tally.before = read_stage(client, self.source)
            done = last is not None and tally.number is not None and tally.number >= last
            tally.outcome = UNCHANGED if done else PLANNED
            return
        livesync = LiveSync(
            client,
            self.source,
            context,
            request.patience,
            Surroundings(scheduled=any(schedule.enabled for schedule in self.schedules)),
            request.endpoint,
            request.detailed,
        )
        patience = request.patience.wait if request.if_running == "wait" else 0.0
        with hold(client, self.source, context, wait=patience, work="liveSync", where=request.lock) as lock:
            left = LeftRun(livesync, lock) if lock and self.source not in request.follow else None
            if lock is None or not self._idle(livesync, left):
                self._busy(tally, client, who_holds(client, self.source, request.lock) if lock is None else "")
                return
            tally.lock = lock.kind
            if self.url is not None and self.connector.remote and self.source not in request.follow:
                rouse(client, [self.source.system])
            with LogReader(request.directory, self.url, self.connector, context) as log:
                arrival = partial(self._arrival, client) if self.url is not None else None
                mark = left.mark if left else None
                loads, foreign = parted(client if self.url is not None else None, self.schedules)
                runs = Runs(livesync, self.connector, log, lock, request, tally, mark, arrival, [*loads.values()])
                ended = False
                try:
                    runs.go()
                    off = any(one.sync_enabled is False for one in self.mappings)
                    if off or any(one.against for one in self._filters):
                        tally.proved = False  # what is left out, or dropped, moves the token too
                    if tally.proved and (said := unloaded(client, self.source, self.mappings, loads, foreign)):
                        tally.proved = False
                        self.context.report.warn(f"{self.source}: {said}")
                    policy, without = self.connector.failure_policy, kept_out(client)
                    if policy.drops and without:  # as the entries of this run have shown
                        tally.proved = False
                        context.report.warn(f"{self.source}: {policy.untraced(audited=False, without=without)}")
                    ended = True
                finally:
                    lock.note(
                        tally.outcome,
                        failed=not ended or tally.error is not None,
                        compared=tally.compared,
                        anchor=tally.anchor,
                        afresh=tally.based,
                    )
        if tally.error and tally.last and tally.last.failure and (said := self._estranged(client)):
            tally.fail(
                f"{tally.error} {said}", "See that first: it is the connector's, not the record's.", tally.status
            )

    @property
    def _filters(self) -> tuple[SyncFilter, ...]:
        logged = self.request.directory is not None
        return filters_of(self.connector, self.source.object_type, self.mappings, logged=logged)

    def _estranged(self, client: Client) -> str | None:
        return estranged(client, self.connector, self.mappings, self.known)

    def _arrival(self, client: Client, log: LogReader, token: int, after: int) -> Unarrived:
        """Return what of the changes between two numbers has not arrived, shown by the change log or not.

        :param after: 0 for as many as can be looked at.
        """
        about = (client, self.source, self.connector, self.mappings, self.known, log, token, self.context)
        try:
            loaded = oldest_load(self.schedules, self.mappings, client.server_time)
            record = read_record(client, self.source)
            known = log.seen(record.compared, record.anchor) if record else 0
            # what was seen to have arrived is not looked at again; what others have taken since is
            begin = after or (known if known and known <= token else 0)
            shown = record.shown(MOST_TAKEN) if record else ""
            missed = not_loaded(self.mappings, recorded(self.schedules), record)
            found = read_unarrived(*about, begin, loaded=loaded, shown=shown, unloaded=missed)
            found = replace(found, since=None if known is None else min(begin, known))
            kept = record.gaps if record else ()
            # a run proves nothing while what was hidden from those before it has not arrived
            earlier = read_gaps(*about, after=None if after else token, kept=kept) if after or kept else Gaps()
            gaps = read_gaps(*about, after=after or None)
            both = {one.record: one for one in (*earlier.records, *gaps.records)}
            if left := [one for one in both.values() if one.kind == LEFT_OUT]:
                note_gaps(
                    client,
                    self.source,
                    [{"record": one.record, "csn": one.csn, "time": one.time} for one in left],
                    self.context,
                )
            if found.records:  # why may stand in the configuration
                effects = (f"{one.effect} {one.remedy}" for one in self._filters if one.property != MODIFIERS)
                found = replace(found, sentences=(*effects, *found.sentences))
            gaps = gaps if after else replace(gaps, doubt=None)
            found = with_gaps(found, beside(gaps, earlier))
            said = [*([found.doubt] if found.doubt else []), *log.standby(token).elsewhere]
            return replace(found, doubt=" ".join(said) or None)
        except (Refused, DirectoryError) as exc:
            return Unarrived(doubt=f"Whether the changes have arrived cannot be known: {exc.message}")

    def _see_that_it_can_work(self, client: Client) -> None:
        """Send nothing where the changes would be lost, or would not come.

        :raises IdmopsError: saying why, and what mends it.
        """
        concurrent = [one.name for one in self.schedules if one.enabled and one.concurrent is True]
        if said := said_of_runs(self.firing, concurrent):
            self.context.report.warn(f"{self.source}: {said}")
        if warning := check_mapped(self.source, self.mappings, self.request.mappings, self.known):
            self.context.report.warn(warning)
        if self.connector.ambiguity:
            raise IdmopsError(f"{self.connector.ambiguity} No run was sent.", remedy=TWINS_REMEDY)
        if self.connector.enabled is False:
            raise not_tested(self.connector, " No run was sent.")
        if not by_uuid(self.connector) and (said := self._estranged(client)):
            raise IdmopsError(said, remedy="No run was sent: each would use up a retry of the record that it meets.")
        for one in self._filters:
            if one.empties:
                raise IdmopsError(f"{self.source}: {one.effect} No run was sent.", remedy=one.remedy)
            if one.against:
                self.context.report.warn(f"{self.source}: {one.effect} {one.remedy}")
        policy = self.connector.failure_policy
        if policy.drops:
            audited = self.audited.ask(client, self.source)
            untraced = policy.untraced(audited=audited)
            if untraced and (not audited or policy.max_retries == 0):
                self.context.report.warn(f"{self.source}: {untraced}")
        # also where a directory shows what is pending: while its backend is off each run passes changes by for good
        test = checked(client, self.connector)
        if not test.ok:
            raise failed_test(self.connector, test, " No run was sent.")

    def _idle(self, livesync: LiveSync, left: LeftRun | None) -> bool:
        """Tell whether neither a job nor a run that an earlier task has left runs this source.

        Where the task says so, wait for that.
        """

        def busy() -> bool:
            if left and left.goes_on():
                return True
            if self.schedules:
                return is_running(livesync.client, self.source)
            return str(self.source) in executing_sources(livesync.client)

        if not busy():
            return True
        if self.request.if_running != "wait":
            return False
        self.context.report.progress(f"{self.source}: another run is going on; waiting for its end")
        try:
            self.context.wait_for(
                lambda: None if busy() else True,
                timeout=self.request.patience.wait,
                what=f"the running liveSync of {self.source} to end",
            )
        except TimedOut:
            return False
        return True

    def _busy(self, tally: Tally, client: Client, holder: str) -> None:
        tally.before = read_stage(client, self.source)
        tally.outcome = SKIPPED
        if self.request.if_running != "skip":
            tally.fail(
                f"Another liveSync of {self.source} is running{holder} (if_running={self.request.if_running}).",
                f"{self._why_it_may_hang(client)}Wait for it: if_running: wait with a longer wait_timeout. Two at once"
                " damage each other.",
            )

    def _why_it_may_hang(self, client: Client) -> str:
        """Return what the connector's test says of a run that was waited for in vain, "" where that says nothing."""
        if self.request.if_running != "wait":
            return ""
        try:
            test = checked(client, self.connector)
        except (Refused, Unreachable) as exc:
            return f"Whether that run hangs cannot be known: {exc.message} "
        return "" if test.ok else f"That run may hang: {failed_test(self.connector, test).message} Mend that first. "

    def _warn_of_slowness(self, tally: Tally) -> None:
        for schedule in self.schedules:
            interval = schedule.interval_seconds
            if schedule.enabled and interval and tally.runs == 1 and tally.seconds > interval:
                self.context.report.warn(
                    f"{self.source}: this run took {tally.seconds:.0f} s, more than the {interval:g} s between two runs"
                    f" of the schedule {schedule.name}, so that they may have met and damaged each other."
                )
