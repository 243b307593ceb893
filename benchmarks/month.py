"""A simulated month in a house: size on disk, RAM and recall latency against days.

    python -m benchmarks.month --days 30 --peer emem

A robot lives with people for ten hours a day and perceives once a second: it tours, runs errands,
stands by and charges. It sees what is in its room, within 4 m and 90 degrees, with 5 cm of noise,
a tenth missed and one label in fifty wrong. People move ten to twenty things a day. No pictures
are rendered. Observations are handed in ten minutes at a time, `RobotMemory.consolidate` runs
every simulated hour, and every evening the memory is measured and asked about day one. Every
contestant runs in a process of its own on the same stream.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.common import (
    Bar,
    Floats,
    Target,
    machine,
    print_json,
    print_table,
    print_targets,
    resident_bytes,
    rounded,
    say,
    today,
)
from memory_core import Observation, Pose, Query, RobotMemory, Sighting
from memory_core.identity import new_id
from memory_core.perception.text import HashingEncoder, SentenceEncoder, TextEncoder
from memory_core.semantic.consolidation import Retention

SECOND_NS = 10**9
HOUR_S = 3_600
DAY_NS = 86_400 * SECOND_NS
FIRST_MORNING_NS = 1_767_603_600 * SECOND_NS  # 2026-01-05, nine o'clock UTC
WRITE_S = 600
RANGE_M = 4.0
HALF_VIEW = math.radians(45)
NOISE_M = 0.05
POSE_NOISE_M = 0.02
POSE_NOISE_RAD = math.radians(1)
MISSED = 0.10
MISNAMED = 0.02
CAPTION_S = 20
SPEED_M_S = 0.5
TURN_RAD_S = math.radians(45)
MOVES = (10, 20)
RIGHT_M = 1.0
RECALLS = 40
COVARIANCE = tuple((np.eye(3) * NOISE_M**2).ravel().tolist())
WEEK = 7
PEER_LIMIT_S = 600.0

Point = tuple[float, float, float]


# -- the house and its people -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of the house: label, where it stands (metres), its room."""

    label: str
    position: Point
    room: str


@dataclass(frozen=True, slots=True)
class Question:
    """A thing unique on day one: its label, where it was then, whether anybody ever touched it."""

    label: str
    position: Point
    touched: bool


class Household:
    """A house of six rooms, its things, and what people do with them."""

    def __init__(self, seed: int) -> None:
        """Furnish it; half of the small things will never be touched."""
        from memory_sim.questions.household import BROUGHT, COPIED
        from memory_sim.worlds.plan import plan_house

        self.plan = plan_house(seed)
        self._random = np.random.default_rng([seed, 1])
        self.items = {
            number: Item(thing.kind.label, thing.position, thing.room)
            for number, thing in enumerate(self.plan.things)
        }
        self._tops = [(n, t) for n, t in enumerate(self.plan.things) if t.kind.top > 0]
        small = [n for n, thing in enumerate(self.plan.things) if thing.position[2] > 0.01]
        copies = [kind for kind in COPIED for _ in range(3)]
        for number, kind in enumerate((*BROUGHT, *copies), start=len(self.items)):
            self.items[number] = self._somewhere(kind.label)
            small.append(number)
        counted = Counter(item.label for item in self.items.values())
        unique = [number for number in small if counted[self.items[number].label] == 1]
        self._movable = sorted({*small} - {*unique[::2]})
        self.questions = [
            Question(item.label, item.position, number in self._movable)
            for number, item in self.items.items()
            if counted[item.label] == 1
        ]
        self.labels = sorted(counted)
        self._away: set[int] = set()

    def moves(self, hours: int) -> list[tuple[int, int]]:
        """One day's schedule: (second of the day, number of the thing that is moved), by time."""
        count = int(self._random.integers(*MOVES))
        seconds = np.sort(self._random.integers(0, hours * HOUR_S, count))
        there = [number for number in self._movable if number not in self._away]
        return [(int(second), int(self._random.choice(there))) for second in seconds]

    def move(self, number: int) -> None:
        """Somebody puts a thing somewhere else in the house."""
        if number not in self._away:
            self.items[number] = self._somewhere(self.items[number].label)

    def take_away(self) -> None:
        """Somebody takes a thing out of the house for good."""
        touched = [n for n in self._movable if n not in self._away]
        number = int(self._random.choice(touched))
        self._away.add(number)
        del self.items[number]

    def _somewhere(self, label: str) -> Item:
        """On some piece of furniture, or on the floor along a wall."""
        if self._random.random() < 0.7:
            _, top = self._tops[int(self._random.integers(len(self._tops)))]
            reach = [side / 2 - 0.1 for side in top.kind.footprint]
            x, y = (
                at + float(self._random.uniform(-side, side))
                for at, side in zip(top.position[:2], reach, strict=True)
            )
            return Item(label, (x, y, top.kind.top), top.room)
        room = self.plan.rooms[int(self._random.integers(len(self.plan.rooms)))]
        along, side = float(self._random.uniform(0.4, 3.6)), int(self._random.integers(2))
        spot = (along, 0.35 + side * 3.3)
        x, y = (at + by for at, by in zip(room.low, spot, strict=True))
        return Item(label, (x, y, 0.1), room.kind)


