"""How times, places and lists are put into words."""

from __future__ import annotations

import pytest

from memory_core.answering import wording
from memory_core.language.times import zone

from .flat import ns


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0.0 s"), (5.04, "5.0 s"), (48, "48 s"), (60, "1 min"), (3_599, "59 min 59 s"),
     (7_500, "2 h 5 min"), (48 * 3600, "2 days"), (50 * 3600, "2 days 2 h"), (-3, "0.0 s")],
)  # fmt: skip
def test_a_duration_is_told_in_two_units_at_most(seconds, words):
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-03-03T23:00:00", "today at 14:02:11"),
        ("2026-03-04T00:00:00", "yesterday at 14:02:11"),
        ("2026-03-05T00:00:00", "on 3 March 2026 at 14:02:11"),
        (None, "on 3 March 2026 at 14:02:11"),
    ],
)
def test_a_moment_is_told_by_the_day_it_is_asked(now, words):
    stamp = ns("2026-03-03T14:02:11")
    assert wording.moment(stamp, zone("UTC"), now_ns=now and ns(now)) == words


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], ""),
        (["lamp"], "a lamp"),
        (["oven", "oven"], "2 ovens"),
        (["lamp", "chair", "chair", "umbrella"], "2 chairs, a lamp and an umbrella"),
        (
            ["shelf", "shelf", "glass", "glass", "berry", "berry"],
            "2 berries, 2 glasses and 2 shelves",
        ),
        (["scissors"], "scissors"),
    ],
)
def test_a_list_counts_and_is_in_english(labels, words):
    assert wording.listing(labels) == words


def test_a_long_list_is_cut_with_the_number_of_kinds_left():
    assert wording.listing([f"thing {n}" for n in range(20)]).endswith("8 more kinds of things")


def test_a_quotation_is_one_line_and_short():
    assert wording.quote("a\n  b\tc") == "“a b c”"
    assert len(wording.quote("word " * 100)) <= wording.MAX_QUOTE + 2
