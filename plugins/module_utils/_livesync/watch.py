# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for the end of a run of liveSync whose answer did not come.

What a run leaves behind is in the stage document; whether it is alive shows in audit/sync; whether it died with the
server shows in cluster ("From nothing to scheduled liveSync without losing a change", how a run's end is known).
"""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError
from .._http.client import Client
from .._idm.audit import Ended, before, end_of_call, newest_entry, seconds_between
from .._idm.nodes import has_lost_a_node, has_restarted, read_startup
from .._idm.source import Source
from .._idm.stage import Stage, read_stage
from .._record.hold import Held
from .._schedule.schedule import is_running
from .outcome import FAILED, UNKNOWN, Mark, Patience, Run, Surroundings

#: How often audit is asked for signs of life at the most, in seconds.
_ASK_AUDIT = 5.0
#: How often it is asked for the end of the call, in seconds.
_ASK_CALLS = 2.0
#: For how long audit must be silent before the end of another run is taken for that of ours, in seconds.
_SILENCE = 5.0
#: For how long where a node has gone since the run began, in seconds: then it has died with that.
_SILENCE_BESIDE_A_LOSS = 60.0
#: For how long at most a run that an earlier task has left is waited for where nothing can be heard of it, in seconds.
_UNHEARD = 3600.0
#: How long a server that does not answer has to come back at the least, in seconds.
_COMING_BACK = 120.0


class Followed(t.Protocol):
    """What is needed of a run to look for its end: :class:`.one_run.LiveSync` has it."""

    client: Client
    source: Source
    context: Context
    patience: Patience
    surroundings: Surroundings

    def concluded(self, mark: Mark, stage: Stage, *, attributed: bool = True) -> Run:
        """Tell the outcome from the stage that a run has left."""


class Watch:
    """Looks at a run again and again. Each look may raise Unreachable or Refused: see :meth:`unanswered`."""

    def __init__(self, livesync: Followed, mark: Mark) -> None:
        self._of = livesync
        self._mark = mark
        self._newest: t.Any = None
        self._heard = self._now()
        self._asked = float("-inf")
        self._audited = True
        self._calls_asked = float("-inf")
        self._calls_told = True
        self._end: Ended | bool | None = None
        self._down_since: float | None = None
        self._last: Stage | None = None

    def restarted(self) -> bool:
        """Tell whether IDM has been started again since the POST, or the node is gone that seems to have run it.

        Which node that was, nobody tells; but the line was cut, a node has gone since, and a run that goes on is heard
        of.
        """
        before, now = self._mark.startup, read_startup(self._of.client)
        if has_restarted(before, now):
            return True
        silence = self._silence() if has_lost_a_node(before, now) else None
        return silence is not None and silence >= _SILENCE_BESIDE_A_LOSS

    def ended(self) -> Run | None:
        """Return how the run ended, None while it may be going on."""
        told = self._end_of_call()
        stage = self._last = read_stage(self._of.client, self._of.source)
        if self._down_since is not None:  # it answers again: silence is counted from here
            self._down_since, self._heard = None, self._now()
        if isinstance(told, Ended):
            return self._of.concluded(self._mark, stage) if told.ok and stage else self._failed(told, stage)
        if stage is None or stage.rev == self._mark.rev:
            return None
        if not self._of.surroundings.scheduled:
            return self._of.concluded(self._mark, stage)
        # the new revision may be that of a run of the scheduler
        if is_running(self._of.client, self._of.source):
            return None
        target = self._mark.last_change_number
        if target is not None and not stage.failure:
            return self._of.concluded(self._mark, stage) if _has_reached(stage, target) else None
        silence = self._silence()
        if silence is not None and silence < _SILENCE:
            return None
        return self._of.concluded(self._mark, stage, attributed=False)

    def given_up(self) -> str | None:
        """Return why nothing more is to be expected of the run, None while something is."""
        stall = self._of.patience.stall
        silence = self._silence()
        if silence is None or silence < stall:
            return None
        return f"nothing has been heard of it for {stall:g} s (stall_timeout)"

    def unanswered(self, exc: IdmopsError) -> str | None:
        """Take note that the server did not answer a look; return why not to go on looking, None while one may."""
        if self._down_since is None:
            self._down_since = self._now()
        limit = max(self._of.patience.stall, _COMING_BACK)
        if self._now() - self._down_since < limit:
            return None
        return f"IDM has not answered for {limit:g} s ({exc.message.rstrip('.')})"

    def unknown(self, why: str) -> Run:
        """Return that the end is not known."""
        return Run(
            UNKNOWN,
            self._mark,
            after=self._last,
            attributed=False,
            error=f"The line to IDM was cut during liveSync of {self._of.source}, and how the run ended is not known:"
            f" {why}.",
            remedy="A run that ends in an error leaves no trace over REST: look for it in IDM's log, then run"
            " liveSync again. Nothing was sent twice.",
        )

    def _failed(self, told: Ended, stage: Stage | None) -> Run:
        status = f"HTTP {told.status}" if told.status else "an error"
        return Run(
            FAILED,
            self._mark,
            after=stage,
            status=told.status,
            error=f"The line to IDM was cut during liveSync of {self._of.source}, and the run ended with {status}, as"
            " audit/access tells.",
            remedy="IDM's log has the error's text at that time; where it has been mended, run liveSync again.",
        )

    def _end_of_call(self) -> Ended | bool | None:
        """Ask audit/access now and then how the POST has ended: see :func:`.._idm.audit.end_of_call`."""
        mark = self._mark
        if not (self._calls_told and mark.transaction and mark.began):
            return None
        if self._now() - self._calls_asked >= _ASK_CALLS:
            self._calls_asked = self._now()
            self._end = end_of_call(self._of.client, mark.transaction, mark.began)
            self._calls_told = self._end is not None
        return self._end

    def _silence(self) -> float | None:
        """Return for how many seconds audit has told nothing new; None where it does not answer."""
        if self._audited and self._now() - self._asked >= min(_ASK_AUDIT, self._of.patience.stall / 4):
            self._asked = self._now()
            newest = newest_entry(self._of.client, self._of.source, self._mark.began)
            self._audited = newest is not None
            if newest != self._newest:
                self._newest, self._heard = newest, self._now()
        return self._now() - self._heard if self._audited else None

    def _now(self) -> float:
        return self._of.context.clock.now()


class LeftRun:
    """A run whose end the task that began it did not see: interrupted, cut off, or not waiting.

    :param lock: of the source, held; it remembers such a run.
    :ivar mark: what was known before that run, None where there is none, whether it goes on or not.
    """

    def __init__(self, livesync: Followed, lock: Held) -> None:
        self._livesync = livesync
        left = lock.remembered()
        self.mark = self._mark = Mark.parse(left) if left else None

    def goes_on(self) -> bool:
        """Tell whether there is one that may be going on; once it does not, it never does again.

        :raises Unreachable, Refused: as the client.
        """
        if self._mark and not may_go_on(self._livesync, self._mark):
            self._mark = None
        return self._mark is not None


def may_go_on(livesync: Followed, mark: Mark) -> bool:
    """Tell whether a run that an earlier task has left may be going on.

    It is not where audit/access tells of its end; where the server was started again; or where the stage was written
    since, and not by a run of the scheduler. Silence proves nothing (a directory that hangs is silent, seen on OpenIDM
    6.1.0): where nothing else is known, it may be going on for an hour.

    :raises Unreachable, Refused: as the client.
    """
    client, source, patience = livesync.client, livesync.source, livesync.patience
    if mark.transaction and mark.began and isinstance(end_of_call(client, mark.transaction, mark.began), Ended):
        return False
    stage = read_stage(client, source)
    written = (stage.rev if stage else None) != mark.rev
    if written and not livesync.surroundings.scheduled:
        return False
    nodes = read_startup(client)
    if has_restarted(mark.startup, nodes):
        return False
    heard = newest_entry(client, source, before(client.server_time, _UNHEARD))
    times = (mark.began, *(entry.timestamp for entry in heard or []))
    known = [seconds for time in times if (seconds := seconds_between(time, client.server_time)) is not None]
    if not known:
        return not written
    if heard is not None and min(known) >= _SILENCE_BESIDE_A_LOSS and has_lost_a_node(mark.startup, nodes):
        return False
    if written:
        if stage is not None and _has_reached(stage, mark.last_change_number):
            return False
        # life may be that of the scheduler's own runs: it is not waited for without end
        young = known[0] < patience.stall and heard is not None and min(known) < _SILENCE
        return young and not is_running(client, source)
    return min(known) < _UNHEARD


def _has_reached(stage: Stage, target: int | None) -> bool:
    return target is not None and stage.number is not None and stage.number >= target
