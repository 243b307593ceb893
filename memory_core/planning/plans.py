"""A plan before it is carried out: steps, the candidates they rest on, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from memory_core.planning.candidates import Candidate
from memory_core.planning.goals import Goal
from memory_core.planning.outcomes import Outcome
from memory_core.planning.regions import Region
from memory_core.planning.skills import Skill, to_json, told
from memory_core.types import Json, Vector3

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a robot would do for a goal, as far as its memory tells.

    Attributes:
        goal: What was asked for.
        steps: What it would do, if everything is where it is remembered.
        candidates: Where the thing may be, the most worth a visit first, with attention's weights
            and paths.
        regions: Where it would search then.
        recalled: How similar goals went.
        way: The way it would drive, `map`, metres; empty where it is not known.
        map_id: The map.
        epoch: The map's epoch the plan was made at.
        reason: Why there are no steps, where there are none: `nothing known`, `destination unknown`.
        target: What it would go to first, `map`; None where nothing tells.
    """

    goal: Goal
    steps: tuple[Skill, ...]
    candidates: tuple[Candidate, ...] = ()
    regions: tuple[Region, ...] = ()
    recalled: tuple[Outcome, ...] = ()
    way: tuple[Vector3, ...] = ()
    map_id: str = "map"
    epoch: int = 0
    reason: str = ""
    target: Vector3 | None = None

    @property
    def told(self) -> str:
        """The plan as text, a line a step, and what it falls back on."""
        lines = [f"{number}. {told(step)}" for number, step in enumerate(self.steps, 1)]
        if self.reason:
            lines.append(f"nothing can be done: {self.reason}")
        first = self.candidates[0] if self.candidates and self.goal.kind != "return" else None
        if first is not None:
            lines.append(
                f"because the {first.label} was {first.told} ({first.meaning:.0%} meant, "
                f"{first.still_there:.0%} still there, {first.travel_m:.1f} m away)"
            )
        others = [f"{c.label} {c.told}" for c in self.candidates[1 : 1 + SHOWN]]
        others += [region.told for region in self.regions[:SHOWN]]
        if others:
            lines.append(f"else: {'; '.join(others)}")
        failed = [outcome for outcome in self.recalled if not outcome.done]
        if failed:
            lines.append(f"remembering that '{failed[0].words}' failed: {failed[0].reason}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Json]:
        """As `do --plan --json` prints it."""
        return {
            "goal": {"words": self.goal.words, "kind": self.goal.kind, "thing": self.goal.thing,
                     "to": self.goal.to},
            "steps": [to_json(step) for step in self.steps],
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "regions": [
                {"name": r.told, "position": list(r.centre), "probability": round(r.probability, 4)}
                for r in self.regions
            ],
            "recalled": [outcome.to_json() for outcome in self.recalled],
            "way": [list(point) for point in self.way],
            "map_id": self.map_id,
            "epoch": self.epoch,
            "reason": self.reason,
            "target": None if self.target is None else list(self.target),
            "text": self.told,
        }  # fmt: skip
