# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of configuration documents, where a placeholder may stand for any of them.

"&{esv.x}" and {"$bool": "&{openidm.y|false}"} come back from the server as they are ("Recorded HTTP answers", 4), and
numbers may be strings: what cannot be known here is None.
"""

from __future__ import annotations

import typing as t

_PLACEHOLDER = "&{"


def as_text(value: t.Any) -> str | None:
    """Return a text, None where none or a placeholder stands."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    return None if not text or _PLACEHOLDER in text else text


def as_bool(value: t.Any) -> bool | None:
    """Return a truth value, also where it is written as a text; None where it is not known."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower()) if isinstance(value, str) else None


def as_int(value: t.Any) -> int | None:
    """Return a number, also where it is written as a text; None where it is not known."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # 1e999 is infinite
        return None


def as_texts(value: t.Any) -> tuple[str, ...]:
    """Return the texts of a list, without what is not known; a single text is a list of one."""
    items = [value] if isinstance(value, str) else as_list(value)
    return tuple(text for item in items if (text := as_text(item)) is not None)


def as_whole(value: t.Any) -> tuple[str, ...]:
    """Return the texts of a list, none where not all of them are known: a part would be taken for everything."""
    known = as_texts(value)
    return known if len(known) == (len(value) if isinstance(value, list) else 1) else ()


def as_list(value: t.Any) -> list[t.Any]:
    """Return a list, empty where none stands."""
    return value if isinstance(value, list) else []


def as_dict(value: t.Any) -> dict[str, t.Any]:
    """Return a dictionary, empty where none stands."""
    return value if isinstance(value, dict) else {}