# -- the robot and what it perceives ------------------------------------------------------------


class Robot:
    """Where the robot is, second by second; it never takes quite the same path."""

    def __init__(self, house: Household, seed: int) -> None:
        """Begin at the dock in the hallway."""
        self._plan = house.plan
        self._random = np.random.default_rng([seed, 2])
        hall = house.plan.hallway
        self._dock = (hall.low[0] + 0.6, hall.low[1] + hall.size[1] / 2)
        self._hall_y = hall.low[1] + hall.size[1] / 2
        self._here, self._yaw, self._room = self._dock, 0.0, -1

    def hour(self) -> Iterator[tuple[float, float, float]]:
        """x, y (metres) and heading (radians) for each second of an hour.

        A tour of all rooms, errands with a few minutes' standing by in a room, and charging for
        the rest, at least a third of the hour.
        """
        poses = list(self._tour())
        while len(poses) < HOUR_S * 2 // 3 - 300:
            poses += self._errand()
        poses += self._go(-1, self._dock)
        poses += self._turn(0.0)
        poses += [(*self._here, self._yaw)] * max(0, HOUR_S - len(poses))
        yield from poses[:HOUR_S]

    def _tour(self) -> Iterator[tuple[float, float, float]]:
        for room in self._random.permutation(len(self._plan.rooms)).tolist():
            yield from self._go(room, self._near_the_middle(room))
            for _ in range(4):
                yield from self._turn(self._yaw + math.pi / 2)

    def _errand(self) -> list[tuple[float, float, float]]:
        room = int(self._random.integers(len(self._plan.rooms)))
        poses = [*self._go(room, self._near_the_middle(room))]
        poses += self._turn(float(self._random.uniform(-math.pi, math.pi)))
        stay = int(self._random.integers(60, 300))
        return poses + [(*self._here, self._yaw)] * stay

    def _near_the_middle(self, room: int) -> tuple[float, float]:
        x, y = self._plan.rooms[room].centre
        dx, dy = self._random.uniform(-0.5, 0.5, 2).tolist()
        return x + dx, y + dy

    def _go(self, room: int, target: tuple[float, float]) -> Iterator[tuple[float, float, float]]:
        """Out through the door, along the hallway, in through the other door."""
        rooms = self._plan.rooms
        points = [target]
        if room != self._room:
            doors = [rooms[number].door for number in (self._room, room) if number >= 0]
            hall = [(x, self._hall_y) for x, _ in doors]
            first = [doors[0], hall[0]] if self._room >= 0 else []
            last = [hall[-1], doors[-1]] if room >= 0 else []
            points = [*first, *last, target]
        self._room = room
        for point in points:
            dx, dy = point[0] - self._here[0], point[1] - self._here[1]
            length = math.hypot(dx, dy)
            if length < 0.05:
                continue
            yield from self._turn(math.atan2(dy, dx))
            steps = max(1, round(length / SPEED_M_S))
            x0, y0 = self._here
            for step in range(1, steps + 1):
                self._here = (x0 + dx * step / steps, y0 + dy * step / steps)
                yield (*self._here, self._yaw)

    def _turn(self, yaw: float) -> Iterator[tuple[float, float, float]]:
        difference = math.remainder(yaw - self._yaw, 2 * math.pi)
        steps = math.ceil(abs(difference) / TURN_RAD_S - 1e-9)
        begun = self._yaw
        for step in range(1, steps + 1):
            self._yaw = math.remainder(begun + difference * step / steps, 2 * math.pi)
            yield (*self._here, self._yaw)


