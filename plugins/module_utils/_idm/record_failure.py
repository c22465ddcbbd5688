# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record that stopped a run of liveSync, and the records that IDM gave up on."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree

from .._base.text import reason_in
from .._base.values import as_int, as_text
from .._http.client import Client
from .audit import (
    NO_SITUATION,
    NO_SITUATION_REMEDY,
    RACE_SECONDS,
    AuditEntry,
    entries_of_record,
    failures_since,
    seconds_between,
    since,
)
from .connector import FailurePolicy
from .error_texts import DOUBLED, RACE, read_reason
from .source import Source
from .stage import Stage

# "Failed to synchronize <uid> object on <system>, retries (2) not exhausted." where the policy has retries left,
# "Failed to synchronize <uid> object on <system>: <cause>" where it never gives up (seen on OpenIDM 6.1.0)
_TEXT = re.compile(r"Failed to synchronize (?P<uid>.*?) object on \S+?(, retries \((?P<retries>\d+)\)|: (?P<cause>.*))")
_TAKEN = re.compile(r"create rejected as object with same id", re.IGNORECASE)
_SECRET = re.compile(r"passw|pwd|credential|secret|__PASSWORD__", re.IGNORECASE)
_HIDDEN = "(hidden)"
#: Where to look for a cause that audit/sync does not tell.
UNTOLD = (
    "IDM does not tell the cause over REST: a failure before the mapping (a second value where the connector's schema"
    " knows one, for example) leaves no entry in audit/sync. IDM's log names it, beside the id of the record. "
)
_IDENTITY = ("record", "dn", "operation", "change_number", "attempt")


@dataclass(frozen=True)
class RecordFailure:
    """A record that could not be synchronised.

    :param record: its id within the source, as IDM names it.
    :param dn: its name in the directory, None where it is not known.
    :param operation: CREATE, UPDATE, DELETE or CREATE_OR_UPDATE.
    :param change_number: the token of the change.
    :param attempt: which attempt this was, counted from 1; None where IDM does not count.
    :param allowed: after which attempt IDM drops the change; None where it never does, or that is not known.
    :param blocks: whether it stands in the way of all later changes for ever.
    :param by_race: whether two runs at the same time caused it, now or earlier, so that it says nothing of the record.
    :param attributes: what the record holds, None unless asked for; passwords hidden.
    """

    record: str
    dn: str | None = None
    operation: str | None = None
    change_number: t.Any = None
    attempt: int | None = None
    allowed: int | None = None
    blocks: bool = False
    cause: str | None = None
    by_race: bool = False
    attributes: t.Mapping[str, t.Any] | None = field(default=None, repr=False)

    def under(self, policy: FailurePolicy) -> RecordFailure:
        """Return the failure with what the connector's failure policy makes of it."""
        allowed = None if policy.blocks or policy.max_retries is None else policy.max_retries + 1
        return replace(self, allowed=allowed, blocks=policy.blocks)

    def sentence(self) -> str:
        """Return what to tell the reader, without attribute values."""
        name = self.dn or self.record
        text = f"The record {name}" + (f" ({self.record})" if self.dn and self.dn != self.record else "")
        text += f" could not be synchronised ({self.operation or 'change'}"
        text += ")" if self.change_number is None else f" with token {self.change_number})"
        text += f": {self.cause.rstrip('.')}." if self.cause else "."
        if self.by_race and read_reason(self.cause or "").kind == DOUBLED:
            text += " Its two links caused this, not the record."
        elif self.by_race:
            text += " Two runs of the source at once caused this, not the record."
        if self.blocks:
            return text + (
                " It blocks all later changes for ever: the connector has no syncFailureHandler that gives up."
            )
        if self.attempt is not None and self.allowed is not None:
            text += f" This was attempt {self.attempt} of {self.allowed}; after the last one IDM drops this change."
        return text

    @property
    def remedy(self) -> str:
        """What the reader can do about it."""
        reason = read_reason(self.cause or "")
        if self.by_race and reason.kind == DOUBLED and reason.remedy:
            return reason.remedy
        if self.by_race:
            return (
                "See that no two runs of the source meet (one schedule, if_running: wait, nobody who calls IDM beside"
                " them); the next run takes the record again."
            )
        if self.cause == NO_SITUATION:
            return NO_SITUATION_REMEDY
        text = "" if self.cause else UNTOLD
        text += "Mend the record or the mapping before the next run"
        return f"{text}, and set maxRetries and postRetryAction in the connector." if self.blocks else f"{text}."

    @property
    def identity(self) -> dict[str, t.Any]:
        """What tells this failure from another one, and from the next attempt: no attribute values."""
        return {name: getattr(self, name) for name in _IDENTITY}

    @classmethod
    def of(cls, identity: t.Mapping[str, t.Any]) -> RecordFailure:
        """Return the failure that :attr:`identity` was taken of, as far as that tells."""
        return cls(
            record=str(identity.get("record")),
            dn=as_text(identity.get("dn")),
            operation=as_text(identity.get("operation")),
            change_number=identity.get("change_number"),
            attempt=as_int(identity.get("attempt")),
        )

    def as_result(self) -> dict[str, t.Any]:
        """Return what users see."""
        return dict(vars(self))


