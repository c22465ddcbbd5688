# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has not arrived, in words: its kinds, and what mends each. No I/O."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass

from .._idm.audit import NO_SITUATION, NO_SITUATION_REMEDY, AuditEntry
from .._idm.connector_filters import MODIFIERS
from .._idm.error_texts import DOUBLED, read_reason
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
from .._proof.look import SECOND_LINK, TWINS

#: What mends an entry with two links.
TWO_LINKS = (
    "see that one schedule alone runs the source; delete that link first (repo/link), so that the removal reaches"
    " nobody else, then the target that is too many (livesync_verify names the link in link_ids, or, where both targets"
    " are there, the second one in target_id)."
)
#: What mends a policy that makes an error of each who is gone.
UNMARK = "The policy for SOURCE_MISSING is EXCEPTION, so that each attempt fails: change it first (DELETE, UNLINK)."
#: What a policy does to what it leaves alone.
LEFT_ALONE = ("IGNORE", "REPORT", "NOREPORT", "ASYNC")
#: The details of a change that was never handled, of one that the connector leaves out by whoever made it, and how that
#: of one begins whose property a condition keeps from it.
UNHANDLED = "audit has no entry of it, so that it was not handled"
PASSED_BY = f"{MODIFIERS} names whoever made it"
ASKING = "its condition asks for"
#: The details of one that has a link and lies outside of what the connector looks through, and of one that is missing
#: where nothing is known to have been loaded.
STRAY = "it lies outside of the connector's base contexts, and has a link"
NOT_LOADED = "no load of the mapping is recorded"


@dataclass(frozen=True)
class Loss:
    """One entry that has not arrived.

    :param rule: the newest word of audit where a policy of the mapping left it alone, None where none did.
    """

    mapping: SyncMapping
    one: Difference
    rule: AuditEntry | None = None


def situation_of(loss: Loss) -> str | None:
    """Return the situation of a loss as IDM names it, None where that is not known."""
    if loss.rule:
        return loss.rule.situation
    gone = loss.one.kind == ORPHANED and loss.one.reason not in (FILTERED, HIDDEN)
    return "SOURCE_MISSING" if gone else None


def cause_of(loss: Loss) -> str:
    """Return why an entry has not arrived, without values."""
    one = loss.one
    if loss.rule:
        return f"the policy of the mapping leaves it alone: {loss.rule.situation}: {loss.rule.action}"
    if one.detail == STRAY:
        return one.detail
    if one.kind == DUPLICATE and one.detail == SECOND_LINK:
        return f"{one.detail}, to {one.target_id}: it is in the target twice"
    if one.kind == DUPLICATE and one.detail in TWINS:
        return f"{one.detail}: {one.target_id}"
    if one.kind in (DUPLICATE, UNLINKED):
        return str(one.detail)
    if one.detail and (one.reason != UNKNOWN or not one.in_source) and one.kind != ORPHANED:
        return one.detail
    if one.kind == ORPHANED:
        return f"{one.detail or 'it is gone from the source'}, and its target is still there"
    if one.kind == MISSING:
        return f"liveSync has passed its change, and the target does not have it ({one.detail or 'no link'})"
    names = ", ".join(one.properties)
    if one.detail in (UNHANDLED, PASSED_BY):
        return f"liveSync has passed its change ({names}), and {one.detail}"
    more = f" ({one.detail})" if one.detail else ""
    return f"liveSync has passed its change, and the target is not as the source: {names}{more}"


