# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a program that goes on, and waits until it says that it is ready by writing a file.

``argv`` may name the folder that is made for it, {folder}; ``ready`` is the file's name there. Returns folder, pid and
the file's content. ``ended_background`` waits for its end.
"""

from __future__ import annotations

import pathlib
import subprocess
import tempfile
import time

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import Step, options


def operate(params, context):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="idmops."))
    ready, log = folder / params["ready"], folder / "log"
    argv = [part.replace("{folder}", str(folder)) for part in params["argv"]]
    with log.open("w", encoding="utf-8") as output:
        program = subprocess.Popen(  # nobody is left to wait for it, so it must end by itself in the worst case
            ["timeout", f"{params['limit']}", *argv],
            cwd=params["chdir"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + 60
    while not (ready.exists() and ready.stat().st_size):
        if program.poll() is not None or time.monotonic() > end:
            raise IdmopsError(f"{params['argv']} is not ready: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.05)
    return {
        "changed": True,
        "folder": str(folder),
        "pid": program.pid,
        "content": ready.read_text(encoding="utf-8").strip(),
    }


class ActionModule(Step):
    spec = options(
        argv={"type": "list", "elements": "str", "required": True},
        chdir={"type": "path", "required": True},
        ready={"type": "str", "required": True},
        limit={"type": "int", "default": 900},
    )
    operate = staticmethod(operate)
