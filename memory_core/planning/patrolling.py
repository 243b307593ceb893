"""Seeing all of a house: where its map ends, along every surface, and what was seen in part alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from memory_core.language.lexicon import words_of
from memory_core.planning.body import Seen
from memory_core.planning.destinations import MOVED_M, surfaces
from memory_core.planning.errand import Errand
from memory_core.types import Pose, Vector3

LARGE_M = 0.5
"""What shows so much of itself is looked at once more where it was cut off."""
WHOLE_FROM_M = (1.8, 3.2)
"""From here the picture holds a wardrobe or a bed."""
MIDDLE_M = 0.9
"""What stands on the floor is looked at so far above it."""
SAME_PIECE_M, SAME_FLOOR_M = 0.8, 1.5
"""Furniture of one name no farther apart, along the floor and in height, is one piece."""
VIEWS = 2
NO_FURNITURE = frozenset(
    "drawer door handle wall floor ceiling window gate stair step column pillar beam curtain blind "
    "railing banister rug carpet mat roof person man woman child dog cat robot".split()
)
"""Heads of labels of what is part of furniture, of what a house is made of, which no picture shows as a
whole, and of who is in it."""


_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Piece:
    """Furniture as it was seen at its largest.

    Attributes:
        label: What it is called.
        at: The middle of what was seen, `map`, metres.
        extent_m: The largest side of that.
    """

    label: str
    at: Vector3
    extent_m: float


def see_all(errand: Errand) -> None:
    """See what is not known of a house, and every surface, and furniture as a whole."""
    noticed: list[Piece] = []
    errand.body.eyes.noticed()
    explore(errand, noticed)
    visit_surfaces(errand, noticed)
    see_whole(errand, noticed)


def explore(errand: Errand, noticed: list[Piece]) -> None:
    """Drive to where the known map ends until it ends nowhere (Yamauchi 1997), looking about.

    Args:
        errand: The errand.
        noticed: Takes the furniture that is seen on the way.
    """
    navigator = errand.body.navigator
    seen: list[Vector3] = []
    while True:
        fresh = [
            point for point in navigator.frontiers()
            if all(math.dist(point, old) > MOVED_M for old in seen)
        ]  # fmt: skip
        if not fresh:
            return
        target = min(fresh, key=navigator.travel_m)
        seen.append(target)
        if math.isfinite(navigator.travel_m(target)):
            errand.go(Pose(*target), "the edge of what is known")
            errand.look_around()
            noticed += _furniture(errand.body.eyes.noticed())


def visit_surfaces(errand: Errand, noticed: list[Piece]) -> None:
    """Look at every surface once, the nearest next.

    Args:
        errand: The errand.
        noticed: Takes the furniture that is seen on the way.
    """
    travel_m = errand.body.navigator.travel_m
    for nearest in _nearest_next(surfaces(errand, "thing"), lambda region: travel_m(region.top)):
        if math.isfinite(travel_m(nearest.top)) and errand.approach(nearest.top, nearest.name):
            for point in nearest.looked_at:
                errand.glance(point)
        noticed += _furniture(errand.body.eyes.noticed())


def see_whole(errand: Errand, noticed: Iterable[Piece]) -> None:
    """Look from farther off at furniture that was in view and is not known yet, the nearest next.

    A picture that cuts a piece off does not tell where its middle is, so that it is not remembered.
    Who drives close by sees tall and long pieces cut off each time.

    Args:
        errand: The errand.
        noticed: What was seen, again and again.
    """
    pieces = _pieces(noticed)
    known = {label: _places(errand, label) for label in dict.fromkeys(p.label for p in pieces)}
    unknown = [piece for piece in pieces if not _is_among(piece, known[piece.label])]
    travel_m = errand.body.navigator.travel_m
    for piece in _nearest_next(unknown, lambda one: travel_m(one.at)):
        stood: list[Pose] = []
        while len(stood) < VIEWS and not _is_among(piece, _places(errand, piece.label)):
            if not errand.approach(piece.at, piece.label, within_m=WHOLE_FROM_M, apart_from=stood):
                break
            stood.append(errand.here())
            x, y, _ = piece.at
            errand.glance((x, y, stood[-1].z + MIDDLE_M))


def _nearest_next(items: Iterable[_Item], away_m: Callable[[_Item], float]) -> Iterator[_Item]:
    """Each once, the one that is nearest by then next.

    Args:
        items: They.
        away_m: How far one is from where the robot has got to.
    """
    left = list(items)
    while left:
        nearest = min(left, key=away_m)
        left.remove(nearest)
        yield nearest


def _places(errand: Errand, label: str) -> tuple[Vector3, ...]:
    """Where furniture of a name is known to be, `map`."""
    known = errand.meant(label).candidates
    return tuple(one.position for one in known if one.label == label)


def _is_among(piece: Piece, places: Iterable[Vector3]) -> bool:
    return any(_near(piece.at, at) for at in places)


def _near(one: Vector3, other: Vector3) -> bool:
    flat = math.dist(one[:2], other[:2]) <= SAME_PIECE_M
    return flat and abs(one[2] - other[2]) <= SAME_FLOOR_M


def _furniture(seen: Iterable[Seen]) -> list[Piece]:
    """Of what was seen, what is large; of drawers and doors the piece they belong to counts."""
    pieces = [
        Piece(item.label, item.position, float(np.ptp(item.cloud, axis=0).max()))
        for item in seen
        if NO_FURNITURE.isdisjoint(words_of(item.label)[-1:])
    ]
    return [piece for piece in pieces if piece.extent_m >= LARGE_M]


def _pieces(noticed: Iterable[Piece]) -> list[Piece]:
    """Each piece once, as it was seen at its largest."""
    pieces: list[Piece] = []
    for one in sorted(noticed, key=lambda piece: -piece.extent_m):
        if not any(one.label == other.label and _near(one.at, other.at) for other in pieces):
            pieces.append(one)
    return pieces
