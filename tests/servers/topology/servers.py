# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A node and a replica: the servers of a single stack, told of each other."""

import json
import shutil
import subprocess
import time

import ldap

from ..stack.directory import Directory, configure
from ..stack.identity import Identity
from ..stack.render import render
from ..stack.report import StackError
from ..stack.settings import BASE_DN, ROOT_DN
from . import plan, programs, repository
from .balancer import CONF
from .postgresql import DATABASE, USER


class Node(Identity):
    """An OpenIDM server on the common database."""

    repository = "jdbc"

    def __init__(self, name, folder, install, numbers, database_password, say, uncured=False):
        super().__init__(folder, install, plan.ports_of(name, numbers), say, uncured)
        self.label = self.node = name
        self._database = {"DATABASE_PORT": numbers["postgresql"], "DATABASE": DATABASE, "DATABASE_USER": USER,
                          "DATABASE_PASSWORD": database_password, "SCHEMA": repository.SCHEMA}

    def take_over(self, made):
        """Only the keys: the nodes must read each other's sessions and encrypted values."""
        self.folder.mkdir(mode=0o700)
        shutil.copytree(str(made / "security"), str(self.folder / "security"))

    def configuration(self):
        files = super().configuration()
        del files["conf/repo.orientdb.json"]
        source = CONF / "datasource.jdbc-default.json"
        files["conf/" + source.name] = render(source.read_text(encoding="utf-8"), self._database)
        files["conf/repo.jdbc.json"] = json.dumps(repository.configuration(), indent=2) + "\n"
        return files


class Replica(Directory):
    """An OpenDJ server that replicates with the others."""

    heap = 320

    def __init__(self, name, folder, numbers, say):
        super().__init__(folder, plan.ports_of(name, numbers), say)
        self.label = name
        self._server_id = 1 + plan.DIRECTORIES.index(name)
        self._replication_ports = [numbers[ds + "_replication"] for ds in plan.DIRECTORIES]

    def configure(self, password):
        configure(self.folder, self.ports, password, self._server_id, self._replication_ports)

    def peers(self, password):
        """The server ids of the directories whose changes its replication server gets, its own included.

        None if it does not answer.
        """
        try:
            line = ldap.initialize("ldap://localhost:%d" % self.ports["ds_ldap"])
            line.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
            line.simple_bind_s(ROOT_DN, password)
            found = line.search_s("cn=monitor", ldap.SCOPE_SUBTREE, "(&(domain-name=%s)(connected-to=*))" % BASE_DN,
                                  ["server-id"])
            line.unbind_s()
        except ldap.LDAPError:
            return None
        return {int(entry["server-id"][0]) for unused, entry in found if "server-id" in entry}

    def cut_lines(self):
        """Cut each line to its LDAP and administration ports, whoever holds it; both ends see it at once. It goes on.

        StackError where the system does not let us: that takes root, and Linux with INET_DIAG_DESTROY.
        """
        where = " or ".join("dport = :%d" % self.ports[use] for use in ("ds_ldap", "ds_ldaps", "ds_admin"))
        command = [programs.ss(), "-K", "-H", "-n", "-t", "state", "established", "( %s )" % where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr.strip():
            raise StackError("%s does not cut lines: %s" % (command[0], done.stderr.strip() or done.returncode))

    def wait_replicating(self, password, timeout=60.0):
        """Wait until it replicates with the others."""
        deadline = time.monotonic() + timeout
        every = set(range(1, 1 + len(plan.DIRECTORIES)))
        while self.peers(password) != every:
            if time.monotonic() > deadline or not self.running():
                raise StackError("%s does not replicate. See %s." % (self.label, self.log()))
            time.sleep(0.1)
