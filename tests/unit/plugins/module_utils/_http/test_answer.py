# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mends an error answer."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer, refusal, rights_remedy

SERVICE_ACCOUNT = ["internal/role/openidm-svcacct", "internal/role/openidm-authorized"]


@pytest.mark.parametrize(
    ("login", "words"),
    [
        # the shapes are those of OpenIDM 6.1.0 and of live tenants
        (
            {"authenticationId": "anonymous", "authorization": {"roles": ["internal/role/openidm-reg"]}},
            "did not look at",
        ),
        ({"authorization": {"id": "x", "roles": ["openidm-reg"]}}, "did not look at"),
        (
            {"authenticationId": "3f", "authorization": {"component": "managed/svcacct", "roles": SERVICE_ACCOUNT}},
            "fr:idm",
        ),
        (
            {"authenticationId": "bob", "authorization": {"roles": ["openidm-authorized"]}},
            "bob has the roles openidm-auth",
        ),
        ({"authenticationId": "root", "authorization": {"roles": ["internal/role/openidm-admin"]}}, None),
        ({"authenticationId": "bob", "authorization": {"roles": []}}, None),
        ({"authorization": 5}, None),
        ({}, None),
    ],
)
def test_who_lacks_rights_decides_what_mends_it(login, words):
    remedy = rights_remedy(login)
    assert (remedy is None) == (words is None)
    assert words is None or words in remedy


def test_a_service_account_is_not_told_to_get_a_role_that_it_cannot_have():
    told = rights_remedy({"authorization": {"roles": SERVICE_ACCOUNT}})
    assert "none that they can have" in told


def test_a_good_token_of_nobody_is_told_from_an_idm_that_is_not_ready():
    """Seen on a live tenant: 503, although IDM is well."""
    text = "Rejecting invocation as required context to allow invocation not populated"
    body = {"code": 503, "reason": "Service Unavailable", "message": text}
    assert "rsFilter" in refusal("GET", "u", Answer(503, body, {}), transaction="t").remedy
    other = refusal("GET", "u", Answer(503, {**body, "message": "down"}, {}), transaction="t")
    assert other.remedy is None
