# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module could not get to know for want of rights is said, unless it failed."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._http.right import Right
from ansible_collections.idmops.idm.plugins.module_utils._idm import session as module
from ansible_collections.idmops.idm.tests.unit.doubles.livesync import LiveSyncClient
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context


@pytest.fixture(autouse=True)
def client(monkeypatch):
    monkeypatch.setattr(module, "Client", lambda params, it: LiveSyncClient())


def test_what_went_well_without_a_right_is_warned_of():
    it = context()
    with module.session("recon", {}, it) as idm:
        idm.lacking = {Right("query", "audit/recon"): None, Right("read", "info/version"): None}
    (said,) = it.report.warnings
    assert "query audit/recon" in said and "which entries failed" in said


def test_an_error_speaks_for_itself():
    it = context()
    with pytest.raises(ValueError, match="told"), module.session("recon", {}, it) as idm:
        idm.lacking = {Right("query", "audit/recon"): None}
        raise ValueError("told")
    assert it.report.warnings == []
