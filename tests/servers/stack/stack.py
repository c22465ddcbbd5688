# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A pair of servers in one folder: what the command line and the tests use."""

import json
import pathlib
import secrets
import shutil
import typing as t

from . import cache, directory_template, fetch, java, ports, tls
from .directory import Directory
from .identity import Identity
from .process import PID_FILE, kill_leftover
from .render import write_private
from .report import Progress, StackError
from .together import together
from .variables import as_yaml, variables

MARKER = "stack.json"
USERS = 500
KEYS = {"users", "idm", "port_base", "ports", "install", "ds_password", "complete"}
OURS = (MARKER, "vars.yml", "ca.pem", "other-ca.pem", "ds", "idm", "lock")


class Stack:
    """OpenIDM and OpenDJ in ``directory``; ``idm=False`` for a directory server alone.

    ``ds`` and ``idm`` are the servers: each has start, stop, kill, restart, running, wait_ready.
    """

    def __init__(self, directory, users=None, port_base=None, idm=True, say=None):
        self.directory = pathlib.Path(directory).expanduser().absolute()
        self.say = say or Progress(quiet=True)
        self.ds = t.cast(t.Any, None)  # a Directory
        self.idm: t.Any = None  # an Identity
        self._wanted = {"users": users, "port_base": port_base, "idm": idm}
        self._known = self._load()
        if self._known:
            self._servers()

    def _load(self):
        try:
            return json.loads((self.directory / MARKER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {"damaged": True}

    def _servers(self):
        known = self._known
        if not KEYS.issubset(known):
            return
        if self.ds is None:
            self.ds = Directory(self.directory / "ds", known["ports"], self.say)
        if self.idm is None and known["idm"]:
            self.idm = Identity(self.directory / "idm", pathlib.Path(known["install"]), known["ports"], self.say)

    @property
    def exists(self):
        """True if the folder holds a stack, running or not."""
        return self._known is not None

    def _locked(self):
        return cache.locked(self.directory / "lock",
                            lambda: self.say("another command works on %s: waiting" % self.directory))

    # Bringing it up

    def up(self):
        """Make the stack if there is none, start what does not run; False if all of it ran already."""
        java.java()
        if ":" in str(self.directory):
            raise StackError(
                "A ':' in the stack's folder %s would break Java's class path: choose another." % self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._known = self._load()
            if not self._known:
                self._plan()
            elif self._wanted["port_base"] not in (None, self._known["port_base"]):
                raise StackError("The stack of %s was made with port base %s: take it down first to move it to %s." % (
                    self.directory, self._known["port_base"], self._wanted["port_base"]))
            self._require()
            self._servers()
            if self._wanted["users"] not in (None, self._known["users"]):
                self.say("the stack of %s has %d users, not %d: to change that, take it down first" % (
                    self.directory, self._known["users"], self._wanted["users"]))
            if all(server.running() for server in self.servers()):
                for server in self.servers():
                    server.wait_ready()
                return False
            if not self._known["complete"]:
                self._create(("ds", "idm"))
            self._start()
            return True

    def servers(self):
        """The servers of this stack, the directory first."""
        return [server for server in (self.ds, self.idm) if server is not None]

    def _plan(self):
        present = [name for name in OURS if name != "lock" and (self.directory / name).exists()]
        if present:
            raise StackError("%s holds %s, which no stack made: choose another folder with --dir (make: STACK_DIR)." % (
                self.directory, ", ".join(present)))
        wanted = self._wanted
        users = USERS if wanted["users"] is None else wanted["users"]
        if not isinstance(users, int) or not 0 <= users <= 1000000:
            raise StackError("--users %s: give a number from 0 to 1000000." % users)
        if wanted["port_base"] is None:
            numbers = ports.find(str(self.directory))
        else:
            numbers = ports.numbered(wanted["port_base"])
            ports.require_free(numbers)
        self._known = {
            "users": users, "idm": wanted["idm"], "port_base": wanted["port_base"], "ports": numbers,
            "install": str(fetch.installed(self.say)), "ds_password": secrets.token_urlsafe(15), "complete": False}
        self._save()

    def _save(self):
        write_private(self.directory / MARKER, json.dumps(self._known, indent=1) + "\n")

    def _create(self, names):
        material = tls.material(self.say)
        for name in ("ca.pem", "other-ca.pem"):
            shutil.copy(str(material / name), str(self.directory / name))

        def directory():
            self._known["connector_password"] = self.ds.create(
                directory_template.template(self._known["users"], self.say), self._known["ds_password"])

        work = {"ds": directory}
        if self.idm:
            work["idm"] = self.idm.create
        together(self.say, *[work[name] for name in work if name in names])
        self._known["complete"] = True
        self._save()
        self._write_vars()

    def _start(self):
        """Both at the same time, if OpenIDM has no connector yet: it gets it when the directory serves.

        Otherwise one after the other: a connector must not be activated before its directory.
        """
        stopped = [server for server in self.servers() if not server.running()]

        def begin(server):
            if server in stopped:
                self.say("starting " + server.label)
                server.start(wait=False)

        try:
            begin(self.ds)
            together_with_ds = self.idm and not self.idm.has_connector()
            if together_with_ds:
                begin(self.idm)
            self.ds.wait_ready()
            self.say("OpenDJ is ready: " + self.vars()["ds_uri"])
            if self.idm:
                if not together_with_ds:
                    begin(self.idm)
                self.idm.wait_ready()
                if together_with_ds:
                    self.idm.connect(self._known["ports"]["ds_ldap"], self._known["connector_password"])
                self.idm.wait_connected()
                self.say("OpenIDM is ready: " + self.vars()["idm_url"])
        except BaseException:
            for server in stopped:
                server.kill()
            raise

    def reset(self, *names):
        """The same stack as new: same ports and passwords, everything else as after the first ``up``.

        ``reset("ds")`` is a directory that was rebuilt (its change log begins again, its entries keep
        their entryUUID) under an OpenIDM that goes on; ``reset("idm")`` is an empty OpenIDM.
        """
        names = names or ("ds", "idm")
        with self._locked():
            self._require()
            for name in names:
                server = getattr(self, name)
                if server is not None:
                    server.kill()
            self._known["complete"] = False
            self._save()
            self._create(names)
            self._start()

    def _require(self):
        if not self._known:
            raise StackError("There is no stack in %s: bring one up first." % self.directory)
        if not KEYS.issubset(self._known):
            raise StackError("The record %s is damaged or of another version of this program: take the stack down, "
                             "then bring it up again." % (self.directory / MARKER))

    # Looking at it

    def vars(self):
        """What playbooks and tests need to know, as written to vars.yml."""
        self._require()
        return variables(self.directory, self._known)

    def _write_vars(self):
        write_private(self.directory / "vars.yml", as_yaml(self.vars()))

    def status(self):
        """One dictionary a server: label, running, ready, pid, ports, log."""
        self._require()
        return [{"server": server.label, "running": server.running(), "ready": server.running() and server.is_ready(),
                 "pid": server.pid(), "ports": server.ports, "log": str(server.log())} for server in self.servers()]

    # Taking it down

    def stop(self):
        """Stop both servers in an orderly way; their data stays."""
        with self._locked():
            self._require()
            together(self.say, *[server.stop for server in self.servers()])

    def down(self):
        """End both servers and remove what this stack put into its folder; False if there was none.

        The servers are killed: what they would write before an orderly end is removed anyway.
        """
        if not self.directory.is_dir():
            return False
        found = self.exists
        with self._locked():
            for left in self.directory.glob("*/" + PID_FILE) if found else ():
                kill_leftover(left)
            for name in OURS if found else ("lock",):
                path = self.directory / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(str(path))
                elif path.exists():
                    path.unlink()
        self._known = self.ds = self.idm = None
        try:
            self.directory.rmdir()
        except OSError:
            self.say("%s holds other files too: kept" % self.directory)
        return found
