# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs liveSync of one source once, or until it has caught up, and tells what came of it."""

from __future__ import annotations

import typing as t
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass, replace
from functools import partial

from .._base.errors import DirectoryError, IdmopsError, Unreachable
from .._base.progress import Progress
from .._base.threads import start
from .._changelog.anchor import Anchor
from .._health.arrived import Unarrived
from .._health.facts import Facts
from .._health.log_facts import LogReader
from .._health.states import DORMANT, PENDING_SECONDS, judge_health, unreadable
from .._idm.audit import Counter, failures_since
from .._idm.connector import Connector, checked
from .._idm.connector_activation import reactivate
from .._idm.error_texts import DOUBLED, MISFIT_REMEDY, VOID_REMEDY, read_reason
from .._idm.record_failure import RecordFailure, passed_over, skipped_record
from .._idm.stage import Stage, read_stage
from .._record.hold import Held
from .._record.load_record import Load
from .one_run import LiveSync
from .outcome import ADVANCED, BASELINE, FAILED, UNCHANGED, Mark, Run
from .request import Request
from .tally import Tally
from .unproved import why_unproved

Arrival = t.Callable[[LogReader, int, int], Unarrived]
#: Before a run that left pending changes where they were is followed by another one, in seconds: the first pause, and
#: the longest.
_PAUSE, _LONGEST_PAUSE = 0.5, 4.0
#: How often somebody who looks on is told how far a run is, in seconds.
_LOOK = 2.0


