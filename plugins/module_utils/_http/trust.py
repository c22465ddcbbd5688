# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an https connection trusts, and what it shows of itself: as requests takes it."""

from __future__ import annotations

import os
import ssl
import typing as t
from pathlib import Path

from .._base.errors import InvalidOption


def trusted(options: t.Mapping[str, t.Any]) -> bool | str:
    """Return what requests takes as ``verify``: the CA that is given, else the system's, else requests' own list."""
    if not options.get("validate_certs", True):
        return False
    if options.get("ca_path"):
        return _existing("ca_path", options["ca_path"])
    if os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"):
        return True  # requests takes it from there
    system = ssl.get_default_verify_paths()
    if system.cafile:
        return system.cafile
    return system.capath if system.capath and any(Path(system.capath).iterdir()) else True


def certificate(options: t.Mapping[str, t.Any]) -> t.Any:
    """Return what requests takes as ``cert``: a file with certificate and key, or a pair of files."""
    if not options.get("client_cert"):
        return None
    certificate = _existing("client_cert", options["client_cert"])
    return (certificate, _existing("client_key", options["client_key"])) if options.get("client_key") else certificate


def _existing(option: str, path: str) -> str:
    if not os.path.exists(path):
        raise InvalidOption(option, path, "There is no such file or directory.")
    return path
