# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which server answers, and what follows from that."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import CLOUD, FORK, IDM, Server, ask_server


class FakeClient:
    """Answers by path: a status and a body."""

    url = "https://idm.example.com/openidm"

    def __init__(self, auth_method="openidm", headers=None, **answers):
        self.auth_method = auth_method
        self.asked = []
        self._headers = headers or {}
        self._answers = {name.replace("_", "/", 1): answer for name, answer in answers.items()}

    def request(self, method, path, *, params=None, none_on=()):
        assert method == "GET"
        self.asked.append(path)
        status, body = self._answers[path]
        if status >= 400:
            if status not in none_on:
                raise Refused("no", status=status)
            body = None
        return Answer(status, body, self._headers)


MAPPINGS = (200, {"result": [{"name": "systemLdapAccount_managedUser"}]})
NONE = (404, None)


def version(text):
    return 200, {"_id": "version", "productVersion": text, "productRevision": "a673e"}


@pytest.mark.parametrize(
    "info, mappings, expected",
    [
        (version("6.1.0"), None, Server(FORK, "6.1.0")),  # nothing more is asked
        (version("7.0.1"), NONE, Server(FORK, "7.0.1")),
        (version("7.0.2-SNAPSHOT"), (501, None), Server(FORK, "7.0.2-SNAPSHOT")),
        (version("7.0.1"), MAPPINGS, Server(IDM, "7.0.1")),
        (version("7.5.0"), MAPPINGS, Server(IDM, "7.5.0")),
        (version("8.1.1"), (403, None), Server(IDM, "8.1.1")),  # it is there, but not for this account
        (NONE, NONE, Server(FORK, "")),  # as the test stack: no info/version configured
        (NONE, MAPPINGS, Server(IDM, "")),
        ((403, None), MAPPINGS, Server(IDM, "")),
        ((200, {}), MAPPINGS, Server(IDM, "")),
    ],
)
def test_the_flavour(info, mappings, expected):
    client = FakeClient(info_version=info, **({"sync_mappings": mappings} if mappings else {}))
    assert ask_server(client) == expected


@pytest.mark.parametrize("info", [NONE, (403, None), version("7.0.1")])
def test_a_server_that_lets_nobody_know_is_not_taken_for_another_one(info):
    """OpenIDM 6.1.0 refuses sync/mappings to an account of few rights, and was taken for IDM 7 (seen there)."""
    with pytest.raises(Refused, match="query sync/mappings") as caught:
        ask_server(FakeClient(info_version=info, sync_mappings=(403, None)))
    assert caught.value.status == 403 and [str(right) for right in caught.value.rights] == ["query sync/mappings"]


@pytest.mark.parametrize(
    "auth_method, via, flavour",
    [
        ("service_account", None, CLOUD),
        ("bearer", "1.1 google", CLOUD),
        ("bearer", None, IDM),
        ("client_credentials", None, IDM),
        ("openidm", "1.1 google", IDM),  # the cloud takes tokens only
    ],
)
def test_the_cloud_is_known_by_its_accounts_and_its_front_end(auth_method, via, flavour):
    headers = {"Via": via} if via else {}
    client = FakeClient(auth_method, headers, info_version=version("8.0.0"), sync_mappings=MAPPINGS)
    assert ask_server(client).flavour == flavour


def test_another_failure_is_not_taken_for_an_answer():
    with pytest.raises(Refused):
        ask_server(FakeClient(info_version=(401, None)))
    with pytest.raises(Refused):
        ask_server(FakeClient(info_version=version("7.5.0"), sync_mappings=(500, None)))


@pytest.mark.parametrize("info", [NONE, (403, None), (200, {})])
@pytest.mark.parametrize("mappings", [(403, None), (204, None), (200, {}), (200, {"result": None})])
def test_what_does_not_tell_whose_server_it_is_is_not_taken_for_pings(info, mappings):
    # where no version is told: a schedule in Ping's form fires once on the fork, and vanishes
    with pytest.raises(Refused):
        ask_server(FakeClient(info_version=info, sync_mappings=mappings))


@pytest.mark.parametrize(
    "capability, fork, idm, cloud",
    [
        ("repeats_simple", False, True, True),
        ("job_actions", False, True, True),
        ("scheduler_version", "1.0", "2.0", "2.0"),
    ],
)
def test_capabilities(capability, fork, idm, cloud):
    assert [getattr(Server(flavour, ""), capability) for flavour in (FORK, IDM, CLOUD)] == [fork, idm, cloud]
