# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specifications, with their constraints."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.parameters import AnsibleFallbackNotFound

from .._http.auth import METHODS
from .._ldap.options import access_options, directory_options, variable

#: What of a directory the environment can say: IDM_DIRECTORY_SERVERS and so on.
_ENVIRONMENT = ("servers", "bind_dn", "bind_password", "ca_path")
_CONSTRAINTS = ("mutually_exclusive", "required_one_of", "required_by")


@dataclass(frozen=True)
class ArgumentSpec:
    """What AnsibleModule and the validator of an action plugin take, in one value."""

    argument_spec: t.Mapping[str, t.Any] = field(default_factory=dict)
    mutually_exclusive: t.Sequence[t.Any] = ()
    required_one_of: t.Sequence[t.Any] = ()
    required_by: t.Mapping[str, t.Any] = field(default_factory=dict)

    def as_arguments(self) -> dict[str, t.Any]:
        """Return keyword arguments for AnsibleModule and for ArgumentSpecValidator."""
        constraints = {name: value for name in _CONSTRAINTS if (value := getattr(self, name))}
        return {"argument_spec": dict(self.argument_spec), **constraints}


def _from_environment(name: str, **option: t.Any) -> dict[str, t.Any]:
    return {**option, "fallback": (_set_variable, [name])}


def _set_variable(name: str) -> str:
    """Return what a variable holds; an empty one counts as one that is not set.

    Ansible Automation Platform sets an empty one for each field of a credential that was left blank.

    :raises AnsibleFallbackNotFound: when it holds nothing.
    """
    if value := os.environ.get(name):
        return value
    raise AnsibleFallbackNotFound


def idm_spec(
    own: t.Mapping[str, t.Any] | None = None, *, directory: bool = False, **constraints: t.Any
) -> ArgumentSpec:
    """Return the specification of a module that talks to IDM: how to reach it, and options of its own.

    :param directory: whether it takes the directory behind the connectors too.
    """
    options = {**connection_options(), **(directory_option() if directory else {}), **(own or {})}
    return ArgumentSpec(options, required_by={"client_key": ["client_cert"]}, **constraints)


def connection_options() -> dict[str, t.Any]:
    """Return the options of the doc fragment ``connection``: how to reach IDM, and as whom."""
    env = _from_environment
    return {
        "url": env("IDM_URL", type="str", required=True),
        "nodes": {"type": "list", "elements": "str"},
        "auth_method": env("IDM_AUTH_METHOD", type="str", default="openidm", choices=list(METHODS)),
        "username": env("IDM_USERNAME", type="str"),
        "password": env("IDM_PASSWORD", type="str", no_log=True),
        "access_token": env("IDM_ACCESS_TOKEN", type="str", no_log=True),
        "token_url": env("IDM_TOKEN_URL", type="str", no_log=False),
        "service_account_id": env("IDM_SERVICE_ACCOUNT_ID", type="str"),
        "service_account_jwk": env("IDM_SERVICE_ACCOUNT_JWK", type="raw", no_log=True),
        "client_id": env("IDM_CLIENT_ID", type="str"),
        "client_secret": env("IDM_CLIENT_SECRET", type="str", no_log=True),
        "scope": {"type": "str", "default": "fr:idm:*"},
        "configuration_type": env("IDM_CONFIGURATION_TYPE", type="str", choices=["mutable"]),
        "validate_certs": env("IDM_VALIDATE_CERTS", type="bool", default=True),
        "ca_path": env("IDM_CA_PATH", type="path"),
        "client_cert": env("IDM_CLIENT_CERT", type="path"),
        "client_key": env("IDM_CLIENT_KEY", type="path", no_log=False),
        "timeout": env("IDM_TIMEOUT", type="float", default=30),
        "retry_timeout": {"type": "float", "default": 60},
    }


def directory_option() -> dict[str, t.Any]:
    """Return the option of the doc fragment ``directory.option``: the directory behind the connectors."""
    fallback = (_directory_from_environment, [variable(name) for name in _ENVIRONMENT])
    return {"directory": {"type": "dict", "options": directory_options(), "fallback": fallback}}


def access_spec(own: t.Mapping[str, t.Any]) -> ArgumentSpec:
    """Return the specification of changelog_access, whose directory comes from the environment where it is not given.

    :param own: options beside those of the doc fragment ``directory``.
    """
    options = access_options()
    for name in _ENVIRONMENT:
        options[name] = _from_environment(variable(name), **options[name])
    options["servers"]["fallback"] = (_servers_from_environment, [variable("servers")])
    return ArgumentSpec({**options, **own})


def _servers_from_environment(name: str) -> list[str]:
    """Return the URLs that a variable holds, separated by commas.

    :raises AnsibleFallbackNotFound: when it holds none.
    """
    servers = [uri.strip() for uri in os.environ.get(name, "").split(",") if uri.strip()]
    if not servers:
        raise AnsibleFallbackNotFound
    return servers


def _directory_from_environment(servers: str, *names: str) -> dict[str, t.Any]:
    """Return the directory that the environment describes.

    :param servers, names: the variables, in the order of ``_ENVIRONMENT``.
    :raises AnsibleFallbackNotFound: when there are no servers.
    """
    found = {option: os.environ.get(name) for option, name in zip(_ENVIRONMENT[1:], names)}
    given = {option: value for option, value in found.items() if value}
    return {"servers": _servers_from_environment(servers), **given}
