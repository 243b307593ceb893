"""By structure: what a question wants, from how its words are put together.

The skeleton of a question (`phrases`) holds question words, verbs of seeing, moving and being,
relations, comparatives and orders, and symbols for what it names. The functions of `ask_order`,
`ask_place`, `ask_change` and `ask_time` each know one family of questions by those, whatever
else stands in between; none compares whole sentences.
"""

from __future__ import annotations

import re
from dataclasses import replace

from memory_core.language import ask_change, ask_order, ask_place, ask_time
from memory_core.language.asked import Question
from memory_core.language.directions import take_floor
from memory_core.language.lexicon import words_of
from memory_core.language.needs import take_need
from memory_core.language.phrases import skeleton
from memory_core.language.reading import read
from memory_core.language.rooms import room_named


def by_structure(text: str) -> Question | None:
    """The question that its structure shows; None where that says nothing.

    Args:
        text: Lower case; expressions of time and visits already taken out.
    """
    text = re.sub(
        r"^(?:hey|hi|hello|ok|okay|please|so|and|well|robot|now|then|sorry|excuse me)\b[, ]+",
        "",
        text,
    )
    text = re.sub(
        r"[, ]+(?:please|thanks|thank you|do you know|if you (?:can|know|remember))$", "", text
    )
    text = re.sub(
        r"^(?:.*?\b)?(?:whether|if) (.+?) (is|are|was|were|has|have|did|does) (?=\w)",
        r"\2 \1 ",
        text,
    )
    text = _FILLERS.sub(" ", text).strip()
    text = _carried(text)
    listed = text.startswith("list ")
    text = re.sub(r"^list\b", "show", text)
    if _BODY.search(text) or "(" in text or _RANGE.search(text) or re.search(r"\brobot\b", text):
        return None
    wanted = _property(text)
    if wanted is not None:
        return wanted
    need = take_need(text)
    if need is not None:
        return Question("", "need", (need,), present=True)
    floor, text = take_floor(text)
    if floor is None and re.search(r"\b(?:cellar|basement|attic|loft)\b", text):
        floor = None
    asked = read(skeleton(text))
    if asked.has(r"\bsee (?:any )?SOMEBODY\b"):
        return None
    if floor is not None:
        words = "upstairs" if floor < 0 else f"on floor {floor}"
        place = replace(asked.place, floor=floor, words=f"{words} {asked.place.words}".strip())
        asked = replace(asked, place=place)
    for understood in (
        ask_order.between, ask_order.which_first, ask_order.before_or_after, ask_place.extreme, ask_place.on_what, ask_place.beside, ask_time.count, ask_order.rooms,
        ask_order.next_room, ask_change.moved, ask_change.changes, ask_order.next_thing, ask_change.still, ask_time.when, ask_time.stayed, ask_place.which_room, ask_place.describe, ask_place.what,
        ask_place.where, ask_place.ever,
    ):  # fmt: skip
        question = understood(asked)
        if question is not None:
            return None if listed and question.kind == "find" else question
    return None


_FILLERS = re.compile(
    r" ?\b(?:on earth|in the world|the (?:heck|hell|devil)|exactly|precisely|again|by any chance|possibly)\b ?"
)
_NO_QUESTION = r"(?!(?:the|a|an|my|your|our|this|that|its|where|wherever|which|whichever|what|whatever|when|how|if|whether|since|before|after|who|whose|there|list|show)\b)"
_CARRIER = re.compile(
    rf"^(?:who (?:knows|can tell me|remembers) |(?:{_NO_QUESTION}[a-z']+ ){{1,9}}?)"
    r"(?P<asked>(?:(?:in|on|at|from|of|to|for|by|under|into|between|around) )?(?:where|whereabouts|which|what|when|how)\b(?: [a-z',-]+){2,})$"
)
_PREPOSITION = re.compile(
    r"(?:^|.* )(?:in|on|at|from|of|to|for|by|under|into|between|around|since|until|with|and|or|near|beside|next|like|see|find)$"
)


def _carried(text: str) -> str:
    """A question without what only carries it: "remind me where ...", "can you work out which ..."."""
    found = _CARRIER.match(text)
    if found is None or _PREPOSITION.match(text[: found.start("asked")].strip()):
        return text
    return found["asked"]


