# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An IDM that holds lists of objects, and answers queries of them as OpenIDM 6.1.0 does ("Experiments", section 3)."""

from __future__ import annotations

import re

from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapped_property import value_at
from ansible_collections.idmops.idm.tests.unit.doubles.record import RECORDS, RecordStore

_TERM = re.compile(r'(!?)\(?(\S+) (eq|ge|pr|sw)(?: "((?:[^"\\]|\\.)*)")?\)?')
#: A longer filter is refused: 200 ids answer 414.
_LONGEST = 199


def matches(body, query_filter):
    """Tell whether an object is one that a filter of ours asks for: terms with and; those in brackets with or."""
    if query_filter == "true":
        return True
    whole = query_filter
    if whole.startswith("(") and whole.endswith(")") and " or " in whole and ") and " not in whole:
        return any(matches(body, part) for part in whole[1:-1].split(" or "))
    if " and " in whole:
        return all(matches(body, part) for part in whole.split(" and "))
    denied, field, operator, quoted = _TERM.fullmatch(whole).groups()
    value = value_at(body, field)
    if operator == "pr":
        return (value is None) is bool(denied)
    text = re.sub(r"\\(.)", r"\1", quoted)
    if operator == "eq":
        return value == text or (isinstance(value, list) and text in value)
    if operator == "sw":
        return isinstance(value, str) and value.startswith(text)
    return isinstance(value, str) and value >= text


class Repository:
    """Resources by their paths, each a list of objects.

    :param unsorted: keys whose order the server does not keep.
    """

    url = "https://idm.example.com/openidm"
    auth_method = "openidm"
    server_time = "2026-11-24T12:00:00Z"

    def __init__(self, resources, unsorted=(), documents=None):
        self.resources = resources
        self.unsorted = unsorted
        self.documents = documents or {}
        self.silent = set()
        self.asked = []
        self.meanwhile = {}
        self.records = RecordStore()
        self.broken = set()  # ids of objects that the server cannot show
        self.restless = set()  # systems that answer with a cookie where no page was asked for

    def query(self, path, query_filter="true", **params):
        self.asked.append((path, query_filter, params))
        for change in self.meanwhile.pop(len(self.asked), ()):
            change()
        if path not in self.resources:
            raise Refused(f"{path} answered 404", status=404)
        if path in self.restless and "_pageSize" not in params:
            raise Refused(f"{path} answered with one page of a list whose end was asked for", status=200)
        if query_filter.count(" or ") > _LONGEST:
            raise Refused(f"{path} answered 414", status=414)
        found = [body for body in self.resources[path] if matches(body, query_filter)]
        if any(body.get("_id") in self.broken for body in found):
            raise Refused(f"{path} answered 500", status=500, reason="not single value")
        key = params.get("_sortKeys")
        if key and key.lstrip("-") not in self.unsorted:
            found.sort(key=lambda body: str(value_at(body, key.lstrip("-"))), reverse=key.startswith("-"))
        size = int(params.get("_pageSize") or 0)
        return [dict(body) for body in (found[:size] if size else found)]

    def request(self, method, path, body=None, headers=None, none_on=(), **unused):
        return self.records.answer(method, path, body, headers, none_on)

    def get(self, path, params=None, none_on=(), **unused):
        if path.startswith(RECORDS):
            return self.records.answer("GET", path, none_on=none_on).body
        if params is None or "_queryFilter" not in params:
            self.asked.append((path, None, {}))
            if path in self.documents:
                return self.documents[path]
            if 404 in none_on:
                return None
            raise Refused(f"{path} answered 404", status=404)
        page, start = int(params["_pageSize"]), int(params.get("_pagedResultsCookie") or 0)
        found = self.query(path, params["_queryFilter"], _fields=params["_fields"], _pageSize="")
        more = start + page < len(found)
        return {"result": found[start : start + page], "pagedResultsCookie": str(start + page) if more else None}
