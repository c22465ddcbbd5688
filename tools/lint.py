# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The linters, all of them, on the copy of the tracked files."""

from __future__ import annotations

import pathlib

from . import steps, tree
from .places import LOGS, environment

#: Folders of Python that mypy reads; tests check what they say by running.
_TYPED = ("plugins", "tools")
#: Folders of Python whose form ruff keeps.
_FORMED = ("plugins", "tests/unit")
LINTERS = {
    "ansible-lint": ["ansible-lint", "--offline", "--nocolor", "-q"],
    "yamllint": ["yamllint", "--strict", "."],
    "ruff": ["ruff", "check", "--no-cache", "--output-format", "concise"],
    "ruff-format": ["ruff", "format", "--no-cache", "--check", *_FORMED],
    "mypy": ["mypy", "--no-error-summary", *_TYPED],
    "changelog": ["antsibull-changelog", "lint"],
}


def main() -> int:
    """Run every linter, and fail after the last if one of them had something to say."""
    with tree.exclusive():
        return _lint(tree.refresh())


def _lint(copy: pathlib.Path) -> int:
    failed = []
    for name in LINTERS:
        try:
            run(name, copy)
        except steps.StepFailed:
            failed.append(name)
    if failed:
        steps.say(f"not clean: {', '.join(failed)}")
    return bool(failed)


def run(name: str, copy: pathlib.Path) -> None:
    """Run one linter on the copy.

    :raises StepFailed: when it has something to say.
    """
    steps.run(name, LINTERS[name], LOGS / f"lint-{name}.log", cwd=copy, env=environment())


if __name__ == "__main__":
    steps.main(main)
