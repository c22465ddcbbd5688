# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the repository on the documentation site."""

from __future__ import annotations

import pytest

from tools import address, site
from tools.places import ROOT


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("docs/states.md", "states.md"),
        ("docs/least-rights.md#in-the-directory", "least-rights.md#in-the-directory"),
        ("docs/README.md", "index.md"),
        ("CONTRIBUTING.md", "contributing.md"),
        ("SECURITY.md", "security.md"),
        ("CHANGELOG.md", "reference/changelog.rst"),
        (f"{address.pages()}docs/states.md#all", "states.md#all"),
        (f"{address.pages()}CONTRIBUTING.md", "contributing.md"),
        ("https://example.com/docs/x.md", "https://example.com/docs/x.md"),
        ("#see-it-work", "#see-it-work"),
    ],
)
def test_links_of_the_root_lead_to_the_pages_of_the_site(link, wanted):
    assert site.moved(f"see [it]({link}).") == f"see [it]({wanted})."


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("states.md#all", "states.md#all"),
        ("README.md", "index.md"),
        ("../README.md#your-first-playbook", "overview.md#your-first-playbook"),
        ("../CHANGELOG.md", "reference/changelog.rst"),
        ("aap/job-templates.yml", "aap/job-templates.yml"),
        ("https://example.com/docs/x.md", "https://example.com/docs/x.md"),
        ("#see-it-work", "#see-it-work"),
    ],
)
def test_so_do_those_of_the_guides(link, wanted):
    assert site.moved(f"see [it]({link}).", "docs") == f"see [it]({wanted})."


@pytest.mark.parametrize("contents", [".. contents::\n   :local:\n   :depth: 1\n", ".. contents:: Topics\n"])
def test_a_page_of_the_reference_has_no_contents_beside_those_of_the_theme(contents):
    assert site.without_contents(f"Title\n\n{contents}\n.. note::\n   x\n") == "Title\n\n\n.. note::\n   x\n"


def test_every_guide_is_in_the_contents_of_the_site():
    contents = site.index(site.moved((ROOT / "docs" / "README.md").read_text("utf-8"), "docs"))
    named = contents.split("{toctree}")[1].split()
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"} | {"overview"} <= set(named)
    assert named.count("overview") == 1
