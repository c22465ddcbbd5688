# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the integration targets run on: the installed archive, so that what the archive lacks is lacking there, too."""

from __future__ import annotations

import pathlib
import re

import pytest

from tools import archive, installed, steps, tree
from tools.places import ROOT

NAMES = [
    pathlib.PurePosixPath(name)
    for name in (
        "README.md", "plugins/modules/kept.py", "plugins/modules/left_out.py", "roles/livesync/tasks/main.yml",
        "tests/config.yml", "tests/integration/targets/one/tasks/main.yml", "tests/servers/stack/__main__.py",
        "tests/unit/conftest.py", "tools/installed.py",
    )
]  # fmt: skip
GALAXY = """\
{namespace: idmops, name: idm, version: 1.0.0, readme: README.md, authors: [contributors], license: [GPL-3.0-or-later],
 build_ignore: [galaxy.yml, tests/integration, tests/servers, tests/unit, tools, %s]}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A small collection in place of the repository; returns what makes its archive without the files of a pattern."""
    root, made = tmp_path / "repository", tmp_path / "build"
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n", encoding="utf-8")
    made.mkdir()
    monkeypatch.setattr(tree, "tracked", lambda: NAMES)
    for module in (archive, installed):
        monkeypatch.setattr(module, "LOGS", made)
        monkeypatch.setattr(module, "BUILD", made)
    monkeypatch.setattr(installed, "ROOT", root)

    def build(without):
        (root / "galaxy.yml").write_text(GALAXY % without, encoding="utf-8")
        return archive.build(root, made / "archive")

    return build


def held(copy):
    """Return the files of a copy that the repository has, too."""
    return {name for name in NAMES if (copy / name).is_file()}


def test_the_targets_run_on_what_was_installed_with_themselves_and_the_servers_beside_it(repository, tmp_path):
    copy = installed.with_tests(repository("nothing"), tmp_path / "collections")
    assert copy == tmp_path / "collections" / "ansible_collections" / "idmops" / "idm"
    assert (copy / "MANIFEST.json").is_file() and (copy / ".git").is_dir()
    assert {str(name) for name in set(NAMES) - held(copy)} == {"tests/unit/conftest.py", "tools/installed.py"}


def test_what_the_archive_lacks_is_not_there_though_the_repository_has_it(repository, tmp_path):
    copy = installed.with_tests(repository("plugins/modules/left_out.py"), tmp_path / "collections")
    assert not (copy / "plugins" / "modules" / "left_out.py").exists()
    assert (copy / "plugins" / "modules" / "kept.py").is_file()


def test_an_archive_that_lacks_a_file_is_not_even_installed(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tree, "refresh", lambda: tmp_path / "repository")
    repository("plugins/modules/left_out.py")
    with pytest.raises(steps.StepFailed):
        installed.packed()
    assert "missing: plugins/modules/left_out.py" in capsys.readouterr().out


def test_what_was_there_is_removed_first(repository, tmp_path):
    stale = tmp_path / "collections" / "ansible_collections" / "idmops" / "idm" / "plugins" / "modules" / "left_out.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    installed.with_tests(repository("plugins/modules/left_out.py"), tmp_path / "collections")
    assert not stale.exists()


def test_nothing_is_laid_beside_that_a_user_has():
    assert not [name for name in tree.tracked() if installed.is_beside(name) and archive.is_expected(name)]


def test_what_the_targets_import_of_our_tools_is_laid_beside_them():
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in tree.tracked() if str(name).endswith(".py")
             and name.parts[:2] == ("tests", "integration")]  # fmt: skip
    wanted = {name for text in texts for name in re.findall(r"idmops\.idm\.tools import (\w+)", text)}
    assert wanted and all(installed.is_beside(pathlib.PurePosixPath("tools", f"{name}.py")) for name in wanted)
