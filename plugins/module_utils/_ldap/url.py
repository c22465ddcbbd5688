# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs of directory servers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .._base.address import is_loopback
from .._base.errors import InvalidOption


def _is_name(host: str) -> bool:
    """Tell whether a host name can be looked up at all."""
    try:
        return bool(host.encode("idna")) and not re.search(r"\s", host)
    except UnicodeError:
        return False


def host_and_port(uri: str, option: str = "servers") -> tuple[str, int]:
    """Return what an LDAP URL of a server names.

    :raises InvalidOption: when it is not ldap(s)://host[:port].
    """
    form = "Write it as ldaps://host:port or ldap://host:port."
    shown = re.sub(r"//.*@", "//...@", uri)  # a password that somebody has put there
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as exc:
        raise InvalidOption(option, shown, f"{form} A port is a number up to 65535.") from exc
    scheme = parts.scheme.lower()
    if uri and "/" not in uri and _is_name(uri.partition(":")[0]):
        raise InvalidOption(option, shown, f"Write it as ldaps://{uri}, or ldap://{uri} for a port without TLS.")
    if parts.hostname and not _is_name(parts.hostname):
        raise InvalidOption(
            option, shown, "Its host is no host's name: no part of that is empty, and none has a blank."
        )
    more = parts.path.strip("/") or parts.query or "@" in parts.netloc
    if scheme not in ("ldap", "ldaps") or not parts.hostname or more:
        raise InvalidOption(option, shown, form)
    return parts.hostname, port or (636 if scheme == "ldaps" else 389)


def is_open(uri: str, *, start_tls: bool) -> bool:
    """Tell whether a password can be read on the way to a server."""
    parts = urlsplit(uri)
    return parts.scheme.lower() == "ldap" and not start_tls and not is_loopback(parts.hostname)
