"""What the agent at the table remembers, as looks at the table, and how it is found again.

A look is one observation; what stood on the table are its sightings. Runs of sightings of one thing
that stays where it is are chunks, and are found by hierarchical chunk attention (HCAM, Lampinen et
al. 2021). A row holds blocks of features x (place, colour, outline), each followed by |x|^2, and a
cue sets 2 q and -1 in the blocks it knows, so that the product is |q|^2 - |x - q|^2: attention with
a Gaussian kernel over what the cue knows, whatever else the thing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.attention.stored import StoredChunks
from memory_core.types import FloatArray, Observation, Pose, Sighting
from memory_sim.agents.table.perception import OUTLINE_SIZE, Thing

LOOK, DEED = "table", "deed"
_PLACE_M, _COLOUR, _OUTLINE = 0.02, 16.0, 0.35
"""What counts as one step of difference in each feature."""
_SAME_M, _SAME_COLOUR, _SAME_OUTLINE = 0.03, 26.0, 1.5
"""Of one thing that stays: metres, of 255, and squared steps of outline."""
_LOOKS_MISSED = 2
_BLOCKS = {"place": 2, "colour": 3, "outline": OUTLINE_SIZE}
BETA = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen on the table at one moment, and what was told then."""

    stamp_ns: int
    told: str
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One thing that stood still, as it was seen in looks that follow each other.

    Attributes:
        things: It in each look, oldest first.
        stamps_ns: Of the looks.
        last_look: Number of the last of them.
    """

    things: tuple[Thing, ...]
    stamps_ns: tuple[int, ...]
    last_look: int

    @property
    def first(self) -> Thing:
        """As it was seen first."""
        return self.things[0]


class Remembered:
    """What one moment's recall works on."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        """Take what is remembered, oldest first."""
        self.looks = [_look(seen) for seen in observations if seen.source == LOOK]
        self.deeds = [seen for seen in observations if seen.source == DEED]
        self.runs = _runs(self.looks)
        self._chunks: StoredChunks | None = None
        if self.runs:
            rows = [_row(thing) for run in self.runs for thing in run.things]
            self._chunks = StoredChunks(
                np.stack(rows), np.cumsum([0, *(len(run.things) for run in self.runs)]),
                spans_ns=[(run.stamps_ns[0], run.stamps_ns[-1]) for run in self.runs],
            )  # fmt: skip

    def like(
        self, thing: Thing, alike: Sequence[str], of: Callable[[Run], bool]
    ) -> list[tuple[Run, float]]:
        """Runs of things that are like one, the likest first.

        Args:
            thing: The one.
            alike: In what: `place`, `colour`, `outline`.
            of: Which runs are meant.

        Returns:
            Runs, and how far each is from it, in squared steps of difference.
        """
        meant = [of(run) for run in self.runs]
        if self._chunks is None or not any(meant):
            return []
        cue, length = _cue(thing, alike)
        allowed = np.repeat(meant, [len(run.things) for run in self.runs])
        found = self._chunks.attend(cue, beta=BETA, top_chunks=sum(meant), allowed=allowed).heads[0]
        return [
            (self.runs[int(chunk)], max(0.0, length - float(relevance) / BETA))
            for chunk, relevance in zip(found.chunks, found.relevance, strict=True)
        ]


def look_told(stamp_ns: int, told: str, things: Sequence[Thing]) -> Observation:
    """A look, as an observation."""
    return Observation(
        id=f"{stamp_ns}:{LOOK}", stamp_ns=stamp_ns, source=LOOK, pose=Pose(), text=told,
        sightings=tuple(_sighting(thing) for thing in things),
        extra={"outlines": [
            [] if thing.outline is None else [round(x, 4) for x in thing.outline.tolist()]
            for thing in things
        ]},
    )  # fmt: skip


def deed_told(stamp_ns: int, words: str) -> Observation:
    """A deed that was done, as an observation."""
    return Observation(id=f"{stamp_ns}:{DEED}", stamp_ns=stamp_ns, source=DEED, text=words)


def _sighting(thing: Thing) -> Sighting:
    red, green, blue = thing.colour.tolist()
    state = {"red": red, "green": green, "blue": blue, "yaw": thing.yaw,
             "lit": float(thing.lit), "travel": thing.travel_m}  # fmt: skip
    return Sighting(thing.kind, position=thing.top, state=state)


def _look(seen: Observation) -> Look:
    outlines = seen.extra.get("outlines", [])
    things = []
    for sighting, outline in zip(seen.sightings, outlines, strict=True):
        assert sighting.position is not None
        state = sighting.state
        colour = np.array([state["red"], state["green"], state["blue"]])
        things.append(Thing(
            sighting.label, sighting.position, colour, state["yaw"],
            np.array(outline) if outline else None, bool(state["lit"]), state["travel"],
        ))  # fmt: skip
    return Look(seen.stamp_ns, seen.text or "", tuple(things))


def _runs(looks: Sequence[Look]) -> list[Run]:
    """Sightings of the same thing at the same place, one after the other, by when they began."""
    runs: list[Run] = []
    for number, look in enumerate(looks):
        open_runs = [n for n, run in enumerate(runs) if number - run.last_look <= 1 + _LOOKS_MISSED]
        for thing in look.things:
            same = [n for n in open_runs if runs[n].last_look < number
                    and _is_same(runs[n], thing)]  # fmt: skip
            if same:
                run = runs[same[-1]]
                runs[same[-1]] = Run((*run.things, thing), (*run.stamps_ns, look.stamp_ns), number)
            else:
                runs.append(Run((thing,), (look.stamp_ns,), number))
    return runs


def _is_same(run: Run, now: Thing) -> bool:
    """Whether a thing may be that of a run: another form in its place is another thing."""
    before = run.things[-1]
    near = float(np.linalg.norm(np.subtract(before.top[:2], now.top[:2]))) < _SAME_M
    painted_alike = float(np.linalg.norm(before.colour - now.colour)) < _SAME_COLOUR
    alike = before.kind == now.kind and before.lit == now.lit and near and painted_alike
    outlines = [thing.outline for thing in run.things if thing.outline is not None]
    if not alike or now.outline is None or not outlines:
        return alike
    steps = (np.mean(outlines, axis=0) - now.outline) / _OUTLINE
    return float(steps @ steps) < _SAME_OUTLINE


def _features(thing: Thing) -> dict[str, FloatArray]:
    outline = np.zeros(OUTLINE_SIZE) if thing.outline is None else thing.outline
    return {
        "place": np.array(thing.top[:2]) / _PLACE_M, "colour": thing.colour / _COLOUR,
        "outline": outline / _OUTLINE,
    }  # fmt: skip


def _row(thing: Thing) -> FloatArray:
    parts = [np.append(x, x @ x) for x in _features(thing).values()]
    return np.concatenate(parts).astype(np.float32)


def _cue(thing: Thing, alike: Sequence[str]) -> tuple[FloatArray, float]:
    """A cue that knows some features, and its squared length."""
    parts, length = [], 0.0
    for name, x in _features(thing).items():
        known = name in alike
        parts.append(np.append(2 * x, -1.0) if known else np.zeros(_BLOCKS[name] + 1))
        length += float(x @ x) if known else 0.0
    return np.concatenate(parts), length
