# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-runner, as Ansible Automation Platform uses it: on one host, and over execution nodes."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

from tools import venvs
from tools.places import environment

_RUNNER = ("ansible-runner ~= 2.4",)
#: Seconds that one job may take.
_LIMIT = 240.0


class Job(t.NamedTuple):
    """How a job ended: Ansible's exit code, what it left behind, and what the program that keeps that printed."""

    exit_code: int
    artifacts: pathlib.Path
    printed: str

    def events(self, kind: str) -> list[dict[str, t.Any]]:
        """Return the job events of a kind, in their order."""
        files = (self.artifacts / "job_events").glob("*.json")
        found = [json.loads(file.read_text(encoding="utf-8")) for file in files if "partial" not in file.name]
        return sorted((one for one in found if one["event"] == kind), key=lambda one: int(one["counter"]))

    def counted(self, what: str) -> dict[str, int]:
        """Return by host how many tasks ended so ("changed", "failures", "dark"), as the last event tells."""
        stats = self.events("playbook_on_stats")
        counts: dict[str, int] = stats[-1]["event_data"][what] if stats else {"no event": 1}
        return counts

    def status(self) -> str:
        """Return what became of it, in ansible-runner's words."""
        return (self.artifacts / "status").read_text(encoding="ascii")

    def told(self) -> str:
        """Return all that the events show of the output."""
        return (self.artifacts / "stdout").read_text(encoding="utf-8")


class Runner:
    """A folder with a project, an inventory and an environment, as ansible-runner wants it.

    :param playbooks: of the collection, by name without .yml.
    :param hosts: variables of each host of the inventory; these may be secret.
    """

    def __init__(
        self, folder: pathlib.Path, collections: pathlib.Path, playbooks: t.Iterable[str],
        hosts: t.Mapping[str, t.Mapping[str, t.Any]],
    ) -> None:  # fmt: skip
        self._folder = folder
        programs = venvs.programs("ansible-runner", "runner", pathlib.Path(sys.executable), *_RUNNER)
        self._program = str(programs / "ansible-runner")
        shutil.rmtree(folder, ignore_errors=True)
        self._given = folder / "given"
        for playbook in playbooks:
            self._write(f"project/{playbook}.yml", [{"import_playbook": f"idmops.idm.{playbook}"}])
        self._write("inventory/hosts.json", {"all": {"hosts": hosts}})
        self._write("env/envvars", {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "true"})

    def _write(self, name: str, content: t.Any) -> None:
        path = self._given / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML

    def _begin(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        env = environment(ANSIBLE_LOCALHOST_WARNING="false")
        return subprocess.Popen(
            [self._program, *arguments], stdin=stdin, stdout=subprocess.PIPE, env=env, cwd=self._folder
        )  # fmt: skip

    def _given_to(self, name: str) -> pathlib.Path:
        """Return a job's own copy: ansible-runner 2.4 keeps a job's options there, and the next one takes them over."""
        return pathlib.Path(shutil.copytree(self._given, self._folder / "jobs" / name))

    def _what(self, playbook: str, options: str) -> list[str]:
        return ["--playbook", f"{playbook}.yml", *(["--cmdline", options] if options else [])]

    def run(self, name: str, playbook: str, options: str = "") -> Job:
        """Run a playbook here, and return how it ended.

        :param name: of the job.
        :param options: of ansible-playbook.
        """
        given = self._given_to(name)
        running = self._begin("run", str(given), "--ident", name, *self._what(playbook, options))
        return self._ended(running, given / "artifacts" / name)

    def nodes(self, jobs: t.Mapping[str, tuple[str, str]]) -> dict[str, Job]:
        """Run jobs at the same time, each on an execution node of its own, and return how each ended.

        :param jobs: playbook and options by the job's name.
        """
        begun = {name: self._sent(name, *what) for name, what in jobs.items()}
        ended = {name: self._ended(*one) for name, one in begun.items()}
        # process itself ends well whatever became of the job: the controller reads that from what it keeps
        return {name: job._replace(exit_code=_kept_exit_code(job)) for name, job in ended.items()}

    def _sent(self, name: str, playbook: str, options: str) -> tuple[subprocess.Popen[bytes], pathlib.Path]:
        """Begin a job on a node; what comes back is kept by a third process, which is returned."""
        node, kept = self._folder / "nodes" / name, self._folder / "kept" / name
        for folder in (node, kept):
            folder.mkdir(parents=True)
        sent = self._begin("transmit", str(self._given_to(name)), "--ident", name, *self._what(playbook, options))
        worked = self._begin("worker", "--private-data-dir", str(node), stdin=_output(sent))
        processed = self._begin("process", str(kept), "--ident", name, stdin=_output(worked))
        for before in (sent, worked):
            before.stdout.close()  # type: ignore[union-attr]
        return processed, kept / "artifacts" / name

    @staticmethod
    def _ended(process: subprocess.Popen[bytes], artifacts: pathlib.Path) -> Job:
        try:
            printed, unused = process.communicate(timeout=_LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
        return Job(process.returncode, artifacts, printed.decode("utf-8", "replace"))


def _kept_exit_code(job: Job) -> int:
    """Return the exit code that a job has left, -1 where it has left none or the process failed."""
    try:
        return -1 if job.exit_code else int((job.artifacts / "rc").read_text(encoding="ascii"))
    except FileNotFoundError:
        return -1


def _output(process: subprocess.Popen[bytes]) -> int:
    return process.stdout.fileno()  # type: ignore[union-attr]


def everything(folder: pathlib.Path) -> str:
    """Return all that the files of a folder hold, one after the other, with their names."""
    names = [pathlib.Path(root, name) for root, _folders, files in os.walk(folder) for name in files]
    return "\n".join(f"{name}\n{name.read_text(encoding='utf-8', errors='replace')}" for name in sorted(names))
