# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Which ports a stack uses, and whether they are free."""

import hashlib
import socket
import time

from .report import StackError

NAMES = ("idm_http", "idm_https", "ds_ldap", "ds_ldaps", "ds_admin", "ds_replication")
# Below the range that the kernel hands out to outgoing connections.
FIRST, LAST, STEP = 20000, 32000, 10


def is_free(port):
    """True if nobody listens on this port, on any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def numbered(base, names=NAMES):
    """The ports of a stack from its port base on."""
    if not 1024 <= base <= 65535 - len(names):
        raise StackError("--port-base %d: give a number from 1024 to %d." % (base, 65535 - len(names)))
    return {name: base + offset for offset, name in enumerate(names)}


def taken(ports):
    """Names of those ports that somebody listens on."""
    return [name for name in ports if not is_free(ports[name])]


def require_free(ports):
    """Raise an error that names the port and the option if one of them is taken."""
    busy = taken(ports)
    if busy:
        raise StackError("Port taken: %s. Stop what listens there, or choose other ports with --port-base "
                         "(make: STACK_PORT_BASE)." % (
                             ", ".join("%d (%s)" % (ports[name], name) for name in busy)))


def find(key, names=NAMES):
    """Ports that are free now; where the search begins depends on ``key``, so that two starts differ."""
    blocks = range(FIRST, LAST, STEP)
    begin = int(hashlib.sha256(key.encode()).hexdigest(), 16) % len(blocks)
    for index in range(len(blocks)):
        ports = numbered(blocks[(begin + index) % len(blocks)], names)
        if not taken(ports):
            return ports
    raise StackError("No free ports between %d and %d: name some with --port-base." % (FIRST, LAST))


def wait_open(port, timeout):
    """Wait until somebody accepts connections on this port of loopback; True if so."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            time.sleep(0.05)
    return False
