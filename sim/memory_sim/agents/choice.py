"""The knowledges by their names, each waiting for what was seen to be remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from memory_core.planning.candidates import Meant
from memory_core.planning.knowledge import Knowledge, Remembered, TravelM
from memory_core.planning.outcomes import LookedFor, Outcome
from memory_core.planning.regions import Region
from memory_core.types import Answer, Vector3
from memory_sim.agents.none import Nothing
from memory_sim.agents.perfect import Perfect
from memory_sim.agents.tables import Flat, LastSeen
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home.truth import Whereabouts

AGENTS = ("none", "last-seen", "flat", "memory", "perfect")


def knowledge_of(agent: str, robot: HouseRobot, *, first: Mapping[str, Whereabouts]) -> Knowledge:
    """What an agent's plans rest on.

    Args:
        agent: One of `AGENTS`.
        robot: Whose planner it is for.
        first: Where things were on the first day; the perfect agent alone is told.

    Raises:
        ValueError: There is no such agent.
    """
    known: Knowledge
    if agent == "none":
        known = Nothing(robot.navigator)
    elif agent == "last-seen":
        known = LastSeen(robot.navigator, robot.memory)
    elif agent == "flat":
        known = Flat(robot.navigator, robot.memory)
    elif agent == "memory":
        return remembered(robot)
    elif agent == "perfect":
        known = Perfect(robot.world, first)
    else:
        raise ValueError(f"agent {agent!r}; expected one of {', '.join(AGENTS)}")
    return _settled(known, robot)


def remembered(robot: HouseRobot) -> Knowledge:
    """What a robot's own memory knows.

    Args:
        robot: Whose planner it is for.
    """
    return _settled(Remembered(robot.memory), robot)


def _settled(known: Knowledge, robot: HouseRobot) -> Settled:
    def settle() -> None:
        robot.settle()
        robot.memory.wait()

    return Settled(known, settle)


@dataclass(frozen=True, slots=True)
class Settled:
    """A knowledge that is asked only once everything seen so far is remembered and organised.

    Both go on beside the robot's own work; a plan must not depend on how far they are.

    Attributes:
        known: What is known.
        settle: Waits for it.
    """

    known: Knowledge
    settle: Callable[[], None]

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """See `Knowledge.meant`."""
        self.settle()
        return self.known.meant(phrase, now_ns=now_ns, travel_m=travel_m, looked=looked)

    def regions(
        self,
        thing: str,
        *,
        now_ns: int,
        travel_m: TravelM,
        within: str = "",
        looked: Sequence[LookedFor] = (),
        seen_until_ns: int = 0,
    ) -> tuple[Region, ...]:
        """See `Knowledge.regions`."""
        self.settle()
        return self.known.regions(
            thing, now_ns=now_ns, travel_m=travel_m, within=within, looked=looked,
            seen_until_ns=seen_until_ns,
        )  # fmt: skip

    def room(self, name: str, *, now_ns: int, travel_m: TravelM) -> Vector3 | None:
        """See `Knowledge.room`."""
        self.settle()
        return self.known.room(name, now_ns=now_ns, travel_m=travel_m)

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """See `Knowledge.ask`."""
        self.settle()
        return self.known.ask(question, now_ns=now_ns)

    def looks_for(self, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
        """See `Knowledge.looks_for`."""
        return self.known.looks_for(thing, since_ns=since_ns)

    def outcomes_like(self, words: str, *, k: int) -> tuple[Outcome, ...]:
        """See `Knowledge.outcomes_like`."""
        return self.known.outcomes_like(words, k=k)
