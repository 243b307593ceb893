"""Sentences that send a robot somewhere, or name a thing in its place, into their parts.

"Go to the lounge on level 1 and bring me the candle from the table on the right" wants a
candle, by a table, in a lounge, on the lowest floor. Light rules: floor words are taken out
first; clauses are cut at punctuation, "and" and verbs of action; noun phrases are the runs
between function words; the wanted thing is the first one a verb of action governs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from memory_core.language.lexicon import NUMBERS, join_compounds, lemma, words_of
from memory_core.language.rooms import room_named

TOP = -1

_MOTION = frozenset(
    (
        "go walk head proceed enter navigate travel advance venture come run step "
        "press continue exit leave return visit off in on"
    ).split()
)
_MOTION_WITH = {
    verb: frozenset("to into along your forward on in over".split())
    for verb in ("move", "get", "make", "find", "turn")
}
_MOTION_WITH["turn"] -= {"on"}
_ACTION = frozenset(
    (
        "clean wipe dust bring take pick pull push remove wash polish straighten fetch "
        "grab retrieve check inspect empty replace fluff sweep scrub vacuum tidy fold "
        "sit put place open close flush hang lift collect adjust fix rearrange switch "
        "turn touch get find move give clear rotate locate hand carry water tell see "
        "look set shut use start make ensure report count unplug plug dump wind raise "
        "lower fill throw refill restock"
    ).split()
)
_PARTICLES = frozenset(["me", "it", "up", "off", "down", "out", "on"])
_PREPOSITIONS = frozenset(
    (
        "in on at of to from into onto by near beside under below beneath above over "
        "behind with next left right between against off across inside outside around "
        "along through toward towards up down out nearest closest adjacent opposite "
        "front top bottom side end middle center corner past after away atop "
        "underneath within throughout facing"
    ).split()
)
_FUNCTION = frozenset(
    (
        "located hanging hung standing sitting lying leading attached connected found "
        "mounted placed directly immediately just leaning resting set has containing "
        "featuring closer straight upstairs downstairs if thats level current one ones "
        "the a an this that these those my your me i you it its is are be was and or "
        "then please which who where there here some any all both each every other "
        "another for as so can will want need would like should make sure have having "
        "been being not them they him her his their our we also when while before "
        "until only very once way go going get too new back hand far furthest farthest "
        "first second third last own same using use"
    ).split()
)
_TIGHT = frozenset(
    (
        "on above over under below beneath behind beside next by near nearest closest "
        "between against adjacent opposite front atop underneath left right inside in "
        "of with"
    ).split()
)
_DETERMINERS = frozenset(
    ("the a an this that these those my your some all both each every two three four").split()
)
_AWAY = frozenset(
    (
        "through past from along after off by near across adjacent next beside "
        "opposite behind between closest nearest outside with"
    ).split()
)
_FLOORS = (
    (r"\b(?:level|floor|story|storey|levels)\s*(?:number\s*)?(\d|one|two|three|four|five)\b", None),
    (r"\b(\d(?:st|nd|rd|th)|first|second|third|fourth|fifth)\s+(?:level|floor|story|storey)\w*\b",
     None),
    (r"\b(?:ground|bottom|lower|lowest|main)\s+(?:level|floor)\b|\bdownstairs\b", 1),
    (r"\b(?:top|upper|highest)\s+(?:level|floor)\b|\bupstairs\b", TOP),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Directions:
    """A sentence taken apart.

    Attributes:
        text: The sentence.
        target: The noun phrase of the wanted thing; empty where there is none.
        room: The kind of room to go to (index into `ROOM_KINDS`), or None.
        other_rooms: Kinds of the other rooms named.
        floor: 1 for the lowest, 2, …, -1 for the top; None where none is named.
        landmarks: Phrases right after the target, tied to it by a relation; the first is the
            closest.
        context: Every other noun phrase.
        words: All lemmas.
    """

    text: str
    target: str = ""
    room: int | None = None
    other_rooms: tuple[int, ...] = ()
    floor: int | None = None
    landmarks: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Phrase:
    before: str
    words: tuple[str, ...]
    determined: bool
    clause: int
    verb: str

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def room(self) -> int | None:
        return room_named([lemma(word) for word in self.words])


def take_floor(text: str) -> tuple[int | None, str]:
    """The floor named in a text, and the text without the words that name it.

    Args:
        text: Lower case.
    """
    floor = None
    for pattern, value in _FLOORS:
        found = re.search(pattern, text)
        if found:
            if floor is None:
                floor = NUMBERS.get(found[1]) if value is None else value
            text = re.sub(
                r"(?:\b(?:on|in|at|of|to)\s+)?(?:\bthe\s+)?" + f"(?:{pattern})", " ", text
            )
    return floor, text


def _clauses(text: str) -> Iterator[list[str]]:
    plain = re.sub(r"[^a-z0-9,.;]+", " ", text.lower().replace("'s", ""))
    for clause in re.split(r"[.;,]| and then | and | then | please | so that ", f" {plain} "):
        run: list[str] = []
        tokens = join_compounds(f" {clause.strip()} ").split()
        for place, word in enumerate(tokens):
            after = tokens[place + 1] if place + 1 < len(tokens) else ""
            before = tokens[place - 1] if place else ""
            led = before in _DETERMINERS or (before in _PREPOSITIONS and before != "to")
            governs = after in _DETERMINERS | _PREPOSITIONS | {"me", "you", "it"}
            if run and word in _ACTION and not led and governs:
                yield run
                run = []
            run.append(word)
        if run:
            yield run


def _verb(tokens: list[str]) -> tuple[str, bool]:
    """A clause's leading verb, and whether it is one of motion; empty where none leads."""
    first, after = tokens[0], tokens[1] if len(tokens) > 1 else ""
    if first in _DETERMINERS:
        return "", False
    if first in _MOTION_WITH:
        return first, after in _MOTION_WITH[first]
    if first in _MOTION:
        return first, True
    if first in _PREPOSITIONS:
        return "", False
    known = first in _ACTION or after in _DETERMINERS or after in _PARTICLES
    return (first, False) if known else ("", False)  # "… and white rug" goes on with a list


