# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to each server for all that a task asks of it: each costs a TLS handshake or three, and a bind.

It is for tasks that read for a moment, so that what stays as it is is read once, too: a server's configuration, rights.
"""

from __future__ import annotations

import typing as t

from .._base.context import Context
from .directory import Directory

#: Gives a connection by its options and a URL.
Connect = t.Callable[[t.Mapping[str, t.Any], str, Context], Directory]


class Lines:
    """Keeps the connections, and closes them at its end. They are for reading alone.

    :param context: of the task, in check mode.
    :param make: makes a connection.
    """

    def __init__(self, context: Context, make: Connect) -> None:
        self._context = context
        self._make = make
        self._known: list[tuple[t.Mapping[str, t.Any], Directory]] = []

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *unused: t.Any) -> None:
        for _options, directory in self._known:
            directory.close()

    def connect(self, options: t.Mapping[str, t.Any], uri: str, *unused: t.Any) -> Directory:
        """Return the connection to a server: the one that there is, where it was made with the same options."""
        for given, known in self._known:
            if known.uri == uri and given == options:
                return known
        made = self._make(options, uri, self._context)
        made.kept = {}
        self._known.append((options, made))
        return made
