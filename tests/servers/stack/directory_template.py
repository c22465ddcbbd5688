# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Build the OpenDJ template: set up, filled off line, change log on, started once.

``config/config.ldif.in`` of a template is the server's configuration with placeholders for the
ports and for the administrator's password. The connector account's password is generated with the
template and kept in it (``connector.password``); the administrator's is each copy's own.
"""

import os
import secrets
import shutil
import subprocess

from . import cache, fetch, java, people, ports, tls
from .directory import CONFIG, Directory, configure, environment, java_command
from .render import write_private
from .report import StackError, tail
from .settings import ALIAS, BASE_DN, CONF, ROOT_DN, STORE_PASSWORD

CHANGE_LOG = CONF / "ds" / "changelog.ldif"
# Dummies: setup writes them to the configuration, and they are replaced there.
SETUP_PORTS = {"LDAP_PORT": 11389, "LDAPS_PORT": 11636, "ADMIN_PORT": 11444}
SETUP_JAVA = "-Xmx256m -XX:TieredStopAtLevel=1 -Djava.io.tmpdir=%s"


def _swap(text, old, new, times=1):
    """Replace what must be there exactly so many times."""
    if text.count(old) != times:
        raise StackError(
            "The directory's configuration has %d times %r, expected %d." % (text.count(old), old, times))
    return text.replace(old, new)


def _store(kind, name, pin, type_name):
    return ("ds-cfg-%(kind)s-store-file: config/%(name)s\n%(pin)sds-cfg-%(kind)s-store-type: %(type)s\n"
            % {"kind": kind, "name": name, "pin": pin and "ds-cfg-%s-store-pin-file: config/%s\n" % (kind, pin),
               "type": type_name})


def config_template(text):
    """Turn the configuration that setup wrote into ours, with placeholders."""
    for name, port in SETUP_PORTS.items():
        text = _swap(text, "ds-cfg-listen-port: %d\n" % port, "ds-cfg-listen-port: @%s@\n" % name)
    text = text.replace("ds-cfg-listen-address: 0.0.0.0\n", "ds-cfg-listen-address: 127.0.0.1\n")
    text = _swap(text, "ds-cfg-ssl-cert-nickname: admin-cert\n", "ds-cfg-ssl-cert-nickname: %s\n" % ALIAS)
    for name in ("admin-keystore", "keystore"):
        pin = "%s.pin" % name
        text = _swap(text, _store("key", name, pin, "JKS"), _store("key", name, pin, "PKCS12"))
    for name in ("admin-truststore", "truststore"):
        text = _swap(text, _store("trust", name, "", "JKS"), _store("trust", name, "keystore.pin", "PKCS12"))
    head, mark, rest = text.partition("userPassword: {SSHA512}")
    if not mark:
        raise StackError("The directory's configuration has no password of its administrator.")
    text = head + "userPassword: @ROOT_PASSWORD@\n" + rest.partition("\n")[2]
    return text.rstrip("\n") + "\n" + CHANGE_LOG.read_text(encoding="utf-8")


def _run(command, folder, extra, what):
    log = folder.parent / "build.log"
    env = dict(os.environ)
    env.update(extra)
    with open(log, "ab") as output:
        done = subprocess.run(command, cwd=str(folder), env=env, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise StackError("%s failed. The end of %s:\n%s" % (what, log, tail(log)))


def _set_up(install, say):
    """A directory that is set up but empty; the same for any number of users."""
    material = tls.material(say)

    def build(folder):
        say("setting up OpenDJ (once)")
        work = folder / "work"
        shutil.copytree(str(install / "opendj"), str(work), symlinks=True)
        password = folder / "password"
        write_private(password, secrets.token_urlsafe(18) + "\n")
        _run([str(work / "setup"), "--cli", "--no-prompt", "--acceptLicense", "--noPropertiesFile", "-h", "localhost",
              "--ldapPort", str(SETUP_PORTS["LDAP_PORT"]), "--ldapsPort", str(SETUP_PORTS["LDAPS_PORT"]),
              "--adminConnectorPort", str(SETUP_PORTS["ADMIN_PORT"]), "--enableStartTLS",
              "--generateSelfSignedCertificate", "--rootUserDN", ROOT_DN, "--rootUserPasswordFile", str(password),
              "--baseDN", BASE_DN, "--addBaseEntry", "--doNotStart"],
             work, {"OPENDJ_JAVA_BIN": java.java(), "OPENDJ_JAVA_ARGS": SETUP_JAVA % folder}, "Setting up OpenDJ")
        instance = folder / "ds"
        instance.mkdir(mode=0o700)
        for name in ("bak", "changelogDb", "classes", "config", "db", "import-tmp", "ldif", "locks", "logs"):
            (work / name).rename(instance / name)
        (instance / "lib").symlink_to(install / "opendj" / "lib")
        (instance / "template").symlink_to(install / "opendj" / "template")
        config = instance / "config"
        text = config_template((instance / CONFIG).read_text(encoding="utf-8"))
        write_private(instance / (CONFIG + ".in"), text)
        for store in ("keystore", "admin-keystore"):
            shutil.copy(str(material / "server.p12"), str(config / store))
            write_private(config / (store + ".pin"), STORE_PASSWORD + "\n")
        for store in ("truststore", "admin-truststore"):
            shutil.copy(str(material / "trust.p12"), str(config / store))
        shutil.rmtree(str(work))
        password.unlink()

    recipe = cache.recipe_hash(fetch.LIST, CHANGE_LOG, cache.HERE / "directory_template.py", cache.HERE / "settings.py",
                               tls.recipe())
    return cache.build_once("ds-base-" + recipe, build, say)


def template(users, say):
    """The template for this number of users; built if it is not in the cache."""
    install = fetch.installed(say)
    recipe = cache.recipe_hash(fetch.LIST, CHANGE_LOG, cache.HERE / "directory_template.py",
                               cache.HERE / "directory.py", cache.HERE / "settings.py", cache.HERE / "people.py",
                               tls.recipe())

    def build(folder):
        base = _set_up(install, say)
        say("filling an OpenDJ template with %d users (once)" % users)
        instance = folder / "ds"
        shutil.copytree(str(base / "ds"), str(instance), symlinks=True)
        numbers = ports.find(str(folder))
        configure(instance, numbers, secrets.token_urlsafe(18))
        password = secrets.token_urlsafe(18)
        write_private(folder / "connector.password", password + "\n")
        data = folder / "people.ldif"
        write_private(data, people.ldif(users, password))
        rejected = folder / "rejected"
        _run(java_command(instance, "org.opends.server.tools.ImportLDIF", "--configFile", str(instance / CONFIG),
                          "--offline", "--backendID", "userRoot", "--ldifFile", str(data),
                          "--rejectFile", str(rejected), "--noPropertiesFile"),
             instance, environment(instance), "Loading %d users" % users)
        if rejected.exists() and rejected.stat().st_size:
            raise StackError("The directory rejected entries of the load:\n%s" % tail(rejected))
        data.unlink()
        if rejected.exists():
            rejected.unlink()
        server = Directory(instance, numbers, say)
        server.start()
        say("stopping the new OpenDJ template (about 10 s)")
        server.stop()
        for name in (CONFIG, CONFIG + ".startok", "output.log"):
            if (instance / name).exists():
                (instance / name).unlink()
        for name in ("logs", "locks", "config/archived-configs"):
            shutil.rmtree(str(instance / name), ignore_errors=True)
            (instance / name).mkdir()

    return cache.build_once("ds-%s-%d" % (recipe, users), build, say)
