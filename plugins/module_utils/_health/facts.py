# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a source at one moment, before it is judged. No I/O at all."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._record.load_record import Load


@dataclass(frozen=True)
class LogFacts:
    """What is known of the change log behind a source.

    :param first: the oldest change number that is still there.
    :param last: the newest.
    :param usable: whether there is a change log with change numbers at all.
    :param missing: the grants that the connector's account lacks, by name; None where that cannot be judged.
    :param denied_by: the names of the ACIs that deny it something of that, which no grant outweighs.
    :param alias_search: whether the directory can search the change log the way the connector does; None: not tried.
    :param pending: changes behind the token.
    :param pending_inside: those of them that lie below the connector's base contexts, None where these are not known.
    :param exact: whether ``pending_inside`` is all of them; else it is so many at the least.
    :param oldest: when the first of those changes was made, as in 2026-11-24T17:19:26Z; None where it is not known.
    :param account: the connector's account, for sentences about it.
    :param server: the URL of the directory server that was asked.
    :param doubt: why it cannot be known that this is the server that the connector reads; None or empty: it is.
    :param unrecorded: the suffixes of the source whose changes the server keeps out of its change log.
    :param meanwhile: whether the connector reads this server only until one before it is back; ``doubt`` says which.
    :param anew: what shows that its numbers are not those that the token is of, and what mends it; else None.
    :param standby: what speaks against the other servers that the connector may go over to, a sentence or two each.
    :param elsewhere: what keeps changes of another server from being seen, a sentence each: more may be pending.
    """

    first: int | None = None
    last: int | None = None
    usable: bool = True
    missing: tuple[str, ...] | None = None
    alias_search: bool | None = None
    pending: int | None = None
    pending_inside: int | None = None
    exact: bool = True
    oldest: str | None = None
    account: str | None = None
    server: str | None = None
    doubt: str | None = None
    denied_by: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    meanwhile: bool = False
    standby: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    anew: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a source at one moment.

    :param system: the connector's name.
    :param ok: whether the connector's test succeeded; None where there is no such connector.
    :param unknown_type: what is wrong with the source or the connector's document, None where nothing is.
    :param error: what the test said.
    :param remote: the remote connector server that the connector runs on, None for IDM itself.
    :param void: whether the stage is there and holds no token.
    :param number: the token as a change number, None where it is none.
    :param misfit: what keeps the connector from going on at this token.
    :param log: of the directory, None where none was given or the connector reads none.
    :param log_error: why nothing is known of the change log although a directory was given.
    :param unmapped: whether no mapping has this source.
    :param refused_mappings: why the mappings as they are written are not in force, None as far as is known.
    :param estranged: what has happened to the links of a mapping since the connector's uidAttribute was changed.
    :param misnamed: mappings that spell it in another case, a sentence each.
    :param sync_disabled: the mappings of the source whose enableSync is false.
    :param sync_unknown: those of which that cannot be known.
    :param filtered: what never arrives by the connector's configuration, though a load brings it, in sentences.
    :param left_out: what never arrives and may be meant so.
    :param queued: what waits too long in the queue of a mapping that changes go through, in sentences.
    :param unarrived: what of the newest changes has not arrived, though the token has passed it, a sentence each.
    :param doubt: why that cannot be known, None where it is.
    :param unproved: whether that leaves open whether all has arrived.
    :param forbidding: whether something has to be mended before anything is reconciled, as ``unarrived`` tells.
    :param unseen: what may wait there, and cannot be known to, in sentences.
    :param gapped: what the change log hides from liveSync, a sentence each with what mends it.
    :param dropped: how many records IDM gave up on that nothing has brought over since.
    :param shown: the mappings of which a comparison has shown that what was there is there.
    :param refused: what IDM does not let this account know of the source, a sentence each with what mends it.
    :param untraced: why records that IDM gives up on would not show, None where they would.
    :param failure: IDM's text about the record that stopped the last run.
    :param blocks: whether a failing record blocks all others for ever.
    :param breaks_off: what is to be said of a connector without an account, and of a limit of time after which IDM
        breaks a run off.
    :param erring: a schedule has fired, its run has ended and has not written the stage, as one that ends in an error.
    :param not_begun: what keeps IDM's scheduler from running it at all, in sentences; None where nothing is seen to.
    :param in_vain: what shows that runs which seem to go on end in an error each, in a sentence.
    :param neglected: since when changes have been pending that the schedule's runs, more than two, have left.
    :param enabled: how many of its schedules are; ``paused`` counts among them.
    :param next_run: when a schedule runs it next, as the server says it; None where that is soon, or not known.
    :param far: whether that is more than eight days away.
    :param idle_jobs: what the jobs are that seem to run it and run nothing, in sentences.
    :param namesake: what the job is that has the name of its schedule and does something else, None where none has.
    :param meeting: the schedules that fire; more than one of them meet.
    :param concurrent: those of them that may run beside themselves.
    :param external: whether an external scheduler runs it, so that no schedule of IDM's is to.
    :param on_beside: the schedules that are on all the same, paused or not.
    :param overdue: why a run of that scheduler is missing, None where none is.
    :param overdue_unknown: whether nobody knows when it last ran.
    :param ran_badly: that its last run has not gone well, in sentences.
    :param not_followed: that nobody knows how its last run ended, in a sentence.
    :param unloaded: the mappings of the source of which no load is recorded.
    :param foreign: the recorded loads of the source that were done on another IDM.
    :param unmoved: a run came and went while changes had been pending for more than 10 seconds, and left them.
    :param moved: the token has been seen moving.
    """

    system: str
    ok: bool | None = True
    unknown_type: str | None = None
    error: str | None = None
    remote: str | None = None
    token: t.Any = None
    number: int | None = None
    misfit: str | None = None
    log: LogFacts | None = None
    log_error: str | None = None
    void: bool = False
    unmapped: bool = False
    refused_mappings: str | None = None
    estranged: str | None = None
    misnamed: tuple[str, ...] = ()
    sync_disabled: tuple[str, ...] = ()
    sync_unknown: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    gapped: tuple[str, ...] = ()
    dropped: int = 0
    unarrived: tuple[str, ...] = ()
    doubt: str | None = None
    unproved: bool = False
    forbidding: bool = False
    untraced: str | None = None
    shown: frozenset[str] = frozenset()
    refused: tuple[str, ...] = ()
    failure: str | None = None
    blocks: bool = False
    erring: bool = False
    breaks_off: str | None = None
    not_begun: str | None = None
    in_vain: str | None = None
    neglected: str | None = None
    enabled: int = 0
    paused: int = 0
    next_run: str | None = None
    far: bool = False
    idle_jobs: tuple[str, ...] = ()
    namesake: str | None = None
    meeting: tuple[str, ...] = ()
    concurrent: tuple[str, ...] = ()
    external: bool = False
    on_beside: tuple[str, ...] = ()
    overdue: str | None = None
    overdue_unknown: bool = False
    ran_badly: str | None = None
    not_followed: str | None = None
    unloaded: tuple[str, ...] = ()
    foreign: tuple[Load, ...] = ()
    running: bool = False
    unmoved: bool = False
    moved: bool = False

    @property
    def unshown(self) -> tuple[str, ...]:
        """The mappings of which nobody knows that what was there before was brought over."""
        return tuple(name for name in self.unloaded if name not in self.shown)

    @property
    def is_behind(self) -> bool:
        """Whether changes are known to be pending, inside the source or not."""
        return bool(self.log and self.log.pending)
