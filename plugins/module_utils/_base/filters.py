# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query filters of IDM: the one place that quotes what is asked for."""

from __future__ import annotations

import typing as t


def equals(field: str, value: str) -> str:
    """Return the filter for what has this value in a field."""
    return f"{field} eq {quoted(value)}"


def starts_with(field: str, value: str) -> str:
    """Return the filter for what has a value in a field that begins so."""
    return f"{field} sw {quoted(value)}"


def quoted(value: str) -> str:
    """Return a text as a string of a query filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def both(one: str, other: str) -> str:
    """Return the filter for what two filters let pass; "true" lets all pass."""
    return other if one == "true" else f"({one}) and {other}"


def either(filters: t.Iterable[str]) -> str:
    """Return the filter for what one of some filters lets pass, of which there is one at least."""
    return f"({' or '.join(filters)})"


def any_of(field: str, values: t.Iterable[str]) -> str:
    """Return the filter of a field that equals one of some values, of which there is one at least."""
    return either(equals(field, value) for value in values)
