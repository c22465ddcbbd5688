# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock between runs on one control host, and the run that it remembers."""

from __future__ import annotations

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
        lock._handle.write(text)
        lock._handle.flush()
        assert lock.remembered() is None


def test_the_directory_is_the_users_own(cache, monkeypatch):
    assert module.lock_directory() == str(cache / "idmops.idm" / "locks")
    assert os.stat(module.lock_directory()).st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(IdmopsError, match="belongs to another user"):
        module.lock_directory()


def test_no_directory_is_an_error_with_a_way_out(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(IdmopsError) as caught, run_lock(URL, STAGE, context(), wait=0.0):
        pass
    assert "XDG_CACHE_HOME" in caught.value.remedy
