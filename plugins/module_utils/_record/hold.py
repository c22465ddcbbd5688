# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of a source at a time: by the run record in IDM, or by a file of this host where IDM keeps none."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError, Refused
from .._changelog.anchor import Anchor
from .._http.client import Client
from .._idm.source import Source
from .lock import RunLock, run_lock
from .run_record import RunRecord, read_record
from .server_lock import ServerLock, Unsuited, take

SERVER, LOCAL = "server", "local"


class SeenLock:
    """A source that nobody holds, seen in check mode: nothing is kept of it."""

    kind = SERVER

    def __init__(self, run: t.Mapping[str, t.Any] | None) -> None:
        self._run = run

    def remember(self, run: t.Mapping[str, t.Any] | None) -> None:
        """Keep nothing."""

    anchor: Anchor | None = None

    def note(self, outcome: str, *, failed: bool, **unused: t.Any) -> None:
        """Note nothing."""

    def remembered(self) -> dict[str, t.Any] | None:
        """Return the run that a task has left, None where there is none."""
        return dict(self._run) if self._run else None


Held = t.Union[ServerLock, RunLock, SeenLock]


@contextlib.contextmanager
def hold(
    client: Client, source: Source, context: Context, *, wait: float, work: str, where: str = SERVER
) -> t.Iterator[Held | None]:
    """Hold a source; yield None where it was not got.

    This host's lock is held in either case, so that tasks of one host see each other whatever they were told.

    :param wait: how long to wait for whoever has it, in seconds; 0 asks once.
    :param work: what it is held for, for people.
    :param where: SERVER, for all control hosts, or LOCAL, for this one alone.
    :raises IdmopsError: where there is no place for it.
    :raises Unreachable, Refused: as the client.
    """
    end = context.clock.now() + wait
    with contextlib.ExitStack() as held:
        local: RunLock | None = None
        unusable: IdmopsError | None = None
        try:
            local = held.enter_context(run_lock(client.url, source.stage_id, context, wait=wait))
        except IdmopsError as exc:
            unusable = exc  # the run record does without
        lock: Held | None = local
        if where == SERVER and (local or unusable):
            left = max(0.0, end - context.clock.now())
            try:
                lock = _on_server(client, source, work, context, left, held)
                unusable = None
            except Unsuited as exc:
                context.report.warn(
                    f"{source}: IDM keeps no run record ({exc}), so only tasks of this host are kept apart (lock:"
                    " local). Let no other control host run this source at the same time."
                )
        if unusable:
            raise unusable
        yield lock


def _on_server(
    client: Client, source: Source, work: str, context: Context, wait: float, held: contextlib.ExitStack
) -> ServerLock | SeenLock | None:
    """Hold a source for all control hosts, until ``held`` ends; in check mode, look whether that could be.

    :raises Unsuited: where the server keeps no lock.
    """
    if context.check_mode:
        record = _seen(client, source)
        return None if record and record.held(client.server_time) else SeenLock(record.run if record else None)
    lock = take(client, source, work, context, wait=wait)
    if lock is not None:
        held.callback(lock.release)
    return lock


def who_holds(client: Client, source: Source, where: str) -> str:
    """Return who holds a source that was not got, for people."""
    record = _seen(client, source) if where == SERVER else None
    holder = record.held(client.server_time) if record else None
    return f" ({holder.name}{holder.silence(client.server_time)})" if holder else ""


def _seen(client: Client, source: Source) -> RunRecord | None:
    """Return the record of a source, None where there is none, or IDM does not show it."""
    try:
        return read_record(client, source)
    except Refused:
        return None
