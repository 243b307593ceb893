"""`robot-memory sim house` and `robot-memory do`: a robot lives a day, or does one errand, at home."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import InvalidQuery, PlannerMissing
from memory_core.interfaces.console import print_json, say
from memory_core.interfaces.opening import encoder_of
from memory_core.interfaces.plan_view import write_plan
from memory_core.memory import RobotMemory
from memory_core.planning.body import Body, Interrupted, Seen
from memory_core.planning.goals import parse_goal
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.state import load_state
from memory_core.planning.outcomes import Outcome
from memory_core.planning.persistence import DAY_NS
from memory_core.planning.planner import Planner
from memory_core.planning.skills import Skill, told
from memory_core.types import FloatArray, Json, Vector3
from memory_sim.agents.choice import remembered
from memory_sim.detecting.choice import (
    NO_ERRORS,
    SEGMENTATION,
    Errors,
    detector_named,
    errors_of,
)
from memory_sim.film import Film
from memory_sim.robot import MAPS, HouseRobot
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

START_NS = 1_772_528_400_000_000_000  # 3 March 2026, 09:00 UTC
PATROL = "patrol the house"
PAUSE_NS = 60_000_000_000
"""Between two errands of one day that are asked for one after the other."""
HOME = "home.json"
"""In a memory's folder: the seed of the home that it is of."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a simulated home.

    Attributes:
        seed: Of the home.
        number: 0 the first.
        pixels: Width and height of the robot's pictures.
    """

    seed: int
    number: int
    pixels: tuple[int, int] = (320, 240)

    @property
    def session(self) -> str:
        """The robot's session that day."""
        return f"day {self.number + 1}"


