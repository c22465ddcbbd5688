# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run's summary counts, and how many of the failures are named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._recon.run import SUCCESS, EntryFailure, ReconRun
from ansible_collections.idmops.idm.plugins.module_utils._recon.verdict import ReconFindings, verdict


def ended(failed, told):
    run = ReconRun("r1", "m", SUCCESS, succeeded=90, failed=failed)
    failures = tuple(EntryFailure(f"u{number}", None, None, "no mail") for number in range(1, told + 1))
    return ReconFindings(run, SimpleNamespace(name="m", source="system/ldap/account"), failures)


@pytest.mark.parametrize(
    ("failed", "told", "named", "end"),
    [
        (2, 2, ("u1", "u2"), "."),
        (3, 3, ("u1", "u2", "u3"), "."),
        (4, 4, ("u1", "u2", "u3"), "; and 1 more."),
        (9, 5, ("u1", "u2", "u3"), "; and 6 more."),
    ],
)
def test_three_are_named_and_the_others_counted(failed, told, named, end):
    message = verdict([ended(failed, told)], 0, None).message
    assert f"{failed} of {90 + failed} entries failed" in message
    assert [f"u{number}" for number in range(1, 10) if f"u{number}: no mail" in message] == list(named)
    assert message.endswith(f"{named[-1]}: no mail{end}")


def test_so_many_may_fail():
    assert verdict([ended(3, 3)], 3, None) is None and verdict([ended(3, 3)], 2, None)


def test_each_of_several_records_is_a_sentence():
    message = verdict([ended(1, 1), ended(1, 1)], 0, None).message
    assert message.count("u1: no mail.") == 2


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [({"SUCCESS": 4}, (4, 0)), ({"FAILURE": 2}, (0, 2)), ({}, (0, 0)), ({"SUCCESS": 4, "FAILURE": 2}, (4, 2))],
)
def test_what_a_summary_does_not_count_is_none(statuses, counts):
    run = ReconRun.parse({"_id": "r1", "mapping": "m", "state": SUCCESS, "statusSummary": statuses})
    assert (run.succeeded, run.failed) == counts
