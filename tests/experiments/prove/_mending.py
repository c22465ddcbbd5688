# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does what the status names, and nothing else, until it names nothing any more."""

from __future__ import annotations

import time
import typing as t

import ldap

from tools import steps

from ._sampler import ask
from ._task import Tasks
from ._two_of_each import TwoOfEach

#: Seconds after which it has to be over.
LIMIT = 600.0
#: States whose remedy is the role.
BY_ROLE = frozenset({"unscheduled", "never_run", "trimmed", "ahead", "dormant", "stalled", "unreadable", "disabled"})


def mend(bed: TwoOfEach, tasks: Tasks, limit: float = LIMIT) -> list[str]:
    """Return what was done, in words; the last one says how it ended where that was not well."""
    done: list[str] = []
    end = time.monotonic() + limit
    while time.monotonic() < end:
        told = ask(bed, tasks)
        state = told["state"]
        if state == "healthy" and not told["pending"]:
            return done
        steps.say(f"in the end: {state}, {told.get('pending')} pending: {(told['remedy'] or '')[:400]}")
        what = _remedy(bed, tasks, told)
        if what:
            done.append(f"{state}: {what}")
            steps.say(done[-1])
        time.sleep(2.0)
    return [*done, f"FAILED: still {state} after {limit:.0f} s: {told['remedy']}"]


def _remedy(bed: TwoOfEach, tasks: Tasks, told: dict[str, t.Any]) -> str:
    """Do what the state's remedy says, and say what that was; nothing where it says to wait."""
    listed = {"gapped": "gaps", "dropping": "dropped"}.get(told["state"])
    records = told[listed] or [] if listed else []
    if records:
        gone = any(record.get("situation") == "SOURCE_MISSING" for record in records)
        given = {} if gone else {"ids": sorted({record["record"] for record in records})}
        result = tasks.run("recon", mapping=bed.mapping, nodes=bed.vars["idm_nodes"], **given)
        what = "the whole mapping reconciled" if gone else f"{len(given['ids'])} records reconciled"
        return f"{what}: {result.told['msg']}"
    if "Make one more change" in (told["remedy"] or ""):
        line = bed.directory()
        line.modify_s(bed.vars["people_dn"], [(ldap.MOD_REPLACE, "description", [b"one more change"])])
        line.unbind_s()
        return "one more change made"
    if told["state"] in BY_ROLE:
        ended = bed.play("mending").wait()
        return f"the role run, {ended.error or 'which ended well'}"
    return ""
