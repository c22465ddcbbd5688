# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that expects exact requests in their order, and a clock that passes at once."""

from __future__ import annotations

from ansible_collections.idmops.idm.plugins.module_utils._base.context import Clock, Context, Report
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import Refused, Unreachable
from ansible_collections.idmops.idm.plugins.module_utils._http.client import is_write
from ansible_collections.idmops.idm.plugins.module_utils._http.right import rights_asked
from ansible_collections.idmops.idm.plugins.module_utils._idm.least_rights import is_known

ANYTHING = object()
#: What the client sends where it is not told another version.
OWN = "1.0"


def call(method, path, answer, params=ANYTHING, body=ANYTHING, **how):
    """Expect a request; ``answer`` is its body, or an exception to raise.

    :param how: its headers, timeout and api_version, where they are others than the client's own.
    """
    return method, path, params, body, how, answer


class Traced:
    """Equals the headers of a request that carries a transaction id of ours, and none where there is no id to carry."""

    def __eq__(self, headers):
        (name, value) = next(iter(headers.items())) if headers else ("X-ForgeRock-TransactionId", "idmops-none")
        return name == "X-ForgeRock-TransactionId" and value.startswith("idmops-") and len(headers or "1") == 1


def refused(status, reason="", own=True):
    return Refused(f"answered {status}: {reason}", status=status, reason=reason, own=own)


def cut():
    return Unreachable("The line was cut.", sent=True)


def down():
    return Unreachable("It cannot be reached.", sent=False)


class FakeClock(Clock):
    def __init__(self):
        self.seconds = 100.0
        self.slept = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept += seconds
        self.seconds += seconds


class HeardReport(Report):
    def __init__(self):
        super().__init__()
        self.lines = []

    def progress(self, text):
        self.lines.append(text)


def context(check_mode=False):
    return Context(check_mode=check_mode, report=HeardReport(), clock=FakeClock())


class ScriptedClient:
    """Fails on a request too many, another request, or, in check mode, a write."""

    server_time = None
    url = "https://idm.example.com/openidm"
    nodes = ()

    def __init__(self, *calls, check_mode=False):
        self.calls = list(calls)
        self.check_mode = check_mode
        self.silent = set()
        self.sent = []
        self.auth_method = "openidm"
        self.login = {}
        self.lacking = {}

    def whoami(self):
        return self.login

    def get(self, path, params=None, none_on=(), **how):
        return self._answer("GET", path, params, None, none_on, **how)

    def put(self, path, body, params=None, none_on=(), **how):
        return self._answer("PUT", path, params, body, none_on, **how)

    def post(self, path, params, body=None, none_on=(), expect=dict, **how):
        return self._answer("POST", path, params, body, none_on, **how)

    def query(self, path, query_filter="true", api_version=OWN, **params):
        asked = {} if query_filter is None else {"_queryFilter": query_filter}
        return (self.get(path, {**asked, **params}, api_version=api_version) or {}).get("result", [])

    def _answer(self, method, path, params, body, none_on, headers=None, timeout=None, api_version=OWN):
        self.sent.append((method, path, params, body))
        strange = [right for right in rights_asked(method, path, params) if not is_known(right)]
        assert not strange, f"no line for it in _idm/least_rights.py: {strange}"
        assert not (self.check_mode and is_write(method, params)), f"a write in check mode: {self.sent[-1]}"
        assert self.calls, f"one request too many: {self.sent[-1]}"
        wanted_method, wanted_path, wanted_params, wanted_body, how, answer = self.calls.pop(0)
        assert (method, path) == (wanted_method, wanted_path), (
            f"{self.sent[-1]} instead of {wanted_method} {wanted_path}"
        )
        assert wanted_params is ANYTHING or params == wanted_params
        assert wanted_body is ANYTHING or body == wanted_body
        for name, own, got in (
            ("headers", None, headers),
            ("timeout", None, timeout),
            ("api_version", OWN, api_version),
        ):
            wanted = how.get(name, own)
            assert wanted is ANYTHING or (got or None) == wanted, f"{name} {got} instead of {wanted}: {self.sent[-1]}"
        if isinstance(answer, Refused) and answer.status in none_on:
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def finished(self):
        """Check that every expected request was sent."""
        assert self.calls == [], f"never sent: {self.calls}"
