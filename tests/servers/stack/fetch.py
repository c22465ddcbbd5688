# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Download the servers' published artifacts and lay them out as an install folder.

The folder holds ``idm/`` (bin, bundle, repositories, connectors: shared by all OpenIDM servers and never written
to), ``idm-uncured/`` (the same with the LDAP connector as it is published) and ``opendj/`` (the unpacked directory
server).
"""

import pathlib
import re
import shutil
import subprocess
import time
import zipfile
from xml.sax.saxutils import escape

from . import cache, java
from .render import render
from .report import StackError, tail

LIST = cache.HERE / "conf" / "artifacts.txt"
LAUNCHER = cache.HERE / "conf" / "launcher.json"
#: Which repositories there are: each has bundles of its own, and a launcher's configuration that takes them.
REPOSITORIES = ("orientdb", "jdbc")
PARTS = ("bin", "bundle", "connectors") + tuple("repo-" + name for name in REPOSITORIES)
# OpenDJ 4.x cuts or forgets a connection after some 1,000 abandoned operations, and JNDI abandons a search whenever it
# is closed before its end has been read: a liveSync of more than some 3,000 changes never gets through (seen). With a
# batch size of 0 JNDI reads to the end first. It looks for this file where the connector's classes are.
CURE = ("jndi.properties", "java.naming.batchsize=0\n")
# A newer plug-in reads each artifact's POM, and a parent POM of OpenIDM was never published.
PLUGIN = "2.10"

# What Maven adds to every error.
ADVICE = ("re-run Maven", "Re-run Maven", "For more information", "[Help 1] http")

ITEM = """   <artifactItem><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>
     <type>%s</type><outputDirectory>${project.basedir}/stage/%s</outputDirectory></artifactItem>"""

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
 <modelVersion>4.0.0</modelVersion>
 <groupId>idmops</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>
 <build><plugins><plugin>
  <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>%s</version>
  <configuration><prependGroupId>true</prependGroupId><artifactItems>
%s
  </artifactItems></configuration>
 </plugin></plugins></build>
</project>
"""


def coordinates(text):
    """Read the list: tuples of folder, group, artifact, version, type."""
    found = []
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        folder, coordinate = line.split()
        match = re.match(r"^([^:]+):(\{[^}]+\}|[^:]+):([^:]+)(?::([^:]+))?$", coordinate)
        if not match:
            raise StackError("%s: not a coordinate: %s" % (LIST.name, line))
        group, artifacts, version, kind = match.groups()
        for artifact in artifacts.strip("{}").split(","):
            found.append((folder, group, artifact, version, kind or "jar"))
    return found


def pom(items):
    """The project file that makes Maven copy these items."""
    lines = [ITEM % tuple(escape(v) for v in (group, artifact, version, kind, folder))
             for folder, group, artifact, version, kind in items]
    return POM % (PLUGIN, "\n".join(lines))


def reason(log):
    """What Maven says went wrong: its first error lines, else the end of its output."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    errors = [line for line in text.splitlines() if line.startswith("[ERROR]")]
    told = [line for line in errors if line.strip() != "[ERROR]" and not any(word in line for word in ADVICE)]
    return "\n".join("  " + line for line in told[:3]) or tail(log)


def _run_maven(folder, repository, count, say):
    log = folder / "maven.log"
    command = [java.maven(), "-B", "-C", "-Dstyle.color=never", "-Dmaven.repo.local=%s" % repository,
               "org.apache.maven.plugins:maven-dependency-plugin:%s:copy" % PLUGIN]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=str(folder), stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
    try:
        told = time.monotonic()
        while process.poll() is None:
            time.sleep(0.3)
            if time.monotonic() - told > 8:
                told = time.monotonic()
                size = sum(p.stat().st_size for p in repository.rglob("*") if p.is_file()) if repository.is_dir() else 0
                say("downloading %d artifacts: %d MB so far, about 125 in all" % (count, size // 1000000))
    except FileNotFoundError:
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode:
        raise StackError("The download from Maven Central failed (what has arrived is kept, so just try again):\n%s\n"
                         "The whole log: %s" % (reason(log), log))


def _unzip(archive, target):
    """Unpack and keep the execution bits, which zipfile alone drops."""
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            path = packed.extract(info, target)
            mode = info.external_attr >> 16
            if mode and not info.is_dir():
                (target / path).chmod(mode & 0o755)


def _single(folder, pattern):
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise StackError("Expected one file %s in the download, found %d." % (pattern, len(found)))
    return found[0]


def cure(jar):
    """Make a connector read its searches to the end, see CURE."""
    with zipfile.ZipFile(jar, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(*CURE)


def _lay_out(stage, folder):
    """The cured and the uncured OpenIDM, from what was downloaded."""
    idm, uncured = folder / "idm", folder / "idm-uncured"
    for made in (idm, uncured):
        made.mkdir()
    for part in PARTS:
        (stage / part).rename(idm / part)
        if part != "connectors":
            (uncured / part).symlink_to(pathlib.Path("..") / "idm" / part)
    shutil.copytree(str(idm / "connectors"), str(uncured / "connectors"))
    cure(_single(idm / "connectors", "*.ldap-connector-*.jar"))
    for repository in REPOSITORIES:
        text = render(LAUNCHER.read_text(encoding="utf-8"), {"REPOSITORY": repository})
        (idm / "bin" / ("launcher-%s.json" % repository)).write_text(text, encoding="utf-8")
    return idm


def installed(say):
    """The install folder in the cache; downloaded if it is not there yet."""
    items = coordinates(LIST.read_text(encoding="utf-8"))
    name = "install-" + cache.recipe_hash(LIST, LAUNCHER, PLUGIN, *CURE)

    def build(folder):
        java.maven()
        say("downloading %d artifacts from Maven Central (once)" % len(items))
        repository = cache.cache_root() / "maven"
        (folder / "pom.xml").write_text(pom(items), encoding="utf-8")
        _run_maven(folder, repository, len(items), say)
        say("downloaded; unpacking")
        stage = folder / "stage"
        idm = _lay_out(stage, folder)
        with zipfile.ZipFile(_single(stage, "launcher/*.zip")) as packed:
            inside = [n for n in packed.namelist() if n.endswith("bin/launcher.jar")]
            with packed.open(inside[0]) as source, open(idm / "bin" / "launcher.jar", "wb") as target:
                shutil.copyfileobj(source, target)
        _unzip(_single(stage, "opendj/*.zip"), folder / "unpacked")
        _single(folder / "unpacked", "*").rename(folder / "opendj")
        shutil.rmtree(stage)
        shutil.rmtree(folder / "unpacked")
        shutil.rmtree(repository, ignore_errors=True)

    return cache.build_once(name, build, say)
