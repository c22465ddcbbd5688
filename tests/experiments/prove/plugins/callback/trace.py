# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what the play is at, and waits where it is told to. Switched on by the experiments alone.

TRACE_FILE gets a line of JSON for each event: ``{"event": "start" | "end", "task": name, "status": how it ended}``.
TRACE_HOLD names files that hold the play up: a list of ``{event, task, number, file}``, where the number of tasks that
have ended counts if the task's name is empty. The play waits there until the file exists, or until somebody kills it.
"""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: trace
    type: notification
    short_description: tells what the play is at, and waits where it is told to
    description: Writes the events of a play to a file, and holds the play up until another file appears.
"""


class CallbackModule(CallbackBase):
    """Callbacks run in the main process: no further task begins while one of them waits."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "trace"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._file = os.environ["TRACE_FILE"]
        self._holds = json.loads(os.environ.get("TRACE_HOLD", "[]"))
        self._ended = 0

    def _tell(self, event, task, status=""):
        name = task.get_name().partition(" : ")[2] or task.get_name()
        with open(self._file, "a", encoding="utf-8") as trace:
            trace.write(json.dumps({"event": event, "task": name, "status": status}) + "\n")
        for hold in self._holds:
            if hold["event"] == event and (hold["task"] == name if hold["task"] else hold["number"] == self._ended):
                while not os.path.exists(hold["file"]):
                    time.sleep(0.02)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tell("start", task)

    def _end(self, result, status):
        if status != "skipped":
            self._ended += 1
        self._tell("end", result._task, status)

    def v2_runner_on_ok(self, result):
        self._end(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_skipped(self, result):
        self._end(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._end(result, "failed")

    def v2_runner_on_unreachable(self, result):
        self._end(result, "unreachable")
