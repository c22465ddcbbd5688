# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of progress: when one is due, and what it says."""

from __future__ import annotations

from ansible_collections.idmops.idm.plugins.module_utils._base.progress import Progress
from ansible_collections.idmops.idm.tests.unit.doubles.scripted import context


def said(progress, context, *looks):
    """Return the lines after the first; a look: after how many seconds, how many are done, of how many."""
    for seconds, done, total in looks:
        context.clock.seconds += seconds
        progress.update(done, total)
    return context.report.lines[1:]


def test_a_line_for_each_tenth_with_the_rate_and_the_rest():
    there = context()
    progress = Progress(there, "recon")
    assert there.report.lines == ["recon: started"]
    assert said(progress, there, (1, 9, 100), (1, 10, 100), (1, 19, 100), (1, 20, 100), (2, 100, 100)) == [
        "recon: 10 of 100 entries, 5/s, about 18 s left",
        "recon: 20 of 100 entries, 5/s, about 16 s left",
        "recon: 100 of 100 entries, 17/s",
    ]


def test_a_line_when_it_has_been_silent_for_long_and_none_before():
    there = context()
    looks = [(14, 4, None), (0.5, 4, None), (0.5, 6, None), (14, 7, None), (1, 9, None)]
    assert said(Progress(there, "recon", "links"), there, *looks) == ["recon: 6 links, 0/s", "recon: 9 links, 0/s"]


def test_what_was_done_before_is_no_part_of_the_rate():
    there = context()
    lines = said(Progress(there, "load", done=50), there, (5, 60, 100), (1, 68, 100), (15, 69, 100))
    assert lines == ["load: 60 of 100 entries, 2/s, about 20 s left", "load: 69 of 100 entries, 1/s, about 34 s left"]


def test_without_a_second_there_is_no_rate():
    there = context()
    assert said(Progress(there, "recon"), there, (0, 50, 100)) == ["recon: 50 of 100 entries, 0/s"]
