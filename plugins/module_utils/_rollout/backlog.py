# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings a backlog over by a reconciliation, and lets liveSync go on behind it.

The end of the change log is noted first and stored as the token last, with the revision that the stage had: whatever
stops this, it can be done again, and nothing is lost ("Experiments", section 4).
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import IdmopsError
from .._changelog.changed import DELETED, Changed, changed_entries
from .._changelog.log import ChangeLog
from .._changelog.whose import SAME
from .._health.log_facts import LogReader
from .._http.client import Client
from .._idm.error_texts import MISFIT_REMEDY
from .._idm.server import ask_server
from .._idm.stage import Stage, read_stage
from .._livesync.backlog import BY_IDS, BY_MAPPING, Backlog, Reconciled
from .._livesync.beside_load import alone
from .._proof.link_ids import by_uuid, estranged
from .._proof.own_entries import OwnEntries
from .._proof.pages import read_these
from .._recon.recon import WAIT, ReconRequest, reconcile
from .._schedule.schedule import read_schedules
from .load import Loaded, LoadRequest, guard, recon_request
from .request import SourceRequest

#: So many entries are reconciled one by one; for more of them the whole mapping is.
_FEW = 500
_LINKS = "repo/link"
#: The actions after which an entry that is gone has no link any more.
_UNLINKING = ("DELETE", "UNLINK")


