# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps liveSync away from a source while it is loaded.

A load that runs beside liveSync loses changes, each of them harmless alone: the load reads an entry, the entry changes,
liveSync brings the change and its token passes it, and the load writes what it had read before (seen on OpenIDM 6.1.0,
with a run that a killed playbook had left).
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import IdmopsError, Refused
from .._http.client import Client
from .._idm.source import Source
from .._idm.stage import Stage, read_stage, write_token
from .._record.hold import SERVER, Held, hold, who_holds
from .._schedule.schedule import wait_until_idle
from .one_run import LiveSync
from .outcome import PATIENCE
from .watch import LeftRun

#: How often a token is put back that somebody else moves at the same time.
_TRIES = 5


@dataclass
class Point:
    """The point from which liveSync goes on once a source has been loaded.

    :param stage: as it has to be then, None where there was none.
    """

    client: Client
    source: Source
    context: Context
    stage: Stage | None

    def move(self, token: int) -> Stage:
        """Let liveSync go on behind everything that has just been loaded.

        :param token: the end that the change log had before the load.
        :raises IdmopsError: where another liveSync has run meanwhile; it goes on from where it stood then.
        """
        before = self.stage or Stage()
        try:
            after = write_token(self.client, self.source, token, before.native_type or "integer", before.rev)
        except Refused as exc:
            if exc.status not in (409, 412):
                raise
            self.keep()
            raise IdmopsError(
                f"Another liveSync of {self.source} ran meanwhile, so its token was not set to {token}.",
                remedy="Run the task again: nothing is lost, since the token stays where it was.",
            ) from exc
        self.stage = after
        return after

    def keep(self) -> None:
        """Put the token back where it was, if somebody has moved it meanwhile."""
        if self.stage and self.stage.token is not None:
            _put_back(self.client, self.source, self.stage.token, self.stage.native_type or "integer", self.context)


@contextlib.contextmanager
def alone(client: Client, source: Source, context: Context, timeout: float, where: str = SERVER) -> t.Iterator[Point]:
    """Begin when no liveSync of a source runs, and let none of ours begin meanwhile.

    A run that comes from elsewhere all the same shows in the token when all is done: it is put back then, so that the
    changes which that run has brought are brought once more, after the load.

    :param timeout: seconds to wait for those that run.
    :param where: the other tasks that are kept away: those of all control hosts, or of this one.
    :raises TimedOut: when they still run then.
    :raises IdmopsError: when another task has the source then, or the token cannot be put back.
    :raises Unreachable, Refused: as the client.
    """
    with hold(client, source, context, wait=timeout, work="load", where=where) as lock:
        if lock is None:
            raise IdmopsError(
                f"Another task has been running {source} for {timeout:g} s (wait_timeout)"
                f"{who_holds(client, source, where)}.",
                remedy="Run the task again when that one has ended: a load beside it would lose changes.",
            )
        _wait_for_one_left(LiveSync(client, source, context, PATIENCE), lock, timeout)
        wait_until_idle(client, source, context, timeout)
        point = Point(client, source, context, read_stage(client, source))
        yield point
        lock.remember(None)  # whatever an earlier task's run has dropped has been loaded
        point.keep()


def _wait_for_one_left(livesync: LiveSync, lock: Held, timeout: float) -> None:
    """Wait for the end of a run that an earlier task began and did not see end."""
    left = LeftRun(livesync, lock)
    if not left.goes_on():
        return
    livesync.context.report.progress(f"{livesync.source}: waiting for a liveSync that an earlier task has left")
    what = f"the running liveSync of {livesync.source} to end"
    livesync.context.wait_for(lambda: None if left.goes_on() else True, timeout=timeout, what=what)


def _put_back(client: Client, source: Source, token: t.Any, native_type: str, context: Context) -> None:
    """Store a token again, if there is another one."""
    for tries in range(1, _TRIES + 1):
        stage = read_stage(client, source)
        if stage is None or stage.token == token:
            return
        try:
            write_token(client, source, token, native_type, stage.rev)
        except Refused as exc:
            if exc.status not in (409, 412) or tries == _TRIES:
                raise
            continue
        context.report.warn(
            f"Another liveSync of {source} ran during the load and moved the token from {token} to {stage.token}. It is"
            " put back, so that the changes in between are brought again: the load may have undone some of them."
        )
        return
