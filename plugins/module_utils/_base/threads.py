# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work in threads that nobody has to wait for.

A pool of the standard library waits for its threads whatever happens, so that a task that is interrupted, or whose
keyword ``timeout`` is up, would go on until the server answers. These are left behind and end with the process.
"""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import Future, wait

T = t.TypeVar("T")


def start(work: t.Callable[[], T]) -> Future[T]:
    """Begin the work in a thread of its own."""
    future: Future[T] = Future()
    threading.Thread(target=_do, args=(iter([(future, work)]),), daemon=True).start()
    return future


def side_by_side(works: t.Sequence[t.Callable[[], T]], most: int) -> list[T]:
    """Do all works, at most so many at a time; return what they returned, in their order.

    :raises: what the first of them that failed has raised, when all have ended.
    """
    futures: list[Future[T]] = [Future() for unused in works]
    left = _Shared(zip(futures, works))
    for _number in range(min(most, len(works))):
        threading.Thread(target=_do, args=(left,), daemon=True).start()
    wait(futures)
    return [future.result() for future in futures]


class _Shared:
    """An iterator that several threads take from."""

    def __init__(self, items: t.Iterator[t.Any]) -> None:
        self._items = items
        self._lock = threading.Lock()

    def __iter__(self) -> _Shared:
        return self

    def __next__(self) -> t.Any:
        with self._lock:
            return next(self._items)


def _do(works: t.Iterator[tuple[Future[t.Any], t.Callable[[], t.Any]]]) -> None:
    for future, work in works:
        try:
            future.set_result(work())
        except BaseException as exc:  # it is raised where the result is asked for
            future.set_exception(exc)
