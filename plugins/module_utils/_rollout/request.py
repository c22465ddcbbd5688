# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role is asked to bring about, checked, with its defaults."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._idm.source import Source
from .._ldap.options import directory_options, given
from .load_record import ALWAYS, NEVER, ONCE

ENABLED, DISABLED, ABSENT = "enabled", "disabled", "absent"

_HANDED_ON = ("max_failures", "max_failure_percent", "on_record_failure", "wait_timeout", "allow_deletes")


@dataclass(frozen=True)
class SourceRequest:
    """One entry of livesync_sources.

    :param mappings: those to load, None for every mapping with this source.
    :param schedule: what was given for the schedule, without what was not.
    :param others: options that are handed on to the steps as they are.
    :param directory: connection and grant options of the directory behind the source, None where there is none.
    """

    source: Source
    mappings: tuple[str, ...] | None = None
    schedule: t.Mapping[str, t.Any] = field(default_factory=dict)
    initial_load: str = ONCE
    allow_deletes: bool = False
    wait_timeout: float = 86400.0
    others: t.Mapping[str, t.Any] = field(default_factory=dict)
    directory: t.Mapping[str, t.Any] | None = field(default=None, repr=False)
    own_directory: bool = False

    @classmethod
    def parse(
        cls,
        entry: t.Mapping[str, t.Any],
        general: t.Mapping[str, t.Any] | None,
        option: str = "livesync_sources",
        general_option: str = "livesync_directory",
    ) -> SourceRequest:
        """Return the request of an entry.

        :param general: the directory that holds for the entries that name none themselves.
        :param option: where the entry stands, for the error.
        :param general_option: where that directory stands.
        :raises InvalidOption: when its source is none, or its directory cannot be reached so.
        """
        own = entry.get("directory")
        directory = given(general, general_option) if own is None else given(own, f"{option}.directory")
        mappings = entry.get("mappings")
        return cls(
            source=Source.parse(entry["source"], option),
            mappings=None if mappings is None else tuple(dict.fromkeys(mappings)),
            schedule={name: value for name, value in (entry.get("schedule") or {}).items() if value is not None},
            initial_load=entry.get("initial_load") or ONCE,
            allow_deletes=bool(entry.get("allow_deletes")),
            wait_timeout=float(entry.get("wait_timeout") or 86400),
            others={name: entry.get(name) for name in _HANDED_ON},
            directory=directory,
            own_directory=own is not None,
        )


def load_options() -> dict[str, t.Any]:
    """Return the options of one load (doc fragment ``sources.load``)."""
    return {
        "max_failures": {"type": "int", "default": 0},
        "max_failure_percent": {"type": "float"},
        "wait_timeout": {"type": "float", "default": 86400},
        "allow_deletes": {"type": "bool", "default": False},
    }


def source_options() -> dict[str, t.Any]:
    """Return the options of one entry of livesync_sources (doc fragment ``sources``)."""
    text = {"type": "str"}
    return {
        "source": {"type": "str", "required": True},
        "mappings": {"type": "list", "elements": "str"},
        "schedule": {
            "type": "dict",
            "options": {
                "interval": {"type": "raw"},
                "cron": text,
                "name": text,
                "storage": {"type": "str", "choices": ["auto", "job", "config"], "default": "auto"},
                "start_time": text,
                "end_time": text,
                "persisted": {"type": "bool", "default": True},
                "misfire_policy": {"type": "str", "choices": ["fireAndProceed", "doNothing"]},
            },
        },
        "initial_load": {"type": "str", "choices": [ONCE, ALWAYS, NEVER], "default": ONCE},
        "on_record_failure": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        **load_options(),
        "directory": {"type": "dict", "options": directory_options()},
    }
