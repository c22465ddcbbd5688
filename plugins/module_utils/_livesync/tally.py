# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the sources of one task, and the result that users see of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.errors import IdmopsError
from .._changelog.anchor import Anchor
from .._idm.source import Source
from .._idm.stage import Stage
from .backlog import LIVESYNC, RECONCILE, Reconciled
from .outcome import ADVANCED, PLANNED, UNCHANGED, Run


@dataclass
class Tally:
    """What became of one source in one task.

    :param counts: whether its tokens are change numbers, so that their difference is a number of changes; the CSV
        connector's is a time, of the same type (seen on OpenIDM 6.1.0).
    :param proved: whether the token was seen to reach the end that the change log had at the start.
    :param compared: up to which change number all was seen to have arrived, None where that was not seen.
    :param anchor: the newest change that was met behind the token, None where none was.
    :param seconds: from the first run's start to the last one's end.
    :param lock: what kept other runs of ours away, None where nothing was sent.
    :param transaction: the id of the request that did not end well, by which the server's logs know it.
    :param reconciled: what a reconciliation has brought over beforehand.
    """

    source: Source
    outcome: str
    before: Stage | None = None
    after: Stage | None = None
    last: Run | None = None
    runs: int = 0
    seconds: float = 0.0
    skipped_records: list[dict[str, t.Any]] = field(default_factory=list)
    proved: bool = False
    compared: int | None = None
    anchor: Anchor | None = None
    error: str | None = None
    remedy: str | None = None
    status: int | None = None
    transaction: str | None = None
    lock: str | None = None
    counts: bool = True
    reconciled: Reconciled | None = None

    @property
    def token(self) -> t.Any:
        """The token as it was seen last."""
        stage = self.after or self.before
        return stage.token if stage else None

    @property
    def number(self) -> int | None:
        """That token as a change number, None where it is none."""
        stage = self.after or self.before
        return stage.number if stage else None

    @property
    def changed(self) -> bool:
        """Whether the token is another one than before."""
        return self.after is not None and (self.before is None or self.after.token != self.before.token)

    @property
    def based(self) -> bool:
        """Whether a base point was stored, where there was no token."""
        return self.changed and (self.before is None or self.before.token is None)

    def fail(self, error: str, remedy: str | None, status: int | None = None) -> None:
        """Note what went wrong."""
        self.error, self.remedy, self.status = error, remedy, status

    def follow(self, reconciled: Reconciled, runs: int = 0, seconds: float = 0.0) -> None:
        """Add what had been done before the runs that this tells of.

        :param runs: how many were sent before the reconciliation, and how long they took.
        """
        self.reconciled, self.before = reconciled, reconciled.before
        self.after = self.after or reconciled.after
        self.runs, self.seconds = self.runs + runs, self.seconds + seconds + reconciled.seconds
        if self.outcome == UNCHANGED and self.changed:
            self.outcome = ADVANCED

    @property
    def sentence(self) -> str:
        """What is to be said of it in one sentence."""
        before = self.before.token if self.before else None
        token = f"the token from {before} to {self.token}" if self.changed else f"the token at {self.token}"
        how = ""
        if self.reconciled:
            how = f" ({'' if self.reconciled.after else 'to be '}reconciled up to {self.reconciled.through})"
        return f"{self.source}: {self.outcome}, {token}{how}." + (f" {self.error}" if self.error else "")

    def as_result(self) -> dict[str, t.Any]:
        """Return the entry of ``runs`` that users see."""
        before, after, last = self.before, self.after or self.before, self.last
        token = before.token if before else None
        start, end = before.number if before else None, self.number
        changes = end - start if self.counts and start is not None and end is not None else None
        result = {
            "source": str(self.source),
            "outcome": self.outcome,
            "token_before": token,
            "token_after": self.token,
            "native_type": after.native_type if after else None,
            "failure": last.failure.as_result() if last and last.failure else None,
            "skipped_records": self.skipped_records,
            "attributed": last.attributed if last else True,
            "restarted": last.restarted if last else False,
            "proved": self.proved,
            "caught_up_by": RECONCILE if self.reconciled else LIVESYNC,
            "reconciliation": self.reconciled.as_result() if self.reconciled else None,
            "error": self.error,
            "remedy": self.remedy,
            "transaction_id": self.transaction,
            "duration_ms": round(self.seconds * 1000),
            "runs": self.runs,
            "changes": changes,
            "lock": self.lock,
            "rate": round(changes / self.seconds, 1) if changes and self.seconds > 0 else None,
        }
        if last and last.open:
            result["follow"] = {"source": str(self.source), **vars(last.mark)}
        return result


def result_of(tallies: t.Sequence[Tally]) -> dict[str, t.Any]:
    """Return the result of a task, or raise what failed with all of it.

    :raises IdmopsError: when a source failed.
    """
    runs = [tally.as_result() for tally in tallies]
    planned = any(tally.outcome == PLANNED for tally in tallies)
    result = {
        "changed": planned or any(tally.changed for tally in tallies),
        "diff": {
            "before": {run["source"]: {"sync_token": run["token_before"]} for run in runs},
            "after": {
                run["source"]: {"sync_token": "(as the run finds it)" if planned else run["token_after"]}
                for run in runs
            },
        },
        "msg": " ".join(tally.sentence for tally in tallies),
        "runs": runs,
    }
    failed = [tally for tally in tallies if tally.error]
    if not failed:
        return result
    result["transaction_id"] = failed[0].transaction
    message = str(failed[0].error)
    if len(tallies) > 1:
        message = f"{len(failed)} of {len(tallies)} sources failed: " + " ".join(str(tally.error) for tally in failed)
    raise IdmopsError(message, status=failed[0].status, remedy=failed[0].remedy, result=result)