class Eyes:
    """What the robot makes of what is before it."""

    def __init__(self, house: Household, seed: int, encoder: TextEncoder) -> None:
        """Look into a house."""
        self._house = house
        self._encoder = encoder
        self._random = np.random.default_rng([seed, 3])
        self._rooms: dict[str, tuple[list[str], Floats]] = {}

    def changed(self) -> None:
        """Something was moved."""
        self._rooms.clear()

    def observe(self, stamp_ns: int, x: float, y: float, yaw: float) -> Observation:
        """One observation: a caption every `CAPTION_S` seconds, its vector whenever it fits."""
        chance = self._random
        room = self._house.plan.room_at(x, y)
        labels, sightings = self._look(room, x, y, yaw)
        said = caption(labels, room) if labels else None
        embeddings = {} if said is None else {"text": self._encoder.encode([said])[0]}
        text = said if stamp_ns // SECOND_NS % CAPTION_S == 0 else None
        noise = chance.normal(size=3)
        pose = Pose.from_yaw(
            x + float(noise[0]) * POSE_NOISE_M,
            y + float(noise[1]) * POSE_NOISE_M,
            yaw=yaw + float(noise[2]) * POSE_NOISE_RAD,
        )
        return Observation(
            new_id(stamp_ns), stamp_ns, "camera", session=f"day {stamp_ns // DAY_NS}", pose=pose,
            text=text, sightings=sightings, embeddings=embeddings,
        )  # fmt: skip

    def _look(
        self, room: str, x: float, y: float, yaw: float
    ) -> tuple[list[str], tuple[Sighting, ...]]:
        """Labels in view, nearest first, as they are; and sightings, as they are perceived."""
        if room not in self._rooms:
            found = [item for item in self._house.items.values() if item.room == room]
            self._rooms[room] = (
                [item.label for item in found],
                np.array([item.position for item in found]).reshape(-1, 3),
            )
        names, points = self._rooms[room]
        dx, dy = points[:, 0] - x, points[:, 1] - y
        ahead = dx * math.cos(yaw) + dy * math.sin(yaw)
        aside = dy * math.cos(yaw) - dx * math.sin(yaw)
        away = np.hypot(dx, dy)
        seen = np.flatnonzero((away < RANGE_M) & (np.abs(np.arctan2(aside, ahead)) < HALF_VIEW))
        seen = seen[np.argsort(away[seen])]
        chance = self._random
        noise = chance.normal(size=(len(seen), 3)) * NOISE_M
        luck = chance.random((len(seen), 2))
        sightings = []
        for place, number in enumerate(seen.tolist()):
            if luck[place, 0] < MISSED:
                continue
            label = names[number]
            if luck[place, 1] < MISNAMED:
                label = str(chance.choice(self._house.labels))
            at = noise[place] + (ahead[number], aside[number], points[number, 2])
            a, b, c = at.tolist()
            sightings.append(Sighting(label, position=(a, b, c), covariance=COVARIANCE))
        return [names[number] for number in seen.tolist()], tuple(sightings)


def caption(labels: Sequence[str], room: str) -> str:
    """What a captioner says: the nearest two kinds of things, and the room."""
    kinds = list(dict.fromkeys(labels))[:2]
    return f"a {' and a '.join(sorted(kinds))} in the {room}"


class Month:
    """The stream: days of hours of observations, the same for the same seed."""

    def __init__(self, seed: int, hours: int, encoder: TextEncoder) -> None:
        """Begin on the first morning."""
        self.house = Household(seed)
        self._robot = Robot(self.house, seed)
        self._eyes = Eyes(self.house, seed, encoder)
        self._hours = hours

    def day(self, number: int) -> Iterator[list[Observation]]:
        """One day, hour by hour; on the first day nothing is moved.

        Args:
            number: Counted from 1.
        """
        moves = self.house.moves(self._hours) if number > 1 else []
        if number % (WEEK + 3) == 0:
            self.house.take_away()
        morning = FIRST_MORNING_NS + (number - 1) * DAY_NS
        for hour in range(self._hours):
            observations = []
            for second, (x, y, yaw) in enumerate(self._robot.hour(), start=hour * HOUR_S):
                while moves and moves[0][0] <= second:
                    self.house.move(moves.pop(0)[1])
                    self._eyes.changed()
                stamp_ns = morning + second * SECOND_NS
                observations.append(self._eyes.observe(stamp_ns, x, y, yaw))
            yield observations

    def standing(self, number: int) -> list[Observation]:
        """An hour in the middle of a room, right after a day."""
        room = self.house.plan.rooms[0]
        start = FIRST_MORNING_NS + (number - 1) * DAY_NS + self._hours * HOUR_S * SECOND_NS
        return [
            self._eyes.observe(start + second * SECOND_NS, *room.centre, 0.0)
            for second in range(HOUR_S)
        ]


