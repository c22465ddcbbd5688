# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be said of a source that an external scheduler runs: IDM sees no more of that than the runs. No I/O.

The run record tells when and how the last run of ours ended, by the server's clock. Somebody who calls IDM without
livesync_trigger leaves no word there, and so does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._base.values import as_text
from .._idm.audit import seconds_between
from .._idm.stage import Stage
from .._record.owner import Holder
from .._record.run_record import RunRecord
from .facts import LogFacts
from .traceless import ANY_SKEW

#: Changes that are older than a run by so much were there for it, whatever the directory's clock says, in seconds.
_THERE = 10.0 + ANY_SKEW
#: Outcomes of livesync_trigger (``runs[].outcome``) that are not well whatever the task made of them: with
#: on_record_failure warn it does not fail.
_BAD = ("failed", "record_failed", "unknown")
_STARTED = "started"
_NOW = "To run liveSync now: the playbook idmops.idm.run, or idmops.idm.livesync_trigger."
_SEE = f"See whether the external scheduler calls it, and what its last call said. {_NOW}"


@dataclass(frozen=True)
class External:
    """What speaks against a source that an external scheduler runs, a sentence or two each; None: nothing.

    :param overdue: it has not run for too long, or nobody knows.
    :param unknown: whether that is so because nobody knows.
    :param failed: its last run has not ended well.
    :param doubt: how its last run ended is not known, which was not waited for.
    :param unmoved: whether its last run has left changes that had been pending for long.
    """

    overdue: str | None = None
    unknown: bool = False
    failed: str | None = None
    doubt: str | None = None
    unmoved: bool = False


def judge_external(
    record: RunRecord, holder: Holder | None, stage: Stage | None, log: LogFacts | None, now: str | None
) -> External:
    """Return what the run record of a source tells.

    :param holder: who runs it now; while somebody does, nothing is overdue.
    :param stage: None where the source has never run, which is not for the scheduler to mend.
    :param log: of its directory.
    :param now: the server's time.
    """
    if not record.scheduler.external:
        return External()
    last = record.last_run or {}
    if stage is None and not last:
        return External()
    ended, outcome = as_text(last.get("time")), as_text(last.get("outcome"))
    overdue, unknown = (None, False) if holder else _overdue(record, ended, now)
    failed = doubt = None
    if last and (last.get("failed") is True or outcome in _BAD):
        failed = (
            f"The last run, which ended at {ended}, has not gone well ({outcome}): what idmops.idm.livesync_trigger"
            f" said then tells why. {_NOW}"
        )
    elif outcome == _STARTED and record.run and (stage is None or stage.rev == as_text(record.run.get("rev"))):
        doubt = f"The last run was begun at {ended}, and nobody has waited for its end or seen it since."
    waited = seconds_between(log.oldest, ended) if log and log.pending_inside else None
    return External(
        overdue,
        unknown,
        failed,
        doubt,
        unmoved=not (failed or doubt or holder) and waited is not None and waited > _THERE,
    )


def _overdue(record: RunRecord, ended: str | None, now: str | None) -> tuple[str | None, bool]:
    """Return why it is overdue, None where it is not, and whether that is so because nobody knows."""
    longest = record.scheduler.max_age
    if longest is None:
        return (
            "IDM's run record says that an external scheduler runs this source, and not how old its last run may be."
            " Run the role livesync, which writes max_age anew.",
            True,
        )
    if not record.last_run:
        return (
            f"No run is known since an external scheduler is to run it every {longest:g} s at the least. {_SEE}",
            False,
        )
    age = seconds_between(ended, now)
    if age is None or age < -ANY_SKEW:
        return f"When its last run ended cannot be known: {ended or 'no time'} is noted, and it is {now}. {_SEE}", True
    if age <= longest:
        return None, False
    return f"Its last run ended at {ended}, {age:.0f} s ago, more than {longest:g} s (max_age). {_SEE}", False
