# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures plays of the same purpose on one stack, in turns, and prints seconds and ratios."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import typing as t

import requests
import yaml

from tools import steps, tree
from tools.places import BUILD, LOGS, ROOT, environment

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = BUILD / "bench-stack"

#: Label, playbook, value of idmops_in_process. The first is subtracted from the others, the second is their measure.
PLAYS = (
    ("an empty play", "base.yml", True),
    ("uri, a loop", "uri.yml", True),
    ("livesync_trigger, one task, in process", "list.yml", True),
    ("livesync_trigger, one task, as a module", "list.yml", False),
    ("livesync_trigger, a loop, in process", "loop.yml", True),
    ("livesync_trigger, a loop, as a module", "loop.yml", False),
    ("livesync_status, one task, in process", "status.yml", True),
)


def _stack(*arguments: str) -> None:
    steps.run(
        f"tests.servers.stack {' '.join(arguments)}",
        [sys.executable, "-m", "tests.servers.stack", *arguments, "--dir", str(FOLDER)],
        LOGS / f"bench-stack-{arguments[0]}.log", cwd=ROOT, env=environment(), telling=steps.without_clock,
    )  # fmt: skip


def _connectors(stack: t.Mapping[str, t.Any], count: int) -> list[str]:
    """Give IDM so many connectors to the one directory, each with a change log to follow, and return their sources."""
    session = requests.Session()
    session.headers.update(
        {"X-OpenIDM-Username": stack["idm_username"], "X-OpenIDM-Password": stack["idm_password"],
         "X-OpenIDM-NoSession": "true"}
    )  # fmt: skip
    url = stack["idm_url"]
    config = session.get(f"{url}/config/provisioner.openicf/ldap", timeout=30).json()
    sources = []
    for number in range(count):
        name = f"bench{number:02d}"
        copy = {**config, "_id": f"provisioner.openicf/{name}", "name": name}
        session.put(f"{url}/config/provisioner.openicf/{name}", json=copy, timeout=30).raise_for_status()
        sources.append(f"system/{name}/account")
    for source in sources:
        end = time.monotonic() + 60
        while session.post(f"{url}/{source}", params={"_action": "liveSync"}, timeout=60).status_code != 200:
            if time.monotonic() > end:
                raise steps.StepFailed(f"{source} does not get ready")
            time.sleep(0.2)
    return sources


def _grant(stack: t.Mapping[str, t.Any]) -> None:
    options = {
        "servers": [stack["ds_admin_uri"]],
        "bind_dn": stack["ds_admin_dn"],
        "bind_password": stack["ds_admin_password"],
        "ca_path": stack["ds_ca_path"],
        "principal": stack["connector_dn"],
    }
    steps.run(
        "the connector's account may read the change log",
        ["ansible", "localhost", "-m", "idmops.idm.changelog_access", "-a", json.dumps(options)],
        LOGS / "bench-grant.log", cwd=BUILD, env=environment(),
    )  # fmt: skip


def _measure(playbook: str, variables: pathlib.Path, in_process: bool) -> float:
    command = ["ansible-playbook", str(HERE / playbook), "-e", f"@{FOLDER / 'vars.yml'}", "-e", f"@{variables}",
               "-e", json.dumps({"idmops_in_process": in_process})]  # fmt: skip
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=BUILD, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-2000:])
        raise steps.StepFailed(playbook)
    return time.monotonic() - began


def main() -> int:
    """Bring a stack up, measure in turns so that noise falls on all alike, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.bench")
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tree.exclusive():
        tree.refresh()
    os.makedirs(BUILD, exist_ok=True)
    try:
        _stack("down")
        _stack("up", "--users", "60")
        stack = yaml.safe_load((FOLDER / "vars.yml").read_text(encoding="utf-8"))
        _grant(stack)
        steps.say(f"{options.sources} connectors")
        variables = BUILD / "bench.yml"
        variables.write_text(json.dumps({"bench_sources": _connectors(stack, options.sources)}), encoding="utf-8")
        taken: dict[str, list[float]] = {label: [] for label, _playbook, _way in PLAYS}
        for turn in range(options.rounds):
            for label, playbook, in_process in PLAYS:
                taken[label].append(_measure(playbook, variables, in_process))
            steps.say(f"round {turn + 1} of {options.rounds}")
    finally:
        _stack("down")
    medians = {label: statistics.median(seconds) for label, seconds in taken.items()}
    base, measure = (medians[PLAYS[number][0]] for number in (0, 1))
    print(f"\n{options.sources} sources, median of {options.rounds} rounds; without the empty play")
    print(f"{'':42}{'seconds':>9}{'a source':>11}{'uri takes':>12}")
    for label, seconds in medians.items():
        own = max(seconds - base, 0.001)
        ratio = f"{(measure - base) / own:11.1f}x" if label != PLAYS[0][0] else f"({base:.2f} s itself)".rjust(12)
        print(f"{label:42}{own if label != PLAYS[0][0] else 0:9.2f}{own / options.sources * 1000:8.0f} ms{ratio}")
    return 0


if __name__ == "__main__":
    steps.main(main)
