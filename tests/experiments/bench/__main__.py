# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures plays of the same purpose on one stack, in turns; prints seconds and ratios, and writes them as JSON."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
import typing as t
from importlib import metadata

import requests
import yaml

from tests.experiments.prove import _page
from tools import steps, tree
from tools.places import BUILD, LOGS, ROOT, environment

from . import picture

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = BUILD / "bench-stack"
FIGURES = BUILD / "bench.json"
PICTURE = BUILD / "bench.svg"
#: Where the page about it has its picture.
SHOWN = ROOT / "docs" / "cost.svg"
HEAD = ("what", "seconds", "the other takes")


class Work(t.NamedTuple):
    """Something that is measured.

    :param book: a playbook of this folder, or the name of one of the collection's.
    :param beside: the label of the work that its time is compared with, "" for none.
    :param variables: beside those of the stack.
    """

    label: str
    book: str
    beside: str = ""
    variables: t.Mapping[str, t.Any] = {}


MODULE = {"idmops_in_process": False}
LOCAL = {"bench_lock": "local"}
EMPTY, LOOP, STOCK = "an empty play", "uri, a loop", "stock modules, a finished environment"
#: What is played. The first is subtracted from the others.
WORKS = (
    Work(EMPTY, "base.yml"),
    Work(LOOP, "uri.yml"),
    Work("livesync_trigger, one task, in process", "list.yml", LOOP),
    Work("livesync_trigger, one task, in process, lock: local", "list.yml", LOOP, LOCAL),
    Work("livesync_trigger, one task, as a module", "list.yml", LOOP, MODULE),
    Work("livesync_trigger, a loop, in process", "loop.yml", LOOP),
    Work("livesync_trigger, a loop, in process, lock: local", "loop.yml", LOOP, LOCAL),
    Work("livesync_trigger, a loop, as a module", "loop.yml", LOOP, MODULE),
    Work("livesync_status, one task, in process", "status.yml", LOOP),
    Work("debug, a loop", "debug.yml", LOOP),
    Work(STOCK, "stock.yml"),
    Work("the role, a finished environment", "idmops.idm.livesync", STOCK),
)
#: What is no play: the least that the same requests can take.
SESSION, CURL = "requests.Session, a loop", "curl, one connection"


def _stack(*arguments: str) -> None:
    steps.run(
        f"tests.servers.stack {' '.join(arguments)}",
        [sys.executable, "-m", "tests.servers.stack", *arguments, "--dir", str(FOLDER)],
        LOGS / f"bench-stack-{arguments[0]}.log", cwd=ROOT, env=environment(), telling=steps.without_clock,
    )  # fmt: skip


def _connectors(stack: t.Mapping[str, t.Any], count: int) -> list[str]:
    """Give IDM so many connectors to the one directory, each with a mapping, and return their sources."""
    session = requests.Session()
    session.headers.update(
        {"X-OpenIDM-Username": stack["idm_username"], "X-OpenIDM-Password": stack["idm_password"],
         "X-OpenIDM-NoSession": "true"}
    )  # fmt: skip
    url = stack["idm_url"]
    config = session.get(f"{url}/config/provisioner.openicf/ldap", timeout=30).json()
    sync = session.get(f"{url}/config/sync", timeout=30).json()
    first = next(one for one in sync["mappings"] if one["source"] == stack["source"])
    sources = []
    for number in range(count):
        name = f"bench{number:02d}"
        copy = {**config, "_id": f"provisioner.openicf/{name}", "name": name}
        session.put(f"{url}/config/provisioner.openicf/{name}", json=copy, timeout=30).raise_for_status()
        sources.append(f"system/{name}/account")
        sync["mappings"].append({**first, "name": name, "source": sources[-1]})
    session.put(f"{url}/config/sync", json=sync, timeout=30).raise_for_status()
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


