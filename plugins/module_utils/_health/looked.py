# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at changed entries twice, so that what time mends is no loss, and tells what such looks leave open."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.context import Context
from .._idm.mapping import SyncMapping
from .._proof.comparison import Comparison
from .._proof.difference import DIFFERING, DUPLICATE, FILTERED, HIDDEN, MISSING, ORPHANED, UNLINKED, Difference
from .._proof.look import SECOND_LINK, TWINS, look, not_gone
from .._proof.own_entries import OwnEntries
from .._proof.sides import Sides
from .handled import Unsure
from .log_facts import LogReader
from .losses import STRAY

#: How long a directory, and IDM, get to be of one mind with themselves, in seconds.
_PAUSE = 1.0


@dataclass(frozen=True)
class LookedTwice:
    """What two looks have found.

    :param left: what differs.
    :param unseen: what has arrived, and IDM does not see, by its id.
    :param pending: the ids of what changes that are still to come touch.
    :param unlinked: the ids of what has no link, and a condition or a script of the mapping may leave out.
    :param left_alone: the properties that a condition may have left as they were, by the ids.
    :param paired: the ids of what is seen, and is in the target as far as that can be compared.
    """

    left: list[Difference]
    unseen: dict[str, Difference]
    pending: set[str]
    unlinked: set[str]
    left_alone: dict[str, tuple[str, ...]]
    paired: set[str]


def look_twice(
    sides: Sides,
    own: OwnEntries,
    reader: LogReader,
    token: int,
    ids: t.Collection[str],
    there: t.Collection[str],
    context: Context,
    strays: t.Collection[str] = (),
) -> LookedTwice:
    """Return what differs at two looks, and no change that is pending explains.

    :param there: the ids of entries whose newest change has not removed them.
    :param strays: the ids of what was changed outside of the base contexts: others', unless one has a link.
    """
    found: list[Difference] = []
    unseen: dict[str, Difference] = {}
    pending: set[str] = set()
    unlinked: set[str] = set()
    left_alone: dict[str, tuple[str, ...]] = {}
    paired: set[str] = set()
    for again in (False, True):
        if again:
            context.clock.sleep(_PAUSE)
        looked = look(sides, own, ids, twins=True, if_linked=() if again else strays)
        asked = {str(one.id) for one in looked.differences}
        if not again:
            paired = looked.paired - asked
            asked |= looked.left_out | set(looked.left_alone)
        if not asked:
            found = []
            break  # what is pending may be long, and explains nothing
        log = reader.again()
        pending |= own.changed_after(log, token, asked) or set()
        token = max(token, log.last) if log else token
        still = [not_gone(one, there, own) for one in looked.differences if one.id not in pending]
        still = [replace(one, reason=FILTERED, detail=STRAY) if _strays(one, strays) else one for one in still]
        found = [one for one in still if _strays(one, strays) or _counts(one, sides.mapping)]
        unseen.update({str(one.id): one for one in still if one.equal})
        if not again:
            unlinked, left_alone = looked.left_out, looked.left_alone
        ids = {str(one.id) for one in found}
        if not found:
            break
    return LookedTwice(
        found,
        unseen,
        pending,
        unlinked - pending,
        {one: names for one, names in left_alone.items() if one not in pending},
        paired - pending,
    )


def _strays(one: Difference, strays: t.Container[str]) -> bool:
    """Tell whether a linked entry outside of the base contexts has a target, whatever has become of it there."""
    return one.id in strays and one.kind == ORPHANED and one.target_id is not None


def _counts(one: Difference, mapping: SyncMapping) -> bool:
    """Tell whether liveSync should have mended a difference: what the mapping's policies leave alone is no loss.

    A policy that marks a situation as an error (EXCEPTION) leaves nothing alone: IDM retries, and gives up.
    Nor is what the connector's own search leaves out and never had a link: a load leaves it out too.
    """
    if one.kind == MISSING and one.reason == FILTERED and one.target_id is None:
        return False
    if one.equal:
        return False  # it has arrived as it is now
    if one.kind == DUPLICATE:
        return one.detail in (SECOND_LINK, *TWINS) or bool(one.spare_links)
    if one.kind == UNLINKED:
        return not mapping.selective  # else a script may have left it out, as in a look at one that is missing
    if one.kind == MISSING:
        return True  # where the mapping makes nobody new, audit's word decides
    if one.kind == DIFFERING:
        return mapping.updates or mapping.marks("CONFIRMED")
    if one.kind == ORPHANED and one.reason == HIDDEN:
        return True  # what has become of it nobody can see
    takes = mapping.removes or mapping.marks("SOURCE_MISSING")
    return one.kind == ORPHANED and one.target_id is not None and takes


def unsure_of(
    mapping: SyncMapping,
    comparison: Comparison,
    looked: LookedTwice,
    changed: set[str],
    known: t.Container[str] | None,
) -> t.Iterator[Unsure]:
    """Yield of what the looks cannot tell whether it has arrived.

    :param changed: the ids of what was changed itself.
    :param known: the properties of the object type, None or empty where that is not known.
    """
    for one in sorted(looked.unlinked):
        yield Unsure(mapping, Difference(MISSING, one))
    for one, names in sorted(looked.left_alone.items()):
        asks = {ask for copied in comparison.conditioned if copied.target in names for ask in copied.asks}
        strange = tuple(sorted(ask for ask in asks if known and ask not in known and not ask.startswith("_")))
        yield Unsure(mapping, Difference(DIFFERING, one, properties=names), strange)
    if comparison.made or not comparison.copied:
        names = tuple(sorted(comparison.made))
        for one in sorted((looked.paired & changed) - set(looked.left_alone)):
            yield Unsure(mapping, Difference(DIFFERING, one, properties=names))
        for difference in looked.unseen.values():
            yield Unsure(mapping, replace(difference, kind=DIFFERING, properties=names, equal=False))
