"""What English expressions of time mean, in which zone, and that nothing else is taken for one."""

from __future__ import annotations

import datetime as dt
import os
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memory_core.errors import InvalidQuery
from memory_core.language import times

BERLIN = times.zone("Europe/Berlin")
UTC = times.zone("UTC")
NOW = "2026-03-04T10:00"  # a Wednesday
END = "23:59:59.999999"

# expression, span from, span to (all in Berlin, asked on Wednesday 4 March 2026 at 10:00)
SPANS = [
    ("today", "2026-03-04T00:00", f"2026-03-04T{END}"),
    ("yesterday", "2026-03-03T00:00", f"2026-03-03T{END}"),
    ("the day before yesterday", "2026-03-02T00:00", f"2026-03-02T{END}"),
    ("earlier today", "2026-03-04T00:00", f"2026-03-04T{END}"),
    ("yesterday after lunch", "2026-03-03T13:00", f"2026-03-03T{END}"),
    ("yesterday before lunch", "2026-03-03T00:00", "2026-03-03T12:00"),
    ("yesterday afternoon", "2026-03-03T12:00", "2026-03-03T17:59:59.999999"),
    ("yesterday in the evening", "2026-03-03T17:00", "2026-03-03T22:59:59.999999"),
    ("on Monday morning", "2026-03-02T05:00", "2026-03-02T11:59:59.999999"),
    ("on the evening of 2 March", "2026-03-02T17:00", "2026-03-02T22:59:59.999999"),
    ("this morning", "2026-03-04T05:00", "2026-03-04T11:59:59.999999"),
    ("this afternoon", "2026-03-03T12:00", "2026-03-03T17:59:59.999999"),
    ("last night", "2026-03-03T20:00", "2026-03-04T04:59:59.999999"),
    ("at noon", "2026-03-03T11:30", "2026-03-03T12:30"),
    ("during breakfast", "2026-03-04T07:00", "2026-03-04T08:59:59.999999"),
    ("after lunch", "2026-03-03T13:00", f"2026-03-03T{END}"),
    ("since breakfast", "2026-03-04T07:00", "2026-03-04T10:00"),
    ("since this morning", "2026-03-04T05:00", "2026-03-04T10:00"),
    ("in the last ten minutes", "2026-03-04T09:50", "2026-03-04T10:00"),
    ("within the past 2 hours", "2026-03-04T08:00", "2026-03-04T10:00"),
    ("in the last hour", "2026-03-04T09:00", "2026-03-04T10:00"),
    ("in the past week", "2026-02-25T10:00", "2026-03-04T10:00"),
    ("over the last couple of days", "2026-03-02T10:00", "2026-03-04T10:00"),
    ("two hours ago", "2026-03-04T07:30", "2026-03-04T08:30"),
    ("10 hours ago", "2026-03-03T22:30", "2026-03-04T01:30"),
    ("half an hour ago", "2026-03-04T09:25:30", "2026-03-04T09:34:30"),
    ("a minute ago", "2026-03-04T09:58:30", "2026-03-04T09:59:30"),
    ("3 days ago", "2026-03-01T00:00", f"2026-03-01T{END}"),
    ("a week ago", "2026-02-25T00:00", f"2026-02-25T{END}"),
    ("more than a week ago", None, "2026-02-25T10:00"),
    ("longer than two days ago", None, "2026-03-02T10:00"),
    ("on 3 March", "2026-03-03T00:00", f"2026-03-03T{END}"),
    ("on the 3rd of March", "2026-03-03T00:00", f"2026-03-03T{END}"),
    ("on March 3rd, 2025", "2025-03-03T00:00", f"2025-03-03T{END}"),
    ("on 5 March", "2025-03-05T00:00", f"2025-03-05T{END}"),  # not yet this year
    ("on 29 Feb 2024", "2024-02-29T00:00", f"2024-02-29T{END}"),
    ("on 2026-03-03", "2026-03-03T00:00", f"2026-03-03T{END}"),
    ("on 3.3.2026", "2026-03-03T00:00", f"2026-03-03T{END}"),
    ("in February", "2026-02-01T00:00", f"2026-02-28T{END}"),
    ("in May", "2025-05-01T00:00", f"2025-05-31T{END}"),
    ("in 2025", "2025-01-01T00:00", f"2025-12-31T{END}"),
    ("on Monday", "2026-03-02T00:00", f"2026-03-02T{END}"),
    ("on Wednesday", "2026-03-04T00:00", f"2026-03-04T{END}"),
    ("last Wednesday", "2026-02-25T00:00", f"2026-02-25T{END}"),
    ("on Sunday, 1 March", "2026-03-01T00:00", f"2026-03-01T{END}"),
    ("over the weekend", "2026-02-28T00:00", f"2026-03-01T{END}"),
    ("since Monday", "2026-03-02T00:00", "2026-03-04T10:00"),
    ("since yesterday", "2026-03-03T00:00", "2026-03-04T10:00"),
    ("since March", "2026-03-01T00:00", "2026-03-04T10:00"),
    ("since 2 hours ago", "2026-03-04T08:00", "2026-03-04T10:00"),
    ("before yesterday", None, "2026-03-03T00:00"),
    ("until yesterday", None, f"2026-03-03T{END}"),
    ("after 2 March", f"2026-03-02T{END}", "2026-03-04T10:00"),
    ("this week", "2026-03-02T00:00", "2026-03-04T10:00"),
    ("last week", "2026-02-23T00:00", f"2026-03-01T{END}"),
    ("this month", "2026-03-01T00:00", "2026-03-04T10:00"),
    ("last month", "2026-02-01T00:00", f"2026-02-28T{END}"),
    ("last year", "2025-01-01T00:00", f"2025-12-31T{END}"),
    ("at 9:15", "2026-03-04T09:10", "2026-03-04T09:20"),
    ("at 14:30", "2026-03-03T14:25", "2026-03-03T14:35"),
    ("around 8 am", "2026-03-04T07:45", "2026-03-04T08:15"),
    ("at 2:30 p.m.", "2026-03-03T14:25", "2026-03-03T14:35"),
    ("at half past two", "2026-03-04T02:25", "2026-03-04T02:35"),
    ("at a quarter to 3 pm", "2026-03-03T14:40", "2026-03-03T14:50"),
    ("at 9 in the evening", "2026-03-03T20:55", "2026-03-03T21:05"),
    ("at 12 am", "2026-03-03T23:55", "2026-03-04T00:05"),
    ("yesterday at 9:15", "2026-03-03T09:10", "2026-03-03T09:20"),
    ("yesterday 14:30", "2026-03-03T14:25", "2026-03-03T14:35"),
    ("on 1 March at 14:30", "2026-03-01T14:25", "2026-03-01T14:35"),
    ("at 2026-03-03T14:30", "2026-03-03T14:25", "2026-03-03T14:35"),
    ("at 2026-03-03T14:30Z", "2026-03-03T15:25", "2026-03-03T15:35"),
    ("after 8:30", "2026-03-04T08:30", "2026-03-04T10:00"),
    ("before 9 am", "2026-03-04T00:00", "2026-03-04T09:00"),
    ("since 9", "2026-03-04T09:00", "2026-03-04T10:00"),
    ("since 14:00 yesterday", "2026-03-03T14:00", "2026-03-04T10:00"),
    ("between 9 and 10", "2026-03-04T09:00", "2026-03-04T10:00"),
    ("between 2 and 4 pm", "2026-03-03T14:00", "2026-03-03T16:00"),
    ("from 9:00 to 10:30 yesterday", "2026-03-03T09:00", "2026-03-03T10:30"),
    ("between 22 and 2", "2026-03-03T22:00", "2026-03-04T02:00"),
    ("between 11 pm and 1 am on 1 March", "2026-03-01T23:00", "2026-03-02T01:00"),
]


