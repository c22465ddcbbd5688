# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where IDM is not what the directory is."""

from __future__ import annotations

import typing as t

from ._bed import Bed, Person


class Difference(t.NamedTuple):
    """Where IDM is not what the directory is: entryUUIDs, and how many managed users have no link."""

    missing: frozenset[str]
    other: frozenset[str]
    left_over: frozenset[str]
    unlinked: int

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.missing or self.other or self.left_over or self.unlinked)

    @property
    def everybody(self) -> frozenset[str]:
        """The people who differ, by entryUUID."""
        return self.missing | self.other | self.left_over

    def __str__(self) -> str:
        """Return it in words."""
        counts = {"missing": len(self.missing), "other values": len(self.other), "left over": len(self.left_over),
                  "without a link": self.unlinked}  # fmt: skip
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "equal"


def difference(
    directory: t.Mapping[str, Person], linked: t.Mapping[str, t.Sequence[Person]], unlinked: int
) -> Difference:
    """Compare the people of the directory with those of IDM, all mapped attributes, by their links. Pure."""
    return Difference(
        missing=frozenset(directory.keys() - linked.keys()),
        other=frozenset(uuid for uuid in directory.keys() & linked.keys() if list(linked[uuid]) != [directory[uuid]]),
        left_over=frozenset(linked.keys() - directory.keys()),
        unlinked=unlinked,
    )


def compare(bed: Bed) -> Difference:
    """Compare all of the directory with all of IDM."""
    return difference(bed.people_in_directory(), *bed.people_in_idm())
