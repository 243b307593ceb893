"""A house that people live in: what stands where on each visit, and what the robot saw of it.

A house is drawn from its seed, with two to five of one small kind of thing. The robot tours it
on two days; in between people move things, take some away and bring new ones. Ground truth stays
here; the memory is given the recorded observations alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.recordings.serial import observation_from_json, observation_to_json
from memory_core.types import Observation, Pose, Vector3
from memory_sim.tour import drive, tour
from memory_sim.worlds.house import House
from memory_sim.worlds.plan import (
    BLACK,
    BLUE,
    GREEN,
    PINK,
    RED,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    HousePlan,
    Kind,
    Part,
    Placed,
    fits_on,
    free_spot,
    plan_house,
    put_on,
)

WIDTH, HEIGHT = 320, 180
MISSES = 0.05
FIRST_DAY = dt.datetime(2026, 3, 3, 9, tzinfo=dt.timezone.utc)
SESSIONS = ("first visit", "second visit")
NS = 1_000_000_000


def _thing(label: str, x: float, y: float, z: float, colour: Colour) -> Kind:
    return Kind(label, (Part("box", (x, y, z), (0, 0, z / 2), colour),), footprint=(x, y))


BROUGHT = (
    _thing("suitcase", 0.45, 0.25, 0.6, BLUE),
    _thing("cardboard box", 0.4, 0.4, 0.35, WOOD),
    _thing("backpack", 0.3, 0.2, 0.45, RED),
    _thing("teddy bear", 0.22, 0.2, 0.3, WOOD),
    _thing("vase", 0.12, 0.12, 0.28, WHITE),
    _thing("toolbox", 0.3, 0.18, 0.18, RED),
    _thing("radio", 0.25, 0.12, 0.16, BLACK),
    _thing("gift", 0.2, 0.2, 0.2, PINK),
)
"""What people may bring into a house between two visits."""
COPIED = (
    _thing("cup", 0.09, 0.09, 0.12, BLUE),
    _thing("book", 0.22, 0.16, 0.06, GREEN),
    _thing("bottle", 0.09, 0.09, 0.3, GREEN),
    _thing("candlestick", 0.08, 0.08, 0.26, YELLOW),
)
"""Small things of which a house has several alike."""
ON_THE_FLOOR = ("plant", "laundry basket", "office chair", "floor lamp")
"""Furniture that people push about."""
MOVED_M = 1.5
"""A thing counts as moved where its new place is at least this far from the old one."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a thing is: middle (metres), room, and what it stands on (its number; None: the floor)."""

    centre: Vector3
    room: str
    on: int | None


