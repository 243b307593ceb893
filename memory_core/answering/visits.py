"""Which visits there were, and which stretch of time "on your first tour" is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memory_core.language.questions import Question
from memory_core.language.visits import Visit
from memory_core.types import TimeSpan

if TYPE_CHECKING:
    from memory_core.memory import RobotMemory


@dataclass(frozen=True, slots=True)
class Tour:
    """One session of one robot: from its first to its last observation, nanoseconds."""

    session: str
    start_ns: int
    end_ns: int


def visits_of(memory: RobotMemory) -> list[Tour]:
    """All sessions of a memory, oldest first.

    Args:
        memory: Any open memory.
    """
    with memory.store.reading() as db:
        rows = db.execute(
            "SELECT n.name, min(o.stamp_ns), max(o.stamp_ns) FROM observations o "
            "JOIN names n ON n.id = o.session GROUP BY o.session, o.robot"
        ).fetchall()
    return sorted((Tour(*row) for row in rows), key=lambda tour: tour.start_ns)


def in_visit(question: Question, memory: RobotMemory) -> Question | None:
    """A question with its visit as a span of time; None where it means a time before all visits.

    Args:
        question: With a visit named.
        memory: Any open memory.
    """
    visit = question.visit
    if visit is None:
        return question
    if visit.which == "before":
        return None
    tours = visits_of(memory)
    if visit.since or not tours:
        return question
    chosen = _chosen(visit, tours)
    if chosen is None:
        return None
    span = TimeSpan(chosen.start_ns, chosen.end_ns)
    return replace(question, time=replace(question.time, span=span))


def _chosen(visit: Visit, tours: list[Tour]) -> Tour | None:
    places = {"first": 0, "second": 1, "last": len(tours) - 1, "previous": len(tours) - 2}
    place = places[visit.which]
    return tours[place] if 0 <= place < len(tours) else None
