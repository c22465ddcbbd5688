# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/external-scheduler has to be used as it is: units of systemd, a line for cron, a schedule of AWX."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "docs" / "external-scheduler"
PAGE = FOLDER.with_suffix(".md").read_text(encoding="utf-8")
ANSIBLE = "/opt/idmops/bin/ansible-playbook"


def text(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def test_the_page_names_each_file():
    named = set(re.findall(r"\(external-scheduler/([^)]+)\)", PAGE))
    assert named == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize(
    "unit", ["idmops-livesync.service", "idmops-livesync.timer", "idmops-watch.service", "idmops-watch.timer"]
)
def test_systemd_takes_the_units(tmp_path, unit):
    """It ends well with a key that it does not know, and says so: nothing must be said."""
    if not (verify := shutil.which("systemd-analyze")):
        pytest.skip("systemd is not installed")
    for path in FOLDER.iterdir():
        there = text(path.name).replace(ANSIBLE, "/bin/true").replace("/usr/bin/logger", "/bin/true")
        (tmp_path / path.name).write_text(there, encoding="utf-8")
    done = subprocess.run(
        [verify, "verify", f"./{unit}"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "idmops" in line]) == (0, [])


@pytest.mark.parametrize("name", ["livesync", "watch"])
def test_a_unit_that_fails_alarms_and_shows_no_password(name):
    unit = text(f"idmops-{name}.service")
    assert "OnFailure=idmops-alarm@%n.service" in unit and "Type=oneshot" in unit
    assert "LoadCredential=vault:" in unit and "--vault-password-file ${CREDENTIALS_DIRECTORY}/vault" in unit
    assert ("-e fail=true" in unit) is (name == "watch")  # without it the table alone comes, and the exit code 0


@pytest.mark.parametrize(
    ("call", "printed"),
    [("echo all is well", ""), ("echo it failed; exit 2", "it failed\nexit code 2\n"), ("exit 250", "exit code 250\n")],
)
def test_cron_sends_what_went_wrong_and_nothing_else(tmp_path, call, printed):
    program, etc, home = (tmp_path / name for name in ("ansible-playbook", "etc", "home"))
    program.write_text(f"#!/bin/sh\n{call}\n", encoding="ascii")
    program.chmod(0o700)
    for folder in (etc, home):
        folder.mkdir()
    (line,) = [one for one in text("idmops-livesync.cron").splitlines() if one.startswith("*")]
    *when, user, command = line.split(None, 6)
    assert (when, user, "%" in command) == (["*"] * 5, "idmops", False)  # cron makes lines of %
    for path, own in ((ANSIBLE, program), ("/etc/idmops", etc), ("/var/lib/idmops", home)):
        command = command.replace(path, str(own))
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (printed, "")


def test_the_platform_takes_the_schedule():
    """What AWX refuses of an rrule: its serializer's validation, and its tests of it."""
    schedule, template = json.loads(text("aap-schedule.json")), json.loads(text("aap-job-template.json"))
    start, rule = schedule["rrule"].split(" ")
    assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z", start) and re.match(r"RRULE:FREQ=(MINUTELY|HOURLY);INTERVAL=\d+", rule)
    assert not {"SECONDLY", "EXDATE", "BYYEARDAY", "BYWEEKNO"} & set(re.split(r"[:=;]", rule))
    assert schedule["enabled"] is True and template["allow_simultaneous"] is False
