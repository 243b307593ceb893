"""What the viewer shows of a memory, held as arrays and kept level with it.

Places, events and entities come from the memory; where and when observations were made comes
from its index. Both are read anew when the memory changed; what takes long, less often, so that a
robot that streams does not make every look at the map expensive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from memory_core.errors import InvalidQuery, UnknownId
from memory_core.interfaces.web.naming import names_of
from memory_core.memory import RobotMemory
from memory_core.semantic.floors import floors_of
from memory_core.types import (
    BoolArray,
    Entity,
    Event,
    Filters,
    FloatArray,
    ForestNode,
    IntArray,
    Json,
    Place,
    Stay,
    Vector3,
)

PATIENCE = 2.0
HEIGHTS = 4_000
"""So many standpoints, at most, say where the floors are."""
ABOVE_FLOOR_M = 0.4
"""A thing may be measured so far below the floor it stands on."""
MS = 1_000_000

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that is made anew when its version changed, but not all the time.

    What took long to make is shown for a while after it changed: twice as long as that took.
    """

    def __init__(self, version: Callable[[], object], make: Callable[[], T]) -> None:
        """Nothing is made yet.

        Args:
            version: Equal values mean that nothing changed.
            make: Makes the value.
        """
        self._version, self._make = version, make
        self._lock = threading.Lock()
        self._held: tuple[object, float, T] | None = None

    def get(self) -> T:
        """The value."""
        with self._lock:
            begun, version = time.monotonic(), self._version()
            if self._held is not None:
                held, until_s, value = self._held
                if held == version or begun < until_s:
                    return value
            value = self._make()
            ended = time.monotonic()
            self._held = (version, ended + PATIENCE * (ended - begun), value)
            return value


@dataclass(frozen=True, slots=True)
class Level:
    """One floor of one map.

    Attributes:
        number: Its place in the list of all levels.
        map_id: Its map.
        floor: 0 the lowest of the map.
        floors: How many the map has.
        height_m: Where observers of this floor stood, metres.
        low: Lowest x and y of its observations, metres.
        high: Highest x and y, metres.
        observations: How many were made on it.
    """

    number: int
    map_id: str
    floor: int
    floors: int
    height_m: float
    low: tuple[float, float]
    high: tuple[float, float]
    observations: int


@dataclass(frozen=True)
class Cloud:
    """Where and when every observation was made, by time.

    Attributes:
        rowids: Numbers of the observations, shape (n,).
        stamps_ms: Milliseconds since the epoch, ascending, shape (n,), float64.
        positions: Metres, NaN without a pose, shape (n, 3).
        levels: Number of the level of each, -1 without a pose, shape (n,).
        known: The levels.
        complete: Whether this is all; False while the memory's index is being made.
    """

    rowids: IntArray
    stamps_ms: FloatArray
    positions: FloatArray
    levels: IntArray
    known: tuple[Level, ...]
    complete: bool

    @cached_property
    def by_level(self) -> tuple[IntArray, ...]:
        """For each level the rows that lie on it, ascending."""
        return tuple(np.flatnonzero(self.levels == level.number) for level in self.known)

    def within(self, start_ms: float | None, end_ms: float | None) -> slice:
        """The rows of a span of time, both ends included."""
        first = 0 if start_ms is None else int(np.searchsorted(self.stamps_ms, start_ms))
        last = (
            len(self.stamps_ms)
            if end_ms is None
            else int(np.searchsorted(self.stamps_ms, end_ms, side="right"))
        )
        return slice(first, max(first, last))

    def rows_on(self, level: int, start_ms: float | None, end_ms: float | None) -> IntArray:
        """The rows of a level and a span of time, ascending.

        Raises:
            InvalidQuery: There is no such level.
        """
        rows = self.by_level[self.level(level).number]
        span = self.within(start_ms, end_ms)
        low, high = np.searchsorted(rows, [span.start, span.stop])
        return rows[low:high]

    def level(self, number: int) -> Level:
        """A level by number.

        Raises:
            InvalidQuery: There is none of that number.
        """
        if not 0 <= number < len(self.known):
            raise InvalidQuery(
                f"there is no level {number}; this memory has {len(self.known)}, counted from 0"
            )
        return self.known[number]

    def level_at(self, map_id: str, z: float) -> int | None:
        """The level a thing at a height belongs to: the highest floor below it; None: no such map."""
        own = [level for level in self.known if level.map_id == map_id]
        below = [level for level in own if level.height_m <= z + ABOVE_FLOOR_M]
        return below[-1].number if below else own[0].number if own else None


