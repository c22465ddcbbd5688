# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make test and make build conclude from what other programs print: a failure must never read as success."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tools import archive, integration, steps
from tools import test as whole

OUTPUT = """\
WARNING: something
Running recon integration test role
ok: [testhost] => {
    "changed": false,
    "msg": "All assertions passed"
}
    "msg": "All assertions passed"
"""


def test_a_target_that_ran_to_its_end_passed():
    assert integration.judge(OUTPUT, 0, "recon") == (True, 2)


@pytest.mark.parametrize(
    ("output", "exit_code"),
    [
        (OUTPUT, 1),
        (OUTPUT, -15),
        ("WARNING: All targets skipped.", 0),
        ("", 0),
        (OUTPUT.replace("recon", "connector"), 0),
    ],
)
def test_anything_else_is_a_failure(output, exit_code):
    passed, _assertions = integration.judge(output, exit_code, "recon")
    assert not passed


def test_the_summary_names_what_failed():
    outcomes = [
        integration.Outcome(integration.Job("recon", "module"), False, 3, 1.0),
        integration.Outcome(integration.Job("connector", "module"), True, 4, 1.0),
    ]
    assert integration.summary(outcomes) == [
        "integration targets (in-process): 0 ran, 0 assertions held",
        "integration targets (module): 2 ran, 7 assertions held; FAILED: recon",
    ]


@pytest.mark.parametrize(
    ("suite", "exit_code", "count"),
    [
        ('tests="9" failures="0" errors="0" skipped="1"', 0, (8, 0, 1)),
        ('tests="9" failures="2" errors="1" skipped="0"', 1, (6, 3, 0)),
        ('tests="9" failures="0" errors="0" skipped="0"', 3, (9, 1, 0)),
    ],
)
def test_unit_tests_are_counted(tmp_path, suite, exit_code, count):
    report = tmp_path / "units.xml"
    report.write_text(f"<testsuites><testsuite {suite}/></testsuites>", encoding="utf-8")
    assert whole.read_units(report, exit_code) == count


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("[  1.0 s] FAILED: waited 60 s for it\ngoodbye\n", ["[  1.0 s] FAILED: waited 60 s for it"]),
        ("Traceback (most recent call last):\n  File x\nAssertionError: no\n", ["AssertionError: no"]),
        ("fatal: [testhost]: FAILED! => " + "x" * 900, ["fatal: [testhost]: FAILED! => " + "x" * 370]),
        (
            'FAILED - RETRYING: [testhost]\nfatal: [testhost]: FAILED! => {\n  "changed": false,\n  "msg": "No."\n}\n',
            ["fatal: [testhost]: FAILED! => {", '"msg": "No."'],
        ),
        ("one\n\ntwo\n", ["one", "two"]),
        ("".join(f"FAILED {number}\n" for number in range(9)), [f"FAILED {number}" for number in range(5, 9)]),
    ],
)
def test_why_something_failed_is_taken_from_its_output(tmp_path, output, told):
    log = tmp_path / "some.log"
    log.write_text(output, encoding="utf-8")
    assert steps.complaints(log) == told


def test_no_output_gives_no_reason(tmp_path):
    assert steps.complaints(tmp_path / "none.log") == []


def test_a_missing_report_is_a_failure(tmp_path):
    assert whole.read_units(tmp_path / "none.xml", 4) == (0, 1, 0)


def names(*texts):
    return [PurePosixPath(text) for text in texts]


TRACKED = names(
    "README.md", "plugins/modules/recon.py", "tests/unit/conftest.py", "Makefile", "changelogs/fragments/1.yml"
)
GOOD = names("MANIFEST.json", "FILES.json", "README.md", "plugins/modules/recon.py")


def test_an_archive_of_the_collection_alone_is_good():
    assert archive.findings(GOOD, TRACKED) == []


@pytest.mark.parametrize(
    ("more", "finding"),
    [
        (".stack/vars.yml", "not a part of a collection: .stack/vars.yml"),
        ("Makefile", "not a part of a collection: Makefile"),
        ("tests/unit/conftest.py", "not a part of a collection: tests/unit/conftest.py"),
        ("plugins/modules/recon.pyc", "not a part of a collection: plugins/modules/recon.pyc"),
        ("changelogs/fragments/1.yml", "not a part of a collection: changelogs/fragments/1.yml"),
        ("plugins/modules/left_over.py", "not tracked by git: plugins/modules/left_over.py"),
    ],
)
def test_what_does_not_belong_is_named(more, finding):
    assert archive.findings([*GOOD, PurePosixPath(more)], TRACKED) == [finding]


def test_what_is_missing_is_named():
    assert archive.findings(GOOD[:3], TRACKED) == ["missing: plugins/modules/recon.py"]
