"""Names of things a memory knows, kept whole while a question is read.

"Where is the trash can?" holds a verb and "where is the shower head?" a part only for who does
not know the things. Names of several words that a memory holds are therefore replaced by one
made-up noun each before a question is parsed, and put back into what was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from memory_core.language.asked import Question

MOST = 20


def take_names(text: str, names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Replace known names of several words by made-up nouns, the longest first.

    Args:
        text: A question.
        names: What a memory calls things.

    Returns:
        The question, and each noun with the name it stands for.
    """
    said = text.lower()
    several = {name.lower() for name in names if " " in name.strip()}
    held: dict[str, str] = {}
    for name in sorted((n for n in several if n in said), key=lambda n: (-len(n), n)):
        pattern = re.compile(rf"\b{re.escape(name)}(s?)\b", re.IGNORECASE)
        if not pattern.search(text) or len(held) == MOST:
            continue
        noun = f"qz{chr(ord('a') + len(held))}thing"
        text = pattern.sub(rf"{noun}\1", text)
        held[noun] = name
    return text, held


def put_back(question: Question, held: Mapping[str, str]) -> Question:
    """What was understood, with the names in place of the nouns."""
    if not held:
        return question

    def whole(said: str) -> str:
        for noun, name in held.items():
            said = said.replace(noun, name)
        return said

    def maybe(said: str | None) -> str | None:
        return None if said is None else whole(said)

    place = question.place
    return replace(
        question,
        text=whole(question.text),
        rest=whole(question.rest),
        things=tuple(whole(thing) for thing in question.things),
        place=replace(
            place,
            words=whole(place.words),
            thing=maybe(place.thing),
            beside=maybe(place.beside),
            upon=maybe(place.upon),
            called=maybe(place.called),
        ),
    )
