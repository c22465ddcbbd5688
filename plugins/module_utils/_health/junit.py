# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts as JUnit's XML, which pipelines read. No I/O.

Python's own library writes it: the libraries for JUnit would be one more thing to install for thirty lines.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from xml.etree import ElementTree

#: What a case can be beside well: something is wrong with what was looked at, or nothing could be looked at.
FAILURE, ERROR = "failure", "error"

#: The name of a case that is about all of an environment.
_WHOLE = "all sources"
#: What XML 1.0 has no place for, escaped or not (section 2.2).
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One verdict.

    :param where: the environment.
    :param name: of what in it, None where it is about all of it.
    :param said: what mends it, or what else there is to be said; "" where there is nothing.
    :param kind: FAILURE or ERROR, None where all is well.
    """

    where: str
    name: str | None
    state: str
    said: str = ""
    kind: str | None = None

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.name is None:
            return self.said
        state = f"{self.name} is {self.state}"
        return f"{state}: {self.said}" if self.said else f"{state}."

    @property
    def message(self) -> str:
        """Its state and what mends it."""
        return f"{self.state}: {self.said}" if self.said else self.state


def as_junit(name: str, suites: t.Iterable[tuple[str, t.Sequence[Case]]], at: str) -> str:
    """Return the XML: a suite for each environment, a case for each verdict.

    :param at: when it was, as ISO 8601 has it.
    """
    root = ElementTree.Element("testsuites", {"name": _text(name)})
    cases: list[Case] = []
    for suite, ones in suites:
        cases += ones
        found = ElementTree.SubElement(
            root, "testsuite", {"name": _text(suite), **_counts(ones), "skipped": "0", "timestamp": _text(at)}
        )
        for one in ones:
            called = {"classname": _text(one.where), "name": _text(one.name or _WHOLE)}
            case = ElementTree.SubElement(found, "testcase", called)
            if one.kind:
                told = {"type": _text(one.state), "message": _text(one.message)}
                ElementTree.SubElement(case, one.kind, told).text = _text(one.message)
            else:
                ElementTree.SubElement(case, "system-out").text = _text(one.message)
    root.attrib.update(_counts(cases))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _counts(cases: t.Sequence[Case]) -> dict[str, str]:
    kinds = [case.kind for case in cases]
    return {
        "tests": str(len(kinds)),
        "failures": str(kinds.count(FAILURE)),
        "errors": str(kinds.count(ERROR)),
    }


def _text(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _NO_CHARACTER.sub("\ufffd", str(text))
