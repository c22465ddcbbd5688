# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IDM says of a reconciliation, and what that means. No I/O."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

from .._base.text import reason_in
from .._base.values import as_dict, as_int, as_list, as_text

#: Any state but the first is the end of a run ("OpenIDM family over REST", section 3.2).
ACTIVE, SUCCESS, FAILED, CANCELED = "ACTIVE", "SUCCESS", "FAILED", "CANCELED"
#: Ours: a run that is not found any more; one that would be started.
LOST, PLANNED = "LOST", "PLANNED"
_ID = re.compile(r'_id eq "((?:[^"\\]|\\.)*)"')
_BY_IDS = re.compile(rf"\({_ID.pattern}(?: or {_ID.pattern})*\)$")
#: How many failed entries are fetched, and how many of them are shown.
MOST_FAILURES, SHOWN_FAILURES = 1000, 100


@dataclass(frozen=True)
class Amount:
    """How far one side of a run is.

    :param total: how many there are, None as long as IDM does not know.
    """

    processed: int = 0
    total: int | None = None

    @classmethod
    def parse(cls, side: t.Any) -> Amount:
        """Return the amount that progress.<side>.existing holds. A total is a text, "?" where it is not known."""
        existing = as_dict(as_dict(side).get("existing"))
        return cls(processed=as_int(existing.get("processed")) or 0, total=as_int(existing.get("total")))

    def __add__(self, other: Amount) -> Amount:
        known = [total for total in (self.total, other.total) if total is not None]
        return Amount(self.processed + other.processed, sum(known) if known else None)

    def __str__(self) -> str:
        return f"{self.processed} of {'?' if self.total is None else self.total}"

    def as_result(self) -> dict[str, t.Any]:
        """Return the amount as modules show it."""
        return {"processed": self.processed, "total": self.total}


@dataclass(frozen=True)
class ReconRun:
    """One run of a mapping's reconciliation, as its summary tells.

    :param stage: out of an open set; nothing is decided by it.
    :param changes: how many target objects were created and, since IDM 7, left unchanged, updated, deleted.
    :param situations: how many entries were found in which situation.
    :param succeeded: entries that ended well.
    :param failed: entries that did not; the run ends in SUCCESS all the same.
    :param duration_ms: so far.
    :param source_ids: the records it is about, empty where it is about all.
    """

    id: str
    mapping: str
    state: str
    stage: str = ""
    source: Amount = field(default_factory=Amount)
    target: Amount = field(default_factory=Amount)
    links: Amount = field(default_factory=Amount)
    changes: t.Mapping[str, int] = field(default_factory=dict)
    situations: t.Mapping[str, int] = field(default_factory=dict)
    succeeded: int = 0
    failed: int = 0
    duration_ms: int = 0
    source_ids: tuple[str, ...] = ()

    @classmethod
    def parse(cls, summary: t.Mapping[str, t.Any]) -> ReconRun:
        """Return the run of a summary: of GET recon, GET recon/<id> or an entry of audit/recon."""
        progress = as_dict(summary.get("progress"))
        statuses = _counts(summary.get("statusSummary"))
        parameters = as_dict(summary.get("parameters"))
        ids = as_list(parameters.get("sourceIds")) or _ids_in(
            as_dict(parameters.get("sourceQuery")).get("_queryFilter")
        )
        return cls(
            id=str(summary.get("_id")),
            mapping=str(summary.get("mapping")),
            state=str(summary.get("state")),
            stage=str(summary.get("stage") or ""),
            source=Amount.parse(progress.get("source")),
            target=Amount.parse(progress.get("target")),
            links=Amount.parse(progress.get("links")),
            changes=_counts(progress.get("target")),
            situations={name: count for name, count in _counts(summary.get("situationSummary")).items() if count},
            succeeded=statuses.get("SUCCESS", 0),
            failed=statuses.get("FAILURE", 0),
            duration_ms=max(as_int(summary.get("duration")) or 0, 0),
            source_ids=tuple(str(item) for item in ids),
        )

    def __add__(self, later: ReconRun) -> ReconRun:
        """Return two runs of one mapping as one: the later one's id, and the state of the one that did not succeed."""
        return replace(
            later,
            state=later.state if self.state == SUCCESS else self.state,
            source=self.source + later.source,
            target=Amount(self.target.processed + later.target.processed, later.target.total),
            links=Amount(self.links.processed + later.links.processed, later.links.total),
            changes=_sum(self.changes, later.changes),
            situations=_sum(self.situations, later.situations),
            succeeded=self.succeeded + later.succeeded,
            failed=self.failed + later.failed,
            duration_ms=self.duration_ms + later.duration_ms,
            source_ids=self.source_ids + later.source_ids,
        )

    @property
    def sentence(self) -> str:
        """How it stands."""
        done = f"{self.source} source entries done" + (f", {self.failed} failed" if self.failed else "")
        return f"The reconciliation of {self.mapping} is in the state {self.state}, {done}."

    def as_result(self, failures: t.Iterable[EntryFailure] = ()) -> dict[str, t.Any]:
        """Return the run as modules show it."""
        return {
            "id": self.id or None,
            "mapping": self.mapping,
            "state": self.state,
            "progress": {
                "source": self.source.as_result(),
                "target": {**self.target.as_result(), **self.changes},
                "links": self.links.as_result(),
            },
            "situations": dict(self.situations),
            "succeeded": self.succeeded,
            "failed": self.failed,
            "failures": [failure.as_result() for failure in failures][:SHOWN_FAILURES],
            "duration_ms": self.duration_ms,
        }


