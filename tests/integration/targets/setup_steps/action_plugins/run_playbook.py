# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a playbook of the collection as users do, at verbosity 4. It must fail if ``fails``, and otherwise end well.

Returns exit_code, stdout, and tasks_changed: how many tasks changed something.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.tests.integration.in_worker import SECRET, TEXT, Step, options

ENVIRONMENT = {
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOLOR": "true",
    "ANSIBLE_VERBOSITY": "4",
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
}


def operate(params, context):
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as variables:  # nobody else may read it
        variables.write(params["variables"])
        variables.flush()
        run = subprocess.run(
            [pathlib.Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-e", f"@{variables.name}",
             f"idmops.idm.{params['book']}", *params["options"]],
            env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    result = {
        "exit_code": run.returncode,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "tasks_changed": sum(map(int, re.findall(r"changed=(\d+)", run.stdout))),
    }
    if (run.returncode != 0) != params["fails"]:
        raise IdmopsError(f"The playbook {params['book']} ended with {run.returncode}.", result=result)
    return result


class ActionModule(Step):
    spec = options(
        book=TEXT,
        variables=SECRET,
        options={"type": "list", "elements": "str", "default": []},
        fails={"type": "bool", "default": False},
    )
    operate = staticmethod(operate)