# -- contestants --------------------------------------------------------------------------------


class Contestant(Protocol):
    """A memory that lives through the month."""

    def take(self, hour: list[Observation]) -> None:
        """An hour of observations, and whatever the memory does every hour."""

    def evening(self) -> dict[str, float]:
        """Bring everything to disk; counts by name."""

    def recall(self, text: str) -> float:
        """Recall ten observations by words; seconds, encoding of the words not counted."""

    def answers(self, questions: Sequence[Question]) -> dict[str, float]:
        """Answer day-one questions; shares that are right, by name."""

    def close(self) -> None:
        """Let go of everything."""


class ThisMemory:
    """The memory under test."""

    def __init__(self, folder: Path, encoder: TextEncoder, retention: Retention | None) -> None:
        """Make a memory in a folder."""
        self._encoder = encoder
        self.memory = RobotMemory.open(folder, text_encoder=encoder, retention=retention, gpu=False)
        self._spent = {"observe_s": 0.0, "consolidate_s": 0.0}
        self._now_ns = 0

    def take(self, hour: list[Observation]) -> None:
        """Written ten minutes at a time, consolidated once."""
        begun = time.perf_counter()
        for start in range(0, len(hour), WRITE_S):
            acknowledged = self.memory.observe(hour[start : start + WRITE_S])
            assert not acknowledged.refused, acknowledged.refused[:1]
        written = time.perf_counter()
        self.memory.consolidate()
        self._spent["observe_s"] += written - begun
        self._spent["consolidate_s"] += time.perf_counter() - written
        self._now_ns = hour[-1].stamp_ns

    def evening(self) -> dict[str, float]:
        """The log is folded into the database, the index written."""
        self.memory.index.checkpoint()
        with self.memory.store.reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            free = db.execute("PRAGMA freelist_count").get * db.execute("PRAGMA page_size").get
        found = {
            "observations": self.memory.store.count(),
            "events": len(self.memory.events()),
            "entities": len(self.memory.entities()),
            "places": len(self.memory.places()),
            "facts": len(self.memory.facts()),
            "free_mb": free / 1e6,
            **self._spent,
        }
        self._spent = dict.fromkeys(self._spent, 0.0)
        return found

    def recall(self, text: str) -> float:
        """By hierarchical attention over things and words."""
        self._encoder.encode([text])
        begun = time.perf_counter()
        self.memory.recall(Query(text=text, k=10))
        return time.perf_counter() - begun

    def answers(self, questions: Sequence[Question]) -> dict[str, float]:
        """Where is it, for what nobody touched; where was it first, for what was moved since."""
        told = self.memory.entities()
        still, first, moved = [], [], []
        for question in questions:
            if question.touched:
                starts = [
                    entity.history[0].position for entity in told if entity.label == question.label
                ]
                moved.append(_near(starts, question))
                continue
            answer = self.memory.ask(f"where is the {question.label}?", now_ns=self._now_ns)
            still.append(_near([answer.position] if answer.position else [], question))
            starts = [
                stay.position for e in told if e.label == question.label for stay in e.history
            ]
            first.append(_near(starts, question))
        return {
            "day_one_right": float(np.mean(still + moved)),
            "asked_untouched": float(np.mean(still)),
            "held_untouched": float(np.mean(first)),
            "held_moved": float(np.mean(moved)),
        }

    def close(self) -> None:
        """Close the memory."""
        self.memory.close()


def _near(positions: Sequence[Point], question: Question) -> bool:
    """Whether one of some positions is where the thing was on day one, on the floor plan."""
    return any(math.dist(at[:2], question.position[:2]) <= RIGHT_M for at in positions)


