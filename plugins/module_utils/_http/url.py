# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of IDM and of AM, as they are given. No I/O."""

from __future__ import annotations

import typing as t

from .._base.address import base_url, is_open_http
from .._base.context import Context


def checked_url(options: t.Mapping[str, t.Any], context: Context) -> str:
    """Return the base URL without its trailing slash.

    :raises InvalidOption: when it is not an http(s) URL, or carries credentials.
    """
    url = base_url(options["url"])
    warn_of_plain_http("url", url, context)
    return url


def node_urls(options: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return the base URLs of the nodes behind the address, none where they are not told.

    :raises InvalidOption: when one is not an http(s) URL, or carries credentials.
    """
    return tuple(dict.fromkeys(base_url(str(node), "nodes") for node in options.get("nodes") or ()))


def warn_of_plain_http(option: str, url: str, context: Context) -> None:
    """Warn of an address whose credentials can be read on the way."""
    if is_open_http(url):
        context.report.warn(f"{option}: {url} is not encrypted, so the credentials can be read on the way. Use https.")