def _phrases(text: str) -> list[_Phrase]:
    found = []
    for clause, tokens in enumerate(_clauses(text)):
        verb, motion = _verb(tokens)
        acting = "" if motion else verb
        run: list[str] = []
        determined, before = False, ""
        for place, word in enumerate([*tokens, ""]):
            leads = place == 0 and bool(verb)
            if word and word not in _FUNCTION and word not in _PREPOSITIONS and not leads:
                run.append(word)
                continue
            if run:
                found.append(_Phrase(before, tuple(run), determined, clause, acting))
                run, determined = [], False
            if word in _DETERMINERS:
                determined = True
            elif word in _PREPOSITIONS or leads:
                before = word
    return found


def _target(phrases: list[_Phrase]) -> _Phrase | None:
    things = [phrase for phrase in phrases if phrase.room is None]
    for wanted in (
        [phrase for phrase in things if phrase.verb in _ACTION],
        [phrase for phrase in things if phrase.verb],
    ):
        if wanted:
            return wanted[0]
    last = max((phrase.clause for phrase in phrases), default=0)
    late = [phrase for phrase in things if phrase.clause == last > 0]
    heads = [phrase for phrase in things if not phrase.before]  # "the lamp on the nightstand"
    chosen = late or heads or things[-1:] or phrases[-1:]
    return chosen[0] if chosen else None


def parse(sentence: str) -> Directions:
    """Take a sentence apart.

    Args:
        sentence: English; an order, a question's noun phrase, or a description.
    """
    floor, text = take_floor(sentence.lower())
    phrases = _phrases(text)
    target = _target(phrases)
    landmarks: list[_Phrase] = []
    if target is not None:
        same = [phrase for phrase in phrases if phrase.clause == target.clause]
        place = same.index(target)
        follows = same[place + 1] if place + 1 < len(same) else None
        # "bring me over the bottle": what has a determiner is the thing, not the particle
        if (
            follows is not None
            and not target.determined
            and follows.determined
            and follows.room is None
            and follows.before not in _TIGHT
        ):
            target, place = follows, place + 1
        landmarks = [phrase for phrase in same[place + 1 :] if phrase.room is None][:3]
    rooms = [phrase for phrase in phrases if phrase.room is not None]
    goal = next((p for p in rooms if p.before not in _AWAY), rooms[0] if rooms else None)
    used = {phrase.text for phrase in (*landmarks, *([target] if target else []))}
    return Directions(
        text=sentence,
        target=target.text if target else "",
        room=goal.room if goal else None,
        other_rooms=tuple(p.room for p in rooms if p is not goal and p.room is not None),
        floor=floor,
        landmarks=tuple(phrase.text for phrase in landmarks),
        context=tuple(p.text for p in phrases if p.room is None and p.text not in used),
        words=tuple(words_of(text)),
    )