@dataclass(frozen=True)
class EntryFailure:
    """An entry that could not be reconciled.

    :param record: its id within the source (or, for an object that has no source, within the target).
    :param action: what the mapping's policy wanted to do.
    :param reason: one line, without attribute values.
    :param in_source: whether the record is one of the source.
    :param marked: whether its situation's action is EXCEPTION, which IDM itself counts as a success.
    """

    record: str
    situation: str | None
    action: str | None
    reason: str
    in_source: bool = True
    marked: bool = False

    @classmethod
    def parse(cls, entry: t.Mapping[str, t.Any]) -> EntryFailure:
        """Return the failure of an entry of audit/recon."""
        source = as_text(entry.get("sourceObjectId"))
        where = source or as_text(entry.get("targetObjectId")) or "?"
        detail = as_dict(entry.get("messageDetail"))
        texts = (as_text(detail.get("message")), entry.get("exception"), as_text(entry.get("message")))
        reason = next((reason for text in texts if text and (reason := reason_in(str(text)))), "no reason given")
        broken = _broken_policies(detail.get("detail"))
        return cls(
            record=object_id(where),
            situation=as_text(entry.get("situation")),
            action=as_text(entry.get("action")),
            reason=f"{reason} ({broken})" if broken else reason,
            in_source=source is not None,
            marked=entry.get("action") == "EXCEPTION" and entry.get("status") != "FAILURE",
        )

    def __str__(self) -> str:
        told = {"situation": self.situation, "action": self.action}
        more = ", ".join(f"{name} {value}" for name, value in told.items() if value)
        return f"{self.record}: {self.reason.rstrip('.')}" + (f" ({more})" if more else "")

    def as_result(self) -> dict[str, t.Any]:
        """Return the failure as modules show it."""
        return {"record": self.record, "situation": self.situation, "action": self.action, "reason": self.reason}


def _ids_in(query_filter: t.Any) -> list[str]:
    """Return the records that a run's filter names, none where it is about others."""
    found = _BY_IDS.search(str(query_filter or ""))
    return [re.sub(r"\\(.)", r"\1", text) for text in _ID.findall(found.group())] if found else []


def sum_of(runs: t.Sequence[ReconRun]) -> ReconRun:
    """Return several runs of one mapping as one."""
    total = runs[0]
    for run in runs[1:]:
        total = total + run
    return total


def object_id(path: str) -> str:
    """Return the id of an object named by its path: system/ldap/account/<id>, managed/user/<id>, or the id alone."""
    parts = path.split("/")
    depth = {"system": 3, "managed": 2, "repo": 3, "internal": 2}.get(parts[0])
    return "/".join(parts[depth:]) if depth and len(parts) > depth else path


def too_many(failed: int, entries: int, most: int, most_percent: float | None) -> bool:
    """Tell whether more entries failed than the larger one of both limits allows.

    :param entries: how many there were, failed ones included.
    """
    if failed <= most:
        return False
    return most_percent is None or failed * 100 > most_percent * entries


def _counts(value: t.Any) -> dict[str, int]:
    """Return the numbers of a dictionary."""
    return {name: count for name, item in as_dict(value).items() if (count := as_int(item)) is not None}


def _sum(first: t.Mapping[str, int], second: t.Mapping[str, int]) -> dict[str, int]:
    total = Counter(dict(first))
    total.update(second)
    return dict(total)


def _broken_policies(detail: t.Any) -> str:
    """Return which properties break which policy; the offending values are left out."""
    found = []
    for failure in as_list(as_dict(detail).get("failedPolicyRequirements")):
        failure = as_dict(failure)
        names = [str(as_dict(item).get("policyRequirement")) for item in as_list(failure.get("policyRequirements"))]
        found.append(f"{failure.get('property')}: {', '.join(names)}")
    return "; ".join(found)