class Emem:
    """emem: SQLite and hnswlib. It is given a sentence of what each observation shows."""

    def __init__(self, folder: Path, encoder: TextEncoder, capacity: int) -> None:
        """Make a store with room for so many observations."""
        from emem import SpatioTemporalMemory
        from emem.config import SpatioTemporalMemoryConfig
        from emem.types import ObservationNode

        folder.mkdir()
        self._encoder = encoder
        database = str(folder / "emem.db")
        config = SpatioTemporalMemoryConfig(
            db_path=database,
            hnsw_path=str(folder / "emem.hnsw"),
            embedding_dim=encoder.space.dimension,
            hnsw_max_elements=capacity,
        )
        self._node = ObservationNode
        self._memory = SpatioTemporalMemory(db_path=database, config=config)
        self._store = self._memory.store
        self._spent_s = 0.0
        self._count = 0

    def take(self, hour: list[Observation]) -> None:
        """Its fast route, the store's own batch call; the nodes are made outside the clock."""
        nodes = []
        for item in hour:
            assert item.pose is not None
            nearest = list(dict.fromkeys(seen.label for seen in item.sightings))[:2]
            text = item.text or f"I see {' and '.join(sorted(nearest)) or 'nothing'}"
            nodes.append(
                self._node(
                    id=item.id,
                    text=text,
                    coordinates=np.array(item.pose.position),
                    timestamp=item.stamp_ns / SECOND_NS,
                    embedding=self._encoder.encode([text])[0],
                )
            )
        begun = time.perf_counter()
        for start in range(0, len(nodes), WRITE_S):
            self._store.add_observations_batch(nodes[start : start + WRITE_S])
        self._spent_s += time.perf_counter() - begun
        self._count += len(nodes)

    def evening(self) -> dict[str, float]:
        """Its vectors reach the disk when they are saved."""
        self._store.save()
        found = {"observations": float(self._count), "observe_s": self._spent_s}
        self._spent_s = 0.0
        return found

    def recall(self, text: str) -> float:
        """By its vector."""
        vector = self._encoder.encode([text])[0]
        begun = time.perf_counter()
        self._store.semantic_search_by_vector(vector, n_results=10)
        return time.perf_counter() - begun

    def answers(self, questions: Sequence[Question]) -> dict[str, float]:
        """It is not asked: what it stores is where the robot stood."""
        return {}

    def close(self) -> None:
        """Save and close."""
        self._memory.close()


# -- measuring ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: days of so many hours, a seed, a bound (0: none), an encoder, a time limit."""

    days: int
    hours: int
    seed: int
    retention: int
    hashing: bool
    peer_limit_s: float


def live(name: str, plan: Plan, folder: str) -> dict[str, Any]:
    """Let one contestant live through the month, in a process of its own."""
    encoder = HashingEncoder(384) if plan.hashing else SentenceEncoder()
    month = Month(plan.seed, plan.hours, encoder)
    home = Path(folder) / name
    contestant: Contestant
    if name == "emem":
        contestant = Emem(home, encoder, (plan.days * plan.hours + 1) * HOUR_S)
    else:
        bound = Retention(plan.retention) if plan.retention else None
        contestant = ThisMemory(home, encoder, bound)
    days: list[dict[str, Any]] = []
    stopped = ""
    bar, begun = Bar(name, plan.days * plan.hours), time.perf_counter()
    for number in range(1, plan.days + 1):
        started = time.perf_counter()
        cpu_s = 0.0
        for hour, observations in enumerate(month.day(number), start=1):
            cpu_s -= time.process_time()
            contestant.take(observations)
            cpu_s += time.process_time()
            bar.show((number - 1) * plan.hours + hour)
        days.append(measure(contestant, month, home, number))
        days[-1]["cpu_s"] = rounded(cpu_s)
        days[-1]["wall_s"] = rounded(time.perf_counter() - started)
        say(f"{name}: {json.dumps(days[-1])}")
        if name == "emem" and time.perf_counter() - begun > plan.peer_limit_s:
            stopped = f"stopped after day {number}: {plan.peer_limit_s:.0f} s were up"
            break
    standing = {}
    if isinstance(contestant, ThisMemory):
        contestant.take(month.standing(plan.days))
        after = measure(contestant, month, home, plan.days)
        standing = {
            name: rounded(after[name] - days[-1][name])
            for name in ("observations", "disk_mb", "entities", "events")
        }
    bar.close()
    contestant.close()
    return {"name": name, "days": days, "standing_hour": standing, "stopped": stopped}


