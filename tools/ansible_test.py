# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test sanity on the copy of the collection: ``python -m tools.ansible_test [argument ...]``."""

from __future__ import annotations

import pathlib
import shutil
import sys
import typing as t

from . import steps, tree
from .places import BUILD, LOGS, PYTHON_VERSION, environment

# ansible-test makes small virtual environments without pip and wants to download get-pip.py for them. Its cache may
# hold another program of that name (ansible issue 77304): Python's own ensurepip serves. It runs in a child, since it
# turns off pip's configuration files in the process that it runs in, and those say how this machine reaches PyPI.
_GET_PIP = '''"""Installs pip as get-pip.py does, from what Python ships."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
if packages:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run(command + packages, check=True)
'''


def _home() -> pathlib.Path:
    """Make a home folder for ansible-test, which keeps its cache there, and return it.

    ansible-test hands on HOME and PATH only: pip's configuration files and cache are linked from the user's home.
    """
    home = BUILD / "home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in ("get_pip_23_1_2.py", "get_pip_24_2.py", "get_pip_25_2.py"):
        (cache / name).write_text(_GET_PIP, encoding="utf-8")
    for name in (".pip", ".config/pip", ".cache/pip"):
        source, link = pathlib.Path.home() / name, home / name
        if source.is_dir() and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
    return home


def _fresh_copy() -> pathlib.Path:
    """Return a copy of the collection, as it is now, without what an earlier ansible-test left in it."""
    copy = tree.refresh()
    shutil.rmtree(copy / "tests" / "output", ignore_errors=True)
    return copy


def command(
    *arguments: str, programs: pathlib.Path = pathlib.Path(sys.executable).parent, version: str | None = PYTHON_VERSION
) -> list[str]:
    """Return the command line of an ansible-test command on this machine.

    :param programs: the folder with ansible-test, that of .venv unless told.
    :param version: the Python that shall be used, None for all that can be found.
    """
    asked = ["--python", version] if version else []
    return [str(programs / "ansible-test"), *arguments, "--local", *asked, "--color", "no"]


def run_sanity(title: str, log: pathlib.Path, line: t.Sequence[str], **more: str) -> None:
    """Run a command line of ansible-test on a fresh copy; only within :func:`tree.exclusive`.

    :param more: what the environment has beside the usual.
    :raises StepFailed: when something is not clean.
    """
    steps.run(
        title,
        line,
        log,
        cwd=_fresh_copy(),
        env=environment(HOME=str(_home()), **more),
        telling=steps.beginning("Running sanity test", "ERROR"),
    )


def main() -> int:
    """Run ansible-test sanity on a fresh copy."""
    arguments = sys.argv[1:]
    with tree.exclusive():
        run_sanity(" ".join(["ansible-test sanity", *arguments]), LOGS / "sanity.log", command("sanity", *arguments))
    return 0


if __name__ == "__main__":
    steps.main(main)
