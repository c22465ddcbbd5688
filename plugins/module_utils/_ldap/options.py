# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how to reach a directory, and what its account for liveSync shall be able to do.

Their descriptions are in the doc fragment ``directory``.
"""

from __future__ import annotations

import typing as t

from .._base.errors import InvalidOption


def access_options() -> dict[str, dict[str, t.Any]]:
    """Return the options of changelog_access but ``state``."""
    return {
        "servers": {"type": "list", "elements": "str", "required": True},
        "bind_dn": {"type": "str", "required": True},
        "bind_password": {"type": "str", "required": True, "no_log": True},
        "start_tls": {"type": "bool", "default": False},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "float", "default": 30},
        "principal": {"type": "str", "required": True},
        "verify_uri": {"type": "str"},
        "principal_password": {"type": "str", "no_log": True},
        "remove_privilege": {"type": "bool", "default": False},
        "raise_limits": {"type": "bool", "default": False},
        "base_contexts": {"type": "list", "elements": "str"},
        "size_limit": {"type": "int"},
        "lookthrough_limit": {"type": "int"},
        "time_limit": {"type": "int"},
        "idle_time_limit": {"type": "int"},
        "unindexed_search": {"type": "bool"},
    }


def directory_options() -> dict[str, dict[str, t.Any]]:
    """Return the suboptions of ``directory``: the same, none of them required, since {} says that there is none."""
    return {
        name: {key: value for key, value in option.items() if key != "required"}
        for name, option in access_options().items()
    }


def variable(name: str) -> str:
    """Return the environment variable that a suboption of ``directory`` comes from where ``directory`` is left out."""
    return f"IDM_DIRECTORY_{name.upper()}"


def given(directory: t.Mapping[str, t.Any] | None, option: str = "directory") -> t.Mapping[str, t.Any] | None:
    """Return a directory as it was given, None where none was.

    :param directory: the suboptions, validated, so that those with a default have it.
    :param option: what the user calls it, for the error.
    :raises InvalidOption: when something was given, and not what a connection takes.
    """
    if directory is None:
        return None
    options = directory_options()
    if all(value in (None, "", [], options[name].get("default")) for name, value in directory.items()):
        return None
    may_be_left_out = "." not in option  # what is part of another option never comes from the environment
    for name in ("servers", "bind_dn", "bind_password"):
        if not directory.get(name):
            raise InvalidOption(
                f"{option}.{name}",
                directory.get(name),
                "A directory takes servers, bind_dn and bind_password; an empty dictionary says that there is none."
                + (f" Where all of it is left out, this comes from {variable(name)}." if may_be_left_out else ""),
            )
    return directory
