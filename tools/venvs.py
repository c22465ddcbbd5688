# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments beside .venv, for programs that do not go together with what is in there: made once and kept."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

from tests.servers.stack.cache import cache_root, locked, recipe_hash

from . import steps
from .places import LOGS, ROOT, environment

_TRIES = 3


def programs(title: str, name: str, python: pathlib.Path, *packages: t.Union[str, pathlib.Path]) -> pathlib.Path:
    """Return the folder of the programs of an environment; make it if need be.

    :param title: what a person would call it.
    :param name: what tells it from others.
    :param packages: requirements, and files of requirements.
    :raises StepFailed: when it cannot be made.
    """
    digest = recipe_hash(str(python), *_texts(packages))
    folder = cache_root() / "venvs" / f"{name}-{digest}"
    with locked(folder.with_name(f"{folder.name}.lock")):  # a release has a dot in its name
        if not (folder / "ready").exists():
            _make(title, name, python, packages, folder)
    return folder / "bin"


def _texts(packages: t.Iterable[t.Union[str, pathlib.Path]]) -> t.Iterator[str]:
    for package in packages:
        if isinstance(package, str):
            yield package
            continue
        lines = package.read_text(encoding="utf-8").splitlines()
        yield from lines
        yield from _texts(package.parent / line[3:] for line in lines if line.startswith("-r "))


def _make(
    title: str, name: str, python: pathlib.Path, packages: t.Iterable[t.Union[str, pathlib.Path]], folder: pathlib.Path
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    asked = [word for one in packages for word in ([one] if isinstance(one, str) else ["-r", str(one)])]
    for left in reversed(range(_TRIES)):
        made = steps.run(
            f"{title}: making its environment, once",
            ["/bin/sh", "-c", '"$1" -m venv "$2" && shift 2 && exec "$@"', "sh", str(python), str(folder),
             *pip, *asked],
            LOGS / f"{name}.log", cwd=ROOT, env=environment(), check=not left,
        )  # fmt: skip
        if made == 0:
            (folder / "ready").touch()
            return
