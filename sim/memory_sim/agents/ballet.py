"""An agent that goes to the ballet: it watches, remembers who moved where, and is asked later.

Perception names the dancers in one picture, or one set of symbols, and tells who is not in the
middle of its place; that, and nothing else, is remembered, as one observation each. Nothing is
trained. A question is answered by hierarchical chunk attention (HCAM, Lampinen et al. 2021) over
what is remembered: chunks are runs of moments about one dancer, and a moment's vector says who it
was, where, and which square was danced on how long before the chunk's end. In the paper such
positions are added and what matters is learnt; here square and position are bound in one
coordinate. A question sets the coordinates that are known, a dance, or a dancer and a room, and
what attention brings back tells the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from memory_core.attention.stored import StoredChunks
from memory_core.types import FloatArray, Observation, Pose, Sighting
from memory_sim.agents.ballet_perception import Seen, seen_in
from memory_sim.agents.memories import TaskMemory
from memory_sim.tasks.ballet_dances import DANCE_STEPS, DIRECTIONS, NAMES, WATCH, path_of
from memory_sim.tasks.room_ballet import MOVES

STEP_NS = 10**9
ROOM_M = 20.0
"""How far apart rooms are taken to be; a square is taken for a metre."""
BETA = 64.0
TOP_CHUNKS = 8
KNOWN = 0.75
"""Share of what was asked that an event must have for it to be the one that is meant."""
_SQUARES = 9
_MOVEMENT = DANCE_STEPS * _SQUARES


@dataclass(frozen=True, slots=True)
class _Moment:
    """One remembered moment.

    Attributes:
        who: Which dancer was out of its place.
        room: Column and row.
        square: Of its place, -1 to 1 east and north.
        stamp_ns: When.
    """

    who: str
    room: tuple[int, int]
    square: tuple[int, int]
    stamp_ns: int


class BalletAgent:
    """Watches with a memory, and answers from it; it guesses where that knows nothing."""

    def __init__(self, memory: TaskMemory) -> None:
        """Take a memory; nothing else outlasts a step but the dancer it is walking to."""
        self._memory = memory

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """See `Agent.reset`."""
        self._memory.begin()
        self._random = np.random.default_rng(seed)
        self._now_ns = STEP_NS
        self._goal: str | None = None

    def act(self, observation: Mapping[str, Any]) -> np.int64:
        """See `Agent.act`."""
        seen = seen_in(observation)
        column, row = observation.get("room", (0, 0))
        room = (int(column), int(row))
        if observation["instruction"] == WATCH:
            told = [_told(dancer, room, self._now_ns) for dancer in seen if dancer.square != (0, 0)]
            self._memory.remember(self._now_ns, told)
            self._now_ns += STEP_NS
            return np.int64(0)
        if "room" in observation:
            return self._which_dance(seen[0].who, room)
        if self._goal is None:
            self._goal = self._which_dancer(observation["instruction"], seen)
        return _towards(next(dancer for dancer in seen if dancer.who == self._goal))

    def close(self) -> None:
        """See `Agent.close`."""
        self._memory.close()

    def _which_dancer(self, question: str, seen: Sequence[Seen]) -> str:
        """Who danced the dance that is named."""
        dance = max((name for name in NAMES if name in question), key=len)
        events = _Events.of(self._memory.moments())
        found = events.recall(movement=_movement(dance), share=1.0) if events else None
        here = sorted(dancer.who for dancer in seen)
        if events is not None and found is not None:
            dancer = events.who[int(found[: len(events.who)].argmax())]
            if dancer in here:
                return dancer
        return str(self._random.choice(here))

    def _which_dance(self, who: str, room: tuple[int, int]) -> np.int64:
        """What somebody danced in a room."""
        events = _Events.of(self._memory.moments())
        found = events.recall(who=who, room=room, share=2.0) if events else None
        if found is None:
            return np.int64(self._random.integers(len(MOVES)))
        danced = found[-_MOVEMENT:]
        return np.int64(np.argmax([danced @ _movement(name) for name in MOVES]))


class BalletOracle:
    """Is told what is right; shows that the task can be done."""

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """See `Agent.reset`."""

    def act(self, observation: Mapping[str, Any]) -> np.int64:
        """See `Agent.act`."""
        state = observation["state"]
        return np.int64(state["answer"]) if "answer" in state else _way(*state["target"])

    def close(self) -> None:
        """See `Agent.close`."""


with_memory: Callable[[TaskMemory], BalletAgent] = BalletAgent
oracle: Callable[[], BalletOracle] = BalletOracle


class _Events:
    """Remembered moments in chunks, each about one dancer in one room."""

    def __init__(self, moments: Sequence[_Moment]) -> None:
        """Cut the moments, at least one, oldest first."""
        self.who = sorted({moment.who for moment in moments})
        self.rooms = sorted({moment.room for moment in moments})
        runs = [
            _filled(list(run))
            for _, run in groupby(moments, lambda moment: (moment.who, moment.room))
        ]
        rows = [self._row(moment, run[-1].stamp_ns) for run in runs for moment in run]
        self._chunks = StoredChunks(
            np.stack(rows), np.cumsum([0, *map(len, runs)]),
            spans_ns=[(run[0].stamp_ns, run[-1].stamp_ns) for run in runs],
        )  # fmt: skip

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> _Events | None:
        """From what is remembered; None where that is nothing."""
        moments = [_remembered(seen) for seen in observations]
        return cls(moments) if moments else None

    def recall(
        self,
        *,
        who: str | None = None,
        room: tuple[int, int] | None = None,
        movement: FloatArray | None = None,
        share: float,
    ) -> FloatArray | None:
        """Complete what is known of an event.

        Args:
            who: Which dancer, if known.
            room: In which room, if known.
            movement: Which dance, if known, see `_movement`.
            share: What a moment that fits scores.

        Returns:
            What attention brings back, laid out as a row; None where no event fits well enough.
        """
        cue = np.concatenate([
            [float(name == who) for name in self.who], [float(known == room) for known in self.rooms],
            np.zeros(_MOVEMENT) if movement is None else movement,
        ])  # fmt: skip
        found = self._chunks.attend(cue, beta=BETA, top_chunks=TOP_CHUNKS).heads[0]
        fits = bool(len(found.relevance)) and found.relevance[0] >= BETA * share * KNOWN
        return found.output if fits else None

    def _row(self, moment: _Moment, end_ns: int) -> FloatArray:
        """Who, where, and which square how long before the end, each one-hot."""
        movement = np.zeros((DANCE_STEPS, _SQUARES))
        before = (end_ns - moment.stamp_ns) // STEP_NS
        movement[min(before, DANCE_STEPS - 1), _number(moment.square)] = 1.0
        return np.concatenate([
            [float(name == moment.who) for name in self.who],
            [float(room == moment.room) for room in self.rooms], movement.ravel(),
        ]).astype(np.float32)  # fmt: skip


def _movement(dance: str) -> FloatArray:
    """Which squares a dance goes through, and how long before it is last out of the middle."""
    movement = np.zeros((DANCE_STEPS, _SQUARES))
    for before, (east, north) in enumerate(path_of(dance)[-2::-1].tolist()):
        movement[before, _number((east, north))] = 1.0
    return movement.ravel()


def _filled(run: Sequence[_Moment]) -> list[_Moment]:
    """A run with the moments between in which its dancer was in the middle of its place."""
    known = {moment.stamp_ns: moment for moment in run}
    stamps = range(run[0].stamp_ns, run[-1].stamp_ns + 1, STEP_NS)
    return [known.get(stamp, replace(run[0], square=(0, 0), stamp_ns=stamp)) for stamp in stamps]


def _number(square: tuple[int, int]) -> int:
    return 4 + square[0] + 3 * square[1]


def _told(dancer: Seen, room: tuple[int, int], now_ns: int) -> Observation:
    """A dancer out of the middle of its place, as an observation."""
    sighting = Sighting(dancer.who, position=(float(dancer.east), float(dancer.north), 0.0))
    standing = Pose.from_yaw(ROOM_M * room[0], ROOM_M * room[1])
    return Observation(
        id=f"{now_ns}:{dancer.who}", stamp_ns=now_ns, source="ballet", pose=standing,
        text=f"the {dancer.who} dances", sightings=(sighting,),
    )  # fmt: skip


def _remembered(seen: Observation) -> _Moment:
    """The moment that an observation tells of."""
    (sighting,), standing = seen.sightings, seen.pose
    assert sighting.position is not None
    assert standing is not None
    east, north, _ = sighting.position
    dancer = Seen(sighting.label, round(east), round(north))
    room = (round(standing.x / ROOM_M), round(standing.y / ROOM_M))
    return _Moment(dancer.who, room, dancer.square, seen.stamp_ns)


def _towards(dancer: Seen) -> np.int64:
    return _way(dancer.east, dancer.north)


def _way(east: int, north: int) -> np.int64:
    """The action that walks straight to where something is."""
    straight = DIRECTIONS.tolist().index([np.sign(east), np.sign(north)])
    return np.int64(straight)