class Scenery:
    """What is shown of one memory. Safe to use from several threads."""

    def __init__(self, memory: RobotMemory) -> None:
        """Nothing is read yet."""
        self.memory = memory
        self._cloud = Kept(self.version, self._make_cloud)
        self._places = Kept(self.version, self._make_places)
        self._entities = Kept(self.version, memory.entities)
        self._events = Kept(self.version, self._make_events)
        self._forest = Kept(self.version, self._make_forest)
        self._names = Kept(self.version, lambda: names_of(self.forest(), self.places()))
        self._others: dict[tuple[str, int], Kept[Json]] = {}

    def version(self) -> tuple[object, ...]:
        """Changes whenever the memory does."""
        store, index = self.memory.store, self.memory.index
        return (
            store.counter("commits"),
            store.counter("structure"),
            store.last_rowid(),
            store.last_removal(),
            store.last_anchor_pose(),
            index.ready,
            len(index),
        )

    def cloud(self) -> Cloud:
        """Where and when observations were made."""
        return self._cloud.get()

    def places(self) -> dict[str, Place]:
        """Places by id."""
        return self._places.get()

    def entities(self) -> list[Entity]:
        """Entities by id."""
        return self._entities.get()

    def entity(self, entity_id: str) -> Entity:
        """One entity.

        Raises:
            UnknownId: There is none of that id.
        """
        found = next((item for item in self.entities() if item.id == entity_id), None)
        if found is None:
            raise UnknownId(f"no thing is known as {entity_id!r}; expected an id like entity:3")
        return found

    def events(self) -> tuple[list[Event], FloatArray]:
        """Events, and their first and last moments in milliseconds, shape (n, 2)."""
        return self._events.get()

    def forest(self) -> Mapping[str, ForestNode]:
        """Nodes of the forest by id, roots first."""
        return self._forest.get()

    def names(self) -> dict[str, str]:
        """What to call the nodes of the forest, by id."""
        return self._names.get()

    def kept(self, name: str, level: int, make: Callable[[Scenery, int], Json]) -> Json:
        """What is made of a level, kept until the memory changes.

        Args:
            name: Of what is made.
            level: Number of the level.
            make: Makes it.

        Raises:
            InvalidQuery: There is no such level.
        """
        self.cloud().level(level)
        held = self._others.setdefault((name, level), Kept(self.version, lambda: make(self, level)))
        return held.get()

    def place_level(self, place: Place) -> int | None:
        """The level a place lies on."""
        return self.cloud().level_at(place.map_id, place.centre[2])

    def stay_level(self, entity: Entity, stay: Stay, places: Mapping[str, Place]) -> int | None:
        """The level of a stay: its place's, where that is known."""
        place = places.get(stay.place or "")
        if place is not None:
            return self.place_level(place)
        return self.cloud().level_at(entity.map_id, stay.position[2])

    def places_below(self, node: ForestNode) -> list[Place]:
        """The places at and below a node of the forest."""
        places, forest = self.places(), self.forest()
        waiting, found = [node.id], []
        while waiting:
            item = waiting.pop()
            if item in places:
                found.append(places[item])
            elif item in forest:
                waiting += forest[item].children
        return found

    def node_level(self, node: ForestNode) -> int | None:
        """The level a node of the forest lies on; None where it spans several."""
        found = {self.place_level(place) for place in self.places_below(node)}
        return found.pop() if len(found) == 1 else None

    # -- reading ----------------------------------------------------------------------------

    def _make_cloud(self) -> Cloud:
        memory = self.memory
        complete = memory.index.ready
        source = memory if complete else memory.index
        rowids = source.select(Filters())
        stamps, positions = memory.index.positions(rowids)
        order = np.argsort(stamps, kind="stable")
        rowids, stamps, positions = rowids[order], stamps[order], positions[order]
        levels, known = self._floors(source.select, rowids, positions)
        return Cloud(rowids, stamps / MS, positions, levels, known, complete)

    def _floors(
        self, select: Callable[[Filters], IntArray], rowids: IntArray, positions: FloatArray
    ) -> tuple[IntArray, tuple[Level, ...]]:
        """The level of every observation, and the levels."""
        levels = np.full(len(rowids), -1, np.int64)
        known: list[Level] = []
        maps = sorted(self.memory.store.epochs())
        for map_id in maps:
            own: BoolArray = np.isfinite(positions[:, 0])
            if len(maps) > 1:
                own &= np.isin(rowids, select(Filters(maps=(map_id,))))
            rows = np.flatnonzero(own)
            if not len(rows):
                continue
            heights = positions[rows, 2]
            step = max(1, len(rows) // HEIGHTS)
            _, floors = floors_of(heights[::step])
            nearest = np.searchsorted((floors[1:] + floors[:-1]) / 2, heights)
            for floor, height in enumerate(floors):
                here = rows[nearest == floor]
                levels[here] = len(known)
                flat = positions[here, :2]
                low, high = (flat.min(axis=0), flat.max(axis=0)) if len(here) else (0.0, 0.0)
                known.append(
                    Level(
                        len(known),
                        map_id,
                        floor,
                        len(floors),
                        float(height),
                        _pair(low),
                        _pair(high),
                        len(here),
                    )
                )
        return levels, tuple(known)

    def _make_events(self) -> tuple[list[Event], FloatArray]:
        known = self.memory.events()
        times = np.array([(item.start_ns, item.end_ns) for item in known], np.float64)
        return known, times.reshape(-1, 2) / MS

    def _make_places(self) -> dict[str, Place]:
        return {place.id: place for place in self.memory.places()}

    def _make_forest(self) -> Mapping[str, ForestNode]:
        return {node.id: node for node in self.memory.forest()}


def _pair(values: FloatArray | float) -> tuple[float, float]:
    x, y = np.broadcast_to(np.asarray(values, np.float64), 2)
    return float(x), float(y)


def rounded(position: Vector3) -> list[float]:
    """A position to the millimetre."""
    return [round(value, 3) for value in position]