def measure(contestant: Contestant, month: Month, home: Path, number: int) -> dict[str, Any]:
    """What one evening shows."""
    found: dict[str, Any] = {"day": number, **contestant.evening()}
    found["disk_mb"] = disk_bytes(home) / 1e6
    labels = month.house.labels
    texts = [labels[place % len(labels)] for place in range(RECALLS)]
    contestant.recall(texts[0])
    busy_s = time.process_time()
    seconds = [contestant.recall(text) for text in texts]
    found["recall_cpu_ms"] = (time.process_time() - busy_s) / len(texts) * 1e3
    found["recall_p50_ms"], found["recall_p99_ms"] = (
        float(value) for value in np.quantile(np.array(seconds) * 1e3, (0.5, 0.99))
    )
    found |= contestant.answers(month.house.questions)
    found["ram_mb"] = resident_bytes()["RssAnon"] / 1e6
    return {name: rounded(value) for name, value in found.items()}


def disk_bytes(folder: Path) -> int:
    """What a folder's files take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def targets_of(result: dict[str, Any], plan: Plan) -> list[Target]:
    """What the month aims at."""
    days = result["days"]
    disk = [0.0, *(day["disk_mb"] for day in days)]
    week = min(WEEK, max(1, len(days) // 2))
    first, last = disk[week] - disk[0], disk[-1] - disk[-1 - week]
    hand = sum(day["observe_s"] + day["consolidate_s"] for day in days)
    seen = len(days) * plan.hours * HOUR_S
    return [
        Target(f"disk: last {week} days against the first {week}", last / first, 0.2),
        Target("day-one questions right", days[-1]["day_one_right"], 0.9, above=True),
        Target("observations/s taken in and organised", seen / hand, 100, above=True),
        Target("kept of an hour of standing", result["standing_hour"]["observations"], 100),
    ]


# -- output -------------------------------------------------------------------------------------

COLUMNS = (
    ("day", "day"), ("disk MB", "disk_mb"), ("RAM MB", "ram_mb"), ("stored", "observations"),
    ("events", "events"), ("entities", "entities"), ("facts", "facts"),
    ("observe s", "observe_s"), ("organise s", "consolidate_s"), ("both, CPU s", "cpu_s"),
    ("recall p50 ms", "recall_p50_ms"), ("p99", "recall_p99_ms"), ("CPU", "recall_cpu_ms"),
    ("day one right", "day_one_right"),
)  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """A contestant's days as a table."""
    rows = [
        [f"{day[key]:,.4g}" if day.get(key, 1e9) < 1e4 else f"{day.get(key, 0):,.0f}"
         if key in day else "" for _, key in COLUMNS]
        for day in result["days"]
    ]  # fmt: skip
    print_table(result["name"], [title for title, _ in COLUMNS], rows)
    if result["standing_hour"]:
        print(f"an hour of standing still adds {json.dumps(result['standing_hour'])}")
    if result["stopped"]:
        print(f"{result['name']}: {result['stopped']}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.month", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--hours", type=int, default=10, help="a day")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--retention", type=int, default=0, help="keep at most so many; 0: no bound"
    )
    parser.add_argument("--peer", choices=("emem", ""), default="", help="measure it as well")
    parser.add_argument("--peer-limit", type=float, default=PEER_LIMIT_S, help="seconds")
    parser.add_argument("--hashing", action="store_true", help="hashed words, not the real encoder")
    parser.add_argument("--folder", type=Path, help="where memories are made (a temporary one)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    if options.days < 1 or not 1 <= options.hours <= 14:
        parser.error("--days must be at least 1 and --hours 1 to 14")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    plan = Plan(
        options.days, options.hours, options.seed, options.retention, options.hashing,
        options.peer_limit,
    )  # fmt: skip
    names, left_out = ["this memory"], []
    if options.peer and importlib.util.find_spec(options.peer) is None:
        left_out.append(f"{options.peer}: not installed (pip install {options.peer})")
    elif options.peer:
        names.append(options.peer)
    begun, computer, results = time.perf_counter(), machine(), []
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="month-", dir=options.folder) as folder:
        for name in names:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                results.append(pool.submit(live, name, plan, folder).result())
    targets = targets_of(results[0], plan)
    if options.json:
        print_json(
            {
                "benchmark": "month",
                "config": asdict(plan),
                "date": today(),
                "machine": {**computer, "load_after": [round(v, 2) for v in os.getloadavg()]},
                "seconds": round(time.perf_counter() - begun, 1),
                "results": results,
                "targets": [target.to_json() for target in targets],
                "left_out": left_out,
            }
        )
        return
    for result in results:
        show(result)
    print_targets(targets)
    for line in left_out:
        print(f"left out: {line}")
    print(f"{today()} · {json.dumps(computer)} · {json.dumps(asdict(plan))}")


if __name__ == "__main__":
    main()
