# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps a silent connection known to what stands between: liveSync says nothing until the run has ended.

Firewalls and load balancers forget a connection on which nothing moves, after minutes and without telling either end.
TCP's own probes keep it remembered, and show when it is gone.
"""

from __future__ import annotations

import socket
import typing as t

try:
    from requests.adapters import HTTPAdapter
except ImportError:
    HTTPAdapter = object  # type: ignore[assignment,misc]

#: Seconds of silence before the first probe, between two probes, and how many may stay unanswered. Clouds forget a
#: silent connection after four minutes at the earliest.
_IDLE, _INTERVAL, _COUNT = 60, 15, 4


def socket_options() -> list[tuple[int, int, int]]:
    """Return the options of a socket that probes, as far as this system knows them."""
    wanted = {"TCP_NODELAY": 1, "TCP_KEEPIDLE": _IDLE, "TCP_KEEPINTVL": _INTERVAL, "TCP_KEEPCNT": _COUNT}
    known = [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in wanted.items() if hasattr(socket, name)
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *known]


class KeepAliveAdapter(HTTPAdapter):
    """Makes such connections, through a proxy too."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Make the pool of direct connections."""
        return super().init_poolmanager(*args, **kwargs, socket_options=socket_options())

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Make the pool of connections through a proxy."""
        return super().proxy_manager_for(*args, **kwargs, socket_options=socket_options())
