# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock between runs on one control host, and the run that it remembers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.errors import IdmopsError
from ansible_collections.idmops.idm.plugins.module_utils._record import lock as module
from ansible_collections.idmops.idm.plugins.module_utils._record.lock import run_lock
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context

URL, STAGE = "https://idm.example.com/openidm", "SYSTEMLDAPACCOUNT"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def take():
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        assert lock is not None


def test_one_at_a_time_for_each_source_of_each_idm():
    it = context()
    with run_lock(URL, STAGE, it, wait=0.0) as first:
        assert first is not None
        with run_lock(URL, STAGE, it, wait=3.0) as second:
            assert second is None
        assert it.clock.slept == pytest.approx(3.0)
        with run_lock(URL, "SYSTEMLDAPGROUP", it, wait=0.0) as other:
            assert other is not None
        with run_lock("https://other/openidm", STAGE, it, wait=0.0) as other:
            assert other is not None
    with run_lock(URL, STAGE, it, wait=0.0) as again:
        assert again is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://idm.example.com/openidm", "https://IDM.Example.com:443/openidm/"),
        ("https://idm.example.com./openidm", "https://idm.example.com/openidm"),
        ("http://idm.example.com/openidm", "HTTP://idm.example.com:80/openidm"),
        ("http://localhost:8080/openidm", "http://127.0.0.1:8080/openidm"),
        ("http://LOCALHOST:8080/openidm", "http://[::1]:8080/openidm"),
        ("http://[0:0:0:0:0:0:0:1]:8080/openidm", "http://localhost:8080/openidm/"),
        ("http://[::ffff:127.0.0.1]:8080/openidm", "http://localhost:8080/openidm"),
        ("https://idm.example.com//openidm", "https://idm.example.com/./openidm"),
        ("https://idm.example.com/%6Fpenidm", "https://idm.example.com/openidm"),
        ("https://b\u00fccher.example/openidm", "https://xn--bcher-kva.example/openidm"),
    ],
)
def test_one_server_has_one_lock_however_its_url_is_written(one, other):
    with run_lock(one, STAGE, context(), wait=0.0) as first, run_lock(other, STAGE, context(), wait=0.0) as second:
        assert first is not None and second is None


@pytest.mark.parametrize(
    "other",
    [
        "https://idm.example.com:8443/openidm",
        "http://idm.example.com/openidm",
        "https://idm.example.com/other",
        "https://idm2.example.com/openidm",
    ],
)
def test_another_server_has_another_lock(other):
    with run_lock(URL, STAGE, context(), wait=0.0) as first, run_lock(other, STAGE, context(), wait=0.0) as second:
        assert first is not None and second is not None


def test_another_interface_of_this_machine_may_have_another_server():
    with run_lock("http://127.0.0.2:1/openidm", STAGE, context(), wait=0.0) as one:
        with run_lock("http://127.0.0.1:1/openidm", STAGE, context(), wait=0.0) as other:
            assert one is not None and other is not None


def test_it_is_got_as_soon_as_it_is_free():
    it = context()
    holder = run_lock(URL, STAGE, it, wait=0.0)
    holder.__enter__()
    plain = it.clock.sleep

    def sleep(seconds):
        plain(seconds)
        if it.clock.slept > 1.0:
            holder.__exit__(None, None, None)
            it.clock.sleep = plain

    it.clock.sleep = sleep
    with run_lock(URL, STAGE, it, wait=60.0) as lock:
        assert lock is not None
    assert it.clock.slept < 1.5


def test_a_run_is_remembered_until_it_is_forgotten():
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        assert lock.remembered() is None
        lock.remember({"rev": "123456789", "token": 5})
        lock.remember({"rev": "7"})
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        assert lock.remembered() == {"rev": "7"}
        lock.remember(None)
        assert lock.remembered() is None


def test_a_process_that_is_killed_leaves_the_run_and_not_the_lock():
    code = (
        "import os\n"
        "from ansible_collections.idmops.idm.plugins.module_utils._base.context import Context\n"
        "from ansible_collections.idmops.idm.plugins.module_utils._record.lock import run_lock\n"
        f"with run_lock({URL!r}, {STAGE!r}, Context(), wait=0.0) as lock:\n"
        "    lock.remember({'rev': '7'})\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    path = os.pathsep.join(sys.path)
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=False)
    assert ended.returncode == -9
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        assert lock.remembered() == {"rev": "7"}


@pytest.mark.parametrize("text", ["", "no JSON", "[1]"])
def test_what_cannot_be_read_is_no_run(text):
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        lock._handle.write(text.encode())
        assert lock.remembered() is None


def test_the_directory_is_the_users_own(cache, monkeypatch):
    assert module.lock_directory() == str(cache / "idmops.idm" / "locks")
    take()
    assert os.stat(module.lock_directory()).st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(IdmopsError, match="belongs to another user"):
        take()


@pytest.mark.parametrize("stated", ["", "cache", "./cache"])
def test_a_cache_that_is_elsewhere_for_each_task_is_none(cache, monkeypatch, stated):
    monkeypatch.setenv("HOME", str(cache))
    monkeypatch.setenv("XDG_CACHE_HOME", stated)
    assert module.lock_directory() == str(cache / ".cache" / "idmops.idm" / "locks")


def test_a_file_is_the_users_alone_whatever_the_umask_and_whatever_it_was(cache):
    before = os.umask(0)
    try:
        take()
    finally:
        os.umask(before)
    (file,) = os.listdir(module.lock_directory())
    path = os.path.join(module.lock_directory(), file)
    assert os.stat(path).st_mode & 0o777 == 0o600
    os.chmod(path, 0o644)
    take()
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_directory_where_others_may_write_is_refused(mode):
    take()
    os.chmod(module.lock_directory(), mode)
    with pytest.raises(IdmopsError, match="other users may write there") as caught:
        take()
    assert "XDG_CACHE_HOME" in caught.value.remedy


def test_no_link_is_followed_and_what_it_leads_to_stays_as_it_is(cache, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("of value")
    take()
    (file,) = os.listdir(module.lock_directory())
    path = os.path.join(module.lock_directory(), file)
    os.remove(path)
    os.symlink(mine, path)
    with pytest.raises(IdmopsError, match="cannot be used"):
        take()
    assert mine.read_text() == "of value"


def test_a_directory_that_is_a_link_is_refused(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (cache / "idmops.idm").mkdir()
    os.symlink(tmp_path / "elsewhere", cache / "idmops.idm" / "locks")
    with pytest.raises(IdmopsError, match="it is a link"):
        take()
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_lock_that_the_file_system_does_not_know_is_an_error_with_a_way_out(monkeypatch):
    def flock(*unused):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(module.fcntl, "flock", flock)
    with pytest.raises(IdmopsError, match="No locks available"):
        take()


def test_a_run_that_cannot_be_kept_is_an_error(monkeypatch):
    with run_lock(URL, STAGE, context(), wait=0.0) as lock:
        lock._handle.close()
        lock._handle = open("/dev/full", "rb+", buffering=0)
        with pytest.raises(IdmopsError, match="No space left|no space left|cannot be used"):
            lock.remember({"rev": "7"})
        lock._handle.close()


def test_an_error_of_the_work_itself_is_not_taken_for_one_of_the_lock():
    with pytest.raises(FileNotFoundError), run_lock(URL, STAGE, context(), wait=0.0):
        raise FileNotFoundError("of the work")


def test_no_directory_is_an_error_with_a_way_out(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(IdmopsError) as caught, run_lock(URL, STAGE, context(), wait=0.0):
        pass
    assert "XDG_CACHE_HOME" in caught.value.remedy
