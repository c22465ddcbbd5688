# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entry that is set aside for the canary: its value marked, and put back.

The new value is the old one with a mark of ours behind it, so that a run that finds the mark of an interrupted one
knows what to put back without having written that down anywhere. Each write takes away the very value that it
replaces, so that the directory refuses it where somebody else has changed the value meanwhile.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from .._base.errors import DirectoryError, IdmopsError
from .directory import NO_SUCH_ATTRIBUTE, NO_SUCH_OBJECT, Directory, Modification, NoAnswer

#: What the value of an entry begins with that may be changed: its owner has written that there.
MARK = "idmops canary"
_OURS = re.compile(r" \[idmops [0-9a-f]{8}\]$")


def why_unfit(directory: Directory, named: tuple[str, str] | None, uid: str | None) -> IdmopsError | None:
    """Return why an entry is none that is set aside, None where it is, or none is named.

    :param named: its DN and its attribute.
    :param uid: the attribute that holds the id by which IDM knows it.
    :raises DirectoryError: no answer, or an error.
    """
    if named is None:
        return None
    try:
        SetAside.read(directory, *named, uid or "entryUUID")
    except DirectoryError:
        raise
    except IdmopsError as exc:
        return exc
    return None


@dataclass
class SetAside:
    """One entry of a directory.

    :param record: the id by which IDM knows it.
    :param owners: what its owner has written into the attribute.
    :param found: what was there when it was read; another value where an interrupted run has left its mark.
    :param sent: what this run has written there; None where it has not.
    :param sure: whether the directory has said that it was written.
    :param others: whether somebody else has changed the attribute since, or removed the entry.
    """

    directory: Directory
    dn: str
    attribute: str
    record: str
    owners: str
    found: str
    sent: str | None = None
    sure: bool = False
    others: bool = False

    @classmethod
    def read(cls, directory: Directory, dn: str, attribute: str, uid: str) -> SetAside:
        """Return an entry.

        :param uid: the attribute that holds the id by which IDM knows it.
        :raises IdmopsError: where it is none that is set aside.
        :raises DirectoryError: no answer, or an error.
        """
        entry = directory.read(dn, [attribute, uid])
        if entry is None:
            raise IdmopsError(
                f"{directory.uri} has no entry {dn}.",
                remedy=f"Add one whose {attribute} begins with {MARK!r}, and let the mapping load it.",
            )
        found = _only(entry.values(attribute))
        if found is None or not found.startswith(MARK):
            raise IdmopsError(
                f"{attribute} of {dn} is not one value that begins with {MARK!r}, so the entry is taken for somebody's"
                " own. Nothing was changed.",
                remedy=f"Set it so once, of an entry that is there for this: {attribute}: {MARK}.",
            )
        record = entry.dn if uid.lower() in ("dn", "entrydn") else entry.text(uid)
        if record is None:
            raise IdmopsError(f"{dn} has no {uid}, by which IDM would know it. Nothing was changed.")
        return cls(directory, dn, attribute, record, _OURS.sub("", found), found)

    @property
    def left_over(self) -> bool:
        """Whether a run that was interrupted has left its mark."""
        return self.found != self.owners

    def restore(self) -> None:
        """Put back what an interrupted run has left.

        :raises DirectoryError: no answer, or an error.
        """
        self._swap(self.found, self.owners)
        self.found = self.owners

    def mark(self) -> str:
        """Write a value that was never there; return it.

        :raises DirectoryError: no answer, and it may have been written, or an error, and it has not.
        """
        self.sent = f"{self.owners} [idmops {uuid.uuid4().hex[:8]}]"
        try:
            self._swap(self.found, self.sent)
        except DirectoryError as exc:
            if exc.status is not None:
                self.sent = None
            if exc.status == NO_SUCH_ATTRIBUTE:
                exc.remedy = "Somebody else has changed the value just now: look who does, and run the task again."
            raise
        self.sure = True
        return self.sent

    def put_back(self) -> None:
        """Put the owner's value back, unless somebody else has changed it.

        :raises DirectoryError: no answer, or an error: the value is still the one that was sent.
        """
        if self.sent is None:
            return
        for again in (False, True):
            try:
                self._swap(self.sent, self.owners)
                return
            except NoAnswer:  # a line that was idle for so long may have been cut
                if again:
                    raise
                self.directory.close()
            except DirectoryError as exc:
                self._judge(exc, ours=again)
                return

    def _judge(self, refusal: DirectoryError, *, ours: bool) -> None:
        """Accept a refusal where the value that was sent is not there any more, or never was.

        :param ours: whether a first attempt, whose answer got lost, may have put it back.
        """
        if refusal.status not in (NO_SUCH_ATTRIBUTE, NO_SUCH_OBJECT):
            raise refusal
        self.others = (self.sure and not ours) or self._now() != self.owners

    def still_there(self) -> bool:
        """Whether the value that was sent is there; it is not where somebody else has changed it."""
        return self._now() == self.sent

    def _now(self) -> str | None:
        """Return what is there now; None where the entry is gone, or has not one value that is a text."""
        try:
            entry = self.directory.read(self.dn, [self.attribute])
        except NoAnswer:  # as above
            self.directory.close()
            entry = self.directory.read(self.dn, [self.attribute])
        return _only(entry.values(self.attribute)) if entry else None

    def _swap(self, old: str, new: str) -> None:
        changes = [
            Modification("delete", self.attribute, (old.encode(),)),
            Modification("add", self.attribute, (new.encode(),)),
        ]
        self.directory.modify(self.dn, changes)


def _only(values: tuple[bytes, ...]) -> str | None:
    """Return the only value as a text, None where there is another number of them, or it is none."""
    try:
        return values[0].decode() if len(values) == 1 else None
    except UnicodeDecodeError:
        return None
