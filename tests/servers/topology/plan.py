# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""What a topology is made of: its parts, their ports, and what they look like from outside."""

from ..stack.variables import variables

NODES = ("idm1", "idm2")
DIRECTORIES = ("ds1", "ds2")
#: The parts, in the order of their start. A node's name is its name in the cluster and at the balancer, too.
PARTS = DIRECTORIES + ("postgresql",) + NODES + ("haproxy",)

PORT_NAMES = (
    tuple("%s_%s" % (node, use) for node in NODES for use in ("http", "https"))
    + tuple("%s_%s" % (ds, use) for ds in DIRECTORIES for use in ("ldap", "ldaps", "admin", "replication"))
    + ("postgresql", "haproxy_http", "haproxy_sticky", "haproxy_https", "haproxy_statistics"))


def ports_of(part, numbers):
    """The ports of a part, named as those of a single stack: idm1_http is idm_http."""
    kind = part.rstrip("12")
    return {name.replace(part, kind, 1): number for name, number in numbers.items()
            if name == part or name.startswith(part + "_")}


def all_variables(here, known):
    """The variables of the topology in folder ``here``: those of a stack, seen through the balancer, and lists."""
    numbers = known["ports"]
    seen = {**ports_of("ds1", numbers), "idm_http": numbers["haproxy_http"], "idm_https": numbers["haproxy_https"]}
    return {
        **variables(here, {**known, "idm": True, "ports": seen}),
        "idm_sticky_url": "http://localhost:%d/openidm" % numbers["haproxy_sticky"],
        "idm_nodes": ["http://localhost:%d/openidm" % numbers[node + "_http"] for node in NODES],
        "ds_uris": ["ldap://localhost:%d" % numbers[ds + "_ldap"] for ds in DIRECTORIES],
        "ds_admin_uris": ["ldaps://localhost:%d" % numbers[ds + "_admin"] for ds in DIRECTORIES],
    }