class Life:
    """A robot with its memory in a home on one day, and what is shown of it."""

    def __init__(
        self, day: Day, world: World, memory: RobotMemory, *, film: Film | None = None,
        quiet: bool = False, detector: str = SEGMENTATION, errors: Errors = NO_ERRORS,
    ) -> None:  # fmt: skip
        """Wake the robot up.

        Args:
            day: Which.
            world: The home on it.
            memory: Of the robot, of this home.
            film: Of the robot; None for none.
            quiet: Print nothing.
            detector: As `detecting.choice.detector_named` takes it.
            errors: Of the segmentation detector.
        """
        self._film, self._quiet = film, quiet
        self._begun_ns = _morning_ns(memory, day)
        self.robot = HouseRobot(
            world, memory, start_ns=self._begun_ns, session=day.session, seed=day.number,
            detector=detector_named(detector, world, errors=errors, seed=day.number),
            watch=film.see if film is not None else lambda frame: None,
        )  # fmt: skip
        if film is not None:
            film.follow(self.robot)
        self.planner = Planner(
            memory, self.robot.body(), session=day.session, told=self._told,
            knowing=remembered(self.robot),
        )  # fmt: skip

    def do(self, words: str, stopped: Interrupted) -> Outcome:
        """Carry out an errand, and tell of it."""
        self._say(f"> {words}")
        if self._film is not None:
            self._film.plan(words, self.planner.plan(words))
        return self._ended(self.planner.do(words, interrupted=self._watched(stopped)))

    def resume(self, stopped: Interrupted) -> Outcome | None:
        """Go on with what a power cut ended; None where there is nothing to go on with."""
        outcome = self.planner.resume(interrupted=self._watched(stopped))
        return None if outcome is None else self._ended(outcome)

    def _watched(self, stopped: Interrupted) -> Interrupted:
        film = self._film
        return stopped if film is None else lambda: film.tick() or stopped()

    def _told(self, step: Skill) -> None:
        minutes, seconds = divmod((self.robot.base.stamp_ns - self._begun_ns) // 10**9, 60)
        self._say(f"{minutes:4d}:{seconds:02d}  {told(step)}")
        if self._film is not None:
            self._film.step(told(step))

    def _ended(self, outcome: Outcome) -> Outcome:
        ended = "done" if outcome.done else f"not done ({outcome.reason})"
        self._say(f"         {ended}, {outcome.travelled_m:.1f} m driven. {outcome.said}")
        return outcome

    def _say(self, text: str) -> None:
        if not self._quiet:
            say(text)


def run_sim(options: argparse.Namespace) -> int:
    """Run `robot-memory sim house`."""
    day = Day(options.seed, options.day, _pixels(options.pixels))
    errands: Sequence[str] = options.errand or (PATROL,)
    for words in errands:
        parse_goal(words)
    out: Path = options.out
    video = out / f"day-{day.number + 1}.mp4" if options.video else None
    begun = time.perf_counter()
    outcomes = []
    with ExitStack() as stack:
        world = _home(stack, day)
        memory = stack.enter_context(RobotMemory.open(
            out / "memory", text_encoder=encoder_of(options.encoder)
        ))  # fmt: skip
        _claim(memory, day.seed)
        film = stack.enter_context(Film(world, video)) if video is not None else None
        life = Life(
            day, world, memory, film=film, quiet=options.json, detector=options.detector,
            errors=errors_of(options),
        )  # fmt: skip
        with stoppable() as stopped:
            for words in errands:
                outcomes.append(life.do(words, stopped))
                if stopped():
                    break
        life.robot.sleep()
        if film is not None:
            film.strip(out / f"day-{day.number + 1}.png")
    done = sum(outcome.done for outcome in outcomes)
    if options.json:
        print_json({
            "seed": day.seed, "day": day.number, "memory": str(out / "memory"), "done": done,
            "sees_with": _sees_with(options),
            "outcomes": [outcome.to_json() for outcome in outcomes],
            "video": None if video is None else str(video),
            "seconds": round(time.perf_counter() - begun, 2),
        })  # fmt: skip
    else:
        say(f"{done} of {len(errands)} done; the memory is in {out / 'memory'}")
    return 0


def _sees_with(options: argparse.Namespace) -> Json:
    """The detector, and the errors it was told to make where it makes none of its own."""
    told = asdict(errors_of(options)) if options.detector == SEGMENTATION else {}
    return {"detector": options.detector, **told}


def run_do(options: argparse.Namespace) -> int:
    """Run `robot-memory do`."""
    words = " ".join(options.words)
    if bool(words) == options.resume:
        raise InvalidQuery("give either words, like 'bring me the red mug', or --resume")
    if words:
        parse_goal(words)
    if options.plan and options.resume:
        raise InvalidQuery("--plan shows a new plan; what is resumed has one already")
    if options.plan:
        return _plan(options, words)
    if options.sim is None:
        raise PlannerMissing(
            "no robot stands behind this command; add --sim SEED to act in the simulated home of "
            "that seed, or --plan to see what the robot would do"
        )
    return _act(options, words)


def _plan(options: argparse.Namespace, words: str) -> int:
    """Show a plan as text and on the map; from the dock where there is a simulated home."""
    with ExitStack() as stack:
        memory = stack.enter_context(RobotMemory.open(
            options.memory, read_only=True, create=False, text_encoder=encoder_of(options.encoder)
        ))  # fmt: skip
        planner, place = Planner(memory), None
        if options.sim is not None:
            _claim(memory, options.sim)
            day = Day(options.sim, _day(options, memory))
            body = _at_the_dock(memory, _home(stack, day), day)
            planner, here = Planner(memory, body), body.navigator.where().map_pose
            place = None if here is None else here.position
        plan = planner.plan(words)
        drawn = write_plan(options.draw, plan, memory.entities(), robot=place)
    if options.json:
        print_json({**plan.to_json(), "drawing": str(drawn)})
    else:
        say(f"{plan.told}\ndrawn on the map in {drawn}")
    return 0


def _act(options: argparse.Namespace, words: str) -> int:
    """Do one errand in a simulated home."""
    with ExitStack() as stack:
        memory = stack.enter_context(RobotMemory.open(
            options.memory, create=False, text_encoder=encoder_of(options.encoder)
        ))  # fmt: skip
        _claim(memory, options.sim)
        day = Day(options.sim, _day(options, memory), _pixels(options.pixels))
        world = _home(stack, day)
        film = stack.enter_context(Film(world, options.video)) if options.video else None
        life = Life(
            day, world, memory, film=film, quiet=options.json, detector=options.detector,
            errors=errors_of(options),
        )  # fmt: skip
        with stoppable() as stopped:
            outcome = life.resume(stopped) if options.resume else life.do(words, stopped)
        life.robot.sleep()
        if film is not None:
            film.strip(options.video.with_suffix(".png"))
    if options.json:
        print_json({
            "day": day.number, "sees_with": _sees_with(options),
            "outcome": outcome.to_json() if outcome else None,
        })  # fmt: skip
    elif outcome is None:
        say("no errand was cut off on that day; there is nothing to go on with")
    return 0 if outcome is None or outcome.done else 1


class _Blind:
    """Eyes that are shut: who only plans looks at nothing, and nothing is remembered."""

    def look(self, at: Vector3 | None = None) -> tuple[Seen, ...]:
        return ()

    def noticed(self) -> tuple[Seen, ...]:
        return ()

    def cloud(self) -> FloatArray:
        return np.empty((0, 3))


def _at_the_dock(memory: RobotMemory, world: World, day: Day) -> Body:
    """A robot that knows its way, by the memory's map, and does not act."""
    base = SimBase(world, start_ns=_morning_ns(memory, day), seed=day.number)
    folder, dock = memory.folder / MAPS, world.plan.dock
    if folder.exists():
        localiser = load_state(folder, start=dock)
    else:
        localiser = Localiser(start=dock, heights_m=world.floors_z)
    lifts = (world.plan.lift,) if world.plan.lift is not None else ()
    navigator = GridNavigator(base, localiser, lifts=lifts)
    return Body(navigator, _Blind(), lambda: base.stamp_ns, base.wait)


def _morning_ns(memory: RobotMemory, day: Day) -> int:
    return max(START_NS + day.number * DAY_NS, memory.store.newest_ns() + PAUSE_NS)


def _home(stack: ExitStack, day: Day) -> World:
    if day.number < 0:
        raise InvalidQuery(f"--day is {day.number}; the first is 0")
    width, height = day.pixels
    plan = plan_home(day.seed)
    return stack.enter_context(World(plan, day=day.number, width=width, height=height))


def _claim(memory: RobotMemory, seed: int) -> None:
    """Write down which home a memory is of, or refuse another one.

    Raises:
        InvalidQuery: It is of another home.
    """
    path = memory.folder / HOME
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))["seed"]
        if known != seed:
            raise InvalidQuery(
                f"{memory.folder} is a memory of home {known}, not of {seed}; take that seed, or "
                "another folder"
            )
    elif not memory.read_only:
        path.write_text(json.dumps({"seed": seed}) + "\n", encoding="utf-8")


def _day(options: argparse.Namespace, memory: RobotMemory) -> int:
    """The day that was asked for; else the one after the memory's last, or, to resume, that one."""
    if options.day is not None:
        return int(options.day)
    newest_ns = memory.store.newest_ns()
    if newest_ns < START_NS:
        return 0
    return (newest_ns - START_NS) // DAY_NS + (0 if options.resume else 1)


def _pixels(text: str) -> tuple[int, int]:
    """A size like 320x240.

    Raises:
        InvalidQuery: It is none.
    """
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdigit() and 16 <= int(part) <= 4096 for part in parts):
        raise InvalidQuery(f"--pixels is {text!r}; expected a size like 320x240")
    return int(parts[0]), int(parts[1])


@contextmanager
def stoppable() -> Iterator[Interrupted]:
    """Have Ctrl-C end what the robot does in an orderly way: the outcome is remembered."""
    stopped: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    try:
        yield lambda: bool(stopped)
    finally:
        signal.signal(signal.SIGINT, before)
