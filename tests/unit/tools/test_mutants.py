# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which faults are made, and which tests have to see them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
import yaml

from tools import mutants
from tools.places import ROOT

FAULTS = [
    mutants.Fault(path, line, 4, kind, None) for path in ("a.py", "b.py") for line in range(20) for kind in ("x", "y")
]


def test_a_sample_has_one_fault_at_each_place_and_is_the_same_again():
    chosen = mutants.sample(FAULTS, 7, 10)
    assert len({(fault.path, fault.line) for fault in chosen}) == 10
    assert mutants.sample(reversed(FAULTS), 7, 10) == chosen
    assert mutants.sample(FAULTS, 8, 10) != chosen
    assert len(mutants.sample(FAULTS, 7, 1000)) == 40


def test_the_tests_of_a_file_are_those_of_its_name_and_those_that_import_it():
    own = "tests/unit/plugins/module_utils/_idm/test_stage.py"
    tests = {
        own: "nothing",
        "tests/unit/plugins/module_utils/_health/test_status.py": "from x.module_utils._idm.stage import Stage",
        "tests/unit/plugins/module_utils/_http/test_client.py": "from x.module_utils._idm import source, stage",
        "tests/unit/plugins/module_utils/_idm/test_nodes.py": "from x.module_utils._idm.stages import Stage",
    }
    found = mutants.tests_of(PurePosixPath("plugins/module_utils/_idm/stage.py"), tests)
    assert found == sorted(tests)[:2] + [own]


def test_the_line_that_a_fault_makes_is_found():
    assert mutants.becomes("--- a\n+++ b\n@@ -1 +1 @@\n-    x = 1\n+    x = 2\n y\n") == "x = 2"
    assert mutants.becomes("") == ""


@pytest.mark.parametrize(
    ("kind", "line", "what", "made"),
    [
        ("NumberReplacer", "_PATIENCE = 60.0", "60.0", False),
        ("NumberReplacer", "FIRST, LAST = 1, 2", "1", False),
        ("NumberReplacer", "wait_for(probe, timeout=5, first_pause=0.2)", "0.2", False),
        ("NumberReplacer", "wait_for(probe, timeout=5, first_pause=0.2)", "5", True),
        ("NumberReplacer", "return found[0]", "0", True),
        ("NumberReplacer", 'parse(version="1.0", retries=3)', "3", True),
        ("ReplaceComparisonOperator_Eq_LtE", "if state == HEALTHY:", "==", False),
        ("ReplaceComparisonOperator_NotEq_Gt", "if stage.rev != mark.rev:", "!=", False),
        ("ReplaceComparisonOperator_Eq_NotEq", "if state == HEALTHY:", "==", True),
        ("ReplaceComparisonOperator_NotEq_Eq", "if state != HEALTHY:", "!=", True),
        ("ReplaceComparisonOperator_Eq_GtE", "if exc.status == 404:", "==", True),
        ("ReplaceComparisonOperator_Eq_GtE", "if len(found) == wanted:", "==", True),
        ("ReplaceComparisonOperator_NotEq_Lt", "if wanted != len(found):", "!=", True),
        ("ReplaceComparisonOperator_NotEq_Lt", "if 0 != wanted:", "!=", True),
        ("ReplaceComparisonOperator_Lt_LtE", "if count < most:", "<", True),
        ("AddNot", "if state == HEALTHY:", "state", True),
    ],
)
def test_faults_are_such_as_people_make(kind, line, what, made):
    start = line.index(what)
    assert mutants.is_made(f"core/{kind}", line, start, start + len(what)) is made


def test_faults_that_are_listed_are_in_files_that_there_are():
    listed = yaml.safe_load((ROOT / "tests" / "unit" / "survivors.yml").read_text("utf-8"))
    assert all((ROOT / file).is_file() and why for (file, _line), why in mutants.reasons(listed).items())
