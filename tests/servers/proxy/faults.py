# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be broken, and what is remembered of a request."""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, field, fields
from urllib.parse import parse_qs, unquote, urlsplit

#: POST actions of OpenIDM that change nothing.
READING = ("test", "testconfig", "validatequartzcronexpression", "listcurrentlyexecutingjobs")


@dataclass
class Exchange:
    """A request, and what became of it.

    :param status: of the server's answer, None as long as there is none.
    :param sent: bytes of the answer that reached the client.
    :param head: bytes of the headers of the server's answer, the start line included.
    :param fault: what was done to it, "" where nothing was.
    :param began: seconds since the proxy started; ``ended`` when the server's answer was complete.
    """

    method: str
    target: str
    began: float
    status: int | None = None
    sent: int = 0
    head: int = 0
    fault: str = ""
    ended: float | None = None

    @property
    def path(self) -> str:
        """The path without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def action(self) -> str:
        """The value of _action."""
        return parse_qs(urlsplit(self.target).query).get("_action", [""])[0]

    @property
    def write(self) -> bool:
        """Whether it may have changed something on the server."""
        reads = self.method in ("GET", "HEAD") or (self.method == "POST" and self.action.lower() in READING)
        return not reads

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as JSON can hold it."""
        return {**asdict(self), "path": self.path, "action": self.action, "write": self.write}


@dataclass
class Fault:
    """What is done to the requests that fit: to ``times`` of them, after letting ``skip`` of them through.

    :param method: of the request, "" for any.
    :param path: a regular expression that the path must hold.
    :param action: the value of _action, "" for any.
    :param refuse: close the connection without sending the request on.
    :param swallow: send the request on, and close the connection as soon as that has been done.
    :param cut_after_bytes: close the connection after that many bytes of the answer.
    :param cut_after_seconds: close it that many seconds after the request has come.
    :param delay: hold the answer back for that many seconds.
    :param answer: send the request on, wait for ``delay`` seconds, and answer with this status and a page of HTML,
        as a proxy does that does not hear from the server in time; with ``refuse`` the request is not sent on.
    :param reset: close with a reset rather than in an orderly way.
    """

    method: str = ""
    path: str = ""
    action: str = ""
    skip: int = 0
    times: int | None = None
    refuse: bool = False
    swallow: bool = False
    cut_after_bytes: int | None = None
    cut_after_seconds: float | None = None
    delay: float = 0.0
    answer: int | None = None
    reset: bool = False
    met: int = field(default=0, compare=False)

    @classmethod
    def parse(cls, given: t.Mapping[str, t.Any]) -> Fault:
        """Return the fault that JSON describes.

        :raises ValueError: for a key that does not exist.
        """
        unknown = set(given) - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"no such property of a fault: {', '.join(sorted(unknown))}")
        return cls(**given)

    def takes(self, exchange: Exchange) -> bool:
        """Tell whether this request is to be broken, and count it."""
        if self.method and self.method != exchange.method:
            return False
        if self.action and self.action != exchange.action:
            return False
        if not re.search(self.path, exchange.path):
            return False
        self.met += 1
        number = self.met - self.skip
        return number > 0 and (self.times is None or number <= self.times)

    def __str__(self) -> str:
        """Return it in words."""
        after = f" after {self.delay:g} s" if self.delay else ""
        if self.answer is not None:
            return f"answered {self.answer} by the proxy{' and not sent on' if self.refuse else ''}{after}"
        if self.refuse:
            words = "refused"
        elif self.swallow:
            words = "cut before the answer"
        elif self.cut_after_bytes is not None:
            words = f"cut after {self.cut_after_bytes} bytes{' of an answer delayed' + after if after else ''}"
        elif self.cut_after_seconds is not None:
            words = f"cut after {self.cut_after_seconds:g} s"
        else:
            return f"delayed{after}" if after else "let through"
        return words + (" (reset)" if self.reset else "")
