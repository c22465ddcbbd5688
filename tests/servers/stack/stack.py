# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A pair of servers in one folder: what the command line and the tests use."""

import pathlib
import typing as t

from . import directory_template
from .bed import Bed
from .directory import Directory
from .identity import Identity
from .together import together
from .variables import variables


class Stack(Bed):
    """OpenIDM and OpenDJ in ``directory``; ``idm=False`` for a directory server alone.

    ``ds`` and ``idm`` are the servers: each has start, stop, kill, restart, running, wait_ready.

    :param uncured: with the LDAP connector as it is published, see ``fetch.CURE``.
    """

    keys = Bed.keys | {"idm"}
    folders = ("ds", "idm")

    def __init__(self, directory, users=None, port_base=None, idm=True, uncured=None, say=None):
        self.ds = t.cast(t.Any, None)  # a Directory
        self.idm: t.Any = None  # an Identity
        super().__init__(directory, {"users": users, "port_base": port_base, "idm": idm, "uncured": uncured}, say)

    def _plan_more(self):
        return {"idm": self._wanted["idm"]}

    def _make_servers(self):
        known = self._known
        if not self._fits():
            return
        if self.ds is None:
            self.ds = Directory(self.directory / "ds", known["ports"], self.say)
        if self.idm is None and known["idm"]:
            self.idm = Identity(self.directory / "idm", pathlib.Path(known["install"]), known["ports"], self.say,
                                known["uncured"])

    def _forget_servers(self):
        self.ds = self.idm = None

    def _named(self, name):
        return getattr(self, name)

    def _variables(self):
        return variables(self.directory, self._known)

    def _create(self, names):
        def directory():
            self._known["connector_password"] = self.ds.create(
                directory_template.template(self._known["users"], self.say), self._known["ds_password"])

        work = {"ds": directory}
        if self.idm:
            work["idm"] = self.idm.create
        together(self.say, *[work[name] for name in work if name in names])

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
        self._renew(names or self.folders)
