# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done on each node of a cluster: a connector is activated, dormant and limited per node."""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .._base.errors import Refused, TimedOut, Unreachable
from .._http.client import Client
from .nodes import running_nodes
from .server import FORK, ask_server

T = t.TypeVar("T")
#: So many answers in a row for each node: a balancer gives each request to another one, but not strictly in turn.
_ANSWERS = 3
#: For how long they are waited for, in seconds.
_PATIENCE = 60.0


def everywhere(
    client: Client, what: str, act: t.Callable[[Client], T], well: t.Callable[[], bool], context: Context
) -> T:
    """Do something on each of the nodes that the connection options name, else where the address leads to.

    :param what: what is done, for people, as in "the connector ldap was activated again".
    :param well: asks once whether whichever node answers is well after that.
    :returns: what came of it, on the last node.
    :raises Unreachable: where no node can be reached.
    :raises TimedOut: where some node goes on to answer otherwise.
    """
    if client.nodes:
        return _on_each_node(client, what, act, context)[-1]
    done = act(client)
    if not context.check_mode:
        settle_behind_balancer(client, what, well, context)
    return done


def _on_each_node(client: Client, what: str, act: t.Callable[[Client], T], context: Context) -> list[T]:
    """Do it on each node; one that cannot be reached does not stop the others, unless none can."""
    done: list[T] = []
    away: list[Unreachable] = []
    for url in client.nodes:
        with client.sibling(url) as node:
            try:
                done.append(act(node))
            except Unreachable as exc:
                away.append(exc)
                context.report.warn(
                    f"{url}: it was not seen that {what}. {exc.message} A node that is down activates its connectors"
                    " when it starts."
                )
    if away and not done:
        raise away[0]
    return done


def settle_behind_balancer(client: Client, what: str, well: t.Callable[[], bool], context: Context) -> None:
    """Wait until whichever node answers has answered well, and say what one address cannot do.

    :param what, well: as of :func:`everywhere`.
    :raises TimedOut: where some node goes on to answer otherwise.
    """
    count = len(running_nodes(client) or ())
    if count < 2:
        return
    if ask_server(client).flavour == FORK:
        context.report.warn(
            f"IDM has {count} nodes, and {what} on the one that answered: OpenIDM does not spread configuration that is"
            " sent over REST. List the nodes' own URLs (nodes, in the connection options) to have it done on each."
        )
    row = 0

    def probe() -> bool | None:
        nonlocal row
        try:
            row = row + 1 if well() else 0
        except (Refused, Unreachable):  # the node that answers has no such connector yet
            row = 0
        return True if row >= _ANSWERS * count else None

    try:
        context.wait_for(probe, timeout=_PATIENCE, what="all nodes to answer", first_pause=0.02, longest_pause=0.5)
    except TimedOut as exc:
        raise TimedOut(
            f"After {what}, not all of the {count} nodes have answered well for {_PATIENCE:g} s.",
            remedy="List the nodes' own URLs (nodes, in the connection options), so that each can be told and asked.",
        ) from exc
