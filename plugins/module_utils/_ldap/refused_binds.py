# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is no use in trying again within a task: passwords that were refused, servers that do not answer."""

from __future__ import annotations

import typing as t
from functools import partial

from .._base.errors import DirectoryError, IdmopsError
from .._base.threads import side_by_side
from .directory import INVALID_CREDENTIALS, Directory, NoAnswer

#: How many servers are greeted at a time.
_AT_ONCE = 16


class RefusedBinds:
    """Keeps a password that was refused from being tried again: each time counts towards the account's lockout.

    A server that did not answer is not waited for again, nor sent the password again.
    """

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()
        self._no_answer: dict[str, NoAnswer] = {}

    def note(self, options: t.Mapping[str, t.Any], exc: IdmopsError) -> None:
        """Take note of an error that a use of a directory ended in."""
        if exc.status == INVALID_CREDENTIALS:
            self._known.add(self._key(options))
        if isinstance(exc, NoAnswer):
            self._no_answer[exc.uri] = exc

    def greet(self, directories: t.Sequence[Directory]) -> None:
        """Greet several servers at once, so that those that hang cost one time-out, and take note of them."""

        def greet(directory: Directory) -> NoAnswer | None:
            try:
                directory.greet()
            except NoAnswer as exc:
                return exc
            return None

        open_ones = [directory for directory in directories if directory.uri not in self._no_answer]
        if len(open_ones) > 1:
            for failed in side_by_side([partial(greet, one) for one in open_ones], _AT_ONCE):
                if failed:
                    self._no_answer[failed.uri] = failed

    def silent(self, uri: str) -> NoAnswer | None:
        """Return what a server that gave no answer was met with, None where nothing is known against it."""
        return self._no_answer.get(uri)

    def again(self, options: t.Mapping[str, t.Any], uri: str) -> DirectoryError | None:
        """Return the error for a server that is not to be tried, None where nothing speaks against it."""
        if uri in self._no_answer:
            return self._no_answer[uri]
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
