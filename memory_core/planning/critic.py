"""Whether a step did what it was for: judged on what is seen afterwards, not on what was asked.

A critic that looks before the next step, and that ends what repeats itself, follows RoboMemory
(2025).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from memory_core.planning.body import Eyes, Seen
from memory_core.planning.skills import Approach, GoTo, Look, Search, Skill, told
from memory_core.types import Vector3

Fits = Callable[[str], bool]
"""Whether something with a label may be what is looked for."""

LOOKS, SURE = 4, 2
"""At most so many looks, and so many that must agree: a detector misses, and takes one for another."""
SAME_THING_M = 0.3
LEFT_BEHIND_M = 0.15
REPEATS = 4
STEPS = 250
ROUND_M = 0.5


def nearest(seen: Iterable[Seen], fits: Fits, at: Vector3, *, within_m: float) -> Seen | None:
    """Of the things in view that fit, the one closest to a place; None where none is close."""
    close = [item for item in seen if fits(item.label) and math.dist(item.position, at) <= within_m]
    return min(close, key=lambda item: math.dist(item.position, at), default=None)


def confirmed(eyes: Eyes, fits: Fits, at: Vector3, *, within_m: float) -> Seen | None:
    """What several looks at a place agree on.

    Args:
        eyes: Look.
        fits: Whether a label may be the thing's.
        at: Where, `map`.
        within_m: How far from there it may be.

    Returns:
        The thing as it was seen last; None where it is not there.
    """
    times: list[Seen] = []
    for look in range(LOOKS):
        found = nearest(eyes.look(at), fits, at, within_m=within_m)
        if found is not None:
            times.append(found)
            agreeing = [t for t in times if math.dist(t.position, found.position) <= SAME_THING_M]
            if len(agreeing) >= SURE:
                return found
        elif look + 1 - len(times) > LOOKS - SURE:
            break
    return None


def vacated(eyes: Eyes, fits: Fits, at: Vector3) -> bool:
    """Whether a thing is no longer where it was: most of three looks do not show it there."""
    shown = sum(
        nearest(eyes.look(at), fits, at, within_m=LEFT_BEHIND_M) is not None for _ in range(3)
    )
    return shown < SURE


class Circles:
    """Notices when steps repeat themselves without changing anything."""

    def __init__(self) -> None:
        """Nothing was tried."""
        self._failed: Counter[tuple[object, ...]] = Counter()
        self._steps = 0

    def changed(self) -> None:
        """Something in the world is different now: what failed may work."""
        self._failed.clear()

    def note(self, skill: Skill, *, done: bool) -> str | None:
        """Take a step that was made.

        Args:
            skill: The step.
            done: Whether it worked.

        Returns:
            Why the errand should end; None while it may go on.
        """
        self._steps += 1
        if self._steps >= STEPS:
            return f"more than {STEPS} steps"
        if done or isinstance(skill, Look):
            return None
        self._failed[_key(skill)] += 1
        return "going in circles" if self._failed[_key(skill)] >= REPEATS else None


def _key(skill: Skill) -> tuple[object, ...]:
    at: tuple[float, ...] = ()
    if isinstance(skill, GoTo):
        at = skill.pose.position
    elif isinstance(skill, Approach):
        at = skill.target
    elif isinstance(skill, Search):
        at = skill.centre
    elif hasattr(skill, "at"):
        at = skill.at
    return told(skill), *(round(number / ROUND_M) for number in at)
