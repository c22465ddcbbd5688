# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mapping itself left alone, by audit's newest word, and what is lost: each entry for itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._health import by_rule as module
from ansible_collections.idmops.idm.plugins.module_utils._health import handled
from ansible_collections.idmops.idm.plugins.module_utils._health.handled import Unhandled, Unsure
from ansible_collections.idmops.idm.plugins.module_utils._idm.audit import AuditEntry
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import (
    DIFFERING,
    DUPLICATE,
    MISSING,
    REFUSED,
    UNKNOWN,
    Difference,
)
from ansible_collections.idmops.idm.plugins.module_utils._proof.look import SECOND_LINK

MAPPING = SimpleNamespace(name="m", creates=True, updates=True)
MAKES_NONE = SimpleNamespace(name="links_only", creates=False, updates=True)
EARLY, LATE = "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"


def word(record, situation, action="IGNORE", time=LATE, failed=False, mapping="m"):
    return AuditEntry("a", time, record, failed, "no mail" if failed else None, mapping, situation, "", action)


@pytest.fixture
def part(monkeypatch):
    """Part what differs, and what is unsure, by the words of audit; ``never`` are the ids that were never handled."""

    def of(left=(), unsure=(), words=(), times=None, never=()):
        def find_unhandled(scene, told, without):
            gone = [one for one in without if one.record in never]
            return Unhandled(lost=tuple((one, "audit has no entry of it") for one in gone))

        monkeypatch.setattr(module, "find_unhandled", find_unhandled)
        monkeypatch.setattr(handled, "entries_since", lambda *unused: list(words))
        monkeypatch.setattr(handled, "successes_of", lambda *unused, **more: list(words))
        scene = SimpleNamespace(
            client=SimpleNamespace(server_time=LATE),
            reader=SimpleNamespace(now=lambda: LATE),
            source=SimpleNamespace(object_type="account"),
            times=times or {},
            passed_by=lambda records: {},
        )
        kept, ruled = module.by_rule(scene, list(left), list(unsure))
        return [(one.mapping.name, one.one.id, one.one.reason) for one in kept], ruled

    return of


def differing(record):
    return MAPPING, Difference(DIFFERING, record)


def new(record="s1"):
    return MAKES_NONE, Difference(MISSING, record)


def test_what_a_mapping_makes_none_of_hides_nothing_that_comes_after_it(part):
    kept, ruled = part([new(), differing("s2")])
    assert kept == [("m", "s2", UNKNOWN)] and ruled == module.Ruled()


def test_where_it_is_kept_for_ever_it_is_a_loss_though_the_mapping_makes_none(part):
    kept, _ruled = part([new()], words=[word("s1", "FOUND_ALREADY_LINKED", mapping="links_only")])
    assert kept == [("links_only", "s1", UNKNOWN)]
    assert part([new()], words=[word("s1", "ABSENT", mapping="links_only")])[0] == []


def test_where_it_fails_it_is_a_loss_though_the_mapping_makes_none(part):
    """ABSENT: EXCEPTION with a failure policy that drops (seen on OpenIDM 6.1.0)."""
    kept, _ruled = part([new()], words=[word("s1", "ABSENT", "EXCEPTION", failed=True, mapping="links_only")])
    assert kept == [("links_only", "s1", REFUSED)]


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


def test_a_second_link_that_fails_is_still_a_second_link(part):
    twice = MAPPING, Difference(DUPLICATE, "s1", "t2", detail=SECOND_LINK)
    kept, _ruled = part([twice], words=[word("s1", None, "EXCEPTION", failed=True)])
    assert kept == [("m", "s1", UNKNOWN)]


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_word_counts_in_whichever_order_they_come(part, order):
    words = [word("s1", "CONFIRMED", "UPDATE", EARLY), word("s1", "UNQUALIFIED", time=LATE)][::order]
    assert part([differing("s1")], words=words)[0] == []


@pytest.mark.parametrize(
    ("words", "changed", "lost"),
    [
        ([], None, True),
        ([word("s1", "SOURCE_IGNORED", time=LATE)], EARLY, False),
        ([word("s1", "SOURCE_IGNORED", time=EARLY)], LATE, True),
        ([word("s1", "SOURCE_IGNORED", time=EARLY)], None, False),
        ([word("s1", "SOURCE_IGNORED", mapping="other")], EARLY, True),
    ],
)
def test_an_entry_without_a_link_was_left_alone_where_a_later_word_tells_of_it(part, words, changed, lost):
    unsure = [Unsure(MAPPING, Difference(MISSING, "s1"))]
    kept, ruled = part(unsure=unsure, words=words, times={"s1": changed}, never=["s1"])
    assert [record for unused, record, reason in kept] == ["s1"] * lost
    assert bool(ruled.meant) is not lost and [one.record for one, why in ruled.unhandled.lost] == ["s1"] * lost


@pytest.mark.parametrize(("asks", "lost", "conditioned"), [(("mail",), True, False), ((), False, True)])
def test_a_condition_that_asks_for_what_is_not_there_is_a_loss_and_another_a_doubt(part, asks, lost, conditioned):
    unsure = [Unsure(MAPPING, Difference(DIFFERING, "s1", properties=("mail",)), asks)]
    kept, ruled = part(unsure=unsure)
    assert bool(kept) is lost and bool(ruled.conditioned) is conditioned
