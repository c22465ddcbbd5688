# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the topology, and the order in which its parts are started."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.servers.stack import ports
from tests.servers.stack.report import StackError
from tests.servers.topology import Topology, __main__, plan


class Part:
    """A part that notes what is done with it."""

    def __init__(self, name: str, told: list[str], connected: bool) -> None:
        self.label, self.told, self.connected, self.up = name, told, connected, False

    def start(self, wait: bool = True) -> bool:
        self.told.append(f"start {self.label}" + (" and wait" if wait else ""))
        was, self.up = self.up, True
        return not was

    def kill(self) -> None:
        self.told.append(f"kill {self.label}")

    def running(self) -> bool:
        return self.up

    def hanging(self) -> bool:
        return False

    def is_ready(self) -> bool:
        return self.up

    def has_connector(self) -> bool:
        return self.connected

    def connect(self, port: int, password: str, failover: t.Sequence[int]) -> None:
        self.told.append(f"connect {self.label} {port} {failover}")

    def wait_healthy(self, nodes: t.Sequence[str]) -> None:
        self.told.append(f"wait for {', '.join(nodes)} at {self.label}")

    def __getattr__(self, name: str) -> t.Callable[..., None]:
        return lambda *unused: self.told.append(f"{name} {self.label}")


@pytest.fixture
def topology(tmp_path: pathlib.Path) -> t.Callable[[bool], tuple[Topology, list[str]]]:
    def make(connected: bool) -> tuple[Topology, list[str]]:
        told: list[str] = []
        made = Topology(tmp_path)
        numbers = ports.numbered(28000, plan.PORT_NAMES)
        made._known = dict.fromkeys(Topology.keys, "") | {"ports": numbers, "users": 1, "connector_password": ""}
        made.parts = {name: Part(name, told, connected) for name in plan.PARTS}
        return made, told

    return make


Make = t.Callable[[bool], t.Tuple[Topology, t.List[str]]]


def test_a_new_connector_is_given_when_both_directories_serve(topology: Make) -> None:
    made, told = topology(False)
    made._start()
    assert told == [
        "start ds1",
        "start ds2",
        "start postgresql",
        "wait_ready postgresql",
        "fill postgresql",
        "start idm1 and wait",
        "start idm2 and wait",
        "wait_ready ds1",
        "wait_ready ds2",
        "wait_replicating ds1",
        "wait_replicating ds2",
        "wait_ready idm1",
        "connect idm1 28004 [28008]",
        "wait_connected idm1",
        "wait_ready idm2",
        "connect idm2 28004 [28008]",
        "wait_connected idm2",
        "start haproxy and wait",
        "wait for idm1, idm2 at haproxy",
    ]


def test_a_node_that_has_its_connector_is_started_after_its_directories(topology: Make) -> None:
    made, told = topology(True)
    made._start()
    assert told.index("wait_replicating ds2") < told.index("start idm1") < told.index("start idm2")
    assert not [step for step in told if step.startswith("connect")]


def test_what_was_started_is_killed_when_a_part_fails(topology: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made, told = topology(True)
    made.parts["ds1"].up = True

    def fails(*unused: t.Any) -> None:
        raise StackError("no")

    monkeypatch.setattr(made.parts["idm2"], "wait_ready", fails, raising=False)
    with pytest.raises(StackError, match="no"):
        made._start()
    killed = [step.partition(" ")[2] for step in told if step.startswith("kill")]
    assert killed == [part for part in plan.PARTS if part != "ds1"]


def test_a_started_node_is_awaited_at_the_balancer_as_far_as_others_are_ready(topology: Make) -> None:
    made, told = topology(True)
    made.parts["haproxy"].up = True
    made.start_part("idm2")
    assert told == ["start idm2 and wait", "wait for idm2 at haproxy"]


def test_a_directory_alone_has_nobody_to_wait_for(topology: Make) -> None:
    made, told = topology(True)
    made.start_part("ds1")
    assert told == ["start ds1 and wait"]
    made.start_part("ds2")
    assert told[1:] == ["start ds2 and wait", "wait_replicating ds1", "wait_replicating ds2"]


def test_a_part_that_there_is_not(topology: Make) -> None:
    with pytest.raises(StackError, match="no part idm3; there are: ds1, ds2, postgresql, idm1, idm2, haproxy"):
        topology(True)[0].part("idm3")


def test_commands_without_a_topology(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--dir", str(tmp_path / "none")]
    assert __main__.main(["status", *where]) == 3
    assert __main__.main(["kill", "idm1", *where]) == 1
    assert "There is no topology in" in capsys.readouterr().err
    assert __main__.main(["down", *where]) == 0


@pytest.mark.parametrize("command", [["kill"], ["down", "idm1"]])
def test_a_part_is_named_where_one_is_meant(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(command)
    assert command[0] + " takes" in capsys.readouterr().err


def test_a_damaged_record_can_only_be_taken_down(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "topology.json").write_text("{", encoding="ascii")
    assert __main__.main(["stop", "ds1", "--dir", str(tmp_path)]) == 1
    assert "take the topology down" in capsys.readouterr().err
    assert __main__.main(["down", "--dir", str(tmp_path)]) == 0
    assert not tmp_path.exists()
