# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several long steps at a time."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

Ended = t.TypeVar("Ended")

#: Does its work and returns what came of it; gives up when the event is set.
Task = t.Callable[[threading.Event], Ended]


def run(tasks: t.Iterable[Task[Ended]], workers: int) -> list[Ended]:
    """Do all tasks, so many at a time, and return what came of each, in their order.

    When one raises, or the program is interrupted, the others are ended and waited for.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(task, stop) for task in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
