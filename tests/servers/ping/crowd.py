# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""People by the hundred thousand, made as they are asked for: those of a system, the managed users, and their links.

Nothing is kept of them, and no question takes longer because there are more, so that what a client measures is its own.
Answers have the form that :mod:`.crest` gives all others; questions that are none of the three kinds below are refused.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .crest import Call, CrestError, Reply, envelope
from .furniture import MAPPING, SOURCE

#: Each value has its person's number in these digits, so that the order of values is that of numbers.
_NUMBER = re.compile(r"(\d{7})(?!\d)")
_ALL = re.compile(r"true|\w+ pr")
_FROM = re.compile(r'\w+ ge "([^"]*)"')
_SOME = re.compile(r'\((\w+ eq "[^"]*"(?: or \w+ eq "[^"]*")*)\)')
_OF_LINKS = re.compile(rf'\(linkType eq "{MAPPING}"\) and (.*)')

_Body = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Crowd:
    """So many people.

    :param people: how many there are on both sides together.
    :param missing: so many, the first ones, are in the source alone.
    :param orphaned: so many, the last ones, are in the target alone, with a link.
    :param differing: so many, the last ones that are on both sides, have another mail in the target.
    """

    people: int
    missing: int = 0
    orphaned: int = 0
    differing: int = 0
    sources: range = field(init=False)
    targets: range = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", range(self.people - self.orphaned))
        object.__setattr__(self, "targets", range(self.missing, self.people))

    def answer(self, call: Call) -> Reply | None:
        """Answer a query of what the crowd is in; None for all else."""
        if call.method != "GET" or "_queryFilter" not in call.params:
            return None
        if call.path == SOURCE:
            return _queried(call, self.sources, _source, "_id")
        if call.path == "managed/user":
            return _queried(call, self.targets, self._target, "userName")
        if call.path == "repo/link":
            return _queried(call, self.targets, _link, "firstId")
        return None

    def _target(self, number: int) -> _Body:
        last = len(self.sources)
        found = {**_source(number), "_id": _id_of("feed", number), "_rev": "1", "userName": _name(number)}
        if last - self.differing <= number < last:
            found["mail"] = f"other{number:07d}@example.com"
        return found


def _id_of(kind: str, number: int) -> str:
    return f"0{number:07d}-{kind}-4000-8000-000000000000"


def _name(number: int) -> str:
    return f"crowd.{number:07d}"


def _source(number: int) -> _Body:
    return {
        "_id": _id_of("cafe", number),
        "uid": _name(number),
        "givenName": f"Given {number:07d}",
        "sn": f"Surname {number:07d}",
        "mail": f"{_name(number)}@example.com",
    }


def _link(number: int) -> _Body:
    return {
        "_id": _id_of("beef", number),
        "_rev": "1",
        "linkType": MAPPING,
        "linkQualifier": "default",
        "firstId": _id_of("cafe", number),
        "secondId": _id_of("feed", number),
    }


def _queried(call: Call, there: range, make: t.Callable[[int], _Body], order: str) -> Reply:
    """Answer a query of a range of people.

    :param order: the property that stands for the order of numbers.
    :raises CrestError: 400, for another kind of query than those that can be answered at once.
    """
    wanted = call.params["_queryFilter"]
    inner = _OF_LINKS.fullmatch(wanted)
    wanted = inner.group(1) if inner else wanted
    if call.params.get("_sortKeys", order) != order:
        raise CrestError(400, f"A crowd is in the order of {order} alone")
    start = int(call.params.get("_pagedResultsCookie") or 0)
    size = int(call.params.get("_pageSize") or 0)
    numbers: t.Sequence[int]
    if _ALL.fullmatch(wanted):
        numbers = there
    elif beyond := _FROM.fullmatch(wanted):
        numbers = range(max(there.start, _number(beyond.group(1))), there.stop)
    elif some := _SOME.fullmatch(wanted):
        numbers = [number for number in _named(some.group(1), make) if number in there]
    else:
        raise CrestError(400, f"A crowd cannot be asked for {wanted}")
    end = start + size if size else len(numbers)
    found = [make(number) for number in numbers[start:end]]
    if fields := call.params.get("_fields"):
        names = {"_id", "_rev", *fields.split(",")}
        found = [{name: value for name, value in body.items() if name in names} for body in found]
    return Reply(envelope(found, str(end) if end < len(numbers) else None))


def _named(terms: str, make: t.Callable[[int], _Body]) -> t.Iterator[int]:
    """Yield the numbers of those who have one of some values."""
    for term in terms.split(" or "):
        name, unused, quoted = term.partition(" eq ")
        number = _number(quoted)
        if make(number).get(name) == quoted.strip('"'):
            yield number


def _number(text: str) -> int:
    found = _NUMBER.search(text)
    return int(found.group(1)) if found else 0
