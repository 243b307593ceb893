"""All tasks at the table, in one table: what each is, how long it may take, and what guessing gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from memory_core.errors import InvalidQuery
from memory_sim.tasks.table import returning
from memory_sim.tasks.table.generating import Recipe
from memory_sim.tasks.table.intercepting import Intercept
from memory_sim.tasks.table.putting_back import (
    PATCHES,
    PutBlockBack,
    RearrangeBlock,
    ReopenDrawer,
)
from memory_sim.tasks.table.remembering import Remember, Remembering
from memory_sim.tasks.table.returning import TakeItBack
from memory_sim.tasks.table.rotating import Rotate
from memory_sim.tasks.table.shells import ShellGame, Shells
from memory_sim.tasks.table.task import Maker
from memory_sim.worlds.table.fittings import DRAWERS


@dataclass(frozen=True, slots=True)
class Entry:
    """One task.

    Attributes:
        make: Draws an episode.
        steps: An episode is truncated after so many.
        chance: Of success without memory; None where there is no formula.
        generated: Whether it is a recipe that can be varied.
    """

    make: Maker
    steps: int
    chance: float | None = None
    generated: bool = False

    def with_options(self, options: Mapping[str, Any]) -> Entry:
        """The task with options; all but generated ones have none.

        Raises:
            InvalidQuery: It has no such option, or not with that value.
        """
        if not self.generated:
            if options:
                raise InvalidQuery(f"this task has no option {next(iter(options))!r}")
            return self
        recipe = Recipe.with_options(options)
        return Entry(*recipe.build(), generated=True)


def _remember(steps: int, kind: Remembering) -> Entry:
    return Entry(partial(Remember, kind=kind), steps, kind.chance)


def _memory_bench() -> dict[str, Entry]:
    """Fang et al. 2025."""
    return {
        "MemoryBench/ReopenDrawer": Entry(ReopenDrawer, 240, 1 / DRAWERS),
        "MemoryBench/PutBlockBack": Entry(PutBlockBack, 240, 1 / PATCHES),
        "MemoryBench/RearrangeBlock": Entry(RearrangeBlock, 240, 1 / 2),
    }


def _mikasa() -> dict[str, Entry]:
    """Cherepanov et al. 2025."""
    found: dict[str, Entry] = {}
    for count in (3, 5, 9):
        found[f"MIKASA/RememberColor{count}"] = _remember(60, Remembering(colours=count))
        found[f"MIKASA/RememberShape{count}"] = _remember(60, Remembering(shapes=count))
    make: Maker
    for shapes, colours in ((3, 2), (3, 3), (5, 3)):
        mixed = Remembering(colours=colours, shapes=shapes)
        found[f"MIKASA/RememberShapeAndColor{shapes}x{colours}"] = _remember(60, mixed)
    for count in (3, 5, 7):
        bunch = Remembering(colours=9, shown=count, manner="together")
        found[f"MIKASA/BunchOfColors{count}"] = _remember(120, bunch)
        found[f"MIKASA/SeqOfColors{count}"] = _remember(120, Remembering(colours=9, shown=count))
        chain = Remembering(colours=9, shown=count, order="shown")
        found[f"MIKASA/ChainOfColors{count}"] = _remember(120, chain)
    for deed in ("touch", "push", "pick"):
        shells = Shells(deed)
        make = partial(ShellGame, kind=shells)
        found[f"MIKASA/ShellGame{deed.title()}"] = Entry(make, 90, shells.chance)
    for pace, speeds in (("Slow", (0.25, 0.5)), ("Medium", (0.5, 0.75)), ("Fast", (0.75, 1.0))):
        for deed, grab in (("Intercept", False), ("InterceptGrab", True)):
            found[f"MIKASA/{deed}{pace}"] = Entry(partial(Intercept, speeds=speeds, grab=grab), 90)
    for ways, both_ways in (("Pos", False), ("PosNeg", True)):
        for kind, strict in (("Lenient", False), ("Strict", True)):
            make = partial(Rotate, both_ways=both_ways, strict=strict)
            found[f"MIKASA/Rotate{kind}{ways}"] = Entry(make, 90)
    found["MIKASA/TakeItBack"] = Entry(TakeItBack, 180, returning.CHANCE)
    return found


def _generated() -> dict[str, Entry]:
    return {"MemoryTable/Generated": Entry(*Recipe.drawn(0, 1).build(), generated=True)}


CATALOGUE: Mapping[str, Entry] = MappingProxyType(_memory_bench() | _mikasa() | _generated())
"""By name, without the version."""
