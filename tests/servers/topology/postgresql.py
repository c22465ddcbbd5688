# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""The database of the nodes."""

import os
import shutil
import signal
import subprocess

from ..stack import ports
from ..stack.process import Server
from ..stack.render import write_private
from ..stack.report import StackError
from . import programs, repository

USER = "openidm"
#: Every PostgreSQL has it; OpenIDM's tables are in a schema of their own.
DATABASE = "postgres"


class PostgreSQL(Server):
    """A PostgreSQL server in ``folder``, on the port postgresql of ``numbers``, with OpenIDM's tables."""

    label = "postgresql"
    # SIGTERM would wait for the nodes to close their connections.
    stop_signal = signal.SIGINT

    def __init__(self, folder, numbers, password, say):
        super().__init__(folder, say)
        self.ports = {"postgresql": numbers["postgresql"]}
        self._password = password

    def create(self):
        """Lay down a new, empty server."""
        if self.folder.exists():
            shutil.rmtree(str(self.folder))
        self.folder.mkdir(mode=0o700)
        (self.folder / "data").mkdir(mode=0o700)
        user = programs.owner()
        if user:
            os.chown(str(self.folder / "data"), user.pw_uid, user.pw_gid)
        self._run(programs.as_owner([
            programs.postgresql("initdb"), "--pgdata", str(self.folder / "data"), "--username", USER,
            "--auth", "scram-sha-256", "--pwfile", "/dev/stdin", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            user), self._password + "\n")
        write_private(self.folder / "password", "127.0.0.1:*:*:%s:%s\n" % (USER, self._password))

    def _run(self, command, content):
        done = subprocess.run(command, cwd=str(self.folder), env=self._client(), input=content,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False)
        if done.returncode:
            raise StackError("%s failed:\n  %s" % (os.path.basename(command[0]), done.stderr.strip()))
        return done.stdout

    def _client(self):
        return {**os.environ, "PGPASSFILE": str(self.folder / "password"), "PGCONNECT_TIMEOUT": "5"}

    def query(self, statements):
        """Run SQL in one transaction, in OpenIDM's schema.

        :returns: the rows of the one statement that gives any, as lists of strings; NULL is an empty one.
        """
        command = [programs.postgresql("psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-1",
                   "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.ports["postgresql"]), "-U", USER,
                   "-d", DATABASE, "-f", "-"]
        text = self._run(command, "SET search_path TO %s;\n%s" % (repository.SCHEMA, statements)).rstrip("\n")
        return [row.split("\x1f") for row in text.split("\x1e")] if text else []

    def fill(self):
        """Make OpenIDM's tables, if they are not there."""
        if self.query("SELECT 1 FROM pg_namespace WHERE nspname = '%s';" % repository.SCHEMA) == []:
            self.query(repository.sql())

    def check_ports(self):
        ports.require_free(self.ports)

    def command(self):
        """All of it on the command line. Without fsync: what is killed here is a process, not the machine."""
        return programs.as_owner([
            programs.postgresql("postgres"), "-D", str(self.folder / "data"), "-c", "listen_addresses=127.0.0.1",
            "-c", "port=%d" % self.ports["postgresql"], "-c", "unix_socket_directories=", "-c", "fsync=off",
            "-c", "shared_buffers=64MB"], programs.owner())

    def is_ready(self):
        asked = [programs.postgresql("pg_isready"), "-q", "-t", "2", "-h", "127.0.0.1",
                 "-p", str(self.ports["postgresql"])]
        return subprocess.run(asked, check=False).returncode == 0
