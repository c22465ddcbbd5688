# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciliation: start it, follow it, join it, and know how it ended.

A run is started without waiting (a clustered one cannot be waited for, and no line lasts for hours) and asked for
until it has ended. The server goes on whatever becomes of us.
"""

from __future__ import annotations

import contextlib
import typing as t
import uuid
from dataclasses import dataclass, field, replace

from .._base.context import Context
from .._base.errors import IdmopsError, InvalidOption, Refused, TimedOut, Unreachable
from .._base.filters import equals
from .._base.limits import check_limits
from .._base.values import as_dict, as_text
from .._http.client import Client
from .._http.form import id_of
from .._idm.audit import FAILED, RECON_TOPIC, RECONCILED
from .._idm.connector import checked, read_connectors, rouse
from .._idm.entries import traced
from .._idm.mapping import SyncMapping, read_mapping
from .._idm.source import Source
from .._record.hold import SERVER, hold, who_holds
from .elsewhere import runs_elsewhere
from .misread import check_read
from .records import AT_ONCE, Records, only
from .run import ACTIVE, MOST_FAILURES, PLANNED, SUCCESS, EntryFailure, ReconRun, object_id, sum_of
from .single import RECORD_TIMEOUT, OwnWord
from .verdict import GONE, JOIN_AGAIN, NO_SUCH_ID, ReconFindings, not_in_force, verdict
from .watch import PROXY_ERRORS, ReconWatch, list_runs

JOIN, WAIT, FAIL = "join", "wait", "fail"

#: What an answer has as its status that cannot be read, though IDM may have made it: it has done what was asked.
_UNREADABLE = (200, 201, 204)
#: How long a run is looked for whose start was not answered, in seconds.
_APPEARS = 15.0
#: Between two looks at who holds the source, in seconds.
_TURN = 1.0


@dataclass(frozen=True)
class ReconRequest:
    """What is asked for.

    :param ids: of single records, within the source. None: the whole mapping.
    :param wait_timeout: seconds for everything.
    :param if_running: JOIN, WAIT or FAIL when a run of the same mapping is active.
    :param held: whether the caller holds the source, so that no other task of ours starts anything.
    :param persist_associations: whether a run keeps what became of each entry, in recon/assoc.
    """

    mapping: str
    ids: tuple[str, ...] | None = None
    wait: bool = True
    wait_timeout: float = 86400
    if_running: str = JOIN
    allow_empty_source: bool = False
    max_failures: int = 0
    max_failure_percent: float | None = None
    persist_associations: bool = False
    held: bool = False

    def validate(self) -> None:
        """Check what can be checked before anything is sent.

        :raises InvalidOption: naming the option.
        """
        if self.ids is not None:
            self._validate_ids(list(self.ids))
        check_limits(vars(self))

    def _validate_ids(self, ids: list[str]) -> None:
        if not ids:
            raise InvalidOption("ids", ids, "Name at least one, or leave it out to reconcile the whole mapping.")
        if len(ids) > AT_ONCE and not self.wait:
            raise InvalidOption(
                "ids", f"{len(ids)} ids", f"{AT_ONCE} are a run, one after the other: with wait=false give no more."
            )
        if not all(ids):
            raise InvalidOption("ids", ids, "An id is not empty.")


@dataclass(frozen=True)
class ReconOutcome:
    """What became of a request.

    :param run: all runs as one; in check mode the one that would be joined or started.
    :param started: whether this task started a run, or would have.
    :param failures: entries that failed, as far as they are known.
    :param gone: how many more failed because they are not in the source any more.
    """

    run: ReconRun
    started: bool
    failures: tuple[EntryFailure, ...] = ()
    gone: int = 0

    @property
    def diff(self) -> dict[str, t.Any]:
        """What the task changed of itself: it started a run."""
        after = {"started": {"mapping": self.run.mapping, "ids": list(self.run.source_ids)}}
        return {"before": {}, "after": after if self.started else {}}

    def as_result(self) -> dict[str, t.Any]:
        """Return the outcome as modules show it."""
        return {
            **self.run.as_result(self.failures),
            "gone": self.gone,
            "joined": bool(self.run.id) and not self.started,
        }


def reconcile(client: Client, request: ReconRequest, context: Context) -> ReconOutcome:
    """Reconcile a mapping, or single records of it.

    :raises InvalidOption: for options that cannot work, an unknown mapping included; nothing has been started.
    :raises TimedOut: when a run did not end in time; it goes on.
    :raises IdmopsError: when a run did not end well, with the run in its result.
    """
    request.validate()
    mapping = read_mapping(client, request.mapping)
    check_read(client, mapping)
    one = _Reconciliation(client, request, context, mapping)
    try:
        outcome = one.records() if request.ids else one.whole()
    except IdmopsError as exc:
        exc.result.setdefault("changed", one.started)
        raise
    if outcome.run.state in (ACTIVE, PLANNED):
        return outcome
    findings = one.found or [one.findings(outcome.run)]
    outcome = replace(
        outcome,
        run=sum_of([found.run for found in findings]),
        failures=tuple(failure for found in findings for failure in found.failures or ()),
        gone=sum(found.gone for found in findings),
    )
    error = verdict(findings, request.max_failures, request.max_failure_percent)
    if error:
        error.result = {"changed": outcome.started, "recon": outcome.as_result()}
        raise error
    return outcome


@dataclass
class _Reconciliation:
    client: Client
    request: ReconRequest
    context: Context
    mapping: SyncMapping
    found: list[ReconFindings] = field(default_factory=list)
    started: bool = False

    def __post_init__(self) -> None:
        self.end = self.context.clock.now() + self.request.wait_timeout
        self._transaction = f"idmops-{uuid.uuid4()}"
        self._own_word = OwnWord(self.client, self.mapping.name)
        self._known: set[str] = set()

    def whole(self) -> ReconOutcome:
        """Reconcile the mapping, or join a run that does."""
        return ReconOutcome(self._one(()), self.started)

    def records(self) -> ReconOutcome:
        """Reconcile single records, so many at a time.

        What is not in the source any more is not sent: IDM leaves it out in silence, and leaves its target (seen on
        OpenIDM 6.1.0).
        """
        records = Records(self.client, self.mapping)
        asked = list(dict.fromkeys(map(object_id, self.request.ids or ())))
        gone = records.gone(asked)
        runs: list[ReconRun] = []
        unknown = records.unknown(gone or ())
        for record in gone or ():
            runs.append(ReconRun("", self.mapping.name, SUCCESS, source_ids=(record,), failed=1))
            why = NO_SUCH_ID if record in unknown else GONE
            self.found.append(ReconFindings(runs[-1], self.mapping, (EntryFailure(record, None, None, why),)))
        left = [record for record in asked if record not in (gone or ())]
        size = 1 if self._one_by_one(left) else AT_ONCE
        if gone is None and size == 1:
            self.context.report.warn(
                f"{self.mapping.name}: whether {', '.join(left)} is still in {self.mapping.source} cannot be known,"
                " since a query is not answered. If it is not, a reconciliation by id leaves its target as it is, and"
                " calls that a success."
            )
        for start in range(0, len(left), size):
            part = tuple(left[start : start + size])
            runs.append(self._one(part))
            if runs[-1].state not in (ACTIVE, PLANNED):
                self.found.append(records.with_left_out(self.findings(runs[-1]), part))
        return ReconOutcome(sum_of(runs), self.started)

    def _one_by_one(self, ids: t.Sequence[str]) -> bool:
        """Tell whether each record has to be a run of its own."""
        return self.mapping.source_filter is None or (self.request.wait and self._own_word.is_awaited(ids))

    def findings(self, run: ReconRun) -> ReconFindings:
        """Find out what the verdict on a run needs to know."""
        suspects = sum(run.situations.get(situation, 0) for situation in self.mapping.excepting)
        failures = self._failures(run) if run.failed or suspects else ()
        # where nothing tells which of them were marked as EXCEPTION, all may have been that IDM counts as successes
        marked = sum(failure.marked for failure in failures) if failures else min(suspects, run.succeeded)
        # a target without a source that is marked as EXCEPTION is no entry that a load should have brought
        foreign = {failure for failure in failures or () if failure.marked and not failure.in_source}
        marked -= len(foreign)
        failures = failures and tuple(failure for failure in failures if failure not in foreign)
        run = replace(run, failed=run.failed + marked, succeeded=max(0, run.succeeded - marked))
        gone: set[EntryFailure] = set()
        if run.state == SUCCESS and not run.source_ids:
            gone = {failure for failure in failures or () if not failure.marked and self._is_gone(failure)}
            failures = failures and tuple(failure for failure in failures if failure not in gone)
        connector = test = None
        if run.state != SUCCESS and not run.failed and self.mapping.source.startswith("system/"):
            system = self.mapping.source.split("/")[1]
            connector = next((item for item in read_connectors(self.client) if item.name == system), None)
            test = checked(self.client, connector) if connector else None
        silent = run.source.processed == 0 and run.source.total is None and not self.mapping.asynchronous
        broken = test is not None and test.ok and silent
        unread = Records(self.client, self.mapping).unread(run.source_ids) if broken else None
        transaction = self._transaction if self.started else None
        return ReconFindings(run, self.mapping, failures, len(gone), connector, test, unread, transaction)

    def _is_gone(self, failure: EntryFailure) -> bool:
        """Tell whether an entry failed because somebody removed it from the source after the run had begun.

        A run asks for all ids first, and then for one entry after the other: "no source object to create target from"
        (seen on OpenIDM 6.1.0). Whether it is still there is asked rather than read from that text.
        """
        return failure.in_source and bool(Records(self.client, self.mapping).gone([failure.record]))

    def _one(self, ids: tuple[str, ...]) -> ReconRun:
        """Start one run, or join it, and wait for its end where that is asked for.

        It is started while no other task of ours, on whichever host, starts one or loads the source.
        """
        run = None
        while run is None:
            run = self._joined(ids)
            if run is None and self.context.check_mode:
                self.started = True
                return ReconRun("", self.mapping.name, PLANNED, source_ids=ids)
            if run is None:
                with self._alone() as alone:
                    run = self._start(ids) if alone and not self._begun_meanwhile() else None
                if not alone:
                    self._await_turn()
        if not self.request.wait or self.context.check_mode:
            return run
        return run if self._own_word.has_told(ids) else self.follow(run)

    @contextlib.contextmanager
    def _alone(self) -> t.Iterator[bool]:
        """Hold the source if nobody else does; yield whether it is held."""
        source = None if self.request.held else Source.of(self.mapping.source)
        if source is None:
            yield True
            return
        with hold(self.client, source, self.context, wait=0.0, work="reconciliation") as lock:
            yield lock is not None

    def _begun_meanwhile(self) -> bool:
        """Tell whether somebody has started a run since it was looked for."""
        return not self.request.held and bool(self._active())

    def _await_turn(self) -> None:
        """Let whoever holds the source go on for a moment.

        :raises IdmopsError: where that is not to be waited for, or not any longer.
        """
        if self.request.if_running == FAIL or self.context.clock.now() >= self.end:
            source = t.cast(Source, Source.of(self.mapping.source))
            raise IdmopsError(
                f"Another task has {source}{who_holds(self.client, source, SERVER)}, so no reconciliation of"
                f" {self.mapping.name} was started.",
                remedy="Run the task again when that one has ended: two at once make people twice.",
            )
        self.context.clock.sleep(_TURN)

    def _joined(self, ids: tuple[str, ...]) -> ReconRun | None:
        """Return the active run to join, None when no run of the mapping is active (any more)."""
        while True:
            active = self._active()
            if not active:
                return None
            if self.request.if_running == FAIL:
                raise IdmopsError(
                    f"The reconciliation {active[-1].id} of {self.mapping.name} is running (if_running=fail).",
                    remedy="Wait until it has ended, or set if_running to join or wait.",
                    result={"recon": active[-1].as_result()},
                )
            same = [run for run in active if run.source_ids == ids]
            if same and self.request.if_running == JOIN:
                return same[-1]
            if self.context.check_mode:
                return None
            self.follow(active[-1], "other reconciliation")

    def _active(self) -> list[ReconRun]:
        runs = list_runs(self.client, self.mapping.name)
        self._known = {run.id for run in runs}
        active = [run for run in runs if run.state == ACTIVE]
        return active or runs_elsewhere(self.client, self.mapping.name, self._known)

    def _start(self, ids: tuple[str, ...]) -> ReconRun | None:
        """POST once; where the line is cut on the way, find the run that came of it.

        :returns: None when another run got in first, which IDM 7 and later refuse (the open fork runs both).
        """
        known = self._known
        params = {"_action": "recon", "mapping": self.mapping.name}
        body: dict[str, t.Any] = {"allowEmptySourceSet": True} if self.request.allow_empty_source else {}
        if ids and self._one_by_one(ids):
            params.update(_action="reconById", id=ids[0], ids=ids[0])  # the open fork wants ids, IDM 7 and later id
        elif ids:
            body.update(only(self.mapping, ids))
        if self.request.persist_associations:
            params["persistAssociations"] = "true"
        awaited = self.request.wait and self._own_word.is_awaited(ids)
        if awaited:
            params["waitForCompletion"] = "true"
        rouse(self.client, self.mapping.systems)
        try:
            timeout = RECORD_TIMEOUT if awaited else None
            headers = traced(self._transaction)
            answer = as_dict(self.client.post("recon", params, body or None, headers=headers, timeout=timeout))
            run_id = id_of(answer, f"POST {self.client.url}/recon?_action={params['_action']}")
            run = ReconRun(run_id, self.mapping.name, as_text(answer.get("state")) or ACTIVE, source_ids=ids)
        except Unreachable as exc:
            if not exc.sent:
                raise
            run = self._appeared(known, ids, exc)
        except Refused as exc:
            if not exc.sent:
                raise
            if exc.own:
                if error := not_in_force(self.mapping, exc):
                    raise error from exc
                if awaited and (ended := self._ended(known, ids, exc)):
                    return ended
                if self._own_word.is_unwelcome(exc) or (exc.status == 409 and self._active()):
                    return None
                raise
            if exc.status not in (*_UNREADABLE, *PROXY_ERRORS):
                raise
            run = self._appeared(known, ids, exc)
        self.started = True
        return run

    def _ended(self, before: set[str], ids: tuple[str, ...], exc: Refused) -> ReconRun | None:
        """Return the run of a record that was waited for and whose error was the answer."""
        runs = list_runs(self.client, self.mapping.name)
        new = [run for run in runs if run.id not in before]
        run = self._own_word.ended(exc, ids, new, any(run.state == ACTIVE for run in runs))
        self.started = self.started or run is not None
        return run

    def _appeared(self, before: set[str], ids: tuple[str, ...], cut: IdmopsError) -> ReconRun:
        """Return the run that has come up since a cut POST."""
        self.context.report.progress(f"{self.mapping.name}: the line was cut; looking for the run that was started")

        def probe() -> ReconRun | None:
            try:
                runs = list_runs(self.client, self.mapping.name)
            except (Unreachable, Refused):
                return None
            return next((run for run in runs if run.id not in before and run.source_ids == ids), None)

        try:
            return self.context.wait_for(probe, timeout=_APPEARS, what="a new run")
        except TimedOut:
            raise IdmopsError(
                f"{cut.message} Whether the reconciliation of {self.mapping.name} was started is not known: none came"
                f" up within {_APPEARS:g} s.",
                status=cut.status,
                remedy=f"Nothing was sent twice. {JOIN_AGAIN} Where there is none it starts one.",
            ) from cut

    def follow(self, run: ReconRun, what: str = "reconciliation") -> ReconRun:
        """Wait for the end of a run."""
        watch = ReconWatch(self.client, self.context, run, f"{what} {run.id} of {self.mapping.name}")
        left = self.end - self.context.clock.now()
        try:
            return self.context.wait_for(
                watch.probe, timeout=left, what=f"{what} {run.id} of {self.mapping.name} to end", longest_pause=3.0
            )
        except TimedOut as exc:
            seen = watch.seen
            raise TimedOut(
                f"The reconciliation {run.id} of {self.mapping.name} had not ended after"
                f" {self.request.wait_timeout:g} s (wait_timeout), at {seen.source} source entries. It goes on.",
                remedy=JOIN_AGAIN,
                result={"recon": seen.as_result()},
            ) from exc

    def _failures(self, run: ReconRun) -> tuple[EntryFailure, ...] | None:
        """Return the entries that failed, None where audit/recon does not answer."""
        what = f"{equals('reconId', run.id)} and {RECONCILED} and {FAILED}"
        try:
            found = self.client.query(RECON_TOPIC, what, _pageSize=str(MOST_FAILURES))
        except Refused:
            return self._own_word.failures(run, self.request.persist_associations or not self.started)
        return tuple(map(EntryFailure.parse, found))
