"""Two days in a home: the robot looks about and runs errands, and what happened is written down.

The first day is the same for all that are compared: the robot tours the home and runs a few
errands with the memory's own planner. Each agent then lives the second day from a copy of what
was remembered; people moved things in between.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import RobotMemoryError
from memory_core.memory import RobotMemory
from memory_core.perception.text import TextEncoder
from memory_core.planning.body import Interrupted
from memory_core.planning.outcomes import Outcome
from memory_core.planning.planner import Planner
from memory_core.planning.skills import Give, Pick, Skill
from memory_core.types import Json, Pose
from memory_sim.agents.choice import knowledge_of
from memory_sim.detecting.choice import NO_ERRORS, SEGMENTATION, Errors, detector_named
from memory_sim.house_errands import Asked, first_errands, second_errands
from memory_sim.house_questions import Witnessed, questions_about
from memory_sim.house_scoring import Situation, is_done, shortest_m
from memory_sim.house_ways import Ways
from memory_sim.questions.scoring import right
from memory_sim.questions.wordings import Half
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.base import EXACT, OdometryNoise
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.plan import HomePlan, plan_home
from memory_sim.worlds.home.world import World

START_NS = 1_772_528_400 * 10**9
DAY_NS = 86_400 * 10**9
TOUR = "patrol the house"
PIXELS = 40
"""A thing was in view in a frame that shows so much of it."""
TOLD = 240
RECORD = "day1.json"
MEMORY = "memory"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Condition:
    """How well a robot sees and feels its way.

    Attributes:
        errors: Of the segmentation detector.
        odometry: How the wheels lie.
    """

    errors: Errors
    odometry: OdometryNoise


CONDITIONS: Mapping[str, Condition] = {
    "exact": Condition(NO_ERRORS, EXACT),
    "noisy": Condition(Errors(misses=0.2, confusions=0.05), OdometryNoise()),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is common to the days of an evaluation.

    Attributes:
        condition: One of `CONDITIONS`.
        encoder: Of the memory's texts; None for none.
        rooms: Of each home; None draws a number.
        most_errands: At most so many a day.
        longest_errand_s: Simulated seconds after which an errand is stopped.
        longest_tour_s: Simulated seconds after which the tour is stopped.
        wordings: Which half of them the questions are asked in.
        detector: As `detecting.choice.detector_named` takes it.
        errors: Of the segmentation detector; None for the condition's. Those of other detectors are
            their own, whatever the condition.
    """

    condition: str = "exact"
    encoder: TextEncoder | None = None
    rooms: int | None = None
    most_errands: int = 10
    longest_errand_s: float = 600.0
    longest_tour_s: float = 900.0
    wordings: Half = "reporting"
    detector: str = SEGMENTATION
    errors: Errors | None = None

    @property
    def makes(self) -> Errors:
        """The errors that the segmentation detector makes."""
        return CONDITIONS[self.condition].errors if self.errors is None else self.errors


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What is known of a first day.

    Attributes:
        folder: Of the memory.
        frames: In how many frames each thing was in view.
        used: Ids of the things its errands were about.
        rows: Its errands, and the day itself.
    """

    folder: Path
    frames: Mapping[str, int]
    used: frozenset[str]
    rows: tuple[Json, ...]


def first_day(
    seed: int, setting: Setting, folder: Path, *, progress: Progress = lambda told: None
) -> FirstDay:
    """Live the first day, or take it from where it was kept.

    Args:
        seed: Of the home.
        setting: See there.
        folder: Where the memory is kept, and what is known of the day.
        progress: Told what is going on.
    """
    record = folder / RECORD
    if not record.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        record.write_text(json.dumps(_toured(seed, setting, folder / MEMORY, progress)), "utf-8")
    kept = json.loads(record.read_text("utf-8"))
    used = frozenset(kept["used"])
    return FirstDay(folder / MEMORY, kept["frames"], used, tuple(kept["rows"]))


def _toured(seed: int, setting: Setting, folder: Path, progress: Progress) -> Json:
    plan = plan_home(seed, rooms=setting.rooms)
    ways = Ways(plan)
    with World(plan, day=0) as world, _open(folder, setting) as memory:
        day = _Day(world, memory, "memory", setting)
        progress("day 1: tour")
        toured = day.planner.do(TOUR, interrupted=day.after(setting.longest_tour_s))
        errands = first_errands(plan, ways)[: setting.most_errands]
        for asked in errands:
            progress(f"day 1: {asked.words}")
            day.run(asked, ways, longest_s=setting.longest_errand_s)
        day.end(tour=_summed(toured))
    return {
        "frames": dict(day.eyewitness.frames), "rows": day.rows,
        "used": sorted(asked.thing for asked in errands if asked.thing),
    }  # fmt: skip


def second_day(
    seed: int,
    agent: str,
    setting: Setting,
    first: FirstDay,
    *,
    progress: Progress = lambda told: None,
) -> list[Json]:
    """Live the second day from a copy of the first one's memory.

    Args:
        seed: Of the home.
        agent: What the plans rest on, one of `agents.choice.AGENTS`.
        setting: See there.
        first: The first day.
        progress: Told what is going on.

    Returns:
        A row an errand and a question, and one for the day.
    """
    plan = plan_home(seed, rooms=setting.rooms)
    ways = Ways(plan)
    errands = second_errands(plan, ways)[: setting.most_errands]
    with _woken(plan, 1, agent, setting, first) as day:
        for asked in errands:
            progress(f"day 2, {agent}: {asked.words}")
            day.run(asked, ways, longest_s=setting.longest_errand_s)
        handled = frozenset(asked.thing for asked in errands) | first.used
        if agent != "perfect":  # it knows the answers
            day.question(
                Witnessed(
                    plan, day.first, day.morning, first.frames, day.eyewitness.frames, handled
                ),
                setting.wordings,
            )
        day.end()
        return _as_kept(day.rows)


def search_alone(
    seed: int, day: int, agent: str, setting: Setting, first: FirstDay, asked: Asked, ways: Ways
) -> Json:
    """One errand of a later day, from a copy of what was remembered of the first.

    Args:
        seed: Of the home.
        day: On whose morning it is as people left it; 0 is the first.
        agent: What the plan rests on, one of `agents.choice.AGENTS`.
        setting: See there.
        first: The first day.
        asked: The errand.
        ways: Of the home.

    Returns:
        Its row; `frames_in_view` are those that truly showed the thing.
    """
    plan = plan_home(seed, rooms=setting.rooms)
    with _woken(plan, day, agent, setting, first) as lived:
        lived.run(asked, ways, longest_s=setting.longest_errand_s)
        in_view = lived.eyewitness.frames[asked.thing]
        return _as_kept([{**lived.rows[0], "frames_in_view": in_view}])[0]


class _Eyewitness:
    """Counts the frames in which things were truly in view, errors of the detector left aside."""

    def __init__(self, world: World) -> None:
        self._things = world.things
        self.frames: Counter[str] = Counter()

    def __call__(self, frame: Frame) -> None:
        counts = np.bincount(frame.owners.ravel(), minlength=len(self._things) + 1)
        for number, name in enumerate(self._things, start=1):  # as `scene.owners_in` counts them
            self.frames[name] += int(counts[number] >= PIXELS)


class _Day:
    """A robot awake in a home, and the rows of what it does."""

    def __init__(self, world: World, memory: RobotMemory, agent: str, setting: Setting) -> None:
        plan, number = world.plan, world.state.day
        self.world = world
        self.eyewitness = _Eyewitness(world)
        self.morning = truth.whereabouts(world)
        self.first = _first_morning(plan) if number else self.morning
        self.rows: list[Json] = []
        self._head = {
            "seed": plan.seed, "day": number + 1, "agent": agent, "condition": setting.condition,
            "detector": setting.detector, **asdict(setting.makes),
        }  # fmt: skip
        self._begun, self._start_ns = time.perf_counter(), START_NS + number * DAY_NS
        noise_seed = 1_000 * plan.seed + number
        self.robot = HouseRobot(
            world, memory, start_ns=self._start_ns, session=f"day {number + 1}",
            detector=detector_named(
                setting.detector, world, errors=setting.makes, seed=noise_seed,
            ),
            odometry_noise=CONDITIONS[setting.condition].odometry, seed=noise_seed, watch=self.eyewitness,
        )  # fmt: skip
        self._knowledge = knowledge_of(agent, self.robot, first=self.first)
        self._reached: tuple[float, int] | None = None
        self._gave_at: Pose | None = None
        self.planner = Planner(
            memory, self.robot.body(), session=self.robot.session, told=self._told,
            knowing=self._knowledge,
        )  # fmt: skip

    def _told(self, skill: Skill) -> None:
        if isinstance(skill, Pick) and self._reached is None:
            self._reached = self._so_far()
        if isinstance(skill, Give):
            self._gave_at = self.robot.base.true_pose

    def _so_far(self) -> tuple[float, int]:
        """Metres driven, and the robot's clock."""
        return self.robot.navigator.travelled_m, self.robot.base.stamp_ns

    def after(self, seconds: float) -> Interrupted:
        """Whether so much time has passed from now."""
        end_ns = self.robot.base.stamp_ns + round(seconds * 1e9)
        return lambda: self.robot.base.stamp_ns > end_ns

    def run(self, asked: Asked, ways: Ways, *, longest_s: float) -> None:
        """Come to the asker, carry the errand out, and score it.

        The way to the asker does not count: all agents begin at the same place. What a failed
        errand left in the hand is taken out of it by people; an arm that it left stretched out is
        folded.
        """
        robot = self.robot
        if robot.arm.holding:
            robot.arm.give()
        robot.arm.stow()
        robot.navigator.go(Pose(*asked.asker), interrupted=self.after(longest_s))
        robot.noticed()
        before, given = self._situation(), len(robot.arm.given)
        shortest = shortest_m(asked, before, ways, reach_m=robot.arm.reach_m)
        began_m, began_ns = self._so_far()
        begun, self._reached, self._gave_at = time.perf_counter(), None, None
        outcome, failed = None, ""
        try:
            outcome = self.planner.do(
                asked.words, asker=asked.asker, interrupted=self.after(longest_s)
            )
        except RobotMemoryError as error:
            failed = f"{type(error).__name__}: {error}"
        said = outcome is not None and outcome.done
        end = self._situation(given)
        done = is_done(asked, end, self.world.plan, self.first, said=said)
        ended_m, ended_ns = self._so_far()
        found = (ended_m, ended_ns) if asked.kind == "find" and done else None
        found = found if self._reached is None else self._reached
        self._row(
            "errand", asdict(asked), done=done, said=said,
            reason=failed if outcome is None else outcome.reason,
            told="" if outcome is None else outcome.said[:TOLD],
            driven_m=round(ended_m - began_m, 3),
            shortest_m=None if shortest is None else round(shortest, 3),
            search_m=None if found is None else round(found[0] - began_m, 3),
            search_s=None if found is None else round((found[1] - began_ns) * 1e-9, 1),
            simulated_s=round((ended_ns - began_ns) * 1e-9, 1),
            seconds=round(time.perf_counter() - begun, 2),
            steps=[] if outcome is None else _summed(outcome)["steps"],
            truth=self._places(asked, before, end),
        )  # fmt: skip

    def _situation(self, given: int = 0) -> Situation:
        """How things truly are now."""
        arm = self.robot.arm
        return Situation(
            self.robot.base.true_pose, truth.whereabouts(self.world), tuple(arm.given[given:]),
            self._gave_at, arm.holding,
        )  # fmt: skip

    def _places(self, asked: Asked, before: Situation, end: Situation) -> Json:
        """Where the robot and the thing truly were, for whoever reads the rows."""
        places: Json = {"robot": [_rounded(s.base.position) for s in (before, end)]}
        for name, things in (("first", self.first), ("before", before.things), ("end", end.things)):
            where = things.get(asked.thing)
            if where is not None:
                places[name] = [where.furniture, where.surface, *_rounded(where.position)]
        return places

    def question(self, seen: Witnessed, half: Half) -> None:
        """Ask what the robot could know."""
        words = seen.vocabulary()
        asked = questions_about(seen, half, now_ns=self.robot.base.stamp_ns)
        for number, question in enumerate(asked):
            begun = time.perf_counter()
            answer = self._knowledge.ask(question.text, now_ns=question.now_ns)
            self._row(
                "question", {"number": number, "kind": question.kind, "words": question.text},
                right=right(answer, question, vocabulary=words), told=answer.answer[:TOLD],
                position=None if answer.position is None else _rounded(answer.position),
                truth=question.fact.expected.to_json(),
                seconds=round(time.perf_counter() - begun, 4),
            )  # fmt: skip

    def end(self, **more: Json) -> None:
        """Close the day with a row of its own."""
        self.robot.sleep()
        timings = self.robot.timings
        slowest = np.percentile(timings.remember, 99) if timings.remember else 0.0
        self._row(
            "day", more, simulated_s=round((self.robot.base.stamp_ns - self._start_ns) * 1e-9, 1),
            seconds=round(time.perf_counter() - self._begun, 2), frames=len(timings.render),
            render_s=round(sum(timings.render), 2), perceive_s=round(sum(timings.perceive), 2),
            remember_s=round(sum(timings.remember), 2), remember_p99_s=round(float(slowest), 4),
            contacts_m_s=[round(speed, 3) for speed in self.robot.base.contact_speeds_m_s],
        )  # fmt: skip

    def _row(self, row: str, first: Json, **more: Json) -> None:
        self.rows.append({"row": row, **self._head, **first, **more})


