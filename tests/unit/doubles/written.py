# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole results beside what is written down of them: each word that a user reads was read by somebody before."""

from __future__ import annotations

import json
import os
import pathlib

import yaml

_HEAD = """# SPDX-License-Identifier: GPL-3.0-or-later
---
# {}
# WRITE_EXPECTED=1 in the environment of the test writes it anew: read each line that differs then.
"""


def compare(path: pathlib.Path, what: str, found: object) -> None:
    """Compare a result with the one that is written down.

    :param what: the first line of the file.
    """
    plain = json.loads(json.dumps(found, default=list))
    if os.environ.get("WRITE_EXPECTED"):
        text = yaml.safe_dump(plain, sort_keys=False, width=116, allow_unicode=True)
        path.write_text(_HEAD.format(what) + text, encoding="utf-8")
    wanted = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(plain) == list(wanted)
    for name, one in plain.items():
        assert one == wanted[name], name
