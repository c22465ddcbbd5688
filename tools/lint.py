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


def main() -> int:
    """Run every linter, and fail after the last if one of them had something to say."""
    with tree.exclusive():
        return _lint(tree.refresh())


def _lint(copy: pathlib.Path) -> int:
    env = environment()
    linters = {
        "ansible-lint": ["ansible-lint", "--offline", "--nocolor", "-q"],
        "yamllint": ["yamllint", "--strict", "."],
        "ruff": ["ruff", "check", "--no-cache", "--output-format", "concise"],
        "mypy": ["mypy", "--no-error-summary", *_TYPED],
    }
    failed = []
    for name, command in linters.items():
        try:
            steps.run(name, command, LOGS / f"lint-{name}.log", cwd=copy, env=env)
        except steps.StepFailed:
            failed.append(name)
    if failed:
        steps.say(f"not clean: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    steps.main(main)
