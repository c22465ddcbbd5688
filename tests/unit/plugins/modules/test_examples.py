# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the pages and of the modules can be used as it stands, or here says why that is not looked at.

Each option is one of its module, each variable one of the role or of the playbook; what is played on real servers the
integration targets and ``make demo`` play with options of their own.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible.cli import playbook
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import connection_options
from ansible_collections.idmops.idm.plugins.module_utils._ansible.misfit import misfits
from ansible_collections.idmops.idm.plugins.module_utils._ldap.options import directory_options
from ansible_collections.idmops.idm.plugins.module_utils._rollout.variables import role_variables

ROOT = pathlib.Path(__file__).resolve().parents[4]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COLLECTION = "ansible_collections.idmops.idm.plugins"
MODULES = {
    path.stem: importlib.import_module(f"{COLLECTION}.modules.{path.stem}")
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))
}
GROUP = "group/idmops.idm.idm"
#: Given in the pages once for all examples.
CONNECTION = {"url": "https://idm.example.com/openidm"}
#: Programs whose call is not tried, and why.
NOT_RUN = {
    "ansible-galaxy": "installs from a server, or the archive, which make build installs on trial",
    "python3": "makes the reader's environment, as tools/venvs.py makes those of the tests",
    "install": "copies into the system's folders",
    "systemd-analyze": "test_external_scheduler calls it",
    "systemctl": "the units are looked at in test_external_scheduler",
    "curl": "asks a controller, or IDM; the bodies are looked at where they stand",
}
#: What is shown and is no example to follow: what programs print, and what a server has. By page and kind: who looks.
SHOWN = {
    ("adopt-and-drift.md", "text"): "printed; the target adopt",
    ("adopt-and-drift.md", "json"): "printed; the target adopt holds it against docs/schemas/drift.json",
    ("clusters.md", "json"): "a part of a connector's configuration",
    ("large-backlogs.md", ""): "a line for Java's properties; test_error_texts",
    ("least-rights.md", "json"): "rules for IDM; test_least_rights",
    ("least-rights.md", "text"): "ACIs; test_least_rights",
    ("proof.md", ""): "an entry of the directory, in LDIF; the target livesync_canary makes one",
    ("status-reports.md", "text"): "printed; test_playbooks",
    ("status-reports.md", "json"): "written; test_report",
    ("status-reports.md", "xml"): "written; test_report",
}


class Example(t.NamedTuple):
    """A part of a page."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def of_pages():
    """Yield the examples of all pages."""
    fence = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        page = path.read_text(encoding="utf-8")
        for found in fence.finditer(page):
            yield Example(path.name, page[: found.start()].count("\n") + 1, found[2], found[3])


IN_PAGES = list(of_pages())
OF_MODULES = [Example(name, 0, "yaml", module.EXAMPLES) for name, module in MODULES.items()]
TO_COPY = [one for one in (*IN_PAGES, *OF_MODULES) if one.kind == "yaml"]


def below(node):
    """Yield each dictionary of a document, the outer ones first."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from below(one)


def templated(value):
    return isinstance(value, str) and "{{" in value


def complaints(options, given):
    """Return what is wrong with options; what a template makes of itself when it is played is left out."""
    if templated(given):
        return []
    names = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", ()))}
    later = {name for name, value in given.items() if templated(value)}
    met = {names.get(name) for name in later}
    spec = {name: {**option, "required": False} if name in met else option for name, option in options.items()}
    return list(misfits(spec, {name: None if name in later else value for name, value in given.items()}))


def of_tasks(task):
    """Yield what is wrong with the collection's tasks, and with what is given for all its modules; [] if nothing."""
    for key, given in task.items():
        name = str(key).rpartition(".")[2]
        if str(key).startswith("idmops.idm.") and name in MODULES:
            spec = MODULES[name].SPEC
            told = {**(CONNECTION if "url" in spec.argument_spec else {}), **given}
            wrong = complaints(spec.argument_spec, told)
            if not wrong and not any(map(templated, told.values())):
                wrong = ArgumentSpecValidator(**spec.as_arguments()).validate(told).error_messages
            yield wrong
        elif key == GROUP:
            known = MODULES["livesync_trigger"].SPEC.argument_spec
            yield complaints({name: known[name] for name in connection_options()}, given)


def of_variables(variables):
    """Yield what is wrong with variables of the role; [] if nothing."""
    given = {name: value for name, value in variables.items() if str(name).startswith("livesync_")}
    if given:
        yield complaints(role_variables(), given)


