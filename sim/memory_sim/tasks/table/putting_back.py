"""MemoryBench: reopen the drawer, put the block back, rearrange the blocks (Fang et al. 2025).

Two histories lead to the same table but need different deeds, and the instruction gives nothing away.
Each has one try: what was done to the wrong drawer or block, or a block left at a wrong place after
the button was pressed, spoils the episode.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from memory_core.types import FloatArray
from memory_sim.tasks.table.task import Check, Goal, Task, left_alone, lies_at
from memory_sim.worlds.home.solids import OAK, PAINTED, STEEL, WALNUT
from memory_sim.worlds.table.fittings import DRAWER_OPEN_M, DRAWERS, PRESSED_M
from memory_sim.worlds.table.models import CUBE, PALETTE, patch, target
from memory_sim.worlds.table.world import TableWorld

PATCHES = 4
MOVED_M = 0.19
_AJAR_M = 0.05
_LIFT_M = 0.03
_ASKEW_M = 0.008
_PATCH_M, _CENTRE_M = 0.09, 0.05
_CENTRE = (0.50, 0.0)
_BUTTON_COLOUR = PALETTE["red"]
_BESIDE = ((0.38, 0.29), (0.60, 0.35))
"""Where a button may be, on either side; x and y, metres."""


class _WithButton(Task):
    """What the three have in common."""

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Draw where the button is."""
        super().__init__(table, random)
        x, y = random.uniform(*_BESIDE).tolist()
        side = 1 if random.random() < 0.5 else -1
        table.add_button("button", (x, side * y), _BUTTON_COLOUR)

    def _pressed(self) -> bool:
        return self.table.fittings["button"].travel_m > PRESSED_M

    def change(self, step: int) -> None:
        """Nothing comes or goes."""


class ReopenDrawer(_WithButton):
    """One of three drawers stands open."""

    instruction = "Close the drawer that is open, press the button, then open the drawer again that was open before."

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Draw which drawer is open."""
        super().__init__(table, random)
        chest = (OAK, WALNUT, PAINTED)[int(random.integers(3))]
        knobs = STEEL if chest != PAINTED else WALNUT
        place = random.uniform((0.64, -0.03), (0.67, 0.03))
        table.add_chest((float(place[0]), float(place[1])), (chest, knobs))
        self._right = f"drawer {1 + int(random.integers(DRAWERS))}"
        table.fittings[self._right].slide(DRAWER_OPEN_M)
        self.goal = Goal((
            ("closed", lambda: self._travel(self._right) < DRAWER_OPEN_M - MOVED_M),
            ("button pressed", self._pressed),
            ("open again", lambda: self._travel(self._right) > MOVED_M),
        ))  # fmt: skip

    def change(self, step: int) -> None:
        """A drawer that is nearly shut is drawn shut, so that none shows that it was moved."""
        for number in range(DRAWERS):
            drawer = self.table.fittings[f"drawer {number + 1}"]
            drawer.draw_shut(self.goal.met == 1 and drawer.travel_m < _AJAR_M)

    def judge(self, step: int) -> None:
        """See which drawers are open."""
        super().judge(step)
        for name in self.table.fittings:
            if name not in ("button", self._right) and self._travel(name) > _AJAR_M:
                self.spoiled = f"opened {name}"

    def answer(self) -> dict[str, Any]:
        """The drawer that was open."""
        return {"drawer": self._right, "met": self.goal.met}

    def _travel(self, name: str) -> float:
        return self.table.fittings[name].travel_m


class PutBlockBack(_WithButton):
    """A block lies on one of four patches."""

    instruction = (
        "Move the block to the round spot in the middle, press the button, then move the block back to "
        "the patch where it was."
    )

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Draw where the patches are, and on which the block lies."""
        super().__init__(table, random)
        turn = random.uniform(-0.3, 0.3)
        corners = turn + np.pi / 4 + np.arange(PATCHES) * np.pi / 2
        self._places = _CENTRE + 0.17 * np.stack([np.cos(corners), np.sin(corners)], axis=1)
        self._right = int(random.integers(PATCHES))
        block, spot, patches = random.choice(_other_colours(), 3, replace=False)
        table.add("block", CUBE, PALETTE[block])
        table.add("spot", target(_CENTRE_M), PALETTE[spot])
        table.place("spot", *_CENTRE)
        for number, place in enumerate(self._places):
            table.add(f"patch {number + 1}", patch(_PATCH_M), PALETTE[patches])
            table.place(f"patch {number + 1}", *place, yaw=turn)
        start = self._places[self._right]
        table.place("block", *_about(start, random), yaw=random.uniform(-math.pi, math.pi))
        self.goal = Goal((
            ("left its patch", lambda: not _near(table, "block", start)),
            ("in the middle", lambda: lies_at(table, "block", _CENTRE, within_m=_CENTRE_M)),
            ("button pressed", self._pressed),
            ("back, nothing held", lambda: lies_at(table, "block", start, within_m=_PATCH_M / 2)),
        ))  # fmt: skip

    def judge(self, step: int) -> None:
        """See where the block lies."""
        super().judge(step)
        away = not _near(self.table, "block", _CENTRE)
        if self.goal.met == 3 and away and left_alone(self.table, "block"):
            self.spoiled = "left the block elsewhere"

    def answer(self) -> dict[str, Any]:
        """Where the block is to be brought now."""
        place = self._places[self._right] if self.goal.met >= 3 else np.array(_CENTRE)
        return {"things": ["block"], "place": tuple(place.tolist()), "met": self.goal.met}


