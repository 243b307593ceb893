"""What cannot be answered: things never seen, rooms that do not exist, false presuppositions.

Most of it is asked in the wordings of the answerable kinds, so that no wording gives it away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from memory_sim.questions.household import Thing
from memory_sim.questions.knowledge import NOT_ASKED, Knowledge
from memory_sim.questions.truth import Expected, Fact
from memory_sim.questions.wordings import Wordings, plural

REFUSAL = Expected("refusal")
UNMOVED = Expected("refusal", or_unmoved=True)
ABSENT_ALONE = (
    "where", "which_room", "two_hop_else", "on_what", "next_to", "order_next", "order_previous",
    "moved", "moved_from", "moved_to", "moved_when", "still_there", "last_seen", "first_seen",
)  # fmt: skip
ABSENT_ROOM_ALONE = ("describe_room", "room_changed", "order_room_next")
ABSENT_OF_TWO = ("order_which_first", "order_before", "order_after_yes")


def unanswerable(known: Knowledge, wordings: Wordings) -> dict[str, list[Fact]]:
    """Everything unanswerable that can be asked about a house, by kind of question.

    Args:
        known: The house, and what was seen of it.
        wordings: Whose absent things and rooms are used.
    """
    found: dict[str, list[Fact]] = {}
    for maker in (_never_seen, _no_such_room, _not_together, _false_presupposition, _outside):
        for fact in maker(known, wordings):
            found.setdefault(fact.kind, []).append(fact)
    return found


def _singles(known: Knowledge, visit: int) -> list[Thing]:
    return [thing for thing, _ in known.askable(visit) if known.single(thing)]


def _never_seen(known: Knowledge, wordings: Wordings) -> Iterator[Fact]:
    singles = [thing.label for thing in _singles(known, 0) if thing.spots[known.last] is not None]
    for absent in wordings.absent_things:
        slots = {"thing": absent, "support": absent}
        for kind in ABSENT_ALONE:
            yield Fact(kind, slots, REFUSAL)
        yield Fact("two_hop_beside", slots, REFUSAL)
        for visit in range(len(known.house.visits)):
            yield Fact("where_then", slots, REFUSAL, visit)
            yield Fact("room_then", slots, REFUSAL, visit)
        for room in known.house.rooms:
            yield Fact("where_in_room", slots | {"room": room}, REFUSAL)
            yield Fact("what_on", slots | {"room": room}, REFUSAL)
        for label in singles:
            yield Fact("two_hop_where", {"thing": absent, "anchor": label}, REFUSAL)
            yield Fact("two_hop_where", {"thing": label, "anchor": absent}, REFUSAL)
            yield Fact("two_hop_on", {"support": label, "anchor": absent}, REFUSAL)
            for kind in ABSENT_OF_TWO:
                yield Fact(kind, {"first": absent, "second": label}, REFUSAL)
                yield Fact(kind, {"first": label, "second": absent}, REFUSAL)
            yield Fact("between", {"first": label, "second": absent}, REFUSAL, 0)
            for room in known.house.rooms:
                yield Fact("nearest", {"thing": absent, "anchor": label, "room": room}, REFUSAL)
                yield Fact("nearest", {"thing": label, "anchor": absent, "room": room}, REFUSAL)
    for need in wordings.absent_needs:
        yield Fact("implicit", {}, REFUSAL, need=need)


def _no_such_room(known: Knowledge, wordings: Wordings) -> Iterator[Fact]:
    labels = sorted({thing.label for thing, _ in known.askable(known.last)})
    for room in wordings.absent_rooms:
        for kind in ABSENT_ROOM_ALONE:
            yield Fact(kind, {"room": room}, REFUSAL)
        yield Fact("stayed", {"room": room}, REFUSAL, 0)
        yield Fact("what_then", {"room": room}, REFUSAL, 0)
        for label in labels:
            yield Fact("where_in_room", {"thing": label, "room": room}, REFUSAL)
            yield Fact("count_things", {"things": plural(label), "room": room}, REFUSAL)


def _not_together(known: Knowledge, wordings: Wordings) -> Iterator[Fact]:
    """Things that exist, asked for in a room that never held one of them."""
    singles = _singles(known, known.last)
    for thing, anchor in itertools.permutations(singles, 2):
        theirs = {s.room for s in thing.spots if s is not None}
        there = {s.room for s in anchor.spots if s is not None}
        if not theirs & there:
            slots = {"thing": thing.label, "anchor": anchor.label}
            yield Fact("two_hop_where", slots, REFUSAL)
    for thing in singles:
        for room in known.house.rooms:
            if all(s is None or s.room != room for s in thing.spots):
                yield Fact("where_in_room", {"thing": thing.label, "room": room}, REFUSAL)


def _false_presupposition(known: Knowledge, wordings: Wordings) -> Iterator[Fact]:
    last = known.last
    for thing in known.unmoved():
        if known.single(thing) and thing.label not in NOT_ASKED and all(known.known(thing, v) for v in (0, last)):  # fmt: skip
            for kind in ("moved_from", "moved_to", "moved_when"):
                yield Fact(kind, {"thing": thing.label}, UNMOVED, variant="unmoved")
    for thing in known.brought():
        if known.single(thing) and known.known(thing, last):
            for kind in ("where_then", "room_then"):
                yield Fact(kind, {"thing": thing.label}, REFUSAL, 0)


def _outside(known: Knowledge, wordings: Wordings) -> Iterator[Fact]:
    """Before the memory begins, other floors, and what no camera sees."""
    for thing in _singles(known, known.last):
        for room in known.house.rooms:
            for kind in ("before_memory", "absent_floor", "absent_part"):
                yield Fact(kind, {"thing": thing.label, "room": room}, REFUSAL)
