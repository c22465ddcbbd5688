# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One module run in a process of its own, and the most memory that this process took.

python -m tests.experiments.prove._measured, with {collections, module, options} as JSON on stdin; what it tells comes
as JSON on stdout. Nothing else is in that process but what Ansible has in its own too.
"""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys
import time
import typing as t

from tools.places import ROOT, environment


class Measured(t.NamedTuple):
    """What a module told, and what that took.

    :param took: seconds, ``worked``: those that the process itself had a processor for.
    :param before: megabytes of the process when all was imported, ``peak``: the most it ever had.
    """

    told: dict[str, t.Any]
    took: float
    worked: float
    before: float
    peak: float


def measured(collections: pathlib.Path, module: str, **options: t.Any) -> Measured:
    """Run a module, and return what it told and took.

    :param collections: the folder that ansible_collections is in.
    :raises RuntimeError: where it ends in an error that is none of the collection's.
    """
    given = json.dumps({"collections": str(collections), "module": module, "options": options})
    command = [sys.executable, "-m", "tests.experiments.prove._measured"]
    done = subprocess.run(
        command, input=given, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module}: {done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout))


def _megabytes(what: str) -> float:
    """Return a line of this process's status (proc(5)): VmRSS, or VmHWM, the highest that was."""
    lines = pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1000


def _main() -> None:
    given = json.load(sys.stdin)
    sys.path.insert(0, given["collections"])
    base = "ansible_collections.idmops.idm.plugins"
    module = importlib.import_module(f"{base}.modules.{given['module']}")
    context = importlib.import_module(f"{base}.module_utils._base.context").Context()
    validator = importlib.import_module("ansible.module_utils.common.arg_spec").ArgumentSpecValidator
    checked = validator(**module.SPEC.as_arguments()).validate(given["options"])
    assert not checked.error_messages, checked.error_messages
    before, began, idle = _megabytes("VmRSS"), time.monotonic(), time.process_time()
    told = module.operate(checked.validated_parameters, context)
    cost = {"took": time.monotonic() - began, "worked": time.process_time() - idle}
    told = {**told, "warnings": context.report.warnings}
    json.dump({"told": told, **cost, "before": before, "peak": _megabytes("VmHWM")}, sys.stdout)


if __name__ == "__main__":
    _main()
