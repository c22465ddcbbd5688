# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tells of a reconciliation's failed entries where audit/recon cannot be read, as on Advanced Identity Cloud.

A run that was started with persistAssociations=true keeps its entries in recon/assoc; a run of one record that is
waited for answers with the record's error ("Advanced Identity Cloud as others met it live", section 4).
"""

from __future__ import annotations

import typing as t

from .._base.errors import Refused
from .._http.answer import TRANSACTION_HEADER
from .._http.client import Client, segment
from .server import TOKENS, ask_server

_FAILED = 'status eq "FAILURE" or action eq "EXCEPTION"'


def kept_failures(client: Client, run_id: str, most: int) -> list[dict[str, t.Any]]:
    """Return the failed entries that a run has kept; none where it kept nothing, or that cannot be read.

    :param most: how many at the most.
    :raises Unreachable: as the client.
    """
    path = f"recon/assoc/{segment(run_id)}/entry"
    try:
        return client.query(path, _FAILED, _pageSize=str(most)) if run_id else []
    except Refused:
        return []


def errors_come_alone(client: Client) -> bool:
    """Tell whether the error of a single record can be had with the answer to its run alone.

    Servers that take other credentials than AM's tokens are not asked: the cloud takes nothing else.

    :raises Unreachable, Refused: as the client.
    """
    return client.auth_method in TOKENS and not ask_server(client).audit_queries


def traced(transaction: str) -> dict[str, str]:
    """Return the headers by which a request, and all that comes of it, is found again in IDM's logs."""
    return {TRANSACTION_HEADER: transaction}