def read_failure(
    client: Client, source: Source, stage: Stage, *, detailed: bool, began: str | None = None
) -> RecordFailure:
    """Return the failure that a stage holds; its cause comes from audit/sync where that answers.

    :param detailed: whether attribute values may be shown.
    :param began: the server's time when the run began that has left the failure, None where that is not known.
    :raises Unreachable: as the client.
    """
    failure = parse_failure(stage, detailed=detailed)
    if failure.cause is not None and read_reason(failure.cause).kind != RACE:
        return replace(failure, by_race=_is_race(failure, failure.cause))
    entries = entries_of_record(client, source, failure.record)
    if failure.cause is not None:
        return replace(failure, by_race=_is_race(failure, failure.cause, entries))
    told = next(iter(entries), None)
    overtaken = False
    if told and not told.failed and began is not None:
        # a run stops at a record that fails: who has synchronised it after that was another run
        told = next((entry for entry in since(entries, began) if entry.failed), None)
        overtaken = told is not None
    # a success from before the failure says nothing of it: what fails before the mapping leaves no entry
    cause = told.cause if told and told.failed else None
    return replace(failure, cause=cause, by_race=overtaken or _is_race(failure, cause, entries))


def parse_failure(stage: Stage, *, detailed: bool = False) -> RecordFailure:
    """Return what a stage says of the record that failed."""
    text = stage.failure or ""
    match = _TEXT.search(text)
    failure = RecordFailure(record="unknown", cause=reason_in(text))
    if match:
        retries = match["retries"]
        failure = RecordFailure(
            record=match["uid"],
            attempt=int(retries) + 1 if retries is not None else None,
            cause=reason_in(match["cause"]) if match["cause"] else None,
        )
    return _with_delta(failure, stage.delta, detailed)


def same_attempt(failing: t.Mapping[str, t.Any] | None, stage: Stage) -> bool:
    """Tell whether a stage holds the very failure that was there before a run, counted as the same attempt.

    :param failing: the :attr:`RecordFailure.identity` from before the run.
    """
    if not failing or not stage.failure:
        return False
    now, before = parse_failure(stage), RecordFailure.of(failing)
    return now.attempt is not None and before.attempt == now.attempt and _same_record(before, stage)


