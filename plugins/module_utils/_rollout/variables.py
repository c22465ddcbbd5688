# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, and what is wrong with them. No I/O.

They are looked at here rather than by Ansible, which prints the specification of all of them, some 11 kB, for whatever
is wrong with one (seen on ansible-core 2.19).
"""

from __future__ import annotations

import typing as t

from .._ansible.arguments import ArgumentSpec, connection_options
from .._ansible.misfit import misfits
from .._ansible.secrets import hidden_values, readable, register, struck_out
from .._ldap.options import directory_options
from .._livesync.backlog import AUTO, LIVESYNC, RECONCILE
from .request import ABSENT, DISABLED, ENABLED, source_options


def role_variables() -> dict[str, t.Any]:
    """Return the specification of the role's variables, as that of a module's options."""
    return {
        "livesync_idm": {"type": "dict", "options": connection_options()},
        "livesync_directory": {"type": "dict", "options": directory_options()},
        "livesync_sources": {"type": "list", "elements": "dict", "options": source_options()},
        "livesync_state": {"type": "str", "choices": [ENABLED, DISABLED, ABSENT]},
        "livesync_sample": {"type": "int"},
        "livesync_reactivate": {"type": "bool"},
        "livesync_catch_up": {"type": "str", "choices": [LIVESYNC, RECONCILE, AUTO]},
    }


def unusable(given: t.Mapping[str, t.Any], needed: t.Collection[str]) -> list[str]:
    """Return what is wrong with the role's variables, a sentence each.

    :param given: by their names; None for what is not given.
    :param needed: the names of those that the role cannot do without here.
    """
    spec = {name: {**one, "required": name in needed} for name, one in role_variables().items()}
    plain = readable(given)
    secrets = hidden_values(ArgumentSpec(spec), plain, ())
    register(secrets)
    return t.cast("list[str]", struck_out(list(misfits(spec, plain)), secrets))
