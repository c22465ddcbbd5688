# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a topology makes out of its own files: ports, variables, configuration, and what it reads from the balancer."""

from __future__ import annotations

import json
import pathlib
import re
import types

import pytest
import yaml

from tests.servers.stack import StackError, directory, fetch, ports, variables
from tests.servers.topology import balancer, plan, postgresql, programs, servers

NUMBERS = ports.numbered(28000, plan.PORT_NAMES)
KNOWN = {"users": 3, "ds_password": "a", "connector_password": "b", "database_password": 'c"d', "ports": NUMBERS}


def quiet(text: str) -> None:
    """Say nothing."""


def test_the_ports_fit_into_the_twenty_that_are_promised() -> None:
    assert len(set(plan.PORT_NAMES)) == len(plan.PORT_NAMES) <= 20
    assert sorted(NUMBERS.values()) == list(range(28000, 28000 + len(plan.PORT_NAMES)))


def test_each_port_belongs_to_one_part() -> None:
    found = [number for part in plan.PARTS for number in plan.ports_of(part, NUMBERS).values()]
    assert sorted(found) == sorted(NUMBERS.values())


def test_a_parts_ports_are_named_as_those_of_a_single_stack() -> None:
    names = [*plan.ports_of("idm2", NUMBERS), *plan.ports_of("ds2", NUMBERS)]
    assert tuple(names) == ports.NAMES


def test_the_variables_are_those_of_a_stack_and_the_lists(tmp_path: pathlib.Path) -> None:
    found = plan.all_variables(tmp_path, KNOWN)
    single = variables.variables(tmp_path, {**KNOWN, "idm": True, "ports": ports.numbered(1024)})
    assert set(found) - set(single) == {"idm_sticky_url", "idm_nodes", "ds_uris", "ds_admin_uris"}
    assert set(single) <= set(found)
    assert yaml.safe_load(variables.as_yaml(found)) == found


def test_idm_is_the_balancer_and_the_directory_the_first(tmp_path: pathlib.Path) -> None:
    found = plan.all_variables(tmp_path, KNOWN)
    assert found["idm_url"] == f"http://localhost:{NUMBERS['haproxy_http']}/openidm"
    assert found["idm_https_url"] == f"https://localhost:{NUMBERS['haproxy_https']}/openidm"
    assert found["idm_nodes"] == [f"http://localhost:{NUMBERS[node + '_http']}/openidm" for node in plan.NODES]
    assert found["ds_uri"] == found["ds_uris"][0] != found["ds_uris"][1]
    assert found["ds_admin_uri"] == found["ds_admin_uris"][0] != found["ds_admin_uris"][1]


def test_the_balancer_asks_one_backend_for_health_and_keeps_to_loopback() -> None:
    text = balancer.configuration(NUMBERS)
    assert not re.findall("@[A-Z_]+@", text)
    assert re.findall(r"bind (\S+):\d+", text) == ["127.0.0.1"] * 4
    lines = re.findall(r"^    server (\S+) 127\.0\.0\.1:(\d+)(.*)$", text, re.M)
    by_use = {"": "http", " track nodes/{0} cookie {0}": "http", " track nodes/{0}": "https"}
    assert lines == [
        (node, str(NUMBERS[f"{node}_{use}"]), more.format(node)) for more, use in by_use.items() for node in plan.NODES
    ]


#: Two columns of many, as HAProxy 2.6 tells them ("HAProxy Management Guide", 9.1, CSV format).
HEAD = "# pxname,svname,status,check_status\n"


@pytest.mark.parametrize(
    ("rows", "healthy"),
    [
        ("nodes,idm1,UP,L7OK\nnodes,idm2,UP,L7OK\nnodes,BACKEND,UP,\n", {"idm1", "idm2"}),
        ("nodes,idm1,UP,L7OK\nnodes,idm2,DOWN,L4CON\n", {"idm1"}),
        ("nodes,idm1,UP 1/2,L7OK\nnodes,idm2,UP 1/2,L4CON\n", {"idm1"}),
        # Not asked yet, and being asked: both count as up.
        ("nodes,idm1,UP,INI\nnodes,idm2,UP,* L7OK\n", set()),
        # Of another backend.
        ("sticky_nodes,idm1,UP,L7OK\n", set()),
    ],
)
def test_only_a_node_that_answered_well_is_healthy(rows: str, healthy: set[str]) -> None:
    assert balancer.healthy(HEAD + rows) == healthy


def node(folder: pathlib.Path, name: str, uncured: bool = False) -> servers.Node:
    """A node that is not laid down."""
    return servers.Node(name, folder, folder / "install", NUMBERS, "data base", quiet, uncured)


