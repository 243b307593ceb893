"""Visits: "on your first tour", "since you were last here", "long before you first came".

People name a visit by a noun ("the last of your rounds") or by a clause ("when you first looked
around"), with words before it that only say "at that time" ("in the course of"). The patterns
here are put together from these parts. When a visit was, only the memory knows; here it is only
understood which one is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Which = Literal["first", "last", "previous", "second", "before"]


@dataclass(frozen=True, slots=True)
class Visit:
    """Which visit is meant.

    Attributes:
        which: By number, or `before` for a time before all of them.
        since: Whether what came after it is meant ("since your last visit"), not the visit.
    """

    which: Which
    since: bool = False


_NOUN = (
    r"(?:visit|tour|round|trip|walk(?:-?through|-?about|-?around)?|stay|pass|patrol|inspection|look(?:-?around)?|run(?:-?through)?|drive|"
    r"session|outing|day|circuit|go(?:-?round)?|exploration|survey|sweep|check|call|recording|time (?:here|there|round|around|in|"
    r"through|out)|lap|occasion|arrival|appearance|stop(?:over)?|journey|expedition|excursion|mission|stroll|wander|once-over|"
    r"viewing|drop-in|patrol|stint|presence|turn|encounter with the (?:house|place|flat|home))s?"
)
_HOUSE = r"(?:(?:the|this|that|our|my|your|whole|entire) )*(?:house|home|building|flat|apartment|place|rooms|premises|everything|it all)"
_HERE = (
    r"(?:(?:here|there|by|in|around|round|along|over|back|inside|this way|into|through|to|at|of|the|this|that|house|home|"
    r"building|flat|apartment|place|premises|rooms|about|everything|it|all|out|up)\b ?)*"
)
_FIRST = r"(?:(?:very )?(?:first|earliest|initial|1st|opening|original|maiden|inaugural|debut)(?: ever)?)"
_LAST = r"(?:(?:very )?(?:last|latest|most recent|newest|final|recent))"
_OWN = r"(?:your|the|my|our|that|this|its)"
_ROBOT = r"(?:you|we|i|the robot|it)"
_DOING = r"(?:made|did|do|took|had|went on|were on|paid|completed|carried out|performed|conducted|finished|started|began|set out on|came for)"
_CAME = (
    r"(?:ever )?(?:came|come|were|was|went|go|visited|visit|toured|tour|looked|walked|drove|rolled|arrived|entered|set off|set out|"
    r"explored|stopped|dropped|popped|passed|set foot|got|had been|been|have been|are|surveyed|inspected|patrolled|called|turned up|showed up|"
    rf"started(?: out)?|began|(?:did|made) (?:your|the|our) rounds|(?:saw|see|roamed|checked|wandered|crossed)(?= (?:around|about|{_HOUSE}))|"
    rf"{_DOING} (?:your|the|a|my|our) (?:last |first )?[a-z]+)"
)
_STILL = r"(?:(?:back|right|already|just|way|still|all|only|and) )*"
_LEAD = (
    rf"\b(?:{_STILL}(?:(?:in|over|during|throughout) the course of|(?:on |at |during |from )?the "
    rf"(?:time|day|date|morning|moment|period|occasion) of|for the duration of) |{_STILL}(?:while|as|when) "
    rf"(?:{_ROBOT} (?:{_DOING}|were doing|were making) )?(?:(?:on|in) )?|"
    rf"{_STILL}(?:(?:during|on|in|at|from|of|throughout|over|upon|within|as of|with|for) )?)"
)
_CLAUSE = r"(?:\b(?:(?:back|right|already|just|way|still) )*(?:(?:on|at|during|from) )?)"
_QUANTITY = (
    r"(?:\b(?:on|at|for) (?=the |a )|\bin (?=the ))?(?:\b(?:some|about|around|just|long|way|well|shortly|already|only|even|right|a|an|the|one|two|three|four|five|"
    r"six|seven|eight|nine|ten|eleven|twelve|several|many|few|couple of|good|whole|full|very|point in|\d+) )*"
    r"(?:(?:day|week|month|year|hour|decade|century|centurie|fortnight|while|bit|time|moment|evening|morning|afternoon|night|minute|"
    r"spring|summer|autumn|fall|winter|season)s? )?(?:or (?:so|two|more) )?(?:long |way |well |earlier |shortly |immediately )*"
)
_BEFORE = (
    r"(?:before|prior to|ahead of|preceding|earlier than|leading up to|in advance of|up to|until)"
)
_NEVER = rf"{_ROBOT} (?:had not|hadn't|had never|have not|were not|weren't|did not yet|had yet to) (?:yet |ever )?(?:been|be|come|visited|visit|set foot|exist|existed|seen|arrived|built|here) ?{_HERE}(?: ?yet)?"
_FOR_THE_FIRST = r"(?:(?:for )?(?:the )?(?:very )?first time|first(?! time)|initially)"
_FOR_THE_LAST = r"(?:(?:for )?(?:the )?last time|last(?! time)|most recently|lately|latest)"

_WAYS: tuple[tuple[str, Which], ...] = (
    (
        rf"{_QUANTITY}{_BEFORE} (?:the (?:time|day|moment|date|start|beginning) (?:of |when |that )?)?(?:(?:{_OWN} )?{_FIRST} (?:ever )?(?:{_NOUN}|time)\b(?: {_ROBOT} {_CAME})? ?{_HERE}|"
        rf"{_ROBOT} (?:had )?(?:ever |first |initially )+(?:{_CAME}|saw|existed) ?{_HERE}|"
        rf"{_ROBOT} (?:had )?{_CAME} ?{_HERE}{_FOR_THE_FIRST}?(?=\s*$|,|[?.!])|"
        rf"{_ROBOT} {_CAME} {_HERE}{_FOR_THE_FIRST}|"
        rf"{_ROBOT} (?:were|was) (?:switched on|turned on|built|made|born|activated|started|delivered|installed|around|here|there)|"
        rf"{_OWN} (?:memory|memories|recordings?|arrival|time) (?:begins?|began|starts?|started|here)?|"
        rf"{_ROBOT} (?:existed|remember|started|began)(?: (?:anything|recording|remembering))?)",
        "before",
    ),
    (rf"\b(?:when|while|as|at a time when) {_NEVER}", "before"),
    (rf"{_QUANTITY}(?:when|before|while|until|as) {_HOUSE} (?:was|had been|got) (?:being |still |first )?(?:built|new|constructed|planned|finished|completed|a building site)\b", "before"),
    (rf"{_QUANTITY}{_BEFORE} {_OWN} (?:{_LAST}|second|2nd) {_NOUN}\b", "previous"),
    (rf"{_LEAD}(?:{_OWN} )?{_FIRST} of (?:{_OWN} |all |those |these |both )*(?:two |three |several |many )?{_NOUN}\b", "first"),
    (rf"{_LEAD}(?:{_OWN} )?(?:{_LAST}|later|latter) of (?:{_OWN} |all |those |these |both )*(?:two |three |several |many )?{_NOUN}\b", "last"),
    (rf"{_LEAD}(?:{_OWN} )?(?:earlier|former) of (?:{_OWN} |those |these |both )*(?:two )?{_NOUN}\b", "previous"),
    (r"\b(?:the )?(?:very )?first time (?:round|around|through|here|out)\b", "first"),
    (r"\b(?:the )?(?:very )?(?:last|latest) time (?:round|around|through|here|out)\b", "last"),
    (rf"{_LEAD}{_OWN} {_FIRST} (?:ever )?{_NOUN}\b(?: {_HERE.rstrip('*')}*)?", "first"),
    (rf"{_LEAD}{_OWN} (?:second|2nd) (?:ever )?{_NOUN}\b(?: {_HERE.rstrip('*')}*)?", "second"),
    (rf"{_LEAD}{_OWN} (?:previous|earlier|prior|penultimate|former|second to last|last but one) {_NOUN}\b", "previous"),
    (rf"{_LEAD}{_OWN} (?:{_LAST}|later|latter) {_NOUN}\b(?: {_HERE.rstrip('*')}*)?", "last"),
    (rf"{_LEAD}(?:the )?(?:day|visit|tour|round|session|trip) (?:one|1|number one|no\.? ?1|#1)\b", "first"),
    (rf"{_LEAD}(?:the )?(?:day|visit|tour|round|session|trip) (?:two|2|number two|no\.? ?2|#2)\b", "second"),
    (rf"{_CLAUSE}(?:\b(?:the )?{_FIRST} (?:time|day|occasion) (?:ever )?(?:that |when |on which )?{_ROBOT} {_CAME}\b ?{_HERE})", "first"),
    (rf"{_CLAUSE}(?:\b(?:the )?{_LAST} (?:time|day|occasion) (?:that |when |on which )?{_ROBOT} {_CAME}\b ?{_HERE})", "last"),
    (rf"{_LEAD}first (?:visit|tour|round|walk-?through)\b(?= |$|,)", "first"),
    (rf"{_LEAD}last (?:visit|tour|round|walk-?through)\b(?= |$|,)", "last"),
    (r"\b(?:back |right )?(?:at|in|from) the (?:very )?(?:beginning|start|outset)\b(?: of (?:your|the) (?:memory|memories|recordings?))?(?! of)", "first"),
    (rf"\b(?:(?:back|on|at) )*(?:when|as|while|upon|the (?:day|time|moment|morning)(?: that| when)?) {_ROBOT} (?:had )?(?:very )?(?:first|initially|originally) {_CAME}\b ?{_HERE}", "first"),
    (rf"\b(?:(?:back|on|at) )*(?:when|as|while|the (?:day|time|moment|morning)(?: that| when)?) {_ROBOT} (?:had |were |was |have )?(?:last|most recently|latest) (?:{_CAME}\b ?|(?=here|there|around|by\b|in {_HOUSE})){_HERE}", "last"),
    (rf"\b(?:(?:back|on|at) )*(?:when|as|while|the (?:day|time|moment)(?: that| when)?) {_ROBOT} {_CAME}\b ?{_HERE}{_FOR_THE_FIRST}\b(?: ?{_HERE})", "first"),
    (rf"\b(?:(?:back|on|at) )*(?:when|as|while|the (?:day|time|moment)(?: that| when)?) {_ROBOT} {_CAME}\b ?{_HERE}{_FOR_THE_LAST}\b(?: ?{_HERE})", "last"),
    (rf"\b(?:(?:back|on|at) )*(?:when|as|while|the day|the moment) {_ROBOT} (?:started(?: out)?|began|set out|set off)\b ?{_HERE}", "first"),
    (r"(?<!the )\b(?:this )?last time(?=$|,)", "last"),
    (rf"\b(?:since|after|between) (?:the |your )?last time\b(?! {_ROBOT})", "last"),
    (r"\b(?:since|after) (?:you|we|i) (?:were|was|came|visited|looked) (?:last |previously )(?:here|round|around|by|in)\b(?: the house)?", "last"),
    (rf"\bbetween (?:the|your|both|those|these|our) (?:two |both )?(?:{_NOUN})\b", "last"),
    (rf"\b(?:from one|between one) {_NOUN} (?:to|and) (?:the next|another|the other)\b", "last"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), which) for pattern, which in _WAYS)
_SINCE = re.compile(
    r"\b(?:since|after|from|compared (?:to|with)|than|as (?:compared )?(?:to|with|against)|against|until)\s*$"
)
_MENTION = re.compile(
    rf"(?:^|(?<=[\s,]))(?:(?:during|on|in|at|as of|throughout|for|in the course of|over the course of|at the time of|back on) "
    rf"(?:(?:your|the|that|this|our) )?(?:[a-z]+'s |'s )?(?:{_NOUN})(?: (?:of|on|from|for|dated))?|"
    rf"(?:back )?(?:when|while|as) {_ROBOT} {_CAME}(?: {_HERE.rstrip('*')}*)?(?: on)?|"
    r"(?:in|over) the course of|throughout|this past|past|back(?: on)?|during|as of)(?=\s*$|\s*[,?.!])"
)
_LEADING_MENTION = re.compile(
    rf"^(?:(?:during|on|in|at|as of|throughout) (?:(?:your|the|that|our) )?(?:'s )?(?:{_NOUN})(?: (?:of|on|from))?|"
    rf"(?:when|while) {_ROBOT} {_CAME}(?: {_HERE.rstrip('*')}*)?(?: on)?|(?:in|over) the course of|throughout|this past|back(?: on)?|during|as of)\s*,\s*"
)


def _goes_on(said: str, rest: str) -> bool:
    """Whether a place is named right after: "the last time you were in the kitchen"."""
    open_ended = said.split()[-1] in (
        "in", "into", "to", "at", "the", "through", "this", "by", "near", "around", "of", "up", "out",
    )  # fmt: skip
    if re.match(r"\s*(?:across|upon|into|past|aware|close|to|with)\b", rest):
        return True  # "when you last came across the vase"
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


def without_mention(text: str) -> str:
    """A question whose date was taken out, without what only said that a visit was then.

    "Where was the lamp during your visit of" and "when you were here" say no more than the date.

    Args:
        text: Lower case.
    """
    text = _LEADING_MENTION.sub("", text)
    return re.sub(r"\s+", " ", _MENTION.sub("", text)).strip(" ,")
