# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""README's links are absolute, and galaxy.yml alone says where the repository is."""

from __future__ import annotations

import pytest

from tools import address, docs

HOME = "https://git.example.org/owner/name"
SAID = {
    "repository": HOME,
    "documentation": f"{HOME}/blob/main/docs/README.md",
    "homepage": HOME,
    "issues": f"{HOME}/issues",
}


def test_readme_and_galaxy_yml_agree():
    assert address.strange(address.README.read_text("utf-8"), address.galaxy()) == []


def test_all_links_among_the_pages_lead_somewhere():
    assert docs.broken_links() == []


@pytest.mark.parametrize(
    "link", [f"{HOME}/blob/main/docs/role.md#off", f"{HOME}/issues", "#use-cases", "https://docs.ansible.com/x"]
)
def test_good_links_of_readme(link):
    assert address.strange(f"see [it]({link})", SAID) == []


@pytest.mark.parametrize(
    "link",
    [
        "docs/role.md",
        "./COPYING",
        f"{HOME}/tree/main/docs",
        f"{HOME}s/blob/main/x",
        "https://example.com/old/blob/main/x",
    ],
)
def test_other_links_of_readme_are_found(link):
    assert address.strange(f"see [it]({link})", SAID) == [link]


def test_an_address_of_galaxy_yml_that_stayed_behind_is_found():
    said = {**SAID, "homepage": f"{HOME}-old", "issues": "https://example.com/old/issues"}
    assert address.strange("", said) == [f"{HOME}-old", "https://example.com/old/issues"]


def test_a_moved_repository_is_written_wherever_it_stood():
    text = f"repository: {HOME}\n[a]({HOME}/blob/main/x) {HOME}-old"
    moved = address.move(text, HOME, r"https://new.example.org/a/b")
    assert moved == f"repository: https://new.example.org/a/b\n[a](https://new.example.org/a/b/blob/main/x) {HOME}-old"
