# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins that end with the test."""

from __future__ import annotations

import contextlib

import pytest

from tests.servers.ping.stand_in import running


@pytest.fixture
def stand(tmp_path):
    """Start stand-ins; they end with the test."""
    with contextlib.ExitStack() as opened:
        count = iter(range(100))
        yield lambda mode, **options: opened.enter_context(running(mode, tmp_path / f"{mode}{next(count)}", **options))
