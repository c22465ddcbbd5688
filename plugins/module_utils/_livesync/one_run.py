# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of liveSync: send it, and know how it ended or say that nobody knows.

The POST is synchronous and the server goes on when the line is cut.
"""

from __future__ import annotations

import random
import typing as t
import uuid
from dataclasses import dataclass, field, replace

from .._base.context import Context
from .._base.errors import Refused, TimedOut, Unreachable
from .._base.values import as_text
from .._http.answer import TRANSACTION_HEADER
from .._http.client import Client
from .._idm.audit import entries_of_record
from .._idm.connector import test_connector
from .._idm.error_texts import CUT, DORMANT_CURE, RACE, read_reason
from .._idm.nodes import read_startup
from .._idm.record_failure import parse_failure, read_failure, same_attempt
from .._idm.source import Source
from .._idm.stage import Stage, read_stage
from .._schedule.schedule import is_running
from .outcome import (
    ADVANCED,
    BASELINE,
    FAILED,
    RECORD_FAILED,
    STARTED,
    UNCHANGED,
    UNKNOWN,
    Mark,
    Patience,
    Run,
    Surroundings,
)
from .watch import Watch

__all__ = ["LiveSync", "Mark", "Patience", "Run", "Surroundings"]

#: How long a task that does not wait listens for an answer, in seconds: a run that moves nothing takes some 10 ms.
_GLANCE = 1.0
#: What each answer of liveSync has one of, whatever else is missing in it.
_OF_A_STAGE = {"_id", "connectorData", "lastException"}
_NO_ROUTE = "IDM does not run the connector now, or it has no such object type: idmops.idm.connector_info tells which."
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0
#: How late an entry of audit may come, in seconds: IDM 7 and later buffer them.
_AUDIT_LAG = 1.0
#: How long the connector has to answer once IDM has been started again, in seconds.
_SERVING = 60.0


@dataclass
class LiveSync:
    """Runs liveSync of one source on one server.

    :param endpoint: resource (the object type itself) or system (what a schedule does).
    :param detailed: whether attribute values may be shown.
    :param transaction: the id of the last POST that did not end well, by which the server's logs know it.
    """

    client: Client
    source: Source
    context: Context
    patience: Patience
    surroundings: Surroundings = field(default_factory=Surroundings)
    endpoint: str = "resource"
    detailed: bool = False
    transaction: str | None = None

    def mark(self, last_change_number: int | None = None) -> tuple[Stage | None, Mark]:
        """Read what a run's end is compared with."""
        stage = read_stage(self.client, self.source)
        mark = Mark(
            rev=stage.rev if stage else None,
            token=stage.token if stage else None,
            startup=read_startup(self.client),
            last_change_number=last_change_number,
            began=self.client.server_time,
            failing=self._failing(stage) if stage and stage.failure else None,
            transaction=f"idmops-{uuid.uuid4()}",
        )
        return stage, mark

    def run(self, mark: Mark, *, glance: bool = False) -> Run:
        """Send one POST and wait until the run has ended.

        :param glance: return with the outcome STARTED when the answer does not come within a second.
        :raises IdmopsError: when nothing was run: the server could not be reached, or refused the request.
        """
        end = self.context.clock.now() + self.patience.wait
        run = self._sent(mark, _GLANCE if glance else self.patience.wait)
        if run is not None:
            return run
        if glance:
            return Run(STARTED, mark)
        self.context.report.progress(f"{self.source}: the line was cut; waiting for the run's end")
        return self.follow(mark, end=end)

    def follow(self, mark: Mark, *, end: float | None = None, again: bool = True) -> Run:
        """Wait for the end of a run whose answer did not come.

        :param end: until when, by the context's clock; None is ``patience.wait`` from now.
        :param again: whether a run that died with the server may be sent once more.
        """
        clock = self.context.clock
        end = clock.now() + self.patience.wait if end is None else end
        watch = Watch(self, mark)
        pause = _FIRST_PAUSE
        while True:
            try:
                if watch.restarted():
                    return self._after_restart(mark, end, again)
                if (run := watch.ended()) is not None:
                    return run
                why = watch.given_up()
            except (Unreachable, Refused) as exc:
                why = watch.unanswered(exc)
            left = end - clock.now()
            if why is None and left <= 0:
                why = f"it had not ended after {self.patience.wait:g} s (wait_timeout)"
            if why is not None:
                return watch.unknown(why)
            clock.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def clear(self, timeout: float) -> bool:
        """Wait until no job runs this source; return whether none does. Without a schedule nothing is asked.

        :param timeout: seconds.
        """
        if not self.surroundings.scheduled:
            return True
        try:
            self.context.wait_for(
                lambda: None if is_running(self.client, self.source) else True,
                timeout=max(0.0, timeout),
                what=f"the running liveSync of {self.source} to end",
            )
        except TimedOut:
            return False
        return True

    def quiet(self, timeout: float) -> bool:
        """Wait until no job runs this source and its stage has kept still for a second or two; return whether it has.

        How long exactly is left to chance, so that several who wait for the same do not all go on at once. Where a
        schedule writes the stage all the time, its stillness is not waited for.
        """
        still = random.uniform(1.0, 2.5)
        since: float | None = None
        last: str | None = None

        def probe() -> bool | None:
            nonlocal since, last
            now = self.context.clock.now()
            busy = is_running(self.client, self.source)
            stage = None if self.surroundings.scheduled else read_stage(self.client, self.source)
            rev = stage.rev if stage else None
            if busy or since is None or rev != last:
                since, last = now, rev
            return True if now - since >= still else None

        try:
            self.context.wait_for(
                probe, timeout=timeout, what=f"other runs of {self.source} to end", first_pause=0.2, longest_pause=0.2
            )
        except TimedOut:
            return False
        return True

    def concluded(self, mark: Mark, stage: Stage, *, attributed: bool = True) -> Run:
        """Tell the outcome from the stage that a run has left."""
        failure = None
        if stage.token == mark.token and self._untried(mark, stage):
            return Run(
                UNCHANGED,
                mark,
                after=stage,
                attributed=attributed,
                dormant=True,
                error=f"liveSync of {self.source} left an earlier failure as it was, and tried nothing. The connector"
                f" {self.source.system} was activated while its system was down.",
                remedy=DORMANT_CURE,
            )
        if stage.failure:
            failure = read_failure(self.client, self.source, stage, detailed=self.detailed, began=mark.began)
            outcome = RECORD_FAILED
        elif mark.token is None and (mark.rev is None or stage.token is not None):
            outcome = BASELINE
        elif stage.token != mark.token:
            outcome = ADVANCED
        else:
            outcome = UNCHANGED
        return Run(outcome, mark, after=stage, failure=failure, attributed=attributed)

    def _failing(self, stage: Stage) -> dict[str, t.Any]:
        """Return the failure that a stage holds, with the entry of audit/sync that tells of it, if one does."""
        failure = parse_failure(stage)
        return {**failure.identity, "audit": self._newest_failure_of(failure.record)}

    def _newest_failure_of(self, record: str) -> str | None:
        entries = entries_of_record(self.client, self.source, record)
        return entries[0].id if entries and entries[0].failed else None

    def _untried(self, mark: Mark, stage: Stage) -> bool:
        """Tell whether a run has left the failure from before it, and has not tried that record again.

        A connector that was activated while its system was down does nothing, and leaves the stage as it is, the
        failure included (seen on OpenIDM 6.1.0). An attempt mostly shows in the count, but that begins anew when the
        connector is activated (seen there too): so audit/sync has to show that there was none. Where it does not
        answer, there may have been one.
        """
        known = as_text((mark.failing or {}).get("audit"))
        if not known or not same_attempt(mark.failing, stage):
            return False
        record = parse_failure(stage).record
        if self._newest_failure_of(record) != known:
            return False
        self.context.clock.sleep(_AUDIT_LAG)
        return self._newest_failure_of(record) == known

    def _sent(self, mark: Mark, timeout: float) -> Run | None:
        """Send the POST, once; return how the run ended, None where no answer of IDM's came.

        :param timeout: seconds to wait for the answer.
        :raises Unreachable, Refused: when nothing was run.
        """
        params = {"_action": "liveSync"}
        if self.detailed:
            params["detailedFailure"] = "true"
        path = self.source.path
        if self.endpoint == "system":
            path, params["source"] = "system", str(self.source)
        known_by = {TRANSACTION_HEADER: mark.transaction} if mark.transaction else {}
        try:
            return self._answered(mark, self.client.post(path, params, timeout=timeout, headers=known_by))
        except Unreachable as exc:
            self.transaction = exc.result.get("transaction_id")
            if not exc.sent:
                raise
        except Refused as exc:
            self.transaction = exc.result.get("transaction_id")
            if not exc.sent:
                raise
            if not _is_on_the_way(exc):
                return self._refused(mark, exc)
        return None

    def _after_restart(self, mark: Mark, end: float, again: bool) -> Run:
        """Tell how a run ended while IDM was restarted, and run it again if it died."""
        stage = read_stage(self.client, self.source)
        if stage and stage.rev != mark.rev:
            return replace(self.concluded(mark, stage, attributed=not self.surroundings.scheduled), restarted=True)
        if not again:
            return Run(
                UNKNOWN,
                mark,
                after=stage,
                restarted=True,
                attributed=False,
                error=f"IDM was restarted twice while {self.source} was being synchronised.",
                remedy="Find out why IDM restarts, then run liveSync again.",
            )
        self.context.report.progress(f"{self.source}: IDM was restarted and the run died with it; running it again")
        self._await_connector(end)
        self.clear(end - self.context.clock.now())  # the scheduler catches up with the runs that it has missed
        unused, new = self.mark(mark.last_change_number)
        run = self._sent(new, max(1.0, end - self.context.clock.now()))
        return replace(run or self.follow(new, end=end, again=False), mark=mark, restarted=True, sent=2)

    def _await_connector(self, end: float) -> None:
        """Wait until the connector's test is ok; one that stays away is the next run's to tell."""

        def probe() -> bool | None:
            try:
                return test_connector(self.client, self.source.system).ok or None
            except (Unreachable, Refused):
                return None

        timeout = max(1.0, min(_SERVING, end - self.context.clock.now()))
        try:
            self.context.wait_for(probe, timeout=timeout, what=f"the connector {self.source.system}")
        except TimedOut as exc:
            self.context.report.progress(exc.message)

    def _answered(self, mark: Mark, body: dict[str, t.Any] | None) -> Run | None:
        """Tell the outcome from an answer with status 200; None where it is another answer than IDM's."""
        if body is not None and not body.keys() & _OF_A_STAGE:
            return None
        if body is None:
            return Run(
                UNCHANGED,
                mark,
                dormant=True,
                error=f"liveSync of {self.source} answered 200 with an empty body: it did nothing. The connector"
                f" {self.source.system} was activated while its system was down.",
                remedy=DORMANT_CURE,
            )
        stage = Stage.parse(body)
        # the answer holds the revision from before the run, and the open fork drops detailedFailure on the resource
        # endpoint: the stored document has both
        if stage.failure:
            stored = read_stage(self.client, self.source)
            if stored and stored.failure == stage.failure:
                stage = stored
        return self.concluded(mark, stage)

    def _refused(self, mark: Mark, exc: Refused) -> Run:
        """Tell what an error answer of IDM's means."""
        reason = read_reason(exc.reason)
        if exc.status in (400, 401, 403, 404):
            exc.remedy = reason.remedy or exc.remedy or (_NO_ROUTE if exc.status == 404 and exc.own else None)
            raise exc
        text = reason.text or exc.message  # which tells where a redirect points to
        return Run(
            FAILED,
            mark,
            error=f"liveSync of {self.source} failed with HTTP {exc.status}: {text.rstrip('.')}.",
            remedy=reason.remedy or exc.remedy,
            status=exc.status,
            attributed=reason.kind != RACE,
            cut=reason.kind == CUT,
        )


def _is_on_the_way(exc: Refused) -> bool:
    """Tell an answer of something between us and IDM, which may have passed the request on, from IDM's own.

    IDM's own errors have a code and a reason. It never answers 502 or 504, but a gateway may do so in IDM's manner.
    """
    status = exc.status or 0
    return status in (502, 504) or (not exc.own and (status >= 500 or status == 408))
