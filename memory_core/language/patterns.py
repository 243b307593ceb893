"""The ways people begin a question, one function a kind: kind, thing and place by patterns.

Times are taken out first, so that what is left names the thing. `intents` reads the structure of
a question before these are tried.
"""

from __future__ import annotations

import re
from dataclasses import replace

from memory_core.language.asked import PlacePhrase, Question, everything
from memory_core.language.directions import TOP, take_floor
from memory_core.language.lexicon import words_of
from memory_core.language.plain import SEE, YOU
from memory_core.language.rooms import room_named

_ANYBODY = re.compile(r"(?:anyone|anybody|someone|somebody|people|everyone)(?: else)?")

_LEAVE = r"(?:leave|left|put|place|placed|keep|kept|lose|lost|store|stored|drop|dropped|park|parked|have|use|used)"
_BE = r"(?:is|are|was|were|'s|has|have|had)"
_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_CIRCLE = re.compile(
    rf"\b(?:within|inside|less than)\s+{_NUMBER}\s*(?:m|metres?|meters?)\s+(?:of|from|around)\s+"
    rf"(?:the point\s+)?\(?\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\)?"
)
_POINT = re.compile(
    rf"\b(?:at|near|around|close to)\s+(?:the point\s+)?\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\)"
)
_AROUND_THING = re.compile(
    rf"\b(?:within|less than)\s+{_NUMBER}\s*(?:m|metres?|meters?)\s+(?:of|from)\s+(?:the |a |an )?([a-z][a-z ]*)"
)
_RELATIONS = {
    "near": r"near|close to|next to|beside|by|around|nearby|at|alongside|in front of|behind|"
    r"opposite|across from|adjacent to",
    "on": r"on top of|on|onto|atop|above|over",
    "under": r"under|underneath|below|beneath",
    "in": r"inside|within|into|in",
}
_RELATION_OF = {word: name for name, words in _RELATIONS.items() for word in words.split("|")}
_PLACE = re.compile(
    r"\b(" + "|".join(sorted(_RELATION_OF, key=len, reverse=True)) + r")\s+"
    r"(the\s+|a\s+|an\s+|my\s+|your\s+|our\s+|that\s+|this\s+|)([a-z][a-z0-9 '-]*?)(?=$|[?.,;!]|\s+(?:and|or|when|that|"
    + "|".join(sorted(_RELATION_OF, key=len, reverse=True))
    + r")\b)"
)
_NOWHERE = re.compile(
    r"(?:house|building|home|flat|apartment|time|memory|world|morning|evening|afternoon|day|night|"
    r"way|list|robot)"
)
_LEADING = re.compile(
    r"^(?:the|a|an|any|some|my|your|our|his|her|their|that|this|these|those|all|another|there|"
    r"nearest|closest|both|several|two|three|four|five)\s+"
)


def clean_thing(words: str) -> str:
    """A noun phrase without leading determiners, trailing verbs and pronouns."""
    words = words.strip(" ?!.,")
    words = re.sub(rf"\b(?:that|which) {YOU}.*$", "", words)
    while (shorter := _LEADING.sub("", words)) != words:
        words = shorter
    words = re.sub(
        r"\s+(?:is|are|was|were|be|been|located|now|right now|currently|again|please|there|here|"
        r"anywhere|somewhere|around|in this (?:house|building|place|flat|apartment|home)|"
        r"in (?:the|your) memory|in the (?:house|building|flat|apartment)|at all|kept|left|put|"
        r"placed|standing|lying|to be found)$", "", words)  # fmt: skip
    return words.strip()


