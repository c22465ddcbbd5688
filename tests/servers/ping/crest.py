# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of CREST that every resource shares: calls, answers, errors, and _queryFilter."""

from __future__ import annotations

import html
import re
import typing as t
from dataclasses import dataclass, field


class CrestError(Exception):
    """An error answer {"code", "reason", "message"[, "detail"]} (recorded 3); messages are HTML-escaped (source 0)."""

    REASONS = {
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        409: "Conflict",
        410: "Gone",
        412: "Precondition Failed",
        500: "Internal Server Error",
        501: "Not Implemented",
        503: "Service Unavailable",
    }

    def __init__(self, code: int, message: str, detail: t.Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, t.Any] = {
            "code": code,
            "reason": self.REASONS[code],
            "message": html.escape(message).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        }
        if detail is not None:
            self.body["detail"] = detail


def not_found(message: str = "Not Found") -> CrestError:
    """Return what 7.x and later say of anything missing (recorded 3)."""
    return CrestError(404, message)


@dataclass(frozen=True)
class Call:
    """One request to a resource, its credentials already checked."""

    method: str
    path: str
    params: t.Mapping[str, str]
    body: t.Any
    headers: t.Mapping[str, str]

    @property
    def action(self) -> str:
        """The action, in lower case: names are case-insensitive (source 1.1)."""
        return self.params.get("_action", "").lower()

    def version(self, default: str) -> str:
        """Return the resource version that was asked for ("Accept-API-Version: resource=2.0")."""
        found = re.search(r"resource=([0-9.]+)", self.headers.get("Accept-API-Version", ""))
        return found.group(1) if found else default

    def expected_rev(self) -> str | None:
        """Return the revision in If-Match, without its quotes."""
        return self.headers["If-Match"].strip('"') if "If-Match" in self.headers else None


@dataclass(frozen=True)
class Reply:
    """An answer."""

    body: t.Any
    status: int = 200
    headers: t.Mapping[str, str] = field(default_factory=dict)


def listing(call: Call, documents: t.Iterable[t.Mapping[str, t.Any]], policy: str = "NONE") -> Reply:
    """Answer a query: filter, page, fields, in the envelope of recorded 4 and 7."""
    if call.params.get("_queryId") == "query-all-ids":  # the form before IDM 7 (ping 1.6)
        found = [{"_id": document["_id"]} for document in documents]
    elif "_queryFilter" in call.params:
        accepts = parse_filter(call.params["_queryFilter"])
        found = [dict(document) for document in documents if accepts(document)]
    else:
        raise CrestError(400, "The request is neither a read nor a query.")
    sort = call.params.get("_sortKeys", "")
    if sort:
        found.sort(key=lambda document: str(document.get(sort.lstrip("+-"), "")), reverse=sort.startswith("-"))
    total = len(found)
    size = int(call.params.get("_pageSize") or 0)
    start = int(call.params.get("_pagedResultsCookie") or 0)  # clients may make nothing of it (recorded 7)
    end = start + size if size else total
    found = found[start:end]
    fields = [name.strip("/") for name in call.params.get("_fields", "").split(",") if name]
    if fields:
        found = [{name: document[name] for name in ("_id", "_rev", *fields) if name in document} for document in found]
    return Reply(envelope(found, str(end) if end < total else None, policy, total if policy == "EXACT" else -1))


def envelope(
    found: t.Sequence[t.Mapping[str, t.Any]], cookie: str | None, policy: str = "NONE", total: int = -1
) -> dict[str, t.Any]:
    """Return what a page of results comes in (recorded 4 and 7)."""
    return {
        "result": found,
        "resultCount": len(found),
        "pagedResultsCookie": cookie,
        "totalPagedResultsPolicy": policy,
        "totalPagedResults": total,
        "remainingPagedResults": -1,
    }


Predicate = t.Callable[[t.Any], bool]
_TOKENS = re.compile(r"""\s*(\(|\)|!|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()!]+)""")


def parse_filter(text: str) -> Predicate:
    """Return the predicate of a CREST query filter.

    :raises CrestError: 400, as for "not (...)": it is written "!(...)" (recorded 3).
    """
    tokens = _TOKENS.findall(text)

    def fail() -> t.NoReturn:
        raise CrestError(400, f"Invalid query filter: {text}")

    def peek() -> str:
        return tokens[0] if tokens else ""

    def take() -> str:
        return tokens.pop(0) if tokens else fail()

    def either() -> Predicate:
        parts = [both()]
        while peek().lower() == "or":
            take()
            parts.append(both())
        return lambda document: any(part(document) for part in parts)

    def both() -> Predicate:
        parts = [one()]
        while peek().lower() == "and":
            take()
            parts.append(one())
        return lambda document: all(part(document) for part in parts)

    def one() -> Predicate:
        token = take()
        if token == "!":
            inner = one()
            return lambda document: not inner(document)
        if token == "(":
            inner = either()
            if take() != ")":
                fail()
            return inner
        if token in ("true", "false"):
            return lambda document: token == "true"
        operator = take().lower()
        if operator == "pr":
            return lambda document: _at(document, token) is not None
        if operator not in _OPERATORS:
            fail()
        value = _literal(take())
        return lambda document: _OPERATORS[operator](_at(document, token), value)

    predicate = either()
    if tokens:
        fail()
    return predicate


def _at(document: t.Any, pointer: str) -> t.Any:
    for part in pointer.strip("/").split("/"):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _literal(token: str) -> t.Any:
    if token[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return {"true": True, "false": False, "null": None}.get(token, int(token) if token.lstrip("-").isdigit() else token)


def _ordered(compare: t.Callable[[t.Any, t.Any], bool]) -> t.Callable[[t.Any, t.Any], bool]:
    def applied(left: t.Any, right: t.Any) -> bool:
        try:
            return left is not None and compare(left, right)
        except TypeError:
            return compare(str(left), str(right))

    return applied


_OPERATORS: dict[str, t.Callable[[t.Any, t.Any], bool]] = {
    "eq": lambda left, right: left == right,
    "sw": lambda left, right: str(left or "").startswith(str(right)),
    "co": lambda left, right: str(right) in str(left or ""),
    "gt": _ordered(lambda left, right: left > right),
    "ge": _ordered(lambda left, right: left >= right),
    "lt": _ordered(lambda left, right: left < right),
    "le": _ordered(lambda left, right: left <= right),
}
