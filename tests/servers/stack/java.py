# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Find Java and Maven, and say clearly what is missing."""

import os
import re
import shutil
import subprocess

from .report import StackError

MINIMUM = 17


def major_version(text):
    """The major version in what ``java -version`` prints, or None."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def _tool(name):
    home = os.environ.get("JAVA_HOME")
    if home and os.access(os.path.join(home, "bin", name), os.X_OK):
        return os.path.join(home, "bin", name)
    return shutil.which(name)


def java():
    """Path of a Java that is new enough."""
    path = _tool("java")
    if not path:
        raise StackError(
            "Java was not found. OpenIDM and OpenDJ need Java %d or newer: install it "
            "(Debian: apt-get install openjdk-17-jdk-headless) or set JAVA_HOME." % MINIMUM)
    done = subprocess.run([path, "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)
    version = major_version(done.stdout)
    if version is None or version < MINIMUM:
        raise StackError("%s is %s, but Java %d or newer is needed: install it or set JAVA_HOME." % (
            path, "Java %s" % version if version else "no Java that tells its version", MINIMUM))
    return path


def keytool():
    """Path of the keytool program."""
    path = _tool("keytool")
    if not path:
        raise StackError("keytool, a part of Java, was not found: install a complete Java or set JAVA_HOME.")
    return path


def maven():
    """Path of Maven; it is needed only as long as something has to be downloaded."""
    path = shutil.which("mvn")
    if not path:
        raise StackError(
            "Maven (mvn) was not found. It downloads the servers once: install it "
            "(Debian: apt-get install maven).")
    return path
