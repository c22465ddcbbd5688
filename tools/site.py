# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site: guides and reference in one, made by Sphinx of what the repository and the plugins say."""

from __future__ import annotations

import pathlib
import posixpath
import re
import shutil

from . import address, steps
from .places import BUILD, LOGS, ROOT, environment

_CONF = ROOT / "tools" / "docsite"
#: The theme has a table of contents beside each page, and takes one within it for an error.
_OWN_CONTENTS = re.compile(r"^\.\. contents::.*\n(?:[ \t]+\S.*\n)*", re.M)
_LINK = re.compile(r"(\]\()([^)\s#]+)")
#: Pages of the repository's root, and what they are called on the site.
_OF_ROOT = {"README.md": "overview.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
#: Where what they link to is to be found there.
_MOVED = {**_OF_ROOT, "CHANGELOG.md": "reference/changelog.rst", "docs/README.md": "index.md"}
_CONTENTS = """
```{toctree}
:hidden:
:caption: To use it

%s
```

```{toctree}
:hidden:
:caption: Reference

reference/index
reference/changelog
contributing
security
```
"""


def moved(text: str, folder: str = "") -> str:
    """Return a page of the repository with its links as they are on the site.

    :param folder: the one that it is in, seen from the repository's root.
    """

    def link(found: re.Match[str]) -> str:
        path = address.within(found.group(2))
        if "://" not in path:
            path = posixpath.normpath(posixpath.join(folder, path))
        return found.group(1) + _MOVED.get(path, path.removeprefix("docs/"))

    return _LINK.sub(link, text)


def without_contents(text: str) -> str:
    """Return a page of the reference without its own table of contents."""
    return _OWN_CONTENTS.sub("", text)


def index(text: str) -> str:
    """Return the documentation's index with the site's contents, in the order in which it names its pages."""
    pages = dict.fromkeys(page for page in re.findall(r"\]\(([\w-]+)\.md", text))
    return text + _CONTENTS % "\n".join(pages)


def build(reference: pathlib.Path) -> pathlib.Path:
    """Build the site and return its folder.

    :param reference: a folder with the reference in reStructuredText.
    :raises StepFailed: at a warning, too.
    """
    source, site = BUILD / "site-source", BUILD / "site"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_CONF, source)
    shutil.copytree(reference, source / "reference")
    for page in (source / "reference").glob("*.rst"):
        page.write_text(without_contents(page.read_text("utf-8")), "utf-8")
    # with what the pages link to
    shutil.copytree(ROOT / "docs", source, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.md", "docsite"))
    for page in (ROOT / "docs").glob("*.md"):
        text = moved(page.read_text("utf-8"), "docs")
        target = source / ("index.md" if page.name == "README.md" else page.name)
        target.write_text(index(text) if page.name == "README.md" else text, "utf-8")
    for name, called in _OF_ROOT.items():
        (source / called).write_text(moved((ROOT / name).read_text("utf-8")), "utf-8")
    shutil.copy2(ROOT / "COPYING", source)
    steps.run(
        "the site",
        ["sphinx-build", "--fail-on-warning", "--keep-going", "-q", "-b", "html", str(source), str(site)],
        LOGS / "docs-site.log",
        cwd=BUILD,
        env=environment(),
    )
    return site
