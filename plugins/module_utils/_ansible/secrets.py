# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not appear in any output of a task, and how each ansible-core is told.

Up to 2.21 secrets are struck out of a result. From 2.22 on a result keeps them, and whatever is printed is masked (the
changelog of ansible-core 2.22; seen on 2.22.0rc1).
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import date

from .._http.jwk import private_parts
from .arguments import ArgumentSpec

try:
    from ansible.module_utils.secrets import mask_secrets, register_secrets
except ImportError:
    from ansible.module_utils.common.parameters import remove_values

    #: Whether ansible-core masks what it prints by itself.
    MASKED = False

    def register(secrets: t.Iterable[str]) -> None:
        """Nothing has to be told beforehand."""

    def struck_out(value: t.Any, secrets: t.Iterable[str]) -> t.Any:
        """Return a result or a text without secrets."""
        return remove_values(value, Secrets(secrets))

    def masked(text: str) -> str:
        """Return a text as it is: secrets were struck out of all that a result holds."""
        return text

else:
    MASKED = True

    def register(secrets: t.Iterable[str]) -> None:
        """Have these masked wherever they would be printed, by the controller too."""
        register_secrets(frozenset(secrets))

    def struck_out(value: t.Any, secrets: t.Iterable[str]) -> t.Any:
        """Return a result as it is: what was registered is masked where it is printed."""
        return value

    def masked(text: str) -> str:
        """Return a text as it may be written to a file, which nobody masks: without what was registered."""
        return str(mask_secrets(text))


#: What the name of a secret looks like, also one that is misspelt.
_SECRET = re.compile(r"pa?s*w|pwd|secret|token|cred|jwk|private", re.IGNORECASE)


class Secrets(t.Set[str]):
    """Secrets, the longest first: of one that begins with another one nothing is left to be read."""

    def __iter__(self) -> t.Iterator[str]:
        """Return them in the order in which they are to be struck out."""
        return iter(sorted(super().__iter__(), key=lambda secret: (-len(secret), secret)))


def readable(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a task's options in a form that can be validated, and in which no more is secret than has to be.

    It is the form in which a module gets them. Ansible's own kinds of text become plain ones, also those that are
    encrypted in the playbook itself (ansible-core up to 2.18).
    Within a secret option Ansible hides everything: a JWK that is a dictionary would have words like "sig" and "RSA"
    struck out of every output. So it becomes one text.
    """
    options = {name: _plain(value) for name, value in options.items()}
    jwk = options.get("service_account_jwk")
    return {**options, "service_account_jwk": json.dumps(jwk)} if isinstance(jwk, dict) else options


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if getattr(value, "__ENCRYPTED__", False):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    for kind in (int, float):
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value


def hidden_values(spec: ArgumentSpec, params: t.Mapping[str, t.Any], collected: t.Iterable[str]) -> Secrets:
    """Return what must not appear in any output of a task.

    Ansible collects that, but nothing at all where a list or a dictionary of options cannot be read, and nothing of an
    option that there is not; it then prints all options with the error (seen on ansible-core 2.19).

    :param params: the options as far as they have been validated.
    :param collected: what Ansible has found.
    """
    own = private_parts(params.get("service_account_jwk"))
    return Secrets([*collected, *_secrets_in(spec.argument_spec, params), *own])


def _secrets_in(argument_spec: t.Mapping[str, t.Any], params: t.Any) -> t.Iterator[str]:
    if isinstance(params, (list, tuple)):
        for entry in params:
            yield from _secrets_in(argument_spec, entry)
    elif isinstance(params, t.Mapping):
        known: set[str] = set()
        for name, option in argument_spec.items():
            names = (name, *option.get("aliases", ()))
            known.update(names)
            for value in map(params.get, names):
                if option.get("no_log"):
                    yield from _leaves(value)
                elif option.get("options"):
                    yield from _secrets_in(option["options"], value)
        yield from _suspects({name: value for name, value in params.items() if name not in known})


def _suspects(unknown: t.Any) -> t.Iterator[str]:
    """Yield the values of options that there are not, but whose names, misspelt or not, are those of secrets."""
    if isinstance(unknown, (list, tuple)):
        for entry in unknown:
            yield from _suspects(entry)
    elif isinstance(unknown, t.Mapping):
        for name, value in unknown.items():
            yield from _leaves(value) if _SECRET.search(str(name)) else _suspects(value)


def _leaves(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for entry in value:
            yield from _leaves(entry)
    elif value not in (None, "", True, False):
        yield str(value)