def of_the_rest(part):
    """Yield what is wrong with playbooks and collections that are named; [] if nothing."""
    for key in {"import_playbook", "ansible.builtin.import_playbook"} & set(part):
        yield no_playbook(part[key])
    if "collections" in part:
        yield [] if part["collections"] == [{"name": "idmops.idm"}] else ["another collection"]
    if part.get("directory") and set(part) == {"directory"}:
        yield complaints(directory_options(), part["directory"])


def no_playbook(name):
    """Return what is wrong with a playbook's name."""
    known = [f"idmops.idm.{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")]
    return [] if name in known else [f"{name}: there is no such playbook"]


@pytest.mark.parametrize("example", TO_COPY, ids=str)
def test_what_is_to_be_copied_fits_modules_role_and_playbooks(example):
    looks = (of_tasks, of_variables, of_the_rest)
    found = [
        wrong
        for document in yaml.safe_load_all(example.text)
        for part in below(document)
        for look in looks
        for wrong in look(part)
    ]
    assert found, "nothing in it was looked at"
    assert [line for wrong in found for line in wrong] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "- idmops.idm.livesync_trigger: {sorce: system/ldap/account}",
            "sorce: there is no such option. Did you mean source",
        ),
        ("- idmops.idm.recon: {wait: true}", "mapping: is needed"),
        ("- idmops.idm.recon: {mapping: m, wait: perhaps}", "wait: a text cannot be used"),
        ("livesync_idm: {ulr: https://idm}", "livesync_idm.ulr: there is no such option"),
        ("livesync_source: []", "livesync_source: there is no such option"),
        ("- ansible.builtin.import_playbook: idmops.idm.stauts", "there is no such playbook"),
    ],
)
def test_an_example_that_is_wrong_is_found(text, wrong):
    with pytest.raises(AssertionError, match=re.escape(wrong)):
        test_what_is_to_be_copied_fits_modules_role_and_playbooks(Example("new.md", 1, "yaml", text))


def test_ansible_can_read_all_plays_and_tasks(tmp_path):
    books = []
    for number, example in enumerate(TO_COPY):
        parts = yaml.safe_load(example.text)
        if not isinstance(parts, list):
            continue
        if not any({"hosts", "import_playbook"} & set(part) for part in parts):
            parts = [{"hosts": "localhost", "gather_facts": False, "tasks": parts}]
        books.append(tmp_path / f"{number}.yml")
        books[-1].write_text(yaml.safe_dump(parts, sort_keys=False), encoding="utf-8")
    assert len(books) > 20
    done = subprocess.run(
        [pathlib.Path(sys.executable).with_name("ansible-playbook"), "-i", "production,", "--syntax-check", *books],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "pytest"), "LC_ALL": "C.UTF-8",
             "ANSIBLE_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", [one for one in IN_PAGES if one.kind == "shell"], ids=str)
def test_what_is_to_be_called_is_there(example):
    lines = example.text.replace("\\\n", " ").splitlines()
    for line in filter(None, map(str.strip, lines)):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", MAKEFILE, re.M), line
        elif words[0] == "ansible-playbook":
            playable(words[1:])
        else:
            assert words[0] in NOT_RUN, line


def playable(words):
    """See that Ansible has the options of a call, and the collection the playbook and its variables."""
    options = playbook.PlaybookCLI(["ansible-playbook", *words])
    options.init_parser()
    (book,) = (said := options.parser.parse_args(words)).args
    variables = {name for one in said.extra_vars if not one.startswith("@") for name in parse_kv(one)}
    if book == "rotate.yml":  # the page has it
        assert not variables
        return
    assert no_playbook(book) == []
    text = (ROOT / "playbooks" / f"{book.rpartition('.')[2]}.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\b(\w+)(?= \| default| is defined)", text))
    assert variables <= asked | set(role_variables())


@pytest.mark.parametrize(
    "call",
    [
        "idmops.idm.stauts",
        "idmops.idm.status -e fali=true",
        "idmops.idm.livesync -e livesync_stat=absent",
        "--chek idmops.idm.livesync",
    ],
)
def test_a_call_that_is_wrong_is_found(call):
    with pytest.raises((AssertionError, SystemExit)):
        playable(call.split())


def test_what_is_only_shown_is_named_with_who_looks_at_it():
    assert {(one.page, one.kind) for one in IN_PAGES if one.kind not in ("yaml", "shell")} == set(SHOWN)
    assert {shlex.split(one.text)[0] for one in IN_PAGES if one.kind == "shell"} <= set(NOT_RUN) | {
        "make",
        "ansible-playbook",
    }
