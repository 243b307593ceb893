"""What an answer names: things, rooms and furniture of a home, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memory_sim.worlds.home.plan import HomePlan

NO = re.compile(
    r"^\s*(?:no\b|never\b|i (?:have never|never|haven't|did not|didn't)\b)", re.IGNORECASE
)


def named(text: str, names: Iterable[str]) -> frozenset[str]:
    """Which names a text mentions, long names before short ones that are part of them."""
    left, found = text.lower(), set()
    for name in sorted(set(names), key=lambda name: (-len(name), name)):
        if not name:
            continue
        pattern = rf"\b{re.escape(name.lower())}(?:e?s)?\b"
        if re.search(pattern, left):
            found.add(name)
            left = re.sub(pattern, " ", left)
    return frozenset(found)


def places_in(text: str) -> tuple[str, ...]:
    """The places of an answer that names several, most likely first: one a line or semicolon."""
    return tuple(part.strip() for part in re.split(r"[;\n]", text) if part.strip())


def names_place(text: str, plan: HomePlan, furniture: str) -> bool:
    """Whether a text names a piece of furniture by its label and the room it stands in."""
    piece = plan.furniture_by_id[furniture]
    rooms = named(text, plan.room_by_name)
    labels = named(text, {other.label for other in plan.furniture})
    return piece.label in labels and piece.room in rooms
