# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test tells the stand-in, at /_control/*: a loopback server's back door, with no counterpart in the product."""

from __future__ import annotations

import base64
import dataclasses
import typing as t
from urllib.parse import quote_plus, urlencode

from .crest import Call
from .crowd import Crowd
from .token import Accounts
from .world import Fault, World


def remember(world: World, call: Call, headers: t.Mapping[str, str]) -> None:
    """Keep a request, without its credentials."""
    world.requests.append(
        {
            "method": call.method,
            "path": call.path + (f"?{urlencode(call.params)}" if call.params else ""),
            "api_version": headers.get("Accept-API-Version"),
            "transaction_id": headers.get("X-ForgeRock-TransactionId"),
            "cookie": headers.get("Cookie"),
            "body": call.body,
            "at": world.clock.now(),
        }
    )


def secrets_in_use(world: World, accounts: Accounts) -> dict[str, str]:
    """Return names and values of all secrets that have been in use so far."""
    pair = f"{accounts.username}:{accounts.password}".encode()
    client = ":".join(quote_plus(part) for part in (accounts.client_id, accounts.client_secret)).encode()
    return {
        "password": accounts.password,
        "client secret": accounts.client_secret,
        "Basic of the account": base64.b64encode(pair).decode(),
        "Basic of the client": base64.b64encode(client).decode(),
        **{f"{name} of the key": str(accounts.jwk[name]) for name in ("d", "p", "q", "dp", "dq", "qi")},
        **{f"token {number}": token for number, token in enumerate(world.made)},
        **{f"assertion {number}": text for number, text in enumerate(world.assertions.values())},
    }


def handle(world: World, accounts: Accounts, method: str, name: str, body: t.Any) -> t.Any:
    """Do what a test asks.

    people: PUT {uid: attributes or null}; GET.   trim: POST forgets the change log.   rebuild: POST gives new ids.
    switches: PUT; GET.   faults: POST one; DELETE all.   restart, stop: POST.
    clock: PUT {advance: seconds}.   tokens: DELETE (none is good any more); GET {minted, good, assertions}.
    config: PUT {id: keys to set}; GET.   requests: GET; DELETE.
    crowd: PUT how many (crowd.py), and the count of requests begins anew; GET {requests: how many there were since}.
    secrets, users, audit, jobs, stages, links, queue: GET.
    """
    if name == "people":
        for uid, attributes in (body or {}).items():
            world.directory.remove(uid) if attributes is None else world.directory.put(uid, **attributes)
        return world.directory.people
    if name == "config" and method == "PUT":
        for document, keys in body.items():
            world.config[document] = {**world.config.get(document, {}), **keys}
        return {}
    if name == "crowd":
        if method == "PUT":
            world.crowd = Crowd(**body) if body else None
            world.requests.clear()
        return {"requests": len(world.requests)}
    if name == "switches":
        for switch, value in (body or {}).items():
            setattr(world.switches, switch, value)
        return dataclasses.asdict(world.switches)
    if name == "faults":
        if method == "DELETE":
            world.faults.clear()
        elif method == "POST":
            world.faults.append(Fault(**body))
        return [dataclasses.asdict(fault) for fault in world.faults]
    if name == "secrets":
        return secrets_in_use(world, accounts)
    if name == "clock":
        world.clock.advance(float(body["advance"]))
        return {"now": world.clock.stamp()}
    if name == "tokens":
        if method == "DELETE":
            world.tokens.clear()
        return {"minted": len(world.made), "good": list(world.tokens), "assertions": list(world.assertions.values())}
    if name == "requests":
        found = list(world.requests)
        if method == "DELETE":
            world.requests.clear()
        return found
    if name == "restart":
        world.started = world.clock.stamp()
        world.recons.clear()
        world.retries.clear()
        world.switches.dormant = not world.switches.connector_up
        return {"startup": world.started}
    if name == "stop":
        world.stopped.set()
        return {}
    if name == "rebuild":
        world.directory.build_anew()
        return world.directory.people
    if name == "trim":
        world.directory.trim()
        return {"first": world.directory.first, "last": world.directory.last}
    shown: dict[str, t.Any] = {
        "users": world.users,
        "audit": world.audit,
        "jobs": world.jobs,
        "stages": world.stages,
        "links": world.links,
        "queue": world.queue,
        "config": world.config,
    }
    return shown[name]