@dataclass(frozen=True, slots=True)
class Thing:
    """One physical thing: number, label, and its spot on each visit (None while it is not there)."""

    number: int
    label: str
    spots: tuple[Spot | None, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One tour: its session, when it begins and ends (nanoseconds), and the house as it then is."""

    session: str
    start_ns: int
    end_ns: int
    plan: HousePlan
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Household:
    """A house over two visits: ground truth, never shown to the memory."""

    seed: int
    visits: tuple[Visit, ...]
    things: tuple[Thing, ...]

    @property
    def rooms(self) -> tuple[str, ...]:
        """Kinds of the rooms, the hallway not among them."""
        return tuple(room.kind for room in self.visits[0].plan.rooms)

    def poses(self, visit: int) -> list[tuple[int, Pose]]:
        """Stamps (nanoseconds) and base poses of a visit."""
        start = self.visits[visit].start_ns
        return [(start + round(s * NS), pose) for s, pose in drive(self.visits[visit].plan)]


def household(seed: int) -> Household:
    """Draw a house, furnish it, and let people change it.

    Four to six rooms; three small things and one on the floor are moved, two are taken away, two
    are brought in, as far as there is room for them.

    Args:
        seed: The same seed gives the same house and the same changes.
    """
    random = np.random.default_rng([seed, 20_260_303])
    drawn = plan_house(seed, rooms=4 + seed % 3)
    placed = dict(enumerate(drawn.things))
    copied = COPIED[int(random.integers(len(COPIED)))]
    for number in range(len(placed), len(placed) + int(random.integers(2, 6))):
        _bring(number, copied, placed, drawn, random)
    before = dict(placed)
    after = _changed(placed, drawn, random)
    gap_days = int(random.integers(1, 5))
    seconds = list(drive(drawn))[-1][0]
    visits = []
    for number, (session, there) in enumerate(zip(SESSIONS, (before, after), strict=True)):
        begin = FIRST_DAY + dt.timedelta(days=gap_days * number, minutes=7 * (seed % 11))
        start_ns = int(begin.timestamp()) * NS
        plan = replace(drawn, seed=2 * seed + number, things=tuple(there.values()))
        visits.append(Visit(session, start_ns, start_ns + round(seconds * NS), plan, tuple(there)))
    return Household(seed, tuple(visits), _things(visits))


def _changed(
    before: dict[int, Placed], plan: HousePlan, random: np.random.Generator
) -> dict[int, Placed]:
    """What people leave behind."""
    there = dict(before)
    small = [n for n, item in there.items() if item.position[2] > 0.01]
    floor = [n for n, item in there.items() if item.kind.label in ON_THE_FLOOR]
    small = [small[i] for i in random.permutation(len(small))]
    floor = [floor[i] for i in random.permutation(len(floor))]
    for number in (small.pop(), (floor or small).pop()):
        del there[number]
    moves = 0
    while small and moves < 3:
        moves += _carry(small.pop(), there, plan, random)
    if floor:
        _carry(floor.pop(), there, plan, random)
    for number, pick in enumerate(
        random.permutation(len(BROUGHT))[:2].tolist(), start=max(before) + 1
    ):
        _bring(number, BROUGHT[pick], there, plan, random)
    return there


def _carry(
    number: int, there: dict[int, Placed], plan: HousePlan, random: np.random.Generator
) -> bool:
    """Move a thing at least `MOVED_M` away, off its furniture or along the floor."""
    old = there.pop(number)
    for _ in range(20):
        new = _free(old.kind, there, plan, random, on_top=old.position[2] > 0.01)
        if new is not None and math.dist(new.position[:2], old.position[:2]) >= MOVED_M:
            there[number] = new
            return True
    there[number] = old
    return False


def _bring(
    number: int,
    kind: Kind,
    there: dict[int, Placed],
    plan: HousePlan,
    random: np.random.Generator,
) -> None:
    """Put a new thing somewhere: small ones on furniture where some is free."""
    on_top = max(kind.footprint) < 0.3
    new = _free(kind, there, plan, random, on_top=on_top) or _free(
        kind, there, plan, random, on_top=False
    )
    if new is not None:
        there[number] = new


def _free(
    kind: Kind,
    there: dict[int, Placed],
    plan: HousePlan,
    random: np.random.Generator,
    *,
    on_top: bool,
) -> Placed | None:
    placed = list(there.values())
    if on_top:
        tops = [t for t in placed if t.kind.top > 0 and fits_on(kind, t, placed)]
        return put_on(kind, tops[int(random.integers(len(tops)))], placed, random) if tops else None
    room = plan.rooms[int(random.integers(len(plan.rooms)))]
    return free_spot(room, kind, [t for t in placed if t.room == room.kind], random)


def _things(visits: Sequence[Visit]) -> tuple[Thing, ...]:
    spots: dict[int, list[Spot | None]] = {}
    labels: dict[int, str] = {}
    for index, visit in enumerate(visits):
        with House(visit.plan, width=8, height=8) as house:
            centres = [centre for _, centre in house.label_centres()]
        items = dict(zip(visit.numbers, visit.plan.things, strict=True))
        for (number, item), centre in zip(items.items(), centres, strict=True):
            labels[number] = item.kind.label
            spot = Spot(centre, item.room, _support(item, items))
            spots.setdefault(number, [None] * len(visits))[index] = spot
    return tuple(Thing(number, labels[number], tuple(spots[number])) for number in sorted(spots))


def _support(item: Placed, items: dict[int, Placed]) -> int | None:
    """The number of what a thing stands on."""
    x, y, z = item.position
    under = [
        (math.dist((x, y), other.position[:2]), number)
        for number, other in items.items()
        if z > 0.01
        and abs(other.kind.top - z) < 1e-6
        and abs(x - other.position[0]) <= max(other.kind.footprint) / 2
        and abs(y - other.position[1]) <= max(other.kind.footprint) / 2
    ]
    return min(under)[1] if under else None


class _Recorder:
    """Takes a tour's observations in place of a memory, without their pictures."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    def submit(self, observation: Observation) -> Future[Any]:
        """Keep one."""
        self.observations.append(replace(observation, keyframe=None))
        done: Future[Any] = Future()
        done.set_result(None)
        return done


def stream(lived: Household, *, cache: Path | None = None) -> list[Observation]:
    """What the robot perceives on all visits, oldest first.

    Args:
        lived: The house.
        cache: A folder where recorded tours are kept as JSON Lines; a tour of another house, or
            with another camera, is never taken for this one.

    Returns:
        Odometry, battery and camera observations.
    """
    path = None if cache is None else cache / f"house-{lived.seed:04d}-{_fingerprint(lived)}.jsonl"
    if path is not None and path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        return [
            observation_from_json(json.loads(line), f"line {n} of {path.name}", default_id=str(n))
            for n, line in enumerate(lines, start=1)
        ]
    recorder = _Recorder()
    for visit in lived.visits:
        with House(visit.plan, width=WIDTH, height=HEIGHT) as house:
            tour(house, recorder, start_ns=visit.start_ns, session=visit.session, misses=MISSES)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = (json.dumps(observation_to_json(item)) for item in recorder.observations)
        partial = path.with_suffix(".partial")
        partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
        partial.replace(path)
    return recorder.observations


def _fingerprint(lived: Household) -> str:
    """Of everything that a recording depends on and that is data."""
    told = repr((lived.visits, WIDTH, HEIGHT, MISSES))
    return hashlib.sha256(told.encode()).hexdigest()[:10]
