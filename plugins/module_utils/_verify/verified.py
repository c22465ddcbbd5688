# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the comparison of a mapping, in sentences and as a module's result. No I/O."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field

from .._base.errors import IdmopsError, InvalidOption
from .._base.limits import check_seconds
from .._base.text import few
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.comparison import Comparison, most_differing
from .._proof.difference import DUPLICATE, KINDS, Difference
from .._proof.suspects import Suspects


@dataclass(frozen=True)
class VerifyRequest:
    """What is asked for.

    :param sources: all that have a token or a schedule where none are given.
    :param mappings: their names; all mappings of the sources where none are given.
    :param sample: how many entries of each side; 0 is all.
    :param directory: connection options of the directory, None where it is not asked.
    :param recheck: for how many seconds differences may still vanish; None is two intervals of the schedule.
    :param fail_on: kinds of differences that must not be.
    :param detailed: whether the DN of each entry is told.
    :param most: how many differences of each mapping are listed.
    """

    sources: tuple[Source, ...] = ()
    mappings: tuple[str, ...] | None = None
    sample: int = 1000
    directory: t.Mapping[str, t.Any] | None = None
    recheck: float | None = None
    fail_on: tuple[str, ...] = ()
    detailed: bool = False
    most: int = 100

    def check(self) -> None:
        """Refuse what cannot be used.

        :raises InvalidOption: before anything is sent.
        """
        if self.sample < 0:
            raise InvalidOption("sample", self.sample, "Give how many entries are drawn on each side; 0 is all.")
        if self.most < 0:
            raise InvalidOption("max_listed", self.most, "Give how many differences are listed; 0 is none.")
        if self.mappings is not None and not (self.mappings and all(self.mappings)):
            raise InvalidOption("mappings", list(self.mappings), "Name one at least, or leave it out for all.")
        if self.recheck:
            check_seconds("recheck", self.recheck)


