# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out of everything, or out of a sample, what is worth a closer look.

Everything: links are kept as they are, objects of the target as sixteen bytes, and the source streams by, so that the
memory does not grow with what the objects hold ("Experiments", section 3). A sample is drawn of the ids of each side,
all of which have the same chance.
"""

from __future__ import annotations

import hashlib
import random
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from .sides import Sides

T = t.TypeVar("T")
#: Returns the id of each entry that the directory itself has, and which of its properties there are.
Masks = t.Callable[[], t.Iterable[t.Tuple[str, int]]]


@dataclass
class Suspects:
    """What is to be looked at.

    :param in_source: how many objects IDM sees in the source, ``in_target`` in the target.
    :param in_directory: how many the directory itself has, None where it was not asked.
    :param checked: how many objects of the source were compared, or drawn to be.
    :param linked: how many of these have a link; None until they have been looked at.
    :param left_out: the ids of what a condition or a script of the mapping may leave out.
    """

    sources: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    in_source: int = 0
    in_target: int = 0
    in_directory: int | None = None
    checked: int = 0
    linked: int | None = None
    left_out: set[str] = field(default_factory=set)


def suspects_of_all(sides: Sides, directory: Masks | None) -> Suspects:
    """Compare everything, and return what seems to differ.

    :param directory: what the directory itself has, None where it is not asked.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    comparison = sides.comparison
    found = Suspects(linked=0)
    links: dict[str, str] = {}
    for link in sides.all_links():
        if link.source in links:
            found.sources.add(link.source)
        links[link.source] = link.target
    linked = set(links.values())
    targets: dict[str, bytes] = {}
    keys: Counter[bytes] = Counter()
    lone: dict[str, bytes] = {}
    for body in sides.all_targets():
        target, key = sides.target_id(str(body.get("_id"))), _short(comparison.key_of_target(body))
        targets[target] = comparison.digest_of_target(body)
        keys[key] += 1
        if target not in linked:
            lone[target] = key
    found.in_target = len(targets)
    lone_keys = set(lone.values())
    known: set[bytes] = set()
    seen: dict[str, int] | None = None if directory is None else {}
    for body in sides.all_sources():
        source, key = sides.source_id(str(body.get("_id"))), _short(comparison.key_of_source(body))
        found.in_source += 1
        if seen is not None:
            seen[source] = comparison.mask(body)
        if key in lone_keys:
            known.add(key)
        target_of = links.pop(source, None)
        if target_of is not None:
            found.linked = (found.linked or 0) + 1
            if targets.get(target_of) != comparison.digest_of_source(body):
                found.sources.add(source)
        elif sides.mapping.selective and key not in lone_keys:
            found.left_out.add(source)
        else:
            found.sources.add(source)
    found.checked = found.in_source
    found.sources.update(links)  # what is left of them leads to nothing that IDM sees in the source
    found.targets.update(target for target, key in lone.items() if key and (key in known or keys[key] > 1))
    if directory is not None and seen is not None:
        found.in_directory = 0
        for entry, mask in directory():
            found.in_directory += 1
            source = sides.source_id(entry)
            if source not in seen or mask & ~seen[source]:
                found.sources.add(source)
    return found


def suspects_of_some(
    sides: Sides, directory: Masks | None, sample: int, chance: random.Random | None = None
) -> Suspects:
    """Draw a sample of the source, of the target, and of the directory's own entries where that is asked.

    :param directory: what the directory itself has, None where it is not asked.
    :param sample: how many of each; where none has more, all are compared.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    chance = chance or random.Random()
    found = Suspects()
    ids = (sides.source_id(str(body.get("_id"))) for body in sides.all_sources(ids_only=True))
    drawn, found.in_source = _draw(ids, sample, chance)
    found.sources.update(drawn)
    found.checked = len(drawn)
    ids = (sides.target_id(str(body.get("_id"))) for body in sides.all_targets(ids_only=True))
    drawn, found.in_target = _draw(ids, sample, chance)
    found.targets.update(drawn)
    if directory is not None:
        drawn, found.in_directory = _draw((sides.source_id(entry) for entry, unused in directory()), sample, chance)
        found.sources.update(drawn)
    if max(found.in_source, found.in_target, found.in_directory or 0) <= sample:
        return suspects_of_all(sides, directory)
    return found


def _draw(items: t.Iterable[T], most: int, chance: random.Random) -> tuple[list[T], int]:
    """Return some of the items, each with the same chance, and how many there are (Vitter's algorithm R)."""
    drawn: list[T] = []
    count = 0
    for count, item in enumerate(items, start=1):
        if len(drawn) < most:
            drawn.append(item)
        elif (at := chance.randrange(count)) < most:
            drawn[at] = item
    return drawn, count


def _short(text: str | None) -> bytes:
    """Return eight bytes that stand for a key, none where there is none."""
    return hashlib.sha256(text.encode()).digest()[:8] if text else b""
