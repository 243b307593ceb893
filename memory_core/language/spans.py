"""What expressions of time cover: a day, a part of it, a season, so long ago, as stretches.

Each meaning takes what a pattern found and the moment the question is asked, and says from when to
when. Seasons are those of the northern hemisphere. `times` finds the expressions in a question.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

NUMBERS = {
    word: value
    for value, words in enumerate(
        (
            "zero|one a an|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
            "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty"
        ).split("|")
    )
    for word in words.split()
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "few": 3, "couple": 2, "half": 0.5}

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800,
          "month": 2_592_000, "year": 31_536_000, "sec": 1, "min": 60, "hr": 3600}  # fmt: skip
MONTHS = (
    "january february march april may june july august september october november "
    "december"
).split()  # fmt: skip
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PARTS = {
    "early morning": (5, 8),
    "morning": (5, 12),
    "lunch time": (12, 14),
    "lunchtime": (12, 14),
    "lunch": (12, 13),
    "noon": (12, 12),
    "midday": (12, 12),
    "breakfast": (7, 9),
    "afternoon": (12, 18),
    "dinner": (18, 20),
    "supper": (18, 20),
    "evening": (17, 23),
    "night": (20, 29),
    "midnight": (24, 24),
}

NUMBER = r"(?P<n>\d+(?:\.\d+)?|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + r")"
UNIT = r"(?P<unit>" + "|".join(UNITS) + r")s?"
MONTH = r"(?P<month>" + "|".join(f"{m}|{m[:3]}" for m in MONTHS) + r")\.?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
WEEKDAY = r"(?P<weekday>" + "|".join(DAYS) + r")"
PART = r"(?P<part>" + "|".join(sorted(PARTS, key=len, reverse=True)) + r")"
CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.)?"

Span = tuple[dt.datetime, dt.datetime]


Meaning = Callable[[re.Match[str], dt.datetime], Span]


def aware(moment: dt.datetime, where: dt.tzinfo) -> dt.datetime:
    """A moment in a zone, where it names none."""
    return moment if moment.tzinfo else moment.replace(tzinfo=where)


def bounded(span: Span, bound: str, now: dt.datetime) -> Span:
    """A stretch that begins or ends with another one: "since Monday", "before 3 March"."""
    if bound == "since":
        return span[0], now
    if bound == "after":
        return span[1], now
    return _epoch(now), span[0] if bound == "before" else span[1]


def _epoch(now: dt.datetime) -> dt.datetime:
    return dt.datetime.fromtimestamp(1, tz=now.tzinfo)


def back_from(now: dt.datetime, found: re.Match[str]) -> dt.datetime:
    """So many units before now, by the clock on the wall for days and longer, else elapsed."""
    elapsed = dt.timedelta(seconds=number_of(found["n"] or "1") * UNITS[found["unit"].lower()])
    if UNITS[found["unit"].lower()] >= 86_400:
        return now - elapsed
    return (now.astimezone(dt.timezone.utc) - elapsed).astimezone(now.tzinfo)


def number_of(text: str) -> float:
    """A number in digits or words."""
    return float(NUMBERS.get(text.lower(), 0) or text)


def _midnight(moment: dt.datetime) -> dt.datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def whole_day(moment: dt.datetime, *, days: int = 1) -> Span:
    """The day of a moment, or so many days from it."""
    start = _midnight(moment)
    end = _midnight(start + dt.timedelta(days=days)) - dt.timedelta(microseconds=1)
    return start, end


def last_n(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "In the last ten minutes"."""
    return back_from(now, found), now


