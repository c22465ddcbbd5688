# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the collection importable as ``ansible_collections.idmops.idm`` wherever the repository lies."""

from __future__ import annotations

import contextlib
import importlib
import pathlib
import socket

import pytest

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LINK = _ROOT / "build" / "pytest" / "ansible_collections" / "idmops" / "idm"

if not _LINK.is_symlink():
    _LINK.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # several workers start at once
        _LINK.symlink_to(_ROOT)
    importlib.invalidate_caches()


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch):
    """Look no host name up but this machine's own: the unit tests need no network, and names of examples exist."""
    real = socket.getaddrinfo

    def look_up(host, *given, **more):
        if host in ("localhost", "127.0.0.1", "::1", "", None):
            return real(host, *given, **more)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
