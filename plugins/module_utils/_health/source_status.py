# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One source as livesync_status shows it. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.text import few
from .._idm.audit import NO_SITUATION, NO_SITUATION_REMEDY, seconds_between
from .._idm.connector import Connector
from .._idm.connector_filters import SyncFilter
from .._idm.error_texts import DOUBLED, read_reason
from .._idm.mapping import SyncMapping
from .._idm.queue import Waiting
from .._idm.record_failure import RecordFailure
from .._idm.source import Source
from .._idm.stage import Stage
from .._record.owner import Holder
from .._record.run_record import ANCHOR, COMPARED, RunRecord
from .._schedule.schedule import Schedule
from .dropped import Dropped
from .facts import Facts
from .gapped import Gap
from .losses import STRANDING, TWO_LINKS, UNMARK, excepted
from .states import DISABLED, DROPPING, FAILING, GAPPED, HEALTHY, LAGGING, Health, judge_health, meeting_of

#: For how long at most the runs of a schedule are watched, in seconds.
LONGEST_WATCH = 40.0
#: How many dropped records are named.
_SHOWN = 100


@dataclass(frozen=True)
class SourceStatus:
    """What is known of one source.

    :param holder: the task of ours that runs it now, from whichever host, None where none does.
    :param held: what is to be said of it where it gives no word, or word of a time to come; None for nothing.
    """

    source: Source
    facts: Facts
    connector: Connector | None
    schedules: t.Sequence[Schedule]
    mappings: t.Sequence[SyncMapping]
    stage: Stage | None
    failure: RecordFailure | None = None
    dropped: tuple[Dropped, ...] | None = None
    gaps: tuple[Gap, ...] | None = None
    letters_unread: bool = False
    filters: tuple[SyncFilter, ...] = ()
    queue: tuple[Waiting, ...] = ()
    record: RunRecord = RunRecord()
    holder: Holder | None = None
    held: str | None = None

    @property
    def health(self) -> Health:
        """What the facts come to."""
        return judge_health(self.facts)

    @property
    def remedy(self) -> str | None:
        """What mends it, and what is to be said of who holds it."""
        return " ".join(text for text in (self._mends, self.held) if text) or None

    @property
    def _mends(self) -> str | None:
        """What mends it; where a record fails, that record's name, its reason and its attempts before it."""
        health = self.health
        if health.state == FAILING and self.failure is not None:
            said = f"{self.failure.sentence()} {self.failure.remedy}"
            return f"{health.remedy} {said}" if meeting_of(self.facts) else said
        if health.state == DROPPING and self.dropped:
            records = list(dict.fromkeys(one.record for one in self.dropped))
            return (
                f"{_first(self.dropped, str(health.remedy))}{health.remedy} They are: {few(records, 3)}."
                + _departed(self.dropped)
                + _letters_of(self.source, self.dropped)
            )
        return health.remedy

    @property
    def sentence(self) -> str:
        """What is to be said of it in one sentence."""
        said = f"{self.source} is {self.health.state}"
        return f"{said}: {self.remedy}" if self.remedy else f"{said}."

    @property
    def suspicious(self) -> bool:
        """Whether a schedule's next run is worth watching: changes are pending that it should have taken, or may be."""
        facts, log, state = self.facts, self.facts.log, self.health.state
        known = log is not None and log.pending is not None
        if facts.enabled <= facts.paused or facts.failure or facts.running or (known and not facts.is_behind):
            return False
        return state in (LAGGING, HEALTHY) or (known and state in (DISABLED, GAPPED, DROPPING))

    def due(self, now: str | None) -> float:
        """Return in how many seconds a schedule runs it next, 0 where that is not known.

        :param now: the server's time.
        """
        enabled = [schedule for schedule in self.schedules if schedule.enabled and not schedule.paused]
        waits = [seconds_between(now, schedule.next_run) for schedule in enabled]
        return max(0.0, min((wait for wait in waits if wait is not None), default=0.0))

    @property
    def interval(self) -> float:
        """The shortest interval of its schedules, in seconds."""
        known = [schedule.interval_seconds for schedule in self.schedules if schedule.enabled]
        return float(min((seconds for seconds in known if seconds), default=LONGEST_WATCH))

    def as_result(self) -> dict[str, t.Any]:
        """Return the entry of ``livesync`` that users see."""
        facts, log, stage, health, last = self.facts, self.facts.log, self.stage, self.health, self.record.last_run
        return {
            "source": str(self.source),
            "state": health.state,
            "good_enough": health.good_enough,
            "proved": health.proved,
            "remedy": self.remedy,
            "token": facts.token,
            "server": log.server if log else None,
            "native_type": stage.native_type if stage else None,
            "pending": log.pending_inside if log else None,
            "pending_exact": log.exact and not log.elsewhere if log and log.pending_inside is not None else None,
            "behind": log.pending if log else None,
            "first_change_number": log.first if log else None,
            "last_change_number": log.last if log else None,
            "last_failure": self.failure.as_result() if self.failure else None,
            "schedules": [schedule.as_result() for schedule in self.schedules],
            "running": facts.running,
            "connector": {"name": facts.system, "ok": facts.ok, "error": facts.error},
            "mappings": [
                {"name": mapping.name, "target": mapping.target, "sync_enabled": mapping.sync_enabled}
                for mapping in self.mappings
            ],
            "queue": [one.as_result() for one in self.queue],
            **self.record.scheduler.as_result(),
            "last_run": {name: value for name, value in last.items() if name not in (ANCHOR, COMPARED)}
            if last
            else None,
            "arrived": self.record.arrived,
            "held_by": self.holder.as_result() if self.holder else None,
            "filters": [one.as_result() for one in self.filters],
            "failure_policy": self.connector.failure_policy.as_result() if self.connector else None,
            "gaps": None if self.gaps is None else [one.as_result() for one in self.gaps[:_SHOWN]],
            "dropped": None if self.dropped is None else [one.as_result() for one in self.dropped[:_SHOWN]],
            "dead_letters": None
            if self.dropped is None
            or self.letters_unread
            or not (self.connector and self.connector.failure_policy.may_keep_letters)
            else len([one for one in self.dropped if one.dead_letter]),
        }


