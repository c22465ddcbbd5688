# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether audit answers, which decides what a run can tell of records that fail."""

from __future__ import annotations

import threading

from .._http.client import Client
from .._idm.audit import newest_entry
from .._idm.source import Source


class Audited:
    """Whether audit/sync answers: found out once, by the source that needs to know it first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: bool | None = None

    def ask(self, client: Client, source: Source) -> bool:
        """Tell whether it does.

        :raises Unreachable: as the client.
        """
        with self._lock:
            if self._told is None:
                self._told = newest_entry(client, source, client.server_time) is not None
            return self._told
