# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock that all control hosts see: whoever's name stands in the run record holds the source, as long as he says so.

Only one of several conditional changes of one revision is taken (seen on OpenIDM 6.1.0, 50 rounds of 8). A holder that
dies gives no word any more; after its lease the next one goes on, and looks for the run that it may have left.
"""

from __future__ import annotations

import random
import threading
import typing as t
from dataclasses import replace

from .._base.context import Context
from .._base.errors import IdmopsError, Refused, Unreachable
from .._base.threads import start
from .._changelog.anchor import Anchor
from .._http.client import Client
from .._idm.source import Source
from .owner import RENEWAL, UNHEARD, Holder
from .run_record import ANCHOR, CHANGED, COMPARED, TRIES, RunRecord, read_record, write_record

#: How long a new record is left alone before it counts as ours, in seconds: a cluster answered 200 to several who made
#: one at the same time (seen on a live tenant).
_SETTLE = 1.0
#: Between two looks at a record that somebody else holds, in seconds.
_LOOK = 0.5
#: How long a server that hangs may hold up the end of a task, in seconds.
_FREEING = 5.0


class Unsuited(Exception):
    """This server keeps no such lock; the text says why."""


class ServerLock:
    """A source, held. As :class:`.lock.RunLock` it remembers a run from before its POST until its end is known.

    Word is given from a thread of its own, so that a run of hours stays ours. What is forgotten or noted is written
    when the source is given free: where that does not come to pass, evidence tells that the run has ended.
    """

    kind = "server"

    def __init__(self, client: Client, source: Source, record: RunRecord, holder: Holder) -> None:
        self._client = client
        self._source = source
        self._record = record
        self._mine: dict[str, t.Any] = {"holder": holder, "run": record.run, "last_run": record.last_run}
        self._owner = holder.owner
        self._mutex = threading.Lock()
        self._released = threading.Event()
        start(self._give_word)

    def remember(self, run: t.Mapping[str, t.Any] | None) -> None:
        """Keep what is needed to know a run again; None forgets it.

        :raises IdmopsError: when it cannot be written, or somebody else has the source by now.
        """
        with self._mutex:
            before, self._mine["run"] = self._mine["run"], run and dict(run)
            if not run:
                return
            try:
                self._write(self._client)
            except IdmopsError:
                self._mine["run"] = before
                raise

    def remembered(self) -> dict[str, t.Any] | None:
        """Return the run that was kept, None where its end became known, or there was none."""
        return dict(self._mine["run"]) if self._mine["run"] else None

    @property
    def anchor(self) -> Anchor | None:
        """The newest change that a task of ours has met behind the token, None where that is not known."""
        return replace(self._record, last_run=self._mine["last_run"]).anchor

    def note(
        self,
        outcome: str,
        *,
        failed: bool,
        compared: int | None = None,
        anchor: Anchor | None = None,
        afresh: bool = False,
    ) -> None:
        """Note how a run of ours has ended.

        :param compared: up to which change number all was seen to have arrived; None leaves what was noted before.
        :param anchor: the newest change that was met behind the token; None leaves what was noted before.
        :param afresh: whether a base point was stored, so that nothing holds of what was noted before.
        """
        with self._mutex:
            known = {} if afresh else self._mine["last_run"] or {}
            ended = {name: known[name] for name in (COMPARED, ANCHOR) if known.get(name) is not None}
            if compared is not None:
                ended[COMPARED] = compared
            if anchor is not None:
                ended[ANCHOR] = anchor.as_document()
            self._mine["last_run"] = {
                "time": self._client.server_time,
                "outcome": outcome,
                "failed": failed,
                **ended,
            }

    def release(self) -> None:
        """Give the source free. Where that cannot be written, it is free when the lease is over."""
        self._released.set()
        with self._mutex:
            self._mine["holder"] = None
            try:
                self._write(self._client, timeout=min(_FREEING, self._client.timeout))
            except IdmopsError:
                pass

    def _give_word(self) -> None:
        while not self._released.wait(RENEWAL):
            try:
                with self._client.sibling() as client:
                    read_record(client, self._source)  # for the server's time
                    with self._mutex:
                        if self._released.is_set():
                            return
                        self._mine["holder"] = replace(self._mine["holder"], renewed=client.server_time or "")
                        self._write(client)
            except IdmopsError:
                continue  # a lease that is over meanwhile shows before the next POST

    def _write(self, client: Client, timeout: float | None = None) -> None:
        """Write what is ours into the record as long as it names us, and leave alone what others note in it.

        :param timeout: seconds for the answer, which is not waited for again then.
        :raises IdmopsError: where it names somebody else.
        """
        for tries in range(1, TRIES + 1):
            wanted = replace(self._record, **self._mine)
            try:
                self._record = write_record(client, self._source, wanted, timeout=timeout)
                return
            except (Refused, Unreachable) as exc:
                if isinstance(exc, Unreachable) and exc.timed_out and timeout is not None:
                    raise
                if tries == TRIES or (isinstance(exc, Refused) and exc.status not in CHANGED):
                    raise
            there = read_record(client, self._source)
            if there is not None and there == replace(wanted, rev=there.rev):
                self._record = there  # it was written, and the answer was lost
                return
            if there is None or there.holder is None or there.holder.owner != self._owner:
                raise IdmopsError(
                    f"Another task has taken over {self._source} meanwhile: no word of this one had reached IDM.",
                    remedy="See what runs (held_by of idmops.idm.livesync_status), then run the task again.",
                )
            self._record = there


def take(client: Client, source: Source, work: str, context: Context, *, wait: float) -> ServerLock | None:
    """Hold a source; return None where somebody else holds it all the time.

    :param wait: how long to wait for whoever has it, in seconds; 0 asks once.
    :raises Unsuited: where the server keeps no lock.
    :raises Unreachable, Refused: as the client.
    """
    clock = context.clock
    end = clock.now() + wait
    rev: str | None = None
    seen = clock.now()
    while True:
        record = _asked(client, source)
        now = client.server_time
        if now is None:
            raise Unsuited("it does not tell the time")
        if record is not None and record.rev != rev:
            rev, seen = record.rev, clock.now()
        # by its own time the word of a holder stays new for as long as a clock of IDM had run ahead
        unheard = record is not None and clock.now() - seen > UNHEARD
        if record is None or unheard or not record.held(now):
            mine = Holder.here(work, now)
            taken = _taken(client, source, replace(record or RunRecord(), holder=mine), context)
            if taken is not None:
                if record is not None and record.holder is not None:
                    context.report.progress(f"{source}: taken over from {record.holder.name}, of whom nothing is heard")
                return ServerLock(client, source, taken, mine)
        left = end - clock.now()
        if left <= 0:
            return None
        clock.sleep(min(left, _LOOK * random.uniform(0.5, 1.5)))


def _asked(client: Client, source: Source) -> RunRecord | None:
    try:
        return read_record(client, source)
    except Refused as exc:
        raise _unsuited(exc) from exc


def _taken(client: Client, source: Source, wanted: RunRecord, context: Context) -> RunRecord | None:
    """Write our name; return the record, None where somebody else was faster.

    A record that has not been seen to refuse a stale revision is tried, once, before anybody goes by it.

    :raises Unsuited: where the server does not look at conditions, or refuses to keep a document of ours.
    """
    try:
        record = write_record(client, source, wanted)
        if record.conditional:
            return record
        context.clock.sleep(_SETTLE)
        there = read_record(client, source)
        if there is None or there.holder != record.holder:
            return None
        proved = write_record(client, source, replace(there, conditional=True))
    except Refused as exc:
        if exc.status in CHANGED and (wanted.rev is not None or exc.status != 404):
            return None
        raise _unsuited(exc) from exc
    try:
        deaf = write_record(client, source, replace(there, conditional=False))
    except Refused as exc:
        if exc.status in CHANGED:
            return proved
        raise
    write_record(client, source, replace(deaf, holder=None))
    raise Unsuited("it does not look at the revision in If-Match")


def _unsuited(exc: Refused) -> Exception:
    """Return what a refusal means: that there is no such lock, or that IDM cannot be asked now."""
    if exc.status in (400, 403, 404, 405, 501) and exc.own:
        return Unsuited(exc.message.rstrip("."))
    return exc
