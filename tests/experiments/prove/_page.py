# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables that experiments write into the pages of docs/, between markers that the page has."""

from __future__ import annotations

import typing as t

from tools.places import ROOT


def table(head: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def replaced(text: str, name: str, content: str) -> str:
    """Return a page's text with other content between the markers of that name.

    :raises ValueError: when the page does not have these markers, each once, in this order.
    """
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    unused, found_too, after = rest.partition(end)
    if not found or not found_too or begin in rest or end in after:
        raise ValueError(f"the page must have {begin} and {end}, each once")
    return f"{before}{begin}\n{content}\n{end}{after}"


def write(page: str, name: str, content: str) -> None:
    """Put content between the markers of that name into docs/<page>."""
    path = ROOT / "docs" / page
    path.write_text(replaced(path.read_text(encoding="utf-8"), name, content), encoding="utf-8")
