# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""All parts in one folder: what the command line and the tests use."""

import functools
import pathlib
import secrets

from ..stack import directory_template
from ..stack.bed import Bed
from ..stack.report import StackError
from ..stack.together import together
from . import plan, programs
from .balancer import Balancer
from .postgresql import PostgreSQL
from .servers import Node, Replica


class Topology(Bed):
    """Two directories, a database, two nodes and a balancer in ``directory``.

    ``parts`` are the servers by name: each has start, stop, kill, hang, resume, restart, running, wait_ready.

    :param uncured: with the LDAP connector as it is published, see ``stack.fetch.CURE``.
    """

    kind = "topology"
    marker = "topology.json"
    port_names = plan.PORT_NAMES
    keys = Bed.keys | {"database_password"}
    folders = plan.PARTS

    def __init__(self, directory, users=None, port_base=None, uncured=None, say=None):
        self.parts = {}
        super().__init__(directory, {"users": users, "port_base": port_base, "uncured": uncured}, say)

    def _plan_more(self):
        return {"database_password": secrets.token_urlsafe(15)}

    def _make_servers(self):
        if self.parts or not self._fits():
            return
        known, here = self._known, self.directory
        numbers = known["ports"]
        for part in plan.PARTS:
            if part in plan.DIRECTORIES:
                self.parts[part] = Replica(part, here / part, numbers, self.say)
            elif part in plan.NODES:
                self.parts[part] = Node(part, here / part, pathlib.Path(known["install"]), numbers,
                                        known["database_password"], self.say, known["uncured"])
        self.parts["postgresql"] = PostgreSQL(here / "postgresql", numbers, known["database_password"], self.say)
        self.parts["haproxy"] = Balancer(here / "haproxy", numbers, self.say)

    def _forget_servers(self):
        self.parts = {}

    def _named(self, name):
        return self.parts[name]

    def part(self, name):
        """A part; StackError if there is no such, or no topology."""
        self._require()
        if name not in self.parts:
            raise StackError("There is no part %s; there are: %s." % (name, ", ".join(plan.PARTS)))
        return self.parts[name]

    def _variables(self):
        return plan.all_variables(self.directory, self._known)

    # Bringing it up

    def up(self):
        """Make it if there is none, start what does not run; False if all of it ran already."""
        programs.haproxy()
        programs.postgresql("initdb")
        return super().up()

    def _create(self, names):
        # One template for both: the same entries, the same entryUUIDs, and keys with which they trust each other.
        template = directory_template.template(self._known["users"], self.say)

        def create(name):
            if name in plan.DIRECTORIES:
                self._known["connector_password"] = self.parts[name].create(template, self._known["ds_password"])
            else:
                self.parts[name].create()

        together(self.say, *[functools.partial(create, name) for name in names])

    def _start(self):
        """First what the nodes need, then the nodes, then what needs them."""
        stopped = [server for server in self.servers() if not server.running()]
        try:
            self._begin(stopped)
        except BaseException:
            for server in stopped:
                server.kill()
            raise

    def _begin(self, stopped):
        # A connector must not be activated before its directory; a node that has none yet need not wait for it.
        for name in plan.DIRECTORIES + ("postgresql",):
            if self.parts[name] in stopped:
                self.say("starting " + name)
                self.parts[name].start(wait=False)
        nodes = [self.parts[name] for name in plan.NODES]
        self.parts["postgresql"].wait_ready()
        self.parts["postgresql"].fill()
        new = not all(node.has_connector() for node in nodes)
        if not new:
            self._wait_directories()
        for node in nodes:
            if node in stopped:
                self.say("starting " + node.label)
            node.start(wait=new)  # the first start writes the common configuration: one after the other
        if new:
            self._wait_directories()
        for node in nodes:
            node.wait_ready()
            if not node.has_connector():
                first, *others = [self._known["ports"][ds + "_ldap"] for ds in plan.DIRECTORIES]
                node.connect(first, self._known["connector_password"], failover=others)
            node.wait_connected()
            self.say("%s is ready: %s" % (node.label, self.vars()["idm_nodes"][nodes.index(node)]))
        self.parts["haproxy"].start()
        self.wait_balanced()
        self.say("haproxy is ready: " + self.vars()["idm_url"])

    def _wait_directories(self):
        for name in plan.DIRECTORIES:
            self.parts[name].wait_ready()
        for name, uri in zip(plan.DIRECTORIES, self.vars()["ds_uris"]):
            self.parts[name].wait_replicating(self._known["ds_password"])
            self.say("%s is ready: %s" % (name, uri))

    def reset(self):
        """The same topology as new: same ports and passwords, everything else as after the first ``up``."""
        self._renew(self.folders)

    # One part

    def start_part(self, name):
        """Start a part, or let it go on if it hangs; return when it serves, and a node when it gets requests again."""
        server = self.part(name)
        did = server.start()
        if name in plan.NODES + ("haproxy",):
            self.wait_balanced()
        elif name in plan.DIRECTORIES and all(self._working(ds) for ds in plan.DIRECTORIES):
            for ds in plan.DIRECTORIES:
                self.parts[ds].wait_replicating(self._known["ds_password"])
        return did

    def _working(self, name):
        return self.parts[name].running() and not self.parts[name].hanging()

    def wait_balanced(self):
        """Wait until the balancer, if it works, sends requests to those nodes that are ready, and to no other."""
        if self._working("haproxy"):
            self.parts["haproxy"].wait_healthy(
                [node for node in plan.NODES if self._working(node) and self.parts[node].is_ready()])
