# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a load would do that nobody means: delete who is there, or leave undone what it is for. No I/O."""

from __future__ import annotations

import typing as t

from .._idm.mapping import ASYNC_REMEDY
from .evidence import SourceEvidence
from .finding import BLOCKING, WARNING, Finding, Say


def load_findings(evidence: SourceEvidence) -> t.Iterator[Finding]:
    """Yield what was found about the loads of one source."""
    say, loads = Say(evidence.name), evidence.loads
    for mapping in evidence.mappings:
        if unlisted := evidence.unlisted.get(mapping.name):
            yield say("load_would_delete", BLOCKING, unlisted.sentence(mapping), unlisted.remedy)
        if undone := mapping.left_undone:
            yield say("policy_async", BLOCKING if mapping.name in loads else WARNING, undone, ASYNC_REMEDY)
