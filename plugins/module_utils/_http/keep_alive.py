# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections themselves: they probe while they are silent, and a request goes out in one piece.

liveSync says nothing until the run has ended. Firewalls and load balancers forget a connection on which nothing moves,
after minutes and without telling either end. TCP's own probes keep it remembered, and show when it is gone.

http.client writes a request's head, and then its body: two packets, for which both ends are woken twice.
"""

from __future__ import annotations

import socket
import typing as t

try:
    from requests.adapters import HTTPAdapter
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    _Plain: t.Any = HTTPConnectionPool.ConnectionCls
    _Encrypted: t.Any = HTTPSConnectionPool.ConnectionCls
except ImportError:
    HTTPAdapter = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]
    _Plain = _Encrypted = object

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


class _OneWrite:
    """Mixed into a connection: holds what a request consists of until it is complete."""

    _held: list[bytes] | None = None

    def request(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Send a request."""
        self._held = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
        finally:
            held, self._held = self._held, None
        super().send(b"".join(held))  # type: ignore[misc]

    def send(self, data: t.Any) -> None:
        """Hold a part of a request; what belongs to none, as the word to a proxy, goes out at once."""
        if self._held is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._held.append(data)


class _PlainConnection(_OneWrite, _Plain):  # type: ignore[misc]
    """One without TLS."""


class _EncryptedConnection(_OneWrite, _Encrypted):  # type: ignore[misc]
    """One with TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _EncryptedConnection


#: What takes the place of urllib3's own pools; others, as those through SOCKS, are left alone.
_POOLS: dict[t.Any, t.Any] = {HTTPConnectionPool: _PlainPool, HTTPSConnectionPool: _EncryptedPool}


def _of_one_write(pools: t.Any) -> t.Any:
    """Let a manager of pools make such connections."""
    own = pools.pool_classes_by_scheme
    pools.pool_classes_by_scheme = {scheme: _POOLS.get(pool, pool) for scheme, pool in own.items()}
    return pools


class KeepAliveAdapter(HTTPAdapter):
    """Makes such connections, through a proxy too."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Make the pool of direct connections."""
        super().init_poolmanager(*args, **kwargs, socket_options=socket_options())
        _of_one_write(self.poolmanager)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Make the pool of connections through a proxy."""
        return _of_one_write(super().proxy_manager_for(*args, **kwargs, socket_options=socket_options()))
