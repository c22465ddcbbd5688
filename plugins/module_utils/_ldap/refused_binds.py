# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords that a directory has refused."""

from __future__ import annotations

import typing as t

from .._base.errors import DirectoryError, IdmopsError
from .directory import INVALID_CREDENTIALS


class RefusedBinds:
    """Keeps a password that was refused from being tried again: each time counts towards the account's lockout."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def note(self, options: t.Mapping[str, t.Any], exc: IdmopsError) -> None:
        """Take note of an error that a use of a directory ended in."""
        if exc.status == INVALID_CREDENTIALS:
            self._known.add(self._key(options))

    def again(self, options: t.Mapping[str, t.Any], uri: str) -> DirectoryError | None:
        """Return the error for a server that is not to be tried, None where nothing speaks against it."""
        if self._key(options) not in self._known:
            return None
        return DirectoryError(
            f"{uri} was not tried, since {options.get('bind_dn')} was refused elsewhere.",
            status=INVALID_CREDENTIALS,
            remedy="Check bind_dn and bind_password. They are not tried again: failed binds lock accounts.",
        )

    @staticmethod
    def _key(options: t.Mapping[str, t.Any]) -> tuple[str, str]:
        return str(options.get("bind_dn")), str(options.get("bind_password"))
