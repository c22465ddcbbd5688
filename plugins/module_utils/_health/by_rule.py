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
from .._http.client import Client
from .._idm.audit import AuditEntry, seconds_between
from .._idm.mapping import SyncMapping
from .._idm.source import Source
from .._proof.difference import MISSING, REFUSED, UNKNOWN, Difference
from .dropped import successes_of
from .losses import LEFT_ALONE, STRANDING, Loss
from .traceless import ANY_SKEW

#: The situations that say that an entry is none of the mapping's: what a validSource, a sourceCondition or a
#: validTarget is written for, and what nobody misses.
_MEANT = ("UNQUALIFIED", "UNASSIGNED", "SOURCE_MISSING", "SOURCE_IGNORED", "TARGET_IGNORED")


@dataclass(frozen=True)
class Ruled:
    """What the mapping itself left alone: ids by the situation and its action.

    :param meant: by a situation that says that the entry is none of the mapping's.
    :param unclear: by a script or a condition, whose author alone knows whether that is meant so.
    :param untold: ids without a link, of which audit does not tell that the mapping leaves them out.
    """

    meant: dict[str, list[str]] = field(default_factory=dict)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)

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
        if self.untold:
            said.append(
                "Changed entries have no link, and audit does not tell that the mapping leaves them out:"
                f" {few(self.untold)}. idmops.idm.recon with ids brings over what the mapping lets through."
            )
        return " ".join(said) or None

    @property
    def _rules(self) -> str:
        return ", ".join(sorted(self.meant))

    def _all(self, all_of_them: t.Collection[str]) -> bool:
        return bool(self.meant) and {one for ids in self.meant.values() for one in ids} >= set(all_of_them)


def by_rule(
    client: Client,
    source: Source,
    left: t.Sequence[tuple[SyncMapping, Difference]],
    unlinked: t.Sequence[tuple[SyncMapping, str]],
    times: t.Mapping[str, str | None],
) -> tuple[list[Loss], Ruled]:
    """Part what a policy or a script of the mapping left alone from what else has not arrived.

    A policy of a situation that keeps an entry for ever is a loss like another. What failed by audit's newest word gets
    its cause.

    :param unlinked: entries without a link that a condition or a script of the mapping may leave out, by their ids.
    :param times: when each was changed, None where that is not told.
    """
    ids = list(dict.fromkeys([*(str(one.id) for unused, one in left), *(one for unused, one in unlinked)]))
    newest: dict[tuple[str, str | None], AuditEntry] = {}
    for entry in successes_of(client, source, ids, failures=True) or () if ids else ():
        key = entry.record, entry.mapping
        if key not in newest or newest[key].timestamp < entry.timestamp:
            newest[key] = entry
    kept, ruled = [], Ruled()
    missing = []
    for mapping, record in unlinked:
        word = newest.get((record, mapping.name))
        age = seconds_between(times.get(record), word.timestamp) if word else None
        if word is None or (age is not None and age < -ANY_SKEW):
            ruled.untold.append(record)
        else:
            missing.append((mapping, Difference(MISSING, record)))
    for mapping, one in (*left, *missing):
        word = newest.get((str(one.id), mapping.name))
        left_alone = word is not None and not word.failed and word.action in LEFT_ALONE
        stranded = left_alone and word is not None and word.situation in STRANDING
        new = one.kind == MISSING and one.in_source and one.target_id is None
        if new and not mapping.creates and not stranded:
            continue  # which is told as a property of the mapping
        if word and left_alone:
            if word.situation in STRANDING:
                kept.append(Loss(mapping, one, word))
            else:
                said = ruled.meant if word.situation in _MEANT else ruled.unclear
                said.setdefault(f"{word.situation}: {word.action}", []).append(str(one.id))
        elif word and word.failed and one.reason == UNKNOWN and one.in_source:
            kept.append(Loss(mapping, replace(one, reason=REFUSED, detail=word.cause)))
        else:
            kept.append(Loss(mapping, one))
    return kept, ruled
