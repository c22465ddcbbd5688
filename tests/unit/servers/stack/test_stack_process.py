# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes, ports, locks and the cache, with small stand-ins for the servers."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import typing as t

import pytest

from tests.servers.stack import Stack, StackError, __main__, cache, ports, process, together

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
FAMILY = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True); print('up', child.pid, flush=True); time.sleep(60)"
)
BROKEN = "print('no such key store'); raise SystemExit(1)"


class Small(process.Server):
    label = "Small"
    start_timeout = 10

    def __init__(self, folder: pathlib.Path, program: str) -> None:
        super().__init__(folder, lambda text: None)
        self.program = program

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.program]

    def is_ready(self) -> bool:
        return "up" in self.output_since_start()


@pytest.fixture
def small(tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[str], Small]]:
    made: list[Small] = []

    def make(program: str) -> Small:
        made.append(Small(tmp_path, program))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells of threads that outlive the first")
def test_a_process_whose_first_thread_has_ended_runs_as_long_as_another_one() -> None:
    program = (
        "import ctypes, platform, threading, time; threading.Thread(target=time.sleep, args=(60,)).start();"
        " print('up', flush=True); ctypes.CDLL(None).syscall({'x86_64': 60}.get(platform.machine(), 93), 0)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline()
        stat = pathlib.Path(f"/proc/{child.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        seen = process.started_at(child.pid)
        child.kill()
        assert seen
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.started_at(child.pid) is None


def test_start_and_stop(small: t.Callable[[str], Small]) -> None:
    server = small(SLEEPER)
    assert server.start()
    assert not server.start(), "it runs already"
    assert small(SLEEPER).pid() == server.pid(), "another object, or program, sees it too"
    assert server.stop()
    assert not server.running()
    assert not server.stop()


def test_one_that_does_not_end_is_killed(small: t.Callable[[str], Small]) -> None:
    server = small(STUBBORN)
    server.start()
    assert server.stop(timeout=0.2)
    assert not server.running()


def test_a_halted_one_neither_answers_nor_ends_until_it_goes_on(small: t.Callable[[str], Small]) -> None:
    server = small(FAMILY)
    server.start()
    pid = server.pid()
    assert pid is not None
    family = [pid, *process.descendants(pid)]
    assert len(family) == 2, "a child in a session of its own"
    assert server.hang()
    assert [process.hung(one) for one in family] == [True, True]
    assert server.hanging() and server.running()
    assert not server.start(), "it runs already, and goes on"
    assert [process.hung(one) for one in family] == [False, False]
    server.hang()
    assert server.stop(timeout=10), "one that is halted is let go on first, or it would not hear"
    assert not server.running()
    assert not server.hang() and not server.resume(), "there is none"
    process.signal_family(family[1], signal.SIGKILL, process.ended)


def test_its_children_are_killed_with_it(small: t.Callable[[str], Small]) -> None:
    server = small(FAMILY)
    server.start()
    child = int(server.output_since_start().split()[1])
    assert process.started_at(child)
    assert server.kill()
    assert process.started_at(child) is None
    assert not server.kill()


def test_children_of_a_leftover_are_killed_with_it(small: t.Callable[[str], Small]) -> None:
    server = small(FAMILY)
    server.start()
    child = int(server.output_since_start().split()[1])
    process.kill_leftover(server.pid_file)
    assert process.started_at(child) is None
    assert not server.running()


def test_one_that_dies_while_starting_is_noticed_and_quoted(small: t.Callable[[str], Small]) -> None:
    with pytest.raises(StackError, match="(?s)Small ended while it was starting.*no such key store"):
        small(BROKEN).start()


def test_a_recycled_pid_is_not_taken_for_the_server(small: t.Callable[[str], Small]) -> None:
    server = small(SLEEPER)
    other = subprocess.Popen([sys.executable, "-c", SLEEPER])
    try:
        server.pid_file.write_text(json.dumps({"pid": other.pid, "started": "another boot 1"}), encoding="ascii")
        assert not server.running()
        server.kill()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_an_interrupt_waits_until_the_pid_is_written_down() -> None:
    seen = []
    # A shell lets what it runs in the background ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            with process.uninterrupted():
                os.kill(os.getpid(), signal.SIGINT)
                seen.append("written")
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == ["written"]


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(StackError, match=r"%d \(ds_ldap\).*--port-base" % number):
            ports.require_free({"ds_ldap": number})


def test_ports_in_a_row() -> None:
    assert list(ports.numbered(21000).values()) == list(range(21000, 21006))
    for wrong in (80, 65535):
        with pytest.raises(StackError, match="--port-base"):
            ports.numbered(wrong)


def test_something_is_built_once_by_many(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDMOPS_STACK_CACHE", str(tmp_path / "cache"))
    built = []

    def build(folder: pathlib.Path) -> None:
        (folder / "content").write_text("x", encoding="ascii")
        built.append(folder)

    threads = [threading.Thread(target=cache.build_once, args=("thing", build, lambda text: None)) for _n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert (tmp_path / "cache" / "thing" / "content").is_file()


def test_a_failed_build_is_built_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDMOPS_STACK_CACHE", str(tmp_path))

    def fail(folder: pathlib.Path) -> None:
        raise StackError("no")

    with pytest.raises(StackError):
        cache.build_once("thing", fail, lambda text: None)
    assert cache.build_once("thing", lambda folder: None, lambda text: None).is_dir()


def test_another_file_is_another_recipe() -> None:
    here = cache.HERE / "settings.py"
    assert cache.recipe_hash(here, "a") == cache.recipe_hash(here, "a") != cache.recipe_hash(here, "b")


def test_all_steps_end_before_the_error_is_raised() -> None:
    ended = []

    def fail() -> None:
        raise StackError("no")

    with pytest.raises(StackError, match="no"):
        together.together(lambda text: None, fail, lambda: ended.append(1))
    assert ended == [1]


def test_a_folder_of_others_is_left_alone(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ds").mkdir()
    assert not Stack(tmp_path).down()
    assert (tmp_path / "ds").is_dir()


def test_commands_without_a_stack(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--dir", str(tmp_path / "none")]
    assert __main__.main(["status", *where]) == 3
    assert __main__.main(["kill-idm", *where]) == 1
    assert "bring one up first" in capsys.readouterr().err
    assert __main__.main(["down", *where]) == 0


def test_a_record_of_another_version_can_only_be_taken_down(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stack.json").write_text("{", encoding="ascii")
    assert __main__.main(["status", "--dir", str(tmp_path)]) == 1
    assert "take the stack down" in capsys.readouterr().err
    assert __main__.main(["down", "--dir", str(tmp_path)]) == 0
    assert not tmp_path.exists()
