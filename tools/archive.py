# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection archive: built from the work tree, looked through, installed on trial."""

from __future__ import annotations

import pathlib
import shutil
import tarfile
import typing as t

from . import reproducible, steps, tree
from .places import BUILD, LOGS, ROOT, environment

#: What a collection is made of, by its first path element.
_FILES = {
    "CHANGELOG.md", "CONTRIBUTING.md", "COPYING", "README.md", "REUSE.toml", "SECURITY.md", "bindep.txt",
    "requirements.txt",
}  # fmt: skip
#: Which Pythons the modules are for: Automation Hub runs ansible-test on the archive, and that reads it.
_CONFIG = pathlib.PurePosixPath("tests", "config.yml")
_FOLDERS = {"LICENSES", "changelogs", "docs", "meta", "playbooks", "plugins", "roles"}
#: Written by ansible-galaxy.
_MADE = {"FILES.json", "MANIFEST.json"}
#: Change notes that wait for their release: of use in the repository only.
_UNRELEASED = ("changelogs", "fragments")
_TYPES = {".cron", ".j2", ".json", ".md", ".py", ".rst", ".service", ".timer", ".txt", ".yaml", ".yml"}


def is_expected(name: pathlib.PurePosixPath) -> bool:
    """Return whether a file of this name belongs in the archive."""
    if len(name.parts) == 1:
        return str(name) in _FILES | _MADE
    if name == _CONFIG:
        return True
    return name.parts[0] in _FOLDERS and name.parts[:2] != _UNRELEASED and name.suffix in _TYPES


def findings(packed: t.Iterable[pathlib.PurePosixPath], tracked: t.Iterable[pathlib.PurePosixPath]) -> list[str]:
    """Return what is wrong with an archive of these files: what it should not hold, and what it lacks."""
    made = {pathlib.PurePosixPath(name) for name in _MADE}
    held, known = set(packed), set(tracked)
    strange = {name for name in held if not is_expected(name)}
    wanted = {name for name in known if is_expected(name)} | made
    return [
        *(f"not a part of a collection: {name}" for name in sorted(strange)),
        *(f"not tracked by git: {name}" for name in sorted(held - strange - known - made)),
        *(f"missing: {name}" for name in sorted(wanted - held)),
    ]


def build(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Build the archive of a collection, the same one whenever and wherever that is done, and return it.

    :param source: the collection.
    :param folder: where the archive shall be, and nothing else.
    :raises StepFailed: when it cannot be built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    steps.run(
        "ansible-galaxy collection build",
        ["ansible-galaxy", "collection", "build", "--output-path", str(folder), str(source)],
        LOGS / "archive-build.log", cwd=source, env=environment(),
    )  # fmt: skip
    (archive,) = folder.glob("*.tar.gz")
    reproducible.normalise(archive, reproducible.moment())
    return archive


def look_through(archive: pathlib.Path) -> bool:
    """Return whether an archive holds the collection and nothing else; say what it does not."""
    with tarfile.open(archive) as opened:
        packed = [pathlib.PurePosixPath(member.name) for member in opened if not member.isdir()]
    wrong = findings(packed, tree.tracked())
    for line in wrong:
        steps.say(f"  {line}")
    if wrong:
        steps.say(f"FAILED: {archive} holds something else than the collection (see build_ignore in galaxy.yml)")
    else:
        size = archive.stat().st_size // 1024
        steps.say(f"{archive}: {len(packed)} files, {size} KiB, nothing but the collection")
    return not wrong


def main() -> int:
    """Build, look through, install and list; the archive stays in build/archive."""
    trial = BUILD / "trial"
    shutil.rmtree(trial, ignore_errors=True)
    env = environment(ANSIBLE_COLLECTIONS_PATH=str(trial))
    archive = build(ROOT, BUILD / "archive")
    if not look_through(archive):
        return 1
    steps.run(
        "installing it on trial",
        ["ansible-galaxy", "collection", "install", "--offline", "-p", str(trial), str(archive)],
        LOGS / "archive-install.log", cwd=BUILD, env=env,
    )  # fmt: skip
    steps.run(
        "listing its modules",
        ["ansible-doc", "--list", "idmops.idm"],
        LOGS / "archive-list.log", cwd=BUILD, env=env, telling=steps.beginning("idmops.idm."),
    )  # fmt: skip
    steps.say(f"SHA-256 {reproducible.digest(archive)}")
    return 0


if __name__ == "__main__":
    steps.main(main)
