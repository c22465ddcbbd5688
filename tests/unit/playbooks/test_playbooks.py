# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks, played: what that of the status writes, when it fails, and what is said of variables."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.servers.ping.stand_in import running

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/status.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running("standalone", tmp_path_factory.mktemp("ping"), people=3) as stand_in:
        yield stand_in


@pytest.fixture
def play(server, tmp_path):
    """Play a book for some of four environments; return its exit code and what it printed."""
    there = {"livesync_idm": server.variables["idm_connection"]}
    secret = {"url": "http://localhost:1/openidm", "username": "a", "password": "verysecret", "retry_timeout": 0}
    hosts = {
        "there": {**there, "livesync_sources": [{"source": server.variables["source"]}]},
        "bare": there,
        "gone": {"livesync_idm": secret},
        "far": {**there, "ansible_connection": "gone"},
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (tmp_path / "work").mkdir()

    def go(limit, book="status", **variables):
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(tmp_path / "hosts.json"), "-l",
             f"{limit},localhost", f"idmops.idm.{book}", "-e", json.dumps(variables)],
            cwd=tmp_path / "work", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "pytest"),
                 "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "files"), "ANSIBLE_HOME": str(tmp_path / "home"),
                 "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return go


def test_both_files_are_written_once_for_all_whatever_became_of_them(play, tmp_path):
    files = tmp_path / "work" / "status.json", tmp_path / "work" / "status.xml"
    asked = {"json_path": "status.json", "junit_path": str(files[1]), "fail": True}
    code, printed = play("all", **asked)
    assert code != 0, printed
    document = json.loads(files[0].read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    found = {one["name"]: one for one in document["environments"]}
    assert list(found) == ["there", "bare", "gone", "far"]
    assert found["there"]["error"] is None and len(found["there"]["sources"]) == 1
    assert found["bare"]["error"] is None and "nothing is known" in found["bare"]["complaints"][0]
    assert "Connection refused" in found["gone"]["error"]
    assert "cannot be reached" in found["far"]["error"] and "nobody is there" in found["far"]["error"]
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(files[1].read_bytes())}
    assert {name: suite[0][0].tag for name, suite in suites.items()} == {
        "there": "system-out" if found["there"]["good_enough"] else "failure",
        "bare": "failure", "gone": "error", "far": "error",
    }  # fmt: skip
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o640
        assert "verysecret" not in file.read_text(encoding="utf-8")
    assert "verysecret" not in printed and printed.count("TASK [Show the table]") == 1
    held = files[0].open("rb")  # whoever reads it meanwhile reads all of the former one
    play("all", **asked)
    with held:
        assert json.load(held) == document
    assert sorted(one.name for one in (tmp_path / "work").iterdir()) == ["status.json", "status.xml"]
    assert json.loads(files[0].read_text(encoding="utf-8"))["at"] >= document["at"]


def test_an_environment_without_a_source_does_not_pass(play, tmp_path):
    code, printed = play("bare")
    assert code == 0 and "no source" in printed, printed
    code, printed = play("bare", fail=True)
    assert code != 0 and "nothing is known of this environment" in printed, printed
    assert list((tmp_path / "work").iterdir()) == []


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(play):
    code, printed = play("bare", json_path="nowhere/status.json")
    assert code != 0 and "json_path: " in printed and "Give a file in a folder that is there." in printed
    assert "TASK [Ask]" not in printed


def test_an_environment_that_cannot_be_reached_fails_the_play_by_itself(play, tmp_path):
    code, printed = play("far", json_path="status.json")
    assert code != 0 and "far could not be asked: the table says why." in printed
    assert json.loads((tmp_path / "work" / "status.json").read_text(encoding="utf-8"))["environments"][0]["error"]


def test_what_is_wrong_with_a_variable_is_a_sentence_and_not_the_whole_specification(play):
    code, printed = play("bare", livesync_state=True, livesync_sources=[{"source": "s", "shedule": {}}])
    assert code != 0 and "livesync_sources[0].shedule: there is no such option." in printed
    assert "livesync_state: True cannot be used. Give one of: enabled, disabled, absent." in printed
    assert len(printed) < 5000, printed


def test_what_only_the_evidence_finds_is_told_once_by_the_name_of_the_role(play):
    code, printed = play("gone", "preflight", livesync_sources=[])
    assert code != 0 and printed.count('"msg": "livesync_sources: [] cannot be used.') == 1, printed
    assert '"msg": "sources:' not in printed