def take_place(text: str) -> tuple[PlacePhrase, str]:
    """The place named in a text, and the text without it.

    Args:
        text: Lower case.
    """
    found = _CIRCLE.search(text)
    if found:
        place = PlacePhrase(found[0], circle=(float(found[2]), float(found[3]), float(found[1])))
        return place, _without(text, found)
    found = _POINT.search(text)
    if found:
        return PlacePhrase(found[0], circle=(float(found[1]), float(found[2]), 2.0)), _without(
            text, found
        )
    found = _AROUND_THING.search(text)
    if found:
        return PlacePhrase(found[0], thing=clean_thing(found[2])), _without(text, found)
    floor, rest = take_floor(text)
    place = PlacePhrase(_floor_words(floor), floor=floor)
    for found in reversed(list(_PLACE.finditer(rest))):
        thing = clean_thing(found[3])
        if not thing or _NOWHERE.fullmatch(thing):
            continue
        room = room_named(words_of(thing))
        if room is None and not found[2]:
            continue  # "in kitchen" names a place; "in general" does not
        if room is not None and place.room is None:
            place = replace(
                place, room=room, called=thing, words=f"{found[0]} {place.words}".strip()
            )
        elif room is None and place.thing is None:
            place = replace(
                place, thing=thing, relation=_RELATION_OF[found[1]],
                words=f"{found[0]} {place.words}".strip(),
            )  # fmt: skip
        else:
            continue
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    if place.room is not None and place.thing is None:
        place = replace(place, relation="in")
    return place, re.sub(r"\s+", " ", rest).strip(" ?!.,")


def _floor_words(floor: int | None) -> str:
    if floor is None:
        return ""
    return "upstairs" if floor == TOP else f"on floor {floor}"