def _role(stack: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of the role; its schedule fires too seldom to fall into what is measured."""
    return {
        "livesync_idm": {"url": stack["idm_url"], "username": stack["idm_username"], "password": stack["idm_password"]},
        "livesync_directory": {
            "servers": [stack["ds_admin_uri"]], "bind_dn": stack["ds_admin_dn"], "ca_path": stack["ds_ca_path"],
            "bind_password": stack["ds_admin_password"], "raise_limits": True,
        },
        "livesync_sources": [{"source": stack["source"], "schedule": {"interval": 1800}}],
    }  # fmt: skip


def _play(work: Work, files: t.Sequence[pathlib.Path]) -> float:
    """Return how many seconds a playbook takes.

    :param files: with variables, which may hold passwords.
    """
    book = str(HERE / work.book) if work.book.endswith(".yml") else work.book
    given = [part for file in files for part in ("-e", f"@{file}")]
    command = ["ansible-playbook", book, "-e", "target=localhost", *given, "-e", json.dumps(work.variables)]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=BUILD, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-2000:])
        raise steps.StepFailed(work.label)
    return time.monotonic() - began


def _headers(stack: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {"X-OpenIDM-Username": stack["idm_username"], "X-OpenIDM-Password": stack["idm_password"],
            "X-OpenIDM-NoSession": "true"}  # fmt: skip


def _session_loop(stack: t.Mapping[str, t.Any], urls: t.Sequence[str]) -> float:
    began = time.monotonic()
    with requests.Session() as session:
        session.headers.update(_headers(stack))
        for url in urls:
            session.post(url, timeout=60).raise_for_status()
    return time.monotonic() - began


def _curl(stack: t.Mapping[str, t.Any], urls: t.Sequence[str]) -> float:
    """Send the requests on one connection; the password stands in curl's configuration, not on its command line."""
    lines = [f'header = "{name}: {value}"' for name, value in _headers(stack).items()]
    lines += ['request = "POST"', "silent", "fail", *(f'url = "{url}"\noutput = "/dev/null"' for url in urls)]
    began = time.monotonic()
    subprocess.run(["curl", "-K", "-"], input="\n".join(lines), text=True, check=True)
    return time.monotonic() - began


def _machine() -> dict[str, t.Any]:
    """Return what the figures were made on."""
    told = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8") if os.path.exists("/proc/cpuinfo") else ""
    model = next((line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")), "")
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.machine(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ansible_core": metadata.version("ansible-core"),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def _figures(taken: t.Mapping[str, t.Sequence[float]]) -> dict[str, dict[str, t.Any]]:
    """Return for each work its seconds, a play's without an empty one, and how long others take."""
    base = statistics.median(taken[EMPTY])
    net = {label: statistics.median(seconds) for label, seconds in taken.items()}
    net.update({work.label: max(net[work.label] - base, 0.001) for work in WORKS[1:]})
    beside = {work.label: work.beside for work in WORKS} | {SESSION: LOOP, CURL: LOOP}
    return {
        label: {
            "seconds": round(net[label], 3),
            "each": [round(one, 3) for one in seconds],
            **({"beside": beside[label], "ratio": round(net[beside[label]] / net[label], 2)} if beside[label] else {}),
        }
        for label, seconds in taken.items()
    }


def _measure(stack: t.Mapping[str, t.Any], folder: pathlib.Path, sources: int, rounds: int) -> dict[str, t.Any]:
    """Measure in turns, so that noise falls on all alike."""
    _grant(stack)
    variables = BUILD / "bench-variables.json"
    variables.touch(mode=0o600)
    variables.write_text(json.dumps({**_role(stack), "bench_sources": []}), encoding="utf-8")
    files = [folder / "vars.yml", variables]
    _play(WORKS[-1], files)  # finishes the environment
    steps.say(f"{sources} connectors")
    added = _connectors(stack, sources)
    variables.write_text(json.dumps({**_role(stack), "bench_sources": added}), encoding="utf-8")
    urls = [f"{stack['idm_url']}/{source}?_action=liveSync" for source in added]
    taken: dict[str, list[float]] = {label: [] for label in (*(work.label for work in WORKS), SESSION, CURL)}
    for turn in range(rounds):
        for work in WORKS:
            taken[work.label].append(_play(work, files))
        taken[SESSION].append(_session_loop(stack, urls))
        taken[CURL].append(_curl(stack, urls))
        steps.say(f"round {turn + 1} of {rounds}")
    variables.unlink()
    return {"machine": _machine(), "sources": sources, "rounds": rounds, "figures": _figures(taken)}


def _beside(one: t.Mapping[str, t.Any]) -> str:
    """Return how long the other takes, "" where there is none."""
    return f"{one['ratio']:.1f} times as long ({one['beside']})" if "ratio" in one else ""


def _write(found: t.Mapping[str, t.Any]) -> None:
    """Put the figures and their picture into the page about what a task costs."""
    picture.draw(found, SHOWN)
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found["machine"].items())
    rows = [(label, f"{one['seconds']:.2f}", _beside(one)) for label, one in found["figures"].items()]
    told = f"{found['sources']} sources, median of {found['rounds']} rounds, plays without the empty play: {machine}."
    _page.write("cost.md", "bench", f"![How long each takes](cost.svg)\n\n{told}\n\n{_page.table(HEAD, rows)}")


def _print(found: t.Mapping[str, t.Any]) -> None:
    print(f"\n{found['sources']} sources, median of {found['rounds']} rounds; plays without the empty play")
    print(f"{'':52}{'seconds':>9}   the other takes")
    for label, one in found["figures"].items():
        print(f"{label:52}{one['seconds']:9.2f}   {_beside(one)}".rstrip())
    print(f"{', '.join(f'{name} {value}' for name, value in found['machine'].items())}\n{FIGURES}")


def main() -> int:
    """Bring a stack up, measure, print the table, and write the figures down."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.bench")
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stack", type=pathlib.Path, help="a stack that is up; it keeps the connectors that are added")
    parser.add_argument("--docs", action="store_true", help="put the figures and the picture into docs/")
    options = parser.parse_args()
    with tree.exclusive():
        tree.refresh()
    os.makedirs(BUILD, exist_ok=True)
    folder = (options.stack or FOLDER).resolve()
    try:
        if not options.stack:
            _stack("down")
            _stack("up", "--users", "60")
        stack = yaml.safe_load((folder / "vars.yml").read_text(encoding="utf-8"))
        found = _measure(stack, folder, options.sources, options.rounds)
    finally:
        if not options.stack:
            _stack("down")
    FIGURES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    picture.draw(found, PICTURE)
    _print(found)
    if options.docs:
        _write(found)
    return 0


if __name__ == "__main__":
    steps.main(main)
