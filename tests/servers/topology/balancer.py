# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""HAProxy before the nodes."""

import csv
import http.client
import io
import pathlib
import shutil
import socket
import time

from ..stack import ports
from ..stack.process import Server
from ..stack.render import render, write_private
from ..stack.report import StackError
from ..stack.settings import IDM_PASSWORD, IDM_USERNAME
from . import plan, programs

BACKENDS = ("nodes", "sticky_nodes", "tls_nodes")
CONF = pathlib.Path(__file__).resolve().parent / "conf"


def configuration(numbers):
    """The text of haproxy.cfg. One backend asks the nodes for their health, the others take its word."""
    def nodes(use, more):
        return "\n".join("    server %s 127.0.0.1:%d%s" % (node, numbers["%s_%s" % (node, use)], more.format(node))
                         for node in plan.NODES)

    return render((CONF / "haproxy.cfg").read_text(encoding="utf-8"), {
        "HTTP_PORT": numbers["haproxy_http"], "STICKY_PORT": numbers["haproxy_sticky"],
        "HTTPS_PORT": numbers["haproxy_https"], "STATISTICS_PORT": numbers["haproxy_statistics"],
        "IDM_USERNAME": IDM_USERNAME, "IDM_PASSWORD": IDM_PASSWORD,
        "NODES": nodes("http", ""), "STICKY_NODES": nodes("http", " track nodes/{0} cookie {0}"),
        "TLS_NODES": nodes("https", " track nodes/{0}")})


def healthy(statistics):
    """The nodes that answered the last health check well, from HAProxy's statistics as CSV.

    A node counts as up from the start, before it was asked: so the check counts, not the state.
    """
    rows = csv.DictReader(io.StringIO(statistics.lstrip("# ")))
    return {row["svname"] for row in rows
            if row["pxname"] == "nodes" and row["svname"] in plan.NODES
            and row["check_status"].endswith("L7OK") and not row["check_status"].startswith("*")
            and row["status"].startswith("UP")}


class Balancer(Server):
    """HAProxy in ``folder``, on the ports haproxy_... of ``numbers``; ready when it serves, whatever the nodes do."""

    label = "haproxy"

    def __init__(self, folder, numbers, say):
        super().__init__(folder, say)
        self._numbers = numbers
        self.ports = plan.ports_of("haproxy", numbers)

    def create(self):
        """Lay down its configuration."""
        if self.folder.exists():
            shutil.rmtree(str(self.folder))
        self.folder.mkdir(mode=0o700)
        write_private(self.folder / "haproxy.cfg", configuration(self._numbers))

    def check_ports(self):
        ports.require_free(self.ports)

    def command(self):
        return [programs.haproxy(), "-db", "-f", str(self.folder / "haproxy.cfg")]

    def healthy(self):
        """The nodes that it finds healthy; none if it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["haproxy_statistics"], timeout=2)
        try:
            connection.request("GET", "/;csv")
            return healthy(connection.getresponse().read().decode("utf-8"))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def tell(self, *commands):
        """Give it commands by its runtime interface; StackError if it refuses one."""
        for command in commands:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(str(self.folder / "haproxy.sock"))
                line.sendall(command.encode("ascii") + b"\n")
                answer = line.makefile("r", encoding="utf-8").read().strip()
            if answer:
                raise StackError("The balancer refuses '%s': %s" % (command, answer))

    def cut_off(self, node):
        """Send the node nothing any more, and cut its lines; it runs on, and its cluster sees it."""
        self.tell("set server nodes/%s state maint" % node,
                  *["shutdown sessions server %s/%s" % (backend, node) for backend in BACKENDS])

    def join(self, node):
        """Send it requests again, as soon as it is healthy."""
        self.tell("set server nodes/%s state ready" % node)

    def cut_lines(self):
        """Cut each line that goes through it."""
        self.tell(*["shutdown sessions server %s/%s" % (backend, node) for backend in BACKENDS for node in plan.NODES])

    def is_ready(self):
        return self.healthy() is not None

    def wait_healthy(self, nodes, timeout=30.0):
        """Wait until it finds just these nodes healthy."""
        deadline = time.monotonic() + timeout
        while self.healthy() != set(nodes):
            if time.monotonic() > deadline or not self.running():
                raise StackError("The balancer finds healthy: %s; expected: %s. See %s." % (
                    ", ".join(sorted(self.healthy() or ())) or "none", ", ".join(sorted(nodes)), self.output))
            time.sleep(0.1)
