# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things are, and the environment in which Ansible's tools run."""

from __future__ import annotations

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
LOGS = BUILD / "logs"

#: A root for ANSIBLE_COLLECTIONS_PATH, and where the copy of the collection lies below one.
COLLECTIONS = BUILD / "collections"
BELOW = pathlib.PurePath("ansible_collections", "idmops", "idm")
COPY = COLLECTIONS / BELOW

PYTHON_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def environment(**more: str) -> dict[str, str]:
    """The environment for Ansible's programs: ours first on PATH, and nothing of the user's Ansible set-up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(BUILD / "home" / ".ansible"),
        **more,
    }
