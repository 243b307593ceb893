"""The demonstration: a house is toured, remembered live, and asked; a report shows it.

Everything comes from the seed. The answers come from the memory alone; ground truth is used
only afterwards, to say which of them are right.
"""

from __future__ import annotations

import argparse
import itertools
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import machine
from memory_core.interfaces.console import print_json, progress, say, table
from memory_core.memory import RobotMemory
from memory_core.types import Answer, Json
from memory_sim.report import Asked, write_report
from memory_sim.tour import drive, tour
from memory_sim.worlds.house import House
from memory_sim.worlds.plan import HousePlan, Room, plan_house

START_NS = 1_772_528_400_000_000_000  # 3 March 2026, 09:00 UTC
SESSION = "day one"
POSITION_LIMIT_M = 0.5
ABSENT = "fire extinguisher"

Check = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with what the right answer must satisfy, by ground truth."""

    question: str
    expected: str
    right: Check


def questions(
    plan: HousePlan, things: Sequence[tuple[str, tuple[float, float, float]]]
) -> list[Posed]:
    """Eight questions of different kinds about a house, one about something that isn't there.

    Args:
        plan: The house.
        things: Ground truth: labels and middles of things.
    """
    labels = [label for label, _ in things]
    kinds = {room.kind for room in plan.rooms}
    carried = [thing for thing in plan.things if thing.position[2] > 0.01]
    first, second = carried[0].kind.label, carried[-1].kind.label
    room = next(r for r in plan.rooms if r.kind in ("kitchen", "bathroom", "bedroom", "office"))
    furniture = [thing.kind.label.split()[-1] for thing in plan.things if thing.position[2] < 0.01]
    counted = max(sorted(set(furniture) - {"door"}), key=furniture.count)
    total = sum(label.split()[-1] == counted for label in labels)
    visited = _arrivals(plan)
    early, late = min(kinds, key=visited.__getitem__), max(kinds, key=visited.__getitem__)
    signs = {kind: _sign_of(plan, kind) for kind in (early, late)}
    return [
        Posed(f"Where is the {first}?", "within 0.5 m of it", _at(things, first)),
        Posed(f"Where did you last see the {second}?", "within 0.5 m of it", _at(things, second)),
        Posed(f"How many {counted}s did you see?", str(total),
              lambda a: a.value == total),
        Posed(f"Which did you see first, the {signs[early]} or the {signs[late]}?",
              f"the {signs[early]}", lambda a: f"The {signs[early]}," in a.answer),
        Posed(f"What is in the {room.kind}?", "what stands there", _names_some(plan, room)),
        Posed(f"How long were you in the {room.kind}?", "within 20 s of the stay",
              _stayed(plan, room)),
        Posed("What was your battery level at 09:01?", "about 99 %",
              lambda a: a.value is not None and abs(a.value - 99.2) < 1.0),
        Posed(f"Have you ever seen a {ABSENT}?", "no memory of it", lambda a: a.abstained),
    ]  # fmt: skip


def _at(things: Sequence[tuple[str, tuple[float, float, float]]], label: str) -> Check:
    places = [place for name, place in things if name == label]

    def right(answer: Answer) -> bool:
        at = answer.position
        return at is not None and any(math.dist(at, p) <= POSITION_LIMIT_M for p in places)

    return right


def _arrivals(plan: HousePlan) -> dict[str, float]:
    """When the tour first enters each room, seconds."""
    found: dict[str, float] = {}
    for seconds, pose in drive(plan):
        found.setdefault(plan.room_at(pose.x, pose.y), seconds)
    return found


def _sign_of(plan: HousePlan, kind: str) -> str:
    """A piece of furniture that only this room has."""
    labels = [thing.kind.label for thing in plan.things]
    for thing in plan.things:
        if thing.room == kind and labels.count(thing.kind.label) == 1 and thing.position[2] < 0.01:
            return thing.kind.label
    return kind


def _names_some(plan: HousePlan, room: Room) -> Check:
    there = {thing.kind.label for thing in plan.things if thing.room == room.kind}
    elsewhere = {thing.kind.label for thing in plan.things} - there

    def right(answer: Answer) -> bool:
        named = sum(label in answer.answer for label in there)
        foreign = sum(label in answer.answer for label in elsewhere)
        return named >= 0.6 * len(there) and foreign <= 0.3 * max(1, named)

    return right


def _stayed(plan: HousePlan, room: Room) -> Check:
    poses = list(drive(plan))
    inside = sum(
        later[0] - earlier[0]
        for earlier, later in itertools.pairwise(poses)
        if plan.room_at(earlier[1].x, earlier[1].y) == room.kind
    )
    return lambda answer: answer.value is not None and abs(answer.value - inside) <= 20.0


def run_demo(options: argparse.Namespace) -> int:
    """Tour, ask, write the report.

    Args:
        options: `seed`, `rooms`, `out`, `misses`, `json`, `quiet`.

    Raises:
        InvalidQuery: The options make no house.
    """
    begun = time.perf_counter()
    try:
        plan = plan_house(options.seed, rooms=options.rooms)
    except ValueError as error:
        raise InvalidQuery(f"--rooms: {error}") from None
    if not 0 <= options.misses < 1:
        raise InvalidQuery(f"--misses is {options.misses}; expected 0 to 1")
    out: Path = options.out
    folder = out / "memory"
    if folder.exists() and (folder / "memory.db").exists():
        shutil.rmtree(folder)
    out.mkdir(parents=True, exist_ok=True)
    quiet = options.quiet or options.json
    with House(plan) as house, RobotMemory.open(folder) as memory:
        with progress("touring the house", quiet=quiet) as bar:
            timings = tour(
                house, memory, start_ns=START_NS, session=SESSION, misses=options.misses,
                progress=bar,
            )  # fmt: skip
        toured = time.perf_counter()
        end_ns = START_NS + round(list(drive(plan))[-1][0] * 1e9)
        asked = [_ask(memory, posed, end_ns) for posed in questions(plan, house.label_centres())]
        answered = time.perf_counter()
        check = memory.verify()
        figures = {
            "seed": options.seed,
            "machine": machine(),
            "tour_s": round(toured - begun, 1),
            "questions_s": round(answered - toured, 1),
            **{f"{name}_ms": value for name, value in timings.median_ms().items()},
            "right": sum(item.right for item in asked),
            "asked": len(asked),
            "verified": check.clean,
        }
        report = write_report(out / "report.html", memory, plan, asked, figures)
    return _show(options, asked, figures, report)


def _ask(memory: RobotMemory, posed: Posed, now_ns: int) -> Asked:
    begun = time.perf_counter()
    answer = memory.ask(posed.question, now_ns=now_ns)
    seconds = time.perf_counter() - begun
    return Asked(posed.question, answer, posed.expected, posed.right(answer), seconds)


def _show(options: argparse.Namespace, asked: list[Asked], figures: Json, report: Path) -> int:
    if options.json:
        answers = [{"question": i.question, "right": i.right, **i.answer.to_json()} for i in asked]
        print_json({**figures, "report": str(report), "answers": answers})
    else:
        table(
            "", ["question", "answer", "right"],
            [[i.question, i.answer.answer, "yes" if i.right else f"NO, expected {i.expected}"] for i in asked],
        )  # fmt: skip
        say(
            f"{figures['right']} of {figures['asked']} right; tour {figures['tour_s']} s, questions "
            f"{figures['questions_s']} s. Report: {report}. Ask on: robot-memory ask --memory "
            f"{report.parent / 'memory'} 'where is the lamp?'"
        )
    return 0 if figures["verified"] else 5
