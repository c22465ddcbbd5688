# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of a mapping's properties: which property of the target comes from which of the source. No I/O."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.values import as_dict, as_list, as_text

#: What a condition asks of the object of the source: pointers of a filter, names of a script that are no calls.
_POINTED = re.compile(r"/object/(\w+)")
_NAMED = re.compile(r"\bobject\.(\w+)\b(?!\s*\()|\bobject\[['\"](\w+)['\"]\]")
_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class MappedProperty:
    """One property of a mapping. Names are pointers within an object, as in name/familyName.

    :param source: "" where the whole object is meant, or none.
    :param plain: whether the value is copied as it is, or the default where there is none.
    :param conditioned: whether it is copied so where a condition is met, and left alone else.
    :param scripted: whether a script makes it.
    :param asks: the properties of the source that its condition asks for, as far as they can be told.
    """

    source: str
    target: str
    plain: bool
    default: t.Any = None
    conditioned: bool = False
    scripted: bool = False
    asks: tuple[str, ...] = ()

    @classmethod
    def parse_all(cls, document: t.Mapping[str, t.Any]) -> tuple[MappedProperty, ...]:
        """Return the properties of a mapping's document."""
        found = []
        for item in map(as_dict, as_list(document.get("properties"))):
            source = (as_text(item.get("source")) or "").strip("/")
            target = (as_text(item.get("target")) or "").strip("/")
            scripted = bool(item.get("transform"))
            copied = bool(source and target and not scripted)
            conditioned = copied and bool(item.get("condition"))
            plain, asks = copied and not conditioned, _asked(item.get("condition"))
            found.append(cls(source, target, plain, item.get("default"), conditioned, scripted, asks))
        return tuple(found)


def _asked(condition: t.Any) -> tuple[str, ...]:
    """Return the names of the source's properties that a condition asks for: a filter, or a script in a document."""
    if isinstance(condition, str):
        return tuple(sorted(set(_POINTED.findall(condition))))
    script = as_dict(condition).get("source")
    text = _COMMENTS.sub(" ", script) if isinstance(script, str) else ""
    return tuple(sorted({name or other for name, other in _NAMED.findall(text)}))


def value_at(body: t.Mapping[str, t.Any], pointer: str) -> t.Any:
    """Return what stands at a pointer within an object, None where nothing does."""
    found: t.Any = body
    for part in pointer.split("/"):
        found = as_dict(found).get(part)
    return found
