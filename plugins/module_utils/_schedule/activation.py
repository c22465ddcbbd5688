# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a plan says, sees that the server takes it up, and undoes what it does not take up."""

from __future__ import annotations

from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import IdmopsError, Refused, TimedOut, Unreachable
from .._http.client import Client
from .._idm.server import Server
from .document import CONFIG, JOB, Schedule, body_of, differences, unmet
from .plan import SHOWN, Found, SchedulePlan
from .store import act_on_job, delete, read_config, read_job, write

#: What a job must show of what was written.
_READ_BACK = (
    "enabled",
    "persisted",
    "type",
    "cron",
    "interval",
    "repeat_count",
    "start_time",
    "end_time",
    "misfire_policy",
    "concurrent",
    "source",
)
#: OpenIDM 6.1.0 activates a config document twice, with no job in between. The second activation begins about as long
#: after the first as that took itself: 20 ms on an idle machine, 0.3 s on a busy one (seen). So what is seen of a
#: document's job must hold for this many times what it took to be seen, and for this many seconds at least.
_STEADY, _LEAST = 3.0, 0.2
#: The same least for a config document itself. IDM copies each to a file in conf/ and reads the files that have changed
#: every 2 s unless told otherwise. A document that is replaced or deleted while IDM reads its file again, 2 to 4 s
#: after the change before, comes back for good as it was: within 0.12 s, in 1 of 100 such changes on a busy machine
#: (seen on OpenIDM 6.1.0, whose log then says "Loaded changed configuration").
_LEAST_OF_A_DOCUMENT = 0.5
#: How long the job of a document that has been deleted may stay, in seconds, before it is deleted by itself.
_LEFT_BEHIND = 5.0
#: How long an activation that somebody else has started may take, in seconds.
_JUST_NOW = 2.0