def _first(dropped: t.Sequence[Dropped], said: str) -> str:
    """Return what has to be mended before any reconciliation can go well, "" where nothing has, or that is said."""
    if any(read_reason(one.cause or "").kind == DOUBLED for one in dropped) and TWO_LINKS not in said:
        return f"First, where the cause is two links: {TWO_LINKS} Then: "
    stuck = dict.fromkeys(situation for one in dropped if (situation := excepted(one.cause)) in STRANDING)
    firsts = [
        f"where the situation is {one}: {': '.join(STRANDING[one])}" for one in stuck if STRANDING[one][1] not in said
    ]
    if firsts:
        return f"First, {' And '.join(firsts)} Then: "
    names = dict.fromkeys(one.mapping for one in dropped if one.cause == NO_SITUATION)
    if not names or NO_SITUATION_REMEDY in said:
        return ""
    whose = ", ".join(name for name in names if name)
    return f"First: {NO_SITUATION_REMEDY}{f' It is that of {whose}.' if whose else ''} Then: "


def _departed(dropped: t.Iterable[Dropped]) -> str:
    """Return what is to be done about records whose source is gone, "" where there are none: ids bring none of that."""
    if not any(one.situation in ("SOURCE_MISSING", "UNASSIGNED") for one in dropped):
        return ""
    if any(excepted(one.cause) == "SOURCE_MISSING" for one in dropped):
        return f" Where the source is gone: {UNMARK} Then reconcile the whole mapping instead."
    return " Where the source is gone (SOURCE_MISSING), reconcile the whole mapping instead."


def _letters_of(source: Source, dropped: t.Iterable[Dropped]) -> str:
    """Return how to be rid of dead letters once their records are well, "" where there are none."""
    if not any(one.dead_letter and one.time is None for one in dropped):
        return ""
    return (
        " When a dead letter was written cannot be known here: delete it once its record is well (DELETE"
        f" repo/synchronisation/deadLetterQueue/{source.system}/<dead_letter>)."
    )
