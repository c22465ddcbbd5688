# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciliations that another node runs: GET recon tells of those of the node that answers alone.

audit/recon, which all nodes share, has an entry ``start`` at once and an entry ``summary`` at the end. A start without
a summary runs, or died with its node (seen on OpenIDM 6.1.0 with two nodes).
"""

from __future__ import annotations

import typing as t

from .._base.filters import equals
from .._base.values import as_text
from .._http.client import Client
from .._idm.audit import RECON_TOPIC, ask_audit, second_of, seconds_between
from .._idm.nodes import Node, read_nodes
from .run import ACTIVE, ReconRun

#: A run of which audit has told nothing for so long has died, in seconds. Entries come several times a second; while
#: IDM reads the ids of a large source there are none. Where a node has gone or come since it began, it may have been
#: that node's, and less silence is enough.
SILENT, SILENT_BESIDE_A_LOSS = 600.0, 60.0
#: So many starts are looked through.
_MOST = 1000


def runs_elsewhere(client: Client, mapping: str, known: t.Iterable[str]) -> list[ReconRun]:
    """Return the runs of a mapping that seem to go on on other nodes, oldest first; none where there is one node.

    :param known: ids of the runs that the node which answers knows.
    :raises Unreachable: as the client.
    """
    nodes = read_nodes(client)
    if not _several(nodes):
        return []
    # whatever ran before the oldest node was started has died
    since = min((node.startup for node in nodes or () if node.runs and node.startup), default=None)
    of_mapping = equals("mapping", mapping) + (f' and timestamp ge "{second_of(since)}"' if since else "")
    starts = _of(client, f'{of_mapping} and entryType eq "start"')
    began = {str(start.get("reconId")): str(start.get("timestamp")) for start in starts}
    over = _of(client, f'{of_mapping} and entryType eq "summary"') if starts else []
    left = began.keys() - {str(summary.get("reconId")) for summary in over} - set(known)
    going_on = [run_id for run_id in left if _goes_on(client, run_id, nodes)]
    return [ReconRun(run_id, mapping, ACTIVE) for run_id in sorted(going_on, key=lambda run_id: began[run_id])]


def runs_on_another_node(client: Client, run_id: str) -> bool:
    """Tell whether a run that the node which answers does not know seems to go on on another one.

    :raises Unreachable: as the client.
    """
    nodes = read_nodes(client)
    return _several(nodes) and _goes_on(client, run_id, nodes)


def _several(nodes: t.Sequence[Node] | None) -> bool:
    """Tell whether there may be other nodes than the one that answers."""
    return nodes is None or len([node for node in nodes if node.runs]) > 1


def _goes_on(client: Client, run_id: str, nodes: t.Sequence[Node] | None) -> bool:
    own = equals("reconId", run_id)
    told = ask_audit(client, RECON_TOPIC, own, order="-timestamp", size=1)
    if not told or _of(client, f'{own} and entryType eq "summary"'):
        return False
    began = min((str(start.get("timestamp")) for start in _of(client, f'{own} and entryType eq "start"')), default="")
    age = seconds_between(as_text(told[0].get("timestamp")), client.server_time)
    lost = any(not node.runs or node.startup > began for node in nodes or ())
    return age is not None and age <= (SILENT_BESIDE_A_LOSS if lost else SILENT)


def _of(client: Client, what: str) -> list[dict[str, t.Any]]:
    """Return starts or summaries, none where audit does not answer."""
    return ask_audit(client, RECON_TOPIC, what, size=_MOST) or []
