# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: installed from its archive, and only what tests it laid beside.

A file that the archive lacks is not there for the integration targets, though the repository has it.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from . import archive, steps, tree
from .places import BELOW, BUILD, LOGS, ROOT, environment

#: What the targets need and no user gets: the targets themselves, the servers that they start and stop, and what looks
#: for secrets in what was printed.
_BESIDE = (("tests", "integration"), ("tests", "servers"), ("tools", "__init__.py"), ("tools", "leaks.py"))


def is_beside(name: pathlib.PurePosixPath) -> bool:
    """Return whether a tracked file is laid beside the installed collection."""
    return name.parts[:2] in _BESIDE


def packed() -> pathlib.Path:
    """Build the archive of the tracked files, look it through, and return it; only within :func:`tree.exclusive`.

    :raises StepFailed: when it cannot be built, or is not the collection.
    """
    built = archive.build(tree.refresh(), BUILD / "tested")
    if not archive.look_through(built):
        raise steps.StepFailed("the archive")
    return built


def install(built: pathlib.Path, collections: pathlib.Path) -> pathlib.Path:
    """Install an archive into an empty collections path, as a user would, and return where the collection is.

    :param built: the archive.
    :param collections: the root, as in ANSIBLE_COLLECTIONS_PATH; what is there is removed.
    :raises StepFailed: when it cannot be installed.
    """
    shutil.rmtree(collections, ignore_errors=True)
    steps.run(
        f"installing {built.name} in {collections.name}",
        ["ansible-galaxy", "collection", "install", "--offline", "-p", str(collections), str(built)],
        LOGS / f"{collections.name}-install.log", cwd=BUILD,
        env=environment(ANSIBLE_COLLECTIONS_PATH=str(collections)),
    )  # fmt: skip
    return collections / BELOW


def with_tests(built: pathlib.Path, collections: pathlib.Path) -> pathlib.Path:
    """Install an archive, lay the integration targets beside it, and return where ansible-test can run them.

    :raises StepFailed: when it cannot be installed.
    """
    copy = install(built, collections)
    for name in filter(is_beside, tree.tracked()):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    # ansible-test asks git for the files: all that the copy is inside of is ignored in our repository
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    return copy