_BODY = re.compile(
    r"\b(?:battery|batteries|charge|charged|charging|voltage|temperature|how (?:hot|warm|cold)|how far|(?<!est )distance|metres|meters|"
    r"how close|how near|power level)\b"
)
_RANGE = re.compile(r"\b(?:within|less than) [\d.]+ ?(?:m|metres?|meters?|cm)\b|\b\d+ ?m\b")

_PROPERTIES = re.compile(
    r"\bhow much (?:did|does|do|is|was|were|are|would|will)? ?.*\b(?:cost|costs|worth|pay|paid|weigh|weighs|sell)\b|"
    r"\bhow much (?:is|was|are|were) (?:the|that|this|my)\b|"
    r"\b(?:price|value|worth|owner|owners|brand|maker|manufacturer|weight|age|colour of the walls|title|author|recipe|"
    r"flavou?r|smell|scent|taste|song|tune|music|melody|password|phone number|meaning|purpose|warranty|material)\b"
    r"(?! (?:box|player|stand|book|room|instrument|system|sheet|scale))|"
    r"\b(?:expensive|cheap|costly|pricey|heavy|tasty|delicious|comfortable)\b|"
    r"\bhow (?:old|heavy|loud|bright|clean|dirty|deep|comfortable|soft|expensive|much money)\b|"
    r"\bwho(?:m)? (?:is |was |does |did |has |had )?(?:the |it )?(?:own|owns|owned|owning|bought|buys|made|makes|built|gave|gives|sold|painted|"
    r"wrote|put|moved|took|broke|uses|used|lives|sleeps|belongs|does|left|brought|cleans|cleaned|invented|designed|is the|was the|sits|works|cooked|paid|"
    r"stole|placed|removed)\b|"
    r"\bwho .+ (?:belong|belongs|belonged) to\b|\bwhose\b|\bbelongs? to (?:whom|who)\b|\bto whom\b|\bwhy\b|"
    r"\bwhat (?:is|was|are|were|'s) .+ made (?:of|from|out of)\b|\bmade (?:of|from|out of) what\b|"
    r"\bwhat(?:'s| is| was| were| are)? (?:the |.*)?names? of (?!the (?:room|rooms|thing|things|place)\b)|\bwhat (?:is|was) .+ (?:called|named)\b|"
    r"\bwhat .+ (?:playing|on the radio|singing|saying|thinking|watching|reading|listening|eating|cooking|smell|smells|taste|tastes)\b|"
    r"\bwhat(?:'s| is| was| lies| are| were| do you find| would i find| might be| can be found| did you (?:see|find))? (?:there )?(?:kept |stored |hidden |hiding |lying )?"
    r"(?:inside|within)(?: of)? (?!the (?:house|building|flat|apartment|home)\b)|"
    r"\bwhat (?:can|could|may) (?:be|you|one|i|we) (?:heard?|smell|smelt|felt|feel|tasted?|touch)\b|\b(?:humidity|serial number|model number)\b|"
    r"^(?:when|how long|what|where|who|which [a-z ]+) will\b|\bwhat does .+ (?:contain|hold inside|say|weigh|cost|smell of|smell like|taste like|sound like|feel like|mean)\b|"
    r"\bwhat(?:'s| is| was)? (?:there )?(?:behind|hidden|written|printed|drawn|painted|in front of)\b|\bcontents of (?!the (?:house|room))|"
    r"\b(?:how|what) (?:many|much) (?:money|euros?|dollars?|pounds|people live|pages|watts|calories)\b|\bwhen (?:was|were) .+ (?:bought|made|built|purchased|manufactured|born)\b|"
    r"\bwhere (?:was|were|did) .+ (?:bought|made|manufactured|buy|purchase|purchased)\b|\bbirthday\b|\bfavou?rite\b"
)
"""What nobody sees: prices, owners, names, tunes, what is inside, behind or written."""

_INSIDE_ROOM = re.compile(
    r"\b(?:inside|within|contents of|behind|contain)(?: of)? (?:the |your |my )?([a-z ]+)$"
)


def _property(text: str) -> Question | None:
    found = _PROPERTIES.search(text)
    if found is None:
        return None
    if re.search(r"\b(?:contain|hold|inside|within)", found[0]) and skeleton(text).rooms:
        return None
    inside = _INSIDE_ROOM.search(text)
    if inside and found[0].startswith("what") and room_named(words_of(inside[1])) is not None:
        return None
    named = skeleton(text).things
    return Question("", "property", tuple(item.text for item in named[-1:]))
