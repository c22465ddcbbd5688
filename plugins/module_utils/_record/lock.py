# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the liveSync runs of one control host apart: IDM itself has no lock.

The lock does not reach other hosts, nor from one execution environment's container into another.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import typing as t

from .._base.context import Context
from .._base.errors import IdmopsError


def lock_directory() -> str:
    """Return the directory of the locks: the user's own, made if need be.

    :raises IdmopsError: when it cannot be made or belongs to somebody else.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "idmops.idm", "locks")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.stat(path).st_uid != os.geteuid():
            raise OSError("it belongs to another user")
    except OSError as exc:
        raise IdmopsError(
            f"The directory {path} for the locks between liveSync runs cannot be used: {exc}.",
            remedy="Give the user a home directory or set XDG_CACHE_HOME to a directory of the user's own.",
        ) from exc
    return path


class RunLock:
    """The lock of one source, held. It remembers a run from before its POST until its end is known.

    So a task that comes after one that was interrupted, or that did not wait, knows of the run that may be going on.
    """

    def __init__(self, handle: t.TextIO) -> None:
        self._handle = handle

    def remember(self, run: t.Mapping[str, t.Any] | None) -> None:
        """Keep what is needed to know a run again; None forgets it."""
        self._handle.seek(0)
        self._handle.truncate()
        if run is not None:
            json.dump(dict(run), self._handle)
        self._handle.flush()

    def remembered(self) -> dict[str, t.Any] | None:
        """Return the run that was kept, None where its end became known, or there was none."""
        self._handle.seek(0)
        try:
            found = json.load(self._handle)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@contextlib.contextmanager
def run_lock(url: str, stage_id: str, context: Context, *, wait: float) -> t.Iterator[RunLock | None]:
    """Hold the lock of one source on one IDM; yield None where it was not got.

    :param url: IDM's base URL.
    :param wait: how long to wait for whoever has it, in seconds; 0 asks once.
    """
    name = hashlib.sha256(f"{url}\n{stage_id}".encode()).hexdigest()[:24]
    with open(os.path.join(lock_directory(), name), "a+", encoding="utf-8") as handle:
        end = context.clock.now() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                left = end - context.clock.now()
                if left <= 0:
                    yield None
                    return
                context.clock.sleep(min(0.1, left))
        yield RunLock(handle)  # closing the file, or the end of the process, lets the lock go
