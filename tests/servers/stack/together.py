# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Run steps at the same time."""

import threading


def together(say, *functions):
    """Run functions at the same time; the first error is raised when all have ended.

    An interrupt waits for them as well (a second one does not): they may have started a server.
    """
    errors = []
    ended = threading.Semaphore(0)  # not join: an interrupted join takes the thread for ended

    def guarded(function):
        try:
            function()
        except BaseException as exc:  # raised again below, in the caller's thread
            errors.append(exc)
        finally:
            ended.release()

    left = len(functions)
    for function in functions:
        threading.Thread(target=guarded, args=(function,), daemon=True).start()
    try:
        while left:
            ended.acquire()
            left -= 1
    except BaseException:
        say("interrupted: finishing the step at hand")
        while left:
            ended.acquire()
            left -= 1
        raise
    if errors:
        raise errors[0]
