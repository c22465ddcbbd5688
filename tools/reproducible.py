# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An archive of a collection that depends on what the files hold and on nothing else, so that others can make it too.

``ansible-galaxy collection build`` takes the files in the order in which the file system lists them, and keeps their
times. The order stands in FILES.json too, whose checksum stands in MANIFEST.json, which is what gets signed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile
import typing as t

from .places import ROOT

_MANIFEST, _FILES = "MANIFEST.json", "FILES.json"
_Member = t.Tuple[tarfile.TarInfo, bytes]


def moment() -> int:
    """Return the time that all files shall have, in seconds: SOURCE_DATE_EPOCH, else that of the last commit."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    last = ["git", "log", "-1", "--format=%ct"]
    return int(told or subprocess.run(last, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def digest(archive: pathlib.Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _json(said: t.Any) -> bytes:
    return json.dumps(said, indent=True).encode()  # as ansible-galaxy writes it


def _sorted(members: dict[str, _Member]) -> list[_Member]:
    """Return the members in an order of their own, MANIFEST.json and FILES.json first, as ansible-galaxy has them."""
    files, manifest = (json.loads(members[name][1]) for name in (_FILES, _MANIFEST))
    files["files"].sort(key=lambda entry: entry["name"])
    listed = _json(files)
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    made = {_MANIFEST: _json(manifest), _FILES: listed}
    first = [(members[name][0], content) for name, content in made.items()]
    return first + [members[name] for name in sorted(members) if name not in made]


def normalise(archive: pathlib.Path, when: int) -> None:
    """Write an archive of ansible-galaxy anew, in an order and with times that are always the same.

    :param when: the time of all files, in seconds since 1970.
    """
    with tarfile.open(archive) as opened:
        members = {info.name: (info, _content(opened, info)) for info in opened}
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped:
        with tarfile.open(mode="w", fileobj=zipped, format=tarfile.PAX_FORMAT) as written:
            for found, content in _sorted(members):
                info = tarfile.TarInfo(found.name)
                info.type, info.linkname, info.mode = found.type, found.linkname, found.mode
                info.size, info.mtime = len(content), when
                written.addfile(info, io.BytesIO(content))
    archive.write_bytes(packed.getvalue())


def _content(opened: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = opened.extractfile(info) if info.isfile() else None
    return file.read() if file else b""
