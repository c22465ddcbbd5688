# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Linked entries that lie outside of the connector's base contexts, and change.

Where the base contexts were narrowed after a load, liveSync passes by whoever lies outside now, the token moves with
each change of them, and nothing tells of it (seen on OpenIDM 6.1.0).
"""

from __future__ import annotations

import typing as t

from .._http.client import Client
from .._idm.mapping import SyncMapping
from .._proof.comparison import Comparison
from .._proof.sides import Sides
from .touched import Touched


def linked_strays(
    client: Client, mappings: t.Iterable[SyncMapping], known: t.Sequence[SyncMapping], outside: t.Sequence[Touched]
) -> dict[str, str | None]:
    """Return when the entries were changed that have a link, by their ids. Without any nothing is asked.

    :param mappings: those of the source.
    :param known: all mappings.
    :param outside: changes of entries outside of the base contexts, most of them of no mapping.
    :raises Unreachable, Refused: as the client.
    """
    times = {one.record: one.time for one in outside}
    linked: set[str] = set()
    for mapping in mappings if times else ():
        sides = Sides.of(client, mapping, Comparison((), (), None), known)
        linked |= {link.source for link in sides.links([sides.source_id(one) for one in times])}
    return {one: time for one, time in times.items() if one in linked}
