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
from memory_core.language.spans import (
    CLOCK,
    DAY,
    MONTH,
    NUMBER,
    PART,
    PARTS_OF_YEAR,
    TENS,
    UNIT,
    UNITS,
    WEEKDAY,
    YEAR,
    Meaning,
    Span,
    ago,
    ago_or_longer,
    at_clock,
    aware,
    back_from,
    between_clocks,
    bounded,
    calendar_period,
    clock_time,
    date,
    day_part,
    decade,
    instant,
    last_n,
    long_ago,
    month,
    named_day,
    number_of,
    part_of_year,
    relation_of,
    weekday,
    weekend,
    with_part,
)  # fmt: skip
from memory_core.types import TimeSpan


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
            else to_ns(aware(dt.datetime.fromisoformat(text), where))
        )
    except ValueError:
        raise InvalidQuery(
            f"{text!r} is no time; use ISO 8601 (2026-03-03T14:00) or seconds since the epoch"
        ) from None


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
        elif meaning in (at_clock, between_clocks):
            # the hour of a day that was named, else the latest such hour that has begun
            day = min(self._day_end(), self.now)
            self._hours.append(meaning(found, day))
            if meaning is at_clock and relation_of(found) in ("at", "around", "about"):
                self.moments.append(clock_time(found, day))
            elif meaning is at_clock and relation_of(found) == "since":
                self._hours[-1] = (self._hours[-1][0], self.now)
                self._bound = self._bound or "since"
        elif meaning is instant or (meaning is ago and UNITS[found["unit"].lower()] < 86_400):
            span = meaning(found, self.now)
            moment = (
                back_from(self.now, found) if meaning is ago else span[0] + (span[1] - span[0]) / 2
            )
            if bound:
                self._others.append(bounded((moment, moment), bound, self.now))
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
            inner.append(with_part(self._part, self._days, self.now))
        if self._bound:
            inner = [bounded(span, self._bound, self.now) for span in inner or self._days]
        return [*(inner or self._days), *self._others]


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


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HOURS = r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"


def _quarters(found: re.Match[str]) -> str:
    hour, said = int(number_of(found[2])), found[1].lower()
    if said.endswith("to"):
        return f"{(hour - 1) or 12}:45"
    return f"{hour}:{30 if said.startswith('half') else 15}"


_ORDINALS = {
    word: day
    for day, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        start=1,
    )
} | {"thirtieth": 30}


def _ordinal(found: re.Match[str]) -> str:
    tens = {"twenty": 20, "thirty": 30}.get((found["tens"] or "").lower(), 0)
    return str(tens + _ORDINALS[found["ones"].lower()])


