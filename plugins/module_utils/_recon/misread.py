# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a reconciliation would empty targets of what the mapping only seems to read."""

from __future__ import annotations

from .._base.errors import IdmopsError
from .._http.client import Client
from .._idm.connector import connector_of
from .._idm.connector_filters import filters_of
from .._idm.mapping import SyncMapping
from .._idm.source import Source


def check_read(client: Client, mapping: SyncMapping) -> None:
    """Check that a mapping reads what its source has: what it has not is taken for empty, and empties the target's.

    :raises Unreachable, Refused: as the client.
    :raises IdmopsError: where a reconciliation would do so; none has been started.
    """
    source = Source.of(mapping.source)
    connector = connector_of(client, source.system) if source and mapping.reads else None
    if source is None or connector is None:
        return
    for one in filters_of(connector, source.object_type, [mapping], logged=True):
        if one.empties:
            raise IdmopsError(f"{one.effect} No reconciliation was started.", remedy=one.remedy)