def sentences_of(found: t.Sequence[Loss]) -> t.Iterator[str]:
    """Yield what has not arrived, each kind with what mends it."""
    held = {(one.mapping.name, one.one.id) for one in found if forbids(one)}
    # what else is to be said of such an entry tells to reconcile it
    found = [one for one in found if forbids(one) or (one.mapping.name, one.one.id) not in held]
    # an entry is counted once, however many differences of one kind it has
    entries = {(_kind(one), one.mapping.name, one.one.id or one.one.target_id) for one in found}
    counts = Counter(kind for kind, *unused in entries)
    kinds = {kind: counts[kind] for kind in map(_kind, found)}
    for kind, count in kinds.items():
        subject = "1 changed entry has" if count == 1 else f"{count} changed entries have"
        if kind == DUPLICATE:
            yield f"{subject} arrived twice, {_MEND[kind]}"
        elif kind in (_LEFT_LINK, _TWIN):
            yield f"{subject} {_MEND[kind]}"
        elif kind == _UNLOADED:
            names = dict.fromkeys(one.mapping.name for one in found if _kind(one) == kind)
            yield f"{subject} not arrived: {_MEND[kind].format(', '.join(names))}"
        elif kind == _STRAY:
            yield f"{subject.removesuffix(' has').removesuffix(' have')} {_MEND[kind]}"
        elif kind in STRANDING:
            rules = {one.rule for one in found if _kind(one) == kind}
            said = [f"{rule.situation}: {rule.action}" if rule else f"{kind}: EXCEPTION" for rule in rules]
            yield (
                f"{subject} not arrived, though liveSync has passed the change: {STRANDING[kind][0]}, and the policy of"
                f" the mapping leaves or refuses it ({', '.join(sorted(set(said)))}), in a reconciliation too. "
                f"{STRANDING[kind][1]} Then reconcile the records (dropped): idmops.idm.recon with ids."
            )
        else:
            yield f"{subject} not arrived, though liveSync has passed the change: {_MEND[kind]}"


