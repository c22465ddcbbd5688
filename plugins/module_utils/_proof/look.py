# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges objects: which of them the mapping has not brought over as it should. No I/O but what :class:`Sides` reads."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field, replace

from .._ldap.directory import Entry
from .difference import (
    DIFFERING,
    DUPLICATE,
    FILTERED,
    HIDDEN,
    MISSING,
    ORPHANED,
    REFUSED,
    UNKNOWN,
    UNLINKED,
    Difference,
)
from .own_entries import OwnEntries
from .pages import Body
from .sides import Link, Sides

GONE_TARGET = "its link leads to an object that is gone from the target"
SECOND_LINK = "it has a second link of the same mapping"
_NO_LINK = "the target has such an object, and no link leads to it"
_TWICE = "the target has such an object already"
_DEAD = "a second link of it leads to an object that is gone: each later change of the entry fails at it"
_LINKED_TWICE = "it has a second link to the same object: each later change of the entry fails at it"
_HELD = "the object of the target that is known by its name is linked to another entry"
_HELD_BY_GONE = f"{_HELD}, which is gone from the source"
_SAME_KEY = "another object of the target is known by the same name"
_OTHERS = "its link leads to an object that is known by the name of another entry"
#: What is said where the target has somebody twice, or under another's name: links may be exchanged, or a second one be
#: made beside one that was there before (seen on OpenIDM 6.1.0, where nothing fails then).
TWINS = (_SAME_KEY, _OTHERS)
#: So many objects are looked at together: what they hold is not kept for longer.
_AT_ONCE = 1000


@dataclass
class Looked:
    """What a look at some objects has found.

    :param left_out: the ids of the source that a condition or a script of the mapping may leave out.
    :param left_alone: the properties that are not as the source, and that a condition of the mapping may have left so,
        by the ids of the source.
    :param paired: the ids of the source that are seen, and have a link to an object of the target.
    :param linked: how many of the objects of the source that were asked for have a link.
    """

    differences: list[Difference] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    left_alone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    paired: set[str] = field(default_factory=set)
    linked: int = 0


def look(
    sides: Sides,
    own: OwnEntries | None,
    source_ids: t.Collection[str],
    target_ids: t.Collection[str] = (),
    *,
    twins: bool = False,
    if_linked: t.Iterable[str] = (),
) -> Looked:
    """Read some objects as they are now, and judge them.

    :param own: the directory itself, None where it is not asked.
    :param source_ids: ids of the source; also of objects that are not there any more, or that IDM does not see.
    :param target_ids: ids of the target.
    :param twins: whether objects of the target that have no link are sought by the names of those that have, where the
        mapping has a name that is unique: where the target is a connector's that is one query more.
    :param if_linked: ids of the source that are looked at where they have a link: they cost no request of their own.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    found = Looked()
    sources, targets = sorted(set(map(sides.source_id, source_ids))), sorted(set(map(sides.target_id, target_ids)))
    parts: list[tuple[list[str], list[str]]] = [(sources, targets)]
    if len(sources) + len(targets) > _AT_ONCE:
        parts = [(part, []) for part in _parts(sources)] + [([], part) for part in _parts(targets)]
    told: dict[tuple[str, str | None, str | None], Difference] = {}
    for part in parts:
        seen = _look(sides, own, *part, sorted(map(sides.source_id, if_linked)), twins=twins)
        if_linked = ()
        told.update({(one.kind, one.id, one.target_id): one for one in seen.differences})
        found.left_out |= seen.left_out
        found.left_alone.update(seen.left_alone)
        found.paired |= seen.paired
        found.linked += seen.linked
    found.differences = list(told.values())
    return found


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def _look(
    sides: Sides,
    own: OwnEntries | None,
    source_ids: t.Collection[str],
    target_ids: t.Collection[str],
    if_linked: t.Collection[str],
    *,
    twins: bool,
) -> Looked:
    links = sides.links([*source_ids, *if_linked], target_ids)
    of_others = {link.source for link in links} - {*source_ids, *if_linked}
    links = list(dict.fromkeys([*sides.links(of_others), *links]))  # an entry's first one may lead to another target
    wanted = {*source_ids, *(link.source for link in links)}
    linked_targets = {link.target for link in links}
    alone = [one for one in target_ids if one not in linked_targets]
    unread: dict[str, str] = {}
    sources = sides.sources(wanted, unread)
    of_source: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        of_source[link.source].append(link)
    keys = _keys(sides, sources, of_source) if twins and sides.comparison.unique else {}
    targets, known = sides.targets_and_known({*linked_targets, *alone}, keys.values())
    found = Looked(linked=sum(1 for one in source_ids if one in of_source))
    entries = own.entries(sorted(wanted)) if own else {}
    left_out: dict[str, tuple[str, Entry | None]] = {}
    unseen = own.why_unseen(sorted(set(entries) - set(sources))) if own else {}
    if own:
        others = sorted(wanted - set(sources) - set(entries))
        left_out = own.left_out(others)
        unseen.update({one: _why_left_out(why, entry) for one, (why, entry) in left_out.items()})
    for one in sorted(wanted):
        entry = entries.get(one) or left_out.get(one, ("", None))[1]
        body = own.body(entry) if own and entry else None
        mine = of_source.get(one, ())
        if one in unread:
            kind, target = (DIFFERING, mine[0].target) if mine else (MISSING, None)
            found.differences.append(Difference(kind, one, target, (), REFUSED, f"IDM cannot read it: {unread[one]}"))
        elif one in sources:
            told = list(_of_source(sides, one, sources[one], mine, targets))
            hidden = sides.comparison.hidden(sources[one], body) if body else ()
            found.differences += [_hidden(one, mine, told, hidden)] if hidden and mine else told
            led = next((targets[link.target] for link in mine if link.target in targets), None)
            if led is not None:
                found.paired.add(one)
                if left := sides.comparison.left_alone(sources[one], led):
                    found.left_alone[one] = left
        else:
            reason, detail = unseen.get(one, (UNKNOWN, None))
            why = Difference(ORPHANED, one, reason=reason, detail=detail, in_source=False)
            found.differences += _of_unseen(sides, why, body, mine, targets)
            if one in entries and not mine:
                found.differences.append(replace(why, kind=MISSING))
    unlinked = {one: sources[one] for one in wanted if one in sources and one not in of_source}
    lone = {one: targets[one] for one in alone if one in targets}
    _pair(sides, own, unlinked, lone, found)
    found.differences += _twins(sides, keys, of_source, targets, known)
    return found


def _keys(sides: Sides, sources: t.Mapping[str, Body], linked: t.Container[str]) -> dict[str, str]:
    """Return by which key each linked object of the source is recognised in the target."""
    keys = {one: sides.comparison.key_of_source(body) for one, body in sources.items() if one in linked}
    return {one: key for one, key in keys.items() if key}


def _why_left_out(why: str, entry: Entry | None) -> tuple[str, str]:
    """Return the reason and the detail of an entry that the connector's search does not find."""
    if entry is not None and not entry.texts("objectClass"):
        return HIDDEN, "the directory has it, and does not show its objectClass"
    return FILTERED, why


