"""The planner: words to a goal, a goal to a plan, and a plan carried out and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from memory_core.errors import SkillFailed
from memory_core.identity import deterministic_id
from memory_core.memory import RobotMemory
from memory_core.planning import outcomes
from memory_core.planning.body import Body, Interrupted
from memory_core.planning.candidates import Candidate, Meant
from memory_core.planning.destinations import Unknown, moment, put_back_on, put_on
from memory_core.planning.doing import DOING
from memory_core.planning.errand import Errand
from memory_core.planning.finding import PAST_DAYS
from memory_core.planning.goals import ME, Goal, parse_goal
from memory_core.planning.knowledge import Knowledge, Remembered, TravelM
from memory_core.planning.outcomes import Journal, LookedFor, Outcome, Progress
from memory_core.planning.persistence import DAY_NS
from memory_core.planning.plans import Plan
from memory_core.planning.regions import Region
from memory_core.planning.skills import (
    Approach,
    Close,
    Give,
    GoTo,
    Look,
    Open,
    Pick,
    Place,
    Press,
    Push,
    Say,
    Search,
    Skill,
    Wait,
)
from memory_core.types import DEFAULT_MAP, Answer, Pose, Vector3

STANDING = ("answer", "say", "wait")
"""Goals for which a robot need not know where it is."""
NAMED = ("go", "open", "close")
"""Goals for which nothing is searched: what is not known is not gone to."""
FOUND = ("find", "search")
SIMILAR = 5
REGIONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans from a memory, and acts through a body.

    Attributes:
        memory: What is known; open for writing where plans are carried out.
        body: The robot; None to plan alone.
        session: The robot's.
        told: Called with each step before it is made.
        knowing: What plans rest on; None for the memory.
    """

    memory: RobotMemory
    body: Body | None = None
    session: str = "default"
    told: Callable[[Skill], None] = lambda skill: None
    knowing: Knowledge | None = None

    @property
    def knowledge(self) -> Knowledge:
        """What plans rest on."""
        return self.knowing if self.knowing is not None else Remembered(self.memory)

    def plan(self, words: str, *, now_ns: int | None = None) -> Plan:
        """What the robot would do, without doing it.

        Args:
            words: What is asked for.
            now_ns: Now; by default by the body's clock, or else by the computer's.

        Raises:
            GoalNotUnderstood: The words ask for nothing a robot can do.
        """
        goal = parse_goal(words)
        now = now_ns if now_ns is not None else self._now()
        asked = _Asked(self.knowledge, now, self._travel_m)
        recalled = asked.knowledge.outcomes_like(words, k=SIMILAR)
        try:
            aim = self._aim(goal, asked)
        except Unknown as unknown:
            return Plan(goal, (), recalled=recalled, reason=str(unknown))
        way = self._way(aim.position) if aim.position is not None else ()
        evidence = aim.candidates[0].evidence if aim.candidates else None
        return Plan(
            goal, _steps(goal, aim, self._asker()), aim.candidates, aim.regions[:REGIONS_SHOWN],
            recalled, way, evidence.map_id if evidence else DEFAULT_MAP,
            evidence.epoch if evidence else 0, target=aim.position,
        )  # fmt: skip

    def _aim(self, goal: Goal, asked: _Asked) -> _Aim:
        """Where it would go first, and from there on.

        Raises:
            Unknown: Nowhere.
        """
        if goal.kind == "return":
            _, there = moment(asked, goal)
            seen = asked.meant(goal.thing).candidates
            return _Aim(there, f"place where the {goal.thing} was", seen)
        if goal.kind == "go":
            if goal.to == ME:
                return _Aim(self._asker(), "you")
            room = asked.room(goal.to)
            if room is not None:
                return _Aim(room, goal.to)
        phrase = goal.to if goal.kind == "go" else goal.thing
        if not phrase:
            return _Aim(None, "")
        since_ns = max(1, asked.now_ns - PAST_DAYS * DAY_NS)
        asked = replace(asked, looked=asked.knowledge.looks_for(phrase, since_ns=since_ns))
        meant = asked.meant(phrase)
        candidates = meant.candidates
        if goal.kind in NAMED and not candidates:
            raise Unknown("nothing known")
        if goal.kind in FOUND and goal.to:  # only there, wherever it was seen
            candidates = ()
        within = goal.to if goal.kind in FOUND else ""
        regions = asked.regions(meant.thing, within=within, seen_until_ns=asked.now_ns)
        first = candidates[0] if candidates else None
        to: tuple[Region, ...] = ()
        if goal.kind == "put":
            to = tuple(put_on(asked, goal, meant.thing))
        elif goal.kind == "put back":
            found_at = first.position if first is not None else None
            to = tuple(put_back_on(asked, meant.thing, candidates, found_at))
        if first is not None:
            return _Aim(first.position, first.label, candidates, regions, to)
        position = regions[0].top if regions else None
        return _Aim(position, meant.thing, (), regions, to)

    def do(
        self,
        words: str,
        *,
        asker: Vector3 | None = None,
        interrupted: Interrupted = lambda: False,
    ) -> Outcome:
        """Carry out what is asked for, check each step, and remember how it went.

        Args:
            words: What is asked for.
            asker: Where the asker is, `map`; by default where the robot is now.
            interrupted: Whether somebody said stop; asked throughout.

        Returns:
            How it went; what could not be done is an outcome too.

        Raises:
            GoalNotUnderstood: The words ask for nothing a robot can do; nothing was done.
        """
        goal = parse_goal(words)
        body = self._body()
        now = body.stamp_ns()
        place = asker if asker is not None else self._asker()
        errand_id = deterministic_id(f"{self.session}:{words}", outcomes.JOURNAL, now, 0)
        return self._run(goal, Progress(errand_id, words, now, place), interrupted)

    def resume(self, *, interrupted: Interrupted = lambda: False) -> Outcome | None:
        """Go on with the errand that a power cut ended; None where none was being run.

        Args:
            interrupted: Whether somebody said stop.
        """
        progress = Journal(self.memory, session=self.session).unfinished()
        if progress is None:
            return None
        arm = self._body().manipulator
        if progress.holding and (arm is None or not arm.holding):
            progress = replace(progress, holding="")
        return self._run(parse_goal(progress.words), progress, interrupted)

    def _run(self, goal: Goal, progress: Progress, interrupted: Interrupted) -> Outcome:
        body = self._body()
        journal = Journal(self.memory, session=self.session)
        journal.note(progress, body.navigator.where(), body.stamp_ns())
        errand = Errand(
            self.knowledge, body, goal, progress, journal, interrupted=interrupted, told=self.told
        )
        try:
            if goal.kind not in STANDING:
                errand.here()
                if body.manipulator is not None:  # what was stopped may have left it stretched out
                    body.manipulator.stow(interrupted=interrupted)
            said = DOING[goal.kind](errand)
            outcome = errand.outcome(done=True, reason="done", said=said)
        except (Unknown, SkillFailed) as ended:
            outcome = errand.outcome(done=False, reason=str(ended), said=_regrets(goal, str(ended)))
        where = body.navigator.where()
        outcomes.remember(self.memory, outcome, where, session=self.session)
        journal.finish(errand.progress, where, body.stamp_ns())
        body.say(outcome.said)
        return outcome

    def _body(self) -> Body:
        if self.body is None:
            raise ValueError("a planner without a body plans, but does not act")
        return self.body

    def _now(self) -> int:
        if self.body is not None:
            return self.body.stamp_ns()
        return time.time_ns()

    def _asker(self) -> Vector3 | None:
        here = self.body.navigator.where().map_pose if self.body is not None else None
        return None if here is None else here.position

    def _travel_m(self, at: Vector3) -> float:
        return self.body.navigator.travel_m(at) if self.body is not None else 0.0

    def _way(self, at: Vector3) -> tuple[Vector3, ...]:
        return self.body.navigator.way(at) if self.body is not None else ()


