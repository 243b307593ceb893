"""The events of a memory: every robot's stream, cut online and kept across restarts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np

from memory_core.episodic.codec import pack, unpack
from memory_core.episodic.events import ClosedEvent, EventSegmenter, packed
from memory_core.episodic.records import Record
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.identity import digest_of
from memory_core.types import TEXT_SPACE, Box, Event, FloatArray, IntArray, Observation

KINDS = ("event", "segmenter")
COARSER = ((7 * 86_400.0, 3_600.0), (30 * 86_400.0, 86_400.0))
"""Events older than the first are one for each place and span of the second, both in seconds."""
_QUOTED = 120

Stream = tuple[str, str]
"""A robot and its session."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is stored: the event, and its first and last observation's number."""

    event: Event
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an observation added to its event: its words, quoted, and its labels."""

    text: str
    labels: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """All of it."""
        return self.labels | {self.text} if self.text else self.labels


class Episodes:
    """Segmenters of all robots, and the events they closed."""

    def __init__(self) -> None:
        """No event."""
        self._events: dict[int, EventRow] = {}
        self._next = 1
        self._segmenters: dict[str, EventSegmenter] = {}
        self._open: dict[str, list[Stored]] = {}
        self._changed: list[EventRow] = []
        self._touched: set[str] = set()
        self._ends: tuple[tuple[int, int], IntArray] | None = None

    @classmethod
    def load(cls, records: Mapping[str, Sequence[Record]], store: EpisodicStore) -> Episodes:
        """Events and open streams as they were; what is open is read again from the store."""
        episodes = cls()
        for record in records.get("event", ()):
            episodes._events[record.number] = unpack(EventRow, record.body)
            episodes._next = record.number + 1
        for record in records.get("numbers", ()):
            episodes._next = max(episodes._next, record.body["event"])
        for record in records.get("segmenter", ()):
            episodes._resume(record.body, store)
        return episodes

    def _resume(self, body: Any, store: EpisodicStore) -> None:
        state, rows = body["state"], body["rows"]
        found = {item.rowid: item for item in store.fetch(rows, embeddings=True)}
        state = _without(state, [row in found for row in rows])
        rows = [row for row in rows if row in found]  # some may have been let go of since
        for moment, row in zip(state["open"], rows, strict=True):
            vector = _vector(found[row])
            if vector is not None:
                vector = np.asarray(vector, "<f4") / np.linalg.norm(vector)
            moment[1] = packed(vector)
            pose = found[row].map_pose  # the map may have been corrected since
            moment[2] = None if pose is None else pose.position
        self._segmenters[body["robot"]] = EventSegmenter.restore(state)
        self._open[body["robot"]] = [found[row] for row in rows]

    def __len__(self) -> int:
        """Events that are closed."""
        return len(self._events)

    def take(self, stored: Stored, *, place: str | None) -> None:
        """Take the next observation of its robot's stream."""
        robot = stored.observation.robot
        segmenter = self._segmenters.setdefault(robot, EventSegmenter())
        rows = self._open.setdefault(robot, [])
        self._touched.add(robot)
        closed = self._step(segmenter, stored, place=place)
        rows.append(stored)
        for event in closed:
            count = event.last - event.first + 1
            self._close(event, rows[:count])
            del rows[:count]

    @staticmethod
    def _step(
        segmenter: EventSegmenter, stored: Stored, *, place: str | None = None
    ) -> list[ClosedEvent]:
        observation = stored.observation
        pose = stored.map_pose
        return segmenter.step(
            observation.stamp_ns,
            _vector(stored),
            position=None if pose is None else pose.position,
            place=place,
            labels=frozenset(sighting.label for sighting in observation.sightings),
            session=observation.session,
        )

    def _close(self, closed: ClosedEvent, rows: Sequence[Stored]) -> None:
        first = rows[0].observation
        event = Event(
            f"event:{self._next}", first.robot, first.session, closed.start_ns, closed.end_ns,
            first.map_id, closed.bounds, summary_of(rows, closed.exemplar - closed.first),
            len(rows), closed.place,
        )  # fmt: skip
        row = EventRow(event, min(r.rowid for r in rows), max(r.rowid for r in rows))
        self._events[self._next] = row
        self._changed.append(row)
        self._next += 1

    def changed(self) -> list[Record]:
        """Records of what changed since the last call."""
        records = [Record("event", int(row.event.id[6:]), pack(row)) for row in self._changed]
        self._changed = []
        for robot in sorted(self._touched):
            state = self._segmenters[robot].state()
            for moment in state["open"]:
                moment[1] = None  # lies with the observation
            body = {"robot": robot, "state": state, "rows": [s.rowid for s in self._open[robot]]}
            records.append(Record("segmenter", digest_of(robot), body))
        self._touched = set()
        return records

    def events(self) -> list[Event]:
        """All closed events, and what each robot is in the middle of, by start."""
        found = [row.event for row in self._events.values()]
        for robot, rows in self._open.items():
            if rows:
                found.append(_unfinished(robot, rows))
        return sorted(found, key=lambda event: (event.start_ns, event.id))

    def ends(self) -> IntArray:
        """Numbers of the last observations of closed events, ascending."""
        state = (self._next, len(self._events))
        if self._ends is None or self._ends[0] != state:
            last = np.fromiter((row.last for row in self._events.values()), np.int64)
            self._ends = (state, np.unique(last))
        return self._ends[1]

    def at(self, rowid: int) -> EventRow | None:
        """The closed event an observation may be in, by its number; the newest that spans it."""
        low = [row for row in self._events.values() if row.first <= rowid <= row.last]
        return low[-1] if low else None

    def neighbours(self, event_id: str) -> tuple[Event | None, Event | None]:
        """The events of the same robot just before and after one, in time (EM-LLM 2024)."""
        robot = self._events[int(event_id[6:])].event.robot
        line = [event for event in self.events() if event.robot == robot]
        place = next(i for i, event in enumerate(line) if event.id == event_id)
        before = line[place - 1] if place else None
        return before, line[place + 1] if place + 1 < len(line) else None

    def condense(self, now_ns: int) -> tuple[list[Record], list[tuple[str, int]]]:
        """Let old events become coarser: one for what a robot did in one place in an hour, a day.

        The memory of a robot's life fades with its age, else it would grow by as much every day.
        A coarse event spans the fine ones, between which the robot may have been elsewhere.

        Args:
            now_ns: What ages are counted from.

        Returns:
            Records that changed, and (kind, number) of those that are no more.
        """
        groups: dict[tuple[object, ...], list[int]] = {}
        for number, row in sorted(self._events.items()):
            event = row.event
            age_s = (now_ns - event.end_ns) * 1e-9
            grain_ns = max((int(grain * 1e9) for age, grain in COARSER if age_s > age), default=0)
            if grain_ns:
                key = (event.robot, event.session, event.map_id, event.place, grain_ns)
                groups.setdefault((*key, event.start_ns // grain_ns), []).append(number)
        put: list[Record] = []
        dropped: list[tuple[str, int]] = []
        for first, *others in groups.values():
            if others:
                row = _joined(first, [self._events[number] for number in (first, *others)])
                self._events[first] = row
                put.append(Record("event", first, pack(row)))
                for number in others:
                    del self._events[number]
                    dropped.append(("event", number))
        return put, dropped

    @property
    def next_number(self) -> int:
        """The number the next closed event gets."""
        return self._next

    def forget(self, lost: Mapping[Stream, Mapping[int, Said]], store: EpisodicStore) -> list[int]:
        """Take out of events what some observations alone told.

        Args:
            lost: By stream what each observation said, by its number, ascending.
            store: What is left.

        Returns:
            Numbers of events that are no more.
        """
        dropped = []
        for number, row in list(self._events.items()):
            said = lost.get((row.event.robot, row.event.session), {})
            numbers = list(said)
            inside = numbers[bisect_left(numbers, row.first) : bisect_right(numbers, row.last)]
            if not inside:
                continue
            rest = self._left(row, store)
            count = max(row.event.observations - len(inside), len(rest))
            if count:
                words = {word for rowid in inside for word in said[rowid].words}
                self._events[number] = _shortened(row, count, words, rest)
                self._changed.append(self._events[number])
            else:
                del self._events[number]
                dropped.append(number)
        for (robot, _), said in lost.items():
            if robot in self._segmenters:
                self._interrupt(robot, said)
        return dropped

    def forget_between(self, start_ns: int, end_ns: int, store: EpisodicStore) -> list[int]:
        """Take out closed events within a span of which no observation is stored any more.

        Args:
            start_ns: From when, included.
            end_ns: Until when, included.
            store: What is left.

        Returns:
            Numbers of events that are no more.
        """
        within = [
            number
            for number, row in self._events.items()
            if start_ns <= row.event.start_ns and row.event.end_ns <= end_ns
        ]
        dropped = [number for number in within if not self._left(self._events[number], store)]
        for number in dropped:
            del self._events[number]
        return dropped

    @staticmethod
    def _left(row: EventRow, store: EpisodicStore) -> list[Stored]:
        """Observations of an event that are stored."""
        inside = takewhile(lambda rowid: rowid <= row.last, store.rowids(after=row.first - 1))
        stream = (row.event.robot, row.event.session)
        return [
            stored
            for stored in store.fetch(list(inside))
            if (stored.observation.robot, stored.observation.session) == stream
        ]

    def _interrupt(self, robot: str, said: Mapping[int, Said]) -> None:
        """What is open goes on without some observations, and does not expect what they showed."""
        rows = self._open[robot]
        state = _without(self._segmenters[robot].state(), [r.rowid not in said for r in rows])
        self._open[robot] = [stored for stored in rows if stored.rowid not in said]
        shown = {label for moment in state["open"] for label in moment[4]}
        unknown = {label for one in said.values() for label in one.labels} - shown
        for label in unknown:
            state["expected_labels"].pop(label, None)
        self._segmenters[robot] = EventSegmenter.restore(state)
        self._touched.add(robot)


def _without(state: Any, kept: Sequence[bool]) -> Any:
    """A segmenter's state in which some open moments never were."""
    first = state["first"]

    def moved(number: int) -> int:
        return number - sum(not keep for keep in kept[: number - first])

    candidate, elsewhere = state["candidate"], state["elsewhere"]
    candidate = None if candidate is None else moved(candidate)
    return {
        **state,
        "open": [moment for moment, keep in zip(state["open"], kept, strict=True) if keep],
        "candidate": None if candidate == first else candidate,
        "elsewhere": None if elsewhere is None else (elsewhere[0], moved(elsewhere[1])),
    }


def _shortened(row: EventRow, count: int, words: Set[str], rest: Sequence[Stored]) -> EventRow:
    """An event without some of its observations; its bounds only where all others are stored."""
    event = row.event
    summary = event.summary
    if any(word in summary for word in words):
        summary = summary_of(rest, len(rest) // 2) if rest else ""
    if len(rest) < count:
        return replace(row, event=replace(event, observations=count, summary=summary))
    whole = _unfinished(event.robot, rest)
    event = replace(
        event, observations=count, summary=summary, bounds=whole.bounds,
        start_ns=whole.start_ns, end_ns=whole.end_ns,
    )  # fmt: skip
    return EventRow(event, rest[0].rowid, rest[-1].rowid)


def _joined(number: int, rows: Sequence[EventRow]) -> EventRow:
    """One event for several; it says what the one with the most observations said."""
    events = [row.event for row in rows]
    boxes = [event.bounds for event in events if event.bounds is not None]
    bounds = None
    if boxes:
        (a, b, c) = np.min([box.low for box in boxes], axis=0).tolist()
        (x, y, z) = np.max([box.high for box in boxes], axis=0).tolist()
        bounds = Box((a, b, c), (x, y, z))
    event = replace(
        max(events, key=lambda event: event.observations),
        id=f"event:{number}", bounds=bounds,
        start_ns=min(event.start_ns for event in events),
        end_ns=max(event.end_ns for event in events),
        observations=sum(event.observations for event in events),
    )  # fmt: skip
    return EventRow(event, min(row.first for row in rows), max(row.last for row in rows))


def summary_of(rows: Sequence[Stored], exemplar: int) -> str:
    """What an event was about: the words of its most typical moment, and what was seen most."""
    said = quoted(rows[min(exemplar, len(rows) - 1)].observation)
    counted: Counter[str] = Counter()
    for stored in rows:
        counted.update(sorted({sighting.label for sighting in stored.observation.sightings}))
    seen = ", ".join(label for label, _ in counted.most_common(6))
    return "; ".join(part for part in (said, f"seen: {seen}" if seen else "") if part)


def quoted(observation: Observation) -> str:
    """What an observation said, short."""
    return " ".join(observation.text.split())[:_QUOTED] if observation.text else ""


def _unfinished(robot: str, rows: Sequence[Stored]) -> Event:
    first, last = rows[0].observation, rows[-1].observation
    points = np.array([r.map_pose.position for r in rows if r.map_pose is not None])
    bounds = None
    if len(points):
        (a, b, c), (x, y, z) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        bounds = Box((a, b, c), (x, y, z))
    return Event(
        f"event:open-{robot}", robot, first.session, first.stamp_ns, last.stamp_ns,
        first.map_id, bounds, summary_of(rows, len(rows) - 1), len(rows),
    )  # fmt: skip


def _vector(stored: Stored) -> FloatArray | None:
    return stored.observation.embeddings.get(TEXT_SPACE)
