# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation: checked, and its site made in build/site."""

from __future__ import annotations

import re
import shutil

from . import address, site, steps, tree
from .places import BUILD, COPY, LOGS, ROOT, environment

_HEADING = re.compile(r"^#+\s+(.*)$", re.M)


def anchors(text: str) -> set[str]:
    """Return the anchors of a Markdown page's headings."""
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in _HEADING.findall(text)}


def broken_links() -> list[str]:
    """Return the links among the tracked Markdown pages that lead nowhere, or not where they should."""
    pages = {ROOT / name: (ROOT / name).read_text("utf-8") for name in tree.tracked() if name.suffix == ".md"}
    found = [f"README.md, galaxy.yml: {link}" for link in address.strange(pages[address.README], address.galaxy())]
    for page, text in pages.items():
        for link in map(address.within, address.links(text)):
            path, _hash, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if "://" in link or page.name == "CHANGELOG.md":
                continue
            if not target.exists() or (anchor and anchor not in anchors(pages.get(target, ""))):
                found.append(f"{page.relative_to(ROOT)}: {link}")
    return found


def main() -> int:
    """Check the pages' links and the plugins' documentation, then make the reference."""
    with tree.exclusive():
        return _docs()


def _docs() -> int:
    tree.refresh()
    env = environment()
    links = broken_links()
    for link in links:
        steps.say(f"leads nowhere: {link}")
    steps.run(
        "antsibull-docs lint",
        ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", str(COPY)],
        LOGS / "docs-lint.log",
        cwd=BUILD,
        env=env,
    )
    folder = BUILD / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    steps.run(
        "antsibull-docs: the reference",
        ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir",
         str(folder), "--output-format", "ansible-docsite", "idmops.idm"],
        LOGS / "docs-reference.log", cwd=BUILD, env=env,
    )  # fmt: skip
    pages = sorted(path.name for path in folder.glob("*.rst"))
    steps.say(f"{site.build(folder) / 'index.html'}: guides and reference ({len(pages)} pages)")
    return int(bool(links or not pages))


if __name__ == "__main__":
    steps.main(main)
