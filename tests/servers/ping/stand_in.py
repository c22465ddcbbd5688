# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stand-in on a port of loopback, whoever starts it."""

from __future__ import annotations

import contextlib
import json
import logging
import pathlib
import threading
import typing as t

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import Server
from .control import secrets_in_use
from .furniture import MAPPING, SOURCE, furnish
from .modes import MODES
from .tls import Certificates
from .token import Accounts
from .world import Clock, World


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as with IDM

    def log(self, type: str, message: str, *args: t.Any) -> None:
        """Say nothing: what was asked is at /_control/requests."""


class StandIn(t.NamedTuple):
    """A server that answers, and what a playbook needs to know of it."""

    server: Server
    variables: dict[str, t.Any]

    @property
    def world(self) -> World:
        """What it knows."""
        return self.server.world

    @property
    def secrets(self) -> dict[str, str]:
        """Names and values of all secrets that have been in use so far."""
        return secrets_in_use(self.world, self.server.accounts)


@contextlib.contextmanager
def running(
    mode: str,
    state: pathlib.Path,
    *,
    port: int = 0,
    people: int = 20,
    speed: float = 1.0,
    tls: bool = False,
    client_secret_post: bool = False,
) -> t.Iterator[StandIn]:
    """Serve in a thread for as long as the context lasts; the arguments are those of the command."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    state.mkdir(parents=True, exist_ok=True)
    certificates = Certificates.made(state) if tls else None
    world = World(MODES[mode], Clock(speed))
    furnish(world, people)
    server = Server(world, Accounts.made(post_only=client_secret_post))
    http = make_server(
        "127.0.0.1",
        port,
        server.app,
        threaded=True,
        request_handler=_Handler,
        ssl_context=certificates.context() if certificates else None,
    )
    http.daemon_threads = True
    scheme, host = ("https", "localhost") if certificates else ("http", "127.0.0.1")
    url = f"{scheme}://{host}:{http.server_port}/openidm"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield StandIn(server, variables(server, url, state, certificates))
    finally:
        server.scheduler.close()
        http.shutdown()
        http.server_close()


def variables(server: Server, url: str, state: pathlib.Path, certificates: Certificates | None) -> dict[str, t.Any]:
    """Return what a playbook needs to know, by the stack's names, and all connection options in one."""
    accounts, mode = server.accounts, server.world.mode
    own: dict[str, t.Any] = {"auth_method": "openidm", "username": accounts.username, "password": accounts.password}
    if mode.name == "aic":
        jwk = state / "service-account.jwk"
        jwk.touch(0o600)
        jwk.write_text(json.dumps(accounts.jwk), encoding="utf-8")
        own = {
            "auth_method": "service_account",
            "service_account_id": accounts.service_account_id,
            "service_account_jwk": str(jwk),
        }
    elif mode.name == "am":
        own = {
            "auth_method": "client_credentials",
            "client_id": accounts.client_id,
            "client_secret": accounts.client_secret,
        }
    found = {
        "ping_mode": mode.name,
        "ping_control": url.replace("/openidm", "/_control"),
        "idm_url": url,
        "idm_username": accounts.username,
        "idm_password": accounts.password,
        "source": SOURCE,
        "mapping": MAPPING,
    }
    if certificates:
        own["ca_path"] = found["idm_ca_path"] = str(certificates.ca)
        found.update(client_cert=str(certificates.client), other_client_cert=str(certificates.stranger))
    return {**found, "idm_connection": {"url": url, **own}}