@dataclass(frozen=True)
class Parts:
    """What is to be done one by one.

    :param there: the entries that IDM sees in the source.
    :param gone: those that are certainly gone, and whose targets have to go too.
    """

    there: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def bring_over(client: Client, backlog: Backlog, context: Context) -> Reconciled | None:
    """Reconcile what is pending, and store the end that the change log had before as the token.

    :returns: None where nothing is pending, or liveSync has no token yet.
    :raises IdmopsError: when something failed or would have been left out: the token stays where it was then.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    start = context.clock.now()
    with contextlib.ExitStack() as held:
        _see_that_no_schedule_runs_it(client, backlog)
        point = None
        if context.check_mode:
            stage = read_stage(client, backlog.source)
        else:
            point = held.enter_context(alone(client, backlog.source, context, backlog.wait_timeout, backlog.lock))
            stage = point.stage
            _see_that_no_schedule_runs_it(client, backlog)
        log = held.enter_context(LogReader(backlog.directory, backlog.url, backlog.connector, context))
        if stage is None or stage.token is None:
            return None
        end = _end(backlog, stage, log)
        if stage.number is None or end.last <= stage.number:
            return None
        work = _Work(client, backlog, context, log, end, stage)
        if not work.mappings:
            raise IdmopsError(f"No enabled mapping has the source {backlog.source}, so nothing was reconciled.")
        parts = work.parts()
        after = None
        if point is None:
            if parts is None:
                work.check_whole()
        else:
            try:
                work.whole() if parts is None else work.one_by_one(parts)
            except BaseException:
                point.keep()
                raise
            after = point.move(end.last)
    return Reconciled(
        by=BY_MAPPING if parts is None else BY_IDS,
        before=stage,
        after=after,
        through=end.last,
        records=None if parts is None else len(parts.there),
        removed=0 if parts is None else len(parts.gone),
        seconds=context.clock.now() - start,
    )


def _see_that_no_schedule_runs_it(client: Client, backlog: Backlog) -> None:
    """See that no schedule runs the source, since its runs would undo what is done here, and this what they do.

    :raises IdmopsError: where one is enabled: switching it off, and on again, is left to whoever knows why it is on.
    """
    schedules = read_schedules(client, ask_server(client), str(backlog.source))
    if enabled := [schedule.name for schedule in schedules if schedule.enabled]:
        raise IdmopsError(
            f"{backlog.source} is not reconciled while the schedule {', '.join(enabled)} is enabled.",
            remedy="Switch it off first (idmops.idm.livesync_schedule with enabled: false and an idle_timeout), and on"
            " again afterwards; the role livesync does both.",
        )


def _end(backlog: Backlog, stage: Stage, log: LogReader) -> ChangeLog:
    """Return the change log as it is before anything is done.

    :raises IdmopsError: where it is not certain that liveSync can go on from its end.
    """
    source = backlog.source
    if not backlog.connector.reads_change_log or log.whose is None:
        raise IdmopsError(
            f"Where liveSync of {source} may go on after a reconciliation cannot be known: no change log with numbers"
            " is known of it.",
            remedy="Give the directory that its connector reads, or let liveSync catch up (catch_up: livesync).",
        )
    if log.whose.answer != SAME:
        raise IdmopsError(f"{source} is not reconciled. {log.whose.sentence}", remedy=log.whose.remedy)
    if misfit := stage.misfit(backlog.connector, numbered=log.last() is not None):
        raise IdmopsError(f"{source}: {misfit}", remedy=MISFIT_REMEDY)
    if bad := log.outside(stage.number):
        state, remedy = bad
        raise IdmopsError(f"liveSync of {source} is {state}, so nothing was reconciled.", remedy=remedy)
    if log.log is None or log.last() is None:
        raise IdmopsError(f"The directory behind {source} has no change log with change numbers.")
    return log.log


@dataclass
class _Work:
    """One backlog, and all that its reconciliation needs."""

    client: Client
    backlog: Backlog
    context: Context
    log: LogReader
    end: ChangeLog
    stage: Stage

    def __post_init__(self) -> None:
        # liveSync gives nothing to a mapping that is off, and what it consumes beside it is warned of
        self.mappings = [one for one in self.backlog.mappings if one.sync_enabled is not False]

    # entry by entry

    def parts(self) -> Parts | None:
        """Return what to do entry by entry; None where there is too much, or something of it cannot be known."""
        connector, directory = self.backlog.connector, self.log.directory
        suited = all(
            one.links_objects and one.link_type == one.name and one.source_filter is not None for one in self.mappings
        )
        if directory is None or not suited or not by_uuid(connector) or self.log.unrecorded:
            return None
        bases = list(dict.fromkeys((*connector.base_contexts, *connector.sync_base_contexts)))
        changed = changed_entries(directory, self.end, t.cast(int, self.stage.number), bases, _FEW)
        if changed is None:
            return None
        source = str(self.backlog.source)
        found = read_these(self.client, source, "_id", changed.last, "_id")
        there = {str(one.get("_id")) for one in found}
        unseen = [one for one in changed.last if one not in there]
        own = OwnEntries.of(directory, connector, self.backlog.source.object_type)
        gone = self._gone(unseen, changed, own) if unseen else ()
        return None if gone is None else Parts(tuple(one for one in changed.last if one in there), gone)

    def _gone(self, unseen: t.Sequence[str], changed: Changed, own: OwnEntries | None) -> tuple[str, ...] | None:
        """Return whose targets have to go, of entries that IDM does not see; None where that is for a load to judge.

        What is hidden from IDM is not deleted: the change log has to say so, and the administrator to find nothing.
        """
        if own is None or own.entries(unseen):
            return None
        linked = self._linked(unseen)
        elsewhere = own.elsewhere(unseen)
        if any(one in linked or one in changed.renamed for one in elsewhere):
            return None  # it has left the source, or its name is that of others
        gone = [one for one in unseen if one not in elsewhere]
        if any(changed.last[one] != DELETED for one in gone):
            return None
        removing = [one for one in self.mappings if one.removes]
        if any(one.actions.get("SOURCE_MISSING") not in _UNLINKING for one in removing):
            return None
        going = tuple(one for one in gone if linked.get(one, set()) & {mapping.name for mapping in removing})
        return None if going and not self.backlog.allow_deletes else going

    def _linked(self, ids: t.Iterable[str]) -> dict[str, set[str]]:
        """Return which of the mappings have linked some entries."""
        names = {one.name for one in self.mappings}
        found: dict[str, set[str]] = {}
        for link in read_these(self.client, _LINKS, "firstId", ids, "firstId,linkType"):
            if link.get("linkType") in names:
                found.setdefault(str(link.get("firstId")), set()).add(str(link.get("linkType")))
        return found

    def one_by_one(self, parts: Parts) -> None:
        """Reconcile the entries that there are, and remove what those that are gone have left.

        :raises IdmopsError: when one of them failed.
        """
        backlog = self.backlog
        if said := estranged(self.client, backlog.connector, self.mappings, backlog.known):
            raise IdmopsError(said, remedy="Nothing was reconciled. See that first.")
        for mapping in self.mappings if parts.there else ():
            self.context.report.progress(f"{mapping.name}: reconciling {len(parts.there)} changed entries")
            request = ReconRequest(
                mapping.name, ids=parts.there, wait_timeout=backlog.wait_timeout, if_running=WAIT, held=True
            )
            reconcile(self.client, request, self.context)
        if parts.gone:
            self._remove(parts.gone)
        if left := self._linked(parts.gone) if parts.gone else {}:
            removing = {mapping.name for mapping in self.mappings if mapping.removes}
            stayed = [one for one, names in left.items() if names & removing]
            if stayed:
                raise IdmopsError(
                    f"{len(stayed)} entries of {backlog.source} are gone, and IDM has not let go of what they left:"
                    f" {', '.join(stayed[:3])}.",
                    remedy="IDM's log tells why; idmops.idm.recon of the whole mapping shows what is to be done.",
                )

    def _remove(self, gone: tuple[str, ...]) -> None:
        """Tell IDM that entries are gone, as liveSync of their deletion does (seen on OpenIDM 6.1.0).

        :raises IdmopsError: where the source has one of them all the same.
        """
        source = str(self.backlog.source)
        # asked with a query once more: a read answers 404 for a connector that is away, too
        if found := read_these(self.client, source, "_id", gone, "_id"):
            raise IdmopsError(
                f"{source} has {found[0].get('_id')} again, which the change log calls deleted.",
                remedy="Run the task again: the entry has been made anew meanwhile.",
            )
        for name in gone:
            asked = {"_action": "notifyDelete", "resourceContainer": source, "resourceId": name}
            self.client.post("sync", asked, {}, expect=list)  # whether the target was let go its links will tell

    # everything

    def _load(self) -> LoadRequest:
        backlog = self.backlog
        for mapping in self.mappings:
            if mapping.source_filter != "true":
                raise IdmopsError(
                    f"The sourceQuery of {mapping.name} leaves out some entries that liveSync would bring, so a"
                    " reconciliation of the whole mapping does not stand for it.",
                    remedy="Let liveSync catch up (catch_up: livesync).",
                )
        source = SourceRequest(
            backlog.source,
            wait_timeout=backlog.wait_timeout,
            allow_deletes=backlog.allow_deletes,
            directory=backlog.directory,
        )
        return LoadRequest(source, tuple(one.name for one in self.mappings))

    def check_whole(self) -> LoadRequest:
        """See that a reconciliation of everything takes nobody for deleted.

        :raises IdmopsError: as the guard of a load.
        """
        request = self._load()
        connector, known = self.backlog.connector, self.backlog.known
        guard(self.client, request, connector, self.mappings, known, Loaded(), self.stage, self.context)
        return request

    def whole(self) -> None:
        """Reconcile everything, under the guard of a load.

        :raises IdmopsError: when it must not be, or an entry failed.
        """
        request = self.check_whole()
        for mapping in self.mappings:
            self.context.report.progress(f"{mapping.name}: reconciling all, since the backlog is long")
            reconcile(self.client, recon_request(self.client, request, mapping), self.context)
