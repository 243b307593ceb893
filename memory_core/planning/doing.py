"""What is done for each kind of goal, step by step; each returns what there is to say about it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.candidates import Candidate
from memory_core.planning.critic import Fits
from memory_core.planning.destinations import (
    MOVED_M,
    PLACES,
    moment,
    put_back_on,
    put_on,
    surfaces,
)
from memory_core.planning.errand import Ended, Errand
from memory_core.planning.finding import Hunt
from memory_core.planning.goals import ME, GoalKind
from memory_core.planning.patrolling import see_all
from memory_core.planning.regions import Region, has_boards, openable
from memory_core.planning.spots import CLEAR_M, LEVEL_M, TIGHT_M, free_spots, points_over
from memory_core.types import FloatArray, Pose, Vector3

SIDES = 3
GIVE_WITHIN_M = 0.25
BESIDE_M = 0.1
ROOM_M = 0.8
"""Who is so near to the middle of a room is in it."""


def fetch(errand: Errand) -> str:
    """Take a thing to the asker."""
    thing, told = _take(errand)
    _to_asker(errand)
    if not errand.give(thing):
        raise Ended("not taken")
    _close_what_was_opened(errand)
    return f"Here is the {thing}.{told}"


def put(errand: Errand) -> str:
    """Take a thing to a place."""
    thing, told = _take(errand)
    where = _put_down(errand, thing, put_on(errand, errand.goal, thing))
    _close_what_was_opened(errand)
    return f"The {thing} is on the {where} now.{told}"


def put_back(errand: Errand) -> str:
    """Take a thing to where it usually is."""
    known = errand.meant(errand.goal.thing).candidates
    thing, told = _take(errand)
    where = _put_down(errand, thing, put_back_on(errand, thing, known, errand.found_at))
    _close_what_was_opened(errand)
    return f"The {thing} is back on the {where}.{told}"


def find(errand: Errand) -> str:
    """Find a thing, and stay with it."""
    hunt = Hunt(errand, errand.goal.thing, within=errand.goal.to)
    seen, told = _hunt(hunt)
    errand.face(seen.position)
    answer = errand.ask(f"where is the {seen.label}?")
    return f"{answer.answer}{told}"


def go(errand: Errand) -> str:
    """Go to the asker, to a room, or to a thing."""
    to = errand.goal.to
    if to == ME:
        _to_asker(errand)
        return "Here I am."
    room = errand.room(to)
    if room is not None:
        if not errand.go_near(room, to, within_m=ROOM_M):
            raise Ended(errand.steps[-1].reason)
        errand.found_at = errand.here().position
        return f"I am in the {to}."
    known = errand.meant(to).candidates
    for candidate in known[:PLACES]:
        if errand.approach(candidate.position, candidate.label):
            errand.found_at = candidate.position
            return f"I am at the {candidate.label}."
    raise Ended(_why_not(errand, known))


def return_to(errand: Errand) -> str:
    """Go to where a thing was first, or last, seen."""
    told, position = moment(errand, errand.goal)
    if not errand.approach(position, f"place where the {errand.goal.thing} was"):
        raise Ended(errand.steps[-1].reason)
    errand.found_at = position
    return told


def open_it(errand: Errand) -> str:
    """Open a drawer or door."""
    name = _front(errand, errand.open)
    return f"The {name} is open."


def close_it(errand: Errand) -> str:
    """Close a drawer or door."""
    name = _front(errand, errand.close)
    return f"The {name} is closed."


def press(errand: Errand) -> str:
    """Press a button."""
    hunt = Hunt(errand, errand.goal.thing, reach=True)
    seen, _ = _hunt(hunt)
    if not errand.press(hunt.fits, seen.label, seen.position):
        raise Ended(errand.steps[-1].reason)
    return f"I pressed the {seen.label}."


def push(errand: Errand) -> str:
    """Push a thing away."""
    hunt = Hunt(errand, errand.goal.thing, reach=True)
    seen, _ = _hunt(hunt)
    if not errand.push(hunt.fits, seen.label, seen.position):
        raise Ended(errand.steps[-1].reason)
    return f"I pushed the {seen.label}."


def patrol(errand: Errand) -> str:
    """See all of the house, and say what changed."""
    see_all(errand)
    return errand.ask("what has changed?").answer


def answer(errand: Errand) -> str:
    """Answer a question from memory."""
    said = errand.ask(errand.goal.said)
    errand.say(said.answer)
    errand.found_at = said.position
    if said.abstained:
        raise Ended("nothing known")
    return said.answer


def wait(errand: Errand) -> str:
    """Wait."""
    if not errand.wait(errand.goal.seconds):
        raise Ended("interrupted")
    return ""


def say(errand: Errand) -> str:
    """Say something."""
    errand.say(errand.goal.said)
    return ""


DOING: Mapping[GoalKind, Callable[[Errand], str]] = {
    "fetch": fetch, "put": put, "put back": put_back, "find": find, "search": find, "go": go,
    "return": return_to, "open": open_it, "close": close_it, "press": press, "push": push,
    "patrol": patrol, "answer": answer, "wait": wait, "say": say,
}  # fmt: skip


def _hunt(hunt: Hunt) -> tuple[Seen, str]:
    """What was hunted for, and where it had been if it was elsewhere."""
    errand = hunt.errand
    before = hunt.first.candidates
    seen = hunt.find()
    if seen is None:
        raise Ended(_why_not(errand, before))
    had_been = before[0] if before else None
    if had_been is None or math.dist(had_been.position, seen.position) <= MOVED_M:
        return seen, ""
    return seen, f" It had been {had_been.told}."


def _why_not(errand: Errand, known: tuple[Candidate, ...]) -> str:
    failed = [step.reason for step in errand.steps if step.skill == "approach" and not step.done]
    if failed and not errand.looked:
        return failed[-1]
    return "not found" if known or errand.looked else "nothing known"


def _take(errand: Errand) -> tuple[str, str]:
    """Find a thing and take it; skipped where the hand holds it since before a power cut."""
    if errand.progress.holding:
        return errand.progress.holding, ""
    if errand.arm.holding:
        _set_aside(errand)
    hunt = Hunt(errand, errand.goal.thing, reach=True)
    seen, told = _hunt(hunt)
    if not errand.pick(hunt.fits, seen.label, seen.position):
        raise Ended(errand.steps[-1].reason)
    return seen.label, told


def _to_asker(errand: Errand) -> None:
    asker = errand.progress.asker
    if asker is None:
        raise Ended("nobody to go to")
    here = errand.here()
    if math.hypot(here.x - asker[0], here.y - asker[1]) <= GIVE_WITHIN_M:
        return
    if errand.go(Pose(*asker), "you"):
        return
    if not errand.approach(asker, "you"):
        raise Ended(errand.steps[-1].reason)


def _put_down(
    errand: Errand, thing: str, regions: list[Region], *, seen_as: Fits | None = None
) -> str:
    """Put what is held on the first of some surfaces that has room, and see it there.

    Args:
        errand: The errand.
        thing: What is held.
        regions: The surfaces.
        seen_as: Which labels it may be seen as; its own alone by default.
    """

    def same(label: str) -> bool:
        return label == thing

    fits = seen_as or same
    for region, clear_m in itertools.product(regions[:PLACES], (CLEAR_M, TIGHT_M)):
        stood: list[Pose] = []
        while len(stood) < SIDES and errand.approach(
            region.top, region.name, reach=True, apart_from=stood
        ):
            stood.append(errand.here())
            errand.stands_elsewhere()
            for spot in _spots_on(errand, region, stood[-1], clear_m):
                if errand.place(fits, thing, spot, region.name):
                    errand.found_at = spot
                    return region.told
                if not errand.arm.holding:
                    raise Ended("dropped")
    raise Ended("no room to put it down")


def _spots_on(errand: Errand, region: Region, here: Pose, clear_m: float) -> list[Vector3]:
    """Room on a surface, seen from here; it may be lower than what stands on it reaches up.

    What is nearest to here comes first. Of a place without extent, where a thing lay before, what is
    nearest to that, and under it: not the arm of the chair that it lay on.
    """
    placed = max(region.size) == 0
    for at in (region.top, region.centre):
        found = errand.body.eyes.look(at)
        cloud = errand.body.eyes.cloud()
        if not placed:
            reach_m = max(region.size[:2]) / 2 + BESIDE_M
            own = _in_view(region, found, here, within_m=2 * reach_m)
            cloud = points_over(
                cloud, own, centre=region.centre, reach_m=reach_m, beside_m=BESIDE_M
            )
        toward = region.centre[:2] if placed else (here.x, here.y)
        boards = placed or has_boards(region.name)
        near = region.centre if boards else region.top
        spots = free_spots(
            cloud, near, floor_m=here.z, toward=toward, boards=boards, clear_m=clear_m
        )
        if placed:
            spots = [spot for spot in spots if spot[2] <= region.centre[2] + LEVEL_M]
        if spots:
            return spots
    return []


def _in_view(region: Region, found: Sequence[Seen], here: Pose, *, within_m: float) -> FloatArray:
    """Points of the furniture itself, `map`, shape (n, 3); none where it is not in view."""
    same = [item for item in found if item.label == region.name and len(item.cloud)]
    near = [item for item in same if math.dist(item.position, region.centre) <= within_m]
    if not near:
        return np.empty((0, 3))
    own = min(near, key=lambda item: math.dist(item.position, region.centre)).cloud
    turn = here.matrix()
    return np.asarray(own @ turn[:3, :3].T + turn[:3, 3])


def _set_aside(errand: Errand) -> None:
    """Put down on the nearest surface what the hand holds from an errand that failed."""
    travel_m = errand.body.navigator.travel_m
    nearest = sorted(surfaces(errand, "thing"), key=lambda region: travel_m(region.top))
    _put_down(errand, "what I hold", nearest, seen_as=lambda label: True)
    errand.found_at = None


def _front(errand: Errand, move: Callable[[str, Vector3], bool]) -> str:
    """Go to the drawer or door that is meant, and move it."""
    meant = errand.meant(errand.goal.thing)
    fronts = tuple(c for c in meant.candidates if openable(c.label))
    for candidate in (fronts or meant.candidates)[:PLACES]:
        if errand.approach(candidate.position, candidate.label) and move(
            candidate.label, candidate.position
        ):
            errand.found_at = candidate.position
            return candidate.label
    raise Ended(_why_not(errand, meant.candidates) if not errand.steps else errand.steps[-1].reason)


def _close_what_was_opened(errand: Errand) -> None:
    """Shut what was opened on the way; it is no failure where that does not work."""
    for name, at in errand.progress.opened:
        if errand.approach(at, name):
            errand.close(name, at)
