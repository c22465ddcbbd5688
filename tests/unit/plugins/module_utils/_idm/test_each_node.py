# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connector is activated per node, and a balancer's answers are of different ones: seen with two on OpenIDM 6.1.0."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import InvalidOption, TimedOut, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.url import node_urls
from ansible_collections.idmops.idm.plugins.module_utils._idm import each_node as module
from ansible_collections.idmops.idm.plugins.module_utils._idm.each_node import everywhere
from ansible_collections.idmops.idm.plugins.module_utils._idm.server import FORK, IDM
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context, down, refused

WHAT = "the connector ldap was activated again"


class Idm:
    """A balancer before some nodes, which take turns."""

    def __init__(self, monkeypatch, count, flavour=FORK, nodes=(), away=()):
        self.nodes, self.url, self.away = nodes, "balancer", away
        self.turn, self.done = 0, []
        monkeypatch.setattr(module, "running_nodes", lambda client: [""] * count)
        monkeypatch.setattr(module, "ask_server", lambda client: SimpleNamespace(flavour=flavour))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def sibling(self, url):
        self.url = url
        return self

    def act(self, node):
        if node.url in self.away:
            raise down()
        self.done.append(node.url)
        return node.url

    def everywhere(self, it, *answers):
        """Each look gets the next answer; the last one stays."""
        told = list(answers)

        def well():
            self.turn += 1
            answer = told.pop(0) if len(told) > 1 else told[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return everywhere(self, WHAT, self.act, well, it)


def test_one_node_is_asked_no_more(monkeypatch):
    idm, it = Idm(monkeypatch, 1), context()
    assert idm.everywhere(it, False) == "balancer"
    assert (idm.turn, it.report.warnings) == (0, [])


def test_behind_a_balancer_each_node_has_to_have_answered(monkeypatch):
    idm, it = Idm(monkeypatch, 2), context()
    idm.everywhere(it, True, refused(404), True, down(), False, True)
    assert idm.turn == 5 + 3 * 2
    assert "does not spread configuration" in it.report.warnings[0] and "nodes" in it.report.warnings[0]


def test_where_idm_spreads_configuration_nothing_is_warned_of(monkeypatch):
    it = context()
    Idm(monkeypatch, 2, flavour=IDM).everywhere(it, True)
    assert it.report.warnings == []


def test_a_node_that_goes_on_to_answer_otherwise_is_an_error_with_a_way_out(monkeypatch):
    with pytest.raises(TimedOut) as caught:
        Idm(monkeypatch, 2).everywhere(context(), *[True, refused(404)] * 500)
    assert "nodes" in caught.value.remedy


def test_in_check_mode_nothing_is_waited_for(monkeypatch):
    idm = Idm(monkeypatch, 2)
    idm.everywhere(context(check_mode=True), False)
    assert idm.turn == 0


def test_with_the_nodes_own_addresses_it_is_done_on_each(monkeypatch):
    idm, it = Idm(monkeypatch, 2, nodes=("n1", "n2")), context()
    assert idm.everywhere(it, False) == "n2"
    assert (idm.done, idm.turn, it.report.warnings) == (["n1", "n2"], 0, [])


def test_a_node_that_is_down_does_not_stop_the_others(monkeypatch):
    idm, it = Idm(monkeypatch, 2, nodes=("n1", "n2"), away=("n1",)), context()
    assert idm.everywhere(it, False) == "n2"
    assert it.report.warnings[0].startswith("n1: it was not seen that the connector ldap was activated again")
    with pytest.raises(Unreachable):
        Idm(monkeypatch, 2, nodes=("n1", "n2"), away=("n1", "n2")).everywhere(context(), False)


def test_addresses_of_nodes_are_checked():
    assert node_urls({}) == () == node_urls({"nodes": None})
    assert node_urls({"nodes": ["https://n1/openidm/", "https://n1/openidm"]}) == ("https://n1/openidm",)
    with pytest.raises(InvalidOption, match="nodes: 'n1'"):
        node_urls({"nodes": ["n1"]})
