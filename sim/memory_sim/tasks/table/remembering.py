"""Remember what was shown, and choose it among others (RememberColor to ChainOfColors of MIKASA-Robo).

Cherepanov et al. 2025. Things are shown for five steps, together or one after the other; the table is
empty for five more; then all things of the episode stand there, elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_sim.tasks.table.choosing import Choice
from memory_sim.tasks.table.task import ORDERS, REACHABLE, Task, in_order, spread
from memory_sim.worlds.table.models import CUBE, PALETTE, SHAPES, shaped
from memory_sim.worlds.table.world import TableWorld

SHOWN_STEPS = EMPTY_STEPS = 5
_APART_M = {"touch": 0.105, "push": 0.21, "pick": 0.15}
_WHERE = {"touch": REACHABLE, "push": ((0.40, -0.32), (0.58, 0.32)), "pick": REACHABLE}
"""How near to one another things stand for choice, and where: there must be room to push."""
_MIDDLE = (0.52, 0.0)
_ALIKE = {
    "colour": "the same colour", "shape": "the same shape", "both": "the same shape and colour"
}  # fmt: skip
_WORDS = {"touch": "touch", "push": "push 10 cm away", "pick": "lift by 5 cm"}


@dataclass(frozen=True, slots=True)
class Remembering:
    """What is to be remembered.

    Attributes:
        colours: How many colours the things have.
        shapes: How many shapes; there is one thing of each colour and shape.
        shown: How many are shown.
        manner: `together`, or `in turn`.
        order: In which they are due, one of `ORDERS`.
        empty_steps: How long the table is empty before the choice.
        deed: What is done to them: `touch`, `push` or `pick`.
        distractors: How many more things are shown, in turn, that do not count: balls among cubes.
    """

    colours: int = 1
    shapes: int = 1
    shown: int = 1
    manner: str = "in turn"
    order: str = "any"
    empty_steps: int = EMPTY_STEPS
    deed: str = "touch"
    distractors: int = 0

    @property
    def chance(self) -> float:
        """Of choosing right without having seen: one in all choices, or in all orders of them."""
        count = math.comb if self.order == "any" else math.perm
        return 1 / count(self.colours * self.shapes, self.shown)

    @property
    def by(self) -> str:
        """In what the things differ."""
        return (
            "both"
            if min(self.colours, self.shapes) > 1
            else "colour"
            if self.colours > 1
            else "shape"
        )

    @property
    def choice_from(self) -> int:
        """The step at which all stand for choice."""
        turns = 1 if self.manner == "together" else self.shown + self.distractors
        return turns * SHOWN_STEPS + self.empty_steps

    def instruction(self) -> str:
        """In words."""
        alike, deed = _ALIKE[self.by], _WORDS[self.deed]
        thing = "cube" if self.distractors else "thing"
        aside = "; balls do not count" if self.distractors else ""
        if self.shown == 1:
            return f"Remember the {thing} that is shown{aside}. When several things stand on the table, {deed} the one of {alike}."
        when = "together" if self.manner == "together" else "one after the other"
        return (
            f"Remember the {thing}s that are shown {when}{aside}. When more things stand on the table, "
            f"{deed} those of {alike}, {ORDERS[self.order]}, and no others."
        )


class Remember(Task):
    """One episode."""

    def __init__(
        self, table: TableWorld, random: np.random.Generator, *, kind: Remembering
    ) -> None:
        """Draw what is shown, and where all will stand."""
        super().__init__(table, random)
        self._kind, self.instruction = kind, kind.instruction()
        self._names = self._make_things()
        shown = random.choice(self._names, kind.shown, replace=False).tolist()
        self._turns = self._with_distractors(shown)
        low, high = _WHERE[kind.deed]
        self._places = spread(
            len(self._names), random, apart_m=_APART_M[kind.deed], low=low, high=high
        )
        self._choice = Choice(table, self._names, in_order(shown, kind.order), deed=kind.deed,
                              ordered=kind.order != "any")  # fmt: skip
        self.goal = self._choice.goal

    def change(self, step: int) -> None:
        """Things are shown, taken away, and stand for choice."""
        turn, since = divmod(step, SHOWN_STEPS)
        if step == self._kind.choice_from:
            for name in self.table.bodies:
                self.table.put_away(name)
            for name, (x, y) in zip(self._names, self._places, strict=True):
                self.table.place(name, x, y, yaw=self.random.uniform(-math.pi, math.pi))
            self._choice.begin()
        elif not since and turn <= len(self._turns) and step < self._kind.choice_from:
            for name in self.table.bodies:
                self.table.put_away(name)
            now = self._turns[turn] if turn < len(self._turns) else ()
            places = spread(len(now), self.random, apart_m=_APART_M["touch"])
            for name, (x, y) in zip(now, places if len(now) > 1 else [_MIDDLE], strict=False):
                self.table.place(name, x, y)

    def judge(self, step: int) -> None:
        """See what is chosen."""
        self.spoiled = self._choice.judge()

    def answer(self) -> dict[str, Any]:
        """The things that are still due; `from_step` is when they stand for choice."""
        return {
            "things": self._choice.left,
            "deed": self._kind.deed,
            "from_step": self._kind.choice_from,
        }

    def _make_things(self) -> list[str]:
        colours = list(PALETTE)[: self._kind.colours]
        if self._kind.colours == 1:
            colours = [str(self.random.choice(list(PALETTE)))]
        names = []
        for shape in SHAPES[: self._kind.shapes]:
            model = CUBE if self._kind.shapes == 1 else shaped(shape)
            for colour in colours:
                names.append(f"{colour} {shape}")
                self.table.add(names[-1], model, PALETTE[colour])
        return names

    def _with_distractors(self, shown: list[str]) -> list[tuple[str, ...]]:
        """What is shown at once, turn by turn."""
        if self._kind.manner == "together":
            return [tuple(shown)]
        turns: list[tuple[str, ...]] = [(name,) for name in shown]
        for number in range(self._kind.distractors):
            colour = str(self.random.choice(list(PALETTE)))
            name = f"distractor {number + 1}"
            self.table.add(name, shaped("ball"), PALETTE[colour])
            turns.insert(int(self.random.integers(len(turns) + 1)), (name,))
        return turns