def _without(text: str, found: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", f"{text[: found.start()]} {text[found.end() :]}").strip(" ?!.,")


def _body(text: str) -> Question | None:
    if re.search(rf"^(?:where|find|bring|fetch|get|show|take|which)\b|\b{SEE}\b|\b(?:is|are) there\b|"
                 r"\bcharg(?:er|ing)\b|\bbatter(?:y|ies) (?:pack|box)", text):  # fmt: skip
        return None
    if re.search(r"\b(battery|charge|charged|power (?:level|left)|voltage)\b", text):
        return Question(text, "body", quantity="battery", robot=True)
    if re.search(r"\b(temperature|how (?:hot|warm|cold))\b", text) and "kettle" not in text:
        return Question(text, "body", quantity="temperature", robot=True)
    return None


def _first(text: str) -> Question | None:
    for pattern in (
        r"^(?:which|what|who)\b.*?\bfirst\b[,:]?\s*(?:the |a |an )?(.+?) or (?:the |a |an )?(.+)$",
        rf"^(?:did|have|had) {YOU} {SEE} (?:the |a |an )?(.+?) or (?:the |a |an )?(.+?) first$",
        rf"^(?:did|have|had) {YOU} {SEE} (?:the |a |an )?(.+?) (?:before|earlier than|after|later than) "
        r"(?:you saw |seeing )?(?:the |a |an )?(.+)$",
        r"^(?:was|were|is) (?:the |a |an )?(.+?) (?:seen )?(?:before|earlier than|after|later than) (?:the |a |an )?(.+)$",
        r"^(?:what|which) (?:came|comes|was) first[,:]? (?:the |a |an )?(.+?) or (?:the |a |an )?(.+)$",
    ):
        found = re.search(pattern, text)
        if found:
            return Question(text, "which_first", (clean_thing(found[1]), clean_thing(found[2])))
    return None


_CHANGES = re.compile(
    r"\b(?:what|anything|something)(?:'s| has| have| is| was)?\s*(?:been )?"
    r"(?:changed|change|different|moved|new|missing|gone)\b|"
    r"\b(?:what|which(?: things?| objects?| items?)?|what (?:things?|objects?|items?)) (?:else )?(?:has |have |had "
    r"|was |were |is |are )?(?:been )?(?:moved|changed|disappeared|appeared|missing|gone|new)\b|"
    r"^(?:did|has|have|is|was) (?:anything|something|things)\b.*\b(?:change|changed|move|moved|missing|new|"
    r"different|gone|disappear|disappeared)\b|"
    r"^(?:is|was) there (?:anything|something) (?:new|different|missing|changed)\b|"
    r"^(?:what|which|are there any|were there any|any|did you (?:see|notice) any) changes?\b"
)
_CHANGED_THING = re.compile(
    r"^(?:has|have|did|was|were|is|are) (?:the |a |an |my |our |your )?(.+?) (?:been )?(?:moved?|changed?"
    r"|disappear(?:ed)?|gone|missing)(?: (?:its |their )?(?:place|position|around|away))?$|"
    r"^(?:did|has|have) (?:somebody|someone|anybody|anyone|you|i|we) (?:move|moved|take|taken|took) "
    r"(?:the |a |an |my |our |your )?(.+)$"
)


def _changed(text: str) -> Question | None:
    place, rest = take_place(text)
    if _CHANGES.search(text):
        return Question(text, "changed", place=place)
    found = _CHANGED_THING.search(rest)
    if found:
        return Question(text, "changed", (clean_thing(found[1] or found[2]),), place)
    return None


def _how(text: str) -> Question | None:
    found = re.search(
        r"^how (?:many|much)\s+(?:different |kinds of )?(.+?)"
        r"(?:\s+(?:are|is|were|was|do|does|did|have|can|has|you|i|we)\b(.*))?$",
        text,
    )
    if found and re.match(r"(?:times|often)\b", found[1]):
        return _times_seen(text)
    if found:
        place, _ = take_place(text)
        thing, _ = _split_place(found[1])
        return Question(text, "how_many", (clean_thing(thing),), place)
    if re.match(r"^how (?:often|frequently)\b", text):
        return _times_seen(text)
    if re.search(
        r"^how far\b|^what distance\b|^how (?:much|many) (?:metres|meters|distance)", text
    ):
        apart = re.search(
            r"^how far (?:is|are|was|were) (?:the |a |an |it from )?(.+?) (?:from|to) (?:the |a |an )?(.+)$",
            text,
        )
        if apart and not re.search(r"\b(?:you|robot)\b", apart[0]):
            return Question(text, "how_far", (clean_thing(apart[1]), clean_thing(apart[2])))
        away = re.search(r"^how far (?:is|are) (?!it\b)((?:the |a |an |my ).+)$", text)
        if away:
            thing, place = _split_place(away[1])
            return Question(text, "how_far", (clean_thing(thing),), place)
        return Question(text, "how_far", robot=True)
    if re.match(r"^(?:how long|for how long|how much time)\b", text):
        place, rest = take_place(text)
        ago = re.search(
            rf"(?:since|ago)\b.*?\b{SEE}\s+(?:the |a |an )?(.+)$|since (?:you )?(?:last )?{SEE} (.+)$",
            rest,
        )
        if ago:
            return Question(text, "how_long", (clean_thing(ago[1] or ago[2]),), place)
        return Question(text, "how_long", place=place, robot=True)
    return None


def _times_seen(text: str) -> Question:
    found = re.search(rf"\b{SEE}\s+(?:the |a |an )?(.+)$", text)
    place, rest = take_place(text)
    if found:
        thing, _ = _split_place(found[1])
        return Question(text, "how_many", (clean_thing(thing),), place, quantity="times")
    visited = re.search(r"\b(?:in|to|at|visit(?:ed)?)\b", rest) is not None
    return Question(text, "how_many", place=place, robot=visited or place.named, quantity="times")


def _ever(text: str) -> Question | None:
    found = re.search(
        rf"^(?:have|has|had|did|do|does) {YOU} (?:ever |already |just |actually )?(?:been |be |go |gone |visit(?:ed)? |drive |driven )(?:in |to |into |at |inside )?(.+)$",
        text,
    )
    if found:
        place, _ = take_place(text)
        if not place.named:
            thing = clean_thing(found[1])
            place = PlacePhrase(thing, room=room_named(words_of(thing)),
                                thing=None if room_named(words_of(thing)) is not None else thing)  # fmt: skip
        return Question(text, "ever", place=place, robot=True)
    found = re.search(
        rf"^(?:have|has|had|did|do|does) {YOU} (?:ever |already |just |actually )?(?:{SEE}|have|know|know of|remember seeing|own) (.+)$",
        text,
    ) or re.search(
        r"^(?:seeing|is there|are there|was there|were there|have there been|has there been) "
        r"(?:ever )?(.+)$",
        text,
    )
    if found:
        thing, place = _split_place(found[1])
        thing = clean_thing(thing)
        if everything(thing):
            return Question(text, "what", place=place)
        return Question(text, "ever", (_somebody(thing),), place)
    found = re.search(
        r"^(?:is|are|was|were) (?:the |my |our |a |an )(.+?) (?:there|here|around|anywhere)$", text
    )
    if found:
        return Question(text, "ever", (clean_thing(found[1]),))
    found = re.search(
        r"^(?:is|are|was|were) (?:the |my |a |an )(.+?) (?=(?:in|on|near|under|at|by|upstairs|downstairs)\b)(.+)$",
        text,
    )
    if found:
        place, _ = take_place(found[2])
        return Question(text, "ever", (clean_thing(found[1]),), place)
    return None


def _when(text: str) -> Question | None:
    if not re.match(r"^(?:when|what time|at what time|what day|on what day|what date)\b", text):
        return None
    found = re.search(rf"\b{SEE}\s+(.+)$", text)
    if found:
        thing, place = _split_place(found[1])
        return Question(text, "when", (clean_thing(thing),), place)
    found = re.search(
        rf"\b(?:was|were|did|is) {YOU} (?:\w+ )*?(?:in|at|near|on|to|into|visit|enter|reach|leave|upstairs|downstairs)\b",
        text,
    )
    if found:
        place, _ = take_place(text)
        return Question(text, "when", place=place, robot=True)
    found = re.search(
        r"\b(?:was|were|is|did|has) (?:the |a |an |my )?(.+?)(?: (?:seen|there|last seen|first seen|appear|here|moved?|changed?|disappear(?:ed)?|gone))?$",
        text,
    )
    thing, place = _split_place(found[1] if found else text)
    return Question(text, "when", (clean_thing(thing),), place)


def _describe(text: str) -> Question | None:
    found = re.match(
        r"^(?:describe|summari[sz]e|give (?:me |us )?(?:an? |the )?(?:summary|overview|description) of|"
        r"what (?:does|did|do) (.+) look like|what (?:is|was) (.+) like|"
        r"what (?:kind|sort|type) of (?:place|room|building|area|house) is|tell me about)\b\s*(.*)$",
        text,
    )
    if not found:
        return None
    about = next((part for part in found.groups()[::-1] if part), "")
    if _WHOLE.fullmatch(clean_thing(about)):
        return Question(text, "describe")
    room = room_named(words_of(clean_thing(about)))
    place, rest = take_place(about)
    if room is not None and not place.named:
        place, rest = PlacePhrase(f"in the {clean_thing(about)}", room=room, relation="in"), ""
    rest = clean_thing(rest)
    surroundings = not rest or re.fullmatch(
        r"(?:area|space|region|surroundings|place|corner)", rest
    )
    return Question(text, "describe", () if place.named and surroundings else (rest,), place)


_WHOLE = re.compile(
    r"(?:|(?:what|everything|all|anything) (?:that )?(?:you|i|we|the robot)\b.*|"
    r"(?:whole |entire |your |my |our )?(?:house|building|everything|all|site|campus|place|day|flat|apartment|home|"
    r"it|this|tour|trip|session|morning|afternoon|evening|surroundings|environment|world|memory|memories)"
    r"(?: (?:you|i|we) (?:saw|visited).*)?)"
)


def _where(text: str) -> Question | None:
    found = re.match(
        r"^(?:where(?:abouts)?|in (?:which|what) (?:room|place|part)|which (?:room|place|floor))\b(.*)$",
        text,
    )
    if not found:
        return None
    rest = re.sub(r"^'s\b", " is", found[1]).strip()
    if re.match(
        rf"^(?:was|were|are|am|did) {YOU}(?:\s*$|\s+(?:at|in|on|go|drive|when|while|stop|stand|end|end up|start|"
        r"begin|stay|now|right now|then|headed|driving|standing)\b|\s*$)",
        rest,
    ) or re.match(r"^(?:have )?(?:you|i|we) been\b", rest):
        meeting = re.search(rf"\b(?:when|while) {YOU} (?:last |first )?{SEE} (.+)$", rest)
        if meeting:
            thing, place = _split_place(meeting[1])
            return Question(text, "where_robot", (clean_thing(thing),), place, robot=True)
        return Question(text, "where_robot", robot=True)
    left = re.search(
        rf"^(?:did|do|does|have|had) {YOU} (?:last |ever )?(?:{_LEAVE}|{SEE}) (.+)$", rest
    )
    if left:
        thing = left[1]
    else:
        thing = re.sub(rf"^(?:{_BE}|(?:can|could|do|did) {YOU} {SEE})\s+", "", rest)
    thing = re.sub(
        r"^(?:can|could|do|did|would|should) (?:you|i|we) (?:find|see|get)\s+", "", thing
    )
    things, place = _split_place(thing)
    thing = clean_thing(things)
    return Question(text, "where", () if thing in ("it", "he", "she", "they") else (thing,), place)


def _list(text: str) -> Question | None:
    """Orders to name what is there: "list everything in the kitchen", "name all chairs"."""
    found = re.match(r"^(?:list|name|enumerate|show(?: me| us)?) (.+)$", text)
    if not found:
        return None
    if text.startswith("show") and not re.match(r"(?:all|every|everything)\b", found[1]):
        return None
    thing, place = _split_place(re.sub(r"^(?:all|every)\s+(?=\w)", "", found[1]))
    thing = re.sub(rf"\s+(?:that )?{YOU} (?:have )?(?:ever )?{SEE}$", "", clean_thing(thing))
    return Question(text, "what", () if everything(thing) else (thing,), place)


def _somebody(thing: str) -> str:
    """Who "anyone" is: a person."""
    return "person" if _ANYBODY.fullmatch(thing) else thing


def _what(text: str) -> Question | None:
    found = re.match(r"^(?:what|which|who)(?:'s| all| else| things| objects)?\b(.*)$", text)
    if not found:
        return None
    place, rest = take_place(text)
    named = re.search(r"^(?:what|which)\s+([a-z ]+?)\s+(?:did|do|have|has|are|were|is|was)\b", rest)
    things: tuple[str, ...] = ()
    said = named[1] if named else ""
    if said and not everything(said) and not _NO_THING.match(said):
        things = (clean_thing(said),)
    elif not place.named and not _ANYTHING.fullmatch(found[1]):
        about = re.sub(r"^(?:is|are|was|were|does|did|has|do) ", "", found[1].strip())
        things = (clean_thing(about),)
    elif text.startswith("who"):
        things = ("person",)
    return Question(text, "what", things, place)


_ANYTHING = re.compile(
    r"(?:\s*\b(?:is|are|was|were|did|do|does|have|has|had|can|could|been|be|all|else|other|kinds?|"
    r"sorts?|of|there|here|around|happened|happen|happening|going on|now|currently|doing|done|that|"
    rf"things?|objects?|items?|stuff|people|{YOU}|{SEE}|know)\b)*\s*"
)


_NO_THING = re.compile(r"(?:happened|kind|sort|is|are|was|were|did|do|does|has|have|can)\b")


def find_phrase(text: str) -> Question:
    """A text that names a thing, perhaps with a place, as the wish to find it."""
    found = re.match(
        r"^(?:find|show|locate|look for|search for|fetch|bring|get|take me to|go to)(?: me)?\s+(.+)$",
        text,
    )
    thing, place = _split_place(found[1] if found else text)
    return Question(text, "find", (clean_thing(thing),), place)


def _split_place(text: str) -> tuple[str, PlacePhrase]:
    """A noun phrase and the place after it ("the lamp near the sofa"); the place may be all."""
    place, rest = take_place(text)
    thing = clean_thing(rest)
    if place.named and not thing:
        return clean_thing(text), PlacePhrase()
    return thing, place


def by_pattern(text: str) -> Question | None:
    """The question that the first fitting pattern reads; None where none fits.

    Args:
        text: Lower case, plain, without expressions of time.
    """
    for understood in (
        _body, _first, _changed, _how, _ever, _when, _describe, _where, _list, _what,
    ):  # fmt: skip
        question = understood(text)
        if question is not None:
            return question
    return None
