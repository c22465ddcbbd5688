# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaves in the run record that what was compared has arrived, where nothing differed."""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError
from .._http.client import Client
from .._record.run_record import note_arrival
from .verified import Verified


def note_arrivals(
    client: Client, done: t.Sequence[Verified], failed: t.Sequence[IdmopsError], context: Context
) -> None:
    """Note it for each source of which all mappings were compared and something was checked."""
    if failed:
        return  # of which source, the error does not tell
    for source in dict.fromkeys(one.source for one in done):
        own = [one for one in done if one.source == source]
        checked = sum(one.suspects.checked for one in own)
        if checked and not any(one.differences or one.doubt for one in own):
            names = [one.mapping.name for one in own]
            note_arrival(client, source, context, "sample", checked=checked, seconds=None, mappings=names)
