# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""The one error of the stack, and lines that tell how a long step gets on."""

import sys
import threading
import time


class StackError(Exception):
    """Something a person can act upon: the message says what and what to do."""


class Progress:
    """Prints one line a step, with the seconds since the beginning."""

    def __init__(self, quiet=False, stream=None):
        self._began = time.monotonic()
        self._quiet = quiet
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, text):
        if self._quiet:
            return
        with self._lock:
            stream = self._stream or sys.stdout
            stream.write("[%6.1f s] %s\n" % (time.monotonic() - self._began, text))
            stream.flush()


def tail(path, lines=25):
    """The last lines of a log file, indented; says so where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        return "  (no log: %s)" % exc
    return indented(text, lines) or "  (the log %s is empty)" % path


def indented(text, lines=25):
    """The last lines of a text, indented."""
    return "\n".join("  " + line for line in text.strip().splitlines()[-lines:])
