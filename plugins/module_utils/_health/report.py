# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of all environments of a play in three forms: a table, a document, and JUnit's XML. No I/O.

The document's schema is published in ``docs/schemas/status.json``. Values of records are in none of them: of what
livesync_status returns only what is listed here is taken over, and of records no more than the remedies name.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._ansible.secrets import masked
from .junit import ERROR, FAILURE, Case, as_junit

#: What the document is, and which edition of it; the number goes up when what was there goes or means something else.
FORMAT = "idmops.idm/status/1"
#: What stands in place of a state where nothing was asked, and where there is nothing to ask for.
NOT_ASKED, NO_SOURCE, NO_CANARY, NOT_ARRIVED = "not asked", "no source", "no canary", "not arrived"

#: What of an entry of livesync_status goes into the document as it is.
_TAKEN = (
    "source",
    "state",
    "good_enough",
    "proved",
    "remedy",
    "token",
    "pending",
    "pending_exact",
    "behind",
    "first_change_number",
    "last_change_number",
    "server",
    "running",
    "scheduler",
    "max_age",
    "last_run",
    "arrived",
    "dead_letters",
)
#: Of these lists it tells how long they are: they name records.
_COUNTED = ("dropped", "gaps")
#: What is shown in the table in place of what there is not.
_NONE = "-"
_NONE_KNOWN = (
    "No source has a token or a schedule of liveSync, so that nothing is known of this environment. Run the role"
    " livesync, or name in livesync_sources what should be there."
)
_NONE_CAGED = "No entry of livesync_sources has a canary, so that nothing was seen to arrive."
_UNTOLD = "It failed before it could be asked: see above."

Entry = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Environment:
    """What is known of one environment.

    :param entries: of livesync_status, one for each source.
    :param error: why it could not be asked, None where it could.
    :param canaries: what became of them, by the source; None where none was let fly.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    error: str | None = None
    canaries: t.Mapping[str, Entry] | None = None

    @classmethod
    def of(cls, name: str, answer: Entry, flights: t.Sequence[Entry], *, flown: bool) -> Environment:
        """Return what the playbook knows of one, its texts fit to be written to a file.

        :param answer: ``livesync`` and ``error``; nothing at all where the host fell out of the play before.
        :param flights: entries of ``livesync_canaries``.
        :param flown: whether canaries were to fly.
        """
        return cls(
            name=name,
            entries=tuple(_fit(one, "remedy") for one in answer.get("livesync") or ()),
            error=_fit(answer, "error")["error"] if answer else _UNTOLD,
            canaries={str(one["source"]): _fit(one, "msg") for one in flights} if flown else None,
        )

    def canary_of(self, entry: Entry) -> Entry | None:
        """Return what became of the canary of a source, None where none flew."""
        return (self.canaries or {}).get(entry["source"])

    @property
    def cases(self) -> tuple[Case, ...]:
        """One case for each source; one for the environment where that cannot be, or lacks what was asked for."""
        if self.error is not None:
            return (Case(self.name, None, NOT_ASKED, self.error, ERROR),)
        if not self.entries:
            return (Case(self.name, None, NO_SOURCE, _NONE_KNOWN, FAILURE),)
        cases = [self._case(entry) for entry in self.entries]
        if self.canaries is not None and not self.canaries:
            cases.append(Case(self.name, None, NO_CANARY, _NONE_CAGED, FAILURE))
        return tuple(cases)

    def _case(self, entry: Entry) -> Case:
        flight = self.canary_of(entry)
        lost = str(flight["msg"]) if flight and not flight.get("ok") else None
        said = " ".join(text for text in (entry.get("remedy"), lost) if text)
        if not entry.get("good_enough"):
            return Case(self.name, entry["source"], entry["state"], said, FAILURE)
        if lost:
            return Case(self.name, entry["source"], NOT_ARRIVED, said, FAILURE)
        return Case(self.name, entry["source"], entry["state"], said)

    @property
    def complaints(self) -> list[str]:
        """What keeps it from being good enough, in sentences."""
        return [case.sentence for case in self.cases if case.kind]

    def as_document(self) -> dict[str, t.Any]:
        """Return its part of the document."""
        return {
            "name": self.name,
            "good_enough": not self.complaints,
            "error": self.error,
            "complaints": self.complaints,
            "sources": [
                {
                    **{name: entry.get(name) for name in _TAKEN},
                    **{name: None if entry.get(name) is None else len(entry[name]) for name in _COUNTED},
                    "canary": _canary(self.canary_of(entry)),
                }
                for entry in self.entries
            ],
        }


def report(environments: t.Sequence[Environment], at: str) -> dict[str, t.Any]:
    """Return all forms at once: ``table`` (lines), ``document``, ``junit`` (a text); ``errors`` and ``complaints`` by
    the environment's name.

    :param at: when it was asked, as ISO 8601 has it.
    """
    return {
        "table": _table(environments),
        "document": {
            "format": FORMAT,
            "at": at,
            "good_enough": not any(one.complaints for one in environments),
            "environments": [one.as_document() for one in environments],
        },
        "junit": as_junit("liveSync", [(one.name, one.cases) for one in environments], at),
        "errors": {one.name: one.error for one in environments if one.error is not None},
        "complaints": {one.name: one.complaints for one in environments if one.complaints},
    }


def _fit(told: Entry, name: str) -> Entry:
    """Return what was told with its text without secrets; None where there is none."""
    return {**told, name: masked(str(told[name])) if told.get(name) else None}


def _canary(flight: Entry | None) -> dict[str, t.Any] | None:
    return None if flight is None else {name: flight.get(name) for name in ("arrived", "seconds", "ok", "msg")}


def _table(environments: t.Iterable[Environment]) -> list[str]:
    """Return the lines of the table, the head first."""
    lines: list[tuple[str, ...]] = [
        ("environment", "source", "state", "proved", "token", "pending", "canary", "remedy")
    ]
    flown = False
    for one in environments:
        flown = flown or one.canaries is not None
        known = {entry["source"]: entry for entry in one.entries}
        for case in one.cases:
            entry = known.get(case.name, {})
            lines.append(
                (
                    one.name,
                    case.name or _NONE,
                    str(entry.get("state", case.state)),
                    "yes" if entry.get("proved") else "no",
                    *(_NONE if entry.get(name) is None else str(entry[name]) for name in ("token", "pending")),
                    _flight(one.canary_of(entry) if entry else None),
                    " ".join(case.said.split()),
                )
            )
    form = "{0:<20} {1:<28} {2:<12} {3:<7} {4:>8} {5:>8}  " + ("{6:<12} " if flown else "") + "{7}"
    return [form.format(*line).rstrip() for line in lines]


def _flight(flight: Entry | None) -> str:
    if flight is None:
        return "none"
    if flight.get("arrived"):
        return f"{flight['seconds']} s"
    return "not known" if flight.get("arrived") is None else "not arrived"
