# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kinds there are of what has not arrived, why, and what mends each. No I/O."""

from __future__ import annotations

import typing as t
from collections import Counter

from .._idm.audit import NO_SITUATION, NO_SITUATION_REMEDY
from .._idm.mapping import SyncMapping
from .._proof.difference import (
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
from .._proof.look import EMPTY, SECOND_LINK

#: What a policy does to what it leaves alone.
LEFT_ALONE = ("IGNORE", "REPORT", "NOREPORT", "ASYNC")
#: The reason of what a policy leaves alone, though it is for this target.
BY_POLICY = "by policy"


def counts(one: Difference, mapping: SyncMapping) -> bool:
    """Tell whether liveSync should have mended a difference: what the mapping's policies leave alone is no loss.

    Nor is what the connector's own search leaves out and never had a link: a load leaves it out too.
    """
    if one.kind == MISSING and one.reason == FILTERED and one.target_id is None:
        return False
    if one.equal:
        return False  # it has arrived as it is now
    if one.kind == DUPLICATE:
        return one.detail == SECOND_LINK or bool(one.spare_links) or _is_twin(one)
    if one.kind == MISSING:
        return mapping.creates or one.target_id is not None or not one.in_source
    if one.kind == UNLINKED:
        return mapping.actions.get("FOUND") not in LEFT_ALONE
    if one.kind == DIFFERING:
        return mapping.updates
    return one.kind == ORPHANED and one.target_id is not None and mapping.removes


def _is_twin(one: Difference) -> bool:
    """Tell whether another object of the target is known by the same, and no second link of the entry leads there."""
    return one.kind == DUPLICATE and one.detail != SECOND_LINK and not one.spare_links and one.in_source


def situation_of(one: Difference) -> str | None:
    """Return the situation that a reconciliation would find it in, None where that is not known."""
    return "SOURCE_MISSING" if one.kind == ORPHANED and one.reason != FILTERED else None


def cause_of(one: Difference) -> str:
    """Return why it has not arrived, or what is wrong with how it has."""
    if one.kind == DUPLICATE and one.detail == SECOND_LINK:
        return f"{one.detail}, to {one.target_id}: it is in the target twice"
    if one.kind == DUPLICATE:
        return f"{one.detail}: {one.target_id}" if _is_twin(one) else str(one.detail)
    if one.detail and (one.reason != UNKNOWN or not one.in_source) and one.kind != ORPHANED:
        return one.detail
    if one.kind == ORPHANED:
        return f"{one.detail or 'it is gone from the source'}, and its target is still there"
    if one.kind == UNLINKED:
        return f"liveSync has passed its change, and {one.detail}: {one.target_id}"
    if one.kind == MISSING:
        return f"liveSync has passed its change, and the target does not have it ({one.detail or 'no link'})"
    return f"liveSync has passed its change, and the target is not as the source: {', '.join(one.properties)}"


def sentences_of(found: t.Sequence[Difference]) -> t.Iterator[str]:
    """Yield what has not arrived, each kind with what mends it."""
    kinds = Counter(_kind(one) for one in found)
    for kind, count in kinds.items():
        subject = "1 changed entry has" if count == 1 else f"{count} changed entries have"
        if kind == DUPLICATE:
            yield f"{subject} arrived twice, {_MEND[kind]}"
        elif kind == _TWIN:
            yield f"{subject} arrived, {_MEND[kind]}"
        elif kind == _LEFT_LINK:
            yield f"{subject} {_MEND[kind]}"
        else:
            yield f"{subject} not arrived, though liveSync has passed the change: {_MEND[kind]}"


_AWAY, _UNDECIDED, _LEFT_LINK, _TWIN, _EMPTIED = "away", "undecided", "left link", "twin", "emptied"
_MEND = {
    HIDDEN: (
        "the connector's account does not see all of it in the directory. Look for an ACI that denies it, then"
        " reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    FILTERED: (
        "it is not, or no more, what the connector looks for: its base contexts, object classes (nativeType of the"
        " object type) or search filter. Let"
        " the connector look there; only where it is rightly out, reconcile the whole mapping, which treats it as"
        " SOURCE_MISSING and may delete its target."
    ),
    MISSING: (
        "the target does not have it. Reconcile the records (dropped): idmops.idm.recon with ids; where nothing has"
        " been loaded yet, load (role livesync)."
    ),
    UNLINKED: (
        "the target has such an object, and no link leads to it. See that the mapping has a correlationQuery that finds"
        " it, or else it is made a second time; then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    _LEFT_LINK: (
        "a link that is too many: to an object that is gone from the target, or once more to the same one. Delete that"
        " link first (DELETE repo/link/<id> with its revision in If-Match; livesync_verify names it in link_ids): each"
        " change of an entry with two links fails, and a reconciliation before that would make one more. Then reconcile"
        " the records (dropped): idmops.idm.recon with ids."
    ),
    _UNDECIDED: (
        f"{NO_SITUATION}. {NO_SITUATION_REMEDY} Then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    DUPLICATE: (
        "with two links of one mapping, as where two runs met (dropped names the second target): see that one schedule"
        " alone runs the source; delete that link first (repo/link), so that the removal reaches nobody else, then the"
        " target that is too many."
    ),
    _TWIN: (
        "and the target has another object of the same name (dropped names it): somebody made it beside liveSync, or"
        " two links are exchanged. Reconcile nothing before that is mended, since it would go on with both. See with"
        " idmops.idm.livesync_verify which of them is right; give the mapping a correlationQuery, so that what is there"
        " is linked and not made again; put the links right (repo/link), or remove the object that is too many."
    ),
    _EMPTIED: (
        "the source has no value for what the target has (dropped has the properties), and a reconciliation would empty"
        " it. Unless the values were removed in the directory, the mapping or the object type (nativeName) reads"
        " something else than is meant: put that right, and reconcile nothing before. Values that were rightly removed"
        " go with idmops.idm.recon with ids."
    ),
    BY_POLICY: (
        "the mapping's own policy leaves it alone (dropped has situation and action), and goes on to. Change that"
        " policy, or what entries are recognised by (correlationQuery), then reconcile the records (dropped):"
        " idmops.idm.recon with ids."
    ),
    _AWAY: "it is gone from the source, and its target is still there. Reconcile the whole mapping.",
    REFUSED: (
        "IDM refuses it (dropped has each cause). Mend the record or the mapping, then reconcile the records (dropped):"
        " idmops.idm.recon with ids."
    ),
    DIFFERING: (
        "the target is not as the source, and why is not told here: idmops.idm.livesync_verify looks for the reason."
        " See first that the mapping and the connector's object type are as they are meant to be, since a"
        " reconciliation writes what they say now, and empties what they read no value for. Then reconcile the records"
        " (dropped): idmops.idm.recon with ids."
    ),
}


def _kind(one: Difference) -> str:
    if one.reason == FILTERED:
        return FILTERED
    if one.detail == NO_SITUATION:
        return _UNDECIDED
    if _is_twin(one):
        return _TWIN
    if one.reason == BY_POLICY:
        return BY_POLICY
    if one.kind == ORPHANED:
        return _AWAY
    if one.reason == HIDDEN or not one.in_source:
        return HIDDEN
    if one.spare_links and one.detail != SECOND_LINK:
        return _LEFT_LINK
    if one.reason == UNKNOWN and one.kind == DIFFERING and (one.detail or "").startswith(EMPTY):
        return _EMPTIED
    return REFUSED if one.reason == REFUSED else one.kind