def passed_over(
    client: Client,
    source: Source,
    earlier: t.Sequence[RecordFailure],
    after: Stage | None,
    policy: FailurePolicy,
    *,
    began: str | None,
    known: t.Collection[str] = (),
) -> list[dict[str, t.Any]]:
    """Return the records that the token has passed although they were never synchronised.

    That is the record which failed before and which this run did not stop at any more, if its last attempt failed;
    and, where the policy allows no retry, every failure during the runs. audit/sync tells; where it does not answer,
    a record counts as passed over when its attempts were used up.

    :param earlier: the failures that the stage has held before runs, oldest first.
    :param began: the server's time when the runs began, None where it is not known.
    :param known: ids of failed entries from before the runs: that time is told in whole seconds.
    """
    found: list[dict[str, t.Any]] = []
    latest = {(failure.record, str(failure.change_number)): failure for failure in earlier}
    for failure in (failure.under(policy) for failure in latest.values() if not _same_record(failure, after)):
        # an earlier success says nothing: what fails before the mapping leaves no entry
        entries = [one for one in since(entries_of_record(client, source, failure.record), began) if one.told]
        used_up = failure.allowed is not None and (failure.attempt or 0) >= failure.allowed - 1
        if entries[0].failed if entries else used_up:
            found.append(skipped_record(failure, entries[0].cause if entries else failure.cause))
    if policy.max_retries == 0 and began:
        for entry in (one for one in failures_since(client, source, began) if one.id not in known):
            newest = entries_of_record(client, source, entry.record)[:1]
            if not newest or newest[0].id == entry.id:
                found.append(skipped_record(RecordFailure(record=entry.record), entry.cause))
    return found


def _is_race(failure: RecordFailure, cause: str | None, entries: t.Sequence[AuditEntry] = ()) -> bool:
    """Tell whether two runs at once caused a failure.

    An object with the same id may always have been there, and a mapping whose script writes the target clashes with
    itself at each attempt: where the text alone proves nothing, another run has brought the record over just before.

    :param entries: the record's newest entries of audit.
    """
    kind = read_reason(cause or "").kind
    if kind != RACE or (failure.attempt == 1 and not _TAKEN.search(cause or "")):
        return kind in (RACE, DOUBLED)
    failed = next((entry.timestamp for entry in entries if entry.failed), None)
    apart = (seconds_between(entry.timestamp, failed) for entry in entries if not entry.failed)
    return any(seconds is not None and abs(seconds) <= RACE_SECONDS for seconds in apart)


def _same_record(earlier: RecordFailure, after: Stage | None) -> bool:
    """Tell whether the token stands before the same change of the same record as before."""
    if after is None or not after.failure:
        return False
    now = parse_failure(after)
    return (earlier.record, str(earlier.change_number)) == (now.record, str(now.change_number))


def skipped_record(failure: RecordFailure, cause: str | None) -> dict[str, t.Any]:
    """Return a record that the token has passed unsynchronised, as modules show it."""
    return {
        "record": failure.record,
        "dn": failure.dn,
        "operation": failure.operation,
        "change_number": failure.change_number,
        "cause": cause,
    }


def _with_delta(failure: RecordFailure, delta: str | None, detailed: bool) -> RecordFailure:
    """Add what the serialised record tells: its DN, the operation and the change number."""
    if not delta or "<!ENTITY" in delta:
        return failure
    try:
        root = ElementTree.fromstring(delta)
    except ElementTree.ParseError:
        return failure
    kind = root.find("SyncDeltaType")
    token = next((element.text for element in root.iterfind("SyncToken/value/*")), None)
    uid = root.find("Uid")
    name = root.find(".//Attributes/Name")
    return replace(
        failure,
        record=uid.get("uid", failure.record) if uid is not None and failure.record == "unknown" else failure.record,
        dn=(name.text or "").strip() or None if name is not None else None,
        operation=kind.get("value") if kind is not None else None,
        change_number=int(token) if token and token.strip().isdigit() else token,
        attributes=_attributes(root) if detailed else None,
    )


def _attributes(root: ElementTree.Element) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for element in root.iterfind(".//Attributes/Attribute"):
        name = element.get("name", "")
        values = [value.text for value in element.iterfind("Values/*")]
        found[name] = _HIDDEN if _SECRET.search(name) else values
    return found
