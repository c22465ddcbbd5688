# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request is to IDM's access rules: a method of CREST, a resource, and for an action its name. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import unquote

READ, QUERY, CREATE, UPDATE, DELETE, ACTION = "read", "query", "create", "update", "delete", "action"
_QUERIES = frozenset({"_queryFilter", "_queryId", "_queryExpression"})


@dataclass(frozen=True)
class Right:
    """What an access rule lets an account do.

    :param method: as access rules write it.
    :param resource: without a slash before it; in a rule it may end in ``/*`` for all below.
    :param action: the action's name, "" for the other methods.
    """

    method: str
    resource: str
    action: str = ""

    def __str__(self) -> str:
        return f"action {self.action} on {self.resource}" if self.action else f"{self.method} {self.resource}"

    def covers(self, asked: Right) -> bool:
        """Tell whether a rule for this right lets a request through that asks for another one."""
        below = self.resource.endswith("/*") and asked.resource.startswith(self.resource[:-1])
        return (
            self.method == asked.method and self.action == asked.action and (below or self.resource == asked.resource)
        )


def rights_asked(
    method: str,
    path: str,
    params: t.Mapping[str, t.Any] | None = None,
    headers: t.Mapping[str, str] | None = None,
) -> tuple[Right, ...]:
    """Return what a request has to be allowed, in the order in which IDM judges it.

    A PUT without a condition is tried as a create of the collection first and, where the document is there, as its
    update (seen on OpenIDM 6.1.0: an account that may only update is refused).
    """
    asked, names = params or {}, {name.lower(): value for name, value in (headers or {}).items()}
    resource = unquote(path)
    collection = resource.rpartition("/")[0]
    if method == "GET":
        return (Right(QUERY if _QUERIES & set(asked) else READ, resource),)
    if method == "POST":
        action = str(asked.get("_action") or CREATE)
        return (Right(CREATE, resource) if action == CREATE else Right(ACTION, resource, action),)
    if method == "DELETE":
        return (Right(DELETE, resource),)
    if "if-match" in names:
        return (Right(UPDATE, resource),)
    if "if-none-match" in names:
        return (Right(CREATE, collection),)
    return Right(CREATE, collection), Right(UPDATE, resource)


def spoken(rights: t.Iterable[Right]) -> str:
    """Return rights as a sentence names them, each once."""
    return ", ".join(dict.fromkeys(map(str, rights)))