def local(text: str, zone: dt.tzinfo = BERLIN) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=zone)
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1_000


def understood(question: str, now: str = NOW, zone: dt.tzinfo = BERLIN) -> times.TimePhrase:
    return times.understand(question, now_ns=local(now, zone), where=zone)[0]


@pytest.mark.parametrize(("words", "start", "end"), SPANS, ids=[row[0] for row in SPANS])
def test_an_expression_means_its_span_and_leaves_the_question(words, start, end):
    phrase, rest = times.understand(f"what did you see {words}?", now_ns=local(NOW), where=BERLIN)
    assert phrase.span is not None
    if start is not None:
        assert phrase.span.start_ns == local(start)
    else:
        assert phrase.span.start_ns <= 2 * 10**9
    assert phrase.span.end_ns == local(end)
    assert rest == "what did you see?"


@pytest.mark.parametrize(
    ("now", "words", "start", "end"),
    [
        ("2026-03-01T08:00", "yesterday", "2026-02-28T00:00", f"2026-02-28T{END}"),
        ("2024-03-01T08:00", "yesterday", "2024-02-29T00:00", f"2024-02-29T{END}"),
        ("2026-01-01T08:00", "yesterday", "2025-12-31T00:00", f"2025-12-31T{END}"),
        ("2026-01-15T08:00", "last month", "2025-12-01T00:00", f"2025-12-31T{END}"),
        ("2026-03-31T08:00", "last month", "2026-02-01T00:00", f"2026-02-28T{END}"),
        ("2026-01-02T08:00", "last week", "2025-12-22T00:00", f"2025-12-28T{END}"),
        ("2026-01-02T08:00", "on 31 December", "2025-12-31T00:00", f"2025-12-31T{END}"),
        ("2026-03-04T23:00", "last night", "2026-03-03T20:00", "2026-03-04T04:59:59.999999"),
        ("2026-03-04T02:00", "last night", "2026-03-03T20:00", "2026-03-04T04:59:59.999999"),
        ("2026-03-04T09:30", "between 9 and 10", "2026-03-04T09:00", "2026-03-04T10:00"),
        ("2026-03-04T16:00", "yesterday at 14:30", "2026-03-03T14:25", "2026-03-03T14:35"),
        ("2026-03-04T18:00", "tonight", "2026-03-04T17:00", "2026-03-04T22:59:59.999999"),
    ],
)
def test_months_years_and_nights_roll_over(now, words, start, end):
    span = understood(f"what happened {words}", now).span
    assert (span.start_ns, span.end_ns) == (local(start), local(end))


