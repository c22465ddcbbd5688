# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison has shown of a source is noted where all of it was compared, and nothing differed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._verify import noted
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context


def compared(source="system/ldap/account", checked=3, differences=(), doubt=None):
    suspects = SimpleNamespace(checked=checked)
    mapping = SimpleNamespace(name=f"{checked} of {source}")
    return SimpleNamespace(source=source, mapping=mapping, suspects=suspects, differences=differences, doubt=doubt)


@pytest.mark.parametrize(
    ("done", "failed", "wanted"),
    [
        ([compared(), compared(checked=4)], [], [("system/ldap/account", 7, 3, 4)]),
        ([compared(), compared("system/hr/person")], [], [("system/ldap/account", 3, 3), ("system/hr/person", 3, 3)]),
        ([compared()], [IdmopsError("no answer")], []),
        ([compared(checked=0)], [], []),
        ([compared(), compared(differences=["one"])], [], []),
        ([compared(), compared(doubt="It cannot be known.")], [], []),
    ],
)
def test_what_was_checked_is_noted_of_each_source(monkeypatch, done, failed, wanted):
    told = []
    monkeypatch.setattr(noted, "note_arrival", lambda client, source, it, by, **how: told.append((source, by, how)))
    noted.note_arrivals(None, done, failed, context())
    assert told == [
        (
            source,
            "sample",
            {"checked": checked, "seconds": None, "mappings": [f"{one} of {source}" for one in each]},
        )
        for source, checked, *each in wanted
    ]
