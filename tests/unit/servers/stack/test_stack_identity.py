# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""How OpenIDM gets its connector: over REST, since its conf folder is read at the start alone."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.servers.stack import identity, settings
from tests.servers.stack.report import StackError


class Asked(identity.Identity):
    """A server that answers as it is told."""

    def __init__(self, folder: pathlib.Path, *answers: tuple[t.Optional[int], t.Any]) -> None:
        super().__init__(folder, folder, {"idm_http": 1, "idm_https": 2}, print)
        self.answers = list(answers)
        self.asked: list[tuple[str, str, t.Any]] = []

    def request(self, method: str, path: str, timeout: float = 5, document: t.Any = None) -> t.Any:
        self.asked.append((method, path, document))
        return self.answers.pop(0)

    def running(self) -> bool:
        return bool(self.answers)


def test_a_running_server_gets_its_connector_although_its_directory_came_up_late(tmp_path: pathlib.Path) -> None:
    idm = Asked(tmp_path, (None, None), (503, {"code": 503}), (201, {}))
    idm.connect(1389, "of the connector")
    assert {(method, path) for method, path, unused in idm.asked} == {("PUT", "config/provisioner.openicf/ldap")}
    assert len(idm.asked) == 3
    given = idm.asked[-1][2]["configurationProperties"]
    assert (given["port"], given["principal"]) == (1389, settings.CONNECTOR_DN)


def test_a_server_that_does_not_take_it_is_quoted(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StackError, match="does not take its connector: 400 .*no such bundle"):
        Asked(tmp_path, (400, {"message": "no such bundle"})).connect(1389, "of the connector")
