# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What did not arrive, or arrived otherwise. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

MISSING, UNLINKED, DUPLICATE, ORPHANED, DIFFERING = "missing", "unlinked", "duplicate", "orphaned", "differing"
#: Every kind, the gravest first.
KINDS = (MISSING, DUPLICATE, UNLINKED, ORPHANED, DIFFERING)

FILTERED, HIDDEN, REFUSED, MAPPING_OFF, UNKNOWN = "filtered", "hidden", "refused", "mapping_off", "unknown"
REASONS = (FILTERED, HIDDEN, REFUSED, MAPPING_OFF, UNKNOWN)


@dataclass(frozen=True)
class Difference:
    """One object that is not as the mapping would have it.

    :param kind: one of :data:`KINDS`.
    :param id: of the source, None where it is about an object of the target alone.
    :param target_id: of the target, None where there is none.
    :param properties: those of the target that differ.
    :param reason: one of :data:`REASONS`.
    :param detail: the reason in words, without values.
    :param in_source: whether IDM sees the object in the source, so that a reconciliation of its id can mend it.
    :param dn: of the entry in the directory, where it was asked for.
    :param spare_links: ids of links that are too many: its own to an object that is gone, or once more to the same one;
        those of an entry that is gone to the object that is its own. They have to go before anything is mended.
    :param emptied: those of the properties that have a value, and for which the source has none.
    :param ruled: whether a rule of the mapping leaves it alone: so does each reconciliation.
    :param emptying: whether a reconciliation would take from the target what the source only seems to lack.
    :param equal: whether the target is as the directory has the entry, though IDM does not see it.
    """

    kind: str
    id: str | None
    target_id: str | None = None
    properties: tuple[str, ...] = ()
    reason: str = UNKNOWN
    detail: str | None = None
    in_source: bool = True
    dn: str | None = None
    equal: bool = False
    spare_links: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    ruled: bool = False
    emptying: bool = False

    @property
    def by_id(self) -> bool:
        """Whether a reconciliation of its id alone mends it, as far as the reason lets it.

        Not where a link of it is too many: an object that is gone would be made anew, with a second link beside the old
        one, and each change of an entry with two links fails with "More than one link found" (seen on OpenIDM 6.1.0).
        """
        if self.spare_links or self.ruled or self.emptying:
            return False
        return self.in_source and self.id is not None and self.kind in (MISSING, UNLINKED, DIFFERING)

    @property
    def by_target(self) -> bool:
        """Whether it takes a reconciliation with the phase of the target: the source is gone, not merely unseen."""
        return self.kind == ORPHANED and self.reason not in (HIDDEN, FILTERED)

    def as_result(self, detailed: bool) -> dict[str, t.Any]:
        """Return the difference as modules show it: no value of any property."""
        return {
            "id": self.id,
            "target_id": self.target_id,
            "kind": self.kind,
            "reason": self.reason,
            "detail": self.detail,
            "properties": list(self.properties),
            "link_ids": list(self.spare_links),
            **({"dn": self.dn} if detailed else {}),
        }
