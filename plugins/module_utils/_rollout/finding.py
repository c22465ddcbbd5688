# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing that was found, and how grave it is. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

BLOCKING, MENDED, WARNING = "blocking", "mended", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    :param code: its name, for programs.
    :param severity: BLOCKING: the source is left alone. MENDED: this run mends it. WARNING: it works all the same.
    :param remedy: what mends it, with the variable or the command that does.
    """

    code: str
    severity: str
    message: str
    remedy: str
    source: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return the finding as modules show it."""
        return dict(vars(self))


class Say:
    """Makes the findings of one source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __call__(self, code: str, severity: str, message: str, remedy: str) -> Finding:
        return Finding(code, severity, message, remedy, self._source)
