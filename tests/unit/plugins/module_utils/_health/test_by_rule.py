# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mapping itself left alone, by audit's newest word, and what is lost: each entry for itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health import by_rule as module
from ansible_collections.idmops.idm.plugins.module_utils._idm.audit import AuditEntry
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import (
    DIFFERING,
    MISSING,
    REFUSED,
    UNKNOWN,
    Difference,
)

MAPPING = SimpleNamespace(name="m", creates=True)
MAKES_NONE = SimpleNamespace(name="links_only", creates=False)
EARLY, LATE = "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"


def word(record, situation, action="IGNORE", time=LATE, failed=False, mapping="m"):
    return AuditEntry("a", time, record, failed, "no mail" if failed else None, mapping, situation, "", action)


@pytest.fixture
def part(monkeypatch):
    def of(left=(), unlinked=(), words=(), times=None):
        monkeypatch.setattr(module, "successes_of", lambda client, source, ids, failures: list(words))
        kept, ruled = module.by_rule(None, None, list(left), list(unlinked), times or {})
        return [(one.mapping.name, one.one.id, one.one.reason) for one in kept], ruled

    return of


def differing(record):
    return MAPPING, Difference(DIFFERING, record)


def test_what_a_mapping_makes_none_of_hides_nothing_that_comes_after_it(part):
    new = MAKES_NONE, Difference(MISSING, "s1")
    kept, ruled = part([new, differing("s2")])
    assert kept == [("m", "s2", UNKNOWN)] and ruled == module.Ruled()


def test_where_it_is_kept_for_ever_it_is_a_loss_though_the_mapping_makes_none(part):
    new = MAKES_NONE, Difference(MISSING, "s1")
    kept, _ruled = part([new], words=[word("s1", "FOUND_ALREADY_LINKED", mapping="links_only")])
    assert kept == [("links_only", "s1", UNKNOWN)]
    assert part([new], words=[word("s1", "ABSENT", mapping="links_only")])[0] == []


def test_each_word_goes_to_its_own_list(part):
    left = [differing("s1"), differing("s2"), differing("s3"), differing("s4")]
    words = [
        word("s1", "UNQUALIFIED"),
        word("s2", "CONFIRMED"),
        word("s3", "CONFIRMED", "EXCEPTION", failed=True),
        word("s4", "CONFIRMED", "UPDATE"),
    ]
    kept, ruled = part(left, words=words)
    assert kept == [("m", "s3", REFUSED), ("m", "s4", UNKNOWN)]
    assert (ruled.meant, ruled.unclear) == ({"UNQUALIFIED: IGNORE": ["s1"]}, {"CONFIRMED: IGNORE": ["s2"]})


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_word_counts_in_whichever_order_they_come(part, order):
    words = [word("s1", "CONFIRMED", "UPDATE", EARLY), word("s1", "UNQUALIFIED", time=LATE)][::order]
    assert part([differing("s1")], words=words)[0] == []


@pytest.mark.parametrize(
    ("words", "changed", "untold"),
    [
        ([], None, ["s1"]),
        ([word("s1", "SOURCE_IGNORED", time=LATE)], EARLY, []),
        ([word("s1", "SOURCE_IGNORED", time=EARLY)], LATE, ["s1"]),
        ([word("s1", "SOURCE_IGNORED", time=EARLY)], None, []),
        ([word("s1", "SOURCE_IGNORED", mapping="other")], EARLY, ["s1"]),
    ],
)
def test_an_entry_without_a_link_is_untold_unless_a_later_word_tells_of_it(part, words, changed, untold):
    kept, ruled = part(unlinked=[(MAPPING, "s1")], words=words, times={"s1": changed})
    assert kept == [] and ruled.untold == untold
    assert bool(ruled.meant) is not bool(untold)
