# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another client of the directory, who changes, adds, renames and removes people all the time."""

from __future__ import annotations

import random
import threading
import typing as t

import ldap

from ._bed import Bed
from ._wait import failed

KINDS = ("changed", "added", "renamed", "removed")


class Change(t.NamedTuple):
    """One change: what was done, to whom."""

    kind: str
    uuid: str


class Writer(threading.Thread):
    """Changes people one after the other, each of them once, so that a lost change is a person who differs.

    :param pause: seconds between two changes.
    :param spare: so many people, from ``user.0`` on, are left alone: for the experiment itself.
    """

    def __init__(self, bed: Bed, pause: float, spare: int = 0) -> None:
        super().__init__(name="writer", daemon=True)
        self._bed, self._pause = bed, pause
        self._people = list(range(spare, bed.users))
        # Always the same order, all over the directory: a load takes people in the order of its own.
        random.Random(1).shuffle(self._people)
        self._over = threading.Event()
        self._error: Exception | None = None
        self.changes: list[Change] = []

    def __enter__(self) -> Writer:
        self.start()
        return self

    def __exit__(self, *unused: t.Any) -> None:
        self._over.set()
        self.join()

    def finish(self) -> list[Change]:
        """Stop, and return what was changed.

        :raises StepFailed: when the writer stopped before.
        """
        self._over.set()
        self.join()
        if self._error:
            raise failed(f"the writer stopped: {type(self._error).__name__}: {self._error}")
        return self.changes

    def run(self) -> None:
        """Change people until told to stop; a directory that is away is waited for."""
        number = 0
        line: t.Any = None
        while not self._over.is_set():
            try:
                line = line or self._bed.directory()
                self.changes.append(self._change(line, KINDS[number % len(KINDS)], number))
                number += 1
            except (ldap.SERVER_DOWN, ldap.UNAVAILABLE, ldap.BUSY, ldap.CONNECT_ERROR):
                # Whether the change was done nobody knows: that person is not counted, and compared all the same.
                line, number = None, number + 1
            except Exception as exc:
                self._error = exc
                return
            self._over.wait(self._pause)

    def _change(self, line: t.Any, kind: str, number: int) -> Change:
        people = self._bed.vars["people_dn"]
        if not self._people:
            kind = "added"  # everybody has been changed once
        if kind == "added":
            dn = f"uid=new.{number},{people}"
            line.add_s(dn, [("objectClass", [b"inetOrgPerson"]), ("uid", [f"new.{number}".encode()]),
                            ("cn", [b"New Person"]), ("sn", [b"Person"]), ("givenName", [b"New"]),
                            ("mail", [f"new.{number}@example.com".encode()])])  # fmt: skip
            return Change(kind, _uuid(line, dn))
        user = self._people.pop()
        dn = f"uid=user.{user},{people}"
        uuid = _uuid(line, dn)
        if kind == "changed":
            mail = f"moved.{user}@example.com".encode()
            line.modify_s(dn, [(ldap.MOD_REPLACE, "mail", [mail]), (ldap.MOD_DELETE, "givenName", None)])
        elif kind == "renamed":
            line.rename_s(dn, f"uid=renamed.{user}")
        else:
            line.delete_s(dn)
        return Change(kind, uuid)


def _uuid(line: t.Any, dn: str) -> str:
    ((_dn, entry),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
    return entry["entryUUID"][0].decode().lower()
