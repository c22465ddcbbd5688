# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""PostgreSQL's and HAProxy's programs and ss, as the operating system's packages lay them down."""

import os
import pathlib
import pwd
import shutil

from ..stack.report import StackError

#: Debian keeps PostgreSQL's server programs off the PATH, a folder for each version.
POSTGRESQL = "/usr/lib/postgresql"
#: Whom the server runs as when we are root, which it refuses to be.
UNPRIVILEGED = ("postgres", "nobody")
ADVICE = "make topology installs it as root on a Debian-like system; elsewhere install %s and put it on the PATH."


def newest(folder):
    """The folder of the newest version's programs below ``folder``, or None."""
    found = [path for path in pathlib.Path(folder).glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".")], default=None)


def postgresql(name):
    """Path of one of PostgreSQL's programs, all of the same version."""
    packaged = newest(POSTGRESQL)
    path = str(packaged / name) if packaged else shutil.which(name)
    if not path:
        raise StackError("PostgreSQL's %s was not found: %s" % (name, ADVICE % "PostgreSQL 12 or newer"))
    return path


def haproxy():
    """Path of HAProxy; /usr/sbin is not on everybody's PATH."""
    path = shutil.which("haproxy", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if not path:
        raise StackError("HAProxy was not found: %s" % (ADVICE % "HAProxy 2.2 or newer"))
    return path


def ss():
    """Path of ss, which cuts lines."""
    path = shutil.which("ss", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    if not path:
        raise StackError("ss was not found: %s" % (ADVICE % "iproute2"))
    return path


def owner():
    """Whom PostgreSQL runs as: an entry of the passwd file, None where it runs as we do."""
    if os.geteuid():
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackError("PostgreSQL does not run as root, and there is none of the users %s." % ", ".join(UNPRIVILEGED))


def as_owner(command, user):
    """A command line, run as that user.

    It keeps the right to pass folders that only root may enter: a topology may lie below one.
    """
    if user is None:
        return command
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise StackError("setpriv was not found, which makes root somebody else (Debian: util-linux).")
    return [setpriv, "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
            "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"] + command
