# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources that a task names."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption
from ansible_collections.idmops.idm.plugins.module_utils._idm.source import Source, named_sources

TEXT = "system/ldap/account"


def test_sources_that_are_not_named_are_all():
    assert named_sources({"sources": None}) == []
    assert named_sources({"sources": [TEXT], "source": [TEXT]}) == [Source("ldap", "account")]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ({"sources": []}, "sources: []"),
        ({"sources": [], "source": []}, "source: []"),
        ({"sources": ["x"], "source": ["x"]}, "source: 'x'"),
        ({"sources": [""]}, "sources: ''"),
    ],
)
def test_an_empty_list_is_not_all(written, named):
    with pytest.raises(InvalidOption) as caught:
        named_sources(written)
    assert caught.value.message.startswith(f"{named} cannot be used.")


@pytest.mark.parametrize(
    "text",
    ["", "system", "system/ldap", "system/ldap/account/x", "managed/ldap/account", "system//account", "system/a b/c"],
)
def test_what_names_no_object_type_of_a_system(text):
    with pytest.raises(InvalidOption) as caught:
        Source.parse(text, "sources")
    assert caught.value.message.startswith(f"sources: {text!r} cannot be used.")
    assert Source.of(text) is None


@pytest.mark.parametrize(
    "text", ["system/ldap/account", "/system/ldap/account/", " system/ldap/account", "system/ldap/acc%6Funt"]
)
def test_what_names_one(text):
    assert Source.parse(text) == Source.of(text) == Source("ldap", "account")
