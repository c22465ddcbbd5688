# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does as the account itself what the connector does, and says what it meets."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.context import Context
from .._base.errors import DirectoryError, TimedOut
from .._ldap.directory import INSUFFICIENT_ACCESS, NO_SUCH_OBJECT, ONE_LEVEL, OTHER, Directory, Entry
from .log import ALIAS_REMEDY, SUFFIX, changes_between
from .rights import CHANGE_LOG_ATTRIBUTES, ROOT_DSE_ATTRIBUTES
from .server_config import names_in, number_in

#: Every change has these; the others depend on its type.
_ALWAYS_THERE = ("changeNumber", "targetDN", "changeType")
_REPLICATION_SECONDS = 10


@dataclass(frozen=True)
class Verification:
    """How it went.

    :param verified: True, False, or None where the log is empty, so that reading it proves nothing.
    :param found: what was found, as a sentence.
    """

    verified: bool | None
    found: str
    remedy: str | None = None


def verify(directory: Directory, context: Context, *, wait: bool) -> Verification:
    """Read the change log as the connector does, over a connection that is bound as its account.

    :param wait: whether a refusal may be a grant that is on its way from another server, so that the searches (not
        the bind: failed ones lock accounts) are repeated for some seconds.
    :raises DirectoryError: no answer, or the bind was refused.
    """
    last: list[Verification] = []

    def probe() -> Verification | None:
        found = _look(directory)
        last[:] = [found]
        return None if found.verified is False else found

    if not wait:
        return _look(directory)
    try:
        return context.wait_for(probe, timeout=_REPLICATION_SECONDS, what="the grants to arrive")
    except TimedOut:
        return last.pop()


def _look(directory: Directory) -> Verification:
    root = directory.read("", list(ROOT_DSE_ATTRIBUTES)) or Entry("")
    unseen = [name for name in ROOT_DSE_ATTRIBUTES if root.text(name) is None]
    if unseen:
        return Verification(
            False,
            f"The account does not see {', '.join(unseen)} in the root DSE of {directory.uri}.",
            "The root DSE ACI is missing on that server, or it keeps no change log.",
        )
    first, last = (number_in(directory, root, name) or 0 for name in ("firstChangeNumber", "lastChangeNumber"))
    suffix = next(iter(names_in(directory, root, "changelog")), SUFFIX)
    try:
        found = directory.search(
            suffix,
            ONE_LEVEL,
            changes_between(last, last),
            CHANGE_LOG_ATTRIBUTES,
            deref="always",
        )
    except DirectoryError as exc:
        return _refused(exc)
    if not found and last <= max(0, first):
        return Verification(None, f"The change log of {directory.uri} is empty, so reading it proves nothing.")
    if not found:
        return Verification(
            False,
            f"The account does not find change {last} of {directory.uri} and meets no error: liveSync stands still.",
            "The ACI on the change log is missing on that server.",
        )
    narrow = [name for name in _ALWAYS_THERE if found[0].text(name) is None]
    if narrow:
        return Verification(
            False,
            f"The account finds change {last} of {directory.uri} but does not see its {', '.join(narrow)}.",
            "The ACI on the change log names too few attributes.",
        )
    return Verification(True, f"The account reads change {last} of {directory.uri} as the connector does.")


def _refused(exc: DirectoryError) -> Verification:
    """Turn an error of the search into what it means.

    :raises DirectoryError: one that says nothing of the account.
    """
    meanings: dict[t.Any, tuple[str, str]] = {
        OTHER: ("", ALIAS_REMEDY),
        INSUFFICIENT_ACCESS: (
            "It may not search the change log: ",
            "The account lacks the privilege changelog-read there.",
        ),
        NO_SUCH_OBJECT: ("", "That server has no replication server, so it keeps no change log."),
    }
    if exc.status not in meanings:
        raise exc
    lead, remedy = meanings[exc.status]
    return Verification(False, lead + exc.message, remedy)