def test_a_day_has_25_hours_when_summer_ends_and_23_when_it_begins():
    autumn = understood("yesterday", "2026-10-26T12:00").span
    spring = understood("yesterday", "2026-03-30T12:00").span
    assert (autumn.end_ns - autumn.start_ns + 1_000) == 25 * 3600 * 10**9
    assert (spring.end_ns - spring.start_ns + 1_000) == 23 * 3600 * 10**9


def test_hours_ago_are_hours_that_passed_even_across_the_change_of_clocks():
    now = dt.datetime(2026, 3, 29, 2, 0, tzinfo=dt.timezone.utc)  # 04:00 in Berlin, was 03:00
    now_ns = int(now.timestamp()) * 10**9
    ago, _ = times.understand("two hours ago", now_ns=now_ns, where=BERLIN)
    last, _ = times.understand("in the last 3 hours", now_ns=now_ns, where=BERLIN)
    assert ago.moment_ns == now_ns - 2 * 3600 * 10**9
    assert (last.span.start_ns, last.span.end_ns) == (now_ns - 3 * 3600 * 10**9, now_ns)


def test_the_hour_that_comes_twice_is_told_apart():
    now_ns = int(dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.timezone.utc).timestamp()) * 10**9
    span = times.understand("in the last ten minutes", now_ns=now_ns, where=BERLIN)[0].span
    assert (span.start_ns, span.end_ns) == (now_ns - 600 * 10**9, now_ns)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("at 14:30", "2026-03-03T14:30"),
        ("yesterday at 9:15", "2026-03-03T09:15"),
        ("around 8 am", "2026-03-04T08:00"),
        ("two hours ago", "2026-03-04T08:00"),
        ("on 2026-03-01 at 12:00", "2026-03-01T12:00"),
        ("at 2026-03-03T14:30+02:00", "2026-03-03T13:30"),
    ],
)
def test_a_named_moment_is_kept_beside_its_span(words, moment):
    assert understood(f"where were you {words}?").moment_ns == local(moment)


@pytest.mark.parametrize("words", ["yesterday", "last week", "before 14:30", "between 9 and 10"])
def test_a_stretch_of_time_names_no_moment(words):
    assert understood(f"where were you {words}?").moment_ns is None


@pytest.mark.parametrize(
    ("question", "order", "rest"),
    [
        ("when was the last time you saw the mug?", "last", "when did you saw the mug?"),
        ("where did you last see the mug?", "last", "where did you see the mug?"),
        ("where did you first see the mug?", "first", "where did you see the mug?"),
        ("when was the mug first seen?", "first", "when was the mug seen?"),
        ("when was the mug last seen?", "last", "when was the mug seen?"),
        ("what did you see last?", "last", "what did you see?"),
        ("what was the first thing you saw?", "first", "what did you saw?"),
        ("where did you start?", "first", "where did you start?"),
        ("where did you see the mug most recently?", "last", "where did you see the mug?"),
        ("which did you see first, the mug or the lamp?", None, None),
        ("where is the last book on the shelf?", None, None),
    ],
)
def test_last_and_first_are_taken_where_they_mean_an_occasion(question, order, rest):
    phrase, left = times.understand(question, now_ns=local(NOW), where=UTC)
    assert phrase.order == order
    assert left.replace("did you saw", "did you see") == (rest or question).replace(
        "did you saw", "did you see"
    )


