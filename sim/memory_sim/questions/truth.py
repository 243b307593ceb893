"""What can be asked about a house, and what is right, from ground truth.

Every fact names its kind of question, fills the slots of that kind's wordings, and holds what a
right answer must satisfy. Where two namesakes fit equally well, either is right; what the robot
could not know (`knowledge`) is not asked, and need not be told.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from memory_core.types import Json, Vector3
from memory_sim.questions.household import NS, Spot, Thing
from memory_sim.questions.knowledge import NOT_ASKED, Knowledge
from memory_sim.questions.wordings import plural

Check = Literal[
    "place", "one of", "exactly", "most of", "order", "yes or no", "number", "moment", "refusal"
]
NEXT_TO_M = 1.0
NEIGHBOURS = 3
MARGIN_M = 0.4
APART_S = 10.0
MOMENT_S = 5
STAY_S = 8.0
NEED_LABELS = {
    "wash_hands": ("washbasin", "bathtub"),
    "sleep": ("bed", "sofa"),
    "cold_drink": ("refrigerator",),
    "cook": ("stove",),
    "bathe": ("bathtub",),
    "call": ("telephone",),
    "book": ("bookshelf",),
    "clothes": ("wardrobe",),
    "laundry": ("laundry basket",),
    "wake_up": ("alarm clock",),
    "tea": ("kettle", "stove"),
    "watch": ("tv", "laptop"),
    "dry": ("towel",),
    "relieve": ("toilet",),
}
"""Which things meet a need."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right answer must satisfy; `scoring` says how each check is made.

    Attributes:
        check: Which check.
        places: Right positions, metres.
        others: Positions of namesakes that are not meant.
        required: Names that must be told.
        allowed: Names that may be told as well.
        enough: How many fitting names make up for required ones; 0: none do.
        order: Names, in the right order.
        truth: Whether what is asked is so.
        about: What a yes-or-no question is about: `moved`, `there` or `` for plain yes and no.
        number: The right number, seconds for durations.
        tolerance: Of the number.
        low_ns: Earliest right moment.
        high_ns: Latest right moment.
        or_unmoved: An answer that says the thing did not move is as good as a refusal.
    """

    check: Check
    places: tuple[Vector3, ...] = ()
    others: tuple[Vector3, ...] = ()
    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    enough: int = 0
    order: tuple[str, ...] = ()
    truth: bool | None = None
    about: Literal["", "moved", "there"] = ""
    number: float | None = None
    tolerance: float = 0.0
    low_ns: int = 0
    high_ns: int = 0
    or_unmoved: bool = False

    def to_json(self) -> Json:
        """What is set, for a row of an evaluation."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in told.items()
            if value or (name == "truth" and value is not None)
        }


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to ask: kind, slots, what is right, and whether a time phrase for a visit is due."""

    kind: str
    slots: Mapping[str, str]
    expected: Expected
    visit: int | None = None
    need: str = ""
    variant: str = field(default="", compare=False)


def facts(known: Knowledge) -> dict[str, list[Fact]]:
    """Everything answerable that can be asked about a house, by kind of question."""
    found: dict[str, list[Fact]] = {}
    makers: tuple[Callable[[Knowledge], Iterator[Fact]], ...] = (
        _finding, _two_hop, _compared, _beside, _ordered, _ordered_rooms, _moved, _changed,
        _then, _moments, _durations, _overall, _needs,
    )  # fmt: skip
    for maker in makers:
        for fact in maker(known):
            found.setdefault(fact.kind, []).append(fact)
    return found


def place(known: Knowledge, right: list[Spot], label: str, visit: int) -> Expected:
    """A position: one of the right spots, nearer to it than to any other thing of the label."""
    centres = {spot.centre for spot in right}
    others = tuple(
        spot.centre
        for thing, spot in known.there(visit)
        if thing.label == label and spot.centre not in centres
    )
    return Expected("place", places=tuple(sorted(centres)), others=others)


def names(required: frozenset[str], allowed: frozenset[str] = frozenset()) -> Expected:
    """Exactly these, and perhaps some of those."""
    return Expected("exactly", required=required, allowed=allowed - required)


def _labels(things: list[tuple[Thing, Spot]]) -> frozenset[str]:
    return frozenset(thing.label for thing, _ in things)


def _finding(known: Knowledge) -> Iterator[Fact]:
    visit = known.last
    askable = known.askable(visit)
    for label in sorted(_labels(askable)):
        alike = [spot for thing, spot in known.there(visit) if thing.label == label]
        slots = {"thing": label}
        yield Fact("where", slots, place(known, alike, label, visit))
        rooms = {spot.room for spot in alike}
        if len(rooms) == 1:
            yield Fact("which_room", slots, Expected("order", order=tuple(rooms)))
        for room in known.house.rooms:
            inside = [spot for spot in alike if spot.room == room]
            both = slots | {"room": room}
            if inside and any(t.label == label and s.room == room for t, s in askable):
                right = place(known, inside, label, visit)
                yield Fact("where_in_room", both, right)
                yield Fact("in_room", both, replace(right, check="yes or no", truth=True))
            elif not any(s is not None and s.room == room
                         for t in known.house.things if t.label == label for s in t.spots):  # fmt: skip
                yield Fact("in_room", both, Expected("yes or no", truth=False))


def _two_hop(known: Knowledge) -> Iterator[Fact]:
    visit = known.last
    askable = known.askable(visit)
    anchors = [(t, s) for t, s in askable if known.single(t)]
    for (anchor, at), (thing, spot) in itertools.product(anchors, askable):
        if at.room != spot.room or thing.label == anchor.label:
            continue
        alike = [s for t, s in known.there(visit) if t.label == thing.label]
        if len({s.room for s in alike}) > 1:  # otherwise the first hop would not be needed
            inside = [s for s in alike if s.room == at.room]
            slots = {"thing": thing.label, "anchor": anchor.label}
            yield Fact("two_hop_where", slots, place(known, inside, thing.label, visit))
        upon = _on(known, thing, visit)
        named = _on_known(known, thing, visit)
        if named and anchor.label not in upon and _one_in_room(known, thing, spot.room, visit):
            slots = {"support": thing.label, "anchor": anchor.label}
            yield Fact("two_hop_on", slots, names(named, upon))
    for thing, spot in anchors:
        room = _labels(known.askable(visit, room=spot.room)) - {thing.label}
        everything = _labels(known.there(visit, room=spot.room))
        if len(room) >= 2:
            yield Fact("two_hop_else", {"thing": thing.label},
                       Expected("most of", required=room, allowed=everything - room))  # fmt: skip
        if len(_on(known, thing, visit)) == 1 and (upon := _on_known(known, thing, visit)):
            item, at = next((t, s) for t, s in askable if s.on == thing.number and t.label in upon)
            near = _neighbours(known, item, at, visit) - {thing.label, *upon}
            if near:
                yield Fact("two_hop_beside", {"support": thing.label},
                           Expected("one of", required=near, allowed=upon))  # fmt: skip


def _on(known: Knowledge, support: Thing, visit: int) -> frozenset[str]:
    return frozenset(t.label for t, s in known.there(visit) if s.on == support.number)


def _on_known(known: Knowledge, support: Thing, visit: int) -> frozenset[str]:
    return frozenset(t.label for t, s in known.askable(visit) if s.on == support.number)


def _one_in_room(known: Knowledge, thing: Thing, room: str, visit: int) -> bool:
    return sum(t.label == thing.label for t, _ in known.there(visit, room=room)) == 1


def _neighbours(known: Knowledge, thing: Thing, spot: Spot, visit: int) -> frozenset[str]:
    """Labels of the known things within a metre of a thing, and of the three nearest."""
    near = sorted(
        (math.dist(other.centre, spot.centre), item.label)
        for item, other in known.askable(visit, room=spot.room)
        if item.number != thing.number
    )
    return frozenset(
        label for rank, (m, label) in enumerate(near) if m <= NEXT_TO_M or rank < NEIGHBOURS
    ) - {thing.label}


def _compared(known: Knowledge) -> Iterator[Fact]:
    """The nearest and the farthest of namesakes in a room, told apart by `MARGIN_M` at least."""
    visit = known.last
    for room in known.house.rooms:
        inside = known.askable(visit, room=room)
        for label, (anchor, at) in itertools.product(sorted(_labels(inside)), inside):
            alike = [(t, s) for t, s in known.there(visit, room=room) if t.label == label]
            if label == anchor.label or len(alike) < 2 or not _one_in_room(known, anchor, room, visit):  # fmt: skip
                continue
            if not all(known.known(t, visit) for t, _ in alike):
                continue
            ranked = sorted((math.dist(s.centre[:2], at.centre[:2]), s.centre, s) for _, s in alike)
            slots = {"thing": label, "anchor": anchor.label, "room": room}
            if ranked[1][0] - ranked[0][0] >= MARGIN_M:
                yield Fact("nearest", slots, place(known, [ranked[0][2]], label, visit))
            if ranked[-1][0] - ranked[-2][0] >= MARGIN_M:
                yield Fact("farthest", slots, place(known, [ranked[-1][2]], label, visit))


def _beside(known: Knowledge) -> Iterator[Fact]:
    visit = known.last
    askable = known.askable(visit)
    for thing, spot in askable:
        if _one_in_room(known, thing, spot.room, visit) and (
            upon := _on_known(known, thing, visit)
        ):
            slots = {"support": thing.label, "room": spot.room}
            yield Fact("what_on", slots, names(upon, _on(known, thing, visit)))
        if not known.single(thing):
            continue
        if near := _neighbours(known, thing, spot, visit):
            yield Fact("next_to", {"thing": thing.label}, Expected("one of", required=near))
        under = [t.label for t, _ in askable if t.number == spot.on]
        if under:
            yield Fact("on_what", {"thing": thing.label},
                       Expected("one of", required=frozenset(under)))  # fmt: skip


def _ordered(known: Knowledge) -> Iterator[Fact]:
    """First sightings, at least `APART_S` apart, of things that are on the first visit."""
    labels = sorted(_labels([(t, s) for t, s in known.askable(0) if known.single(t)]))
    first = {label: known.first_ns(label) for label in labels}
    for one, other in itertools.permutations(labels, 2):
        if abs(first[one] - first[other]) < APART_S * NS:
            continue
        slots = {"first": one, "second": other}
        earlier = first[one] < first[other]
        right = (one, other) if earlier else (other, one)
        yield Fact("order_which_first", slots, Expected("order", order=right[:1], allowed=frozenset(right[1:])))  # fmt: skip
        yield Fact("order_before", slots, Expected("yes or no", truth=earlier))
        yield Fact("order_after_yes", slots, Expected("yes or no", truth=not earlier))
    for label in labels:
        after, before = _around(known, label)
        if after:
            yield Fact("order_next", {"thing": label}, Expected("one of", required=after))
        if before:
            yield Fact("order_previous", {"thing": label}, Expected("one of", required=before))


def _around(known: Knowledge, label: str) -> tuple[frozenset[str], frozenset[str]]:
    """What was seen right after and right before a thing.

    Right after it are the labels of the next two pictures after its first or its last sighting
    on a visit, and what was noticed for the first time next after it; right before it likewise.
    """
    after: set[str] = set()
    before: set[str] = set()
    for visit in known.house.visits:
        views = [
            labels for stamp, labels in known.pictures if visit.start_ns <= stamp <= visit.end_ns
        ]
        views = [labels for labels in views if labels]
        held = [number for number, labels in enumerate(views) if label in labels]
        if not held:
            continue
        new: list[frozenset[str]] = []
        met: set[str] = set()
        for labels in views:
            new.append(labels - met)
            met |= labels
        for number in (held[0], held[-1]):
            after.update(*views[number : number + 3])
            before.update(*views[max(0, number - 2) : number + 1])
        after.update(next((fresh for fresh in new[held[0] + 1 :] if fresh), ()))
        before.update(next((fresh for fresh in reversed(new[: held[0]]) if fresh), ()))
    return frozenset(after) - {label}, frozenset(before) - {label}


def _ordered_rooms(known: Knowledge) -> Iterator[Fact]:
    route = tuple(room for room, _ in known.stays(known.last))
    if route != tuple(room for room, _ in known.stays(0)):
        return
    yield Fact("order_rooms", {}, Expected("order", order=route))
    yield Fact("order_first_room", {}, Expected("order", order=route[:1]))
    for room, following in itertools.pairwise(route):
        yield Fact("order_room_next", {"room": room}, Expected("order", order=(following,)))


def _moved(known: Knowledge) -> Iterator[Fact]:
    """Things without namesakes that were known on both visits."""
    for truth, things in ((True, known.moved()), (False, known.unmoved())):
        for thing in things:
            old, new = thing.spots[0], thing.spots[known.last]
            askable = known.single(thing) and all(known.known(thing, v) for v in (0, known.last))
            if not askable or old is None or new is None:
                continue
            slots = {"thing": thing.label}
            yield Fact("moved", slots, Expected("yes or no", truth=truth, about="moved"))
            if truth:
                yield Fact("moved_from", slots, Expected("place", places=(old.centre,), others=(new.centre,)))  # fmt: skip
                yield Fact("moved_to", slots, Expected("place", places=(new.centre,), others=(old.centre,)))  # fmt: skip
                low = known.seen[thing.number, 0].stamps[-1] - MOMENT_S * NS
                high = known.seen[thing.number, known.last].stamps[0] + MOMENT_S * NS
                yield Fact("moved_when", slots, Expected("moment", low_ns=low, high_ns=high))


def _changed(known: Knowledge) -> Iterator[Fact]:
    last = known.last
    groups = {
        "moved_things": (known.moved(), (0, last)),
        "new_things": (known.brought(), (last,)),
        "gone_things": (known.taken(), (0,)),
    }
    every = frozenset(t.label for things, _ in groups.values() for t in things)
    for kind, (things, visits) in groups.items():
        clear = known.clear(things, visits)
        if clear:
            doubtful = every - frozenset().union(
                *(known.clear(*group) for group in groups.values())
            )
            told = frozenset(t.label for t in things) | doubtful
            yield Fact(kind, {}, names(clear, told))
    for room in known.house.rooms:
        here = [
            (thing, visits)
            for things, visits in groups.values()
            for thing in things
            if any(s is not None and s.room == room for s in thing.spots)
        ]
        clear = frozenset().union(*(known.clear([thing], visits) for thing, visits in here))
        if clear:
            told = frozenset(thing.label for thing, _ in here)
            yield Fact("room_changed", {"room": room}, names(clear, told))
    for thing in known.house.things:
        there = thing.spots[last] is not None
        asked = known.single(thing) and thing.label not in NOT_ASKED
        if asked and known.known(thing, 0) and (not there or known.known(thing, last)):
            right = Expected("yes or no", truth=there, about="there")
            yield Fact("still_there", {"thing": thing.label}, right)


def _then(known: Knowledge) -> Iterator[Fact]:
    """Where things were, on either visit; first those that moved, whose place depends on it."""
    for visit in range(len(known.house.visits)):
        moved = {thing.number for thing in known.moved()}
        for thing, spot in known.askable(visit):
            if not known.single(thing):
                continue
            slots = {"thing": thing.label}
            variant = "moved" if thing.number in moved else ""
            others = tuple(s.centre for s in thing.spots if s is not None and math.dist(s.centre, spot.centre) > MARGIN_M)  # fmt: skip
            right = Expected("place", places=(spot.centre,), others=others)
            yield Fact("where_then", slots, right, visit, variant=variant)
            yield Fact("room_then", slots, Expected("order", order=(spot.room,)), visit, variant=variant)  # fmt: skip
        for room in known.house.rooms:
            inside = _labels(known.askable(visit, room=room))
            if len(inside) >= 3:
                allowed = _labels(known.there(visit, room=room)) - inside
                right = Expected("most of", required=inside, allowed=allowed)
                yield Fact("what_then", {"room": room}, right, visit)


def _moments(known: Knowledge) -> Iterator[Fact]:
    for thing in known.house.things:
        stamps = [stamp for stamp, labels in known.pictures if thing.label in labels]
        asked = known.single(thing) and thing.label not in NOT_ASKED
        if not asked or not any(known.known(thing, visit) for visit in range(known.last + 1)):
            continue
        for kind, stamp in (("first_seen", stamps[0]), ("last_seen", stamps[-1])):
            right = Expected("moment", low_ns=stamp - MOMENT_S * NS, high_ns=stamp + MOMENT_S * NS)
            yield Fact(kind, {"thing": thing.label}, right)


def _durations(known: Knowledge) -> Iterator[Fact]:
    for visit, whole in enumerate(known.house.visits):
        for room, seconds in known.stays(visit):
            yield Fact("stayed", {"room": room}, Expected("number", number=seconds, tolerance=max(STAY_S, 0.2 * seconds)), visit)  # fmt: skip
        labels = sorted(_labels([(t, s) for t, s in known.askable(visit) if known.single(t)]))
        first = {
            label: next(s for s, seen in known.pictures if s >= whole.start_ns and label in seen)
            for label in labels
        }
        for one, other in itertools.permutations(labels, 2):
            seconds = (first[other] - first[one]) / NS
            if seconds >= 3 * APART_S:
                right = Expected("number", number=seconds, tolerance=max(APART_S, 0.1 * seconds))
                yield Fact("between", {"first": one, "second": other}, right, visit)


def _overall(known: Knowledge) -> Iterator[Fact]:
    visit, rooms = known.last, frozenset(known.house.rooms)
    yield Fact("count_visits", {}, Expected("number", number=len(known.house.visits)))
    yield Fact("count_rooms", {}, Expected("number", number=len(rooms), allowed=frozenset({"hallway"})))  # fmt: skip
    yield Fact("list_rooms", {}, names(rooms, frozenset({"hallway"})))
    everything = _labels(known.askable(visit))
    told = Expected("most of", required=rooms, allowed=everything | {"hallway", *NOT_ASKED},
                    enough=len(rooms) + 4)  # fmt: skip
    yield Fact("describe_all", {}, told)
    for room in sorted(rooms):
        inside = known.askable(visit, room=room)
        required = _labels(inside)
        if len(required) >= 3:
            allowed = _labels(known.there(visit, room=room)) - required
            yield Fact("describe_room", {"room": room}, Expected("most of", required=required, allowed=allowed))  # fmt: skip
        for label in sorted(required):
            alike = [t for t, _ in known.there(visit, room=room) if t.label == label]
            steady = all(t.spots[0] == t.spots[visit] for t in known.house.things if t.label == label)  # fmt: skip
            if steady and all(known.known(t, visit) for t in alike):
                slots = {"things": plural(label), "room": room}
                yield Fact("count_things", slots, Expected("number", number=len(alike)),
                           variant="several" if len(alike) > 1 else "")  # fmt: skip


def _needs(known: Knowledge) -> Iterator[Fact]:
    visit = known.last
    for need, labels in NEED_LABELS.items():
        if any(thing.label in labels for thing, _ in known.askable(visit)):
            spots = [spot for thing, spot in known.there(visit) if thing.label in labels]
            right = Expected("place", places=tuple(sorted(spot.centre for spot in spots)))
            yield Fact("implicit", {}, right, need=need)
