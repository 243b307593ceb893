"""What the demonstration asks of a robot, and what is right, from the simulator's truth.

Nothing is typed in: things, rooms, furniture and moments are taken from the home, from what was
truly in view, and from what people moved overnight. Answers are held against the truth by the
rules of `memory_sim.questions`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from memory_core.errors import InvalidQuery
from memory_core.language.lexicon import same_kind
from memory_core.types import Answer
from memory_sim.house_errands import enclosed
from memory_sim.questions.generator import Question
from memory_sim.questions.scoring import Vocabulary, right
from memory_sim.questions.truth import STAY_S, Expected, Fact
from memory_sim.questions.wordings import plural
from memory_sim.witness import Witness
from memory_sim.worlds.home.kinds import FURNITURE
from memory_sim.worlds.home.layout import ROOM_SIZES
from memory_sim.worlds.home.placing import spot_pose
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.scene import HANDLE
from memory_sim.worlds.home.things import THINGS
from memory_sim.worlds.home.truth import Change, Whereabouts, changes

MINUTE_NS = 60 * 10**9
HALLWAYS = ("hallway", "lift")


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with what the right answer must satisfy.

    Attributes:
        question: With its truth.
        expected: What that is, in words.
        vocabulary: What an answer could name.
    """

    question: Question
    expected: str
    vocabulary: Vocabulary

    def right(self, answer: Answer) -> bool:
        """Whether an answer is right."""
        return right(answer, self.question, vocabulary=self.vocabulary)


def moved_farthest(plan: HomePlan) -> Change:
    """What people carry farthest over the first night, of what stands in the open and is one of a kind.

    Args:
        plan: The home.

    Raises:
        InvalidQuery: There is nothing of the kind in this home.
    """
    plain = _one_of_a_kind(plan)
    carried = {
        _carried_m(plan, change): change
        for change in changes(plan, 0, 1)
        if change.thing in plain and _in_the_open(plan, change)
    }
    if not carried:
        raise InvalidQuery(
            f"in the home of seed {plan.seed} people move nothing that could be asked for; take "
            "another --seed"
        )
    return carried[max(carried)]


def asked_in_the_evening(
    plan: HomePlan, things: Mapping[str, Whereabouts], witness: Witness, *, now_ns: int
) -> list[Posed]:
    """Questions of different kinds about the first day.

    Args:
        plan: The home.
        things: Where each thing is.
        witness: Of the day.
        now_ns: When they are asked.
    """
    return list(_Evening(plan, things, witness, now_ns).questions())


def asked_after_the_errand(
    plan: HomePlan, thing: str, before: Whereabouts, after: Whereabouts, *, now_ns: int
) -> list[Posed]:
    """Questions about what was moved overnight and fetched.

    Args:
        plan: The home.
        thing: Id of the thing.
        before: Where it was on the first morning.
        after: Where it was on the second.
        now_ns: When they are asked.
    """
    label, vocabulary = plan.thing_by_id[thing].label, _vocabulary(plan)
    yesterday = Expected("place", places=(before.position,), others=(after.position,))
    moved = Expected("yes or no", truth=True, about="moved")
    return [
        Posed(_question(f"Where was the {label} yesterday?", "where", yesterday, now_ns),
              "within 1 m of where it was", vocabulary),
        Posed(_question(f"Has the {label} moved?", "moved", moved, now_ns), "yes", vocabulary),
    ]  # fmt: skip


def says_where_it_had_been(said: str, plan: HomePlan, before: Whereabouts) -> bool:
    """Whether words name the room or the furniture that a thing was in or on, and no other room.

    Args:
        said: By the robot.
        plan: The home.
        before: Where the thing was.
    """
    lowered, room = said.lower(), plan.room_by_name[before.room].kind
    rooms = {kind for kind in (*ROOM_SIZES, *HALLWAYS) if kind in lowered}
    furniture = plan.furniture_by_id[before.furniture].label
    return rooms <= {room} and (room in rooms or furniture in lowered)


