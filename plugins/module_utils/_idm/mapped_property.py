# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of a mapping's properties: which property of the target comes from which of the source. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.values import as_dict, as_list, as_text

#: What a script or a condition may do to a value cannot be known from outside.
_MADE = ("transform", "condition")


@dataclass(frozen=True)
class MappedProperty:
    """One property of a mapping. Names are pointers within an object, as in name/familyName.

    :param source: "" where the whole object is meant, or none.
    :param plain: whether the value is copied as it is, or the default where there is none.
    """

    source: str
    target: str
    plain: bool
    default: t.Any = None

    @classmethod
    def parse_all(cls, document: t.Mapping[str, t.Any]) -> tuple[MappedProperty, ...]:
        """Return the properties of a mapping's document."""
        found = []
        for item in map(as_dict, as_list(document.get("properties"))):
            source = (as_text(item.get("source")) or "").strip("/")
            target = (as_text(item.get("target")) or "").strip("/")
            made = any(item.get(name) for name in _MADE)
            found.append(cls(source, target, bool(source and target and not made), item.get("default")))
        return tuple(found)


def value_at(body: t.Mapping[str, t.Any], pointer: str) -> t.Any:
    """Return what stands at a pointer within an object, None where nothing does."""
    found: t.Any = body
    for part in pointer.split("/"):
        found = as_dict(found).get(part)
    return found