_SPOKEN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_rule(r"\btonight\b"), "this evening"),
    (
        _rule(
            rf"\b(?:(?P<tens>twenty|thirty)[- ])?(?P<ones>{'|'.join(_ORDINALS)})(?= of {MONTH}\b)"
        ),
        _ordinal,
    ),
    (
        _rule(
            rf"\b(?P<m>{MONTH}) the (?:(?P<tens>twenty|thirty)[- ])?(?P<ones>{'|'.join(_ORDINALS)})\b"
        ),
        lambda found: f"{found['m']} {_ordinal(found)}",
    ),
    (_rule(r"\bhalf an hour\b"), "30 minutes"),
    (_rule(r"\b(?:an|one) hour and a half\b|\bone and a half hours\b"), "90 minutes"),
    (_rule(rf"\b((?:a )?quarter (?:past|to)|half past) {_HOURS}\b"), _quarters),
    (
        _rule(rf"\b{_HOURS}(?= (?:o'clock|am|pm|in the (?:morning|afternoon|evening))\b)"),
        lambda found: f"{number_of(found[1]):.0f}",
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
_DAY_MEANINGS = (part_of_year, decade, named_day, day_part, date, month, calendar_period, weekend, weekday, ago,
                 instant)  # fmt: skip
"""What names a stretch of the calendar, so that "since" or "before" may stand before it."""

_TOUR = r"(?:visit|tour|round|trip|inspection|walk-?through|session|run|patrol|stay)"
_AT = (
    rf"(?:\b(?:during|on|at|in) (?:your|the|that|our|my) {_TOUR} (?:of|on|from|dated) (?:the )?|"
    r"\b(?:back |already |early |late |only )?(?:on|during|throughout|in the course of|over the course of|as of|"
    r"around|about|by|for) (?:your |the |that |this past )?|\bthis past )?"
)
"""What may stand before a day: "on", "back on", "in the course of", "during your visit of"."""
_VISIT = rf"(?:(?:'s)? {_TOUR}\b)?"
"""What may stand behind it: "Tuesday's visit"."""
_SECOND_CLOCK = re.sub(r"\?P<(\w+)>", r"?P<\g<1>2>", CLOCK)
_RULES: tuple[tuple[re.Pattern[str], Meaning | None], ...] = (
    (
        _rule(
            r"\b(?:(?:already|back|sometime|some time) )*(?:(?:in|during|around|at|by|from|over|throughout|on|as early as|"
            r"as long ago as) )*(?:(?:the|very) )*(?:(?P<part>" + "|".join(PARTS_OF_YEAR) + r")(?:-| )(?:of |part of |months of )*)"
            r"(?:the year )?(?P<year>(?:1[89]|20)\d{2})\b(?!-)"
        ),
        part_of_year,
    ),
    (
        _rule(
            r"\b(?:(?:already|back|sometime|some time) )*(?:(?:in|during|around|by|throughout|as early as|as long ago as|"
            r"in the course of) )+(?P<part>)(?:the )?(?:year |year of )?(?P<year>(?:1[89]|20)\d{2})\b(?![-:])"
        ),
        part_of_year,
    ),
    (
        _rule(
            r"\b(?:back )?(?:(?:in|during|from) )(?:the )?(?:early |late |mid-?)?"
            rf"(?P<decade>(?:1[89]|20)\d0'?s|{TENS})\b"
        ),
        decade,
    ),
    (
        _rule(
            r"\b(?:back |already )*(?:(?:many|several|some|a lot of|lots of|countless|hundreds of|dozens of|a good many) )?"
            r"(?:(?P<one>a|one|the last|last) )?(?P<unit>decade|century|centurie|eon|age|(?<=many )year|(?<=several )year|"
            r"(?<=some )year|(?<=of )year|(?<=many )month|(?<=several )month)s?(?: and (?:ages|years|decades))? ago\b"
        ),
        long_ago,
    ),
    (_rule(r"\b(?:in |during )?(?:the )?(?P<one>last|previous|past) (?P<unit>century)\b"), long_ago),
    (_rule(r"\b(?:back )?(?P<one>)(?:a (?:very |really )?long time ago|(?<!how )long ago(?= ?$|[,?.!]))(?P<unit>)"), long_ago),
    (_rule(rf"\b(?:more|longer) than (?:a )?{NUMBER}(?: of)? {UNIT} ago\b"), ago_or_longer),
    (
        _rule(
            rf"\b(?:in|within|during|over|for|from)?\s*(?:the )?(?:last|past)\s+"
            rf"(?:(?:a )?{NUMBER}(?: of)?\s+){UNIT}\b"
        ),
        last_n,
    ),
    (
        _rule(
            r"\b(?:in|within|during|over)\s+the (?:last|past) (?P<n>)"
            r"(?P<unit>second|minute|hour|day|week|month|year)\b"
        ),
        last_n,
    ),
    (_rule(rf"\b(?:about |around )?(?:a )?{NUMBER}(?: of)?\s+{UNIT} ago\b"), ago),
    (
        _rule(
            r"\b(?:(?P<name>the day before yesterday|yesterday|today)|"
            rf"{_AT}(?P<last>last )?{WEEKDAY}) {PART}\b{_VISIT}"
        ),
        day_part,
    ),
    (
        _rule(r"\b(?:earlier |later )?(?P<name>the day before yesterday|yesterday|today)\b"),
        named_day,
    ),
    (
        _rule(
            r"\b(?:at |on )?(?P<iso>\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
            r"(?:z\b|[+-]\d{2}:?\d{2})?)"
        ),
        instant,
    ),
    (_rule(rf"{_AT}\b(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})\b{_VISIT}"), date),
    (_rule(rf"{_AT}\b(?:the )?{DAY}(?: of)? {MONTH}\b{YEAR}{_VISIT}"), date),
    (_rule(r"\b(?:on )?(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b"), date),
    (_rule(rf"{_AT}\b{MONTH} (?:the )?{DAY}\b{YEAR}{_VISIT}"), date),
    (_rule(r"\b(?:during |in )?(?P<which>this|last) (?P<unit>week|month|year)\b"), calendar_period),
    (_rule(rf"(?:\b(?:in|during) |(?<=\bsince )|(?<=\bbefore )|(?<=\bafter ))"
           rf"(?:{MONTH}{YEAR}|(?P<year2>\d{{4}}))\b"), month),
    (_rule(r"\b(?:on|over|at|during|this|last)(?: the)?(?: last)? weekend\b"), weekend),
    (_rule(rf"{_AT}\b(?P<last>last )?{WEEKDAY}\b{_VISIT}"), weekday),
    (
        _rule(rf"\b(?:between|from) {CLOCK}\s+(?:and|to|until)\s+{_SECOND_CLOCK}(?!\S*\d)\b"),
        between_clocks,
    ),
    (
        _rule(
            r"(?:\b(?P<relation>at|around|about|before|after|since|until) "
            r"(?=\d{1,2}(?::\d{2}|\s*(?:am|pm|a\.m\.|p\.m\.)|\b(?![,.]?\d|\s*(?:m|cm|metres?|meters?)\b)))"
            r"|(?<![\d:.,+-])\b(?=\d{1,2}(?::\d{2}|\s?(?:am|pm|a\.m\.|p\.m\.|o'clock)(?!\d))))"
            + CLOCK
            + r"(?:\s*o'clock)?"
        ),
        at_clock,
    ),
    # "after lunch", not the lunch box; "last night", not the night stand
    (_rule(rf"\b(?P<relation>since this|since last|after|before|since|until|during|at|"
           rf"in|on|this|last|around)\s+(?:the )?{PART}\b(?:\s+of(?=\s*(?:$|[?.,!;])))?(?=\s*(?:$|[?.,!;]|\b(?:what|where|who|which|how|when|did|do|does|"
           rf"was|were|is|are|have|has|on|in|at|of|and|you|i|we|the robot|today|yesterday)\b))"), None),
)  # fmt: skip
