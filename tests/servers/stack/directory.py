# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""One OpenDJ server."""

import base64
import hashlib
import os
import shutil

from . import java, ports
from .process import Server
from .render import render, write_private
from .settings import BASE_DN

READY = "msgID=135 "
CONFIG = "config/config.ldif"


def ssha512(password, salt=None):
    """The password as the directory stores it for its administrator."""
    salt = salt or os.urandom(8)
    digest = hashlib.sha512(password.encode("utf-8") + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode("ascii")


def configure(folder, numbers, password, server_id=1, replication_ports=()):
    """Write the configuration of a copy of the template.

    :param server_id: another one for each directory of those that replicate.
    :param replication_ports: of all that replicate; just its own where it is alone.
    """
    servers = ["ds-cfg-replication-server: localhost:%d" % port
               for port in replication_ports or [numbers["ds_replication"]]]
    text = (folder / (CONFIG + ".in")).read_text(encoding="utf-8")
    write_private(folder / CONFIG, render(text, {
        "LDAP_PORT": numbers["ds_ldap"], "LDAPS_PORT": numbers["ds_ldaps"], "ADMIN_PORT": numbers["ds_admin"],
        "REPLICATION_PORT": numbers["ds_replication"], "SERVER_ID": server_id,
        "REPLICATION_SERVERS": "\n".join(servers), "BASE_DN": BASE_DN, "ROOT_PASSWORD": ssha512(password)}))


def java_command(folder, *arguments, heap=192):
    """Command line of one of OpenDJ's programs for the directory in ``folder``; ``heap`` in MB."""
    return [java.java(), "-Xmx%dm" % heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true",
            "--add-exports=java.base/sun.security.x509=ALL-UNNAMED",
            "--add-exports=java.base/sun.security.tools.keytool=ALL-UNNAMED",
            "-cp", "%s/classes:%s/lib/bootstrap.jar:%s/lib/*" % (folder, folder, folder)] + list(arguments)


def environment(folder):
    """OpenDJ's programs do not start without these."""
    return {"INSTALL_ROOT": str(folder), "INSTANCE_ROOT": str(folder)}


class Directory(Server):
    """An OpenDJ server in ``folder``, on the ports ds_ldap, ds_ldaps, ds_admin, ds_replication of ``numbers``."""

    label = "OpenDJ"
    heap = 192

    def __init__(self, folder, numbers, say):
        super().__init__(folder, say)
        self.ports = {name: number for name, number in numbers.items() if name.startswith("ds_")}

    def create(self, template, password):
        """Lay down a new directory, a copy of the template; returns the connector account's password."""
        if self.folder.exists():
            shutil.rmtree(str(self.folder))
        shutil.copytree(str(template / "ds"), str(self.folder), symlinks=True)
        self.configure(password)
        return (template / "connector.password").read_text(encoding="utf-8").strip()

    def configure(self, password):
        """Write its configuration."""
        configure(self.folder, self.ports, password)

    def check_ports(self):
        ports.require_free(self.ports)

    def command(self):
        return java_command(
            self.folder, "-Dorg.opends.server.scriptName=start-ds", "org.opends.server.core.DirectoryServer",
            "--configFile", str(self.folder / CONFIG), "--nodetach", heap=self.heap)

    def environment(self):
        return environment(self.folder)

    def is_ready(self):
        return READY in self.output_since_start() and ports.wait_open(self.ports["ds_ldap"], 1)
