# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks end alike in Ansible's worker and as modules, played by the ansible-core that runs these tests."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
import requests
from ansible.release import __version__ as core

from tests.servers.ping.stand_in import running

HERE = pathlib.Path(__file__).resolve().parent
COLLECTIONS = HERE.parents[2] / "build" / "pytest"
WAYS = {"worker": True, "module": False}
#: Since when a result has the options of its module if told so alone, and since when what is printed is masked instead.
CORE = tuple(int(part) for part in core.split(".")[:2])
SECRETS = ("verysecret", "encryptedsecret", "minted-on-the-way", "privatepart", "misplacedsecret")


def program(name):
    return str(pathlib.Path(sys.executable).with_name(name))


def value_of(name, locked):
    """Return a value that ansible-vault has encrypted as a member of a dictionary in YAML."""
    return "\n".join([f"{name}: !vault |", *(f"            {line.strip()}" for line in locked.splitlines()[1:])])


@pytest.fixture
def play(tmp_path):
    """Play a book in one way; return what its tasks returned, and what was printed."""
    folder = tmp_path / "book"
    shutil.copytree(HERE / "files", folder)
    (folder / "beside.pem").write_text("beside the playbook", encoding="utf-8")

    def go(book, way, environment=(), tags="all", loud="-vvvv", **variables):
        into = tmp_path / f"{way}.json"
        variables = {"into": str(into), "idmops_in_process": WAYS[way], **variables}
        done = subprocess.run(
            [program("ansible-playbook"), "-i", "localhost,", loud, str(folder / book), "-e", json.dumps(variables),
             "-e", f"@{folder / 'encrypted.yml'}", "-e", f"@{folder / 'given.yml'}", "--tags", tags,
             "--vault-password-file", str(folder / "vault")],
            cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(tmp_path / "home"),
                 "ANSIBLE_ASYNC_DIR": str(tmp_path / "async"),
                 "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8", **dict(environment)},
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert into.exists(), printed
        go.stdout, go.stderr = done.stdout, done.stderr
        return json.loads(into.read_text(encoding="utf-8")), printed

    (folder / "vault").write_text("open sesame", encoding="utf-8")
    locked = subprocess.run(
        [program("ansible-vault"), "encrypt_string", "--vault-password-file", str(folder / "vault"), "--stdin-name",
         "encrypted"],
        input="encryptedsecret", capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    (folder / "encrypted.yml").write_text(locked.stdout, encoding="utf-8")
    # an encrypted value that stands in the task itself reaches the plugin as it is, without having been a template
    book = (folder / "book.yml").read_text(encoding="utf-8")
    value = locked.stdout.partition("encrypted: ")[2]
    inline = value_of("bind_password", value)
    book = book.replace(
        'directory: {servers: [ldaps://one], bind_dn: uid=admin, bind_password: "{{ encrypted }}"}',
        f"directory:\n          servers: [ldaps://one]\n          bind_dn: uid=admin\n          {inline}",
    )
    assert "!vault" in book
    (folder / "book.yml").write_text(book, encoding="utf-8")
    account = f"username: admin\n  url: http://localhost:1/openidm\n  {value_of('password', value)}"
    administrator = f"bind_dn: uid=admin\n  servers: [ldaps://localhost:1]\n  {value_of('bind_password', value)}"
    (folder / "given.yml").write_text(
        f"livesync_idm:\n  {account}\nlivesync_directory:\n  {administrator}\n"
        "livesync_sources:\n  - {source: system/ldap/account, schedule: {interval: 15}}\n",
        encoding="utf-8",
    )
    return go


def comparable(result):
    """Return a result without what is a matter of the moment, or of the programs' insides."""
    return {
        name: value for name, value in result.items() if name not in ("exception", "deprecations", "ansible_parsed")
    }


def test_every_result_is_the_same(play):
    results = {way: play("book.yml", way) for way in WAYS}
    worker, module = (results[way][0] for way in WAYS)
    for name in module:
        assert comparable(worker[name]) == comparable(module[name]), name
    assert worker["plain"]["read"] == "beside the playbook"
    assert worker["checked"]["check"] is True
    assert worker["twice"]["sources"] == ["system/a/b"] or worker["twice"]["sources"] == ["system/c/d"]
    assert "Both option sources and its alias source are set." in worker["twice"]["warnings"]
    assert "nonsense" in worker["unknown"]["msg"] and "timeout" in worker["wrong"]["msg"]
    assert worker["no_schedule"]["msg"] == "sources[1].schedule: 15 cannot be used. Give a dictionary."
    for way, (returned, printed) in results.items():
        assert ('"invocation": {' in printed) == (CORE < (2, 21)), way
        for secret in SECRETS:
            assert secret not in printed, f"{secret}, {way}"
        if CORE < (2, 22):
            assert not [secret for secret in SECRETS if secret in json.dumps(returned)], way
    assert "  [localhost] ******** ********" in results["worker"][1] or CORE >= (2, 22)


def test_progress_leaves_a_document_on_standard_output_as_it_is(play):
    callback = {"ANSIBLE_STDOUT_CALLBACK": "one_document"}.items()
    play("book.yml", "worker", callback, tags="plain", loud="--diff")
    assert json.loads(play.stdout) == {"ended": ["ok", "ok"]}
    assert "[localhost] " in play.stderr


def test_the_invocation_is_there_where_it_is_asked_for(play):
    told = {"ANSIBLE_INJECT_INVOCATION": "true"}.items()
    played = {way: play("book.yml", way, told, tags="plain") for way in WAYS}
    given = {way: returned["plain"].get("invocation") for way, (returned, unused) in played.items()}
    assert given["worker"] == given["module"]
    for _unused, printed in played.values():
        assert '"invocation": {' in printed and '"username": "admin"' in printed
        assert not [secret for secret in SECRETS if secret in printed]


def test_the_role_takes_values_that_are_encrypted_among_its_variables(play):
    returned, printed = play("role.yml", "worker")
    assert {"idm_unreachable", "directory_unreachable"} <= set(returned["found"]), printed
    assert "encryptedsecret" not in printed


@pytest.fixture
def server(tmp_path):
    with running("standalone", tmp_path / "ping", people=3) as stand_in:
        yield stand_in


@pytest.mark.parametrize("way", WAYS)
def test_an_access_token_is_used_and_not_shown(play, tmp_path, way):
    with running("aic", tmp_path / "aic", people=3) as stand_in:
        returned, printed = play("token.yml", way, idm_connection=stand_in.variables["idm_connection"])
        secrets = stand_in.secrets
    assert [connector["name"] for connector in returned["used"]["connectors"]] == ["ldap"]
    assert secrets and not [name for name, value in secrets.items() if value in printed]
    for task in returned["background"]:
        assert task["failed"] and "leave async out" in task["msg"]
    assert not list((tmp_path / "async").rglob("*"))


@pytest.mark.parametrize("way", WAYS)
def test_a_task_ends_when_its_time_is_up(play, server, way):
    control = server.variables["ping_control"]
    post = {"params": {"_action": "liveSync"}, "headers": administrator(server), "timeout": 5}
    requests.post(f"{server.variables['idm_url']}/{server.variables['source']}", **post).raise_for_status()
    requests.put(f"{control}/switches", json={"record_seconds": 40}, timeout=5).raise_for_status()
    requests.put(f"{control}/people", json={"user.1": {"sn": "Changed"}}, timeout=5).raise_for_status()
    began = time.monotonic()
    returned, printed = play("trigger.yml", way, limit=3, **own(server))
    assert returned["ran"]["failed"] and "time" in returned["ran"]["msg"].lower(), printed
    assert time.monotonic() - began < 30


def administrator(server):
    return {f"X-OpenIDM-{name.title()}": server.variables[f"idm_{name}"] for name in ("username", "password")}


def own(server):
    return {name: server.variables[name] for name in ("source", "idm_connection")}


def test_without_python_ldap_on_the_controller_the_module_runs(play, server, tmp_path):
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    (lacking / "ldap.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    interpreter = tmp_path / "python"
    interpreter.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec {sys.executable} "$@"\n', encoding="utf-8")
    interpreter.chmod(0o700)
    directory = {"servers": ["ldaps://localhost:1"], "bind_dn": "uid=admin", "bind_password": "x"}
    more = {"interpreter": str(interpreter), "directory": directory, **own(server)}
    ran = {}
    for way in WAYS:
        returned, unused = play("trigger.yml", way, {"PYTHONPATH": str(lacking)}.items(), **more)
        ran[way] = comparable(returned["ran"])
        assert not returned["ran"]["failed"], returned["ran"]
        # what only somebody with python-ldap comes to say: the directory's name is none that the connector has
        assert any("Whether ldaps://localhost:1 is the server" in text for text in returned["ran"]["warnings"])
    assert [run["warnings"] for run in ran.values()] == [ran["module"]["warnings"]] * 2


@pytest.mark.parametrize("way", WAYS)
def test_what_never_comes_true_ends_with_what_was_seen(play, server, way):
    mapping = server.variables["mapping"]
    returned, printed = play("until.yml", way, mapping=mapping, **own(server))
    source = own(server)["source"]
    assert all(one["failed"] and one["attempts"] == 1 for one in returned.values())
    assert returned["state"]["msg"].startswith(f"{source} is {returned['state']['livesync'][0]['state']}")
    assert returned["connector"]["msg"] == "The test of the connector ldap succeeds."
    assert returned["recon"]["msg"].startswith(f"The reconciliation of {mapping} is in the state SUCCESS, 3 of 3")
    assert returned["run"]["msg"] == f"{source}: unchanged, the token at 3."
    assert returned["preflight"]["msg"]
    for one in returned.values():
        assert one["msg"] in printed
    assert "Unknown error" not in printed
