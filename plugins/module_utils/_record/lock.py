# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the liveSync runs of one control host apart, where IDM keeps no run record.

The lock does not reach other hosts, nor from one execution environment's container into another.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import stat
import typing as t

from .._base.address import one_spelling
from .._base.context import Context
from .._base.errors import IdmopsError
from .._changelog.anchor import Anchor


def lock_directory() -> str:
    """Return where the directory of the locks is: among what the user's own programs keep.

    A relative path would be another one for each task, and is to be ignored (XDG Base Directory Specification).
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "idmops.idm", "locks")


@contextlib.contextmanager
def _usable(path: str) -> t.Iterator[None]:
    """Make an error of the operating system's one that is worth a sentence, so that it ends one source and not all."""
    try:
        yield
    except OSError as exc:
        raise IdmopsError(
            f"The directory {path} for the locks between liveSync runs cannot be used: {exc.strerror or exc}.",
            remedy="Give the user a home directory or set XDG_CACHE_HOME to a directory of the user's own, where nobody"
            " else may write.",
        ) from exc


def _open_file(path: str, name: str) -> io.FileIO:
    """Open a file of the directory of the locks, made if need be, which nobody else can have put there.

    No link is followed: it would have another file of the user's overwritten.

    :raises OSError: when it cannot be made, or somebody else may write there.
    """
    os.makedirs(path, mode=0o700, exist_ok=True)
    if os.path.islink(path):
        raise OSError("it is a link")
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid():
            raise OSError("it belongs to another user")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise OSError("other users may write there (chmod 0700 once nothing strange is in it)")
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    finally:
        os.close(folder)
    os.fchmod(file, 0o600)
    return io.FileIO(file, "r+")


class RunLock:
    """The lock of one source, held. It remembers a run from before its POST until its end is known.

    So a task that comes after one that was interrupted, or that did not wait, knows of the run that may be going on.
    """

    kind = "local"
    anchor: Anchor | None = None

    def __init__(self, handle: io.FileIO) -> None:
        self._handle = handle
        self._path = lock_directory()

    def remember(self, run: t.Mapping[str, t.Any] | None) -> None:
        """Keep what is needed to know a run again; None forgets it.

        :raises IdmopsError: when it cannot be written.
        """
        with _usable(self._path):
            self._handle.seek(0)
            self._handle.truncate()
            text = b"" if run is None else json.dumps(dict(run)).encode()
            if self._handle.write(text) != len(text):
                raise OSError("there is no space left")

    def note(self, outcome: str, *, failed: bool, **unused: t.Any) -> None:
        """Note how a run of ours has ended: no other host would see it here."""

    def remembered(self) -> dict[str, t.Any] | None:
        """Return the run that was kept, None where its end became known, or there was none."""
        self._handle.seek(0)
        try:
            found = json.loads(self._handle.read())
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@contextlib.contextmanager
def run_lock(url: str, stage_id: str, context: Context, *, wait: float) -> t.Iterator[RunLock | None]:
    """Hold the lock of one source on one IDM; yield None where it was not got.

    :param url: IDM's base URL.
    :param wait: how long to wait for whoever has it, in seconds; 0 asks once.
    :raises IdmopsError: where there is no place for it.
    """
    name = hashlib.sha256(f"{one_spelling(url)}\n{stage_id}".encode()).hexdigest()[:24]
    path = lock_directory()
    with _usable(path):
        handle = _open_file(path, name)
    with handle:  # closing the file, or the end of the process, lets the lock go
        yield RunLock(handle) if _got(handle, path, context, wait) else None


def _got(handle: io.FileIO, path: str, context: Context, wait: float) -> bool:
    end = context.clock.now() + wait
    while True:
        with _usable(path):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                left = end - context.clock.now()
        if left <= 0:
            return False
        context.clock.sleep(min(0.1, left))
