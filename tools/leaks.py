# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches what was printed for the secrets that were used."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

#: A part of a secret that is shorter than this may stand in any text.
_SHORTEST = 12


def stack_secrets(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return names and values of the generated passwords of a stack.

    IDM's own are left out: OpenIDM makes these accounts with passwords that equal their names.
    """
    return {name: str(value) for name, value in variables.items() if name.endswith("_password") and "idm_" not in name}


def told_secrets(path: pathlib.Path) -> dict[str, str]:
    """Return what stand-ins say of their secrets (``--secrets``): a name and a value in each line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {f"{name} of stand-in {number}": value for number, line in enumerate(lines)
            for name, value in json.loads(line).items()}  # fmt: skip


def searchable(secret: str) -> str | None:
    """Return the part of a secret that is searched for, None where it is too short to be told from other text.

    What is no letter or digit may be escaped in one of many ways: it is the longest part without.
    """
    part = max(re.split(r"[^A-Za-z0-9_-]", secret), key=len)
    return part if len(part) >= _SHORTEST else None


def found(text: str, secrets: t.Mapping[str, str]) -> list[str]:
    """Return which secrets a text holds: the name of each, and the line's number. Those too short are left out."""
    hits = []
    for name, value in secrets.items():
        part = searchable(value)
        at = text.find(part) if part else -1
        if at >= 0:
            hits.append(f"{name} is printed in line {text.count(chr(10), 0, at) + 1}")
    return hits
