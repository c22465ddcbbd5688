# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody who changes people at one directory all the time, now and then at full speed, and notes what was done."""

from __future__ import annotations

import random
import threading
import time
import typing as t

import ldap

from ._ledger import Ledger
from ._two_of_each import TwoOfEach
from ._wait import failed

#: Seconds between two changes, and how often (seconds) so many are made without any pause; on all directories at the
#: same moment: that is when change numbers get lost.
PAUSE, EVERY, AT_ONCE = 0.35, 60.0, 120
KINDS = ("changed", "added", "renamed", "removed")
WEIGHTS = (85, 5, 5, 5)
#: Seconds that a directory may take for an answer.
PATIENCE = 10.0
#: Whether the change was made is not known then.
_AWAY = (ldap.SERVER_DOWN, ldap.UNAVAILABLE, ldap.BUSY, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED)


class Churn(threading.Thread):
    """One writer, with people of its own, so that no two directories change the same person.

    :param number: of the directory, and of its share of the people.
    """

    def __init__(self, bed: TwoOfEach, number: int, of: int, ledger: Ledger, seed: int) -> None:
        super().__init__(name=f"writer-{number}", daemon=True)
        self._bed, self._number, self._of, self._ledger = bed, number, of, ledger
        self._random = random.Random(f"{seed} {number}")
        self._over = threading.Event()
        self._mine: list[tuple[str, str]] = []
        self._count = 0
        self._error: Exception | None = None

    def check(self) -> None:
        """Fail where it has stopped by itself.

        :raises StepFailed: then.
        """
        if self._error:
            raise failed(f"{self.name} stopped: {self._error!r}") from self._error

    def finish(self) -> None:
        """Stop, and wait for that."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Change people until told to stop; a directory that is away is waited for."""
        line: t.Any = None
        left = 0
        phase = -1
        while not self._over.is_set():
            now = int(time.monotonic() / EVERY)
            if now != phase:
                phase, left = now, AT_ONCE
            try:
                line = line or self._connect()
                self._mine = self._mine or self._share(line)
            except _AWAY:
                line = None
                self._over.wait(0.5)
                continue
            try:
                if not self._change(line):
                    line = None
            except Exception as exc:
                self._error = exc
                return
            left -= 1
            if left < 0:
                self._over.wait(PAUSE)

    def _connect(self) -> t.Any:
        known = self._bed.vars
        line = ldap.initialize(known["ds_uris"][self._number])
        line.set_option(ldap.OPT_NETWORK_TIMEOUT, PATIENCE)
        line.set_option(ldap.OPT_TIMEOUT, PATIENCE)
        line.simple_bind_s(known["ds_admin_dn"], known["ds_admin_password"])
        return line

    def _share(self, line: t.Any) -> list[tuple[str, str]]:
        found = line.search_s(
            self._bed.vars["people_dn"], ldap.SCOPE_ONELEVEL, "(uid=user.*)", ["uid", "entryUUID"]
        )
        people = [(entry["uid"][0].decode(), entry["entryUUID"][0].decode().lower()) for _dn, entry in found]
        # by the name, since the others are changing theirs already
        return sorted(one for one in people if int(one[0].rpartition(".")[2]) % self._of == self._number)

    def _change(self, line: t.Any) -> bool:
        """Make a change; return whether the directory answered."""
        self._count += 1
        mark = f"{self._number}.{self._count}"
        (kind,) = self._random.choices(KINDS, WEIGHTS)
        base = self._bed.vars["people_dn"]
        if kind == "added":
            return self._add(line, f"new.{mark}", mark, base)
        index = self._random.randrange(len(self._mine))
        name, uuid = self._mine[index]
        dn = f"uid={name},{base}"
        value: t.Any = (name, mark)
        try:
            if kind == "removed":
                value = None
                line.delete_s(dn)
            else:
                line.modify_s(dn, [(ldap.MOD_REPLACE, "description", [mark.encode()])])
                if kind == "renamed":
                    self._ledger.note(uuid, value, time.monotonic())
                    value = (f"renamed.{mark}", mark)
                    line.rename_s(dn, f"uid={value[0]}")
        except _AWAY:
            self._ledger.doubt(uuid)
            del self._mine[index]  # under which name he is there, and whether, is not known
            return False
        self._ledger.note(uuid, value, time.monotonic())
        if value is None:
            del self._mine[index]
        else:
            self._mine[index] = (value[0], uuid)
        return True

    def _add(self, line: t.Any, name: str, mark: str, base: str) -> bool:
        dn = f"uid={name},{base}"
        values = {"uid": name, "cn": "New Person", "sn": "Person", "givenName": "New", "mail": f"{name}@example.com",
                  "description": mark}  # fmt: skip
        entry = [(attribute, [value.encode()]) for attribute, value in values.items()]
        try:
            line.add_s(dn, [("objectClass", [b"inetOrgPerson"]), *entry])
            at = time.monotonic()
            ((_dn, made),) = line.search_s(dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
        except _AWAY:
            return False
        uuid = made["entryUUID"][0].decode().lower()
        self._ledger.note(uuid, (name, mark), at)
        self._mine.append((name, uuid))
        return True
