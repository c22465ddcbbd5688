# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stack makes out of its own files: coordinates, configuration, entries, variables."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import zipfile
from xml.etree import ElementTree

import pytest
import yaml

from tests.servers.stack import StackError, directory, directory_template, fetch, java, people, render, variables
from tests.servers.stack.settings import CONF

KNOWN = {
    "users": 3,
    "idm": True,
    "ds_password": 'a"b: #c',
    "connector_password": "d",
    "ports": {"idm_http": 1, "idm_https": 2, "ds_ldap": 3, "ds_ldaps": 4, "ds_admin": 5, "ds_replication": 6},
}


def test_coordinates_are_expanded() -> None:
    text = "# a comment\nbundle g:{a,b}:1.0\n\nopendj g.h:c:2:zip # another\n"
    assert fetch.coordinates(text) == [
        ("bundle", "g", "a", "1.0", "jar"),
        ("bundle", "g", "b", "1.0", "jar"),
        ("opendj", "g.h", "c", "2", "zip"),
    ]


def test_a_line_that_is_no_coordinate_is_an_error() -> None:
    with pytest.raises(StackError, match="not a coordinate"):
        fetch.coordinates("bundle g:a\n")


def test_the_list_is_complete_and_without_repetition() -> None:
    items = fetch.coordinates(fetch.LIST.read_text(encoding="utf-8"))
    assert len(items) == len(set(items)) == 122
    assert {item[0] for item in items} == {*fetch.PARTS, "launcher", "opendj"}


def test_the_pom_is_xml_with_every_item() -> None:
    items = fetch.coordinates(fetch.LIST.read_text(encoding="utf-8"))
    root = ElementTree.fromstring(fetch.pom(items))
    assert len(root.findall(".//{*}artifactItem")) == len(items)


def test_the_cure_is_where_the_connectors_classes_are(tmp_path: pathlib.Path) -> None:
    jar = tmp_path / "ldap-connector.jar"
    with zipfile.ZipFile(jar, "w") as packed:
        packed.writestr("org/Connector.class", b"code")
    fetch.cure(jar)
    with zipfile.ZipFile(jar) as packed:
        assert sorted(packed.namelist()) == ["jndi.properties", "org/Connector.class"]
        assert packed.read("jndi.properties") == b"java.naming.batchsize=0\n"


def staged(folder: pathlib.Path) -> pathlib.Path:
    """What a download leaves, one file a part."""
    for part in fetch.PARTS:
        (folder / part).mkdir(parents=True)
        (folder / part / f"{part}.txt").touch()
    with zipfile.ZipFile(folder / "connectors" / "x.ldap-connector-1.jar", "w") as packed:
        packed.writestr("org/Connector.class", b"code")
    return folder


def test_cured_and_uncured_differ_in_the_connector_alone(tmp_path: pathlib.Path) -> None:
    fetch._lay_out(staged(tmp_path / "stage"), tmp_path)
    cured, uncured = tmp_path / "idm", tmp_path / "idm-uncured"
    names = [sorted(path.name for part in fetch.PARTS for path in (root / part).iterdir()) for root in (cured, uncured)]
    assert names[0] == names[1]
    found = [zipfile.ZipFile(root / "connectors" / "x.ldap-connector-1.jar").namelist() for root in (cured, uncured)]
    assert found == [["org/Connector.class", "jndi.properties"], ["org/Connector.class"]]


def test_each_repository_has_its_launcher(tmp_path: pathlib.Path) -> None:
    idm = fetch._lay_out(staged(tmp_path / "stage"), tmp_path)
    for repository in fetch.REPOSITORIES:
        text = (idm / "bin" / f"launcher-{repository}.json").read_text(encoding="utf-8")
        folders = {container["location"] for container in json.loads(text)["bundle"]["containers"]}
        assert folders == {"bundle", f"repo-{repository}"}


def test_mavens_advice_is_left_out_of_the_reason(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "maven.log"
    log.write_text("[INFO] x\n[ERROR] no such thing\n[ERROR] \n[ERROR] Re-run Maven using -X\n", encoding="utf-8")
    assert fetch.reason(log) == "  [ERROR] no such thing"


def test_placeholders_are_filled_in() -> None:
    assert render.render("a=@LDAP_PORT@ @version &{x}", {"LDAP_PORT": 5}) == "a=5 @version &{x}"
    with pytest.raises(StackError, match="@LDAP_PORT@"):
        render.render("@LDAP_PORT@", {})


def test_a_private_file_is_private(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "sub" / "secret"
    render.write_private(target, "x")
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", sorted(str(p.relative_to(CONF)) for p in CONF.rglob("*.json")))
def test_every_json_file_is_json_once_filled_in(name: str) -> None:
    text = (CONF / name).read_text(encoding="utf-8")
    values = dict.fromkeys(render.PLACEHOLDER.findall(text), 1)
    assert json.loads(render.render(text, values))


def test_every_mapping_carries_its_scripts() -> None:
    for mapping in json.loads((CONF / "idm/conf/sync.json").read_text(encoding="utf-8"))["mappings"]:
        for key in ("onRecon", "defaultMapping", "postMapping"):
            assert (CONF / "idm" / mapping[key]["file"]).is_file()


def test_the_directory_accepts_its_administrators_password() -> None:
    stored = base64.b64decode(directory.ssha512("secret")[len("{SSHA512}") :])
    assert hashlib.sha512(b"secret" + stored[64:]).digest() == stored[:64]


def test_an_unknown_directory_configuration_is_told() -> None:
    with pytest.raises(StackError, match="0 times"):
        directory_template.config_template("dn: cn=config\n")


def test_entries() -> None:
    text = people.ldif(2, "pw")
    dns = [line[4:] for line in text.splitlines() if line.startswith("dn: ")]
    assert dns[3:] == [
        "uid=idm,ou=apps,dc=example,dc=com",
        "uid=user.0,ou=People,dc=example,dc=com",
        "uid=user.1,ou=People,dc=example,dc=com",
    ]


def test_variables_survive_yaml(tmp_path: pathlib.Path) -> None:
    found = variables.variables(tmp_path, KNOWN)
    assert yaml.safe_load(variables.as_yaml(found)) == found
    assert found["idm_url"] == "http://localhost:1/openidm"


def test_a_directory_alone_has_no_idm_variables(tmp_path: pathlib.Path) -> None:
    assert not [name for name in variables.variables(tmp_path, {**KNOWN, "idm": False}) if name.startswith("idm_")]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_301"', 8),
        ('openjdk version "25" x', 25),
        ("nothing", None),
    ],
)
def test_java_versions(text: str, version: int | None) -> None:
    assert java.major_version(text) == version