@pytest.mark.parametrize(
    "question",
    [
        "where is the night stand?",
        "where is the lamp at the window?",
        "is there a lamp at the window?",
        "where is the lunch box?",
        "who brought the morning newspaper?",
        "how many chairs are within 2 m of the table?",
        "what is within 3 m of (1.5, -2)?",
        "where is the second mug?",
        "did you see the mug after the lamp?",
        "is the May poster on the wall?",
        "I may ask where the mug is",
        "what is on table 3?",
        "where is the breakfast table?",
        "where is the alarm clock in the bedroom?",
        "what happened on 30 February?",
    ],
)
def test_what_only_sounds_like_time_is_left_in_the_question(question):
    phrase, rest = times.understand(question, now_ns=local(NOW), where=BERLIN)
    assert phrase.span is None
    assert rest == question


def test_midnight_is_that_of_the_zone_asked_in():
    now_ns = local("2026-03-04T03:00", UTC)  # still 3 March in New York
    berlin = times.understand("today", now_ns=now_ns, where=BERLIN)[0].span
    new_york = times.understand("today", now_ns=now_ns, where=times.zone("America/New_York"))[0]
    plus_nine = times.understand("today", now_ns=now_ns, where=times.zone("+09:00"))[0]
    assert berlin.start_ns == local("2026-03-03T23:00", UTC)
    assert new_york.span.start_ns == local("2026-03-03T05:00", UTC)
    assert plus_nine.span.start_ns == local("2026-03-03T15:00", UTC)


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "",
        "../../etc/passwd",
        "+99:99",
        "+25:00",
        "Europe",
        "\x00",
        "x" * 5000,
        "+2",
    ],
)
def test_an_unknown_zone_is_an_invalid_query(name):
    with pytest.raises(InvalidQuery, match="time zone"):
        times.zone(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1772532000", 1_772_532_000_000_000_000),
        ("1772532000.123456789", 1_772_532_000_123_456_789),
        ("2026-03-03T11:00", 1_772_532_000_000_000_000),
        ("2026-03-03T10:00+00:00", 1_772_532_000_000_000_000),
        ("2026-03-03", 1_772_492_400_000_000_000),
    ],
)
def test_moments_are_read_from_iso_8601_and_from_seconds(text, expected):
    assert times.parse_moment(text, BERLIN) == expected


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01", "12", "١٢٣٤٥٦٧٨٩", "2026-03-03T25:00"])
def test_what_is_no_moment_is_an_invalid_query(text):
    with pytest.raises(InvalidQuery, match="is no time"):
        times.parse_moment(text, BERLIN)


PIECES = st.sampled_from(
    "at around before after since until last past this in on the a an yesterday today 14:30 9 am pm "
    "10 half two minutes hours days ago weeks years March 3rd 2026-03-03 2025 Monday week month "
    "night noon lunch between and from to morning weekend more than quarter 99 99999999999 31 . , ? "
    "february seen first time was you did see the mug".split()
)


@given(text=st.text(max_size=200) | st.lists(PIECES, max_size=14).map(" ".join))
@example(text="more than 99999999999 years ago")
@example(text="on 0000-01-01 at 24:61")
@example(text="between 99 and 99")
@settings(max_examples=400, deadline=None)
def test_any_text_is_understood_or_left_alone(text):
    phrase, rest = times.understand(text, now_ns=local(NOW), where=BERLIN)
    assert isinstance(rest, str)
    if phrase.span is not None:
        assert 0 < phrase.span.start_ns <= phrase.span.end_ns


@given(text=st.lists(PIECES, min_size=1, max_size=8).map(" ".join))
@settings(max_examples=60, deadline=None)
def test_the_zone_of_the_host_is_never_read(text):
    found = []
    before = os.environ.get("TZ")
    try:
        for name in ("Pacific/Auckland", "America/Los_Angeles"):
            os.environ["TZ"] = name
            time.tzset()
            found.append(times.understand(text, now_ns=local_utc(NOW), where=BERLIN))
    finally:
        os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
        time.tzset()
    assert found[0] == found[1]


def local_utc(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * 10**9


@pytest.mark.parametrize(
    "text", ["was " * 240, "at " * 300, "last the " * 110, "9:" * 400, "1" * 999]
)
def test_long_repetition_is_read_in_less_than_a_second(text):
    begun = time.process_time()
    times.understand(text, now_ns=local(NOW), where=BERLIN)
    assert time.process_time() - begun < 1.0
