# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one error family of the collection.

Every failure that a user may see is an :class:`IdmopsError`. It says what failed, where and why in its
message, and, where that is known, how to mend it in ``remedy``.
"""

from __future__ import annotations

import typing as t


class IdmopsError(Exception):
    """A failure that is worth a sentence.

    :param message: what failed, where and why, in one or two sentences, without secrets.
    :param status: the HTTP status or LDAP result code that came with it.
    :param remedy: what the reader can do about it.
    :param result: what had been found out or done up to then; it is merged into the task's result.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        remedy: str | None = None,
        result: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.remedy = remedy
        self.result = dict(result or {})

    def as_result(self) -> dict[str, t.Any]:
        """Return the arguments of fail_json: what was found, then msg, status and remedy."""
        text = self.message
        if self.remedy and self.remedy not in text:
            text = f"{text} {self.remedy}"
        return {**self.result, "msg": text, "status": self.status, "remedy": self.remedy}


class InvalidOption(IdmopsError):
    """An option's value cannot be used. Raised before anything is sent.

    :param option: the option's name as the user writes it.
    :param value: the value as the user wrote it (never that of a secret option); None where there is none.
    :param way_out: what would be accepted, as a sentence.
    """

    def __init__(self, option: str, value: t.Any, way_out: str) -> None:
        what = "is needed" if value is None else f"{value!r} cannot be used"
        super().__init__(f"{option}: {what}. {way_out}")
        self.option = option
        self.value = value
        self.way_out = way_out

    def within(self, place: str) -> InvalidOption:
        """Return the same error of an option that is part of another one, as in ``livesync_sources[0].schedule``."""
        return InvalidOption(f"{place}.{self.option}", self.value, self.way_out)


class MissingLibrary(IdmopsError):
    """A Python library that this part needs cannot be imported.

    :param library: the name to install, as pip knows it.
    :param reason: the text of the ImportError.
    """

    def __init__(self, library: str, reason: str) -> None:
        super().__init__(f"The Python library {library} is needed and cannot be imported: {reason}.")
        self.library = library
        self.reason = reason


class Unreachable(IdmopsError):
    """No answer came: refused, timed out, reset, cut, or not to be trusted (TLS).

    :param sent: whether the server may have received the request, and so may be working on it.
    :param timed_out: whether the line holds and the answer did not come in time.
    """

    def __init__(
        self,
        message: str,
        *,
        sent: bool,
        remedy: str | None = None,
        status: int | None = None,
        timed_out: bool = False,
    ) -> None:
        super().__init__(message, status=status, remedy=remedy)
        self.sent = sent
        self.timed_out = timed_out


class Refused(IdmopsError):
    """A server answered, and the answer is an error.

    :param method: the HTTP method of the request.
    :param url: the request's URL without its query's secrets.
    :param status: the HTTP status.
    :param reason: the server's own message, HTML-unescaped: to be judged and not to be shown, since it may hold values.
    :param own: whether IDM itself answered, with a code and a reason, rather than something on the way to it.

    ``sent`` is false where no credentials could be had, so that the request itself never went out. ``rights`` are what
    IDM's access rules would have to allow, where it is they that refused the request.
    """

    sent = True
    rights: tuple[t.Any, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        status: int | None = None,
        reason: str = "",
        remedy: str | None = None,
        own: bool = True,
    ) -> None:
        super().__init__(message, status=status, remedy=remedy)
        self.method = method
        self.url = url
        self.reason = reason
        self.own = own


class DirectoryError(IdmopsError):
    """A directory server could not be reached or answered with an error.

    ``status`` is the LDAP result code (RFC 4511), None where no answer came.
    """


class TimedOut(IdmopsError):
    """Something that was waited for did not happen in time; the message says what was seen last."""
