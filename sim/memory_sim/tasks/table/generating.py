"""New memory tasks without end: recipes are drawn from a number and a level of difficulty.

A recipe says what is shown, how much of it, how long it has to be kept and what is to be done with
it. Delay and length grow with the level for ever; the number of things as far as the table holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from memory_core.errors import InvalidQuery
from memory_sim.tasks.table.choosing import DEEDS
from memory_sim.tasks.table.lights import Lights, PressLights
from memory_sim.tasks.table.places import Belongings, PutEachBack
from memory_sim.tasks.table.remembering import Remember, Remembering
from memory_sim.tasks.table.shells import ShellGame, Shells
from memory_sim.tasks.table.task import ORDERS, Maker

KINDS = ("colour", "shape", "both", "cups", "lights", "places")
MANNERS = ("together", "in turn")
_WORDS = {"kind": KINDS, "manner": MANNERS, "order": tuple(ORDERS), "deed": DEEDS}
_MOST = {"colour": 9, "shape": 9, "both": 8, "cups": 6, "lights": 6, "places": 5}
_MOST_MOVED = {(False, "push"): 4, (False, "pick"): 6, (True, "push"): 3}
"""Of cups or of other things, where they are pushed or lifted."""
_NOTHING: Mapping[str, Any] = {}
_DEED_STEPS = {"touch": 25, "push": 45, "pick": 45}
_PRESS_STEPS, _PLACE_STEPS, _SPARE_STEPS = 30, 70, 40


def _most(kind: str, deed: str) -> int:
    """How many things the table holds; those that are pushed or lifted need room."""
    if kind in ("lights", "places"):
        return _MOST[kind]
    return min(_MOST[kind], _MOST_MOVED.get((kind == "cups", deed), _MOST[kind]))


def _distracts(kind: str, manner: str) -> bool:
    return kind == "colour" and manner == "in turn"


class Kind(Protocol):
    """What `Remembering`, `Shells`, `Lights` and `Belongings` have in common."""

    @property
    def chance(self) -> float:
        """Of success without memory."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of task.

    Attributes:
        kind: One of `KINDS`: things told apart by colour, shape or both; balls under cups; buttons
            that light up; places of cubes.
        things: How many there are to choose from; an even number where both count.
        remembered: How many are shown that count; with `lights`, how often one lights up.
        distractors: How many more are shown that do not; with `colour` in turn only.
        delay: Steps during which nothing can be seen.
        manner: One of `MANNERS`.
        order: One of `tasks.table.task.ORDERS`.
        deed: One of `tasks.table.choosing.DEEDS`; with `lights` and `places` it is given.
    """

    kind: str
    things: int
    remembered: int
    distractors: int
    delay: int
    manner: str
    order: str
    deed: str

    @classmethod
    def drawn(cls, number: int, level: int, fixed: Mapping[str, Any] = _NOTHING) -> Recipe:
        """The recipe of a number, as hard as a level, 1 the easiest.

        Args:
            number: 0 or more.
            level: 1 or more.
            fixed: Parts that are not drawn; the others fit to their words.
        """
        random = np.random.default_rng([number, level])

        def drawn(part: str, choices: Sequence[str]) -> str:
            value = str(random.choice(choices))
            return str(fixed.get(part, value))

        kind, deed = drawn("kind", KINDS), drawn("deed", DEEDS)
        things = int(fixed.get("things", min(_most(kind, deed), 2 + level)))
        if kind == "both" and "things" not in fixed:
            things = max(4, things // 2 * 2)
        length = 1 + int(random.integers(level, 2 * level + 1)) // 2
        remembered = length if kind == "lights" else min(length, max(1, things - 1))
        manner = drawn("manner", MANNERS if kind != "lights" else MANNERS[1:])
        ordered = manner == "in turn" and kind != "places"
        orders = tuple(ORDERS) if kind != "lights" else tuple(ORDERS)[1:]
        order = drawn("order", orders if ordered else tuple(ORDERS)[:1])
        aside = int(random.integers(level)) if _distracts(kind, manner) else 0
        delay = 5 * int(random.integers(1, 2 * level + 1))
        recipe = cls(kind, things, remembered, aside, delay, manner, order, deed)
        return replace(recipe, **fixed)

    @classmethod
    def with_options(cls, options: Mapping[str, Any]) -> Recipe:
        """The recipe that somebody asks for: `number`, `level`, and parts that are not drawn.

        Raises:
            InvalidQuery: There is no such part, or no table holds that.
        """
        parts = {"number": 0, "level": 1} | dict(options)
        number, level = parts.pop("number"), parts.pop("level")
        if min(number, level - 1) < 0:
            raise InvalidQuery(f"number {number}, level {level}; expected 0 and 1 or more")
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in parts if name not in known]:
            raise InvalidQuery(
                f"no option {unknown[0]!r}; there are number, level, {', '.join(known)}"
            )
        for name, allowed in _WORDS.items():
            if parts.get(name, allowed[0]) not in allowed:
                raise InvalidQuery(f"{name} {parts[name]!r}; expected one of {', '.join(allowed)}")
        recipe = cls.drawn(number, level, parts)
        if wrong := recipe.wrong():
            raise InvalidQuery(f"{recipe}: {wrong}")
        return recipe

    def wrong(self) -> str:
        """Why no table holds this recipe; empty where one does."""
        least, most = (4 if self.kind == "both" else 2), _most(self.kind, self.deed)
        if not least <= self.things <= most or (self.kind == "both" and self.things % 2):
            even = "an even number of " if self.kind == "both" else ""
            return f"expected {even}{least} to {most} things"
        if self.remembered < 1 or (self.kind != "lights" and self.remembered > self.things):
            return "expected 1 or more remembered, and no more than there are things"
        if self.remembered == self.things and self.order == "any" and self.kind != "places":
            return "expected fewer remembered than there are things, or an order"
        if min(self.delay, self.distractors) < 0:
            return "expected no negative delay or distractors"
        if self.distractors and not _distracts(self.kind, self.manner):
            return "only things of different colours, shown in turn, have distractors"
        if self.kind == "lights" and (self.manner != "in turn" or self.order == "any"):
            return "buttons light up in turn, and are due as shown or in reverse"
        if self.order != "any" and (self.manner == "together" or self.kind == "places"):
            return "what is shown together, and cubes to put back, are due in any order"
        return ""

    def build(self) -> tuple[Maker, int, float]:
        """What draws its episodes, how many steps one may take, and what guessing gives."""
        if self.kind == "cups":
            shells = Shells(
                self.deed, self.things, self.remembered, self.manner, self.order, self.delay
            )
            return self._entry(partial(ShellGame, kind=shells), shells, shells.choice_from)
        if self.kind == "lights":
            lights = Lights(self.things, self.remembered, self.order, self.delay)
            return self._entry(partial(PressLights, kind=lights), lights, lights.due_from)
        if self.kind == "places":
            belongings = Belongings(self.remembered, self.manner, self.delay)
            return self._entry(
                partial(PutEachBack, kind=belongings), belongings, belongings.back_from
            )
        colours = {"colour": self.things, "shape": 1, "both": 2}[self.kind]
        shapes = {"colour": 1, "shape": self.things, "both": self.things // 2}[self.kind]
        what = Remembering(
            colours, shapes, self.remembered, self.manner, self.order, self.delay, self.deed,
            self.distractors,
        )  # fmt: skip
        return self._entry(partial(Remember, kind=what), what, what.choice_from)

    def _entry(self, make: Maker, kind: Kind, shown_steps: int) -> tuple[Maker, int, float]:
        each = {"lights": _PRESS_STEPS, "places": _PLACE_STEPS}.get(
            self.kind, _DEED_STEPS[self.deed]
        )
        return make, shown_steps + self.remembered * each + _SPARE_STEPS, kind.chance
