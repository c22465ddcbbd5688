# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All of a release but publishing it: version, changelog, tag, an archive with a hash that others get too.

It works on a copy. Nothing in the repository changes, and no tag is set: the commands for that are printed.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import time
import typing as t

import yaml

from . import address, archive, reproducible, steps, tree
from .places import BELOW, BUILD, LOGS, ROOT, environment

_FOLDER = BUILD / "release"
#: A release by semantic versioning, which is no preview.
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_FRAGMENTS = pathlib.PurePosixPath("changelogs", "fragments")


class State(t.NamedTuple):
    """What decides whether there can be a release: as the repository has it."""

    version: str
    #: All tags.
    tags: t.Collection[str]
    #: Versions that the changelog has.
    released: t.Collection[str]
    #: Change notes that wait for their release.
    fragments: t.Collection[str]
    #: Tracked files that differ from the last commit.
    uncommitted: t.Collection[str]


def _git(*arguments: str) -> list[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()  # fmt: skip


def state() -> State:
    """Return how it is now."""
    changelog = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text("utf-8"))
    return State(
        address.galaxy()["version"],
        _git("tag", "--list"),
        list(changelog["releases"]),
        [name.name for name in tree.tracked() if name.parent == _FRAGMENTS and name.suffix in (".yml", ".yaml")],
        _git("diff", "--name-only", "HEAD"),
    )


def obstacles(found: State) -> list[str]:
    """Return what stands in the way of a release."""
    told = []
    if not _VERSION.fullmatch(found.version):
        told.append(f"version {found.version} of galaxy.yml is no release: it needs three numbers, as in 1.0.0")
    if found.version in found.tags:
        told.append(f"version {found.version} has its tag already: raise the version in galaxy.yml")
    if found.version not in found.released and not found.fragments:
        told.append(f"nothing says what version {found.version} changes: changelogs/fragments is empty")
    if found.uncommitted:
        told.append(f"not committed: {', '.join(sorted(found.uncommitted))}")
    return told


def has_section(changelog: str, version: str) -> bool:
    """Return whether CHANGELOG.md has a section of a version; it is written with all marks escaped."""
    return f"## v{version}" in changelog.replace("\\.", ".").splitlines()


def _changelog(copy: pathlib.Path, found: State) -> None:
    """Write the changelog of the release in a copy, from the fragments."""
    day = time.strftime("%Y-%m-%d", time.gmtime(reproducible.moment()))
    # a version without a tag has never been published: what waits still belongs to it
    again = ["--update-existing"] if found.version in found.released else []
    steps.run(
        f"the changelog of {found.version}, from {len(found.fragments)} fragments",
        ["antsibull-changelog", "release", "--version", found.version, "--date", day, "--reload-plugins", *again],
        LOGS / "release-changelog.log", cwd=copy, env=environment(ANSIBLE_COLLECTIONS_PATH=str(_root(copy))),
    )  # fmt: skip


def _root(copy: pathlib.Path) -> pathlib.Path:
    return copy.parents[len(BELOW.parts) - 1]


def _another(copy: pathlib.Path) -> pathlib.Path:
    """Return a second copy of equal files that were written in another order, at another time."""
    root = _FOLDER / "again"
    shutil.rmtree(root, ignore_errors=True)
    for path in sorted((path for path in copy.rglob("*") if path.is_file()), reverse=True):
        name = path.relative_to(copy)
        if name.parts[0] != ".git":
            target = root / BELOW / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            os.utime(target, (1, 1))
    return root / BELOW


def _how_to_publish(version: str, built: pathlib.Path, hashed: str) -> str:
    return f"""
To publish {version}:
  antsibull-changelog release && git add -A && git commit -m "Release {version}"
                                  # with --update-existing where the changelog has {version} already
  make release-check              # its SHA-256 is that of the archive below then
  git tag --sign {version} -m "idmops.idm {version}" && git push origin {version}
  make build                      # build/archive/{built.name}

To sign it as Automation Hub does, with a detached signature of MANIFEST.json, which has the checksum of all the rest:
  tar -xzOf build/archive/{built.name} MANIFEST.json > MANIFEST.json
  gpg --armor --detach-sign --local-user KEY --output MANIFEST.json.asc MANIFEST.json
Whoever has the archive, the signature and the public key in a keyring checks it with
  tar -xzOf {built.name} MANIFEST.json > MANIFEST.json
  gpg --no-default-keyring --keyring ./KEYRING --verify MANIFEST.json.asc MANIFEST.json
and ansible-galaxy compares the rest with MANIFEST.json when it installs. Where a hub serves the signature, that is all
done by: ansible-galaxy collection install idmops.idm --keyring KEYRING

version {version}, tag {version}, {built.name}
SHA-256 {hashed}"""


def main() -> int:
    """Do it all, and say what is left to do by hand."""
    with tree.exclusive():
        return _check(state())


def _check(found: State) -> int:
    told = obstacles(found)
    copy = tree.refresh(_FOLDER / "copy")
    if found.fragments:
        _changelog(copy, found)
    if not has_section((copy / "CHANGELOG.md").read_text("utf-8"), found.version):
        told.append(f"CHANGELOG.md has no section for {found.version}")
    first = archive.build(copy, _FOLDER / "archive")
    second = archive.build(_another(copy), _FOLDER / "archive-again")
    if reproducible.digest(first) != reproducible.digest(second):
        told.append(f"{first} and {second} were built of equal files and differ")
    if not archive.look_through(first):
        told.append("the archive is not what it should be")
    print(_how_to_publish(found.version, first, reproducible.digest(first)), flush=True)
    for line in told:
        steps.say(f"FAILED: {line}")
    return int(bool(told))


if __name__ == "__main__":
    steps.main(main)
