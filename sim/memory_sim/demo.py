"""The demonstration: two days of a robot in a simulated home, told by its memory alone.

On the first day it explores, looks at every surface, and is asked questions in the evening. The
memory is closed; the night passes, and people move things. On the second day the robot is asked to
bring what was moved farthest. Ground truth chooses what is asked and says what is right; neither
the memory nor the planner sees it.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import machine
from memory_core.interfaces.console import print_json, progress, say, table
from memory_core.interfaces.plan_view import draw_plan
from memory_core.memory import RobotMemory
from memory_core.planning.persistence import DAY_NS
from memory_core.planning.planner import Planner
from memory_core.planning.skills import Give, Skill, told
from memory_core.types import Json, Pose
from memory_sim.agents.choice import remembered
from memory_sim.asking import (
    Posed,
    asked_after_the_errand,
    asked_in_the_evening,
    moved_farthest,
    says_where_it_had_been,
)
from memory_sim.film import Film
from memory_sim.house_errands import Asked as Errand
from memory_sim.house_scoring import Situation, is_done
from memory_sim.report import Asked, Fetched, evening, second_day, way_of_attention, write_report
from memory_sim.robot import HouseRobot
from memory_sim.witness import Witness
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.detectors import SegmentationDetector
from memory_sim.worlds.home.plan import HomePlan, plan_home
from memory_sim.worlds.home.truth import Whereabouts
from memory_sim.worlds.home.world import World

START_NS = 1_772_528_400_000_000_000  # 3 March 2026, 09:00 UTC
PATROL = "patrol the house"
WRONG, DAMAGED = 1, 5
"""Exit statuses: something was answered or done wrongly; the memory is not what was stored."""


@dataclass(frozen=True, slots=True)
class Lived:
    """A day of the robot.

    Attributes:
        asked: What it was asked, and what it answered.
        section: Of the report.
        done: Whether it did what it was told to do.
        kept: Observations in its memory in the evening.
        figures: Numbers of the day.
        things: Where everything truly was in the morning.
    """

    asked: tuple[Asked, ...]
    section: str
    done: bool
    kept: int
    figures: Json
    things: Mapping[str, Whereabouts]


def run_demo(options: argparse.Namespace) -> int:
    """Live two days, write the report.

    Args:
        options: `seed`, `rooms`, `out`, `misses`, `json`, `quiet`.

    Returns:
        0 where everything was right.

    Raises:
        InvalidQuery: The options make no home, or one in which people move nothing to ask for.
    """
    try:
        plan = plan_home(options.seed, rooms=options.rooms, floors=1)
    except ValueError as error:
        raise InvalidQuery(f"--rooms: {error}") from None
    if not 0 <= options.misses < 1:
        raise InvalidQuery(f"--misses is {options.misses}; expected 0 to 1")
    thing = moved_farthest(plan).thing
    out: Path = options.out
    folder = out / "memory"
    if (folder / "memory.db").exists():
        shutil.rmtree(folder)
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with RobotMemory.open(folder) as memory:
        first = _first_day(plan, memory, options)
    with RobotMemory.open(folder) as memory:  # a night, and a restart
        remains = memory.store.count() == first.kept
        second = _second_day(plan, thing, first, memory, options)
        verified = memory.verify().clean and remains
        info = memory.info()
    asked = (*first.asked, *second.asked)
    figures = {
        "seed": options.seed,
        "rooms": options.rooms,
        "machine": machine(),
        "day_one": first.figures,
        "day_two": second.figures,
        "right": sum(item.right for item in asked),
        "asked": len(asked),
        "verified": verified,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    report = write_report(out / "report.html", (first.section, second.section), info, figures)
    _show(options, asked, figures, report)
    if not verified:
        return DAMAGED
    right = all(item.right for item in asked) and first.done and second.done
    return 0 if right else WRONG


def _first_day(plan: HomePlan, memory: RobotMemory, options: argparse.Namespace) -> Lived:
    """Look about, and be asked."""
    with World(plan, day=0) as world:
        witness, things = Witness(world), truth.whereabouts(world)
        robot = _awake(world, memory, 0, options.misses, witness.see)
        witness.follow(robot)
        in_the_open = [where.thing for where in things.values() if not where.opening]
        begun = time.perf_counter()
        with progress("day one: things seen", quiet=options.quiet or options.json) as bar:

            def tick() -> bool:
                bar(sum(map(witness.seen, in_the_open)), len(in_the_open))
                return False

            planner = Planner(
                memory, robot.body(), session=robot.session, knowing=remembered(robot)
            )
            outcome = planner.do(PATROL, interrupted=tick)
        robot.sleep()
        now_ns = robot.base.stamp_ns
        lived = time.perf_counter()
        posed = asked_in_the_evening(plan, things, witness, now_ns=now_ns)
        asked = _answered(memory, posed, options, "In the evening of day one")
        figures = {
            "simulated_s": round((now_ns - START_NS) * 1e-9), "driven_m": outcome.travelled_m,
            "seconds": round(lived - begun, 1),
            "questions_s": round(time.perf_counter() - lived, 1), **{
                f"{name}_ms": value for name, value in robot.timings.median_ms().items()
            },
        }  # fmt: skip
        section = evening(memory, plan, asked)
        return Lived(asked, section, outcome.done, memory.store.count(), figures, things)


def _second_day(
    plan: HomePlan,
    thing: str,
    first: Lived,
    memory: RobotMemory,
    options: argparse.Namespace,
) -> Lived:
    """Fetch what was moved, and be asked about it."""
    _say(options, "Day two, after a restart")
    begun = time.perf_counter()
    with World(plan, day=1) as world:
        today = truth.whereabouts(world)
        fetched = _fetch(world, thing, first.things, memory, options)
    outcome, lived = fetched.outcome, time.perf_counter()
    posed = asked_after_the_errand(
        plan, thing, first.things[thing], today[thing], now_ns=outcome.end_ns
    )
    asked = _answered(memory, posed, options, "After the errand")
    figures = {
        "words": outcome.words, "reason": outcome.reason, "said": outcome.said,
        "moved": fetched.moved, "brought": fetched.brought, "says_where_it_had_been": fetched.said,
        "driven_m": outcome.travelled_m,
        "simulated_s": round((outcome.end_ns - outcome.start_ns) * 1e-9),
        "seconds": round(lived - begun, 1), "film": str(fetched.film),
    }  # fmt: skip
    section = second_day(memory, fetched, asked, before=len(first.asked))
    done = fetched.brought and fetched.said
    return Lived(asked, section, done, memory.store.count(), figures, today)


def _fetch(
    world: World,
    thing: str,
    yesterday: Mapping[str, Whereabouts],
    memory: RobotMemory,
    options: argparse.Namespace,
) -> Fetched:
    """Bring what was moved to the dock, filmed; what the robot knows of it is in its memory."""
    plan, today, file = world.plan, truth.whereabouts(world), options.out / "errand.gif"
    dock, words = plan.dock.position, f"bring me the {plan.thing_by_id[thing].label}"
    gave_at: list[Pose] = []
    with Film(world, file) as film:
        robot = _awake(world, memory, 1, options.misses, film.see)
        film.follow(robot)
        morning_ns = robot.base.stamp_ns

        def tell(step: Skill) -> None:
            if isinstance(step, Give):
                gave_at.append(robot.base.true_pose)
            minutes, seconds = divmod((robot.base.stamp_ns - morning_ns) // 10**9, 60)
            _say(options, f"{minutes:4d}:{seconds:02d}  {told(step)}")
            film.step(told(step))

        _say(options, f"> {words}")
        planner = Planner(
            memory, robot.body(), session=robot.session, told=tell, knowing=remembered(robot)
        )
        meant = planner.plan(words)
        why = way_of_attention(memory, meant)
        drawing = draw_plan(meant, memory.entities(), robot=dock)
        film.plan(words, meant)
        film.tick()
        outcome = planner.do(words, interrupted=film.tick)
        robot.sleep()
        film.strip(file.with_suffix(".png"))
    _say(options, outcome.said)
    end = Situation(
        robot.base.true_pose, truth.whereabouts(world), tuple(robot.arm.given),
        gave_at[-1] if gave_at else None, robot.arm.holding,
    )  # fmt: skip
    errand = Errand(0, "fetch", words, thing, moved=True, asker=dock)
    return Fetched(
        outcome, meant.told, drawing, why, file, _moved(plan, yesterday[thing], today[thing]),
        is_done(errand, end, plan, yesterday, said=outcome.done),
        says_where_it_had_been(outcome.said, plan, yesterday[thing]),
    )  # fmt: skip


def _awake(
    world: World, memory: RobotMemory, day: int, misses: float, watch: Callable[[Frame], None]
) -> HouseRobot:
    detector = SegmentationDetector(world, misses=misses, seed=day)
    return HouseRobot(
        world, memory, start_ns=START_NS + day * DAY_NS, session=f"day {day + 1}",
        detector=detector, seed=day, watch=watch,
    )  # fmt: skip


def _answered(
    memory: RobotMemory, posed: Sequence[Posed], options: argparse.Namespace, title: str
) -> tuple[Asked, ...]:
    asked = []
    for item in posed:
        begun = time.perf_counter()
        answer = memory.ask(item.question.text, now_ns=item.question.now_ns)
        seconds = time.perf_counter() - begun
        asked.append(Asked(item.question.text, answer, item.expected, item.right(answer), seconds))
    if not options.json:
        table(
            title, ["question", "answer", "right"],
            [[i.question, i.answer.answer, "yes" if i.right else f"NO, expected {i.expected}"]
             for i in asked],
        )  # fmt: skip
    return tuple(asked)


def _moved(plan: HomePlan, before: Whereabouts, after: Whereabouts) -> str:
    """What people did with a thing overnight, in words."""

    def told_place(where: Whereabouts) -> str:
        piece, room = plan.furniture_by_id[where.furniture], plan.room_by_name[where.room]
        return f"the {piece.label} in the {room.kind}"

    return f"from {told_place(before)} to {told_place(after)}"


def _say(options: argparse.Namespace, text: str) -> None:
    if not options.json:
        say(text)


def _show(options: argparse.Namespace, asked: Sequence[Asked], figures: Json, report: Path) -> None:
    if options.json:
        answers = [{"question": i.question, "right": i.right, **i.answer.to_json()} for i in asked]
        print_json({**figures, "report": str(report), "answers": answers})
        return
    errand = figures["day_two"]
    brought = "brought" if errand["brought"] else "NOT brought"
    said = "rightly" if errand["says_where_it_had_been"] else "WRONGLY"
    say(
        f"{figures['right']} of {figures['asked']} answers right; the thing was {brought}, and where "
        f"it had been was told {said}. {figures['seconds']} s. Report: {report}. Ask on: robot-memory "
        f'ask --memory {report.parent / "memory"} "{asked[0].question}"'
    )
