# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals and cron expressions."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._schedule.cron import (
    canonical_cron,
    cron_to_interval,
    interval_to_cron,
    is_cron_shaped,
    is_over,
    nearest_intervals,
)


@pytest.mark.parametrize(
    ("seconds", "expression"),
    [
        (1, "* * * * * ?"),
        (15, "0/15 * * * * ?"),
        (30, "0/30 * * * * ?"),
        (60, "0 * * * * ?"),
        (300, "0 0/5 * * * ?"),
        (3600, "0 0 * * * ?"),
        (21600, "0 0 0/6 * * ?"),
        (86400, "0 0 0 * * ?"),
    ],
)
def test_an_interval_that_divides_its_span_has_an_expression(seconds, expression):
    assert interval_to_cron(seconds) == expression
    assert cron_to_interval(expression) == seconds


@pytest.mark.parametrize("seconds", [0, -15, 7, 25, 45, 90, 61, 2700, 5400, 18000, 86399, 172800, 604800])
def test_an_interval_that_does_not_has_none(seconds):
    assert interval_to_cron(seconds) is None


@pytest.mark.parametrize(
    ("seconds", "nearest"),
    [
        (7, [6, 10]),
        (25, [20, 30]),
        (45, [30, 60]),
        (90, [60, 120]),
        (18000, [14400, 21600]),
        (604800, [86400]),
        (0.5, [1]),
    ],
)
def test_the_nearest_intervals_are_those_below_and_above(seconds, nearest):
    assert nearest_intervals(seconds) == nearest
    assert all(interval_to_cron(span) for span in nearest)


def test_every_interval_with_an_expression_comes_back_from_it():
    able = [seconds for seconds in range(1, 86401) if interval_to_cron(seconds)]
    assert len(able) == 11 + 11 + 7 + 1  # divisors of 60 but 60, twice; of 24 but 24; and a day
    assert [cron_to_interval(str(interval_to_cron(seconds))) for seconds in able] == able


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("*/15 * * * * ?", 15),
        ("0,15,30,45 * * * * ? *", 15),
        ("5/15 * * * * ?", 15),
        ("5/20 * * ? * *", 20),
        ("0 0 3 * * ?", 86400),
        ("0 30 0/12 * * ?", 43200),
        ("0 0/7 * * * ?", None),  # 56, then 0: four minutes
        ("0/15 * 22-23 * * ?", None),
        ("0 0 22-2 * * ?", None),
        ("0 0 3 ? * MON", None),
        ("0 0 3 L * ?", None),
        ("0 0 3 * * ? 2099", None),
        ("0 0 3 1 1 ? 2099", None),
        ("BOGUS", None),
        ("&{esv.sync.cron}", None),
    ],
)
def test_a_regular_expression_tells_its_interval(expression, seconds):
    assert cron_to_interval(expression) == seconds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0/15 * * * * ?", "*/15  *  * * * ?"),
        ("0/15 * * * * ?", "0,15,30,45 0/1 * 1/1 * ? *"),
        ("0 0 22-2 * * ?", "0 0 0,1,2,22,23 * * ?"),
        ("0 0 3 ? * mon", "0 0 3 ? * MON"),
        ("0 0 3 * * ?", "0 0 3 ? * *"),
    ],
)
def test_expressions_that_mean_the_same_are_equal(one, other):
    assert canonical_cron(one) == canonical_cron(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0/15 * * * * ?", "5/15 * * * * ?"),
        ("0 0 3 ? * MON", "0 0 3 ? * TUE"),
        ("0 0 3 * * ?", "0 0 3 * * ? 2099"),
        ("&{esv.a}", "&{esv.b}"),
    ],
)
def test_expressions_that_do_not_are_not(one, other):
    assert canonical_cron(one) != canonical_cron(other)


@pytest.mark.parametrize("expression", ["0/15 * * * * ?", "0 0 3 ? * 2#1", "0 0 3 LW * ?", "0 0 22-2 * * ? 2030-2031"])
def test_what_looks_like_an_expression_is_left_to_the_server(expression):
    assert is_cron_shaped(expression)


