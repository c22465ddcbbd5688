# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to a host that cannot be reached."""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: gone
short_description: Nobody is there
description: Nobody is there.
author: idmops.idm contributors
"""


class Connection(ConnectionBase):
    transport = "gone"

    def _connect(self):
        raise AnsibleConnectionFailure("nobody is there")

    def exec_command(self, *given, **more):
        self._connect()

    put_file = fetch_file = exec_command

    def close(self):
        """Nothing was opened."""
