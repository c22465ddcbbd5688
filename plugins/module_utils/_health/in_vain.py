# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of a schedule that follow each other, each for some time, and store nothing.

A run that loses its connection in a long backlog ends in an error, and the next one begins at the same change
("Experiments", section 1): whoever looks sees a run going on, at any time. Audit shows that change again and again.
"""

from __future__ import annotations

from .._base.filters import equals
from .._http.client import Client
from .._idm.audit import AuditEntry, ask_sync, seconds_between
from .._idm.source import Source
from .states import PENDING_SECONDS
from .touched import Touched
from .traceless import ANY_SKEW

#: So many changes behind the token are looked through for one whose entry is known.
AHEAD = 500
#: One run may have begun before the change had its number, and stored the token; one goes on; the third one failed.
_RUNS = 3
#: So many entries of one record are looked through.
_MOST = 1000
_CUT = (
    "If it tells of a request that was cancelled, the directory cuts the connection of so long a run: set"
    " java.naming.batchsize=0 for IDM's Java (docs/large-backlogs.md)."
)


def in_vain(client: Client, source: Source, pending: Touched) -> str | None:
    """Return what is to be said of runs that have all brought a change which the token has not passed.

    :param pending: a change behind the token, the newest one of its entry.
    :returns: None where the runs may be well.
    :raises Unreachable: as the client.
    """
    asked = equals("sourceObjectId", f"{source}/{pending.record}")
    found = ask_sync(client, asked, size=_MOST) or []
    first: dict[str, AuditEntry] = {}
    for entry in found:  # newest first
        # the clocks of the directory and of IDM may differ, and a change has its number some seconds later
        age = seconds_between(pending.time, entry.timestamp)
        if entry.transaction and age is not None and age > PENDING_SECONDS + ANY_SKEW:
            first[entry.transaction] = entry
    if len(first) < _RUNS:
        return None
    since = min(entry.timestamp for entry in first.values())
    return (
        f"The schedule's runs end in an error: since {since} {len(first)} of them have brought the same change, and the"
        f" token has not passed it. Run idmops.idm.livesync_trigger to see it. {_CUT}"
    )
