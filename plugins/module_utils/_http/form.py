# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of an answer is read, and whether it is of the form that it must have. No I/O but the reading."""

from __future__ import annotations

import typing as t

from .._base.errors import Refused
from .answer import Answer, CutOff, odd

#: How much of an answer is read, in bytes: 100,000 entries with their ids are some 20 MiB.
LONGEST = 256 << 20
_PIECE = 1 << 16


def whole(response: t.Any) -> bytes:
    """Return a body, all of it.

    :raises CutOff: when it is shorter than announced; urllib3 before 2.0 does not tell.
    """
    pieces, came = [], 0
    for piece in response.iter_content(_PIECE):
        pieces.append(piece)
        came += len(piece)
        if came > LONGEST:
            response.close()
            raise CutOff(f"it is longer than {LONGEST >> 20} MiB, and was not read to its end")
    content = b"".join(pieces)
    announced = response.headers.get("Content-Length", "")
    came = response.raw.tell()
    if content and announced.isascii() and announced.isdigit() and came < int(announced[:20]):
        raise CutOff(f"{came} of {announced} bytes came")
    return content


def expected(answer: Answer, where: str, kind: type, *, empty: bool = False) -> t.Any:
    """Return the body of an answer that is of the expected form.

    :param empty: whether there may be none.
    :raises Refused: when it is of another one.
    """
    body = answer.body
    if body is None and empty:
        return None
    if kind is list:
        return objects(body, where, "answer")
    if not isinstance(body, kind):
        raise odd(where, "an object", body, answer.status)
    return body


def objects(found: t.Any, where: str, what: str) -> list[t.Any]:
    """Return a list whose items are all objects.

    :param what: the name of the list, for the error.
    :raises Refused: when it is something else.
    """
    if not isinstance(found, list):
        raise odd(where, f"a list of objects ({what})", found)
    for item in found:
        if not isinstance(item, dict):
            raise odd(where, f"a list of objects ({what})", item)
    return found


def results(body: t.Mapping[str, t.Any], where: str, *, page: bool) -> list[dict[str, t.Any]]:
    """Return the results of a query: objects.

    :param page: whether a page was asked for. Where not, what is missing in one would be taken for what there is not.
    :raises Refused: when it is something else, or a part of it that nobody asked for.
    """
    found = objects(body.get("result"), where, "result")
    if body.get("pagedResultsCookie") and not page:
        raise Refused(
            f"{where} answered with one page of a list whose end was asked for: others are left (pagedResultsCookie).",
            url=where,
            status=200,
            reason="a part of a list where all of it was expected",
            remedy="See that nothing between here and IDM limits how many results a query has.",
            own=False,
        )
    return found


def id_of(document: t.Mapping[str, t.Any], where: str) -> str:
    """Return the id that a document of IDM's has, whatever else is missing in it.

    :raises Refused: when it has none.
    """
    found = document.get("_id")
    if not isinstance(found, str) or not found:
        raise odd(where, "an object with an _id", found)
    return found
