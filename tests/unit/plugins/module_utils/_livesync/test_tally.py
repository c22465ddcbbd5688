# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a source: tokens that are numbers of changes give a number of changes, others give none."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source
from ansible_collections.idmops.idm.plugins.module_utils._idm.stage import Stage
from ansible_collections.idmops.idm.plugins.module_utils._livesync.tally import Tally

SOURCE = Source.parse("system/ldap/account")


def stage(token):
    return Stage("1", token, "integer")


@pytest.mark.parametrize(
    ("before", "after", "more", "changes"),
    [
        (7, 9, {}, 2),
        (7, 9, {"counts": False}, None),
        (7, None, {}, 0),
        (None, 9, {}, None),
    ],
)
def test_the_number_of_changes_is_that_of_the_tokens_where_they_count(before, after, more, changes):
    stages = {name: stage(token) for name, token in (("before", before), ("after", after)) if token is not None}
    told = Tally(SOURCE, "advanced", **stages, **more).as_result()
    assert told["changes"] == changes
    assert (told["token_before"], told["token_after"]) == (before, after or before)