@pytest.mark.parametrize(
    "expression", ["", "*/5 * * * *", "BOGUS", "0 0 99 * * ?", "60 * * * * ?", "0/0 * * * * ?", "x * * * * ?"]
)
def test_what_cannot_be_one_is_told_without_the_server(expression):
    assert not is_cron_shaped(expression)


NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 12 30 2 ?",
        "0 0 12 31 4,JUN,9,nov ?",
        "0 0 12 30-31 FEB ?",
        "0 0 12 1 1 ? 2020",
        "0 0 12 22 11 ? 2026",
        "0 0 12 ? 1-10 MON 2026",
        "0 0 12 29 2 ? 2027",
        "* * * * * ? 2025",
    ],
)
def test_an_expression_that_never_fires_is_known(expression):
    assert is_over(expression, NOW)


@pytest.mark.parametrize(
    "expression",
    [
        "0/15 * * * * ?",
        "0 0 12 29 2 ?",
        "0 0 12 30-31 FEB,MAR ?",
        "0 0 12 23 11 ? 2026",  # a server's clock may show the day before
        "0 0 12 L 2 ?",
        "0 0 12 15W * ?",
        "0 0 12 ? 1-10 6#5",
        "0 0 12 1 1 ? 2020,2027",
        "0 0 12 1 NOV-FEB ? 2026",
        "0 0 12 1/5 * ? *",
        "0 0 12 29 2 ? 2026-2030",
        "0 0 12 20 1-13 ? 2026",  # no months that are known, so it may be December
        "no cron at all",
    ],
)
def test_what_may_fire_is_not_taken_for_what_never_does(expression):
    assert not is_over(expression, NOW)


def test_the_last_day_of_a_year_counts():
    after = datetime(2027, 1, 1, 11, tzinfo=timezone.utc)
    assert not is_over("0 0 12 ? 12 * 2026", after)  # a server's clock may show the day before
    assert is_over("0 0 12 ? 12 * 2026", after + timedelta(days=1))


DECEMBER = datetime(2026, 12, 15, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("expression", "over"),
    [
        ("0 0 0 1 * ? 2026", True),
        ("0 0 0 14 * ? 2026", False),  # a server's clock may be a day behind
        ("0 0 0 13 * ? 2026", True),
        ("0 0 0 13 * ? 2026-2027", False),
        ("0 0 0 31 11 ? 2027", True),
        ("0 0 0 30 11 ? 2027", False),
        ("0 0 0 29 FEB ? 2027", True),
        ("0 0 0 29 FEB ? 2028", False),
        ("0 0 0 15 DEC ? 2026", False),
        ("0 0 0 ? * MON 2025", True),
        ("0 0 0 ? * MON", False),
        ("0 0 0 L * ? 2026", False),
        ("often", False),
    ],
)
def test_whether_a_date_is_still_to_come(expression, over):
    assert is_over(expression, DECEMBER) is over


@pytest.mark.parametrize(
    ("field", "same"),
    [
        ("0/20", "0,20,40"),
        ("*/20", "0,20,40"),
        ("10-12", "10,11,12"),
        ("58-1", "0,1,58,59"),
        ("50-10/10", "50,0,10"),
        ("5", "5-5"),
        ("5/30", "5,35"),
        ("0-59", "*"),
        ("59", "59"),
    ],
)
def test_seconds_that_mean_the_same(field, same):
    assert canonical_cron(f"{field} * * * * ?") == canonical_cron(f"{same} * * * * ?")


@pytest.mark.parametrize("field", ["60", "-1", "0/0", "1-60", "a", "5-", "", "1,60"])
def test_seconds_that_no_clock_shows(field):
    assert is_cron_shaped(f"{field or ','} * * * * ?") is False


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("0 0 0 * * ?", 86400),
        ("0 0 22-2/4 * * ?", None),
        ("0 0 0,12 * * ?", 43200),
        ("0 0 6,18 * * ?", 43200),
        ("0 0 6,12 * * ?", None),
        ("0 0 0 1 * ?", None),
        ("0 0 0 * * ? 2027", None),
        ("0,30 * * * * *", 30),
    ],
)
def test_how_far_apart_it_fires(expression, seconds):
    assert cron_to_interval(expression) == seconds
