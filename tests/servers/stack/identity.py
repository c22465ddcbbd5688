# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""One OpenIDM server and the template that it is copied from."""

import http.client
import json
import shutil
import time

from . import cache, fetch, java, ports, tls
from .process import Server
from .render import render, write_private
from .report import StackError, indented
from .settings import ALIAS, CONF, CONNECTOR_DN, IDM_PASSWORD, IDM_USERNAME, PEOPLE_DN, STORE_PASSWORD

PROJECT = CONF / "idm"
CONNECTOR = "conf/provisioner.openicf-ldap.json"
SCRATCH = ("felix-cache", "logs")


def template(say):
    """A project folder whose server was started once: repository, users, keys. In the cache."""
    install = fetch.installed(say)
    material = tls.material(say)

    def build(folder):
        say("preparing an OpenIDM template (once)")
        numbers = ports.find(str(folder))
        server = Identity(folder / "idm", install, numbers, say)
        server.lay_down(material / "server.p12")
        server.start()
        server.stop()
        for name in SCRATCH + ("conf", "script", "output.log"):
            path = folder / "idm" / name
            if path.is_dir():
                shutil.rmtree(str(path))
            elif path.exists():
                path.unlink()

    recipe = cache.recipe_hash(fetch.LIST, fetch.LAUNCHER, PROJECT, cache.HERE / "identity.py",
                               cache.HERE / "settings.py", tls.recipe())
    return cache.build_once("idm-" + recipe, build, say)


