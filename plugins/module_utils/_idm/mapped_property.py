# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of a mapping's properties: which property of the target comes from which of the source. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.values import as_dict, as_list, as_text


@dataclass(frozen=True)
class MappedProperty:
    """One property of a mapping. Names are pointers within an object, as in name/familyName.

    :param source: "" where the whole object is meant, or none.
    :param plain: whether the value is copied as it is, or the default where there is none.
    :param conditioned: whether it is copied so where a condition is met, and left alone else.
    """

    source: str
    target: str
    plain: bool
    default: t.Any = None
    conditioned: bool = False

    @classmethod
    def parse_all(cls, document: t.Mapping[str, t.Any]) -> tuple[MappedProperty, ...]:
        """Return the properties of a mapping's document."""
        found = []
        for item in map(as_dict, as_list(document.get("properties"))):
            source = (as_text(item.get("source")) or "").strip("/")
            target = (as_text(item.get("target")) or "").strip("/")
            copied = bool(source and target and not item.get("transform"))
            conditioned = copied and bool(item.get("condition"))
            found.append(cls(source, target, copied and not conditioned, item.get("default"), conditioned))
        return tuple(found)


def value_at(body: t.Mapping[str, t.Any], pointer: str) -> t.Any:
    """Return what stands at a pointer within an object, None where nothing does."""
    found: t.Any = body
    for part in pointer.split("/"):
        found = as_dict(found).get(part)
    return found