def not_gone(one: Difference, there: t.Container[str | None], own: OwnEntries) -> Difference:
    """Return a difference; where an entry seems to be gone that is not, it is one that nobody here is shown.

    :param there: the ids of entries of which the change log tells that they have not been removed.
    """
    if one.kind not in (ORPHANED, MISSING) or one.in_source or one.reason != UNKNOWN or one.id not in there:
        return one
    return replace(
        one,
        reason=HIDDEN,
        detail=f"neither the connector's account nor {own.directory.bind_dn} is shown it, and its last change has not"
        " removed it",
    )


def _twins(
    sides: Sides,
    keys: t.Mapping[str, str],
    of_source: t.Mapping[str, t.Sequence[Link]],
    targets: t.Mapping[str, Body],
    known: t.Iterable[Body],
) -> t.Iterator[Difference]:
    """Yield the objects of the source whose name another object of the target has, or whose own has another's.

    :param keys: the names of the objects of the source that have links; none where twins are not sought.
    :param known: the objects of the target that have one of these names, among others.
    """
    comparison = sides.comparison
    same: dict[str, set[str]] = defaultdict(set)
    for body in known:
        same[str(comparison.key_of_target(body))].add(sides.target_id(str(body.get("_id"))))
    strange: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one, key in keys.items():
        led = {link.target for link in of_source[one]}
        yield from (Difference(DUPLICATE, one, other, detail=_SAME_KEY) for other in sorted(same[key] - led))
        for target in sorted(led & set(targets)):
            if (other_key := comparison.key_of_target(targets[target])) and other_key != key:
                strange[other_key].append((one, target))
    for body in sides.sources_known_as(strange):
        owner = sides.source_id(str(body.get("_id")))
        for one, target in strange.get(str(comparison.key_of_source(body)), ()):
            if one != owner:
                yield Difference(DUPLICATE, one, target, detail=_OTHERS)


def _of_source(
    sides: Sides, one: str, body: Body, links: t.Sequence[Link], targets: t.Mapping[str, Body]
) -> t.Iterator[Difference]:
    """Yield what is wrong with an object of the source that has links.

    One whose target was gone has a second link once a reconciliation has made the target anew: the first one stays,
    leads nowhere, and each later change of the entry fails with "More than one link found". So it does where two loads
    at once have linked the same two objects twice (both seen on OpenIDM 6.1.0).
    """
    for qualifier in dict.fromkeys(link.qualifier for link in links):
        led = [link for link in links if link.qualifier == qualifier]
        kept: dict[str, str] = {}
        for link in led:
            if link.target in targets:
                kept.setdefault(link.target, link.id)
        spare = [link for link in led if kept.get(link.target) != link.id]
        ids = tuple(link.id for link in spare)
        if not kept:
            yield Difference(MISSING, one, led[0].target, detail=GONE_TARGET, spare_links=ids)
            continue
        first, *more = kept
        for target in dict.fromkeys(link.target for link in spare):
            detail = _LINKED_TWICE if target in targets else _DEAD
            yield Difference(DUPLICATE, one, target, detail=detail, spare_links=ids)
        if properties := sides.comparison.differing(body, targets[first]):
            emptied = sides.comparison.emptied(body, targets[first])
            yield Difference(DIFFERING, one, first, properties, spare_links=ids, emptied=emptied)
        for target in more:
            yield Difference(DUPLICATE, one, target, detail=SECOND_LINK, spare_links=ids)


