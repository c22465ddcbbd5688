# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong before a request reaches IDM, or on its answer's way back."""

from __future__ import annotations

import socket
import time
import typing as t
from email.utils import formatdate

from flask import Response, request

from .world import World

#: throttle, unavailable: Retry-After with ``value`` seconds, or "date:<seconds>" (open: nobody has recorded one from
#: /openidm, recorded 13). firewall: the cloud's front end (recorded 3). gateway: a proxy gives up with ``value`` (502).
#: cut: the line breaks after ``value`` bytes of the answer. unauthorized: a 401 that goes away (recorded 3, transient).
#: interim, stale, lost: see system.py and config.py.
KINDS = ("throttle", "unavailable", "firewall", "gateway", "cut", "unauthorized", "interim", "stale", "lost")
_BEFORE = ("throttle", "unavailable", "firewall", "gateway", "unauthorized")
_FIREWALL = (  # recorded 3: no transaction id, no Via
    '<!doctype html><meta charset="utf-8"><meta name=viewport content="width=device-width, initial-scale=1">'
    "<title>403</title>403 Forbidden"
)


def before(world: World, method: str, path: str) -> Response | None:
    """Return the answer of what stands before IDM, None where the request gets through."""
    for fault in world.faults:
        if fault.kind in _BEFORE and fault.strikes(method, path):
            return _answer(fault.kind, fault.value)
    return None


def _answer(kind: str, value: t.Any) -> Response:
    if kind == "firewall":
        return Response(_FIREWALL, 403, content_type="text/html; charset=UTF-8")
    if kind == "gateway":
        status = int(value or 502)
        return Response(f"<html><head><title>{status}</title></head></html>", status, content_type="text/html")
    code, reason = {
        "throttle": (429, "Too Many Requests"),
        "unavailable": (503, "Service Unavailable"),
        "unauthorized": (401, "Unauthorized"),
    }[kind]
    message = "Access Denied" if code == 401 else reason
    answer = Response(
        f'{{"code":{code},"reason":"{reason}","message":"{message}"}}',
        code,
        content_type="application/json;charset=utf-8",
    )
    if value is not None and code != 401:
        text = str(value)
        answer.headers["Retry-After"] = (
            formatdate(time.time() + float(text[5:]), usegmt=True) if text.startswith("date:") else text
        )
    return answer


def cut(world: World, method: str, path: str, answer: Response) -> None:
    """Break the line after some bytes of the answer, if that is planned; the request has been carried out by then."""
    for fault in world.faults:
        if fault.kind == "cut" and fault.strikes(method, path):
            head = f"HTTP/1.1 {answer.status}\r\n" + "".join(f"{name}: {text}\r\n" for name, text in answer.headers)
            whole = head.encode() + b"\r\n" + answer.get_data()
            line: socket.socket = request.environ["werkzeug.socket"]
            line.sendall(whole[: int(fault.value or 0)])
            line.shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
