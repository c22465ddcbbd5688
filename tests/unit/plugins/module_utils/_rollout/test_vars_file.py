# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of variables: what Ansible reads of it is what was meant, and none is ever overwritten."""

from __future__ import annotations

import os
import stat

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import (
    IdmopsError,
    InvalidOption,
    MissingLibrary,
)
from ansible_collections.idmops.idm.plugins.module_utils._rollout import vars_file
from ansible_collections.idmops.idm.plugins.module_utils._rollout.adopted import Reference
from ansible_collections.idmops.idm.plugins.module_utils._rollout.vars_file import (
    as_comment,
    as_yaml,
    is_there,
    write_new,
)

HOSTILE = [
    "{{ lookup('pipe', 'id') }}",
    "{% set x = 1 %}",
    "on",
    "0/15 * * * * ?",
    "a: b # c",
    "two\nlines",
    "&{esv.cron}",
    "1e3",
    "",
    "ä \x07 \u2028 end",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_comes_back_as_it_was(tmp_path, text):
    path = tmp_path / "vars.yml"
    path.write_text(as_yaml({"a": [{"b": text}]}), encoding="utf-8")
    assert DataLoader().load_from_file(str(path), unsafe=False) == {"a": [{"b": text}]}


def test_what_a_server_says_is_no_template_and_a_reference_is_one():
    assert as_yaml({"a": "{{ x }}"}) == "a: !unsafe '{{ x }}'\n"
    assert as_yaml({"a": Reference("{{ x }}")}) == 'a: "{{ x }}"\n'
    assert as_yaml([{"a": ["b"], "c": True}], "  ") == "  - a:\n      - b\n    c: true\n"


@pytest.mark.parametrize("text", ["one\ntwo: three", "one\x85two: three", "one\u2028two: three", "a\rb", "x " * 200])
def test_nothing_gets_out_of_a_comment(text):
    lines = as_comment(f"begin {text} \x07 end", "  ").splitlines()
    assert all(line.startswith("  # ") and len(line) <= 118 and line.isprintable() for line in lines)
    assert DataLoader().load("".join(as_comment(text)) + "---\na: 1\n") == {"a": 1}


def test_without_the_library_it_is_named(monkeypatch):
    monkeypatch.setattr(vars_file, "yaml", None)
    with pytest.raises(MissingLibrary, match="PyYAML"):
        as_yaml({})


def test_a_file_is_written_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        write_new(str(tmp_path / "new" / "a.yml"), "ä\n")
    finally:
        os.umask(before)
    path = tmp_path / "new" / "a.yml"
    assert path.read_text(encoding="utf-8") == "ä\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_there_is_never_touched(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("mine", encoding="utf-8")
    link = tmp_path / "b.yml"
    link.symlink_to(tmp_path / "nowhere")
    for one in (path, link):
        assert is_there(str(one))
        with pytest.raises(IdmopsError, match=f"{one.name} cannot be written: File exists"):
            write_new(str(one), "ours")
    assert path.read_text(encoding="utf-8") == "mine" and not (tmp_path / "nowhere").exists()
    assert not is_there(str(tmp_path / "c.yml"))
    with pytest.raises(InvalidOption, match="It is a folder"):
        is_there(str(tmp_path))


def test_half_a_file_is_not_left(tmp_path):
    path = tmp_path / "a.yml"
    with pytest.raises(UnicodeEncodeError):
        write_new(str(path), "a\ud800")
    assert not path.exists()