@dataclass
class Runs:
    """The runs of one source in one task; :meth:`go` fills the tally.

    :param left: what was known before a run that an earlier task has left, and that has ended by now.
    :param arrival: tells what has not arrived of the changes between two numbers, None where no directory is asked.
    :param loads: those that the token goes on from, and that were done on this IDM.
    """

    livesync: LiveSync
    connector: Connector
    log: LogReader
    lock: Held
    request: Request
    tally: Tally
    left: Mark | None = None
    arrival: Arrival | None = None
    loads: t.Sequence[Load] = ()

    def __post_init__(self) -> None:
        self._context = self.livesync.context
        self._reactivated, self._pause = False, _PAUSE
        self._known: set[str] = set()
        self._unmoved_since: float | None = None
        self._passed_by = self._doubted = self._unseen = False

    def go(self) -> None:
        """Run, and fill the tally.

        :raises IdmopsError: when nothing was run.
        """
        start = self._context.clock.now()
        try:
            self._go(start + self.request.patience.wait)
        finally:
            self.tally.seconds = self._context.clock.now() - start

    def _go(self, end: float) -> None:
        tally, clock = self.tally, self._context.clock
        target = self.log.last()
        tally.before, mark = self.livesync.mark(target)
        self._see_that_the_token_fits(tally.before)
        self._see_that_no_aci_denies_it()
        earlier = self.request.follow.get(self.livesync.source)
        if earlier is not None:
            tally.before = Stage(rev=earlier.rev, token=earlier.token)
        first = earlier or mark
        if self.connector.failure_policy.max_retries == 0 and mark.began:
            client, source = self.livesync.client, self.livesync.source
            self._known = {entry.id for entry in failures_since(client, source, mark.began)}
        repeated = False
        while True:
            run = self._one(mark)
            tally.last, tally.runs = run, tally.runs + run.sent
            tally.after = run.after or tally.after
            if not repeated and self._lost_a_race(run):
                repeated = True  # once more when the other run has ended
                if not self.livesync.quiet(end - clock.now()):
                    break
            elif run.dormant or self._left_behind(run, target):
                if not self._woken(run, target):
                    break
            elif self._done(run, target):
                break
            if not self.livesync.clear(end - clock.now()) or clock.now() >= end:
                self._give_up(target)
                break
            unused, mark = self.livesync.mark(target)
        self._conclude(first, end)
        tally.anchor = self._met()
        if self._unseen:  # a number counts together with the change that tells whose it is
            tally.compared = (tally.compared or 0) if tally.anchor else None
        well = tally.error is None and not tally.skipped_records and not (tally.last and tally.last.failure)
        tally.proved = well and target is not None and self._reached(target) and not self.log.unrecorded
        tally.proved = tally.proved and not self._passed_by and not self._doubted and tally.outcome != BASELINE
        if tally.proved and (unreadable := self._unreadable()):
            tally.proved = False
            self._context.report.warn(f"{self.livesync.source}: the token has moved on all the same. {unreadable}")
        elif self.request.until_caught_up and not tally.proved and tally.error is None:
            if target is None and (unreadable := self._unreadable()):
                tally.fail(f"Whether liveSync of {self.livesync.source} has caught up cannot be known.", unreadable)
            else:
                self._say_that_nothing_is_proved()

    def _met(self) -> Anchor | None:
        """Return the newest change that is known to lie behind the token, None where that cannot be known now."""
        try:
            return self.log.anchor(self.tally.number) if self.tally.based else self.log.reached
        except DirectoryError:
            return None  # what has come of the runs is known without it

    def _lost_a_race(self, run: Run) -> bool:
        """Tell whether another run of the source is why a run has not done all that is asked for."""
        if run.outcome == FAILED:
            return not run.attributed
        if not self.request.until_caught_up or run.failure is None or not run.failure.by_race:
            return False
        return read_reason(run.failure.cause or "").kind != DOUBLED  # two links stay when the other run has ended

    def _unreadable(self) -> str | None:
        """Return why the connector cannot read the changes, as the directory tells it; None where it tells nothing.

        An account that is not let read what a change is about passes it by, and the token moves on (seen on OpenIDM
        6.1.0).
        """
        try:
            return unreadable(self.log.facts(self.tally.number))
        except DirectoryError:
            return None  # what has come of the runs is known without it

    def _say_that_nothing_is_proved(self) -> None:
        if self._passed_by or self._doubted:
            return  # that has been said
        base_point = self.tally.outcome == BASELINE
        said = why_unproved(
            base_point, self.log.unrecorded, self.connector.reads_change_log, given=bool(self.request.directory)
        )
        self._context.report.warn(f"{self.livesync.source}: {said}")

    def _see_that_the_token_fits(self, stage: Stage | None) -> None:
        """Send no run that would fail at the token, or would jump over changes as if they were none.

        :raises IdmopsError: saying why, and what mends it.
        """
        if stage is None or self.livesync.source in self.request.follow:
            return
        if stage.void:
            raise IdmopsError(
                f"The stage of {self.livesync.source} holds no token: a run would fail.", remedy=VOID_REMEDY
            )
        if not self.connector.reads_change_log:
            return
        if misfit := stage.misfit(self.connector, numbered=self.log.last() is not None):
            raise IdmopsError(f"{self.livesync.source}: {misfit}", remedy=MISFIT_REMEDY)
        anchors = [self.lock.anchor, *(one.base_point for one in self.loads)]
        if bad := self.log.outside(stage.number, anchors, self.loads):
            state, remedy = bad
            raise IdmopsError(f"liveSync of {self.livesync.source} is {state}, so no run was sent.", remedy=remedy)

    def _see_that_no_aci_denies_it(self) -> None:
        """Send no run that would pass by what an ACI hides of the change log, or fail at it.

        :raises IdmopsError: saying which ACI, and what mends it.
        """
        if self.livesync.source in self.request.follow or not self.log.denied_by:
            return
        if said := unreadable(self.log.facts(self.tally.number)):
            raise IdmopsError(
                f"An ACI denies the connector's account some of the change log: a run of {self.livesync.source} would"
                " lose changes or end in an error, so none was sent.",
                remedy=said,
            )

    def _one(self, mark: Mark) -> Run:
        """Send one POST, or follow the run that an earlier task has sent; remember it until its end is known."""
        earlier = self.request.follow.get(self.livesync.source) if not self.tally.runs else None
        remembered = self.lock.remembered()
        self.lock.remember(vars(earlier or mark))
        try:
            if earlier is not None:
                run = self._watched(earlier, self.livesync.follow)
            elif not self.request.wait:
                run = self.livesync.run(mark, glance=True)
            else:
                run = self._watched(mark, self.livesync.run)
        except IdmopsError:
            self.lock.remember(remembered)  # nothing was sent: what was known before still is
            raise
        if not run.open:
            self.lock.remember(None)
        return run

    def _watched(self, mark: Mark, work: t.Callable[[Mark], Run]) -> Run:
        """Do the work; where somebody looks on, do it in a thread of its own and tell how far it is."""
        if not self._context.report.live:
            return work(mark)
        livesync = self.livesync
        total = None
        number = self.tally.number
        if number is not None and mark.last_change_number is not None:
            total = max(mark.last_change_number - number, 0)
        progress: Progress | None = None
        with livesync.client.sibling() as watcher:
            counter = Counter(watcher, livesync.source, mark.began) if mark.began else None
            future = start(partial(work, mark))
            while True:
                try:
                    return future.result(timeout=_LOOK)
                except StillRunning:
                    progress = progress or Progress(self._context, f"liveSync of {livesync.source}", "changes")
                    try:
                        done = counter.update() if counter else None
                    except Unreachable:
                        continue
                    progress.update(done or 0, total)

    def _done(self, run: Run, target: int | None) -> bool:
        """Tell whether a run that did what it could was the last one."""
        if run.outcome not in (ADVANCED, UNCHANGED) or not self.request.until_caught_up:
            return True
        if target is not None and self.tally.number is not None:
            return self._reached(target)
        return run.outcome == UNCHANGED or self.connector.uses_timestamps

    def _reached(self, target: int) -> bool:
        return self.tally.number is not None and self.tally.number >= target

    def _left_behind(self, run: Run, target: int | None) -> bool:
        """Tell whether a run left pending changes where they were."""
        counted = target is not None and self.tally.number is not None
        if self.request.wait and run.outcome == UNCHANGED and counted and not self._reached(t.cast(int, target)):
            return True
        self._unmoved_since, self._pause = None, _PAUSE
        return False

    def _woken(self, run: Run, target: int | None) -> bool:
        """Do what can be done about a run that did nothing; return whether to run again."""
        tally, clock, source = self.tally, self._context.clock, self.livesync.source
        error, remedy, may_wake = run.error, run.remedy, True
        if not run.dormant:
            if self._unmoved_since is None:
                self._unmoved_since = clock.now()
            if clock.now() - self._unmoved_since < PENDING_SECONDS:
                clock.sleep(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                return True
            test = checked(self.livesync.client, self.connector)
            facts = Facts(
                source.system,
                ok=test.ok,
                error=test.error,
                remote=self.connector.remote,
                token=tally.token,
                number=tally.number,
                log=self.log.facts(tally.number),
                enabled=1,
                unmoved=True,
            )
            health = judge_health(facts)
            error = (
                f"liveSync of {source} answers 200 and leaves the changes after {tally.token} up to {target} where they"
                f" are: it is {health.state}."
            )
            remedy, may_wake = health.remedy, health.state == DORMANT
        if may_wake and self.request.reactivate and not self._reactivated:
            self._reactivated, self._unmoved_since, self._pause = True, None, _PAUSE
            self._context.report.progress(f"{source}: activating the connector again")
            reactivate(self.livesync.client, source.system, self._context)
            return True
        tally.fail(str(error), remedy)
        return False

    def _give_up(self, target: int | None) -> None:
        aim = f" of {target}" if target is not None else ""
        self.tally.fail(
            f"liveSync of {self.livesync.source} had not caught up after {self.request.patience.wait:g} s"
            f" (wait_timeout): the token is {self.tally.token}{aim}.",
            "Run it again, or give it a longer wait_timeout: nothing is lost.",
        )

    def _conclude(self, first: Mark, end: float) -> None:
        """Tell the outcome of all runs together.

        :param first: what was there before them.
        """
        tally = self.tally
        run = tally.last = self._with_policy(self._after_race(t.cast(Run, tally.last), end))
        tally.outcome = run.outcome
        tally.transaction = self.livesync.transaction if run.error else None
        if run.outcome == UNCHANGED and tally.changed:
            tally.outcome = BASELINE if tally.before is None else ADVANCED
        told: list[tuple[str, str | None]] = []
        if run.failure:
            told.append((run.failure.sentence(), run.failure.remedy))
        elif run.error and not tally.error:
            why = self._unreadable() if run.outcome == FAILED and run.attributed else None
            theirs = (self.connector.nobody, self.connector.breaks_off) if run.outcome == FAILED else (None, None)
            said = (theirs[0], why or run.remedy, theirs[1])
            tally.fail(run.error, " ".join(text for text in said if text) or None, run.status)
        if not run.open and (skipped := self._skipped(first)):
            told.append(skipped)
        if not run.open and tally.error is None and (unarrived := self._unarrived()):
            told.append(unarrived)
        if self.request.warn_on_record:
            for error, remedy in told:
                self._context.report.warn(f"{error} {remedy or ''}".strip())
        elif told:
            errors = [*([tally.error] if tally.error else []), *(error for error, unused in told)]
            tally.fail(" ".join(errors), tally.remedy or told[0][1], tally.status)

    def _after_race(self, run: Run, end: float) -> Run:
        """Look again after a failure that another run has caused: that run, or the next, may have mended it."""
        if not (run.failure and run.failure.by_race) or not self.livesync.quiet(end - self._context.clock.now()):
            return run
        stage = read_stage(self.livesync.client, self.livesync.source)
        if stage is None or run.after is None or stage.rev == run.after.rev:
            return run
        self.tally.after = stage
        return self.livesync.concluded(run.mark, stage, attributed=False)

    def _with_policy(self, run: Run) -> Run:
        """Add to a record's failure what the connector's policy and the change log know of it."""
        if run.failure is None:
            return run
        failure = run.failure.under(self.connector.failure_policy)
        if failure.dn is None:
            failure = replace(failure, dn=self.log.target_of(failure.change_number))
        return replace(run, failure=failure)

    def _skipped(self, first: Mark) -> tuple[str, str] | None:
        """Note the records that the token has passed unsynchronised; return a sentence and a remedy, None for none."""
        tally, policy = self.tally, self.connector.failure_policy
        marks = [mark for mark in (self.left, first) if mark]
        earlier = [RecordFailure.of(mark.failing) for mark in marks if mark.failing]
        client, source, now = self.livesync.client, self.livesync.source, tally.after or tally.before
        tally.skipped_records = passed_over(
            client, source, earlier, now, policy, began=marks[0].began, known=self._known
        )
        if not tally.skipped_records:
            return None
        names = ", ".join(str(record["dn"] or record["record"]) for record in tally.skipped_records)
        return (
            f"IDM gave up on {names} and dropped the change: the token has passed it unsynchronised.",
            "Mend the record or the mapping, then reconcile it: idmops.idm.recon with ids.",
        )

    def _unarrived(self) -> tuple[str, str] | None:
        """Note the newest records that the token has passed and that have not arrived; return as :meth:`_skipped`.

        Where no run has moved the token, others may have moved it before: what they passed by is warned of.
        """
        tally = self.tally
        start, end = tally.before.number if tally.before else None, tally.number
        if self.arrival is None or start is None or end is None:
            return None
        moved = end > start
        if not moved and not self.request.until_caught_up:
            return None
        found = self.arrival(self.log, end, start if moved else 0)
        if found.said:
            self._context.report.warn(f"{self.livesync.source}: {found.said}")
        self._doubted, self._unseen = self._doubted or found.doubt is not None or found.cut, found.since is None
        if found.whole and (not moved or found.since in (0, start)):
            tally.compared = end
        if not moved:
            if found.records or found.forbidding:
                names = ", ".join(one.record for one in found.records)
                who = f" They are: {names}." if names else ""
                self._passed_by = True
                self._context.report.warn(f"{self.livesync.source}: {' '.join(found.sentences)}{who}")
            return None
        known = {record["record"] for record in tally.skipped_records}
        new = [one for one in found.records if one.record not in known]
        tally.skipped_records += [skipped_record(RecordFailure(record=one.record), one.cause) for one in new]
        if not new and not found.forbidding:
            return None
        which = ", ".join(one.record for one in new or found.records)
        what = f"Not arrived{' as it should' if found.forbidding else ''}: {which}."
        return what if which else "The target is not as the source.", " ".join(found.sentences)