class Identity(Server):
    """An OpenIDM server in ``folder``, on the ports idm_http and idm_https of ``numbers``."""

    label = "OpenIDM"
    #: Its name in the cluster.
    node = "node1"
    #: One of fetch.REPOSITORIES.
    repository = "orientdb"

    def __init__(self, folder, install, numbers, say, uncured=False):
        super().__init__(folder, say)
        self.install = install / ("idm-uncured" if uncured else "idm")
        self.ports = {name: number for name, number in numbers.items() if name.startswith("idm_")}

    def create(self):
        """Lay down a new server; its connector comes later, with ``connect``."""
        made = template(self.say)
        if self.folder.exists():
            shutil.rmtree(str(self.folder))
        self.take_over(made / "idm")
        self.lay_down()

    def take_over(self, made):
        """Begin with what the template's server made: its keys and, in its repository, its first users."""
        shutil.copytree(str(made), str(self.folder))

    def lay_down(self, key_store=None):
        """Write all configuration but the connector's; with ``key_store`` the key stores as well."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("logs", "security"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if key_store:
            # OpenIDM adds keys of its own to the first; the listener must offer nothing but the server certificate.
            for name in ("keystore.p12", "tls.p12"):
                shutil.copy(str(key_store), str(self.folder / "security" / name))
        for relative, text in self.configuration().items():
            write_private(self.folder / relative, text)

    def configuration(self):
        """Its files, but the connector's, and their texts."""
        values = {"PROJECT": self.folder, "HTTP_PORT": self.ports["idm_http"], "HTTPS_PORT": self.ports["idm_https"],
                  "NODE": self.node, "REPOSITORY": self.repository, "STORE_PASSWORD": STORE_PASSWORD, "ALIAS": ALIAS}
        sources = {str(source.relative_to(PROJECT)): source for source in sorted(PROJECT.rglob("*"))}
        return {relative: render(source.read_text(encoding="utf-8"), values) for relative, source in sources.items()
                if source.is_file() and relative != CONNECTOR}

    def connect(self, ldap_port, connector_password, failover=(), timeout=60):
        """Give it its LDAP connector, over REST: its conf folder is read at the start alone. It must be ready.

        This has to happen while the directory is up: a connector that is activated without its
        directory is dormant for liveSync ever after.

        :param failover: the LDAP ports of other directories that it may use.
        """
        text = (PROJECT / CONNECTOR).read_text(encoding="utf-8")
        document = json.loads(render(text, {
            "LDAP_PORT": ldap_port, "CONNECTOR_DN": CONNECTOR_DN, "PEOPLE_DN": PEOPLE_DN,
            "CONNECTOR_PASSWORD": connector_password}))
        if failover:
            document["configurationProperties"]["failover"] = ["ldap://localhost:%d" % port for port in failover]
        deadline = time.monotonic() + timeout
        status = body = None
        while time.monotonic() < deadline and self.running():
            status, body = self.request("PUT", "config/provisioner.openicf/ldap", document=document, timeout=30)
            if status in (200, 201):
                return
            time.sleep(0.1)
        raise StackError("OpenIDM does not take its connector: %s %s" % (status, json.dumps(body)))

    def has_connector(self):
        """True once ``connect`` was called: OpenIDM keeps a file of each configuration document."""
        return (self.folder / CONNECTOR).exists()

    def check_ports(self):
        ports.require_free(self.ports)

    def command(self):
        """The JVM that runs it.

        Its conf folder is read at the start and never again, as is recommended for production. With the default of 2 s
        each change that is sent over REST is read once more from the file that IDM keeps of it, and one that is sent at
        that moment is lost (seen, "Loaded changed configuration" in the log).
        """
        here, install = self.folder, self.install
        return [java.java(), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
                "-Djava.net.preferIPv4Stack=true", "-Djava.util.logging.config.file=%s/conf/logging.properties" % here,
                "-Dopenidm.system.server.root=%s" % install, "-Dopenidm.fileinstall.poll=86400000",
                "-cp", "%s/bin/*" % install,
                "org.forgerock.commons.launcher.Main", "-c", "%s/bin/launcher-%s.json" % (install, self.repository),
                "-i", str(install), "-p", str(here), "-w", str(here), "-s", "%s/felix-cache" % here]

    def log(self):
        found = sorted((self.folder / "logs").glob("idm.log*"), key=lambda path: path.stat().st_mtime)
        return found[-1] if found else self.output

    def last_words(self):
        found = self.log()
        if found == self.output:
            return super().last_words()
        text = found.read_text(encoding="utf-8", errors="replace")
        severe = [line for line in text.splitlines() if line.startswith("SEVERE")][-5:]
        return "\n".join([indented(text)] + ["  last errors in it:"] * bool(severe) + ["  " + line for line in severe])

    def request(self, method, path, timeout=5, document=None):
        """One call as the administrator: status and decoded body, or (None, None) if nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["idm_http"], timeout=timeout)
        content = b"" if document is None else json.dumps(document).encode("utf-8")
        try:
            connection.request(method, "/openidm/" + path, body=content, headers={
                "X-OpenIDM-Username": IDM_USERNAME, "X-OpenIDM-Password": IDM_PASSWORD, "X-OpenIDM-NoSession": "true",
                "Content-Type": "application/json", "Content-Length": str(len(content))})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read().decode("utf-8"))
        except (OSError, http.client.HTTPException):
            return None, None
        except ValueError:
            return answer.status, None
        finally:
            connection.close()

    def is_ready(self):
        status, body = self.request("GET", "info/ping")
        if not (status == 200 and isinstance(body, dict) and body.get("state") == "ACTIVE_READY"):
            return False
        # The first writes after a start compile the filter's script, several at a time, and those that come while it
        # is being compiled fail with "Script status is 8". This write is refused, and leaves it compiled.
        status, body = self.request("PUT", "managed/user/refused", document={"userName": "-", "description": "poison"})
        return status == 403

    def wait_connected(self, timeout=60):
        """Wait until the connector's own test says that it reaches the directory."""
        deadline = time.monotonic() + timeout
        body = None
        while time.monotonic() < deadline and self.running():
            dummy, body = self.request("POST", "system/ldap?_action=test")
            if isinstance(body, dict) and body.get("ok") is True:
                return
            time.sleep(0.1)
        raise StackError("OpenIDM's connector does not reach the directory: %s" % json.dumps(body))
