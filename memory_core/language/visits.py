"""Visits: "on your first tour", "since you were last here", "long before you first came".

When a visit was, only the memory knows; here it is only understood which one is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Which = Literal["first", "last", "previous", "second", "before"]

_NOUN = (
    r"(?:visit|tour|round|trip|walk(?:-?through|about)?|stay|pass|patrol|inspection|look(?: ?around)?|run|drive|"
    r"session|outing|day|circuit|go|exploration|survey|sweep|call|recording|time (?:here|there|round|around|in|"
    r"through|out)|lap|check|day here|occasion)s?"
)
_HERE = (
    r"(?:(?:here|there|by|in|around|round|along|over|back|inside|this way|into|through|to|at|the|this|that|house|home|"
    r"building|flat|apartment|place|rooms|about|everything|it|all) ?)*"
)
_CAME = (
    r"(?:ever )?(?:came|come|were|went|visited|visit|toured|looked (?:round|around)|walked|drove|arrived|entered|"
    r"explored|(?:made|did|took) (?:your|the|a|my|our) (?:last |first )?[a-z]+|looked about|stopped by|dropped (?:in|by)|set foot|got|had been|been|passed|have been|are|surveyed|inspected)"
)
_FIRST = r"(?:(?:very )?(?:first|earliest|initial|1st|opening|original))"
_LAST = r"(?:(?:very )?(?:last|latest|most recent|newest|final|recent))"
_OWN = r"(?:your|the|my|our|that|this)"
_ROBOT = r"(?:you|we|i|the robot)"

_WAYS: tuple[tuple[str, Which], ...] = (
        (
            rf"(?:\b(?:on|in|at|some|about|around|just|long|way|well|shortly|already)\b )*(?:(?:the|a|an|one|two|three|four|five|"
            rf"six|seven|eight|nine|ten|several|many|some|few|couple of|\d+) )*(?:(?:day|week|month|year|hour|decade|"
            rf"century|time|evening|morning|night|minute|summer|winter)s? )?(?:long |way |well )?(?:before|prior to|ahead of|preceding) "
            rf"(?:(?:{_OWN} )?{_FIRST} (?:ever )?(?:{_NOUN}|time)(?: {_ROBOT} {_CAME} {_HERE})?|"
            rf"{_ROBOT} (?:had )?(?:ever |first |initially )+(?:{_CAME}|saw|existed) ?{_HERE}|"
            rf"{_ROBOT} {_CAME} {_HERE}(?:for the (?:very )?first time|first|initially)|"
            rf"{_ROBOT} (?:were|was) (?:switched on|turned on|built|made|born|activated|started|delivered|installed)|"
            rf"{_OWN} (?:memory|memories|recordings?|arrival|time) (?:begins?|began|starts?|started|here)?|"
            rf"{_ROBOT} (?:existed|remember|started|began)(?: (?:anything|recording|remembering))?)",
            "before",
        ),
        (rf"\b(?:during |on |in |at |from |back (?:on|in|at) |as of )?{_OWN} {_FIRST} (?:ever )?{_NOUN}\b(?: {_HERE.rstrip('*')}*)?", "first"),
        (rf"\b(?:on|during|in|at) {_OWN} second (?:ever )?{_NOUN}\b", "second"),
        (rf"\b(?:during |on |in |at )?{_OWN} (?:previous|earlier|prior|penultimate|second to last) {_NOUN}\b", "previous"),
        (rf"\b(?:during |on |in |at |from |back (?:on|in|at) )?{_OWN} {_LAST} {_NOUN}\b(?: {_HERE.rstrip('*')}*)?", "last"),
        (r"\b(?:on |during )?(?:day|visit|tour|round) (?:one|1|number one)\b", "first"),
        (r"\b(?:on |during )?(?:day|visit|tour|round) (?:two|2|number two)\b", "second"),
        (rf"\b(?:the )?(?:very )?first time (?:that |when )?{_ROBOT} {_CAME}\b ?{_HERE}", "first"),
        (rf"\b(?:the )?(?:last|most recent|latest) time (?:that |when )?{_ROBOT} {_CAME}\b ?{_HERE}", "last"),
        (r"\b(?:the )?(?:very )?first time (?:round|around|through|here|out)\b", "first"),
        (r"\b(?:back )?(?:at|in) the (?:very )?(?:beginning|start|outset)\b(?: of (?:your|the) (?:memory|memories|recordings?))?(?! of)", "first"),
        (r"(?<!the )\b(?:this )?last time(?=$|,)", "last"),
        (rf"\b(?:when|as|while) {_ROBOT} (?:very )?first {_CAME}\b ?{_HERE}", "first"),
        (rf"\b(?:when|as|while) {_ROBOT} (?:last|most recently|latest) {_CAME}\b ?{_HERE}", "last"),
        (rf"\b(?:when|as|while) {_ROBOT} {_CAME}\b ?{_HERE}(?:for the (?:very )?first time|first|initially)\b", "first"),
        (rf"\b(?:when|as|while) {_ROBOT} {_CAME}\b ?{_HERE}(?:for the last time|last|most recently|the last time|lately)\b", "last"),
        (rf"\b(?:since|after|between) (?:the |your )?last time\b(?! {_ROBOT})", "last"),
        (r"\b(?:since|after) (?:you|we|i) (?:were|was|came|visited|looked) (?:last |previously )(?:here|round|around|by|in)\b(?: the house)?", "last"),
        (rf"\bbetween (?:the|your|both|those|these|our) (?:two |both )?(?:{_NOUN})\b", "last"),
        (rf"\b(?:from one|between one) {_NOUN} (?:to|and) (?:the next|another|the other)\b", "last"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), which) for pattern, which in _WAYS)
_SINCE = re.compile(
    r"\b(?:since|after|from|compared (?:to|with)|than|as (?:compared )?(?:to|with|against)|against|until)\s*$"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Which visit is meant.

    Attributes:
        which: By number, or `before` for a time before all of them.
        since: Whether what came after it is meant ("since your last visit"), not the visit.
    """

    which: Which
    since: bool = False


def _goes_on(said: str, rest: str) -> bool:
    """Whether a place is named right after: "the last time you were in the kitchen"."""
    open_ended = said.split()[-1] in (
        "in",
        "into",
        "to",
        "at",
        "the",
        "through",
        "this",
        "by",
        "near",
        "around",
    )
    return (
        open_ended
        and re.match(r"\s*(?!what|where|which|how|did|was|is|and|when)[a-z]", rest) is not None
    )


def take_visit(text: str) -> tuple[Visit | None, str]:
    """The visit named in a question, and the question without those words.

    Args:
        text: Lower case.
    """
    for pattern, which in _PATTERNS:
        found = pattern.search(text)
        if found is None or _goes_on(found[0], text[found.end() :]):
            continue
        start = found.start()
        lead = _SINCE.search(text[:start])
        since = lead is not None or re.match(r"since|after|between|from one", found[0]) is not None
        if lead is not None:
            start = lead.start()
        rest = f"{text[:start]} {text[found.end() :]}"
        rest = re.sub(r"\s+([?.!,;:])", r"\1", re.sub(r"\s+", " ", rest))
        return Visit(which, since), rest.strip(" ,")
    return None, text
