"""What people ask of the robot on a day, drawn from the seed and from what can be known.

Most things asked for were in the open on the first day. One fetch or find in twenty is about a thing
in a drawer or behind a door (`HIDDEN`); of the others some have moved to another piece of
furniture over night, in the open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.language.lexicon import same_kind
from memory_core.types import Vector3
from memory_sim.house_ways import Ways
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.people import HomeState, state
from memory_sim.worlds.home.placing import Spot
from memory_sim.worlds.home.plan import HomePlan

HIDDEN = 0.05
"""Share of fetches and finds about things in drawers and behind doors."""
FIRST_DAY = ("fetch", "find", "go")
SECOND_DAY = (
    "fetch", "find moved", "fetch", "fetch moved", "put", "put back", "return", "find moved", "go",
)  # fmt: skip
LOW_M, HIGH_M = 0.35, 1.1
"""Tops between these heights are put on."""
MOST_ON = 3
"""A top with more things than this is not asked to take another."""
_STREAM = 113

WORDS: Mapping[str, tuple[str, ...]] = {
    "fetch": (
        "bring me the {thing}", "please fetch the {thing}", "can you get me the {thing}?",
        "I need the {thing}", "could you bring the {thing} to me", "get the {thing} for me please",
        "hand me the {thing}",
    ),
    "find": (
        "find the {thing}", "please look for the {thing}", "can you locate the {thing}?",
        "go and find the {thing}", "show me the {thing}",
    ),
    "put": (
        "put the {thing} on the {furniture}", "take the {thing} to the {furniture}",
        "please place the {thing} on the {furniture} in the {room}",
        "could you put the {thing} on the {furniture}?",
    ),
    "put back": (
        "put the {thing} back", "put the {thing} back where it belongs",
        "please put the {thing} away", "take the {thing} back where it was",
    ),
    "go": ("go to the {room}", "drive to the {room} please", "could you go to the {room}?"),
    "return": (
        "go back to where you first saw the {thing}", "return to where you first saw the {thing}",
        "go to the place where you saw the {thing} first",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """An errand as it is asked.

    Attributes:
        number: Of the day, from 0.
        kind: `fetch`, `find`, `put`, `put back`, `go` or `return`.
        words: What is said.
        thing: Id of the thing it is about; "" where there is none.
        furniture: Ids of the furniture where the thing shall be; empty where it shall be nowhere.
        room: Name of the room to go to; "" where there is none.
        moved: Whether the thing is elsewhere than on the first morning.
        hidden: Whether it is in a drawer or behind a door.
        asker: Where the asker stands, `map`.
    """

    number: int
    kind: str
    words: str
    thing: str = ""
    furniture: tuple[str, ...] = ()
    room: str = ""
    moved: bool = False
    hidden: bool = False
    asker: Vector3 = (0.0, 0.0, 0.0)


def first_errands(plan: HomePlan, ways: Ways) -> tuple[Asked, ...]:
    """Draw the errands of the first day, after its tour.

    Args:
        plan: The home.
        ways: Of the home.
    """
    return _Draw(plan, 0, frozenset(), ways).errands(FIRST_DAY)


def second_errands(plan: HomePlan, ways: Ways) -> tuple[Asked, ...]:
    """Draw the errands of the second day; none is about a thing of the first day's.

    Args:
        plan: The home.
        ways: Of the home.
    """
    used = frozenset(asked.thing for asked in first_errands(plan, ways))
    return _Draw(plan, 1, used, ways).errands(SECOND_DAY)


def moved_finds(
    plan: HomePlan, ways: Ways, day: int, *, used: frozenset[str] = frozenset()
) -> tuple[Asked, ...]:
    """A find for each thing that lies elsewhere in the open than on the first day, by its id.

    Args:
        plan: The home.
        ways: Of the home.
        day: On whose morning; 0 is the first.
        used: Ids of things that are left out.
    """
    return _Draw(plan, day, used, ways).moved_finds()


class _Draw:
    """Draws errands one after the other, no thing twice."""

    def __init__(self, plan: HomePlan, day: int, used: frozenset[str], ways: Ways) -> None:
        self._plan, self._ways = plan, ways
        self._before, self._now = state(plan, 0), state(plan, day)
        self._random = np.random.default_rng([plan.seed, _STREAM, day])
        self._left = [
            name
            for name in sorted(self._now.spots)
            if name not in used and self._plainly_named(name)
        ]

    def errands(self, kinds: Sequence[str]) -> tuple[Asked, ...]:
        """As many of the kinds as there is something to ask for."""
        drawn: list[Asked] = []
        for index in self._random.permutation(len(kinds)):
            shut_away = bool(self._random.random() < HIDDEN)
            asked = self._one(kinds[int(index)], len(drawn), shut_away)
            if asked is not None:
                drawn.append(asked)
        return tuple(drawn)

    def moved_finds(self) -> tuple[Asked, ...]:
        """A find for each thing that was moved, asked at free places."""
        fits = self._test("find", moved=True, shut_away=False)
        return tuple(
            Asked(
                number, "find", self._worded("find", thing=self._label(thing)), thing, moved=True,
                asker=self._ways.free_place(self._random),
            )
            for number, thing in enumerate(name for name in self._left if fits(name))
        )  # fmt: skip

    def _one(self, kind: str, number: int, shut_away: bool) -> Asked | None:
        kind, moved, _ = kind.partition(" moved")
        asker = self._ways.free_place(self._random)
        if kind == "go":
            rooms = [r.name for r in self._plan.rooms if r.kind not in ("hallway", "lift")]
            room = self._pick(rooms)
            return Asked(number, kind, self._worded(kind, room=room), room=room, asker=asker)
        moved_only = bool(moved) or kind == "put back"
        fits = self._test(kind, moved=moved_only, shut_away=shut_away and kind in ("fetch", "find"))
        things = [name for name in self._left if fits(name)]
        if not things:
            return None
        thing = self._pick(things)
        targets, slots = self._targets(kind, thing)
        if kind in ("put", "put back") and not targets:
            return None
        self._left.remove(thing)
        return Asked(
            number, kind, self._worded(kind, thing=self._label(thing), **slots), thing,
            tuple(targets), moved=self._moved(thing), hidden=self._enclosed(thing, self._now),
            asker=asker,
        )  # fmt: skip

    def _test(self, kind: str, *, moved: bool, shut_away: bool) -> Callable[[str], bool]:
        """What a thing must be for an errand."""

        def fits(name: str) -> bool:
            if kind == "return":
                return self._known(name)
            if self._enclosed(name, self._now) is not shut_away:
                return False
            if shut_away:
                return True
            return self._known(name) and (kind == "put" or self._moved(name) is moved)

        return fits

    def _targets(self, kind: str, thing: str) -> tuple[list[str], dict[str, str]]:
        """Where a thing shall be, and how that is called."""
        if kind == "put back":
            return [self._before.spots[thing].furniture], {}
        if kind != "put":
            return [], {}
        tops = [piece for piece in self._plan.furniture if self._takes(piece, thing)]
        if not tops:
            return [], {}
        piece = tops[int(self._random.integers(len(tops)))]
        room = self._plan.room_by_name[piece.room]
        alike = [other.id for other in self._plan.furniture if other.label == piece.label]
        return alike, {"furniture": piece.label, "room": room.kind}

    def _takes(self, piece: Furniture, thing: str) -> bool:
        """Whether a thing can be put on a piece of furniture, the only one of its name."""
        if sum(other.label == piece.label for other in self._plan.furniture) > 1:
            return False
        if piece.id == self._now.spots[thing].furniture:
            return False
        on_it = [s for s in self._now.spots.values() if s.furniture == piece.id]
        tops = [s for s in piece.kind.surfaces if s.name == "top" and not s.opening]
        return any(LOW_M <= top.height_m <= HIGH_M for top in tops) and len(on_it) <= MOST_ON

    def _plainly_named(self, name: str) -> bool:
        """Whether its label can mean nothing else in the home."""
        label = self._label(name)
        return not any(
            other.id != name and same_kind(label, other.label) for other in self._plan.things
        )

    def _moved(self, name: str) -> bool:
        before, now = self._before.spots.get(name), self._now.spots.get(name)
        if before is None or now is None:
            return False
        return before.furniture != now.furniture

    def _known(self, name: str) -> bool:
        """Whether it was in the open on the first day."""
        return name in self._before.spots and not self._enclosed(name, self._before)

    def _enclosed(self, name: str, day: HomeState) -> bool:
        return enclosed(self._plan, day.spots[name])

    def _label(self, name: str) -> str:
        return self._plan.thing_by_id[name].label

    def _pick(self, names: Sequence[str]) -> str:
        return names[int(self._random.integers(len(names)))]

    def _worded(self, kind: str, **slots: str) -> str:
        return self._pick(WORDS[kind]).format(**slots)


def enclosed(plan: HomePlan, spot: Spot) -> bool:
    """Whether a spot is in a drawer or behind a door, be they open or shut."""
    return bool(plan.surface(spot).opening)
