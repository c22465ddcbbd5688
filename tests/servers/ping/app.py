# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side: who may ask, which resource answers, and what every answer carries."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import unquote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from . import control, faults, repo
from .config import Config
from .crest import Call, CrestError, Reply, listing
from .recon import Recon
from .scheduler import Scheduler
from .system import System
from .token import Accounts, OAuthError, TokenEndpoint
from .world import World

#: Answers on premises may be compressed, on the cloud never (recorded 1).
_COMPRESS_ABOVE = 500
#: Only these carry Content-API-Version (recorded 1).
_VERSIONED = ("config/", "system")


class Server:
    """One stand-in.

    :param world: what it knows.
    :param accounts: who may ask.
    """

    def __init__(self, world: World, accounts: Accounts) -> None:
        self.world = world
        self.accounts = accounts
        self.system = System(world)
        self.recon = Recon(world)
        self.scheduler = Scheduler(world, lambda name, kind: self.system.livesync(name, kind, detailed=True) and None)
        self.config = Config(world, self._config_changed)
        self.repo = repo.Repo(world)
        self.queue = repo.Queue(world)
        self.tokens = TokenEndpoint(world, accounts)
        self.app = Flask("tests.servers.ping")
        self.app.json.sort_keys = False  # type: ignore[attr-defined]
        every = ["GET", "PUT", "POST", "DELETE", "PATCH"]
        self.app.add_url_rule("/openidm/<path:path>", "idm", self._idm, methods=every)
        self.app.add_url_rule("/am/oauth2/access_token", "token", self._token, methods=["POST"])
        self.app.add_url_rule("/_control/<name>", "control", self._control, methods=["GET", "PUT", "POST", "DELETE"])

    def _config_changed(self, name: str) -> None:
        self.scheduler.config_changed(name)
        if name.startswith("provisioner.openicf/"):
            # activated again: dormant if its system is down just then (seen, silent states)
            self.world.switches.dormant = not self.world.switches.connector_up

    def _control(self, name: str) -> Response:
        with self.world.lock:
            body = request.get_json(silent=True)
            found = control.handle(self.world, self.accounts, request.method, name, body)
        return Response(json.dumps(found), content_type="application/json")

    def _token(self) -> Response:
        stopped = faults.before(self.world, "POST", request.path)
        if stopped is not None:
            return stopped
        host = request.host if ":" in request.host else f"{request.host}:{443 if request.scheme == 'https' else 80}"
        audiences = [f"{request.scheme}://{host}{request.path}"]
        if host.endswith((":443", ":80")):
            audiences.append(f"{request.scheme}://{host.rpartition(':')[0]}{request.path}")
        try:
            with self.world.lock:
                body = self.tokens.answer(request.form, request.headers.get("Authorization", ""), audiences)
        except OAuthError as exc:
            return Response(json.dumps(exc.body), exc.status, content_type="application/json;charset=UTF-8")
        return Response(json.dumps(body), content_type="application/json;charset=UTF-8")

    def _idm(self, path: str) -> Response:
        """Answer one request to IDM."""
        world = self.world
        call = Call(
            method=request.method,
            path=path,
            params=dict(request.args),
            body=request.get_json(silent=True),
            headers={name: request.headers[name] for name in _SEEN_BY_RESOURCES if name in request.headers},
        )
        control.remember(world, call, request.headers)
        stopped = faults.before(world, call.method, request.path)
        if stopped is not None:
            return stopped
        try:
            account = self._account()
            reply = self._resource(call, account)
        except CrestError as exc:
            reply = Reply(exc.body, exc.code)
        except HTTPException as exc:
            reply = Reply(CrestError(400, str(exc.description)).body, 400)
        answer = self._response(call, reply)
        faults.cut(world, call.method, request.path, answer)
        return answer

    def _account(self) -> str:
        """Return who asks.

        :raises CrestError: 401 "Access Denied", with a capital D (recorded 3).
        """
        headers, accounts = request.headers, self.accounts
        scheme, unused, given = headers.get("Authorization", "").partition(" ")
        if not self.world.mode.accounts:
            # rsFilter replaces all other ways (ping 4.2): who sends no token is "anonymous" and no error (live 1)
            if scheme != "Bearer":
                return _ANONYMOUS
            if self.world.tokens.get(given, 0.0) <= self.world.clock.now():
                raise CrestError(401, "Access Denied")
            if self.world.switches.unmapped:
                raise CrestError(
                    503, "Rejecting invocation as required context to allow invocation not populated"
                )  # no Retry-After (live 1)
            return accounts.service_account_id
        if scheme == "Basic":
            name, unused, password = base64.b64decode(given).decode().partition(":")
        else:
            name, password = (_decoded(headers.get(f"X-OpenIDM-{part}", "")) for part in ("Username", "Password"))
        if (name, password) == (accounts.username, accounts.password):
            return name
        line = request.environ.get("werkzeug.socket")
        if not name and hasattr(line, "getpeercert") and line.getpeercert():
            return "client certificate"
        raise CrestError(401, "Access Denied")

    def _resource(self, call: Call, account: str) -> Reply:
        """Let the resource answer."""
        # a request that is no read must carry one of these (CSRF, source 6)
        safe = ("X-Requested-With", "Authorization", "X-Openidm-Username")
        if call.method != "GET" and not any(name in request.headers for name in safe):
            raise CrestError(403, "Access denied")
        if self.world.crowd and (crowded := self.world.crowd.answer(call)):
            return crowded
        head, unused, rest = call.path.partition("/")
        closed = self.world.mode.name == "aic" and call.path.startswith(_CLOSED)
        if closed or (account == _ANONYMOUS and head != "info"):
            raise CrestError(403, "Access denied")  # by the access rules (live 1)
        if call.path.startswith("sync/queue"):
            with self.world.lock:
                return self.queue.handle(call, call.path[len("sync/queue/") :])
        if call.path == "sync/mappings" or call.path.startswith("sync/mappings/"):
            return self.config.mappings(call, rest[len("mappings/") :])
        if head == "info":
            return repo.info(self.world, rest, account)
        if head == "cluster" and not rest:
            return repo.cluster(self.world)
        if head == "audit":
            return repo.audit(self.world, call, rest)
        if head in ("config", "repo"):
            with self.world.lock:
                return self.config.handle(call, rest) if head == "config" else self.repo.handle(call, rest)
        if head == "managed" and call.method == "GET" and "_queryFilter" in call.params:
            with self.world.lock:
                return listing(call, list(self.world.users.values()))
        handlers = {"system": self.system, "recon": self.recon, "scheduler": self.scheduler}
        if head not in handlers:
            raise CrestError(404, "Not Found")
        return handlers[head].handle(call, rest)

    def _response(self, call: Call, reply: Reply) -> Response:
        """Put the headers of a mode on an answer (recorded 1)."""
        mode = self.world.mode
        content = b"" if reply.body is None else json.dumps(reply.body, ensure_ascii=False).encode()
        answer = Response(content, reply.status, content_type="application/json;charset=utf-8")
        answer.headers.update(reply.headers)
        answer.headers["Cache-Control"] = "no-store"
        if call.path.startswith(_VERSIONED) and reply.status < 400:
            answer.headers["Content-API-Version"] = f"protocol=2.1,resource={call.version('1.0')}"
        if mode.via:
            answer.headers["Via"] = mode.via
        if mode.echoes and "X-ForgeRock-TransactionId" in request.headers:
            answer.headers["X-ForgeRock-TransactionId"] = request.headers["X-ForgeRock-TransactionId"]
        if mode.sticky:
            answer.headers["Set-Cookie"] = "route=1764000000.123.45.678901|node1; Path=/openidm; HttpOnly"
            if len(content) > _COMPRESS_ABOVE and "gzip" in request.headers.get("Accept-Encoding", ""):
                answer.set_data(gzip.compress(content))
                answer.headers["Content-Encoding"] = "gzip"
        return answer


_SEEN_BY_RESOURCES = ("Accept-API-Version", "If-Match", "If-None-Match", "X-Configuration-Type")
_ANONYMOUS = "anonymous"
#: What a service account may not read (live 1).
_CLOSED = ("config/fidc/", "managed/svcacct", "managed/teammember")


def _decoded(value: str) -> str:
    """Return a header's value; charset''text is RFC 5987 (source 6)."""
    charset, quotes, text = value.partition("''")
    return unquote(text, encoding=charset) if quotes else value
