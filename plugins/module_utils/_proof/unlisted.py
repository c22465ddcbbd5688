# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is linked, is in the directory, and is not listed by the source: a load would take them for gone.

A connector whose search was narrowed after a load does not find them any more, and its account sees all that it looks
for all the same. A load then deleted 10 of 60 people (seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice

from .._http.client import Client
from .._idm.mapping import SyncMapping
from .comparison import Comparison
from .difference import FILTERED
from .own_entries import OwnEntries
from .sides import Sides

#: So many ids are looked for together: what the directory has of them is not kept for longer.
_AT_ONCE = 1000
#: So many ids are told.
_TOLD = 3


@dataclass(frozen=True)
class Unlisted:
    """The entries of one mapping that a load would take for gone.

    :param count: how many there are for certain.
    :param ids: of a few of them.
    :param reasons: why they are not listed, each with how many.
    :param unknown: why it cannot be known of others whether the directory has them; None: it is known.
    """

    count: int = 0
    ids: tuple[str, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    unknown: str | None = None

    def __bool__(self) -> bool:
        """Tell whether a load would delete, or might."""
        return bool(self.count or self.unknown)

    def sentence(self, mapping: SyncMapping) -> str:
        """Return what is wrong."""
        if not self.count:
            return (
                f"Whether a load of {mapping.name} would take linked entries for gone ({', '.join(mapping.removing)})"
                f" cannot be known: {self.unknown}."
            )
        return self._counted(mapping)

    def _counted(self, mapping: SyncMapping) -> str:
        who = "1 linked entry is" if self.count == 1 else f"{self.count} linked entries are"
        more = self.count - len(self.ids)
        named = ", ".join(self.ids) + (f" and {more} more" if more else "")
        reasons = "; ".join(f"{count}: {reason}" for reason, count in self.reasons)
        return (
            f"{who} in the directory and not listed by the source: {named} ({reasons}). A load of"
            f" {mapping.name} would take them for gone ({', '.join(mapping.removing)})."
        )

    @property
    def remedy(self) -> str:
        """What mends it, without deleting anybody."""
        return _WIDEN if self.count else _ASK_ANOTHER


_WIDEN = (
    "Let the connector look for them again (baseContexts, object classes, search filter), or let"
    " its account see them; only where they shall go, set allow_deletes: true."
)
_ASK_ANOTHER = (
    "Give an account in bind_dn that sees every entry of the server (the privilege bypass-acl), and let IDM's account"
    " query repo/link; only where who is not listed shall go, set allow_deletes: true."
)


def read_unlisted(
    client: Client,
    mapping: SyncMapping,
    known: t.Iterable[SyncMapping],
    own: OwnEntries,
    listed: t.AbstractSet[str] | None,
) -> Unlisted:
    """Compare the linked ids of a mapping with what its source lists, and ask the directory for the others.

    20,000 links take some seconds, and no more memory than a page of them.

    :param known: all mappings, one of which may own the links.
    :param own: the directory, as its administrator sees it.
    :param listed: the ids that IDM lists; None where it was not asked: then all that the connector's search selects
        counts as listed.
    :raises Unreachable, Refused, DirectoryError: as the servers.
    """
    known = list(known)
    if mapping.link_type not in {one.name for one in known}:
        return Unlisted(unknown=f"IDM has no mapping {mapping.link_type}, whose links it shares")
    sides = Sides.of(client, mapping, Comparison((), (), None), known)
    there = {sides.source_id(one) for one in listed} if listed is not None else frozenset()
    missing = (link.source for link in sides.all_links() if link.source not in there)
    found, gone = Unlisted(), False
    reasons: Counter[str] = Counter()
    while part := list(dict.fromkeys(islice(missing, _AT_ONCE))):
        if listed is None:
            passing = own.passing(part)
            part = [one for one in part if one not in passing]
        kept = _kept(own, part, asked=listed is not None)
        gone = gone or len(kept) < len(part)
        reasons.update(kept.values())
        ids = (*found.ids, *islice(kept, _TOLD))[:_TOLD]
        found = replace(found, count=found.count + len(kept), ids=ids)
    unknown = own.unproved() if gone else None
    return replace(found, reasons=tuple(reasons.most_common()), unknown=unknown)


def _kept(own: OwnEntries, ids: t.Sequence[str], *, asked: bool) -> dict[str, str]:
    """Return why the source does not list some entries that the directory has, by their ids.

    :param asked: whether IDM was asked; else one that the account cannot see is no matter of the connector's search.
    """
    if not ids:
        return {}
    entries = own.entries(ids)
    kept = {
        one: detail for one, (reason, detail) in own.why_unseen(list(entries)).items() if asked or reason == FILTERED
    }
    return {**kept, **own.elsewhere([one for one in ids if one not in entries])}