@dataclass
class Verified:
    """What became of one mapping.

    :param logged: whether the connector reads a change log, which tells with directory what is pending.
    :param given: whether a directory was given.
    :param doubt: of which of the newest changes it cannot be known whether they have arrived, and why; None for none.
    :param ruled_out: of how many entries that a condition may leave out audit tells that; None where it was not asked,
        or does not answer.
    :param pending: how many objects differ with changes that liveSync has not taken yet; None where that cannot be
        known.
    """

    source: Source
    mapping: SyncMapping
    comparison: Comparison
    suspects: Suspects
    sampled: bool
    differences: list[Difference] = field(default_factory=list)
    pending: int | None = None
    logged: bool = True
    given: bool = False
    doubt: str | None = None
    ruled_out: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each kind that there is."""
        found = Counter(one.kind for one in self.differences)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def link_ids(self) -> list[str]:
        """The ids of links that are too many."""
        return list(dict.fromkeys(link for one in self.differences for link in one.spare_links))

    @property
    def sentence(self) -> str:
        """What was found, in one or two sentences."""
        seen = self.suspects
        name = f"{self.mapping.name} ({self.source} to {self.mapping.target})"
        if self.sampled:
            looked = f"of {seen.in_source} entries {seen.checked} were drawn, and as many of the target"
        elif seen.left_out:
            looked = f"{seen.in_source - len(seen.left_out)} of {seen.in_source} entries were compared"
        else:
            looked = f"all {seen.in_source} entries were compared"
        found = "; ".join(part for part in (looked, self._outcome, self._not_compared) if part)
        return " ".join(part for part in (f"{name}: {found}.", self.doubt, self._spare, self._pending) if part)

    @property
    def _outcome(self) -> str:
        if self.differences:
            told = [f"{count} {kind}" for kind, count in self.counts.items()]
            reasons = Counter(one.reason for one in self.differences)
            return f"{', '.join(told)} ({', '.join(f'{reason}: {count}' for reason, count in reasons.items())})"
        if not self.suspects.checked:
            return "there is nothing to compare"
        equal = "they are as the mapping would have them"
        if self.comparison.not_comparable:
            names = ", ".join(one.target for one in self.comparison.copied)
            equal = f"in what can be compared ({names}) {equal}"
        if not self.sampled:
            return equal
        return f"{equal}: fewer than {100 * most_differing(self.suspects.checked):.2g} % differ, at 95 %"

    @property
    def _spare(self) -> str:
        spare = len(self.link_ids)
        return f"{spare} links are too many, and have to go before anything is reconciled (link_ids)." if spare else ""

    @property
    def _not_compared(self) -> str:
        parts = []
        if self.comparison.not_comparable:
            parts.append(
                f"not compared: {', '.join(self.comparison.not_comparable)}, which a script or condition makes"
            )
        if left := sorted(self.suspects.left_out):
            entries = "1 entry without a link" if len(left) == 1 else f"{len(left)} entries without a link"
            told = "" if self.ruled_out is None else f", as audit tells of {self.ruled_out} of them"
            named = "" if self.ruled_out == len(left) else f" ({few(left)})"
            parts.append(f"not compared: {entries}, which a condition of the mapping may leave out{told}{named}")
        if self.comparison.key is None:
            parts.append("objects of the target without a link cannot be recognised, since no name is copied plainly")
        return "; ".join(parts)

    @property
    def _pending(self) -> str:
        if self.pending:
            return f"{self.pending} more differ with changes that liveSync has yet to take."
        if self.pending is None and self.differences:
            why = "Without directory" if self.logged else "Since no change log tells what liveSync has yet to take"
            if self.logged and self.given:
                why = "Since the change numbers of the directory that was given are not known, or not used"
            return f"{why}, changes that are pending count as differences."
        if self.logged and self.suspects.in_directory is None:
            without = "" if self.given else "Without directory, w"
            return f"{without or 'W'}hat IDM does not see in the source was not looked for."
        return ""

    def as_result(self, *, detailed: bool, most: int) -> dict[str, t.Any]:
        """Return it as modules show it.

        :param detailed: with the DN of each entry.
        :param most: how many entries are listed.
        """
        seen = self.suspects
        return {
            "source": str(self.source),
            "mapping": self.mapping.name,
            "in_source": seen.in_source,
            "in_target": seen.in_target,
            "in_directory": seen.in_directory,
            "checked": seen.checked,
            "linked": seen.linked,
            "pending": self.pending,
            "not_comparable": {"properties": list(self.comparison.not_comparable), "entries": len(seen.left_out)},
            "differences": self.counts,
            "entries": [one.as_result(detailed) for one in self.differences[:most]],
        }


def verify_result(
    done: t.Sequence[Verified], failed: t.Sequence[IdmopsError], request: VerifyRequest
) -> dict[str, t.Any]:
    """Return the module's result.

    :raises IdmopsError: with the result, where a mapping could not be compared, or something differs in a way that must
        not be.
    """
    all_of = [one for verified in done for one in verified.differences]
    message = " ".join(verified.sentence for verified in done) or "No source has a token or a schedule of liveSync."
    result = {
        "changed": False,
        "msg": message,
        "verified": [verified.as_result(detailed=request.detailed, most=request.most) for verified in done],
        "ids": list(dict.fromkeys(one.id for one in all_of if one.by_id)),
        "link_ids": [link for verified in done for link in verified.link_ids],
        "target_ids": list(dict.fromkeys(one.target_id for one in all_of if one.by_target and one.target_id)),
    }
    if failed:
        raise IdmopsError(
            " ".join([*(error.message for error in failed), *(verified.sentence for verified in done)]),
            status=failed[0].status,
            remedy=failed[0].remedy,
            result=result,
        )
    if any(one.kind in request.fail_on for one in all_of):
        raise IdmopsError(message, remedy=_remedy_of(all_of), result=result)
    return result


def _remedy_of(found: t.Sequence[Difference]) -> str:
    """Return what mends differences."""
    parts = []
    if any(one.spare_links for one in found):
        parts.append(
            "Remove the links that are too many (link_ids: DELETE repo/link/<id> with If-Match), and compare again,"
            " before anything is reconciled: each change of an entry with two links fails."
        )
    if any(one.emptying for one in found):
        parts.append(
            "Reconcile nothing that is not in ids before it is understood why the source has no value where targets"
            " have one (detail): see what the mapping reads, and which attribute the connector's object type takes."
        )
    if any(one.by_id for one in found):
        parts.append("Mend what the reasons name, then give ids to idmops.idm.recon.")
    if any(one.ruled for one in found):
        parts.append(
            "What a rule of the mapping leaves alone (detail) no reconciliation brings: change that policy or condition"
            " first, where it is not meant so."
        )
    if any(one.by_target for one in found):
        parts.append(
            "What is orphaned (target_ids) takes a reconciliation of the whole mapping: where its policy for"
            " SOURCE_MISSING deletes, look first whether each source is really gone."
        )
    if any(not one.in_source for one in found) and not all(one.by_target or one.by_id for one in found):
        parts.append("What IDM does not see in the source: let the connector's account read it, or widen its filter.")
    if any(one.kind == DUPLICATE and not one.spare_links for one in found):
        parts.append("Of duplicates one has to be removed by hand: no reconciliation does.")
    return " ".join(parts)
