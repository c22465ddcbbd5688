# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes that a server consists of, and when they were started."""

from __future__ import annotations

from dataclasses import dataclass

from .._base.errors import Refused
from .._base.values import as_list
from .._http.client import Client


@dataclass(frozen=True)
class Node:
    """One node.

    :param runs: whether it counts as running: a node that was killed does so for half a minute more (seen on OpenIDM
        6.1.0 with two nodes).
    :param startup: when it was started, "" where it does not say.
    """

    runs: bool
    startup: str


def read_nodes(client: Client) -> list[Node] | None:
    """Return the nodes, None where the server does not tell.

    :raises Unreachable: as the client.
    """
    try:
        body = client.get("cluster")
    except Refused:
        return None
    if not isinstance(body, dict):
        return None
    nodes = [node for node in as_list(body.get("results") or body.get("result")) if isinstance(node, dict)]
    return [Node(node.get("state", "running") == "running", str(node.get("startup") or "")) for node in nodes]


def running_nodes(client: Client) -> list[str] | None:
    """Return when each of the running nodes was started, "" where it does not say; None where the server does not tell.

    :raises Unreachable: as the client.
    """
    nodes = read_nodes(client)
    return None if nodes is None else [node.startup for node in nodes if node.runs]


def read_startup(client: Client) -> str | None:
    """Return when the running nodes of the server were started, None where it does not say.

    GET cluster holds a startup for each node (seen on OpenIDM 6.1.0); a restart changes it.

    :raises Unreachable: as the client.
    """
    return ",".join(sorted({startup for startup in running_nodes(client) or () if startup})) or None


def has_lost_a_node(before: str | None, now: str | None) -> bool:
    """Tell whether a node that ran at one moment runs no more: what it did has ended, what the others did goes on.

    A node that was killed counts as running for half a minute more (seen on OpenIDM 6.1.0 with two nodes).

    :param before, now: what :func:`read_startup` returned.
    """
    return bool(before and now) and not set(str(before).split(",")) <= set(str(now).split(","))


def has_restarted(before: str | None, now: str | None) -> bool:
    """Tell whether what ran on the server at one moment has certainly ended: no node runs on since then.

    :param before, now: what :func:`read_startup` returned.
    """
    return bool(before and now) and not set(str(before).split(",")) & set(str(now).split(","))
