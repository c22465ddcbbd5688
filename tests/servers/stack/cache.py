# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""The cache of downloads and templates: each item is built once, then only read."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil

from .process import PID_FILE, kill_leftover

HERE = pathlib.Path(__file__).resolve().parent


def cache_root():
    """The cache folder: IDMOPS_STACK_CACHE, else idmops-stack in the user's cache folder."""
    named = os.environ.get("IDMOPS_STACK_CACHE")
    if named:
        return pathlib.Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return pathlib.Path(base).expanduser().absolute() / "idmops-stack"


def recipe_hash(*parts):
    """A short hash of strings and of files of this package: another recipe, another hash."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for path in files:
                digest.update(str(path.relative_to(HERE)).encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        else:
            digest.update(("%s\n" % part).encode())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def locked(path, waiting=None):
    """Hold an exclusive lock on a file; ``waiting`` is called once if somebody else has it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if waiting:
                    waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_still(handle, path):
                yield
                return


def _is_still(handle, path):
    """False if the file was removed (and perhaps made again) while we waited for its lock."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def build_once(name, build, say):
    """Return the folder ``name`` of the cache; ``build(folder)`` fills it if it is not there yet.

    It is built under another name and then renamed, so that a folder of this name is always
    complete; a lock makes a second start wait for the first one's work instead of repeating it.
    """
    root = cache_root()
    final = root / name
    if final.is_dir():
        return final
    root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def waiting():
        say("another start is preparing %s: waiting for it" % name)

    with locked(root / (name + ".lock"), waiting):
        if final.is_dir():
            return final
        for left in root.glob(name + ".building-*"):  # of starts that were killed: we have the lock
            for pid_file in left.glob("*/" + PID_FILE):
                kill_leftover(pid_file)
            shutil.rmtree(left, ignore_errors=True)
        building = root / ("%s.building-%d" % (name, os.getpid()))
        building.mkdir(mode=0o700)
        build(building)
        os.rename(building, final)
    return final
