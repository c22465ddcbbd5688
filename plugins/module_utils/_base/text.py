# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers say, made fit for a message: the one place that does it."""

from __future__ import annotations

import html
import re

#: What stands between braces, brackets (where it has values) or quotes, or after one that the line does not close.
_QUOTED = re.compile(r"""\{.*\}|\{.*$|\[[^\]]*=[^\]]*(?:\]|$)|"(?:\\.|[^"\\])*(?:"|$)|(?<!\w)'.*?(?:'(?!\w)|$)""")
_CLOSING = {"{": "}", "[": "]"}
#: The class of a Java exception before its message.
_CLASS = re.compile(r"^(?:[a-z_]\w*\.)+[A-Z][\w$]*: +")


def reason_in(text: str) -> str | None:
    """Return the reason that a text of a server's gives, None where it gives none.

    That is its first line, without the class of a Java exception, without HTML, and without what it quotes: a
    repository's error may hold the whole object that it could not store.
    """
    line = html.unescape(text).strip().split("\n", 1)[0].strip()
    return _QUOTED.sub(_emptied, _CLASS.sub("", line)) or None


def _emptied(found: re.Match[str]) -> str:
    mark = found.group()[0]
    return f"{mark}...{_CLOSING.get(mark, mark)}"
