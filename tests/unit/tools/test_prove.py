# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the experiments are judged by: the comparison, the tables in the pages, how they are found and ended."""

from __future__ import annotations

import importlib
import random
import sys

import pytest

from tests.experiments.prove import _page
from tests.experiments.prove._compare import difference
from tests.experiments.prove._faults import Fault, in_random_order
from tests.experiments.prove._ledger import Ledger
from tests.experiments.prove._two_hosts import overlaps
from tools import prove

ADA = ("ada", "Ada", "Abel", "", "", "Ada Abel")
BEN = ("ben", "Ben", "Brook", "", "", "Ben Brook")


@pytest.mark.parametrize(
    ("linked", "unlinked", "told"),
    [
        ({"1": [ADA], "2": [BEN]}, 0, "equal"),
        ({"1": [ADA]}, 0, "1 missing"),
        ({"1": [ADA], "2": [ADA]}, 0, "1 other values"),
        ({"1": [ADA], "2": [BEN, BEN]}, 0, "1 other values"),
        ({"1": [ADA], "2": [BEN], "3": [BEN]}, 0, "1 left over"),
        ({"1": [ADA], "2": [BEN]}, 1, "1 without a link"),
        ({}, 0, "2 missing"),
    ],
)
def test_whatever_differs_is_told(linked, unlinked, told):
    found = difference({"1": ADA, "2": BEN}, linked, unlinked)
    assert str(found) == told
    assert bool(found) == (told != "equal")


def test_a_table_goes_between_its_markers_and_nowhere_else():
    page = "a\n<!-- measured: x -->\nold\n<!-- end of x -->\nb\n"
    assert _page.replaced(page, "x", "new") == "a\n<!-- measured: x -->\nnew\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="measured: y"):
        _page.replaced(page, "y", "new")


def test_a_bar_in_a_cell_does_not_end_it():
    assert _page.table(["a", "b"], [["x|y", 1]]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"


def test_every_experiment_has_the_shape_that_the_others_have():
    assert {"no_loss", "kill_matrix", "interruptions"} <= set(prove.experiments())
    for name in prove.experiments():
        found = importlib.import_module(f"tests.experiments.prove.{name}")
        assert found.__doc__ and callable(found.main)


@pytest.mark.parametrize(
    ("program", "exit_code"),
    [("raise SystemExit(0)", 0), ("raise SystemExit(3)", 3), ("import time; time.sleep(60)", None)],
)
def test_how_an_experiment_ends(monkeypatch, program, exit_code):
    started = prove.subprocess.Popen
    monkeypatch.setattr(
        prove.subprocess, "Popen", lambda command, **more: started([sys.executable, "-c", program], **more)
    )
    result = prove.run("any", limit=2.0)
    assert result.exit_code == exit_code
    assert result.took < 30
    assert ("passed" in str(result)) == (exit_code == 0)


def _ledger(*changes):
    """Return a ledger of changes to one person: (when, what he is then)."""
    made = Ledger()
    for at, value in changes:
        made.note("1", value, at)
    return made


@pytest.mark.parametrize(
    ("seen", "overdue"),
    [
        ({"1": [("ada", "2")]}, []),
        ({"1": [("ada", "3")]}, []),  # a later one has arrived
        ({"1": [("ada", "1")]}, ["1"]),
        ({"1": [("ben", "2")]}, ["1"]),
        ({}, ["1"]),
    ],
)
def test_a_change_is_overdue_until_it_or_a_later_one_has_arrived(seen, overdue):
    made = _ledger((1.0, ("ada", "1")), (5.0, ("ada", "2")), (9.0, ("ada", "3")))
    assert made.overdue(6.0, seen) == overdue
    assert made.overdue(1.0, {}) == [], "nothing is that old"


def test_who_was_removed_must_be_gone():
    made = _ledger((1.0, ("ada", "1")), (5.0, None))
    assert made.overdue(6.0, {"1": [("ada", "1")]}) == ["1"]
    assert made.overdue(6.0, {}) == []
    assert made.overdue(4.0, {}) == [], "that he is gone already is no fault"


def test_of_a_change_whose_end_nobody_knows_nothing_is_said():
    made = _ledger((1.0, ("ada", "1")))
    made.doubt("1")
    assert made.overdue(6.0, {}) == []
    made.note("1", ("ada", "2"), 2.0)
    assert made.overdue(6.0, {}) == ["1"]
    assert (made.confirmed, made.doubtful) == (2, 1)


@pytest.mark.parametrize(
    ("spans", "count"),
    [([(1, 3), (3, 5)], 0), ([(3, 5), (1, 4)], 1), ([(1, 9), (2, 3), (4, 5)], 2), ([], 0)],
)
def test_runs_that_began_before_another_had_ended_are_counted(spans, count):
    assert overlaps(spans) == count


def test_the_same_seed_makes_the_same_storm():
    known = [Fault(name, bool, bool) for name in "abcde"]
    order = [[fault.name for fault in in_random_order(known, 12, random.Random(seed))] for seed in (1, 1, 2)]
    assert order[0] == order[1] != order[2]
    assert {order[0].count(name) for name in "abcde"} == {2, 3}
