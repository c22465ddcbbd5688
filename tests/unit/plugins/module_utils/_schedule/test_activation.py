# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a schedule that does not go away: what was seen of it last."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import TimedOut
from ansible_collections.idmops.idm.plugins.module_utils._schedule import activation as module
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context


@pytest.mark.parametrize(
    ("documents", "documented", "seen"),
    [
        (0, True, "the job was still there"),
        (1, True, "the job was still there"),  # the one that was to go
        (2, True, "the config document came back"),
        (9, False, "the job was still there"),
    ],
)
def test_what_did_not_go_away_is_named(monkeypatch, documents, documented, seen):
    left, deleted = [object()] * documents, []
    monkeypatch.setattr(module, "read_config", lambda client, name: left.pop() if left else None)
    monkeypatch.setattr(module, "read_job", lambda *unused: object())
    monkeypatch.setattr(module, "delete", lambda client, server, storage, name: deleted.append((storage, name)))
    with pytest.raises(TimedOut, match=seen):
        module.Activation(None, None, context(), 10.0)._wait_until_gone("x", 10.0, documented)
    assert deleted == [(module.CONFIG, "x")] * (documents if documented else 0)