def _regrets(goal: Goal, reason: str) -> str:
    """What a robot says that could not do what it was asked."""
    what = goal.thing or goal.to or goal.kind
    match reason:
        case "interrupted":
            return "I stopped, as I was told."
        case "not found":
            return f"I looked wherever I could think of and did not find the {what}."
        case "nothing known":
            return f"I know of no {what}."
        case "destination unknown":
            return f"I know of no {goal.to}."
        case "lost":
            return "I do not know where I am, so I stopped."
        case "no arm":
            return f"I have no hand to handle the {what} with."
        case _:
            return f"I could not do it: {reason}."


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known at a moment; implements `destinations.Asked`."""

    knowledge: Knowledge
    now_ns: int
    travel_m: TravelM
    looked: tuple[LookedFor, ...] = ()

    def meant(self, phrase: str) -> Meant:
        return self.knowledge.meant(
            phrase, now_ns=self.now_ns, travel_m=self.travel_m, looked=self.looked
        )

    def regions(
        self, thing: str, *, within: str = "", seen_until_ns: int = 0
    ) -> tuple[Region, ...]:
        return self.knowledge.regions(
            thing, now_ns=self.now_ns, travel_m=self.travel_m, within=within, looked=self.looked,
            seen_until_ns=seen_until_ns,
        )  # fmt: skip

    def room(self, name: str) -> Vector3 | None:
        return self.knowledge.room(name, now_ns=self.now_ns, travel_m=self.travel_m)

    def ask(self, question: str) -> Answer:
        return self.knowledge.ask(question, now_ns=self.now_ns)


@dataclass(frozen=True, slots=True)
class _Aim:
    """Where a plan leads.

    Attributes:
        position: Where to first, `map`; None where nothing tells.
        name: What is there.
        candidates: Where the thing may be.
        regions: Where it would be searched.
        to: The surfaces it would be put on.
    """

    position: Vector3 | None
    name: str
    candidates: tuple[Candidate, ...] = ()
    regions: tuple[Region, ...] = ()
    to: tuple[Region, ...] = ()


def _steps(goal: Goal, aim: _Aim, asker: Vector3 | None) -> tuple[Skill, ...]:
    """The steps of a plan, if everything is where it is remembered."""
    name, at = aim.name, aim.position or (0.0, 0.0, 0.0)
    back: tuple[Skill, ...] = ()
    if asker is not None:
        back = (GoTo(Pose(*asker), "you"),)
    where = aim.regions[0].told if aim.regions else goal.to or "house"
    find: tuple[Skill, ...] = (Search(where, at, name),)
    if aim.candidates:
        find = (Approach(at, name), Look(at, name))
    reach: tuple[Skill, ...] = (Approach(at, name, reach=True),) if aim.candidates else find
    match goal.kind:
        case "go" | "return":
            return back if goal.to == ME else (Approach(at, name),)
        case "find" | "search":
            return find
        case "fetch":
            return (*find, Pick(name, at), *back, Give(name))
        case "put" | "put back":
            there = aim.to[0] if aim.to else None
            laid: tuple[Skill, ...] = (Search(goal.to or "house", at, "free spot"),)
            if there is not None:
                laid = (Approach(there.top, there.name, reach=True),
                        Place(name, there.top, there.told))  # fmt: skip
            return (*find, Pick(name, at), *laid)
        case "open":
            return (Approach(at, name, reach=True), Open(name, at))
        case "close":
            return (Approach(at, name, reach=True), Close(name, at))
        case "press":
            return (*reach, Press(name, at))
        case "push":
            return (*reach, Push(name, at))
        case "patrol":
            return (Search("house", at, ""), Say("what has changed"))
        case "wait":
            return (Wait(goal.seconds),)
        case _:
            return (Say(goal.said),)
