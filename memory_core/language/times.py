"""When somebody means: English expressions of time to spans of nanoseconds.

Everything is computed in an explicit time zone from an explicit "now": the host's own zone and
clock are never read here. Days begin at midnight, weeks on Monday. An expression without a date
means the latest such moment that has begun ("after lunch" asked at 9:00 is yesterday's).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memory_core.errors import InvalidQuery
from memory_core.types import TimeSpan

NUMBERS = {
    word: value
    for value, words in enumerate(
        ["zero", "one a an", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    )
    for word in words.split()
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "few": 3, "couple": 2, "half": 0.5}

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800,
          "month": 2_592_000, "year": 31_536_000, "sec": 1, "min": 60, "hr": 3600}  # fmt: skip
_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]  # fmt: skip
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_PARTS = {
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

_NUMBER = r"(?P<n>\d+(?:\.\d+)?|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + r")"
_UNIT = r"(?P<unit>" + "|".join(_UNITS) + r")s?"
_MONTH = r"(?P<month>" + "|".join(f"{m}|{m[:3]}" for m in _MONTHS) + r")\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_WEEKDAY = r"(?P<weekday>" + "|".join(_DAYS) + r")"
_PART = r"(?P<part>" + "|".join(sorted(_PARTS, key=len, reverse=True)) + r")"
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.)?"

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """An expression of time that was understood.

    Attributes:
        span: The moments it covers.
        words: The words it was said in; they are taken out of the question.
        order: `last` or `first` where one occasion was meant ("the last time"), else None.
        moment_ns: The moment itself where one was named ("at 14:30"), nanoseconds; the span is
            then some slack around it.
    """

    span: TimeSpan | None
    words: tuple[str, ...]
    order: str | None = None
    moment_ns: int | None = None


def zone(name: str) -> dt.tzinfo:
    """The time zone of a name from the IANA data base, or an offset such as +02:00.

    Raises:
        InvalidQuery: There is no such zone.
    """
    offset = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", name)
    if offset:
        sign = -1 if offset[1] == "-" else 1
        return dt.timezone(sign * dt.timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidQuery(
            f"time zone {name!r} is unknown; use a name such as Europe/Berlin, UTC, or +02:00"
        ) from None


def to_ns(moment: dt.datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime, exact to the microsecond."""
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


def from_ns(stamp_ns: int, where: dt.tzinfo) -> dt.datetime:
    """The local time of a stamp."""
    return dt.datetime.fromtimestamp(stamp_ns // 1_000_000_000, tz=where) + dt.timedelta(
        microseconds=(stamp_ns % 1_000_000_000) // 1_000
    )


def parse_moment(text: str, where: dt.tzinfo) -> int:
    """An ISO 8601 moment, or seconds since the epoch, to nanoseconds.

    Raises:
        InvalidQuery: It is neither.
    """
    try:
        return (
            int(float(text) * 1e9)
            if re.fullmatch(r"\d{9,11}(\.\d+)?", text)
            else to_ns(_aware(dt.datetime.fromisoformat(text), where))
        )
    except ValueError:
        raise InvalidQuery(
            f"{text!r} is no time; use ISO 8601 (2026-03-03T14:00) or seconds since the epoch"
        ) from None


def _aware(moment: dt.datetime, where: dt.tzinfo) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=where)


def understand(question: str, *, now_ns: int, where: dt.tzinfo) -> tuple[TimePhrase, str]:
    """Find the expressions of time in a question.

    Args:
        question: In English.
        now_ns: The moment it is asked.
        where: The zone it is asked in.

    Returns:
        What was understood (a span of None where no time is named), and the question without
        those words.
    """
    now = from_ns(now_ns, where)
    rest, words, order = _take_order(question)
    spans: list[Span] = []
    moments: list[dt.datetime] = []
    part: tuple[str, str] | None = None
    for pattern, meaning in _RULES:
        found = pattern.search(rest)
        while found:
            if meaning is None:
                part = part or ((found["relation"] or "in").strip().lower(), found["part"].lower())
            else:
                try:
                    spans.append(meaning(found, now))
                    if meaning in (_at_clock, _ago):
                        moments += _moment(found, now)
                except (ValueError, OverflowError):
                    break
            words.append(found[0].strip())
            rest = f"{rest[: found.start()]} {rest[found.end() :]}"
            found = pattern.search(rest)
    if part is not None:
        spans = [_with_part(part, spans, now)]
    rest = re.sub(r"\s+", " ", rest).strip(" ,")
    rest = re.sub(r"\s+([?.!])", r"\1", rest)
    if not spans:
        return TimePhrase(None, tuple(words), order), rest
    start = max(span[0] for span in spans)
    end = min(span[1] for span in spans)
    span = TimeSpan(max(1, to_ns(start)), max(1, to_ns(end)))
    if end < start:
        span = TimeSpan(max(1, to_ns(start)), max(1, to_ns(start)))
    inside = [max(1, to_ns(moment)) for moment in moments if start <= moment <= end]
    return TimePhrase(span, tuple(words), order, inside[0] if inside else None), rest


