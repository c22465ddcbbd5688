# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the rights that preflight needs an account has not: all of them at once, where one was refused."""

from __future__ import annotations

import typing as t

from .._base.errors import Refused, Unreachable
from .._http.client import Client
from .._http.right import ACTION, QUERY, Right
from .._idm.least_rights import PREFLIGHT, needs_of


def refused_rights(client: Client) -> list[Right]:
    """Return the rights of the table that are refused, of those that preflight needs and that can be tried as they are.

    What stands for many resources (``/*``) is not tried: a rule may allow the one that is needed alone.
    """
    return [need.right for need in needs_of(PREFLIGHT) if need.required and _is_refused(client, need.right, need.when)]


def _is_refused(client: Client, right: Right, when: str) -> bool:
    if right.resource.endswith("/*") or (when and right.method == ACTION):
        return False
    try:
        client.request("POST" if right.method == ACTION else "GET", right.resource, params=_params(right))
    except Refused as exc:
        return bool(exc.rights)
    except Unreachable:
        pass
    return False


def _params(right: Right) -> dict[str, t.Any]:
    if right.method == ACTION:
        return {"_action": right.action}
    return {"_queryFilter": "true", "_fields": "_id"} if right.method == QUERY else {}
