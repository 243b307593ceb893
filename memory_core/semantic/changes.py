"""What changed between two moments, read off the histories of things."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memory_core.semantic.tracks import StateSpan, StaySoFar, Thing, differs
from memory_core.types import Vector3

MOVED_LEAST_M = 0.05
MOVED_SIGNIFICANT = 4.0

Kind = Literal["moved", "new", "gone", "state"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed.

    Attributes:
        kind: `moved`, `new`, `gone` or `state`.
        number: The thing's.
        label: What it is taken for.
        stamp_ns: When the change was noticed.
        old: Where it was before, metres; None where it is new.
        new: Where it is now, metres; None where it is gone.
        state: Which measured state, "" for the other kinds.
        before: Its value before.
        after: Its value now.
    """

    kind: Kind
    number: int
    label: str
    stamp_ns: int
    old: Vector3 | None = None
    new: Vector3 | None = None
    state: str = ""
    before: float | None = None
    after: float | None = None


def compare(things: Iterable[Thing], since_ns: int, until_ns: int) -> list[Change]:
    """What was different at one moment from what was known at an earlier one.

    A thing is new only where it appeared in a place that had been looked at before.

    Args:
        things: With their histories.
        since_ns: The earlier moment.
        until_ns: The later one.
    """
    found: list[Change] = []
    for thing in things:
        if thing.confirmed:
            found += _placed(thing, since_ns, until_ns)
            found += _measured(thing, since_ns, until_ns)
    return sorted(found, key=lambda change: (change.stamp_ns, change.number))


def _placed(thing: Thing, since_ns: int, until_ns: int) -> list[Change]:
    before, after = _stay_at(thing, since_ns), _stay_at(thing, until_ns)
    if after is None:
        return []
    left = after.end_ns if after.end_ns is not None and after.end_ns <= until_ns else None
    away = before is None or (before.end_ns is not None and before.end_ns <= since_ns)
    new = None if left is not None else _position(after)
    if before is None or away:
        if left is not None or after is before or not (thing.fresh or before is not None):
            return []
        old = None if before is None else _position(before)
        return [Change("new", thing.number, thing.label, after.start_ns, old, new)]
    if left is not None:
        return [Change("gone", thing.number, thing.label, left, _position(before))]
    if after is not before and _apart(before, after):
        return [Change("moved", thing.number, thing.label, after.start_ns, _position(before), new)]
    return []


def _stay_at(thing: Thing, stamp_ns: int) -> StaySoFar | None:
    """The last stay that had begun."""
    return next((stay for stay in reversed(thing.stays) if stay.start_ns <= stamp_ns), None)


def _position(stay: StaySoFar) -> Vector3:
    x, y, z = map(float, stay.where.mean)
    return (x, y, z)


def _apart(before: StaySoFar, after: StaySoFar) -> bool:
    offset = after.where.mean - before.where.mean
    spread = after.where.covariance + before.where.covariance
    squared = float(offset @ np.linalg.solve(spread, offset))
    return squared > MOVED_SIGNIFICANT**2 and float(np.linalg.norm(offset)) > MOVED_LEAST_M


def _measured(thing: Thing, since_ns: int, until_ns: int) -> list[Change]:
    found = []
    for name, spans in sorted(thing.states.items()):
        before, after = _span_at(spans, since_ns), _span_at(spans, until_ns)
        if before is not None and after is not None and differs(before, after):
            found.append(
                Change("state", thing.number, thing.label, after.start_ns, None,
                       _position(thing.stays[-1]), name, before.value, after.value)
            )  # fmt: skip
    return found


def _span_at(spans: tuple[StateSpan, ...], stamp_ns: int) -> StateSpan | None:
    return next((span for span in reversed(spans) if span.start_ns <= stamp_ns), None)