class RearrangeBlock(_WithButton):
    """One block lies on one of two patches, one in the middle."""

    instruction = (
        "Move the block that is not on a patch to the empty patch, press the button, then move the block "
        "that has not been moved yet to the round spot in the middle."
    )

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Draw which patch is empty."""
        super().__init__(table, random)
        turn = random.uniform(-0.4, 0.4)
        out = (
            0.16
            * np.array((-math.sin(turn), math.cos(turn)))
            * (1 if random.random() < 0.5 else -1)
        )
        self._empty, full = np.array(_CENTRE) + out, np.array(_CENTRE) - out
        block, spot, patches = random.choice(_other_colours(), 3, replace=False)
        table.add("spot", target(_CENTRE_M), PALETTE[spot])
        table.place("spot", *_CENTRE)
        for number, place in enumerate((self._empty, full)):
            table.add(f"patch {number + 1}", patch(_PATCH_M), PALETTE[patches])
            table.place(f"patch {number + 1}", *place, yaw=turn)
        for name, place in (("first block", np.array(_CENTRE)), ("second block", full)):
            table.add(name, CUBE, PALETTE[block])
            table.place(name, *_about(place, random), yaw=random.uniform(-math.pi, math.pi))
        self.goal = Goal((
            ("first block lifted", self._lifted("first block")),
            ("on the empty patch",
             lambda: lies_at(table, "first block", self._empty, within_m=_PATCH_M / 2)),
            ("button pressed", self._pressed),
            ("second block lifted", self._lifted("second block")),
            ("in the middle, nothing held",
             lambda: lies_at(table, "second block", _CENTRE, within_m=_CENTRE_M)),
        ))  # fmt: skip

    def judge(self, step: int) -> None:
        """See which block is moved."""
        super().judge(step)
        wrong = "second block" if self.goal.met < 3 else "first block"
        if self._lifted(wrong)():
            self.spoiled = f"moved the {wrong}"

    def answer(self) -> dict[str, Any]:
        """The block that is due, and where it is to be brought."""
        name, place = (
            ("first block", self._empty)
            if self.goal.met < 3
            else ("second block", np.array(_CENTRE))
        )
        return {"things": [name], "place": tuple(place.tolist()), "met": self.goal.met}

    def _lifted(self, name: str) -> Check:
        return lambda: self.table.pose(name).z > CUBE.size[2] / 2 + _LIFT_M


def _about(place: FloatArray, random: np.random.Generator) -> FloatArray:
    """Nearly there: a block that was moved cannot be told from one that was not."""
    return np.asarray(place + random.uniform(-_ASKEW_M, _ASKEW_M, 2))


def _near(table: TableWorld, name: str, place: FloatArray | tuple[float, float]) -> bool:
    pose = table.pose(name)
    return math.dist((pose.x, pose.y), place) < _PATCH_M


def _other_colours() -> list[str]:
    """All but the button's."""
    return [name for name, colour in PALETTE.items() if colour != _BUTTON_COLOUR]
