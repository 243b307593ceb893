"""What the demonstration asks: drawn from the truth, and held against it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_core.types import Answer
from memory_sim.asking import (
    asked_after_the_errand,
    asked_in_the_evening,
    moved_farthest,
    says_where_it_had_been,
)
from memory_sim.witness import Witness
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.truth import whereabouts
from memory_sim.worlds.home.world import World

HOME = plan_home(7, rooms=4, floors=1)
NOW_NS = 1_772_528_400_000_000_000


def furniture_of(thing, day):
    return HOME.furniture_by_id[state(HOME, day).spots[thing].furniture]


def test_what_is_asked_for_was_moved_farthest_of_what_stands_in_the_open():
    found = moved_farthest(HOME)
    before, after = furniture_of(found.thing, 0), furniture_of(found.thing, 1)
    carried = math.dist(before.pose.position, after.pose.position)
    assert carried > 3.0
    for day in (0, 1):
        assert not HOME.surface(state(HOME, day).spots[found.thing]).opening
    labels = [thing.label for thing in HOME.things]
    assert labels.count(found.label) == 1


def test_a_home_in_which_nothing_fit_was_moved_is_refused_with_what_to_do():
    with pytest.raises(InvalidQuery, match="another --seed"):
        moved_farthest(plan_home(1, rooms=4, floors=1))


@pytest.fixture(scope="module")
def asked():
    """Questions of somebody who saw all that is in the open, one thing a second, from one place."""
    with World(HOME, day=0, width=8, height=8) as world:
        things = whereabouts(world)
        witness = Witness(world)
    names = [where.thing for where in things.values() if not where.opening]
    names += [piece.id for piece in HOME.furniture]
    moments = {name: NOW_NS + second * 10**9 for second, name in enumerate(names)}
    kitchen = HOME.room_by_name["kitchen"].centre
    seen = SimpleNamespace(
        seen=lambda name: name in moments, first_ns=moments.__getitem__,
        stays_s=lambda: {"kitchen": 80.0, "bedroom": 20.0},
        path=[(NOW_NS, None), (NOW_NS + 240 * 10**9, None)],
        camera_at=lambda stamp_ns: SimpleNamespace(position=(*kitchen, 1.25)),
    )  # fmt: skip
    assert {name for name in dir(seen) if not name.startswith("_")} <= {*dir(witness), "path"}
    posed = asked_in_the_evening(HOME, things, seen, now_ns=NOW_NS + 300 * 10**9)
    return things, {item.question.text: item for item in posed}


def test_eight_questions_or_more_of_different_kinds_are_asked(asked):
    _, posed = asked
    assert len(posed) >= 8
    assert len({item.question.kind for item in posed.values()}) >= 7


def test_where_a_thing_is_must_be_told_within_a_metre(asked):
    things, posed = asked
    label = next(text for text in posed if text.startswith("Where is the")).split("the ", 1)[1][:-1]
    item = posed[f"Where is the {label}?"]
    x, y, z = next(where.position for where in things.values() if where.label == label)
    assert item.right(Answer("There.", "where", position=(x + 0.9, y, z)))
    assert not item.right(Answer("There.", "where", position=(x + 1.1, y, z)))
    assert not item.right(Answer("I have no memory of it.", "where", abstained=True))


def test_armchairs_are_counted_as_they_stand(asked):
    _, posed = asked
    count = sum(piece.label == "armchair" for piece in HOME.furniture)
    item = posed["How many armchairs did you see?"]
    assert count == 2
    assert item.right(Answer("2 armchairs.", "how_many", value=2.0))
    assert not item.right(Answer("3 armchairs.", "how_many", value=3.0))


def test_a_stay_is_told_within_a_fifth(asked):
    _, posed = asked
    item = posed["How long were you in the kitchen?"]
    assert item.right(Answer("95 s.", "how_long", value=95.0, unit="s"))
    assert not item.right(Answer("100 s.", "how_long", value=100.0, unit="s"))


def test_what_is_on_a_table_must_be_most_of_it_and_little_else(asked):
    _, posed = asked
    item = posed["What is on the kitchen table?"]
    on = ["olive oil", "red travel cup", "banana", "black travel cup", "turquoise glass",
          "blue travel cup"]  # fmt: skip
    assert item.right(Answer(f"I remember {', '.join(on[:4])}.", "what"))
    assert not item.right(Answer(f"I remember {', '.join(on[:3])}.", "what"))
    assert not item.right(Answer(f"{', '.join(on)}, a sofa, a bed, a stove.", "what"))


def test_what_no_home_of_the_seed_holds_must_be_refused(asked):
    _, posed = asked
    text, item = next((t, i) for t, i in posed.items() if t.startswith("Have you ever seen"))
    kind = text.removesuffix("?").split(" ", 5)[5]
    assert not any(kind in thing.label for thing in HOME.things)
    assert item.right(Answer("I have no memory of it.", "ever", abstained=True))
    assert not item.right(Answer("Yes.", "ever"))


def test_after_the_errand_the_old_place_is_asked_for(asked):
    things, _ = asked
    thing = moved_farthest(HOME).thing
    with World(HOME, day=1, width=8, height=8) as world:
        after = whereabouts(world)[thing]
    where, moved = asked_after_the_errand(HOME, thing, things[thing], after, now_ns=NOW_NS)
    assert where.right(Answer("There.", "where", position=things[thing].position))
    assert not where.right(Answer("There.", "where", position=after.position))
    assert moved.right(Answer("Yes, it moved.", "changed"))
    assert not moved.right(Answer("No, it has not moved.", "changed"))


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("Here is the red book. It had been in the bedroom near the red radio.", True),
        ("Here is the red book. It had been on the dressing table.", True),
        ("Here is the red book. It had been in the kitchen near the dressing table.", False),
        ("Here is the red book. It had been at (1.6, -8.8, 0.9).", False),
        ("Here is the red book.", False),
    ],
)
def test_only_the_right_room_or_furniture_tells_where_it_had_been(asked, said, right):
    things, _ = asked
    before = next(where for where in things.values() if where.label == "red book")
    assert (before.room, before.furniture) == ("bedroom", "bedroom/dressing table")
    assert says_where_it_had_been(said, HOME, before) is right
