"""Space becomes places while the robot moves.

A place is what lies around the first standpoint made in it: standpoints within its radius on
the same storey belong to the nearest such place, others begin a new one. Which places are next
to each other is what the robot did: it went from one to the other. `semantic.regions` makes
rooms of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from memory_core.types import DEFAULT_MAP, Box, FloatArray, Vector3

RADIUS_M = 1.5
STOREY_M = 1.2
SEEN_M = 4.0
MAX_RUNS = 256


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place as it is stored.

    Attributes:
        number: Never used again.
        map_id: The map it is in.
        anchor: The first standpoint, on the floor, metres: what later ones are measured against.
        centre: Mean of its standpoints, metres.
        bounds: Of its standpoints and of what was seen near them, metres.
        visits: How many standpoints it holds.
        first_ns: Stamp of the earliest.
        last_ns: Stamp of the latest.
    """

    number: int
    map_id: str
    anchor: Vector3
    centre: Vector3
    bounds: Box
    visits: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class LinkRow:
    """How often the robot went from one of two places straight to the other; `one` < `other`."""

    one: int
    other: int
    times: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """Where a run was last."""

    run: str
    place: int
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class PlaceChanges:
    """What has to be stored: each row replaces the one with its key."""

    places: tuple[PlaceRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    runs: tuple[RunRow, ...] = ()


class PlaceMap:
    """Places of all maps; a step costs what lies around it."""

    def __init__(self, *, radius_m: float = RADIUS_M) -> None:
        """An empty map.

        Args:
            radius_m: How far from its first standpoint a place reaches, horizontally.

        Raises:
            ValueError: The radius is not positive.
        """
        if not 0 < radius_m < math.inf:
            raise ValueError(f"place radius {radius_m} m; expected a positive length")
        self._radius_m = radius_m
        self._places: dict[int, PlaceRow] = {}
        self._cells: dict[tuple[str, int, int], list[int]] = {}
        self._links: dict[int, dict[int, int]] = {}
        self._runs: dict[str, RunRow] = {}
        self._next = 0
        self._forget_changes()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def places(self) -> Mapping[int, PlaceRow]:
        """All places by number."""
        return self._places

    def neighbours(self, place: int) -> Mapping[int, int]:
        """Places the robot went to from a place or came from, and how often."""
        return self._links.get(place, {})

    def touching(self) -> list[tuple[int, int]]:
        """Pairs of places, smaller number first, whose circles meet on one storey."""
        pairs = []
        for number, place in self._places.items():
            column, row = self._cell(*place.anchor[:2])
            for dx in range(-2, 3):
                for dy in range(-2, 3):
                    for other in self._cells.get((place.map_id, column + dx, row + dy), ()):
                        anchor = self._places[other].anchor
                        if (
                            number < other
                            and abs(anchor[2] - place.anchor[2]) < STOREY_M
                            and math.dist(anchor[:2], place.anchor[:2]) <= 2 * self._radius_m
                        ):
                            pairs.append((number, other))
        return pairs

    def place_at(self, position: Vector3, *, map_id: str = DEFAULT_MAP) -> int | None:
        """The place a point on the floor belongs to; None outside all.

        Args:
            position: Metres; z is the floor's height.
            map_id: Its map.
        """
        return next(iter(self.around(position, map_id=map_id)), None)

    def around(self, position: Vector3, *, map_id: str = DEFAULT_MAP) -> list[int]:
        """Places whose circle a point on the floor lies in, nearest first.

        Args:
            position: Metres; z is the floor's height.
            map_id: Its map.
        """
        x, y, z = position
        column, row = self._cell(x, y)
        found: list[tuple[float, int]] = []
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                for number in self._cells.get((map_id, column + dx, row + dy), ()):
                    ax, ay, az = self._places[number].anchor
                    apart = math.hypot(x - ax, y - ay)
                    if abs(z - az) < STOREY_M and apart <= self._radius_m:
                        found.append((apart, number))
        return [number for _, number in sorted(found)]

    def place_of(self, position: Vector3, *, map_id: str = DEFAULT_MAP) -> int | None:
        """The nearest place a thing may be in; None where there is none within 4 m on its storey.

        Args:
            position: Of the thing, metres; anywhere between the floor and a ceiling.
            map_id: Its map.
        """
        x, y, z = position
        column, row = self._cell(x, y)
        reach = range(-math.ceil(SEEN_M / self._radius_m), math.ceil(SEEN_M / self._radius_m) + 1)
        near: list[tuple[float, int]] = []
        for dx in reach:
            for dy in reach:
                for number in self._cells.get((map_id, column + dx, row + dy), ()):
                    ax, ay, az = self._places[number].anchor
                    apart = math.hypot(x - ax, y - ay)
                    if -STOREY_M / 2 < z - az < 2 * STOREY_M and apart <= SEEN_M:
                        near.append((apart, number))
        return min(near)[1] if near else None

    def visit(
        self,
        position: Vector3,
        stamp_ns: int,
        *,
        run: str = "",
        map_id: str = DEFAULT_MAP,
        seen: FloatArray | None = None,
    ) -> int:
        """Take up a standpoint.

        Args:
            position: Where the robot stood, metres; z is the floor's height.
            stamp_ns: When.
            run: Robot and session: its consecutive standpoints join places.
            map_id: Its map.
            seen: What it saw from there, in the map, shape (n, 3), metres; what is further than
                4 m away says nothing about this place.

        Returns:
            The number of its place.
        """
        number = self.place_at(position, map_id=map_id)
        if number is None:
            number = self._next
            self._next += 1
            bounds = Box(position, position)
            self._keep(PlaceRow(number, map_id, position, position, bounds, 0, stamp_ns, stamp_ns))
        place = self._places[number]
        visits = place.visits + 1
        self._keep(
            replace(
                place,
                centre=_moved(place.centre, position, 1 / visits),
                bounds=_widened(place.bounds, position, seen),
                visits=visits,
                first_ns=min(place.first_ns, stamp_ns),
                last_ns=max(place.last_ns, stamp_ns),
            )
        )
        self._go_on(RunRow(run, number, stamp_ns))
        return number

    def changed(self) -> PlaceChanges:
        """Rows that are new or changed since this was last asked."""
        changes = PlaceChanges(
            places=tuple(self._places[number] for number in sorted(self._new_places)),
            links=tuple(
                LinkRow(one, other, self._links[one][other])
                for one, other in sorted(self._new_links)
            ),
            runs=tuple(self._runs[run] for run in sorted(self._new_runs) if run in self._runs),
        )
        self._forget_changes()
        return changes

    @property
    def next_number(self) -> int:
        """The number the next new place gets."""
        return self._next

    def load(self, rows: PlaceChanges, *, next_number: int = 0) -> None:
        """Continue from what was stored.

        Args:
            rows: The newest row of every key ever returned by `changed`.
            next_number: At least this is what the next new place is called.
        """
        self._places, self._cells, self._links, self._runs = {}, {}, {}, {}
        for place in sorted(rows.places, key=lambda row: row.number):
            self._keep(place)
        self._next = max(next_number, max(self._places, default=-1) + 1)
        for link in rows.links:
            self._join(link.one, link.other, link.times)
        for run in sorted(rows.runs, key=_run_age):
            self._runs[run.run] = run
            self._drop_oldest_run()
        self._forget_changes()

    def _go_on(self, now: RunRow) -> None:
        """Join the place a run came from with the one it is in; an older stamp joins nothing."""
        before = self._runs.get(now.run)
        if before is not None and now.stamp_ns < before.stamp_ns:
            return
        if before is not None and before.place != now.place:
            times = self._links.get(now.place, {}).get(before.place, 0) + 1
            self._join(before.place, now.place, times)
        self._runs[now.run] = now
        self._new_runs.add(now.run)
        self._drop_oldest_run()

    def _drop_oldest_run(self) -> None:
        if len(self._runs) > MAX_RUNS:
            del self._runs[min(self._runs.values(), key=_run_age).run]

    def _join(self, one: int, other: int, times: int) -> None:
        self._links.setdefault(one, {})[other] = times
        self._links.setdefault(other, {})[one] = times
        self._new_links.add((min(one, other), max(one, other)))

    def _keep(self, place: PlaceRow) -> None:
        if place.number not in self._places:
            cell = (place.map_id, *self._cell(*place.anchor[:2]))
            self._cells.setdefault(cell, []).append(place.number)
        self._places[place.number] = place
        self._new_places.add(place.number)

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        return math.floor(x / self._radius_m), math.floor(y / self._radius_m)

    def _forget_changes(self) -> None:
        self._new_places: set[int] = set()
        self._new_links: set[tuple[int, int]] = set()
        self._new_runs: set[str] = set()


def _run_age(run: RunRow) -> tuple[int, str]:
    return run.stamp_ns, run.run


def _moved(mean: Vector3, towards: Vector3, share: float) -> Vector3:
    x, y, z = (m + share * (t - m) for m, t in zip(mean, towards, strict=True))
    return x, y, z


def _widened(bounds: Box, position: Vector3, seen: FloatArray | None) -> Box:
    points = np.array([bounds.low, bounds.high, position])
    if seen is not None and len(seen):
        near = np.linalg.norm(np.asarray(seen) - position, axis=1) <= SEEN_M
        points = np.concatenate([points, np.asarray(seen)[near]])
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
