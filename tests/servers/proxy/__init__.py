# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy between a module and a real server that breaks what it is told to break, and remembers what went through.

As a Python API::

    with Proxy("http://localhost:8080") as proxy:
        proxy.faults = [Fault(action="liveSync", cut_after_bytes=100)]
        ...  # use proxy.url
        assert proxy.count(action="liveSync") == 1 and not proxy.writes()

On the command line, for playbooks (its faults and its log can be changed and read by HTTP while it runs)::

    python3 -m tests.servers.proxy --to http://localhost:8080 --port-file port
    curl localhost:PORT/.injection/requests
"""

from .faults import Exchange, Fault
from .proxy import Proxy

__all__ = ["Exchange", "Fault", "Proxy"]
