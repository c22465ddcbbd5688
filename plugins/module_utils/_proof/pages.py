# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads everything that a resource holds, page by page, and loses nothing on the way.

A page's cookie is an offset on OpenIDM 6.1.0 outside of system/: what is deleted meanwhile hides as many that live. So
pages go by a key there, and what comes in another order than was asked for is read in one piece instead
("Experiments", section 3).
"""

from __future__ import annotations

import typing as t
import uuid
from itertools import zip_longest

from .._base.errors import IdmopsError, Refused
from .._base.filters import any_of, both, either, quoted
from .._base.text import reason_in
from .._base.values import as_text
from .._http.client import Client
from .._http.form import id_of, objects
from .._idm.mapped_property import value_at

_BY_COOKIE, _BY_KEY = 500, 1000
#: So many ids fit into one filter, and so many characters: a longer address is refused (414 from 200 ids on).
_IDS, _CHARACTERS = 40, 4000

#: What a query answers that meets an entry which the connector cannot show.
_CANNOT = 500

Body = t.Dict[str, t.Any]


def read_all(
    client: Client, resource: str, fields: str, key: str | None = None, where: str = "true", *, always: bool = True
) -> t.Iterator[Body]:
    """Yield all objects of a resource, each once and with its id: without ids they would be one, that nobody knows.

    :param key: a text property to go by, None where none is known: then all come in one answer.
    :param where: a filter.
    :param always: whether each object has the key.
    :raises Unreachable, Refused: as the client.
    """
    if resource.startswith("system/"):
        found = _by_cookie(client, resource, fields, where)
    elif key is None:
        found = iter(client.query(resource, where, _fields=fields))
    else:
        found = _by_key(client, resource, fields, key, where, always)
    for body in found:
        id_of(body, _asked(client, resource))
        yield body


def read_these(
    client: Client,
    resource: str,
    field: str,
    values: t.Iterable[str],
    fields: str,
    unread: dict[str, str] | None = None,
    where: str = "true",
    most: int = _IDS,
) -> list[Body]:
    """Return the objects that have one of some values in a field.

    Those of a system come page by page too: asked for all at once, a connector that does no paging of its own answers
    with a cookie that leads to its beginning (seen with the CSV connector on OpenIDM 6.1.0).

    :param where: a filter that they have to match too.
    :param most: so many values are asked for at once.
    :param unread: takes those that the server cannot show, by their values, with its words; None: that is an error.
        One value too many for an attribute that a connector knows as single makes the whole query end in 500 (seen on
        OpenIDM 6.1.0). Where any query ends so, that is an error all the same.
    :raises Unreachable, Refused: as the client.
    """
    found: list[Body] = []
    answers = False
    for part in _parts(list(dict.fromkeys(values)), most):
        these = both(where, any_of(field, part))
        try:
            found += read_all(client, resource, fields, where=these)
        except Refused as exc:
            if unread is None or exc.status != _CANNOT:
                raise
            if not answers:
                _see_that_it_answers(client, resource, field, fields, exc)
                answers = True
            found += _one_by_one(client, resource, field, part, fields, unread, where, exc)
    return found


def read_either(
    client: Client, resource: str, asked: t.Sequence[tuple[str, t.Iterable[str]]], fields: str
) -> list[Body]:
    """Return the objects that have one of some values in one field, or in another: as few queries as for one field.

    A repository that keeps properties in a table of their own joins it for each name that a filter asks for, and does
    not find an object that has no such property, by its id neither (read in OpenIDM's source,
    GenericSQLQueryFilterVisitor): what is not found so has to be asked for by itself.

    :param asked: the fields, each with its values. An object may come more than once.
    :raises Unreachable, Refused: as the client.
    """
    found: list[Body] = []
    characters = _CHARACTERS // len(asked)
    parted = [_parts(list(dict.fromkeys(values)), _IDS, characters) for unused, values in asked]
    for parts in zip_longest(*parted):
        these = either(any_of(field, part) for (field, unused), part in zip(asked, parts) if part)
        found += read_all(client, resource, fields, where=these)
    return found


def _see_that_it_answers(client: Client, resource: str, field: str, fields: str, failed: Refused) -> None:
    """See that a server which fails at some objects answers where none of them is asked for: else it is no matter of
    theirs.

    :raises Refused: what it answered, where it does not.
    """
    try:
        list(read_all(client, resource, fields, where=any_of(field, [str(uuid.uuid4())])))
    except Refused as exc:
        raise failed from exc


def _one_by_one(
    client: Client,
    resource: str,
    field: str,
    part: list[str],
    fields: str,
    unread: dict[str, str],
    where: str,
    failed: Refused,
) -> list[Body]:
    """Return what can be shown of some values that cannot be together, in ever smaller parts.

    :param failed: what they were answered together.
    """
    if len(part) == 1:
        unread[part[0]] = reason_in(failed.reason) or "IDM cannot show it"
        return []
    half = len(part) // 2
    found: list[Body] = []
    for some in (part[:half], part[half:]):
        try:
            found += read_all(client, resource, fields, where=both(where, any_of(field, some)))
        except Refused as exc:
            if exc.status != _CANNOT:
                raise
            found += _one_by_one(client, resource, field, some, fields, unread, where, exc)
    return found


def _parts(values: t.Sequence[str], most: int, characters: int = _CHARACTERS) -> t.Iterator[list[str]]:
    part: list[str] = []
    length = 0
    for value in values:
        if part and (len(part) >= most or length + len(value) > characters):
            yield part
            part, length = [], 0
        part.append(value)
        length += len(value)
    if part:
        yield part


def _by_cookie(client: Client, resource: str, fields: str, where: str) -> t.Iterator[Body]:
    params: dict[str, t.Any] = {"_queryFilter": where, "_fields": fields, "_pageSize": str(_BY_COOKIE)}
    seen: set[str] = set()
    while True:
        body = client.get(resource, params)
        yield from objects(body.get("result"), _asked(client, resource), "result")
        cookie = as_text(body.get("pagedResultsCookie"))
        if not cookie:
            return
        if cookie in seen:
            raise IdmopsError(
                f"GET {client.url}/{resource} answered the same page twice (pagedResultsCookie), so that not all of it"
                " can be read.",
                remedy="Look at the connector: its paged search does not go on.",
            )
        seen.add(cookie)
        params["_pagedResultsCookie"] = cookie


def _by_key(client: Client, resource: str, fields: str, key: str, where: str, always: bool) -> t.Iterator[Body]:
    """Yield all in the order of a key; what lies on a border comes twice and is told once."""
    asked = ",".join(dict.fromkeys([*fields.split(","), key]))
    seen: set[str] = set()
    size = _BY_KEY
    last: str | None = None
    while True:
        beyond = f"{key} pr" if last is None else f"{key} ge {quoted(last)}"
        page = client.query(resource, both(where, beyond), _fields=asked, _sortKeys=key, _pageSize=str(size))
        keys = [as_text(value_at(body, key)) or "" for body in page]
        if not _in_order(keys, last):
            yield from _new(client.query(resource, where, _fields=asked), seen)
            return
        yield from _new(page, seen)
        if len(page) < size:
            break
        if keys[-1] == last:
            size *= 2  # more than a page has this one value
        last = keys[-1]
    if not always:
        yield from _new(client.query(resource, both(where, f"!({key} pr)"), _fields=asked), seen)


def _asked(client: Client, resource: str) -> str:
    return f"GET {client.url}/{resource}?_queryFilter"


def _new(page: t.Iterable[Body], seen: set[str]) -> t.Iterator[Body]:
    for body in page:
        name = str(body.get("_id"))
        if name not in seen:
            seen.add(name)
            yield body


def _in_order(keys: t.Sequence[str], last: str | None) -> bool:
    """Tell whether keys come in an order that a database has, of signs, or of letters in any case."""
    texts = list(keys) if last is None else [last, *keys]
    for look in (str, str.casefold, _letters):
        looked = [look(text) for text in texts]
        if looked == sorted(looked):
            return True
    return False


def _letters(text: str) -> str:
    """Return what a language's order of words looks at first."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())
