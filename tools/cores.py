# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of ansible-core that the collection works with, each in an environment that is made once and kept.

Which of them this machine can have depends on its Pythons. The release that .venv has is taken from there.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t
from importlib.metadata import version

from . import steps, venvs
from .places import ROOT

Python = t.Tuple[int, int]

#: What the unit tests need beside an ansible-core.
UNITS = (ROOT / "requirements.txt", ROOT / "tests" / "unit" / "requirements.txt")
#: What a Python must have: virtual environments, and what python-ldap compiles against.
_FITS = """
import ensurepip, os, sys, sysconfig, venv
assert os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
print(*sys.version_info[:2], sys._base_executable)
"""


class Core(t.NamedTuple):
    """A release of ansible-core, and the Pythons that its controller runs on."""

    release: str
    requirement: str
    lowest: Python
    highest: Python

    def __str__(self) -> str:
        """Return it as a person would call it."""
        return f"ansible-core {self.release}"


CORES = (
    Core("2.16", "ansible-core ~= 2.16.0", (3, 10), (3, 12)),
    Core("2.18", "ansible-core ~= 2.18.0", (3, 11), (3, 13)),
    Core("2.19", "ansible-core ~= 2.19.0", (3, 11), (3, 13)),
    Core("2.20", "ansible-core ~= 2.20.0", (3, 12), (3, 14)),
    Core("2.21", "ansible-core ~= 2.21.0", (3, 12), (3, 14)),
    Core("2.22", "ansible-core ~= 2.22.0rc1", (3, 13), (3, 15)),  # its release candidate until it is out
)
#: The one in .venv.
OWN = version("ansible-core").rsplit(".", 1)[0]


class Chosen(t.NamedTuple):
    """A release that this machine can run, and the Python for it."""

    core: Core
    python: pathlib.Path
    version: Python

    def __str__(self) -> str:
        """Return it as a person would call it."""
        return f"{self.core} on Python {self.version[0]}.{self.version[1]}"


def pythons() -> dict[Python, pathlib.Path]:
    """Return the Pythons of this machine that fit, by version; an executable is asked, since it may be a shim."""
    names = [f"python3.{minor}" for minor in range(9, 16)]
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser() / "versions"
    found = [pathlib.Path(sys.executable), *(pathlib.Path(path) for path in map(shutil.which, names) if path)]
    found += [path for name in names for path in sorted(pyenv.glob(f"*/bin/{name}"))]
    known: dict[Python, pathlib.Path] = {}
    for path in found:
        asked = subprocess.run(
            [str(path), "-c", _FITS], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            major, minor, base = asked.stdout.strip().split(" ", 2)
            known.setdefault((int(major), int(minor)), pathlib.Path(base))
    return known


def choose(known: t.Mapping[Python, pathlib.Path]) -> tuple[list[Chosen], list[Core]]:
    """Return the releases that these Pythons allow, each with the lowest of them, and those that they do not allow."""
    chosen, missing = [], []
    for core in CORES:
        fitting = sorted(python for python in known if core.lowest <= python <= core.highest)
        if core.release == OWN:
            chosen.append(Chosen(core, pathlib.Path(sys.executable), sys.version_info[:2]))
        elif fitting:
            chosen.append(Chosen(core, known[fitting[0]], fitting[0]))
        else:
            missing.append(core)
    return chosen, missing


def available() -> list[Chosen]:
    """Return the releases that this machine can run, oldest first, and say which it cannot."""
    chosen, missing = choose(pythons())
    for core in missing:
        lowest, highest = (".".join(map(str, python)) for python in (core.lowest, core.highest))
        steps.say(f"{core}: NOT TESTED here, it needs a Python from {lowest} to {highest} with its header files")
    return chosen


def programs(chosen: Chosen) -> pathlib.Path:
    """Return the folder of the programs of a release: its Python, ansible-playbook and so on; make it if need be.

    :raises StepFailed: when it cannot be made.
    """
    if chosen.core.release == OWN:
        return pathlib.Path(sys.executable).parent
    return venvs.programs(str(chosen), f"core-{chosen.core.release}", chosen.python, chosen.core.requirement, *UNITS)
