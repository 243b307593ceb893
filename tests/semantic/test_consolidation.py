"""Consolidation: repetitions go, what is unique stays, structure outlives its observations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memory_core import Observation, Pose, Query, Retention, RobotMemory, Sighting
from memory_core.episodic import index as indexing
from memory_core.identity import new_id
from memory_core.perception.text import HashingEncoder
from memory_core.semantic import consolidation
from memory_core.semantic.consolidation import Consolidator
from memory_core.semantic.episodes import Episodes, EventRow
from memory_core.types import Box, Event

START_NS = 1_767_603_600 * 10**9
SECOND_NS = 10**9
NOISE_M = 0.05
COVARIANCE = tuple((np.eye(3) * NOISE_M**2).ravel().tolist())
ROOM = {"table": (2.0, 0.5), "chair": (1.5, -0.8), "lamp": (2.8, 1.2), "plant": (3.2, -0.4)}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[RobotMemory]:
    """An empty memory."""
    with opened(tmp_path / "memory") as memory:
        yield memory


def opened(folder: Path, **options: object) -> RobotMemory:
    """A memory with hashed words."""
    return RobotMemory.open(folder, text_encoder=HashingEncoder(64), gpu=False, **options)  # type: ignore[arg-type]


class Looking:
    """A robot that looks at things from standpoints, one second after the other, with noise."""

    def __init__(self, *, missed: float = 0.1, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.missed = missed
        self.second = 0

    def look(
        self, things: dict[str, tuple[float, float]], x: float = 0.0, **parts: object
    ) -> Observation:
        """One observation, heading along +x."""
        self.second += 1
        stamp_ns = START_NS + self.second * SECOND_NS
        seen = []
        for label, (at_x, at_y) in things.items():
            if self.random.random() >= self.missed:
                dx, dy, dz = (self.random.normal(size=3) * NOISE_M).tolist()
                at = (at_x - x + dx, at_y + dy, 0.5 + dz)
                seen.append(Sighting(label, position=at, covariance=COVARIANCE))
        return Observation(
            new_id(stamp_ns), stamp_ns, "camera", pose=Pose.from_yaw(x, 0.0, yaw=0.0),
            sightings=tuple(seen), **parts,  # type: ignore[arg-type]
        )  # fmt: skip

    def stand(self, things: dict[str, tuple[float, float]], seconds: int) -> list[Observation]:
        """Stand still."""
        return [self.look(things) for _ in range(seconds)]


def kept(memory: RobotMemory) -> set[str]:
    """Ids of the observations that are stored."""
    return {s.observation.id for s in memory.store.fetch(list(memory.store.rowids()))}


def test_an_hour_of_standing_still_adds_next_to_nothing(memory: RobotMemory) -> None:
    hour = Looking().stand(ROOM, 3_600)
    memory.observe(hour)

    done = memory.consolidate(lag_s=0)

    assert done.considered == 3_600
    assert memory.store.count() <= 36  # one in a hundred
    assert {entity.label for entity in memory.entities()} == set(ROOM)
    gone = sum(removal.observations for removal in memory.removals())
    assert gone == 3_600 - memory.store.count()


def test_a_thing_misread_now_and_then_is_not_another_view_each_time(memory: RobotMemory) -> None:
    robot = Looking()
    stream = robot.stand(ROOM, 1_200)
    for place in range(60, 1_200, 12):
        first, *others = stream[place].sightings
        wrong = "vase" if place % 24 else "suitcase"
        stream[place] = replace(stream[place], sightings=(replace(first, label=wrong), *others))
    memory.observe(stream)

    memory.consolidate(lag_s=0)

    assert memory.store.count() <= 60  # 95 were misread
    assert {entity.label for entity in memory.entities()} == set(ROOM)


def test_what_was_shown_once_stays(memory: RobotMemory) -> None:
    robot = Looking()
    stream = robot.stand(ROOM, 900)
    unique = []
    for place in range(50, 900, 50):
        once = (1.0 + place / 450, 1.6)
        stream[place] = replace(
            robot.look({**ROOM, f"thing {place}": once}), stamp_ns=stream[place].stamp_ns
        )
        if any(s.label.startswith("thing") for s in stream[place].sightings):
            unique.append(stream[place].id)
    said = replace(stream[10], text="the cellar key hangs behind the door")
    stream[10] = said
    memory.observe(stream)

    memory.consolidate(lag_s=0)

    assert kept(memory) >= {*unique, said.id}
    assert memory.store.count() < 120


def test_what_last_showed_a_thing_stays_until_newer_ones_come(memory: RobotMemory) -> None:
    robot = Looking(missed=0.0)
    first, second = robot.stand(ROOM, 700), robot.stand(ROOM, 700)
    memory.observe(first)
    memory.consolidate(lag_s=0)
    assert first[-1].id in kept(memory)

    memory.observe(second)
    memory.consolidate(lag_s=0)

    assert first[-1].id not in kept(memory)
    assert second[-1].id in kept(memory)


def test_what_is_younger_than_the_lag_stays(memory: RobotMemory) -> None:
    stream = Looking().stand(ROOM, 1_000)
    memory.observe(stream)

    memory.consolidate(lag_s=300)

    assert kept(memory) >= {item.id for item in stream[-300:]}
    assert memory.store.count() < 340


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    stream = [item for part in range(4) for item in _walk(seed=part)]
    with opened(tmp_path / "one") as memory:
        for start in range(0, len(stream), 250):
            memory.observe(stream[start : start + 250])
            memory.consolidate(lag_s=5)
        together = kept(memory)
    for start in range(0, len(stream), 250):
        with opened(tmp_path / "many") as memory:
            memory.observe(stream[start : start + 250])
            memory.consolidate(lag_s=5)
    with opened(tmp_path / "many") as memory:
        # what was seen a moment before the restart is not known to have been overlooked after it
        assert len(kept(memory) ^ together) <= 0.1 * len(together)


def _walk(*, seed: int) -> list[Observation]:
    robot = Looking(seed=seed)
    robot.second = seed * 1_000
    return [robot.look(ROOM, x=0.02 * (step % 60)) for step in range(250)]


def test_retention_holds_its_bound_and_structure_outlives_what_went(tmp_path: Path) -> None:
    robot = Looking(missed=0.0)
    stream = [
        robot.look({f"thing {step // 10}": (step * 0.4 + 2.0, 0.5)}, x=step * 0.4, text=f"step {step}")
        for step in range(400)
    ]  # fmt: skip
    with opened(tmp_path / "memory", retention=Retention(100, "fifo")) as memory:
        memory.observe(stream)
        done = memory.consolidate(lag_s=0)

        assert memory.store.count() <= 100
        assert done.retired == 400 - sum(done.repeated.values()) - memory.store.count()
        assert {entity.label for entity in memory.entities()} == {f"thing {n}" for n in range(40)}
        assert sum(event.observations for event in memory.events()) == 400


def test_of_ended_facts_those_that_held_longest_stay(
    memory: RobotMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolidation, "ENDED_FACTS", 3)
    from memory_core.episodic.records import Record, RecordChanges

    def row(number: int, held_s: int | None) -> Record:
        end = None if held_s is None else START_NS + held_s * SECOND_NS
        fact = {"subject": f"entity:{number}", "relation": "on", "object": "entity:99",
                "start_ns": START_NS, "end_ns": end, "confidence": 1.0, "evidence": []}  # fmt: skip
        return Record("fact", number, {"number": number, "fact": fact})

    lengths = [None, 5, 900, 60, 7, 3_600, None]
    memory.store.change_records(RecordChanges([row(n, held) for n, held in enumerate(lengths)]))
    memory.observe(Looking().stand({}, 5))

    memory.consolidate(lag_s=0)

    assert [record.number for record in memory.store.records("fact")] == [0, 2, 3, 5, 6]


def test_old_events_become_one_for_each_place_and_hour_then_day() -> None:
    episodes = Episodes()
    day_s, hour_s = 86_400, 3_600
    rows = [
        _event(number, start_s=float(start), place=f"place:{start // 60 % 3}")
        for number, start in enumerate(range(0, 2 * hour_s, 60), start=1)
    ]
    episodes._events = {row.first: row for row in rows}

    assert episodes.condense(START_NS + 6 * day_s * SECOND_NS) == ([], [])
    put, dropped = episodes.condense(START_NS + 9 * day_s * SECOND_NS)

    assert len(put) == 6 and len(dropped) == len(rows) - 6
    told = episodes.events()
    assert [event.observations for event in told] == [20] * 6  # twenty minutes of an hour each
    assert sorted({(event.place, (event.start_ns - START_NS) // (hour_s * SECOND_NS)) for event in told}) == [
        (f"place:{place}", hour) for place in range(3) for hour in range(2)
    ]  # fmt: skip
    assert episodes.condense(START_NS + 9 * day_s * SECOND_NS) == ([], [])

    episodes.condense(START_NS + 40 * day_s * SECOND_NS)

    told = episodes.events()
    assert [(event.place, event.observations) for event in told] == [
        (f"place:{place}", 40) for place in range(3)
    ]
    assert min(event.start_ns for event in told) == START_NS
    assert told[0].bounds == Box((0.0, 0.0, 0.0), (118.0, 1.0, 0.0))


def _event(number: int, *, start_s: float, place: str) -> EventRow:
    start = START_NS + int(start_s) * SECOND_NS
    event = Event(
        f"event:{number}", "robot", "day", start, start + 59 * SECOND_NS, "map",
        Box((number - 1.0, 0.0, 0.0), (float(number), 1.0, 0.0)), f"minute {number}", 1, place,
    )  # fmt: skip
    return EventRow(event, number, number)


def test_recall_finds_what_is_left_while_the_index_is_compacted(
    memory: RobotMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "GONE_ROWS", 50)
    begin, found = indexing.MemoryIndex._begin_anew, []

    def ask() -> None:
        found.append(memory.recall(Query(text="red kettle"), mode="flat").evidence)

    def begun(index: indexing.MemoryIndex) -> None:
        begin(index)
        asker = threading.Thread(target=ask)
        asker.start()
        asker.join(20)

    monkeypatch.setattr(indexing.MemoryIndex, "_begin_anew", begun)
    robot = Looking()
    stream = robot.stand(ROOM, 600)
    stream[300] = replace(stream[300], text="a red kettle on the stove")
    memory.observe(stream)
    memory.consolidate(lag_s=0)
    assert found
    assert [evidence[0].observation.id for evidence in found] == [stream[300].id] * len(found)


def test_the_index_holds_only_what_is_left(
    memory: RobotMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "GONE_ROWS", 50)
    robot = Looking()
    stream = robot.stand(ROOM, 600)
    stream[300] = replace(stream[300], text="a red kettle on the stove")
    memory.observe(stream)

    memory.consolidate(lag_s=0)

    assert memory.index.metrics()["rows"] == len(memory.index) == memory.store.count()
    (best, *_) = memory.recall(Query(text="red kettle"), mode="flat").evidence
    assert best.observation.id == stream[300].id
    memory.observe(robot.stand(ROOM, 10))
    assert memory.index.metrics()["rows"] == memory.store.count()


def test_due_once_enough_is_organised_and_old_enough(memory: RobotMemory) -> None:
    robot, organiser = Looking(), memory._structure.organiser
    keeper = Consolidator(memory.store)
    memory.observe(robot.stand(ROOM, consolidation.DUE + 1))
    assert not keeper.due(organiser)
    organiser.organise()
    assert not keeper.due(organiser)
    memory.observe(robot.stand(ROOM, int(consolidation.LAG_S) + 30))
    organiser.organise()
    assert keeper.due(organiser)
