"""Words to a goal: what a robot is asked to do.

A small grammar of what people ask of a robot that drives and has a hand. What it names is kept
in the asker's words; the memory grounds it later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from memory_core.errors import GoalNotUnderstood

GoalKind = Literal[
    "go", "find", "fetch", "put", "put back", "open", "close", "press", "push", "search", "patrol",
    "return", "answer", "wait", "say",
]  # fmt: skip
MAX_WORDS = 500
ME = "me"
"""The destination of what is brought to the asker."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked for.

    Attributes:
        words: As it was said.
        kind: What is to be done.
        thing: What with, in the asker's words, the place it is said to be at included; "" where
            nothing is handled.
        to: Where it is to be brought, or where the robot is to go; `ME` is the asker.
        relation: How it shall lie there: `on`, `in`, `near`.
        seconds: How long to wait.
        said: What to say, or the question to answer.
        order: `first` or `last`, where a moment it was seen is meant.
    """

    words: str
    kind: GoalKind
    thing: str = ""
    to: str = ""
    relation: str = "on"
    seconds: float = 0.0
    said: str = ""
    order: str | None = None


_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|please|now|then|robot|and|so|just|kindly)\b[, ]*)+|"
    r"^(?:can|could|would|will) you (?:please |kindly )?|^i (?:want|need|would like|'d like) you to |"
    r"^i'd like you to |^(?:would|do) you mind |^you (?:should|must|have to) |^(?:help me )(?:to )?(?=find|bring|get)|"
    r"[, ]*(?:please|thanks|thank you|for me|if you can|if you could|right now|now)$"
)
_ARTICLE = r"(?:(?:the|a|an|my|our|your|his|her|their|some|any|this|that) )"
_HANDLE = (
    r"(?:bring|fetch|get|carry|take|deliver|hand|pass|give|grab|pick up|collect|move|transport)"
)
_LAY = r"(?:put|place|set|lay|leave|drop|store|stow|move|bring|take|carry|deliver|deposit)"
_CARRY = r"(?:bring|take|carry|move|deliver|transport)"
_ON = r"(?:on top of|onto|upon|on|into|inside|in|next to|beside|near|by|at|to)"
_TO_ME = r"(?:to me|over here|here|back to me|over)"
_AWAY = r"(?:back|away|back where (?:it|they) (?:belongs?|was|were)|where (?:it|they) belongs?|back in (?:its|their) place)"
_SEEN = r"(?:saw|seen|noticed|found|spotted)"

_PATTERNS: tuple[tuple[GoalKind, str], ...] = (
    ("wait", r"^(?:wait|stay|pause|hold on)(?: here)?(?: for)? (?P<count>[\w.]+)(?: more)? (?P<unit>second|minute|hour)s?$"),
    ("wait", r"^(?:wait|stay|pause|stop)(?: here| there)?$"),
    ("say", r"^(?:say|announce|shout|tell everybody|tell everyone)[: ]+(?P<said>.+)$"),
    ("patrol", r"^(?:patrol|inspect|tour|check|walk around|go around|go round|look around)\b(?: (?:in |through )?(?:the |my |our )?(?:whole |entire )?(?:house|home|flat|apartment|building|place|rooms|everything))?(?:,? and (?:report|tell|say)\b.*)?$"),
    ("patrol", r"^(?:go and )?(?:see|check|find out|look|report|tell me)(?: if| whether)? (?:what|anything|something)(?: has| have|'s| is)? (?:changed|moved|missing|different|new)\b.*$"),
    ("return", rf"^(?:go |drive |come |return |get )*(?:back )?to (?:the place |the spot )?where (?:you|i|we) (?P<order>first|last)(?: time)? {_SEEN} (?P<thing>.+)$"),
    ("return", rf"^(?:go |drive |come |return |get )*(?:back )?to (?:the place |the spot )?where (?:you|i|we) {_SEEN} (?P<thing>.+?)(?: for)? (?:the )?(?P<order>first|last)(?: time)?$"),
    ("put back", rf"^(?:put|bring|take|carry|tidy|clear|return|tuck) (?P<thing>.+?) {_AWAY}$"),
    ("put back", rf"^(?:put|bring|take|carry|tidy|clear) {_AWAY} (?P<thing>.+)$"),
    ("put back", r"^(?:tidy up|tidy|clear up|return) (?P<thing>.+?)(?: to (?:its|their|the right|the usual) (?:place|spot|home))?$"),
    ("fetch", rf"^(?:{_HANDLE}|go and {_HANDLE}|go {_HANDLE}) (?:me|us) (?P<thing>.+)$"),
    ("fetch", rf"^{_HANDLE} (?P<thing>.+?) {_TO_ME}$"),
    ("fetch", r"^(?:fetch|get|grab|collect|pick up|go and get|go get|hand|pass|give me|i need|i want|i would like|i'd like) (?P<thing>.+)$"),
    ("put", rf"^{_CARRY} (?P<thing>.+) (?P<relation>to|into|onto) (?P<to>.+)$"),
    ("put", rf"^{_LAY} (?P<thing>.+?) (?P<relation>{_ON}) (?P<to>.+)$"),
    ("find", r"^(?:find|locate|look for|search for|seek|hunt for|go and find|go find|show me)(?: out)? (?P<thing>.+)$"),
    ("search", r"^(?:search|look through|look in|check) (?P<to>.+?) for (?P<thing>.+)$"),
    ("open", r"^(?:open|open up|pull open) (?P<thing>.+)$"),
    ("close", r"^(?:close|shut|push shut) (?P<thing>.+)$"),
    ("press", r"^(?:press|push|hit|switch on|turn on|switch off|turn off) (?P<thing>.*\b(?:button|switch|bell|doorbell)\b.*)$"),
    ("push", r"^(?:push|shove|nudge) (?P<thing>.+)$"),
    ("go", r"^(?:(?:go|drive|navigate|move|head|walk|come|travel|roll|run|proceed|return)(?: over| back| on)?(?: up| down)? (?:to|into|in|toward|towards|near|next to|beside|by) |visit |approach )(?P<to>.+)$"),
    ("go", r"^(?:come|go) (?P<to>here|home|back|upstairs|downstairs)$"),
)  # fmt: skip
_READ = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_QUESTION = re.compile(
    r"^(?:where|what|when|which|who|how|why|is|are|was|were|do|did|does|have|has|had|can|could|"
    r"should|tell me|describe|list|count)\b|\?$"
)
_NUMBERS = {word: number for number, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve".split()
)} | {"a": 1, "an": 1, "half": 0.5, "twenty": 20, "thirty": 30, "sixty": 60}  # fmt: skip
_UNIT_S = {"second": 1.0, "minute": 60.0, "hour": 3_600.0}
_FROM = re.compile(r" from (?=(?:the|a|an|my|our|your|upstairs|downstairs)\b)")
_RELATIONS = {
    "into": "in", "inside": "in", "in": "in", "next to": "near", "beside": "near", "near": "near",
    "by": "near", "at": "near",
}  # fmt: skip
_HERE = ("me", "us", "here", "home", "back", "you", "the dock", "your dock", "the start")


def parse_goal(words: str) -> Goal:
    """What is asked for.

    Args:
        words: In English, as one would say them.

    Raises:
        GoalNotUnderstood: They ask for nothing a robot can do, or for nothing at all.
    """
    if not isinstance(words, str) or not words.strip():
        raise GoalNotUnderstood("no goal was given; say something like 'bring me the red mug'")
    if len(words) > MAX_WORDS:
        raise GoalNotUnderstood(f"the goal has {len(words)} characters; at most {MAX_WORDS}")
    asked = words.strip().endswith("?")
    said = _plainly(words)
    for kind, pattern in _READ:
        found = pattern.match(said)
        if found is not None:
            return _goal(words, kind, found.groupdict())
    if asked or _QUESTION.search(said):
        return Goal(words, "answer", said=words.strip())
    raise GoalNotUnderstood(
        f"{words.strip()!r} asks for nothing I can do; I can go, find, fetch, put, put back, open, "
        "close, press, push, search, patrol, wait, say and answer questions"
    )


def _plainly(words: str) -> str:
    said = re.sub(r"\s+", " ", words.lower().replace("\u2019", "'")).strip(" ?!.,")
    while (plainer := _POLITE.sub("", said).strip(" ,")) != said and plainer:
        said = plainer
    return said


def _goal(words: str, kind: GoalKind, parts: dict[str, str | None]) -> Goal:
    thing = _bare(_FROM.sub(" at ", parts.get("thing") or ""))
    to = _bare(parts.get("to") or "")
    relation = _RELATIONS.get(parts.get("relation") or "on", "on")
    goal = Goal(words, kind, thing, to, relation, order=parts.get("order"))
    if kind == "wait":
        return replace(goal, seconds=_seconds(words, parts))
    if kind == "say":
        return replace(goal, said=(parts["said"] or "").strip(" '\""))
    if kind == "fetch":
        return replace(goal, to=ME)
    if to in _HERE:
        return replace(goal, kind="fetch" if kind == "put" else kind, to=ME)
    return goal


def _seconds(words: str, parts: dict[str, str | None]) -> float:
    count = parts.get("count")
    if not count:
        return 0.0
    known = _NUMBERS.get(count)
    try:
        number = float(count) if known is None else known
    except ValueError:
        raise GoalNotUnderstood(f"{words!r}: {count!r} is no number of seconds") from None
    return number * _UNIT_S[parts["unit"] or "second"]


def _bare(phrase: str) -> str:
    return re.sub(rf"^{_ARTICLE}", "", phrase.strip())
