# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module costs before it does anything: nothing heavy is imported that most of its tasks do not need."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[4]
#: Those that plan and load, and import what that takes: last.
ROLLOUT = {"livesync_preflight", "livesync_load", "livesync_adopt"}
MODULES = sorted((path.stem for path in (ROOT / "plugins" / "modules").glob("[a-z]*.py")), key=ROLLOUT.__contains__)
HEAVY = {"ldap", "pyasn1", "jwt", "cryptography"}
IMPORT = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
told = {}
for name in sys.argv[2:]:
    importlib.import_module(f"ansible_collections.idmops.idm.plugins.modules.{name}")
    told[name] = sorted(sys.modules)
print(json.dumps(told))
"""


def test_nothing_heavy_is_imported_before_it_is_needed():
    run = subprocess.run(
        [sys.executable, "-c", IMPORT, str(ROOT / "build" / "pytest"), *MODULES],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(run.stdout)
    assert len(told) > 10
    for name in MODULES:
        assert not HEAVY & set(told[name]), name
        assert name in ROLLOUT or not [one for one in told[name] if "module_utils._rollout" in one], name
