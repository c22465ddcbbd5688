# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the tracked files in a real ``ansible_collections/idmops/idm`` path.

ansible-test insists on such a path and follows no link to one. It asks git for the files: the copy is a repository of
its own, since all that it is inside of is ignored in ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import os
import pathlib
import shutil
import subprocess
import typing as t

from . import steps
from .places import BELOW, BUILD, COLLECTIONS, ROOT


def tracked() -> list[pathlib.PurePosixPath]:
    """Return the files that git tracks and that exist, relative to the repository's root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    names = [pathlib.PurePosixPath(name) for name in listed.decode().split("\0") if name]
    return [name for name in names if (ROOT / name).is_file()]


@contextlib.contextmanager
def exclusive() -> t.Iterator[None]:
    """Keep others from working in the build folder meanwhile; waits for who does."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            steps.say(f"another run works in {BUILD}: waiting for its end (BUILD=other-folder keeps two runs apart)")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def refresh(collections: pathlib.Path = COLLECTIONS) -> pathlib.Path:
    """Make the copy equal to the tracked files, as they are in the work tree, and return its path.

    Only within :func:`exclusive`.

    :param collections: the root, as in ANSIBLE_COLLECTIONS_PATH, below which the copy lies.

    Files that did not change are left alone, so that tools that cache by time stamp gain from the copy before.
    """
    copy = collections / BELOW
    wanted = set(tracked())
    for folder, _folders, files in os.walk(copy, topdown=False):
        if ".git" in pathlib.Path(folder).relative_to(copy).parts:
            continue
        for file in files:
            path = pathlib.Path(folder, file)
            if pathlib.PurePosixPath(path.relative_to(copy)) not in wanted:
                path.unlink()
        if not os.listdir(folder):
            os.rmdir(folder)
    for name in wanted:
        source, target = ROOT / name, copy / name
        if not (target.is_file() and filecmp.cmp(source, target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if not (copy / ".git").is_dir():
        subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    return copy