@dataclass
class Activation:
    """Changes schedules on one server.

    :param timeout: seconds that the server may take for one change.
    """

    client: Client
    server: Server
    context: Context
    timeout: float

    def carry_out(self, plan: SchedulePlan, job: Schedule | None) -> Schedule | None:
        """Do what the plan says; return the job as it is then.

        :param job: as it is now.
        :raises TimedOut: when the server does not activate it.
        :raises Unreachable, Refused: as the client.
        """
        after = plan.after
        if plan.writes:
            try:
                job = self._written(plan)
            except (Refused, TimedOut) as exc:
                exc.message = f"{exc.message} {self._put_back(plan, exc)}".rstrip()
                exc.args = (exc.message,)
                raise
        if job is not None and job.paused != after.paused and self.server.job_actions:
            act_on_job(self.client, self.server, after.name, "pause" if after.paused else "resume")
            job = self._wait_for_pause(after)
        return job

    def remove(self, found: Found) -> None:
        """Delete what there is of a schedule.

        The end of a config document is the end of its job, a moment later. Deleting the job just then ends in 500
        "Unable to unschedule trigger", so it is waited for. A document that is deleted while it is being activated
        leaves its job behind (both seen on OpenIDM 6.1.0), which is deleted then.

        :raises TimedOut: when the server keeps the job or the document.
        :raises Unreachable, Refused: as the client.
        """
        documented = found.config is not None
        if documented:
            try:
                self._wait_until_gone(found.name, min(_LEFT_BEHIND, self.timeout / 2), documented)
                return
            except TimedOut:
                pass
        delete(self.client, self.server, JOB, found.name)
        self._wait_until_gone(found.name, self.timeout, documented)

    def settled(self, after: Schedule) -> Schedule | None:
        """Return the job of a config document that may be being activated just now, None where none comes."""

        def probe() -> Schedule | None:
            job = self._job(after.name)
            return None if unmet(after, job, SHOWN) else job

        try:
            return self.context.wait_for(probe, timeout=_JUST_NOW, what=f"the job {after.name}")
        except TimedOut:
            return None

    def _job(self, name: str) -> Schedule | None:
        return read_job(self.client, self.server, name)

    def _written(self, plan: SchedulePlan) -> Schedule:
        """Write the document; return the job that the server makes of it.

        A config document takes the place of a job of its name by itself. One that is not there after half of the time,
        or that has given way to the one before it, is written once more.
        """
        after = plan.after
        if plan.moves and after.storage == JOB:
            self.remove(Found(after.name, None, plan.before))
        rounds = 2 if after.storage == CONFIG else 1
        patience = self.timeout / rounds
        while True:
            rounds -= 1
            try:
                write(self.client, self.server, str(after.storage), after.name, plan.body)
            except Unreachable as exc:
                if not exc.sent:  # else it may have arrived: reading will tell
                    raise
            try:
                return self._activated(after, patience, final=not rounds)
            except TimedOut:
                if not rounds:
                    raise

    def _activated(self, after: Schedule, timeout: float, final: bool) -> Schedule:
        """Wait until the server shows what was written, and knows when it will run.

        :param final: it is not written again, so what has given way to something else may still come back.
        """
        config = after.storage == CONFIG
        steady = _Steadiness(self.context, timeout / 3, _LEAST_OF_A_DOCUMENT)
        last, arrived = "nothing", False

        def probe() -> Schedule | None:
            nonlocal last, arrived
            stored = read_config(self.client, after.name) if config else after
            job = self._job(after.name)
            missing = unmet(after, job, _READ_BACK)
            if stored is None or differences(stored, after):
                if arrived and not final:
                    raise TimedOut(f"The config document of {after.name} gave way to the one before it.")
                missing = ["config document", *missing]
            else:
                arrived = True
            if missing:
                last = f"{', '.join(missing)} not as written; the job is {_brief(job)}"
            held = steady.held(not missing)
            return job if not missing and (held or not config) else None

        return self.context.wait_for(
            probe,
            timeout=timeout,
            what=f"the server to activate the schedule {after.name}",
            seen=lambda: last,
            longest_pause=0.5,
        )

    def _wait_until_gone(self, name: str, timeout: float, documented: bool) -> None:
        """Wait until there is no job of a name, and none comes back.

        :param documented: delete its config document, too, as often as there is one.
        """
        steady = _Steadiness(self.context, timeout / 3, _LEAST_OF_A_DOCUMENT if documented else _LEAST)
        deleted = 0

        def probe() -> bool | None:
            nonlocal deleted
            document = documented and read_config(self.client, name) is not None
            if document:
                delete(self.client, self.server, CONFIG, name)
                deleted += 1
            return True if steady.held(self._job(name) is None and not document) else None

        self.context.wait_for(
            probe,
            timeout=timeout,
            what=f"the server to remove the schedule {name}",
            seen=lambda: "the config document came back" if deleted > 1 else "the job was still there",
            longest_pause=0.5,
        )

    def _wait_for_pause(self, after: Schedule) -> Schedule:
        def probe() -> Schedule | None:
            job = self._job(after.name)
            return job if job is not None and job.paused == after.paused else None

        what = f"the schedule {after.name} to be {'paused' if after.paused else 'resumed'}"
        return self.context.wait_for(probe, timeout=self.timeout, what=what)

    def _put_back(self, plan: SchedulePlan, failed: IdmopsError) -> str:
        """Undo a write that failed; return what has been done, as a sentence.

        :param failed: its error; where what was written may still be there its result says so.

        An update deletes the job and then schedules it anew, so a job that cannot be scheduled is gone ("OpenIDM family
        over REST", section 4.4; seen on OpenIDM 6.1.0 with a cron expression that never fires).
        """
        before = plan.before
        try:
            if plan.moves and before is not None and before.storage == CONFIG:
                stored = read_config(self.client, before.name)
                if stored is not None and not differences(before, stored):
                    return "The schedule is as it was before."  # the job, if there is one, is the document's
            if before is None or plan.moves:
                self._drop(plan.after)
            if before is None:
                return ""
            if before.storage == JOB:
                job = self._job(before.name)
                if job is not None and not differences(before, job):
                    return "The schedule is as it was before."
            write(self.client, self.server, str(before.storage), before.name, body_of(before.document))
        except IdmopsError as exc:
            failed.result["changed"] = True
            return f"Putting the schedule back as it was failed too: {exc.message}"
        return "The schedule has been put back as it was before."

    def _drop(self, after: Schedule) -> None:
        """Delete what was written, if it was written at all."""
        config = read_config(self.client, after.name) if after.storage == CONFIG else None
        job = self._job(after.name) if after.storage == JOB else None
        if config is not None or job is not None:
            self.remove(Found(after.name, job, config))


class _Steadiness:
    """Tells whether something has been so for long enough, measured by how long it took to be so.

    :param most: the longest that it must have been so, in seconds.
    :param least: and the shortest.
    """

    def __init__(self, context: Context, most: float, least: float) -> None:
        self._most, self._least = most, least
        self._clock = context.clock
        self._begun = self._clock.now()
        self._since: float | None = None

    def held(self, so: bool) -> bool:
        """Take note of what is seen now."""
        now = self._clock.now()
        if not so:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= max(self._least, min(_STEADY * (self._since - self._begun), self._most))


def _brief(job: Schedule | None) -> str:
    """Return what an error says of a job."""
    if job is None:
        return "not there (IDM's log has the reason)"
    fires = job.cron if job.cron is not None else f"every {job.interval} s"
    return f"{'enabled' if job.enabled else 'disabled'}, fires {fires}, next run {job.next_run or 'unknown'}"
