# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in threads: in order, so many at a time, and nobody has to wait for it."""

from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as StillRunning
from functools import partial

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.threads import side_by_side, start


def test_results_come_in_the_order_of_the_works():
    gates = [threading.Event() for unused in range(3)]

    def work(number):
        if number < 2:
            assert gates[number + 1].wait(5)  # the later one is done first
        gates[number].set()
        return number

    assert side_by_side([partial(work, number) for number in range(3)], 3) == [0, 1, 2]
    assert side_by_side([], 3) == []


def test_no_more_than_so_many_work_at_a_time():
    lock, now, most = threading.Lock(), [0], [0]
    meet = threading.Barrier(2)

    def work():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        meet.wait(5)
        with lock:
            now[0] -= 1

    side_by_side([work] * 6, 2)
    assert most == [2]


def test_one_that_fails_lets_the_others_end():
    done = []

    def fail():
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        side_by_side([fail, partial(done.append, 1), partial(done.append, 2)], 1)
    assert done == [1, 2]


def test_nobody_has_to_wait():
    gate = threading.Event()
    future = start(partial(gate.wait, 60))
    with pytest.raises(StillRunning):
        future.result(timeout=0.01)
    assert any(thread.daemon for thread in threading.enumerate() if thread is not threading.current_thread())
    gate.set()
    assert future.result(timeout=5) is True


def test_no_thread_keeps_a_program_from_its_end():
    assert side_by_side([lambda: threading.current_thread().daemon] * 2, 2) == [True, True]
    assert start(lambda: threading.current_thread().daemon).result(5) is True


@pytest.mark.parametrize(("works", "most", "threads"), [(3, 2, 2), (2, 3, 2), (1, 1, 1)])
def test_as_many_threads_as_there_is_work_for(monkeypatch, works, most, threads):
    begun, real = [], threading.Thread
    monkeypatch.setattr(threading, "Thread", lambda **how: begun.append(how) or real(**how))
    side_by_side([lambda: None] * works, most)
    assert len(begun) == threads
