# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a page that a browser has shown."""

from __future__ import annotations

from tools import screenshots

HOME = "http://127.0.0.1:8000/"


def test_a_page_that_is_as_wide_as_what_shows_it_is_well():
    assert screenshots.wider(0, []) == []


def test_one_that_is_wider_is_named_with_what_makes_it_so():
    assert screenshots.wider(12, []) == ["scrolls sideways by 12 pixels"]
    assert screenshots.wider(0, ["<p> long"]) == ["reaches beyond the edge: <p> long"]


def test_what_is_not_on_the_site_is_named():
    asked = [(f"{HOME}a.html", 200), ("data:image/png;base64,x", None), (f"{HOME}b.js", 404)]
    assert screenshots.strange([*asked, ("https://fonts.example.com/x", 200), (f"{HOME}c.js", None)], HOME) == [
        "404 for b.js",
        "asks another host: https://fonts.example.com/x",
        "no answer for c.js",
    ]
