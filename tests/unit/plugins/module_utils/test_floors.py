# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages of plugins/module_utils stand on floors: an import points down, or stays within its package."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
HOUSE = ROOT / "plugins" / "module_utils"
FLOORS = (
    {"_base"},
    {"_http", "_ldap"},
    {"_ansible", "_idm", "_changelog"},
    {"_record", "_schedule", "_proof"},
    {"_recon", "_health"},
    {"_livesync"},
    {"_rollout", "_verify"},
)
FLOOR = {package: number for number, packages in enumerate(FLOORS, 1) for package in packages}
#: Who alone may import what does not belong to Python.
LIBRARIES = {"ansible": {"_ansible"}, "requests": {"_http"}, "jwt": {"_http"}, "ldap": {"_ldap"}}
FILES = sorted(HOUSE.rglob("*.py"))


def imports(path: pathlib.Path) -> list[tuple[int, str]]:
    """Return what a file imports, under a condition or not, as how many folders up (0: not of ours) and a name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or ""))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_imports_point_down(path):
    package = path.parent.name
    assert path.parent.parent == HOUSE and package in FLOOR
    for level, name in imports(path):
        first = name.split(".")[0]
        assert level < 3 and first != "ansible_collections", name
        if level == 2:
            assert FLOOR[first] < FLOOR[package], f"{package} (floor {FLOOR[package]}) imports {name}"
        if level == 0:
            assert package in LIBRARIES.get(first, {package}), f"{package} imports {name}"


def test_no_circle_within_a_package():
    below = {
        f"{path.parent.name}.{path.stem}": {f"{path.parent.name}.{name}" for level, name in imports(path) if level == 1}
        for path in FILES
    }
    while free := [name for name, needs in below.items() if not needs & set(below)]:
        for name in free:
            del below[name]
    assert not below


def test_the_page_shows_the_same_floors():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\d) \| `(_\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.M)
    assert {package: int(number) for number, package, unused in shown} == FLOOR
    for _unused, package, files in shown:
        assert set(files.strip().split(", ")) == {path.stem for path in (HOUSE / package).glob("*.py")}, package