class _Evening:
    """Draws the questions about a day."""

    def __init__(
        self, plan: HomePlan, things: Mapping[str, Whereabouts], witness: Witness, now_ns: int
    ) -> None:
        self._plan, self._witness, self._now_ns = plan, witness, now_ns
        self._vocabulary = _vocabulary(plan)
        self._seen = [w for w in things.values() if not w.opening and witness.seen(w.thing)]
        self._seen.sort(key=lambda where: witness.first_ns(where.thing))
        self._furniture = [p for p in plan.furniture if witness.seen(p.id) and p.label != "door"]
        self._plain = _one_of_a_kind(plan)

    def questions(self) -> Iterator[Posed]:
        single = [where for where in self._seen if where.thing in self._plain]
        for text, where in zip(
            ("Where is the {}?", "Where did you last see the {}?"),
            (single[-1], single[0]) if single else (),
            strict=False,
        ):
            right = Expected("place", places=(where.position,))
            yield self._posed(text.format(where.label), "where", right, "within 1 m of it")
        yield from self._how_many()
        yield from self._which_first()
        yield from self._what_is_on()
        yield from self._about_rooms()
        yield from self._where_were_you()
        yield from self._something_absent()

    def _how_many(self) -> Iterator[Posed]:
        """Furniture of which there are most, all of it seen."""
        labels = [piece.label for piece in self._furniture]
        whole = [
            label for label in sorted(set(labels))
            if all(p in self._furniture for p in self._plan.furniture if same_kind(label, p.label))
        ]  # fmt: skip
        if whole:
            label = max(whole, key=labels.count)
            count = sum(same_kind(label, other) for other in labels)
            right = Expected("number", number=count)
            yield self._posed(f"How many {plural(label)} did you see?", "count", right, str(count))

    def _which_first(self) -> Iterator[Posed]:
        """The pieces of furniture that were in view first and last."""
        pieces = [piece for piece in self._furniture if piece.id in self._plain]
        pieces.sort(key=lambda piece: self._witness.first_ns(piece.id))
        if len(pieces) > 1:
            first, last = pieces[0].label, pieces[-1].label
            right = Expected("order", order=(first,), allowed=frozenset({last}))
            text = f"Which did you see first, the {last} or the {first}?"
            yield self._posed(text, "order_which_first", right, f"the {first}")

    def _what_is_on(self) -> Iterator[Posed]:
        """The piece of furniture with most things on it."""
        on = {
            piece: [w.label for w in self._seen if w.furniture == piece.id]
            for piece in self._furniture if piece.id in self._plain
        }  # fmt: skip
        if any(on.values()):
            piece = max(on, key=lambda piece: len(on[piece]))
            right = Expected("most of", required=frozenset(on[piece]))
            told = ", ".join(sorted(on[piece]))
            yield self._posed(f"What is on the {piece.label}?", "what_on", right, told)

    def _about_rooms(self) -> Iterator[Posed]:
        """The room with most in it, and how long the robot was in the one it was in longest."""
        rooms = [room for room in self._plan.rooms if room.kind not in HALLWAYS]
        inside = {
            room: {w.label for w in self._seen if w.room == room.name}
            | {piece.label for piece in self._furniture if piece.room == room.name}
            for room in rooms
        }
        room = max(rooms, key=lambda room: len(inside[room]))
        unasked = frozenset(p.label for p in self._plan.furniture if p.room == room.name)
        right = Expected(
            "most of", required=frozenset(inside[room]), allowed=_fronts(self._plan) | unasked
        )
        told = ", ".join(sorted(inside[room]))
        yield self._posed(f"What is in the {room.kind}?", "describe_room", right, told)
        stays = self._witness.stays_s()
        room = max(rooms, key=lambda room: stays.get(room.name, 0.0))
        seconds = stays.get(room.name, 0.0)
        right = Expected("number", number=seconds, tolerance=max(STAY_S, 0.2 * seconds))
        yield self._posed(
            f"How long were you in the {room.kind}?", "stayed", right, f"about {seconds:.0f} s"
        )

    def _where_were_you(self) -> Iterator[Posed]:
        """At the full minute in the middle of the day."""
        first_ns, last_ns = self._witness.path[0][0], self._witness.path[-1][0]
        minute_ns = (first_ns + last_ns) // 2 // MINUTE_NS * MINUTE_NS
        at = self._witness.camera_at(minute_ns).position
        clock = dt.datetime.fromtimestamp(minute_ns * 1e-9, dt.UTC)
        right = Expected("place", places=(at,))
        told = f"within 1 m of ({at[0]:.1f}, {at[1]:.1f})"
        yield self._posed(f"Where were you at {clock:%H:%M}?", "where_then", right, told)

    def _something_absent(self) -> Iterator[Posed]:
        """A kind of thing that is in other homes."""
        here = [thing.label for thing in self._plan.things]
        absent = next(
            kind for kind in sorted(THINGS) if not any(same_kind(kind, label) for label in here)
        )
        article = "an" if absent[0] in "aeiou" else "a"
        text = f"Have you ever seen {article} {absent}?"
        yield self._posed(text, "ever", Expected("refusal"), "no memory of it")

    def _posed(self, text: str, kind: str, right: Expected, expected: str) -> Posed:
        return Posed(_question(text, kind, right, self._now_ns), expected, self._vocabulary)


def _question(text: str, kind: str, right: Expected, now_ns: int) -> Question:
    return Question(text, kind, "reporting", text, False, Fact(kind, {}, right), now_ns)


def _vocabulary(plan: HomePlan) -> Vocabulary:
    labels = {thing.label for thing in plan.things}
    return Vocabulary({*labels, *FURNITURE, *_fronts(plan)}, {*ROOM_SIZES, "hallway"})


def _fronts(plan: HomePlan) -> frozenset[str]:
    """What doors, drawers and their handles are called."""
    openings = {opening.label for piece in plan.furniture for opening in piece.kind.openings}
    return frozenset({*openings, HANDLE})


def _one_of_a_kind(plan: HomePlan) -> frozenset[str]:
    """Ids of things and furniture whose labels can mean nothing else in the home."""
    labels = {thing.id: thing.label for thing in plan.things}
    labels |= {piece.id: piece.label for piece in plan.furniture}
    return frozenset(
        name for name, label in labels.items()
        if sum(same_kind(label, other) for other in labels.values()) == 1
    )  # fmt: skip


def _in_the_open(plan: HomePlan, change: Change) -> bool:
    spots = (change.before, change.after)
    return all(spot is not None and not enclosed(plan, spot) for spot in spots)


def _carried_m(plan: HomePlan, change: Change) -> float:
    if change.before is None or change.after is None:
        return 0.0
    before, after = (
        spot_pose(spot, plan.furniture_by_id[spot.furniture]).position
        for spot in (change.before, change.after)
    )
    return math.dist(before, after)
