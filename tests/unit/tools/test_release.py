# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of a release, and an archive that comes out equal whenever it is built."""

from __future__ import annotations

import io
import json
import tarfile
from hashlib import sha256

import pytest

from tools import release, reproducible

READY = release.State("1.2.0", ["1.0.0", "1.1.0"], ["1.0.0", "1.1.0"], ["news.yml"], [])


def test_a_version_with_notes_that_has_no_tag_can_be_released():
    assert release.obstacles(READY) == []


def test_so_can_one_whose_changelog_is_written():
    assert release.obstacles(READY._replace(released=["1.2.0"], fragments=[])) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "1.2.0-dev1"}, "is no release"),
        ({"version": "1.2"}, "is no release"),
        ({"tags": ["1.2.0"]}, "raise the version"),
        ({"fragments": []}, "nothing says what version 1.2.0 changes"),
        ({"uncommitted": ["README.md", "COPYING"]}, "not committed: COPYING, README.md"),
    ],
)
def test_what_stands_in_the_way_is_told(change, told):
    (line,) = release.obstacles(READY._replace(**change))
    assert told in line


def test_the_section_of_a_version_is_found():
    changelog = "# Notes\n\n## v1\\.10\\.0\n\n### Bugfixes\n"
    assert release.has_section(changelog, "1.10.0")
    assert not release.has_section(changelog, "1.1.0") and not release.has_section(changelog, "1.10")


def built(folder, names, time):
    """Write an archive as ansible-galaxy does: its files in this order, at this time."""
    contents = {name: f"what {name} holds".encode() for name in names}
    files = json.dumps(
        {"files": [{"name": name, "chksum_sha256": sha256(contents[name]).hexdigest()} for name in names]}, indent=True
    ).encode()
    manifest = json.dumps({"file_manifest_file": {"chksum_sha256": sha256(files).hexdigest()}}, indent=True).encode()
    archive = folder / f"{time}.tar.gz"
    with tarfile.open(archive, "w:gz") as written:
        for name, content in {"MANIFEST.json": manifest, "FILES.json": files, **contents}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = len(content), time, f"user{time}"
            written.addfile(info, io.BytesIO(content))
    return archive


def test_order_and_times_of_the_files_make_no_difference(tmp_path):
    archives = [built(tmp_path, ["a", "b", "c"], 11), built(tmp_path, ["c", "a", "b"], 22)]
    assert reproducible.digest(archives[0]) != reproducible.digest(archives[1])
    for archive in archives:
        reproducible.normalise(archive, 1_000_000)
    assert reproducible.digest(archives[0]) == reproducible.digest(archives[1])


def test_what_the_files_hold_makes_one(tmp_path):
    archives = [built(tmp_path, ["a", "b"], 11), built(tmp_path, ["a", "d"], 22)]
    for archive in archives:
        reproducible.normalise(archive, 1_000_000)
    assert reproducible.digest(archives[0]) != reproducible.digest(archives[1])


def test_the_checksums_of_a_normal_archive_hold(tmp_path):
    archive = built(tmp_path, ["b", "a"], 11)
    reproducible.normalise(archive, 1_000_000)
    with tarfile.open(archive) as opened:
        held = {info.name: opened.extractfile(info).read() for info in opened}
        assert {info.mtime for info in opened} == {1_000_000}
    listed = json.loads(held["FILES.json"])["files"]
    assert list(held) == ["MANIFEST.json", "FILES.json", "a", "b"]
    assert [entry["name"] for entry in listed] == ["a", "b"]
    assert all(sha256(held[entry["name"]]).hexdigest() == entry["chksum_sha256"] for entry in listed)
    signed = json.loads(held["MANIFEST.json"])["file_manifest_file"]["chksum_sha256"]
    assert sha256(held["FILES.json"]).hexdigest() == signed


def test_the_time_can_be_told(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567")
    assert reproducible.moment() == 1_234_567
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert reproducible.moment() > 1_700_000_000