def _moment(found: re.Match[str], now: dt.datetime) -> list[dt.datetime]:
    """The moment that "at 14:30" or "two hours ago" names; none for days and open spans."""
    names = found.groupdict()
    if "unit" in names:
        unit = _UNITS[names["unit"].lower()]
        if unit >= 86_400:
            return []
        return [now - dt.timedelta(seconds=_number(names["n"]) * unit)]
    exact = names["relation"].lower() in ("at", "around", "about")
    return [_clock(found, now)] if exact else []


_ORDERS = (
    (r"(?:\bwhen was )?(?:\bthe )?(?:\bvery )?\b(?:last|latest|most recent) time\b(?: that| when)?",
     "last"),
    (r"(?:\bwhen was )?(?:\bthe )?(?:\bvery )?\bfirst time\b(?: that| when)?", "first"),
    (r"\bmost recently\b|\blately\b", "last"),
    (r"\b(?P<keep>did|was|were|is|you|i|we|it|they|robot) last\b(?! (?:week|month|year|night|\w+day))",
     "last"),
    (r"\b(?P<keep>did|was|were|you|i|we) first\b(?= \w)", "first"),
    (r"(?P<keep>\w) last(?=\s*\??$)", "last"),
)  # fmt: skip


def _take_order(question: str) -> tuple[str, list[str], str | None]:
    for pattern, order in _ORDERS:
        found = re.search(pattern, question, re.IGNORECASE)
        if found:
            kept = found.groupdict().get("keep") or (
                "when did" if "when was" in found[0].lower() else ""
            )
            rest = f"{question[: found.start()]}{kept}{question[found.end() :]}"
            return rest, [found[0]], order
    return question, [], None


def _number(text: str) -> float:
    return float(NUMBERS.get(text.lower(), 0) or text)


def _midnight(moment: dt.datetime) -> dt.datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _day(moment: dt.datetime, *, days: int = 1) -> Span:
    start = _midnight(moment)
    end = _midnight(start + dt.timedelta(days=days)) - dt.timedelta(microseconds=1)
    return start, end


def _last_n(found: re.Match[str], now: dt.datetime) -> Span:
    amount = _number(found["n"]) if found["n"] else 1.0
    return now - dt.timedelta(seconds=amount * _UNITS[found["unit"].lower()]), now


def _ago(found: re.Match[str], now: dt.datetime) -> Span:
    unit = _UNITS[found["unit"].lower()]
    moment = now - dt.timedelta(seconds=_number(found["n"]) * unit)
    if unit >= 86_400:
        return _day(moment)
    slack = dt.timedelta(seconds=max(unit / 2, _number(found["n"]) * unit * 0.15))
    return moment - slack, min(now, moment + slack)


def _ago_or_longer(found: re.Match[str], now: dt.datetime) -> Span:
    moment = now - dt.timedelta(seconds=_number(found["n"]) * _UNITS[found["unit"].lower()])
    return dt.datetime.fromtimestamp(1, tz=now.tzinfo), moment


def _named_day(found: re.Match[str], now: dt.datetime) -> Span:
    back = {"today": 0, "yesterday": 1, "the day before yesterday": 2}[found["name"].lower()]
    return _day(now - dt.timedelta(days=back))


def _weekday(found: re.Match[str], now: dt.datetime) -> Span:
    back = (now.weekday() - _DAYS.index(found["weekday"].lower())) % 7
    if back == 0 and found["last"]:
        back = 7
    start, end = _day(now - dt.timedelta(days=back))
    return (start, now) if (found["since"] or "").lower().startswith("since") else (start, end)


def _calendar_period(found: re.Match[str], now: dt.datetime) -> Span:
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


def _date(found: re.Match[str], now: dt.datetime) -> Span:
    names = found.groupdict()
    if names.get("iso"):
        return _day(_aware(dt.datetime.fromisoformat(names["iso"]), now.tzinfo or dt.timezone.utc))
    text = names["month"].lower()
    month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(text))
    year = int(names["year"]) if names.get("year") else now.year
    moment = _midnight(now).replace(year=year, month=month, day=int(names["day"]))
    if not names.get("year") and moment > now:
        moment = moment.replace(year=year - 1)
    return _day(moment)


def _clock(found: re.Match[str], now: dt.datetime, prefix: str = "") -> dt.datetime:
    hour, half = int(found[f"hour{prefix}"]), (found[f"half{prefix}"] or "").replace(".", "")
    if half.lower() == "pm" and hour < 12:
        hour += 12
    if half.lower() == "am" and hour == 12:
        hour = 0
    minute, second = int(found[f"minute{prefix}"] or 0), int(found[f"second{prefix}"] or 0)
    moment = _midnight(now).replace(hour=hour, minute=minute, second=second)
    return moment if moment <= now else moment - dt.timedelta(days=1)


