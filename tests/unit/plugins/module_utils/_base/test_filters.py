# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Query filters: what is asked for is quoted, whatever stands in it."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.filters import equals, quoted, starts_with


@pytest.mark.parametrize(
    "value, expected",
    [("plain", '"plain"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ('\\"', r'"\\\""'), ("", '""')],
)
def test_quotes_and_backslashes_are_escaped(value, expected):
    assert quoted(value) == expected
    assert equals("_id", value) == f"_id eq {expected}"
    assert starts_with("_id", value) == f"_id sw {expected}"
