# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read or decided does not change any more: dataclasses are frozen, but those that work or gather."""

from __future__ import annotations

import dataclasses
import importlib
import pathlib

HOUSE = pathlib.Path(__file__).resolve().parents[4] / "plugins" / "module_utils"
PACKAGE = "ansible_collections.idmops.idm.plugins.module_utils"
#: One call's work: they keep what they have done or found so far.
CHANGING = {
    "_ldap.set_aside.SetAside",
    "_livesync.beside_load.Point",
    "_livesync.catch_up.Runs",
    "_livesync.one_run.LiveSync",
    "_livesync.tally.Tally",
    "_proof.look.Looked",
    "_proof.suspects.Suspects",
    "_recon.recon._Reconciliation",
    "_recon.single.OwnWord",
    "_rollout.backlog._Work",
    "_rollout.load.Loaded",
    "_rollout.preflight.PreflightReport",
    "_schedule.activation.Activation",
    "_verify.canary.Canary",
    "_verify.canary._Flight",
    "_verify.verified.Verified",
}


def test_dataclasses_are_frozen_but_those_that_work():
    changing = set()
    for path in HOUSE.rglob("*.py"):
        module = importlib.import_module(".".join((PACKAGE, *path.relative_to(HOUSE).with_suffix("").parts)))
        for name, one in vars(module).items():
            if dataclasses.is_dataclass(one) and one.__module__ == module.__name__:
                changing |= set() if one.__dataclass_params__.frozen else {f"{path.parent.name}.{path.stem}.{name}"}
    assert changing == CHANGING