def _between_clocks(found: re.Match[str], now: dt.datetime) -> Span:
    start, end = _clock(found, now), _clock(found, now, "2")
    if not found["half"] and found["half2"] and end - start > dt.timedelta(hours=12):
        start += dt.timedelta(hours=12)
    return (start, end) if start <= end else (start - dt.timedelta(days=1), end)


def _at_clock(found: re.Match[str], now: dt.datetime) -> Span:
    moment, relation = _clock(found, now), found["relation"].lower()
    if relation in ("before", "until"):
        return _midnight(moment), moment
    if relation in ("after", "since"):
        return moment, min(_day(moment)[1], now)
    slack = dt.timedelta(minutes=15 if relation in ("around", "about") else 5)
    return moment - slack, moment + slack


def _with_part(part: tuple[str, str], spans: list[Span], now: dt.datetime) -> Span:
    relation, name = part
    first, last = _PARTS[name]
    if spans:
        day = _midnight(max(span[0] for span in spans))
    else:
        day = _midnight(now)
        begins = last if relation == "after" else first
        if relation not in ("before", "until") and day + dt.timedelta(hours=begins) > now:
            day -= dt.timedelta(days=1)
    start, end = day + dt.timedelta(hours=first), day + dt.timedelta(hours=last)
    if relation == "after":
        return end, _day(day)[1]
    if relation in ("before", "until"):
        return day, start
    if relation == "since":
        return start, now
    if first == last:
        return start - dt.timedelta(minutes=30), end + dt.timedelta(minutes=30)
    return start, end - dt.timedelta(microseconds=1)


Meaning = Callable[[re.Match[str], dt.datetime], Span]


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_SECOND_CLOCK = re.sub(r"\?P<(\w+)>", r"?P<\g<1>2>", _CLOCK)
_RULES: tuple[tuple[re.Pattern[str], Meaning | None], ...] = (
    (_rule(rf"\b(?:more|longer) than (?:a )?{_NUMBER}(?: of)? {_UNIT} ago\b"), _ago_or_longer),
    (
        _rule(
            rf"\b(?:in|within|during|over|for|from)?\s*(?:the )?(?:last|past)\s+"
            rf"(?:(?:a )?{_NUMBER}(?: of)?\s+){_UNIT}\b"
        ),
        _last_n,
    ),
    (
        _rule(
            r"\b(?:in|within|during|over)\s+the (?:last|past) (?P<n>)"
            r"(?P<unit>second|minute|hour|day|week|month|year)\b"
        ),
        _last_n,
    ),
    (_rule(rf"\b(?:about |around )?(?:a )?{_NUMBER}(?: of)?\s+{_UNIT} ago\b"), _ago),
    (_rule(r"\b(?P<name>the day before yesterday|yesterday|today)\b"), _named_day),
    (_rule(r"\b(?:on )?(?P<iso>\d{4}-\d{2}-\d{2})\b"), _date),
    (_rule(rf"\b(?:on )?(?:the )?{_DAY}(?: of)? {_MONTH}\b{_YEAR}"), _date),
    (_rule(rf"\b(?:on )?{_MONTH} {_DAY}\b{_YEAR}"), _date),
    (_rule(r"\b(?:during |in )?(?P<which>this|last) (?P<unit>week|month|year)\b"), _calendar_period),
    (_rule(rf"\b(?P<since>on |since )?(?P<last>last )?{_WEEKDAY}\b"), _weekday),
    (
        _rule(rf"\b(?:between|from) {_CLOCK}\s+(?:and|to|until)\s+{_SECOND_CLOCK}(?!\S*\d)\b"),
        _between_clocks,
    ),
    (
        _rule(
            r"\b(?P<relation>at|around|about|before|after|since|until) "
            r"(?=\d{1,2}(?::\d{2}|\s*(?:am|pm|a\.m\.|p\.m\.)|\b(?!\s*(?:m|cm|metres?|meters?)\b)))"
            + _CLOCK
            + r"(?:\s*o'clock)?"
        ),
        _at_clock,
    ),
    # "after lunch", not the lunch box; "last night", not the night stand
    (_rule(rf"\b(?P<relation>after|before|since|until|during|at|in|this|last|around)\s+"
           rf"(?:the )?{_PART}\b(?=\s*(?:$|[?.,!;]|\b(?:what|where|who|which|how|when|did|do|does|"
           rf"was|were|is|are|have|has|on|in|at|of|and|you|i|we|the robot|today|yesterday)\b))"), None),
)  # fmt: skip
