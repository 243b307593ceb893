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
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memory_core.errors import InvalidQuery
from memory_core.types import TimeSpan

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

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800,
          "month": 2_592_000, "year": 31_536_000, "sec": 1, "min": 60, "hr": 3600}  # fmt: skip
_MONTHS = (
    "january february march april may june july august september october november "
    "december"
).split()  # fmt: skip
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
    try:
        if offset:
            sign = -1 if offset[1] == "-" else 1
            return dt.timezone(sign * dt.timedelta(hours=int(offset[2]), minutes=int(offset[3])))
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
    whole = dt.datetime.fromtimestamp(stamp_ns // 1_000_000_000, tz=where)
    return whole.replace(microsecond=(stamp_ns % 1_000_000_000) // 1_000)


def parse_moment(text: str, where: dt.tzinfo) -> int:
    """An ISO 8601 moment, or seconds since the epoch, to nanoseconds.

    Raises:
        InvalidQuery: It is neither.
    """
    try:
        return (
            int(Decimal(text) * 1_000_000_000)
            if re.fullmatch(r"\d{9,11}(\.\d+)?", text, re.ASCII)
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
    for pattern, plainer in _SPOKEN:
        question = pattern.sub(plainer, question)
    rest, words, order = _take_order(question)
    time, rest = take_span(rest, now_ns=now_ns, where=where)
    return TimePhrase(time.span, (*words, *time.words), order, time.moment_ns), rest


def take_span(question: str, *, now_ns: int, where: dt.tzinfo) -> tuple[TimePhrase, str]:
    """Find the stretches of time in a question; "first" and "last" stay where they are.

    Args:
        question: In English.
        now_ns: The moment it is asked.
        where: The zone it is asked in.

    Returns:
        What was understood (a span of None where no time is named), and the question without
        those words.
    """
    now = from_ns(now_ns, where)
    for pattern, plainer in _SPOKEN:
        question = pattern.sub(plainer, question)
    rest, words = question, list[str]()
    said = _Said(now)
    for pattern, meaning in _RULES:
        while found := pattern.search(rest):
            start = found.start()
            bound = _BOUND.search(rest[:start]) if meaning in _DAY_MEANINGS else None
            if bound:
                start = bound.start()
            try:
                said.add(meaning, found, bound[1].lower() if bound else "")
            except (ValueError, OverflowError):
                break
            words.append(rest[start : found.end()].strip())
            rest = f"{rest[:start]} {rest[found.end() :]}"
    rest = re.sub(r"\s+", " ", rest).strip(" ,")
    rest = re.sub(r"(?:\s|,)+([?.!])", r"\1", rest)
    spans = said.spans()
    if not spans:
        return TimePhrase(None, tuple(words)), rest
    start_ns = max(max(1, to_ns(span[0])) for span in spans)
    end_ns = max(start_ns, min(to_ns(span[1]) for span in spans))
    inside = [max(1, to_ns(m)) for m in said.moments if start_ns <= to_ns(m) <= end_ns]
    span = TimeSpan(start_ns, end_ns)
    return TimePhrase(span, tuple(words), None, inside[0] if inside else None), rest


class _Said:
    """What one question says of time: days, hours of a day, and stretches up to now."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.moments: list[dt.datetime] = []
        self._days: list[Span] = []
        self._hours: list[Span] = []
        self._others: list[Span] = []
        self._bound = ""
        self._part: tuple[str, str] | None = None

    def add(self, meaning: Meaning | None, found: re.Match[str], bound: str) -> None:
        """Take in one expression; `bound` is a word such as "since" right before it."""
        if meaning is None:
            self._part = self._part or ((found["relation"] or "in").lower(), found["part"].lower())
        elif meaning in (_at_clock, _between_clocks):
            # the hour of a day that was named, else the latest such hour that has begun
            day = min(self._day_end(), self.now)
            self._hours.append(meaning(found, day))
            if meaning is _at_clock and _relation(found) in ("at", "around", "about"):
                self.moments.append(_clock(found, day))
            elif meaning is _at_clock and _relation(found) == "since":
                self._hours[-1] = (self._hours[-1][0], self.now)
                self._bound = self._bound or "since"
        elif meaning is _instant or (meaning is _ago and _UNITS[found["unit"].lower()] < 86_400):
            span = meaning(found, self.now)
            moment = (
                _back(self.now, found) if meaning is _ago else span[0] + (span[1] - span[0]) / 2
            )
            if bound:
                self._others.append(_bounded((moment, moment), bound, self.now))
            else:
                self._others.append(span)
                self.moments.append(moment)
        elif meaning in _DAY_MEANINGS:
            self._days.append(meaning(found, self.now))
            self._bound = self._bound or bound
        else:
            self._others.append(meaning(found, self.now))

    def _day_end(self) -> dt.datetime:
        return min((span[1] for span in self._days), default=self.now)

    def spans(self) -> list[Span]:
        """All stretches of time it says; the question means where they overlap."""
        inner = list(self._hours)
        if self._part is not None:
            inner.append(_with_part(self._part, self._days, self.now))
        if self._bound:
            inner = [_bounded(span, self._bound, self.now) for span in inner or self._days]
        return [*(inner or self._days), *self._others]


def _bounded(span: Span, bound: str, now: dt.datetime) -> Span:
    """A stretch that begins or ends with another one: "since Monday", "before 3 March"."""
    if bound == "since":
        return span[0], now
    if bound == "after":
        return span[1], now
    return _epoch(now), span[0] if bound == "before" else span[1]


def _epoch(now: dt.datetime) -> dt.datetime:
    return dt.datetime.fromtimestamp(1, tz=now.tzinfo)


def _back(now: dt.datetime, found: re.Match[str]) -> dt.datetime:
    """So many units before now, by the clock on the wall for days and longer, else elapsed."""
    elapsed = dt.timedelta(seconds=_number(found["n"] or "1") * _UNITS[found["unit"].lower()])
    if _UNITS[found["unit"].lower()] >= 86_400:
        return now - elapsed
    return (now.astimezone(dt.timezone.utc) - elapsed).astimezone(now.tzinfo)


_ORDERS = (
    (r"(?:\bwhen was )?(?:\bthe )?(?:\bvery )?\b(?:last|latest|most recent) time\b(?: that| when)?",
     "last"),
    (r"(?:\bwhen was )?(?:\bthe )?(?:\bvery )?\bfirst time\b(?: that| when)?", "first"),
    (r"\bmost recently\b|\blately\b|\brecently\b", "last"),
    (r"^(?:what|which|who)(?:'s| is| was| were) the (?P<order>first|last) (?:things?|objects?|"
     r"person|people)(?: that| which)? (?P<keep>\w+ (?:saw|see|noticed|found|met)\b)", ""),
    (r"(?P<keep>^what (?:did|have) \w+ (?:see|seen|notice)) (?P<order>first|last)(?=\s*\??$)", ""),
    (r"(?P<keep>^where did \w+ go|^where (?:were|was) \w+) (?P<order>first|last)(?=\s*\??$)", ""),
    (r"(?P<keep>^where did .*\b(?:start|begin)\b)", "first"),
    (r"(?P<keep>^where did .*\b(?:end|finish|stop)\b)", "last"),
    (r"(?P<keep>\b(?:was|were|is|are|been) (?:the |a |an |my )?(?:\w+ )*?)(?P<order>first|last) "
     r"(?=(?:seen|noticed|spotted|observed|found)\b(?!,|.* or ))", ""),
    (r"\b(?P<keep>did|was|were|is|you|i|we|it|they|robot) last\b(?! (?:week|month|year|night|\w+day))",
     "last"),
    (r"\b(?P<keep>did|was|were|you|i|we) first\b(?= \w)", "first"),
    (r"(?P<keep>\w) last(?=\s*\??$)", "last"),
)  # fmt: skip


def _take_order(question: str) -> tuple[str, list[str], str | None]:
    for pattern, order in _ORDERS:
        found = re.search(pattern, question, re.IGNORECASE)
        if found:
            names = found.groupdict()
            kept = names.get("keep") or ("when did" if "when was" in found[0].lower() else "")
            if kept.split(" ")[-1] in ("saw", "noticed", "found", "met"):
                kept = f"what did {kept}"
            rest = f"{question[: found.start()]}{kept}{question[found.end() :]}"
            return rest, [found[0]], order or names["order"].lower()
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
    return _back(now, found), now


def _ago(found: re.Match[str], now: dt.datetime) -> Span:
    unit = _UNITS[found["unit"].lower()]
    moment = _back(now, found)
    if unit >= 86_400:
        return _day(moment)
    slack = dt.timedelta(seconds=max(unit / 2, _number(found["n"]) * unit * 0.15))
    return moment - slack, min(now, moment + slack)


def _ago_or_longer(found: re.Match[str], now: dt.datetime) -> Span:
    return _epoch(now), _back(now, found)


def _named_day(found: re.Match[str], now: dt.datetime) -> Span:
    back = {"today": 0, "yesterday": 1, "the day before yesterday": 2}[found["name"].lower()]
    return _day(now - dt.timedelta(days=back))


def _weekday(found: re.Match[str], now: dt.datetime) -> Span:
    back = (now.weekday() - _DAYS.index(found["weekday"].lower())) % 7
    if back == 0 and found["last"]:
        back = 7
    return _day(now - dt.timedelta(days=back))


def _day_part(found: re.Match[str], now: dt.datetime) -> Span:
    """A part of a named day: yesterday afternoon, Monday morning."""
    day = _named_day(found, now) if found["name"] else _weekday(found, now)
    return _with_part(("in", found["part"].lower()), [day], now)


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
    month = _month_number(names["month"])
    year = int(names["year"]) if names.get("year") else now.year
    moment = _midnight(now).replace(year=year, month=month, day=int(names["day"]))
    if not names.get("year") and moment > now:
        moment = moment.replace(year=year - 1)
    return _day(moment)


def _month_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    return next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(text.lower()))


def _month(found: re.Match[str], now: dt.datetime) -> Span:
    """A month, or a year, of the calendar."""
    if not found["month"]:
        start = _midnight(now).replace(year=int(found["year2"]), month=1, day=1)
        return start, start.replace(year=start.year + 1) - dt.timedelta(microseconds=1)
    month = _month_number(found["month"])
    year = int(found["year"] or (now.year if month <= now.month else now.year - 1))
    start = _midnight(now).replace(year=year, month=month, day=1)
    after = (start + dt.timedelta(days=31)).replace(day=1)
    return start, after - dt.timedelta(microseconds=1)


def _weekend(_: re.Match[str], now: dt.datetime) -> Span:
    """The latest Saturday that has begun, and the Sunday after it."""
    return _day(now - dt.timedelta(days=(now.weekday() - 5) % 7), days=2)


def _time_of(found: re.Match[str], prefix: str = "") -> dt.time:
    hour, half = int(found[f"hour{prefix}"]), (found[f"half{prefix}"] or "").replace(".", "")
    if half.lower() == "pm" and hour < 12:
        hour += 12
    if half.lower() == "am" and hour == 12:
        hour = 0
    minute, second = int(found[f"minute{prefix}"] or 0), int(found[f"second{prefix}"] or 0)
    return dt.time(hour, minute, second)


def _clock(found: re.Match[str], now: dt.datetime) -> dt.datetime:
    moment = dt.datetime.combine(now.date(), _time_of(found), now.tzinfo)
    return moment if moment <= now else moment - dt.timedelta(days=1)


def _relation(found: re.Match[str]) -> str:
    return (found["relation"] or "at").strip().lower()


def _between_clocks(found: re.Match[str], now: dt.datetime) -> Span:
    start = _clock(found, now)
    end = dt.datetime.combine(start.date(), _time_of(found, "2"), now.tzinfo)
    if not found["half"] and found["half2"] and end - start > dt.timedelta(hours=12):
        start += dt.timedelta(hours=12)
    if end < start:
        end += dt.timedelta(days=1)
    late = dt.timedelta(days=1 if start > now else 0)
    return start - late, end - late


def _at_clock(found: re.Match[str], now: dt.datetime) -> Span:
    moment, relation = _clock(found, now), _relation(found)
    if relation in ("before", "until"):
        return _midnight(moment), moment
    if relation in ("after", "since"):
        return moment, min(_day(moment)[1], now)
    slack = dt.timedelta(minutes=15 if relation in ("around", "about") else 5)
    return moment - slack, moment + slack


def _instant(found: re.Match[str], now: dt.datetime) -> Span:
    moment = _aware(dt.datetime.fromisoformat(found["iso"].upper()), now.tzinfo or dt.timezone.utc)
    slack = dt.timedelta(minutes=5)
    return moment - slack, moment + slack


def _with_part(part: tuple[str, str], spans: list[Span], now: dt.datetime) -> Span:
    relation, name = part
    first, last = _PARTS[name]
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
        return end, _day(day)[1]
    if relation in ("before", "until"):
        return day, start
    if relation.startswith("since"):
        return start, now
    if first == last:
        return start - dt.timedelta(minutes=30), end + dt.timedelta(minutes=30)
    return start, end - dt.timedelta(microseconds=1)


Meaning = Callable[[re.Match[str], dt.datetime], Span]


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HOURS = r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"


def _quarters(found: re.Match[str]) -> str:
    hour, said = int(_number(found[2])), found[1].lower()
    if said.endswith("to"):
        return f"{(hour - 1) or 12}:45"
    return f"{hour}:{30 if said.startswith('half') else 15}"


_SPOKEN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_rule(r"\btonight\b"), "this evening"),
    (_rule(r"\bhalf an hour\b"), "30 minutes"),
    (_rule(r"\b(?:an|one) hour and a half\b|\bone and a half hours\b"), "90 minutes"),
    (_rule(rf"\b((?:a )?quarter (?:past|to)|half past) {_HOURS}\b"), _quarters),
    (
        _rule(rf"\b{_HOURS}(?= (?:o'clock|am|pm|in the (?:morning|afternoon|evening))\b)"),
        lambda found: f"{_number(found[1]):.0f}",
    ),
    (
        _rule(r"\b(\d{1,2}(?::\d{2})?)(?: o'clock)? in the (morning|afternoon|evening)\b"),
        lambda found: f"{found[1]} {'am' if found[2].lower() == 'morning' else 'pm'}",
    ),
    (_rule(r"\b(\d+)\s?h(?= ago\b)"), r"\1 hours"),
    (_rule(r"\b(\d+)(?=(?:min|s|sec|m) ago\b)"), r"\1 "),
)
"""What is said in another way than the rules below read it."""

_BOUND = _rule(r"\b(since|after|before|until|till)\s+(?:the )?$")
_DAY_MEANINGS = (_named_day, _day_part, _date, _month, _calendar_period, _weekend, _weekday, _ago,
                 _instant)  # fmt: skip
"""What names a stretch of the calendar, so that "since" or "before" may stand before it."""

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
    (
        _rule(
            r"\b(?:(?P<name>the day before yesterday|yesterday|today)|"
            rf"(?:on )?(?P<last>last )?{_WEEKDAY}) {_PART}\b"
        ),
        _day_part,
    ),
    (
        _rule(r"\b(?:earlier |later )?(?P<name>the day before yesterday|yesterday|today)\b"),
        _named_day,
    ),
    (
        _rule(
            r"\b(?:at |on )?(?P<iso>\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
            r"(?:z\b|[+-]\d{2}:?\d{2})?)"
        ),
        _instant,
    ),
    (_rule(r"\b(?:on )?(?P<iso>\d{4}-\d{2}-\d{2})\b"), _date),
    (_rule(rf"\b(?:on )?(?:the )?{_DAY}(?: of)? {_MONTH}\b{_YEAR}"), _date),
    (_rule(r"\b(?:on )?(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b"), _date),
    (_rule(rf"\b(?:on )?{_MONTH} {_DAY}\b{_YEAR}"), _date),
    (_rule(r"\b(?:during |in )?(?P<which>this|last) (?P<unit>week|month|year)\b"), _calendar_period),
    (_rule(rf"(?:\b(?:in|during) |(?<=\bsince )|(?<=\bbefore )|(?<=\bafter ))"
           rf"(?:{_MONTH}{_YEAR}|(?P<year2>\d{{4}}))\b"), _month),
    (_rule(r"\b(?:on|over|at|during|this|last)(?: the)?(?: last)? weekend\b"), _weekend),
    (_rule(rf"\b(?:on )?(?P<last>last )?{_WEEKDAY}\b"), _weekday),
    (
        _rule(rf"\b(?:between|from) {_CLOCK}\s+(?:and|to|until)\s+{_SECOND_CLOCK}(?!\S*\d)\b"),
        _between_clocks,
    ),
    (
        _rule(
            r"(?:\b(?P<relation>at|around|about|before|after|since|until) "
            r"(?=\d{1,2}(?::\d{2}|\s*(?:am|pm|a\.m\.|p\.m\.)|\b(?![,.]?\d|\s*(?:m|cm|metres?|meters?)\b)))"
            r"|(?<![\d:.,+-])\b(?=\d{1,2}(?::\d{2}|\s?(?:am|pm|a\.m\.|p\.m\.|o'clock)(?!\d))))"
            + _CLOCK
            + r"(?:\s*o'clock)?"
        ),
        _at_clock,
    ),
    # "after lunch", not the lunch box; "last night", not the night stand
    (_rule(rf"\b(?P<relation>since this|since last|after|before|since|until|during|at|"
           rf"in|on|this|last|around)\s+(?:the )?{_PART}\b(?:\s+of(?=\s*(?:$|[?.,!;])))?(?=\s*(?:$|[?.,!;]|\b(?:what|where|who|which|how|when|did|do|does|"
           rf"was|were|is|are|have|has|on|in|at|of|and|you|i|we|the robot|today|yesterday)\b))"), None),
)  # fmt: skip
