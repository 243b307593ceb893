"""How errands went, remembered as observations like any other, and recalled for the next one.

Good and bad outcomes of similar goals are recalled as in REMEMBERER (Zhang et al. 2023). While an
errand runs, its state is kept too (`Journal`), so that after a power cut it is known what was
done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from memory_core.identity import deterministic_id
from memory_core.language.lexicon import same_kind
from memory_core.memory import RobotMemory
from memory_core.planning.body import Localisation
from memory_core.types import Filters, Json, Observation, Query, TimeSpan, Vector3

SOURCE = "outcome"
JOURNAL = "errand"


@dataclass(frozen=True, slots=True)
class LookedFor:
    """A look for a thing at a place.

    Attributes:
        thing: What was looked for.
        position: Where, `map`, metres.
        stamp_ns: When.
        found: Whether it was there.
    """

    thing: str
    position: Vector3
    stamp_ns: int
    found: bool


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step of an errand: what, how it ended, and when."""

    skill: str
    told: str
    done: bool
    reason: str
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An errand that was carried out.

    Attributes:
        words: What was asked for.
        done: Whether it was done.
        reason: Why it ended: `done`, `not found`, `interrupted`, `out of reach`, `going in
            circles`, `blocked`, `lost`, `nothing known`, …
        said: What the robot has to say about it.
        start_ns: When it began.
        end_ns: When it ended.
        position: Where the thing it was about was found, `map`; None where it was not.
        travelled_m: Way driven.
        looked: Where it was looked for.
        steps: What was done.
    """

    words: str
    done: bool
    reason: str
    said: str
    start_ns: int
    end_ns: int
    position: Vector3 | None = None
    travelled_m: float = 0.0
    looked: tuple[LookedFor, ...] = ()
    steps: tuple[StepTaken, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As it is stored, and as `do --json` prints it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Json) -> Outcome:
        """As it was stored."""
        place = kept["position"]
        looked = tuple(
            LookedFor(**{**look, "position": _point(look["position"])}) for look in kept["looked"]
        )
        return cls(
            **{
                **kept,
                "position": None if place is None else _point(place),
                "looked": looked,
                "steps": tuple(StepTaken(**step) for step in kept["steps"]),
            }
        )


def _point(numbers: Sequence[float]) -> Vector3:
    x, y, z = numbers
    return (x, y, z)


def remember(memory: RobotMemory, outcome: Outcome, where: Localisation, *, session: str) -> str:
    """Keep how an errand went, and where it ended.

    Args:
        memory: Open for writing.
        outcome: How it went.
        where: Where the robot is.
        session: Of the robot.

    Returns:
        The observation's id.
    """
    ended = "done" if outcome.done else f"failed: {outcome.reason}"
    kept = _note(
        where, outcome.end_ns, source=SOURCE, session=session, key=outcome.words,
        text=f"errand '{outcome.words}' {ended}. {outcome.said}".strip(),
        extra={"outcome": outcome.to_json()},
    )  # fmt: skip
    memory.observe(kept)
    return kept.id


def _note(
    where: Localisation, stamp_ns: int, *, source: str, session: str, key: str,
    text: str | None, extra: Json,
) -> Observation:  # fmt: skip
    return Observation(
        id=deterministic_id(f"{session}:{key}", source, stamp_ns, 0), stamp_ns=stamp_ns,
        source=source, session=session, map_id=where.map_id, anchor_id=where.anchor_id,
        pose=where.pose, covariance=where.covariance if where.pose is not None else None,
        localised=where.localised, text=text, extra=extra,
    )  # fmt: skip


def recalled(memory: RobotMemory, words: str, *, k: int = 20) -> tuple[Outcome, ...]:
    """Outcomes of goals like this one, best first.

    Args:
        memory: The memory.
        words: The goal.
        k: At most so many.
    """
    filters = Filters(sources=(SOURCE,))
    if not len(memory.select(filters)):
        return ()
    found = memory.recall(Query(text=words, filters=filters, k=k), explain=False)
    kept = (item.observation.extra.get("outcome") for item in found.evidence)
    return tuple(Outcome.from_json(outcome) for outcome in kept if outcome is not None)


def looks_for(memory: RobotMemory, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
    """Every look for a kind of thing since a moment, oldest first.

    Args:
        memory: The memory.
        thing: What was looked for.
        since_ns: Nanoseconds since the epoch.
    """
    filters = Filters(sources=(SOURCE,), span=TimeSpan(since_ns, None))
    rows = memory.store.fetch(memory.select(filters).tolist())
    looks = [
        look
        for row in rows
        for look in Outcome.from_json(row.observation.extra["outcome"]).looked
        if look.stamp_ns >= since_ns and same_kind(thing, look.thing)
    ]
    return tuple(sorted(looks, key=lambda look: look.stamp_ns))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an errand is.

    Attributes:
        errand: Its id.
        words: What was asked for.
        start_ns: When it began.
        asker: Where the asker stood, `map`; None where nobody knew.
        holding: What the hand holds, "" for nothing.
        opened: What was opened and is to be closed again: its name, and where its handle is,
            `map`.
        looked: Where the thing was looked for so far.
        finished: Whether it has ended.
    """

    errand: str
    words: str
    start_ns: int
    asker: Vector3 | None = None
    holding: str = ""
    opened: tuple[tuple[str, Vector3], ...] = ()
    looked: tuple[LookedFor, ...] = ()
    finished: bool = False


class Journal:
    """Keeps the state of the errand being run: each note is on disk before the next step."""

    def __init__(self, memory: RobotMemory, *, session: str) -> None:
        """Write into a memory.

        Args:
            memory: Open for writing.
            session: Of the robot.
        """
        self._memory = memory
        self._session = session
        self._notes = 0

    def note(self, progress: Progress, where: Localisation, stamp_ns: int) -> None:
        """Keep how far an errand is.

        Args:
            progress: The errand's state.
            where: Where the robot is.
            stamp_ns: Now.
        """
        self._notes += 1
        kept = _note(
            where, stamp_ns, source=JOURNAL, session=self._session,
            key=f"{progress.errand}:{self._notes}", text=None,
            extra={"errand": asdict(progress)},
        )  # fmt: skip
        self._memory.observe(kept)

    def unfinished(self) -> Progress | None:
        """The errand that was being run when the robot stopped; None where it had ended."""
        numbers = self._memory.select(Filters(sources=(JOURNAL,)))
        if not len(numbers):
            return None
        kept = self._memory.store.fetch([int(numbers[-1])])[0].observation.extra["errand"]
        asker = kept["asker"]
        last = Progress(
            **{
                **kept,
                "asker": None if asker is None else _point(asker),
                "opened": tuple((name, _point(at)) for name, at in kept["opened"]),
                "looked": tuple(
                    LookedFor(**{**look, "position": _point(look["position"])})
                    for look in kept["looked"]
                ),
            }
        )
        return None if last.finished else last

    def finish(self, progress: Progress, where: Localisation, stamp_ns: int) -> None:
        """Keep that an errand has ended."""
        self.note(replace(progress, finished=True), where, stamp_ns)