#: The situations of an entry that cannot go on to the target as it is, and what mends each: a policy that leaves such
#: an entry alone keeps its changes for ever. (With UNLINK a dead link goes at the next change or reconciliation of its
#: entry, and the one after that makes the target: seen on OpenIDM 6.1.0.)
STRANDING = {
    "MISSING": (
        "its link leads to an object that is gone from the target",
        "Delete that link first (DELETE repo/link/<id> with its revision in If-Match; livesync_verify names it in"
        " link_ids), since a reconciliation before that would make one more; and change that policy (UNLINK), or the"
        " next one stays away too.",
    ),
    "AMBIGUOUS": (
        "the correlation finds more than one object of the target for it",
        "Correct the correlation of the mapping, so that it finds one or none, or take away the object that is too"
        " many.",
    ),
    "FOUND": (
        "the target has such an object without a link",
        "Change that policy (UPDATE links the object, too), or correct the correlation where it finds another's.",
    ),
    "FOUND_ALREADY_LINKED": (
        "the correlation finds an object that belongs to another entry",
        "Where that other entry is gone from the source (somebody is hired again, a directory was built anew), delete"
        " its link (repo/link; livesync_verify with directory names it in link_ids). Else correct the correlation of"
        " the mapping, or that other entry's link; a policy that takes the object away from the other entry mends"
        " nothing.",
    ),
}
#: How audit calls a situation whose action is EXCEPTION (seen on OpenIDM 6.1.0).
_EXCEPTED = re.compile(r"Situation (\w+) marked as EXCEPTION")
_AWAY, _KEPT, _UNDECIDED, _LEFT_LINK = "away", "kept", "undecided", "left link"
_TWIN, _LONE, _HELD = "twin", "lone", "held"
_UNHANDLED, _PASSED_BY, _ASKING = "unhandled", "passed by", "asking"
_STRAY, _UNLOADED = "stray", "unloaded"
_MEND = {
    HIDDEN: (
        "the connector's account does not see all of it in the directory. Look for an ACI that denies it, then"
        " reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    FILTERED: (
        "it is not, or no more, what the connector looks for (dropped has which): its base contexts, object classes (a"
        " property of the connector, or the object type's nativeType) or search filter. Let the connector look there;"
        " only where it is rightly out, reconcile the whole mapping, which treats it as"
        " SOURCE_MISSING and may delete its target."
    ),
    MISSING: (
        "the target does not have it. Reconcile the records (dropped): idmops.idm.recon with ids; where nothing has"
        " been loaded yet, load (role livesync)."
    ),
    _LEFT_LINK: (
        "a link that is too many: to an object that is gone from the target, or once more to the same one. Delete that"
        " link first (DELETE repo/link/<id> with its revision in If-Match; livesync_verify names it in link_ids): each"
        " change of an entry with two links fails, and a reconciliation before that would make one more. Then reconcile"
        " the records (dropped): idmops.idm.recon with ids."
    ),
    _HELD: (
        "the object of the target that is known by its name is linked to another entry, which is gone from the source,"
        " as where somebody is hired again. Delete that link first (DELETE repo/link/<id> with its revision in"
        " If-Match; livesync_verify names it in link_ids): until then each change and each reconciliation of the entry"
        " fails (FOUND_ALREADY_LINKED). Then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    _UNDECIDED: (
        f"{NO_SITUATION}. {NO_SITUATION_REMEDY} Then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    DUPLICATE: (f"with two links of one mapping, as where two runs met (dropped names the second target): {TWO_LINKS}"),
    _TWIN: (
        "an object in the target that is known by the same name as another one there, or by that of another entry"
        " (dropped names it): somebody is there twice, or links lead to the wrong object. Reconcile nothing before that"
        " is mended. idmops.idm.livesync_verify compares all. See which of the objects is the right one and that the"
        " entry's link (repo/link) leads to it, take away what is too many, and give the mapping a correlationQuery"
        " that finds an object by that name."
    ),
    UNLINKED: (
        "the target has such an object, and no link leads to it. Reconcile the records (dropped), which links them:"
        " idmops.idm.recon with ids."
    ),
    _LONE: (
        "the target has such an object, no link leads to it, and the mapping has no correlation. Reconcile nothing"
        " before it has one (correlationQuery), which finds that object: it would be made a second time."
    ),
    _AWAY: "it is gone from the source, and its target is still there. Reconcile the whole mapping.",
    _KEPT: (f"it is gone from the source, and its target is still there. {UNMARK} Then reconcile the whole mapping."),
    REFUSED: (
        "IDM refuses it (dropped has each cause). Mend the record or the mapping, then reconcile the records (dropped):"
        " idmops.idm.recon with ids."
    ),
    _UNHANDLED: (
        "audit has no entry of it, so that it was not handled, and what it has changed cannot be compared (no link, a"
        " script or a condition of the mapping, or what nobody may read). Reconcile the records (dropped):"
        " idmops.idm.recon with ids, which brings over what the mapping lets through."
    ),
    _PASSED_BY: (
        f"{MODIFIERS} names whoever made it, and liveSync leaves out what such an account changes. Leave only the"
        " connector's own account there, unless that is meant; then reconcile the records (dropped): idmops.idm.recon"
        " with ids."
    ),
    _ASKING: (
        "a property is taken under a condition that asks for what the object type does not have (dropped has which)."
        " Correct that condition in the mapping, then reconcile the records (dropped): idmops.idm.recon with ids."
    ),
    _UNLOADED: (
        "no load of {} is recorded, so that whoever was there before and has not changed since may be missing too. Run"
        " the role livesync, which loads all of them: to reconcile these alone would leave the others out."
    ),
    _STRAY: (
        "outside of the connector's base contexts, with a link (dropped): no change of such an entry arrives, and a"
        " reconciliation of the whole mapping takes it for gone (SOURCE_MISSING). There may be more of them, which have"
        " not changed: idmops.idm.livesync_verify compares all (filtered). Let the connector look there again"
        " (baseContexts, baseContextsToSynchronize), then reconcile the records (dropped): idmops.idm.recon with ids;"
        " only where they are rightly out, reconcile the whole mapping, or remove their links where it keeps their"
        " targets."
    ),
    DIFFERING: (
        "the target is not as the source, and why is not told here: idmops.idm.livesync_verify looks for the reason."
        " See first that the mapping and the connector's object type are as they are meant to be, since a"
        " reconciliation writes what they say now, and empties what they read no value for. Then reconcile the records"
        " (dropped): idmops.idm.recon with ids."
    ),
}


def excepted(cause: str | None) -> str | None:
    """Return the situation that IDM has marked as an error, None where the cause is another."""
    return found[1] if (found := _EXCEPTED.search(cause or "")) else None


def _kind(loss: Loss) -> str:
    one = loss.one
    if loss.rule:
        return str(loss.rule.situation)
    if one.kind == DUPLICATE and one.detail in TWINS:
        return _TWIN
    if one.detail in (STRAY, NOT_LOADED):
        return _STRAY if one.detail == STRAY else _UNLOADED
    if one.kind == UNLINKED and one.reason == UNKNOWN:
        return UNLINKED if loss.mapping.correlates else _LONE
    if one.reason == FILTERED:
        return FILTERED
    if one.detail == NO_SITUATION:
        return _UNDECIDED
    if one.reason == HIDDEN:
        return HIDDEN
    if one.kind == ORPHANED:
        return _KEPT if loss.mapping.marks("SOURCE_MISSING") else _AWAY
    if not one.in_source:
        return HIDDEN
    if one.spare_links and one.detail != SECOND_LINK:
        return _HELD if one.kind == MISSING and one.target_id is None else _LEFT_LINK
    if one.detail in (UNHANDLED, PASSED_BY):
        return _UNHANDLED if one.detail == UNHANDLED else _PASSED_BY
    if (one.detail or "").startswith(ASKING):
        return _ASKING
    if one.reason == REFUSED and read_reason(one.detail or "").kind == DOUBLED:
        return DUPLICATE
    if one.reason == REFUSED and (situation := excepted(one.detail)) in STRANDING:
        return str(situation)
    return REFUSED if one.reason == REFUSED else one.kind


def forbids(loss: Loss) -> bool:
    """Tell whether something has to be mended before an entry may be reconciled."""
    return _kind(loss) in (_TWIN, _LONE)


def emptied_by(found: t.Sequence[Loss]) -> tuple[list[Loss], str | None]:
    """Part what a reconciliation would take good values from; tell what that is, None for nothing.

    Where a mapping or an object type reads a wrong property, whoever liveSync has damaged is as the mapping makes him,
    and those who are well are the ones that differ (seen on OpenIDM 6.1.0). One alone may have lost the value himself.

    :returns: the rest, and the sentence.
    """
    open_ones = [one for one in found if _kind(one) == DIFFERING and one.one.reason == UNKNOWN]
    counts = Counter((one.mapping.name, target) for one in open_ones for target in one.one.emptied)
    several = {key: count for key, count in counts.items() if count > 1}
    if not several:
        return list(found), None
    hit = [one for one in open_ones if any((one.mapping.name, target) in several for target in one.one.emptied)]
    what = ", ".join(
        f"{target} of at least {count} targets ({name})" for (name, target), count in sorted(several.items())
    )
    read = sorted(
        f"{copied.target} from {copied.source}"
        for mapping in {one.mapping.name: one.mapping for one in hit}.values()
        for copied in mapping.properties
        if (mapping.name, copied.target) in several
    )
    return [one for one in found if one not in hit], (
        f"The source has no value where the target has one: a reconciliation would empty {what}, as liveSync does at"
        f" their next changes. Reconcile nothing before that is understood. The mapping takes {', '.join(read)}: see"
        " that this is the right property of the source, and that its nativeName in the connector's object type is the"
        " attribute that holds it (objectTypes in config/provisioner.openicf/<name>). Where both are right, the source"
        " has lost the values: idmops.idm.livesync_verify compares all."
    )