def test_a_node_is_on_the_database_and_names_itself(tmp_path: pathlib.Path) -> None:
    files = node(tmp_path, "idm2").configuration()
    boot = files["conf/boot/boot.properties"]
    assert "openidm.node.id=idm2\n" in boot
    assert f"openidm.port.http={NUMBERS['idm2_http']}\n" in boot
    assert "org.openidentityplatform.openidm.repo.jdbc" in boot
    assert not [name for name in files if "orientdb" in name]
    source = json.loads(files["conf/datasource.jdbc-default.json"])
    assert (source["password"], source["databaseName"]) == ("data base", "openidm")
    assert source["jdbcUrl"] == f"jdbc:postgresql://127.0.0.1:{NUMBERS['postgresql']}/{postgresql.DATABASE}"
    assert json.loads(files["conf/repo.jdbc.json"])["dbType"] == "POSTGRESQL"


def test_nodes_differ_in_name_ports_and_folder_alone(tmp_path: pathlib.Path) -> None:
    first, second = (node(tmp_path / name, name).configuration() for name in plan.NODES)
    assert {name for name in first if first[name] != second[name]} == {
        "conf/boot/boot.properties",
        "conf/config.properties",
    }


def test_a_connector_is_cured_unless_it_is_not_wanted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.stack.java.java", lambda: "java")
    for uncured, folder in ((False, "idm"), (True, "idm-uncured")):
        command = node(tmp_path, "idm1", uncured).command()
        assert command[command.index("-c") + 1] == str(tmp_path / "install" / folder / "bin" / "launcher-jdbc.json")


def test_each_directory_knows_both(tmp_path: pathlib.Path) -> None:
    servers_known = []
    for number, name in enumerate(plan.DIRECTORIES, 1):
        folder = tmp_path / name
        (folder / "config").mkdir(parents=True)
        (folder / (directory.CONFIG + ".in")).write_text(
            "id: @SERVER_ID@\nport: @REPLICATION_PORT@\n@REPLICATION_SERVERS@\n", encoding="utf-8"
        )
        servers.Replica(name, folder, NUMBERS, quiet).configure("secret")
        lines = (folder / directory.CONFIG).read_text(encoding="utf-8").splitlines()
        assert lines[:2] == [f"id: {number}", f"port: {NUMBERS[name + '_replication']}"]
        servers_known.append(lines[2:])
    ports_known = [NUMBERS[name + "_replication"] for name in plan.DIRECTORIES]
    assert servers_known == [[f"ds-cfg-replication-server: localhost:{port}" for port in ports_known]] * 2


def test_the_newest_postgresql_is_taken(tmp_path: pathlib.Path) -> None:
    assert programs.newest(tmp_path) is None
    for version in ("9.6", "15", "13"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    (tmp_path / "17" / "bin").mkdir(parents=True)  # a client alone
    assert programs.newest(tmp_path) == tmp_path / "15" / "bin"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(programs, "POSTGRESQL", str(tmp_path))
    monkeypatch.setattr(programs.shutil, "which", lambda name, path=None: None)
    with pytest.raises(StackError, match="PostgreSQL's initdb was not found.*make topology"):
        programs.postgresql("initdb")
    with pytest.raises(StackError, match="HAProxy was not found.*make topology"):
        programs.haproxy()
    with pytest.raises(StackError, match="setpriv was not found"):
        programs.as_owner(["postgres"], types.SimpleNamespace(pw_uid=5, pw_gid=6))


def test_root_does_not_run_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.os, "geteuid", lambda: 1000)
    assert programs.owner() is None
    assert programs.as_owner(["postgres"], None) == ["postgres"]
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.pwd, "getpwnam", {"nobody": "the last resort"}.__getitem__)
    assert programs.owner() == "the last resort"
    monkeypatch.setattr(programs.shutil, "which", lambda name: "/usr/bin/" + name)
    command = programs.as_owner(["postgres"], types.SimpleNamespace(pw_uid=5, pw_gid=6))
    assert command[:5] == ["/usr/bin/setpriv", "--reuid", "5", "--regid", "6"]
    assert command[-1] == "postgres"


def test_the_install_has_a_launcher_for_each_repository() -> None:
    folders = {folder for folder, *unused in fetch.coordinates(fetch.LIST.read_text(encoding="utf-8"))}
    assert {f"repo-{name}" for name in fetch.REPOSITORIES} <= folders
    assert servers.Node.repository in fetch.REPOSITORIES
