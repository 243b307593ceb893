"""An errand while it is run: steps through the body's seams, each checked, each written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from memory_core.planning import fronts
from memory_core.planning.body import Body, Done, Interrupted, Manipulator, Seen, Stand
from memory_core.planning.candidates import Meant
from memory_core.planning.critic import (
    SAME_THING_M,
    Circles,
    Fits,
    confirmed,
    vacated,
)
from memory_core.planning.destinations import Unknown
from memory_core.planning.drawers import in_the_way
from memory_core.planning.goals import Goal
from memory_core.planning.knowledge import Knowledge
from memory_core.planning.outcomes import Journal, LookedFor, Outcome, Progress, StepTaken
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
    told,
)
from memory_core.planning.stands import askew
from memory_core.types import Answer, FloatArray, Pose, Vector3

SEE_FROM_M = (0.6, 1.8)
STANDS = 4
APART_M, SEEN_APART_M = 0.2, 0.6
"""So far from the last is a try from elsewhere of the hand, and of the eyes."""
NEARLY_M = 0.25
OPENED_M = 0.9
"""What is so near to the handle of what stands open is in it, or may be."""
AT_EASE = 0.5
"""The hand works well within this share of its reach, from the nearer of the two rings of stands."""
HIDDEN_COST_M, CRAMPED_COST_M, STRAINED_COST_M = 4.0, 1.5, 0.1
"""So many metres more one goes: to have no door between; to stand straight before, and as many to
be at ease, where it is cramped; to be at ease elsewhere. It is cramped between boards, in what
stands open, where something is put down, and on every try after the first."""
TRIES = 3
DRAWERS, LOWER_M = 3, 0.35
"""So many open drawers are closed at most; who looks for them looks so much lower, too."""
ASIDE_RAD = 0.3
"""What is less far aside than this is ahead."""


class Ended(Unknown):
    """An errand cannot go on; the message says why, in two words or so."""


class Errand:
    """One goal being pursued."""

    def __init__(
        self,
        knowledge: Knowledge,
        body: Body,
        goal: Goal,
        progress: Progress,
        journal: Journal,
        *,
        interrupted: Interrupted = lambda: False,
        told: Callable[[Skill], None] = lambda skill: None,
    ) -> None:
        """Begin, or go on where a power cut ended it.

        Args:
            knowledge: What is known.
            body: The robot.
            goal: What was asked for.
            progress: How far it is.
            journal: Where that is kept.
            interrupted: Whether somebody said stop.
            told: Called with each step before it is made.
        """
        self.knowledge = knowledge
        self.body = body
        self.goal = goal
        self.progress = progress
        self.looked: list[LookedFor] = list(progress.looked)
        self.steps: list[StepTaken] = []
        self.travelled_m = 0.0
        self.found_at: Vector3 | None = None
        self._front_opened: fronts.Front | None = None
        self._journal = journal
        self._interrupted = interrupted
        self._told = told
        self._circles = Circles()

    @property
    def now_ns(self) -> int:
        """By the robot's clock."""
        return self.body.stamp_ns()

    @property
    def arm(self) -> Manipulator:
        """The arm.

        Raises:
            Ended: The robot has none.
        """
        if self.body.manipulator is None:
            raise Ended("no arm")
        return self.body.manipulator

    def here(self) -> Pose:
        """The base in the map.

        Raises:
            Ended: The robot does not know where it is.
        """
        pose = self.body.navigator.where().map_pose
        if pose is None:
            raise Ended("lost")
        return pose

    def meant(self, phrase: str, *, looked: Sequence[LookedFor] = ()) -> Meant:
        """Where what a phrase names may be, seen from here.

        Args:
            phrase: A thing, with or without the place it is at.
            looked: Looks for it on earlier errands; those of this one count anyway.
        """
        return self.knowledge.meant(
            phrase, now_ns=self.now_ns, travel_m=self.travel_m, looked=(*looked, *self.looked)
        )

    def regions(
        self,
        thing: str,
        *,
        within: str = "",
        looked: Sequence[LookedFor] = (),
        seen_until_ns: int = 0,
    ) -> tuple[Region, ...]:
        """Where to search for a thing, seen from here, and can be got to.

        Args:
            thing: What it is called.
            within: A room or piece of furniture the search is limited to.
            looked: Looks for it on earlier errands; those of this one count anyway.
            seen_until_ns: See `Knowledge.regions`.
        """
        found = self.knowledge.regions(
            thing, now_ns=self.now_ns, travel_m=self.travel_m, within=within,
            looked=(*looked, *self.looked), seen_until_ns=seen_until_ns,
        )  # fmt: skip
        return tuple(region for region in found if math.isfinite(region.travel_m))

    def room(self, name: str) -> Vector3 | None:
        """The middle of the room that a name means and that can be got to; None where none is."""
        return self.knowledge.room(name, now_ns=self.now_ns, travel_m=self.travel_m)

    def ask(self, question: str) -> Answer:
        """An answer in words."""
        return self.knowledge.ask(question, now_ns=self.now_ns)

    def travel_m(self, at: Vector3) -> float:
        """Way from here to a place; infinite where there is none."""
        return self.body.navigator.travel_m(at)

    def outcome(self, *, done: bool, reason: str, said: str) -> Outcome:
        """How it went."""
        return Outcome(
            self.goal.words, done, reason, said, self.progress.start_ns, self.now_ns,
            self.found_at, round(self.travelled_m, 3), tuple(self.looked), tuple(self.steps),
        )  # fmt: skip

    def keep(self, **changed: object) -> None:
        """Write down how far the errand is, before the next step."""
        self.progress = replace(self.progress, looked=tuple(self.looked), **changed)  # type: ignore[arg-type]
        self._journal.note(self.progress, self.body.navigator.where(), self.now_ns)

    def step(self, skill: Skill, act: Callable[[], str]) -> bool:
        """Make a step and write down how it ended.

        Args:
            skill: What is done.
            act: Does it, checks it, and says `done` or why not.

        Raises:
            Ended: Somebody said stop, or steps repeat themselves.
        """
        if self._interrupted():
            raise Ended("interrupted")
        self._told(skill)
        reason = act()
        done = reason == "done"
        name = type(skill).__name__.lower()
        self.steps.append(StepTaken(name, told(skill), done, reason, self.now_ns))
        if self._interrupted():
            raise Ended("interrupted")
        ends = self._circles.note(skill, done=done or reason == "interrupted")  # it saw something
        if ends is not None:
            raise Ended(ends)
        if reason in ("lost", "no arm"):
            raise Ended(reason)
        return done

    def stands_elsewhere(self) -> None:
        """What failed for the hand may work from here, and is no going in circles."""
        self._circles.changed()

    # -- moving about -----------------------------------------------------------------------

    def go(self, pose: Pose, name: str = "") -> bool:
        """Drive to a pose."""
        return self.step(GoTo(pose, name), lambda: self._drive(pose))

    def _drive(self, pose: Pose, stop: Interrupted = lambda: False) -> str:
        """Drive to a pose; an arm that sticks out, and is in the way, is folded first."""
        for _ in range(2):
            arrival = self.body.navigator.go(
                pose, interrupted=lambda: self._interrupted() or stop()
            )
            self.travelled_m += arrival.travelled_m
            arm = self.body.manipulator
            if arrival.reason != "bumped" or arm is None:
                break
            if not arm.stow(interrupted=self._interrupted).done:
                break
        return "done" if arrival.reached else arrival.reason

    def approach(
        self,
        target: Vector3,
        name: str,
        *,
        reach: bool = False,
        within_m: tuple[float, float] = SEE_FROM_M,
        square: bool = False,
        stop: Interrupted = lambda: False,
        apart_from: Sequence[Pose] = (),
    ) -> bool:
        """Drive to where a point can be looked at, or reached.

        Args:
            target: `map`.
            name: Of what is there.
            reach: Whether the hand must reach it.
            within_m: Between which distances to look at it from, where the hand need not.
            square: Whether to look at it straight from the front, as into a shelf.
            stop: Ends the drive early, where true.
            apart_from: Where it stood before in vain; it stands elsewhere.
        """
        return self.step(
            Approach(target, name, reach),
            lambda: self._approach(
                target,
                self.arm.reach_m if reach else within_m,
                reach=reach,
                square=square,
                stop=stop,
                apart_from=apart_from,
            ),
        )

    def _approach(
        self,
        target: Vector3,
        within_m: tuple[float, float],
        *,
        reach: bool = False,
        square: bool = False,
        stop: Interrupted = lambda: False,
        apart_from: Sequence[Pose] = (),
    ) -> str:
        near_m, far_m = within_m
        then = self.progress.asker if reach and self.goal.kind == "fetch" else None
        cramped = reach and (bool(apart_from) or bool(self.arm.holding) or self._cramped(target))
        stands = self.body.navigator.standing(target, near_m=near_m, far_m=far_m, then=then)
        aside = askew([stand.pose for stand in stands], target)
        at_ease_m = near_m + AT_EASE * (far_m - near_m)

        def price_m(stand: Stand) -> float:
            away_m = math.hypot(stand.pose.x - target[0], stand.pose.y - target[1])
            return (
                stand.cost_m
                + (CRAMPED_COST_M if cramped else STRAINED_COST_M) * (reach and away_m > at_ease_m)
                + CRAMPED_COST_M * ((square or cramped) and aside(stand.pose))
                + HIDDEN_COST_M * self._hidden(stand.pose, target)
            )

        found = [stand.pose for stand in sorted(stands, key=price_m)]
        apart_m = APART_M if reach else SEEN_APART_M
        elsewhere = [
            pose for pose in found
            if all(math.hypot(pose.x - p.x, pose.y - p.y) >= apart_m for p in apart_from)
        ]  # fmt: skip
        if reach:  # the hand may do better from the same place; eyes see the same
            elsewhere = elsewhere or found
        reason = "out of reach"
        for pose in elsewhere[:STANDS]:
            reason = self._drive(pose, stop)
            if reason in ("done", "interrupted", "lost"):
                return reason
            if self._nearly_at(pose, target, near_m, far_m):
                self.face(target)
                return "done"
        return reason

    def _cramped(self, target: Vector3) -> bool:
        """Whether a place is between boards, or in what was opened."""
        if any(math.dist(at, target) <= OPENED_M for _, at in self.progress.opened):
            return True
        shelves = self.knowledge.regions("thing", now_ns=self.now_ns, travel_m=lambda at: 0.0)
        return any(region.encloses(target) for region in shelves)

    def _hidden(self, pose: Pose, target: Vector3) -> bool:
        """Whether the door that was opened last stands between a pose and a target."""
        door, opened = self._front_opened, self.progress.opened
        return (
            door is not None
            and bool(opened)
            and fronts.hinged(opened[-1][0])
            and fronts.hides(door, opened[-1][1], pose, target)
        )

    def _nearly_at(self, pose: Pose, target: Vector3, near_m: float, far_m: float) -> bool:
        """Whether a place that something stands on was got so near to that it serves as well."""
        here = self.here()
        away_m = math.hypot(here.x - target[0], here.y - target[1])
        return (
            math.hypot(here.x - pose.x, here.y - pose.y) <= NEARLY_M
            and abs(here.z - pose.z) <= NEARLY_M
            and near_m <= away_m <= far_m
        )

    def go_near(self, target: Vector3, name: str, *, within_m: float) -> bool:
        """Drive to a free place within some metres of a point of the map."""
        return self.step(Approach(target, name), lambda: self._approach(target, (0.0, within_m)))

    def wait(self, seconds: float) -> bool:
        """Stand still."""
        return self.step(Wait(seconds), lambda: self._wait(seconds))

    def _wait(self, seconds: float) -> str:
        left = seconds
        while left > 0 and not self._interrupted():
            self.body.wait(min(left, 0.2))
            left -= 0.2
        return "done" if left <= 0 else "interrupted"

    def say(self, text: str) -> bool:
        """Say something."""

        def act() -> str:
            self.body.say(text)
            return "done"

        return self.step(Say(text), act)

    # -- looking ----------------------------------------------------------------------------

    def face(self, at: Vector3) -> None:
        """Turn the base to a point of the map, so that people see what is meant."""
        x, y, _ = self.here().inverse().apply(*at)
        aside = math.atan2(y, x)
        if abs(aside) > ASIDE_RAD:
            self.body.navigator.turn(aside, interrupted=self._interrupted)

    def look_around(self) -> None:
        """Turn once about, seeing what there is."""
        self.body.navigator.turn(2 * math.pi, interrupted=self._interrupted)

    def glance(self, at: Vector3) -> tuple[Seen, ...]:
        """Look at a place once, and say what is there.

        Raises:
            Ended: Somebody said stop.
        """
        if self._interrupted():
            raise Ended("interrupted")
        return self.body.eyes.look(at)

    def look_for(
        self, fits: Fits, thing: str, at: Vector3, *, within_m: float = 0.8
    ) -> Seen | None:
        """Look at a place for a thing, several times, and remember whether it was there."""
        found: list[Seen] = []

        def act() -> str:
            seen = confirmed(self.body.eyes, fits, at, within_m=within_m)
            found.extend([seen] if seen is not None else [])
            return "done" if seen is not None else "not there"

        there = self.step(Look(at, thing), act)
        where = found[0].position if found else at
        self.looked.append(LookedFor(thing, where, self.now_ns, there))
        self.found_at = where if there else self.found_at
        return found[0] if found else None

    # -- handling ---------------------------------------------------------------------------

    def pick(self, fits: Fits, thing: str, at: Vector3) -> bool:
        """Take a thing that is in view; from elsewhere where it cannot be had from here.

        A door that is in the hand's way is opened further first, open drawers are closed.
        """
        stood: list[Pose] = []
        for attempt in range(TRIES):
            if attempt == 1 and self.steps[-1].reason in ("out of reach", "collision"):
                self._open_further(at)
                self._close_drawers(at)
            if attempt and not self.approach(at, thing, reach=True, apart_from=stood):
                return False
            stood.append(self.here())
            if self.step(Pick(thing, at), lambda: self._pick(fits, at)):
                self._circles.changed()
                self.keep(holding=thing)
                return True
        return False

    def _pick(self, fits: Fits, at: Vector3) -> str:
        seen = confirmed(self.body.eyes, fits, at, within_m=SAME_THING_M)
        if seen is None:
            return "not there"
        ended = self._hand(self.arm.pick(seen.cloud, interrupted=self._interrupted))
        if ended != "done":
            return ended
        self.arm.stow(interrupted=self._interrupted)
        if not self.arm.holding:
            return "slipped"
        if vacated(self.body.eyes, fits, seen.position):
            return "done"
        at_foot = (*seen.cloud.mean(axis=0)[:2].tolist(), float(seen.cloud[:, 2].min()))
        self.arm.place(at_foot, interrupted=self._interrupted)
        return "took something else"

    @staticmethod
    def _hand(ended: Done) -> str:
        return "done" if ended.done else ended.reason

    def place(self, fits: Fits, thing: str, at: Vector3, name: str) -> bool:
        """Put down what is held at a point of a surface."""
        placed = self.step(Place(thing, at, name), lambda: self._place(fits, at))
        if not self.arm.holding:
            self._circles.changed()
            self.keep(holding="")
        return placed

    def _place(self, fits: Fits, at: Vector3) -> str:
        if not self.arm.holding:
            return "hand empty"
        point = self.here().inverse().apply(*at)
        ended = self._hand(self.arm.place(point, interrupted=self._interrupted))
        self.arm.stow(interrupted=self._interrupted)
        if ended != "done":
            return ended
        seen = confirmed(self.body.eyes, fits, at, within_m=SAME_THING_M)
        return "done" if seen is not None and not self.arm.holding else "not seen there"

    def give(self, thing: str) -> bool:
        """Hold out what is held until it is taken."""
        given = self.step(
            Give(thing), lambda: self._hand(self.arm.give(interrupted=self._interrupted))
        )
        if given:
            self._circles.changed()
            self.keep(holding="")
        return given

    def open(self, name: str, at: Vector3) -> bool:
        """Open the drawer or door at a place in view; the robot steps before it first."""
        return self._front(Open(name, at), name, at, opening=True)

    def close(self, name: str, at: Vector3) -> bool:
        """Close the drawer or door whose handle is at a place in view."""
        return self._front(Close(name, at), name, at, opening=False)

    def _front(self, skill: Skill, name: str, at: Vector3, *, opening: bool) -> bool:
        moved: list[Vector3] = []
        front: list[fronts.Front] = []

        def act() -> str:
            handle = confirmed(self.body.eyes, fronts.is_handle, at, within_m=fronts.HANDLE_M)
            if handle is None:
                return "no handle seen"
            front[:] = [fronts.seen_front(self.body, self.here(), name, at, handle)]
            out = front[0].out
            reason = "out of reach"
            for pose in fronts.stands(self.body, handle.position, out, opening=opening):
                reason = self._drive(pose)
                if reason == "done":
                    reason, now = fronts.move(
                        self.body, self.here(), name, handle.position, out, opening=opening,
                        interrupted=self._interrupted,
                    )  # fmt: skip
                    moved[:] = [now]
                if reason not in ("out of reach", "collision", "blocked", "nothing there"):
                    break
            return reason

        done = self.step(skill, act)
        if done:
            self._circles.changed()
            if opening:
                self._note_opened(name, at, front[0], moved[0])
            else:
                self._note_closed(at)
        return done

    def _note_opened(self, name: str, at: Vector3, front: fronts.Front, handle: Vector3) -> None:
        """A front at a place was opened, or further; its handle is elsewhere now."""
        further = self.progress.opened[-1:] == ((name, at),)
        self._front_opened = (self._front_opened if further else None) or front
        self._block_leaf(name, handle)
        self.keep(opened=(*self._opened_apart_from(at, fronts.HANDLE_M), (name, handle)))

    def _note_closed(self, at: Vector3) -> None:
        """A front whose handle was at a place was closed; another one stands open as before."""
        last = self.progress.opened[-1:]
        left = self._opened_apart_from(at, fronts.SAME_HANDLE_M)
        if last != left[-1:]:
            self._front_opened = None
        elif last:
            self._block_leaf(*last[0])
        self.keep(opened=left)

    def _opened_apart_from(self, at: Vector3, apart_m: float) -> tuple[tuple[str, Vector3], ...]:
        """What stands open, but for that with its handle so near to a place."""
        return tuple(o for o in self.progress.opened if math.dist(o[1], at) > apart_m)

    def _block_leaf(self, name: str, handle: Vector3) -> None:
        """Put the door that was opened last into the map, where its handle is now."""
        if self._front_opened is not None and fronts.hinged(name):
            self.body.navigator.block(fronts.leaf(self._front_opened, handle))

    def _open_further(self, inside: Vector3) -> None:
        """Open the door that was opened last further, where something is behind it."""
        if self._front_opened is None:
            return
        name, handle = self.progress.opened[-1]
        if fronts.hinged(name) and math.dist(handle, inside) <= OPENED_M:
            self.open(name, handle)

    def _close_drawers(self, below: Vector3) -> None:
        """Close what stands open under a place, and keeps the base away from it."""
        x, y, z = below
        for _ in range(DRAWERS):
            seen = [*self.glance(below), *self.glance((x, y, z - LOWER_M))]
            drawers = in_the_way(seen, below, self.here())
            if not drawers or not self.close(*drawers[0]):
                return

    def look_past(self, name: str) -> bool:
        """Step aside to where the door that was opened last hides less of what is behind it."""
        if self._front_opened is None:
            return False
        door, handle = self._front_opened, self.progress.opened[-1][1]

        def act() -> str:
            poses = fronts.views(self.body, self.here(), door, handle)
            return next((r for r in map(self._drive, poses) if r == "done"), "out of reach")

        return self.step(Approach(door.at, name), act)

    def push(self, fits: Fits, thing: str, at: Vector3) -> bool:
        """Push a thing in view away from the robot."""

        def act() -> str:
            seen = confirmed(self.body.eyes, fits, at, within_m=SAME_THING_M)
            if seen is None:
                return "not there"
            middle = seen.cloud.mean(axis=0)
            ahead = middle * np.array([1.0, 1.0, 0.0]) / np.linalg.norm(middle[:2])
            start, end = middle - 0.12 * ahead, middle + 0.1 * ahead
            ended = self.arm.push(_point(start), _point(end), interrupted=self._interrupted)
            self.arm.stow(interrupted=self._interrupted)
            if not ended.done:
                return ended.reason
            moved = vacated(self.body.eyes, fits, seen.position)
            return "done" if moved else "did not move"

        return self.step(Push(thing, at), act)

    def press(self, fits: Fits, thing: str, at: Vector3) -> bool:
        """Press a button in view."""

        def act() -> str:
            seen = confirmed(self.body.eyes, fits, at, within_m=SAME_THING_M)
            if seen is None:
                return "not there"
            point = _point(seen.cloud.mean(axis=0))
            ended = self._hand(self.arm.press(point, interrupted=self._interrupted))
            self.arm.stow(interrupted=self._interrupted)
            return ended

        return self.step(Press(thing, at), act)

    def searched(self, region: str, centre: Vector3, thing: str, *, found: bool) -> None:
        """Write down that a region was searched."""
        self.step(Search(region, centre, thing), lambda: "done" if found else "not there")
        self.keep()


def _point(array: FloatArray) -> Vector3:
    x, y, z = array.tolist()
    return (x, y, z)