@contextmanager
def _woken(
    plan: HomePlan, day: int, agent: str, setting: Setting, first: FirstDay
) -> Iterator[_Day]:
    """A robot on a later morning, with a copy of what was remembered of the first day."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(first.folder, Path(folder) / MEMORY)
        with World(plan, day=day) as world, _open(Path(folder) / MEMORY, setting) as memory:
            yield _Day(world, memory, agent, setting)


def _as_kept(rows: list[Json]) -> list[Json]:
    """Rows as a file holds them."""
    found: list[Json] = json.loads(json.dumps(rows))
    return found


def _first_morning(plan: HomePlan) -> Mapping[str, truth.Whereabouts]:
    with World(plan, day=0, width=8, height=8) as world:
        return truth.whereabouts(world)


def _open(folder: Path, setting: Setting) -> AbstractContextManager[RobotMemory]:
    return RobotMemory.open(folder, text_encoder=setting.encoder)


def _rounded(place: tuple[float, float, float]) -> list[float]:
    return [round(value, 2) for value in place]


def _summed(outcome: Outcome) -> Json:
    """How an errand went, for whoever reads the rows."""
    return {
        "reason": outcome.reason, "driven_m": round(outcome.travelled_m, 2),
        "steps": [f"{step.told}: {step.reason}" for step in outcome.steps],
    }  # fmt: skip
