# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said, planned and told as a difference for each fault of a source: all of it, word for word."""

from __future__ import annotations

import pathlib

from ansible_collections.idmops.idm.plugins.module_utils._idm.server import FORK, Server
from ansible_collections.idmops.idm.plugins.module_utils._rollout.adopted import adopted_of, pick
from ansible_collections.idmops.idm.plugins.module_utils._rollout.drift import differences_of, not_compared_of
from ansible_collections.idmops.idm.plugins.module_utils._rollout.findings import findings_of, grants_unknown
from ansible_collections.idmops.idm.plugins.module_utils._rollout.plan import plan_absent, plan_disabled, plan_enabled
from ansible_collections.idmops.idm.tests.unit.doubles.faults import FAULTS
from ansible_collections.idmops.idm.tests.unit.doubles.preflight import finished
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
CASES = {"nothing": {}, **{code: spoilt for code, (_severity, spoilt) in FAULTS.items()}}
#: The same with nothing loaded yet, and with no base point.
CASES.update({f"{code}, not loaded": {**spoilt, "record": {}} for code, spoilt in [*CASES.items()]})
CASES.update({f"{code}, no token": {"token": None, **CASES[code]} for code in ("nothing", *FAULTS)})


def plans(evidence):
    return {
        "enabled": plan_enabled(evidence, findings_of(evidence), 0),
        "disabled": plan_disabled(evidence, 0),
        "absent": plan_absent(evidence, (), 0),
    }


def beyond(found, always=False):
    """Return of each case what is not told without its fault too, or without what follows its comma; "not": is not.

    :param always: whether each name is told in each case, so that only its value can be another.
    """
    told = {}
    for case, said in found.items():
        fault, _comma, more = case.partition(", ")
        usual = dict.fromkeys(found["nothing"] if case != "nothing" else ())
        if more and fault != "nothing":
            usual = dict.fromkeys([*found[f"nothing, {more}"], *found[fault]])
        told[case] = [one for one in said if one not in usual]
        told[case] += [f"not {one[:50]}" for one in usual if one not in said and not always]
    return {case: said for case, said in told.items() if said}


def test_what_is_found():
    found = {}
    for case, spoilt in CASES.items():
        evidence = finished(**spoilt)
        said = [one.as_result() for one in (*findings_of(evidence), *grants_unknown(evidence))]
        found[case] = [f"{one['severity']} {one['code']}: {one['message']} -> {one['remedy']}" for one in said]
    compare(FILES / "findings.yml", "What preflight finds in a source with each fault.", beyond(found))


def test_what_is_planned():
    found = {}
    for case, spoilt in CASES.items():
        made = {state: plan.as_result() for state, plan in plans(finished(**spoilt)).items()}
        found[case] = [f"{state} {name}: {value}" for state, plan in made.items() for name, value in plan.items()]
    compare(
        FILES / "plans.yml",
        "What is planned for a finished source, and what else with each fault.",
        beyond(found, always=True),
    )


def test_what_differs():
    found = {}
    for case, spoilt in CASES.items():
        evidence = finished(**spoilt)
        found[case] = []
        for state, plan in plans(evidence).items():
            found[case] += [
                f"{state} {one.field}: {one.wanted} wanted, {one.found} found{'' if one.mended else ', and left'}"
                for one in differences_of(evidence, plan, state)
            ]
            found[case] += [f"{state} {one.field}: {one.reason}" for one in not_compared_of(evidence, state)]
    compare(FILES / "differences.yml", "What drift tells of a source with each fault.", beyond(found))


def test_what_is_adopted():
    found = {}
    for case, spoilt in CASES.items():
        evidence = finished(**spoilt)
        one = adopted_of(evidence, pick(evidence.schedules), Server(FORK, "6.1.0"))
        found[case] = [
            f"{name}: {value}" for name, value in {**one.as_result(), "entry": one.entry, "on": one.on}.items()
        ]
    compare(FILES / "adopted.yml", "What adopt writes of a source with each fault.", beyond(found, always=True))