def ago(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "Two hours ago", with some slack; a whole day where it is days or more."""
    unit = UNITS[found["unit"].lower()]
    moment = back_from(now, found)
    if unit >= 86_400:
        return whole_day(moment)
    slack = dt.timedelta(seconds=max(unit / 2, number_of(found["n"]) * unit * 0.15))
    return moment - slack, min(now, moment + slack)


def ago_or_longer(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "More than a week ago"."""
    return _epoch(now), back_from(now, found)


def named_day(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "Today", "yesterday"."""
    back = {"today": 0, "yesterday": 1, "the day before yesterday": 2}[found["name"].lower()]
    return whole_day(now - dt.timedelta(days=back))


def weekday(found: re.Match[str], now: dt.datetime) -> Span:
    """The latest such day of the week that has begun; with "last", the one before today."""
    back = (now.weekday() - DAYS.index(found["weekday"].lower())) % 7
    if back == 0 and found["last"]:
        back = 7
    return whole_day(now - dt.timedelta(days=back))


def day_part(found: re.Match[str], now: dt.datetime) -> Span:
    """A part of a named day: yesterday afternoon, Monday morning."""
    day = named_day(found, now) if found["name"] else weekday(found, now)
    return with_part(("in", found["part"].lower()), [day], now)


def calendar_period(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "This week", "last month"."""
    unit, which = found["unit"].lower(), found["which"].lower()
    if unit == "week":
        start = _midnight(now) - dt.timedelta(days=now.weekday())
        before = start - dt.timedelta(days=7)
    elif unit == "month":
        start = _midnight(now).replace(day=1)
        before = (start - dt.timedelta(days=1)).replace(day=1)
    else:
        start = _midnight(now).replace(month=1, day=1)
        before = start.replace(year=start.year - 1)
    return (start, now) if which == "this" else (before, start - dt.timedelta(microseconds=1))


def date(found: re.Match[str], now: dt.datetime) -> Span:
    """A day of the calendar; without a year the latest such day."""
    names = found.groupdict()
    if names.get("iso"):
        return whole_day(
            aware(dt.datetime.fromisoformat(names["iso"]), now.tzinfo or dt.timezone.utc)
        )
    month = _month_number(names["month"])
    year = int(names["year"]) if names.get("year") else now.year
    moment = _midnight(now).replace(year=year, month=month, day=int(names["day"]))
    if not names.get("year") and moment > now:
        moment = moment.replace(year=year - 1)
    return whole_day(moment)


def _month_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    return next(i for i, name in enumerate(MONTHS, 1) if name.startswith(text.lower()))


def month(found: re.Match[str], now: dt.datetime) -> Span:
    """A month, or a year, of the calendar."""
    if not found["month"]:
        start = _midnight(now).replace(year=int(found["year2"]), month=1, day=1)
        return start, start.replace(year=start.year + 1) - dt.timedelta(microseconds=1)
    month = _month_number(found["month"])
    year = int(found["year"] or (now.year if month <= now.month else now.year - 1))
    start = _midnight(now).replace(year=year, month=month, day=1)
    after = (start + dt.timedelta(days=31)).replace(day=1)
    return start, after - dt.timedelta(microseconds=1)


def weekend(_: re.Match[str], now: dt.datetime) -> Span:
    """The latest Saturday that has begun, and the Sunday after it."""
    return whole_day(now - dt.timedelta(days=(now.weekday() - 5) % 7), days=2)


def _time_of(found: re.Match[str], prefix: str = "") -> dt.time:
    hour, half = int(found[f"hour{prefix}"]), (found[f"half{prefix}"] or "").replace(".", "")
    if half.lower() == "pm" and hour < 12:
        hour += 12
    if half.lower() == "am" and hour == 12:
        hour = 0
    minute, second = int(found[f"minute{prefix}"] or 0), int(found[f"second{prefix}"] or 0)
    return dt.time(hour, minute, second)


def clock_time(found: re.Match[str], now: dt.datetime) -> dt.datetime:
    """The latest such time of day that has begun."""
    moment = dt.datetime.combine(now.date(), _time_of(found), now.tzinfo)
    return moment if moment <= now else moment - dt.timedelta(days=1)


def relation_of(found: re.Match[str]) -> str:
    """The word before a time of day."""
    return (found["relation"] or "at").strip().lower()


def between_clocks(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "Between 9 and 11"."""
    start = clock_time(found, now)
    end = dt.datetime.combine(start.date(), _time_of(found, "2"), now.tzinfo)
    if not found["half"] and found["half2"] and end - start > dt.timedelta(hours=12):
        start += dt.timedelta(hours=12)
    if end < start:
        end += dt.timedelta(days=1)
    late = dt.timedelta(days=1 if start > now else 0)
    return start - late, end - late


def at_clock(found: re.Match[str], now: dt.datetime) -> Span:
    """Such as "At 14:30", "before noon", with some slack."""
    moment, relation = clock_time(found, now), relation_of(found)
    if relation in ("before", "until"):
        return _midnight(moment), moment
    if relation in ("after", "since"):
        return moment, min(whole_day(moment)[1], now)
    slack = dt.timedelta(minutes=15 if relation in ("around", "about") else 5)
    return moment - slack, moment + slack


def instant(found: re.Match[str], now: dt.datetime) -> Span:
    """A moment in ISO 8601, with some slack."""
    moment = aware(dt.datetime.fromisoformat(found["iso"].upper()), now.tzinfo or dt.timezone.utc)
    slack = dt.timedelta(minutes=5)
    return moment - slack, moment + slack


def with_part(part: tuple[str, str], spans: list[Span], now: dt.datetime) -> Span:
    """A part of a day, or what is before, after or since it."""
    relation, name = part
    first, last = PARTS[name]
    if spans:
        day = _midnight(max(span[0] for span in spans))
    else:
        day = _midnight(now)
        begins = last if relation == "after" else first
        if relation.endswith("last"):  # "last night" is never the one that begins today
            begins = 48
        if relation not in ("before", "until") and day + dt.timedelta(hours=begins) > now:
            day -= dt.timedelta(days=1)
    start, end = day + dt.timedelta(hours=first), day + dt.timedelta(hours=last)
    if relation == "after":
        return end, whole_day(day)[1]
    if relation in ("before", "until"):
        return day, start
    if relation.startswith("since"):
        return start, now
    if first == last:
        return start - dt.timedelta(minutes=30), end + dt.timedelta(minutes=30)
    return start, end - dt.timedelta(microseconds=1)


PARTS_OF_YEAR = {
    "spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (12, 14),
    "christmas": (12, 12), "new year's eve": (12, 12), "easter": (3, 4),
    "beginning": (1, 3), "start": (1, 3), "early": (1, 4), "first half": (1, 6),
    "mid": (5, 8), "middle": (5, 8), "summer holidays": (6, 9),
    "second half": (7, 12), "late": (9, 12), "end": (10, 12), "course": (1, 12),
}  # fmt: skip
"""The months that parts of a year cover, first and last; a winter ends in the next year."""
_TENS = {
    "twenties": 2020, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990,
}  # fmt: skip
TENS = "|".join(_TENS)


def part_of_year(found: re.Match[str], now: dt.datetime) -> Span:
    """A year, or a part of one: "in early 2021", "in the winter of 2019"."""
    first, last = PARTS_OF_YEAR.get((found["part"] or "").lower(), (1, 12))
    return _months(now, int(found["year"]), first, last)


def decade(found: re.Match[str], now: dt.datetime) -> Span:
    """Ten years: "in the 1990s", "back in the nineties"."""
    said = found["decade"].lower()
    begins = _TENS[said] if said in _TENS else int(said[:4])
    return _months(now, begins, 1, 120)


def _months(now: dt.datetime, year: int, first: int, last: int) -> Span:
    """From the beginning of a month to the end of another, counted from a year's January."""
    start = _midnight(now).replace(year=year + (first - 1) // 12, month=(first - 1) % 12 + 1, day=1)
    after = start.replace(year=year + last // 12, month=last % 12 + 1)
    return start, after - dt.timedelta(microseconds=1)


def long_ago(found: re.Match[str], now: dt.datetime) -> Span:
    """All that is at least two of a unit ago: "many years ago", "ages ago" (two months)."""
    unit = found["unit"]
    long_units = {"decade": 3650, "century": 36_500, "centurie": 36_500, "age": 60, "eon": 36_500}
    days = long_units.get((unit or "age").lower()) or UNITS[unit.lower()] / 86_400
    back = dt.timedelta(days=days * (1 if found["one"] else 2))
    return _epoch(now), max(now - back, _epoch(now) + dt.timedelta(seconds=1))
