# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints what tasks returned as one JSON document at the end, as the callback ansible.posix.json does."""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: one_document
type: stdout
short_description: Prints one JSON document
description: [A callback of the tests alone.]
"""


class CallbackModule(CallbackBase):
    """Keeps whether tasks succeeded, and prints that when the play is over."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "one_document"

    def __init__(self, display=None):
        super().__init__(display)
        self.ended = []

    def v2_runner_on_ok(self, result):
        """Keep a success."""
        self.ended.append("ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Keep a failure."""
        self.ended.append("failed")

    def v2_playbook_on_stats(self, stats):
        """Print the document."""
        self._display.display(json.dumps({"ended": self.ended}, indent=4))