def _hidden(one: str, links: t.Sequence[Link], told: t.Sequence[Difference], hidden: t.Sequence[str]) -> Difference:
    """Return the difference of an object of the source some of whose values IDM does not see."""
    known = next((difference for difference in told if difference.kind == DIFFERING), None)
    properties = tuple(dict.fromkeys([*hidden, *(known.properties if known else ())]))
    target = known.target_id if known else links[0].target
    return Difference(DIFFERING, one, target, properties, HIDDEN, f"IDM does not see it: {', '.join(hidden)}")


def _of_unseen(
    sides: Sides, why: Difference, body: Body | None, links: t.Sequence[Link], targets: t.Mapping[str, Body]
) -> t.Iterator[Difference]:
    """Yield what is wrong with the links of an object that IDM does not see in the source.

    :param why: what is to be said of it where nothing else is.
    :param body: it, as the directory has it; None where that is not known, or it is gone.
    """
    for link in links:
        target = targets.get(link.target)
        if body is not None and target is None:
            yield replace(why, kind=MISSING, target_id=link.target)
        elif body is not None and target and (properties := sides.comparison.differing(body, target, loose=True)):
            yield replace(why, kind=DIFFERING, target_id=link.target, properties=properties)
        else:
            yield replace(why, target_id=link.target if target is not None else None, equal=body is not None)


def _pair(
    sides: Sides,
    own: OwnEntries | None,
    unlinked: t.Mapping[str, Body],
    lone: t.Mapping[str, Body],
    found: Looked,
) -> None:
    """Judge objects of either side that have no link: by what they would be recognised by."""
    comparison = sides.comparison
    keys = {one: key for one, body in unlinked.items() if (key := comparison.key_of_source(body))}
    lone_keys = {one: key for one, body in lone.items() if (key := comparison.key_of_target(body))}
    owners: dict[str, str] = {}  # of a key: the object of the source that has it
    for body in sides.sources_known_as(lone_keys.values()):
        owners[str(comparison.key_of_source(body))] = sides.source_id(str(body.get("_id")))
    same: dict[str, list[str]] = defaultdict(list)  # of a key: the objects of the target that have it
    for body in sides.targets_known_as([*keys.values(), *lone_keys.values()]):
        same[str(comparison.key_of_target(body))].append(sides.target_id(str(body.get("_id"))))
    links = sides.links(owners.values(), [one for several in same.values() for one in several])
    linked = {link.target: link.source for link in links}
    for one in unlinked:
        known = set(same.get(keys.get(one, ""), ()))
        free = sorted(known - set(linked))
        found.differences += [Difference(UNLINKED, one, other, detail=_NO_LINK) for other in free[:1]]
        found.differences += [Difference(DUPLICATE, one, other, detail=_TWICE) for other in free[1:]]
        if not free and sides.mapping.selective:
            found.left_out.add(one)
        elif not free:
            found.differences.append(_missing(sides, own, one, [link for link in links if link.target in known]))
    for target, key in lone_keys.items():
        owner = owners.get(key)
        free = sorted({target, *same[key]} - set(linked))
        by_link = next((linked[other] for other in sorted(same[key]) if other in linked), None)
        if by_link is not None or owner in linked.values():
            found.differences.append(Difference(DUPLICATE, owner or by_link, target, detail=_TWICE))
        elif owner is not None and target == free[0]:
            found.differences.append(Difference(UNLINKED, owner, target, detail=_NO_LINK))
        elif target != free[0]:
            found.differences.append(Difference(DUPLICATE, owner, target, detail=_TWICE))


def _missing(sides: Sides, own: OwnEntries | None, one: str, holding: t.Sequence[Link]) -> Difference:
    """Return that an object of the source has none in the target, or that another's link holds the one that is its own.

    So it is with somebody who has been hired again, and in a directory that was built anew: each change and each
    reconciliation ends in FOUND_ALREADY_LINKED until the link of the entry that is gone is removed (seen on OpenIDM
    6.1.0). Only the directory itself can say that it is gone.

    :param holding: links of other entries to objects of the target that are known by the same name.
    """
    if not holding:
        return Difference(MISSING, one)
    others = sorted({link.source for link in holding})
    gone = (
        own is not None
        and not sides.sources(others)
        and own.unproved() is None
        and not own.entries(others)
        and not own.elsewhere(others)
    )
    if not gone:
        return Difference(MISSING, one, detail=_HELD)
    return Difference(MISSING, one, detail=_HELD_BY_GONE, spare_links=tuple(link.id for link in holding))
