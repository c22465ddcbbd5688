# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Servers in one folder, and the record that tells a later command what they are: what a stack and a topology share."""

import json
import pathlib
import secrets
import shutil

from . import cache, fetch, java, ports, tls
from .process import PID_FILE, kill_leftover
from .render import write_private
from .report import Progress, StackError
from .together import together
from .variables import as_yaml

USERS = 500
AUTHORITIES = ("ca.pem", "other-ca.pem")


class Bed:
    """Servers in ``directory``; a subclass says which.

    :param wanted: what ``up`` was asked for: "users", "port_base", "uncured" and what else the subclass plans with.
    """

    #: What it is called in messages.
    kind = "stack"
    #: The file of its record.
    marker = "stack.json"
    #: The names of its ports.
    port_names: tuple = ports.NAMES
    #: What a record holds.
    keys = {"users", "uncured", "port_base", "ports", "install", "ds_password", "complete"}
    #: The folders of its servers, in the order of their start.
    folders: tuple = ()

    def __init__(self, directory, wanted, say=None):
        self.directory = pathlib.Path(directory).expanduser().absolute()
        self.say = say or Progress(quiet=True)
        self._wanted = wanted
        self._known = self._load()
        if self._known:
            self._make_servers()

    # What a subclass says

    def _named(self, name):
        """The server in the folder of that name; None if there is none."""
        raise NotImplementedError

    def _make_servers(self):
        """Make the objects of its servers from the record, if that is complete."""
        raise NotImplementedError

    def _forget_servers(self):
        """Forget them."""
        raise NotImplementedError

    def _plan_more(self):
        """What its record holds besides."""
        return {}

    def _create(self, names):
        """Lay down the servers of these names."""
        raise NotImplementedError

    def _start(self):
        """Start what does not run."""
        raise NotImplementedError

    def _variables(self):
        """What playbooks and tests need to know."""
        raise NotImplementedError

    def servers(self):
        """Its servers, in the order of their start."""
        return [server for server in map(self._named, self.folders) if server is not None]

    # The record

    def _load(self):
        try:
            return json.loads((self.directory / self.marker).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {"damaged": True}

    def _save(self):
        write_private(self.directory / self.marker, json.dumps(self._known, indent=1) + "\n")

    def _fits(self):
        return self.keys.issubset(self._known)

    @property
    def exists(self):
        """True if the folder holds one, running or not."""
        return self._known is not None

    def _locked(self):
        return cache.locked(self.directory / "lock",
                            lambda: self.say("another command works on %s: waiting" % self.directory))

    def _ours(self):
        return (self.marker, "vars.yml") + AUTHORITIES + tuple(self.folders) + ("lock",)

    # Bringing it up

    def up(self):
        """Make it if there is none, start what does not run, let go on what hangs; False if all of it ran already."""
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
                raise StackError("The %s of %s was made with port base %s: take it down first to move it to %s." % (
                    self.kind, self.directory, self._known["port_base"], self._wanted["port_base"]))
            self._require()
            self._make_servers()
            if self._wanted["users"] not in (None, self._known["users"]):
                self.say("the %s of %s has %d users, not %d: to change that, take it down first" % (
                    self.kind, self.directory, self._known["users"], self._wanted["users"]))
            if self._wanted["uncured"] not in (None, self._known["uncured"]):
                self.say("the connector of %s is not made %s any more: to change that, take it down first" % (
                    self.directory, "uncured" if self._wanted["uncured"] else "cured"))
            for server in self.servers():
                server.resume()
            if all(server.running() for server in self.servers()):
                for server in self.servers():
                    server.wait_ready()
                return False
            if not self._known["complete"]:
                self._create(self.folders)
                self._complete()
            self._start()
            return True

    def _renew(self, names):
        """Make the servers of these names new, with the same ports and passwords, and start what does not run."""
        with self._locked():
            self._require()
            for server in filter(None, map(self._named, names)):
                server.kill()
            self._known["complete"] = False
            self._save()
            self._create(names)
            self._complete()
            self._start()

    def _plan(self):
        present = [name for name in self._ours() if name != "lock" and (self.directory / name).exists()]
        if present:
            raise StackError("%s holds %s, which no %s made: choose another folder with --dir (make: STACK_DIR)." % (
                self.directory, ", ".join(present), self.kind))
        wanted = self._wanted
        users = USERS if wanted["users"] is None else wanted["users"]
        if not isinstance(users, int) or not 0 <= users <= 1000000:
            raise StackError("--users %s: give a number from 0 to 1000000." % users)
        if wanted["port_base"] is None:
            numbers = ports.find(str(self.directory), self.port_names)
        else:
            numbers = ports.numbered(wanted["port_base"], self.port_names)
            ports.require_free(numbers)
        self._known = {
            "users": users, "uncured": bool(wanted["uncured"]), "port_base": wanted["port_base"], "ports": numbers,
            "install": str(fetch.installed(self.say)), "ds_password": secrets.token_urlsafe(15), "complete": False,
            **self._plan_more()}
        self._save()

    def _complete(self):
        """Note that all servers are laid down."""
        material = tls.material(self.say)
        for name in AUTHORITIES:
            shutil.copy(str(material / name), str(self.directory / name))
        self._known["complete"] = True
        self._save()
        write_private(self.directory / "vars.yml", as_yaml(self.vars()))

    def _require(self):
        if not self._known:
            raise StackError("There is no %s in %s: bring one up first." % (self.kind, self.directory))
        if not self._fits():
            raise StackError("The record %s is damaged or of another version of this program: take the %s down, "
                             "then bring it up again." % (self.directory / self.marker, self.kind))

    # Looking at it

    def vars(self):
        """What playbooks and tests need to know, as written to vars.yml."""
        self._require()
        return self._variables()

    def status(self):
        """One dictionary a server: label, running, ready, pid, ports, log."""
        self._require()
        return [{"server": server.label, "running": server.running(), "hanging": server.hanging(),
                 "ready": server.running() and not server.hanging() and server.is_ready(),
                 "pid": server.pid(), "ports": server.ports, "log": str(server.log())} for server in self.servers()]

    # Taking it down

    def stop(self):
        """Stop all servers in an orderly way; their data stays."""
        with self._locked():
            self._require()
            together(self.say, *[server.stop for server in self.servers()])

    def down(self):
        """End all servers and remove what was put into the folder; False if there was none.

        The servers are killed: what they would write before an orderly end is removed anyway.
        """
        if not self.directory.is_dir():
            return False
        found = self.exists
        with self._locked():
            for left in self.directory.glob("*/" + PID_FILE) if found else ():
                kill_leftover(left)
            for name in self._ours() if found else ("lock",):
                path = self.directory / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(str(path))
                elif path.exists():
                    path.unlink()
        self._known = None
        self._forget_servers()
        try:
            self.directory.rmdir()
        except OSError:
            self.say("%s holds other files too: kept" % self.directory)
        return found
