"""Tasks in which the robot goes somewhere or brings something: what is asked, and what counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from memory_core.types import Vector3
from memory_sim.tasks.house.household import Household
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.placing import Spot, find_spot, footprint
from memory_sim.worlds.home.plan import HomePlan

NEAR_M = 1.5
ASKER_M = 1.0


@dataclass(slots=True)
class Told:
    """What the robot has said on the last day.

    Attributes:
        answers: Each thing it said, in order.
        done: Whether it declared the task done.
    """

    answers: list[str] = field(default_factory=list)
    done: bool = False


class Task:
    """One kind of task; one object an episode."""

    days = 2

    def night(self, plan: HomePlan, random: np.random.Generator) -> Mapping[str, Spot]:
        """What somebody puts elsewhere before the last day: thing and spot."""
        return {}

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """The instruction, on the morning of the last day.

        Args:
            house: After its days so far.
            random: Where the differences come from.
        """
        raise NotImplementedError

    def question(self, told: Told) -> str:
        """What is asked now; empty where nothing is."""
        return ""

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """What must hold for success, in the order in which it comes about."""
        raise NotImplementedError

    def over(self, told: Told) -> bool:
        """Whether the robot had its one try."""
        return told.done


class FindObject(Task):
    """Go where a thing is, look at it, and say done."""

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`."""
        self.thing = _any_thing(house, random)
        return f"Find the {house.plan.thing_by_id[self.thing].label}."

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Near it, it is in view, and said so."""
        near = _near(house, house.where[self.thing].position)
        return {"near": near, "in view": self.thing in house.in_view, "declared": told.done}


class FetchObject(Task):
    """Bring a thing to the asker, who is where the robot woke up."""

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`."""
        self.thing = _any_thing(house, random)
        return f"Bring me the {house.plan.thing_by_id[self.thing].label}."

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Taken, given to somebody, and that near the asker."""
        places = [handed.position for handed in house.handed if handed.thing == self.thing]
        dock = house.plan.dock.position
        return {
            "taken": self.thing in house.taken,
            "given": bool(places),
            "at the asker": any(math.dist(place, dock) <= ASKER_M for place in places),
        }  # fmt: skip


class PutBack(Task):
    """Somebody left a thing elsewhere in the night: put it on or into where it was."""

    def night(self, plan: HomePlan, random: np.random.Generator) -> Mapping[str, Spot]:
        """One thing that lies in the open is put on another piece of furniture."""
        spots = state(plan, self.days - 1).spots
        choices = [name for name, spot in spots.items() if not plan.surface(spot).opening]
        for name in random.permutation(choices).tolist():
            spot = _elsewhere(plan, name, spots, random)
            if spot is not None:
                self.thing, self.home = name, spots[name].furniture
                return {name: spot}
        raise ValueError(f"no room in the home of seed {plan.seed} for one thing more")

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`."""
        return f"Put the {house.plan.thing_by_id[self.thing].label} back where it belongs."

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Taken, put down, and that on the furniture it was on before."""
        taken = self.thing in house.taken
        down = taken and house.held != self.thing
        return {
            "taken": taken, "put down": down,
            "where it belongs": down and house.where[self.thing].furniture == self.home,
        }  # fmt: skip


class ReturnTo(Task):
    """Go back to where a thing was when the robot first saw it."""

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """Asks for something that was seen; to where it woke up, where nothing was."""
        if not house.first_seen:
            self.place = house.plan.dock.position
            return "Go back to where you started."
        thing = str(random.choice(sorted(house.first_seen)))
        self.place = house.first_seen[thing].where.position
        return f"Go back to where you first saw the {house.plan.thing_by_id[thing].label}."

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Near that place, and said so."""
        return {"near": _near(house, self.place), "declared": told.done}


def _any_thing(house: Household, random: np.random.Generator) -> str:
    """A thing that is in the home today."""
    return str(random.choice(sorted(house.world.things)))


def _near(house: Household, place: Vector3) -> bool:
    """Whether the base is near a place, on its floor."""
    here = house.true_pose
    floor = max((z for z in house.world.floors_z if z <= place[2] + 0.1), default=0.0)
    return abs(here.z - floor) < 1.0 and math.dist(here.position[:2], place[:2]) <= NEAR_M


def _elsewhere(
    plan: HomePlan, name: str, spots: Mapping[str, Spot], random: np.random.Generator
) -> Spot | None:
    """A free spot in the open on a piece of furniture other than a thing's own."""
    thing, own = plan.thing_by_id[name], spots[name].furniture
    choices = [
        (piece, surface)
        for piece in plan.furniture if piece.id != own
        for surface in piece.kind.surfaces if not surface.opening
    ]  # fmt: skip
    for number in random.permutation(len(choices)).tolist():
        piece, surface = choices[number]
        taken = [
            footprint(plan.thing_by_id[other], spot)
            for other, spot in spots.items()
            if (spot.furniture, spot.surface) == (piece.id, surface.name)
        ]
        spot = find_spot(thing, piece, surface, taken, random)
        if spot is not None:
            return spot
    return None
