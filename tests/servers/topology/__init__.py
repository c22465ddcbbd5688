# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Two OpenIDM nodes on one database, two replicating OpenDJ, and a balancer before the nodes, on loopback."""

from .topology import Topology

__all__ = ["Topology"]
