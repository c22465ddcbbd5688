# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the repository is: galaxy.yml says it, and README's links, which must be absolute, begin with it.

Automation Hub shows README outside the repository, and certification refuses relative links there. Whoever moves the
repository runs ``python -m tools.address https://new.example.com/owner/name``, which writes it wherever it stands.
"""

from __future__ import annotations

import re
import sys
import typing as t

import yaml

from .places import ROOT

README = ROOT / "README.md"
_GALAXY = ROOT / "galaxy.yml"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
#: Keys of galaxy.yml, beside ``repository``, that are addresses.
_OTHERS = ("documentation", "homepage", "issues")
#: What README may lead to outside the repository. Anything else may be the address that the repository once had.
_ELSEWHERE = ("https://docs.ansible.com/", "https://console.redhat.com/")


def links(text: str) -> list[str]:
    """Return where the links of a Markdown page lead."""
    return _LINK.findall(text)


def galaxy() -> dict[str, t.Any]:
    """Return what galaxy.yml says."""
    said: dict[str, t.Any] = yaml.safe_load(_GALAXY.read_text("utf-8"))
    return said


def pages() -> str:
    """Return what an absolute link to a file of the repository begins with."""
    return f"{galaxy()['repository']}/blob/main/"


def within(link: str) -> str:
    """Return a link to a file of the repository as one that is relative to its root, any other as it is."""
    return link.removeprefix(pages())


def strange(text: str, said: t.Mapping[str, t.Any]) -> list[str]:
    """Return the links of README, and the addresses of galaxy.yml, that do not begin as they should.

    :param text: README.
    :param said: galaxy.yml.
    """
    home = said["repository"]
    good = (f"{home}/blob/main/", said["issues"], *_ELSEWHERE)
    inside = [link for link in links(text) if not link.startswith(("#", *good))]
    around = [said[key] for key in _OTHERS if not f"{said[key]}/".startswith(f"{home}/")]
    return inside + around


def move(text: str, old: str, new: str) -> str:
    """Return a text with the repository's new address in the place of the old one."""
    return re.sub(re.escape(old) + r"(?![\w-])", lambda _found: new, text)


def main() -> int:
    """Write a new address wherever the old one stands."""
    if len(sys.argv) != 2 or not re.fullmatch(r"https://[^\s/]+(/[\w.~-]+)+", sys.argv[1]):
        print("usage: python -m tools.address https://host/owner/name (no slash at the end)")
        return 2
    old = galaxy()["repository"]
    for file in (README, _GALAXY):
        file.write_text(move(file.read_text("utf-8"), old, sys.argv[1]), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
