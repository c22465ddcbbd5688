# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""One certificate authority and one server certificate for all listeners of the stack.

The certificate is good for ``localhost``, ``127.0.0.1`` and this machine's own name: OpenLDAP's client
library compares a certificate with that name when it was told to connect to ``localhost``. The
authority signs nothing else and its key is thrown away.
"""

import re
import socket
import subprocess

from . import cache, java
from .report import StackError
from .settings import ALIAS, STORE_PASSWORD


def _keytool(folder, *arguments, **options):
    # The store's password is in a file: no password on a command line.
    (folder / "password").write_text(STORE_PASSWORD, encoding="ascii")
    done = subprocess.run([java.keytool()] + list(arguments) + ["-storepass:file", "password"], cwd=str(folder),
                          input=options.get("input", b""), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise StackError("keytool %s failed:\n  %s" % (
            arguments[0], (done.stdout + done.stderr).decode("utf-8", "replace").strip()))
    return done.stdout


def _authority(folder, store, name):
    _keytool(folder, "-genkeypair", "-keystore", store, "-storetype", "PKCS12", "-alias", "ca", "-keyalg", "RSA",
             "-keysize", "2048", "-validity", "3650", "-dname", "CN=%s" % name,
             "-ext", "bc:critical=ca:true", "-ext", "ku:critical=keyCertSign,cRLSign")
    return _keytool(folder, "-exportcert", "-rfc", "-keystore", store, "-alias", "ca")


def host_names():
    """``localhost`` and the names of this machine that a certificate can carry."""
    own = socket.gethostname()
    names = ["localhost", own]
    try:
        names += [found[3] for found in socket.getaddrinfo(own, None, flags=socket.AI_CANONNAME) if found[3]]
    except OSError:
        pass
    usable = [name for name in names if re.match(r"^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)*$", name)]
    return list(dict.fromkeys(usable))


def _build(folder):
    authority = _authority(folder, "ca.p12", "stack test authority")
    (folder / "ca.pem").write_bytes(authority)
    (folder / "other-ca.pem").write_bytes(_authority(folder, "other.p12", "stack other authority"))
    _keytool(folder, "-genkeypair", "-keystore", "server.p12", "-storetype", "PKCS12", "-alias", ALIAS,
             "-keyalg", "RSA", "-keysize", "2048", "-validity", "3650", "-dname", "CN=localhost")
    request = _keytool(folder, "-certreq", "-keystore", "server.p12", "-alias", ALIAS)
    names = ["dns:" + name for name in host_names()] + ["ip:127.0.0.1"]
    signed = _keytool(folder, "-gencert", "-rfc", "-keystore", "ca.p12", "-alias", "ca", "-validity", "3650",
                      "-ext", "san=" + ",".join(names), "-ext", "ku:critical=digitalSignature,keyEncipherment",
                      "-ext", "eku=serverAuth,clientAuth", input=request)
    _keytool(folder, "-importcert", "-noprompt", "-keystore", "server.p12", "-alias", ALIAS, input=signed + authority)
    _keytool(folder, "-importcert", "-noprompt", "-keystore", "trust.p12", "-storetype", "PKCS12",
             "-alias", "ca", "-file", "ca.pem")
    for name in ("ca.p12", "other.p12", "password"):
        (folder / name).unlink()


def recipe():
    """Hash of all that decides about the certificate."""
    return cache.recipe_hash(cache.HERE / "tls.py", cache.HERE / "settings.py", *host_names())


def material(say):
    """Folder with server.p12, trust.p12, ca.pem and other-ca.pem (an authority that signed nothing)."""
    return cache.build_once("tls-" + recipe(), _build, say)
