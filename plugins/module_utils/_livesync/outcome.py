# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one run of liveSync: what was there before, and how it ended."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.values import as_dict, as_int, as_text
from .._idm.record_failure import RecordFailure
from .._idm.stage import Stage

BASELINE, ADVANCED, UNCHANGED = "baseline", "advanced", "unchanged"
RECORD_FAILED, SKIPPED, PLANNED, UNKNOWN = "record_failed", "skipped", "planned", "unknown"
STARTED, FAILED = "started", "failed"


@dataclass(frozen=True)
class Mark:
    """What was known of a source just before a POST: what is needed to tell later how that run ended.

    :param rev: of the stage, None where there was no stage.
    :param token: of the stage.
    :param startup: when the server's nodes had started, as it says it; None where it does not say.
    :param last_change_number: the end of the change log, None where it was not read.
    :param began: the server's time, None where it does not tell.
    :param failing: the record that the stage said had failed (:meth:`RecordFailure.identity`), None for none.
    :param transaction: the id that the POST carries, by which audit/access knows it again; None where it has none.
    """

    rev: str | None = None
    token: t.Any = None
    startup: str | None = None
    last_change_number: int | None = None
    began: str | None = None
    failing: t.Mapping[str, t.Any] | None = None
    transaction: str | None = None

    @classmethod
    def parse(cls, given: t.Mapping[str, t.Any]) -> Mark:
        """Return the mark that a mapping holds among other things; a template may have made texts of its numbers."""
        return cls(
            rev=as_text(given.get("rev")),
            token=given.get("token"),
            startup=as_text(given.get("startup")),
            last_change_number=as_int(given.get("last_change_number")),
            began=as_text(given.get("began")),
            failing=as_dict(given.get("failing")) or None,
            transaction=as_text(given.get("transaction")),
        )


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a run's end, and for any sign of life once the line is cut."""

    wait: float
    stall: float


#: What the options wait_timeout and stall_timeout of livesync_trigger are where they are not given.
PATIENCE = Patience(wait=3600.0, stall=300.0)


@dataclass(frozen=True)
class Run:
    """How a run ended.

    :param attributed: whether the end is certainly that of our run and not of another one.
    :param restarted: whether IDM was restarted meanwhile, so that the run was sent again.
    :param error: what went wrong, in a sentence; None where nothing did.
    :param sent: how many POSTs it took: two where the first one died with the server.
    :param dormant: whether the answer had an empty body: a connector activated while its system was down.
    :param cut: whether the connector lost its connection in the middle, so that nothing was stored.
    """

    outcome: str
    mark: Mark
    after: Stage | None = None
    failure: RecordFailure | None = None
    attributed: bool = True
    restarted: bool = False
    error: str | None = None
    remedy: str | None = None
    status: int | None = None
    dormant: bool = False
    sent: int = 1
    cut: bool = False

    @property
    def open(self) -> bool:
        """Whether the run may be going on."""
        return self.outcome in (STARTED, UNKNOWN)


@dataclass(frozen=True)
class Surroundings:
    """What is known of a source's environment and does not change during a run.

    :param scheduled: whether a schedule of this source is enabled, so that another run may begin at any time.
    """

    scheduled: bool = False
