# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the steps of the integration targets have in common (targets/setup_steps).

They prepare what is tested and look at what came of it, and run inside Ansible's worker in both ways of running the
targets: a module costs half a second before it does anything, and there are a thousand of them.
"""

from __future__ import annotations

import contextlib
import re
import time

import ldap
import requests
from ansible_collections.idmops.idm.plugins.module_utils._ansible.arguments import ArgumentSpec
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.plugin_utils._in_process import InProcessAction

_REQUEST = re.compile(r"\b(\w+) REQ conn=(-?\d+)")
_BIND = re.compile(r'\bBIND REQ conn=(-?\d+) .*dn="([^"]*)"')

TEXT = {"type": "str", "required": True}
SECRET = {**TEXT, "no_log": True}
#: Options of a step that talks to IDM, and of one that talks to the directory, as its administrator.
IDM = {"idm_url": TEXT, "idm_username": TEXT, "idm_password": SECRET}
DIRECTORY = {"uri": TEXT, "bind_dn": TEXT, "bind_password": SECRET}


def options(*more, **own):
    """Return the specification of a step's options."""
    return ArgumentSpec(argument_spec={name: option for part in (*more, own) for name, option in part.items()})


class Step(InProcessAction):
    """An action plugin without a module. Subclasses set ``spec`` and ``operate``."""

    def _may_run_here(self, task_vars):
        return True


def loopback_session():
    """Return a session that leaves the environment's proxies alone: they are not for loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


def idm_session(params):
    """Return a session as IDM's administrator."""
    session = loopback_session()
    session.headers.update(
        {
            "X-OpenIDM-Username": params["idm_username"],
            "X-OpenIDM-Password": params["idm_password"],
            "X-OpenIDM-NoSession": "true",
        }
    )
    return session


@contextlib.contextmanager
def directory(params):
    """Give a connection as the directory's administrator."""
    line = ldap.initialize(params["uri"])
    line.simple_bind_s(params["bind_dn"], params["bind_password"])
    try:
        yield line
    finally:
        line.unbind_s()


def operations_of(log, since, administrator):
    """Return the size of the directory's access log, and the administrator's operations after a size: kind and line."""
    time.sleep(0.6)  # the directory writes its log once every half second, and says nowhere that it has
    text = log.read_bytes()
    bound = {}
    for line in text.decode(errors="replace").splitlines():
        if found := _BIND.search(line):
            bound[found.group(1)] = found.group(2).lower()
    asked = []
    for line in text[since:].decode(errors="replace").splitlines():
        found = _REQUEST.search(line)
        if found and found.group(1) != "UNBIND" and bound.get(found.group(2)) == administrator.lower():
            asked.append((found.group(1), line))
    return len(text), asked


@contextlib.contextmanager
def told(*errors):
    """Turn errors of these classes into the failure of the task."""
    try:
        yield
    except errors as exc:
        raise IdmopsError(f"{type(exc).__name__}: {exc}") from exc
