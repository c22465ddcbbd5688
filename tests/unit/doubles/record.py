# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents beside the stages, conditional as OpenIDM 6.1.0 keeps them ("Experiments", section 2)."""

from __future__ import annotations

import copy
import threading

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.answer import Answer

RECORDS = "repo/synchronisation/pooledSyncStage/idmops-"


def _refuse(error):
    raise error


class RecordStore:
    """What one IDM holds; several clients may share it.

    :ivar deaf: the conditions that the server does not look at.
    :ivar refusal: raised instead of an answer to a write (or to everything, with ``closed``).
    :ivar lost: how many writes are done whose answer then gets lost.
    :ivar meanwhile: called once, after the next read.
    """

    def __init__(self):
        self.documents = {}
        self.deaf = set()
        self.refusal = None
        self.closed = False
        self.lost = 0
        self.meanwhile = None
        self.writes = []
        self._mutex = threading.Lock()

    def answer(self, method, path, body=None, headers=None, none_on=()):
        """Return the answer to one request."""
        if self.refusal and (self.closed or method != "GET"):
            _refuse(self.refusal)
        with self._mutex:
            found = self._answer(method, path, body, {**(headers or {})}, none_on)
        if method == "GET" and self.meanwhile:
            change, self.meanwhile = self.meanwhile, None
            change()
        if method != "GET" and self.lost:
            self.lost -= 1
            raise Unreachable("The line was cut.", sent=True)
        return found

    def _answer(self, method, path, body, headers, none_on):
        there = self.documents.get(path)
        if method == "GET":
            if there is None and 404 not in none_on:
                raise Refused("answered 404", status=404)
            return Answer(200 if there else 404, copy.deepcopy(there), {})
        if "If-None-Match" in headers and there is not None and "If-None-Match" not in self.deaf:
            raise Refused("answered 412", status=412)
        if "If-Match" in headers:
            if there is None:
                raise Refused("answered 404", status=404)
            if headers["If-Match"] != f'"{there["_rev"]}"' and "If-Match" not in self.deaf:
                raise Refused("answered 412", status=412)
        self.writes.append((method, path, body))
        if method == "DELETE":
            return Answer(200, self.documents.pop(path), {})
        revision = str(int(there["_rev"]) + 1 if there else 1)
        self.documents[path] = {**copy.deepcopy(body), "_id": path.rpartition("/")[2], "_rev": revision}
        return Answer(200 if there else 201, copy.deepcopy(self.documents[path]), {})


class RecordClient:
    """A client that knows such documents alone."""

    url = "https://idm.example.com/openidm"
    auth_method = "openidm"
    timeout = 30

    def __init__(self, store=None, time="2026-11-24T11:00:00Z"):
        self.records = store or RecordStore()
        self.server_time = time

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def sibling(self):
        return self

    def get(self, path, params=None, none_on=(), **unused):
        return self.records.answer("GET", path, none_on=none_on).body

    def request(self, method, path, body=None, headers=None, none_on=(), **unused):
        return self.records.answer(method, path, body, headers, none_on)

    def delete(self, path, headers=None, none_on=(), **unused):
        return self.records.answer("DELETE", path, None, headers, none_on).body

    def query(self, path, *unused, **more):
        return [dict(body) for body in self.records.documents.values()]
