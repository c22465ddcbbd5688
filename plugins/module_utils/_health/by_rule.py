# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the newest changes the mapping itself left alone, by audit's newest word; what else has not arrived is lost.

What a mapping leaves out leaves a word in audit/sync as well: SOURCE_IGNORED for an entry without a link, UNQUALIFIED
for one that has one (seen on OpenIDM 6.1.0). An entry without any has not been handled.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.text import few
from .._idm.mapping import SyncMapping
from .._proof.difference import DIFFERING, DUPLICATE, MISSING, REFUSED, UNKNOWN, Difference
from .handled import Scene, Unhandled, Unsure, Words, find_unhandled
from .losses import ASKING, LEFT_ALONE, PASSED_BY, STRANDING, Loss

#: The situations that say that an entry is none of the mapping's: what a validSource, a sourceCondition or a
#: validTarget is written for, and what nobody misses.
_MEANT = ("UNQUALIFIED", "UNASSIGNED", "SOURCE_MISSING", "SOURCE_IGNORED", "TARGET_IGNORED")


@dataclass(frozen=True)
class Ruled:
    """What the mapping itself left alone: ids by the situation and its action.

    :param meant: by a situation that says that the entry is none of the mapping's.
    :param unclear: by a script or a condition, whose author alone knows whether that is meant so.
    :param conditioned: by the condition of a property: the properties by mapping and id.
    :param unhandled: the changes of which audit has no word.
    """

    meant: dict[str, list[str]] = field(default_factory=dict)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    conditioned: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    unhandled: Unhandled = Unhandled()

    def aside(self, all_of_them: t.Collection[str]) -> str | None:
        """Return what is to be said of the first, None for nothing.

        :param all_of_them: the ids that were looked at; where all were left alone, that is a doubt.
        """
        if not self.meant or self._all(all_of_them):
            return None
        return f"By the mapping's own rule, as audit tells, the newest changes were left alone: {self._rules}."

    def doubt(self, all_of_them: t.Collection[str]) -> str | None:
        """Return what is to be said of the others, None for nothing."""
        said = []
        if self._all(all_of_them):
            ids = list(dict.fromkeys(one for several in self.meant.values() for one in several))
            said.append(
                f"By the mapping's own rule, as audit tells, each of the newest changes was left alone: {self._rules}"
                f" ({few(ids)}). See that validSource and sourceCondition let through whom they should; where they do"
                " not, correct them, then reconcile: idmops.idm.recon."
            )
        if self.unclear:
            named = "; ".join(f"{rule} ({few(ids)})" for rule, ids in sorted(self.unclear.items()))
            said.append(
                f"A script or a condition of the mapping left changed entries alone, as audit tells: {named}. Whether"
                " that is meant so cannot be known here; where it is not, change that policy, then reconcile them:"
                " idmops.idm.recon with ids."
            )
        said += [_left_alone(mapping, found) for mapping, found in sorted(self.conditioned.items())]
        said += self.unhandled.doubts
        return " ".join(said) or None

    @property
    def _rules(self) -> str:
        return ", ".join(sorted(self.meant))

    def _all(self, all_of_them: t.Collection[str]) -> bool:
        return bool(self.meant) and {one for ids in self.meant.values() for one in ids} >= set(all_of_them)


def _left_alone(mapping: str, found: t.Mapping[str, t.Sequence[str]]) -> str:
    """Return what is to be said of properties that a condition may have left as they were."""
    names = sorted({name for properties in found.values() for name in properties})
    return (
        f"{', '.join(names)} of changed entries is not as in the source ({few(sorted(found))}): the mapping {mapping}"
        " takes it under a condition, and whether that is rightly not met cannot be known here. Where it is not,"
        " correct the condition of that property, then reconcile them: idmops.idm.recon with ids."
    )


def by_rule(
    scene: Scene, left: t.Sequence[tuple[SyncMapping, Difference]], unsure: t.Sequence[Unsure]
) -> tuple[list[Loss], Ruled]:
    """Part what a policy or a script of the mapping left alone from what else has not arrived.

    A policy of a situation that keeps an entry for ever is a loss like another. What failed by audit's newest word gets
    its cause.

    :param left: what differs.
    :param unsure: of what else a comparison cannot tell whether it has arrived.
    """
    words = Words(scene)
    if any(not one.suspicious for one in unsure):
        words.of_all()
    words.of_these(
        [*(str(one.id) for unused, one in left), *(one.record for one in unsure if words.on_change(one) is None)]
    )
    without = [one for one in unsure if words.on_change(one) is None and one.expected]
    unhandled = find_unhandled(scene, words, without) if without else Unhandled()
    kept, ruled = [], Ruled(unhandled=unhandled)
    lost = {one.key for one, unused in unhandled.lost}
    told = list(left)
    for open_one in unsure:
        word, named = words.on_change(open_one), open_one.mapping.name
        if word is not None and (open_one.one.kind == MISSING or word.failed or word.action in LEFT_ALONE):
            told.append((open_one.mapping, open_one.one))
        elif open_one.asks and open_one.key not in lost:
            asked = ", ".join(open_one.asks)
            detail = f"{ASKING} {asked}, which {scene.source.object_type} does not have"
            kept.append(Loss(open_one.mapping, replace(open_one.one, detail=detail)))
        elif open_one.asks is not None and open_one.key not in lost:
            ruled.conditioned.setdefault(named, {})[open_one.record] = open_one.one.properties
    for mapping, one in told:
        word = words.on_change(Unsure(mapping, one))  # an older one is about an older change
        left_alone = word is not None and not word.failed and word.action in LEFT_ALONE
        stranded = left_alone and word is not None and word.situation in STRANDING
        new = one.kind == MISSING and one.in_source and one.target_id is None
        if new and not mapping.creates and not stranded and not (word and word.failed):
            continue  # which is told as a property of the mapping; a failure (EXCEPTION) is none
        if word and left_alone:
            if word.situation in STRANDING:
                kept.append(Loss(mapping, one, word))
            else:
                said = ruled.meant if word.situation in _MEANT else ruled.unclear
                said.setdefault(f"{word.situation}: {word.action}", []).append(str(one.id))
        elif word and word.failed and one.reason == UNKNOWN and one.in_source and one.kind != DUPLICATE:
            kept.append(Loss(mapping, replace(one, reason=REFUSED, detail=word.cause)))
        else:
            kept.append(Loss(mapping, one))
    kept += [Loss(one.mapping, replace(one.one, detail=one.one.detail or why)) for one, why in unhandled.lost]
    return _passed_by(scene, words, kept), ruled


def _passed_by(scene: Scene, words: Words, found: t.Sequence[Loss]) -> list[Loss]:
    """Return the losses, with why those that the connector leaves out by whoever changed them have not arrived."""

    def is_bare(loss: Loss) -> bool:
        one = loss.one
        bare = one.kind in (MISSING, DIFFERING) and one.reason == UNKNOWN and not (loss.rule or one.detail)
        return bare and words.on_change(Unsure(loss.mapping, one)) is None

    whom = scene.passed_by({str(loss.one.id) for loss in found if is_bare(loss)})
    return [
        replace(loss, one=replace(loss.one, detail=PASSED_BY))
        if is_bare(loss) and whom.get(str(loss.one.id)) is False
        else loss
        for loss in found
    ]
