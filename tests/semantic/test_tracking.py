"""Things across looks: what stays, moves, appears and goes, and what a stored tracker does next."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.episodic.codec import unpack
from memory_core.semantic.grid import ColumnGrid
from memory_core.semantic.identity_cost import best_pairs, labels_gain, move_log_density
from memory_core.semantic.tracking import EntityTracker, Seen, TrackerRows, View
from memory_core.semantic.tracks import Misread
from memory_core.semantic.views import telling, view_told
from memory_core.types import Pose

SECOND = 10**9
DAY = 86_400 * SECOND
START = 1_700_000_000 * SECOND
NOISE = np.eye(3) * 0.05**2
HERE = (0.0, 0.0, 1.2)


def everywhere(points):
    return np.ones(len(points), bool)


ALL = View(everywhere, 30.0)


def seen(key, label, *position, **more):
    return Seen(key, label, np.array(position, float), NOISE, **more)


class Visits:
    """Looks at numbered days, ten seconds apart, everything in view."""

    def __init__(self, tracker=None):
        self.tracker = tracker or EntityTracker()
        self.looks = Counter()

    def look(self, day, *sightings, view=ALL, standpoint=HERE):
        stamp = START + day * DAY + self.looks[day] * 10 * SECOND
        self.looks[day] += 1
        return self.tracker.look(
            stamp, standpoint, session=f"day {day}", sightings=sightings, view=view
        )

    def changes(self, first, second):
        found = self.tracker.changes_between(f"day {first}", f"day {second}")
        return [(change.kind, change.label) for change in found]


def cup(x=1.0, y=1.0, z=0.8, **more):
    return seen("cup", "cup", x, y, z, **more)


def lamp():
    return seen("lamp", "lamp", 3.0, 0.0, 1.0)


def test_one_thing_seen_often_is_one_entity_where_the_weighted_mean_says():
    visits = Visits()
    spots = [((1.0, 1.0, 0.8), 0.05), ((1.1, 1.0, 0.8), 0.1), ((1.0, 0.96, 0.8), 0.02)]
    for position, sigma in spots:
        visits.look(0, Seen("cup", "cup", np.array(position), np.eye(3) * sigma**2))
    (entity,) = visits.tracker.entities()
    weights = np.array([1 / sigma**2 for _, sigma in spots])
    mean = (weights[:, None] * np.array([p for p, _ in spots])).sum(axis=0) / weights.sum()
    assert entity.position == pytest.approx(mean)
    assert np.diag(np.reshape(entity.history[0].covariance, (3, 3))) == pytest.approx(
        1 / weights.sum(), rel=1e-4
    )
    assert (entity.label, entity.history[0].sightings) == ("cup", 3)


def test_a_single_miss_makes_nothing_gone():
    visits = Visits()
    visits.look(0, cup(), lamp())
    visits.look(1, lamp())
    assert visits.changes(0, 1) == []
    assert not any(entity.gone for entity in visits.tracker.entities())


def test_looking_again_twice_in_a_later_session_shows_that_a_thing_is_gone():
    visits = Visits()
    visits.look(0, cup(), lamp())
    visits.look(1, lamp())
    visits.look(1, lamp())
    assert visits.changes(0, 1) == [("gone", "cup")]
    (gone,) = [entity for entity in visits.tracker.entities() if entity.gone]
    assert START + DAY <= gone.history[-1].end_ns <= START + DAY + 10 * SECOND
    assert gone.confidence == 0.0


def test_what_was_not_in_view_is_not_missed():
    visits = Visits()
    visits.look(0, cup(), lamp())
    for _ in range(5):
        visits.look(1, lamp(), view=View(lambda points: points[:, 0] > 2, 30.0))
    assert visits.changes(0, 1) == []


def test_without_a_view_what_lies_between_things_seen_was_looked_at():
    cupboard = [seen("left", "jug", 3.0, 1.0, 1.4), seen("right", "vase", 3.0, -1.0, 0.8)]
    between, beside, hidden = (
        seen("cup", "cup", 2.9, 0.1, 1.1),
        seen("book", "book", 2.9, 1.4, 1.1),
        seen("lamp", "lamp", 6.0, 0.0, 1.1),
    )
    visits = Visits()
    visits.look(0, *cupboard, between, beside, hidden)
    for _ in range(4):
        visits.look(1, *cupboard, view=None)
    assert visits.changes(0, 1) == [("gone", "cup")]


def test_a_look_that_saw_nothing_and_tells_no_view_says_nothing():
    visits = Visits()
    visits.look(0, cup(), lamp(), view=None)
    for _ in range(4):
        visits.look(1, view=None)
    assert visits.changes(0, 1) == []


def test_frames_of_one_second_are_one_chance_to_see():
    visits = Visits()
    visits.look(0, cup(), lamp())
    for frame in range(20):
        visits.tracker.look(
            START + DAY + frame * SECOND // 30, HERE, session="day 1", sightings=[lamp()], view=ALL
        )
    assert visits.changes(0, 1) == []


def test_a_thing_found_elsewhere_is_the_same_thing_with_its_history():
    visits = Visits()
    first = visits.look(0, cup(), lamp())["cup"]
    visits.look(0, cup(), lamp())
    for _ in range(3):
        later = visits.look(1, cup(4.0, 2.0), lamp())["cup"]
    assert visits.changes(0, 1) == [("moved", "cup")]
    (change,) = visits.tracker.changes_between("day 0", "day 1")
    assert change.old == pytest.approx((1.0, 1.0, 0.8))
    assert change.new == pytest.approx((4.0, 2.0, 0.8))
    assert visits.tracker.entity_of(first) == visits.tracker.entity_of(later)
    entity = next(e for e in visits.tracker.entities() if e.label == "cup")
    assert [stay.position[0] for stay in entity.history] == pytest.approx([1.0, 4.0])
    assert entity.history[0].end_ns == START + DAY
    assert entity.history[1].end_ns is None


def test_a_move_is_understood_when_the_old_place_is_looked_at_only_days_later():
    visits = Visits()
    first = visits.look(0, cup(), lamp())["cup"]
    away = View(lambda points: points[:, 0] > 2, 30.0)
    for _ in range(3):
        later = visits.look(1, cup(4.0, 2.0), lamp(), view=away)["cup"]
    assert visits.changes(0, 1) == [("new", "cup")]
    back = View(lambda points: points[:, 0] < 2, 30.0)
    for _ in range(3):
        visits.look(2, view=back)
    assert visits.tracker.entity_of(first) == visits.tracker.entity_of(later)
    entity = next(e for e in visits.tracker.entities() if e.label == "cup")
    assert [stay.position[0] for stay in entity.history] == pytest.approx([1.0, 4.0])
    assert visits.changes(0, 2) == [("moved", "cup")]


def test_a_second_one_of_a_kind_is_new_while_the_first_is_still_there():
    visits = Visits()
    for day in (0, 1):
        for _ in range(2):
            extra = [seen("other", "cup", 2.0, 3.0, 0.8)] if day else []
            visits.look(day, cup(), lamp(), *extra)
    assert visits.changes(0, 1) == [("new", "cup")]


def test_things_of_a_room_never_looked_at_before_are_no_news():
    visits = Visits()
    near = View(everywhere, 4.0)
    visits.look(0, cup(), view=near)
    for _ in range(2):
        visits.look(1, seen("bed", "bed", 20.0, 20.0, 0.5), view=near, standpoint=(19.0, 20.0, 1.2))
    assert visits.changes(0, 1) == []
    assert len(visits.tracker.entities()) == 2


def test_wrong_labels_make_no_new_things():
    rng = np.random.default_rng(5)
    things = {"cup": (1.0, 1.0, 0.8), "jug": (1.4, 1.0, 0.8), "book": (1.2, 1.4, 0.8)}
    visits = Visits()
    for day in range(3):
        for _ in range(12):
            sightings = [
                seen(name, str(rng.choice(list(things))) if rng.random() < 0.07 else name,
                     *(position + rng.normal(0, 0.05, 3)))
                for name, position in things.items()
            ]  # fmt: skip
            visits.look(day, *sightings)
    assert sorted(entity.label for entity in visits.tracker.entities()) == sorted(things)


SHARP = np.eye(3) * 0.01**2
PART = (0.1, 0.1, 0.1)


def sharply(label, *position, size=PART):
    return Seen(label, label, np.array(position, float), SHARP, size=size)


def test_what_lies_beside_a_thing_and_is_read_as_something_else_again_and_again_is_another():
    """A drawer comes out: what is in it lies where the handle was."""
    visits = Visits()
    for _ in range(30):
        visits.look(0, sharply("handle", 5.95, 6.96, 0.58))
    for _ in range(12):
        visits.look(0, sharply("rolling pin", 5.87, 6.94, 0.54))
    found = {entity.label: entity for entity in visits.tracker.entities()}
    assert set(found) == {"handle", "rolling pin"}
    assert found["rolling pin"].position == pytest.approx((5.87, 6.94, 0.54), abs=0.02)


def test_a_detector_that_wavers_about_what_lies_beside_a_thing_still_tells_of_two():
    visits = Visits()
    for _ in range(30):
        visits.look(0, sharply("handle", 5.95, 6.96, 0.58))
    for number in range(12):
        label = "rolling pin" if number % 3 else "whisk"
        visits.look(0, sharply(label, 5.87, 6.94, 0.54))
    assert {entity.label for entity in visits.tracker.entities()} == {"handle", "rolling pin"}


def test_a_thing_read_wrong_time_and_again_where_it_is_stays_one():
    chance = np.random.default_rng(4)
    visits = Visits()
    for number in range(120):
        label = "bowl" if number % 6 == 5 else "cup"
        visits.look(0, sharply(label, *(np.array((1.0, 1.0, 0.8)) + chance.normal(0, 0.01, 3))))
    assert [entity.label for entity in visits.tracker.entities()] == ["cup"]


def test_what_lies_where_a_thing_was_and_has_another_shape_is_another():
    """A drawer comes out: a spatula in it lies where the handle was, but for some centimetres."""
    visits = Visits()
    for _ in range(30):
        visits.look(0, sharply("handle", 3.88, 5.19, 0.78, size=(0.07, 0.12, 0.05)))
    for _ in range(12):
        visits.look(0, sharply("green spatula", 3.87, 5.26, 0.75, size=(0.02, 0.21, 0.02)))
    found = {entity.label: entity for entity in visits.tracker.entities()}
    assert set(found) == {"handle", "green spatula"}
    assert found["green spatula"].history[0].sightings >= 4


def test_a_thing_that_is_read_wrong_from_one_side_time_after_time_stays_one():
    visits = Visits()
    for label in ["cup"] * 30 + ["bowl"] * 10 + ["cup"] * 5:
        visits.look(0, sharply(label, 1.0, 1.0, 0.8, size=(0.09, 0.08, 0.1)))
    assert [entity.label for entity in visits.tracker.entities()] == ["cup"]


def test_misreadings_kept_by_earlier_versions_are_read():
    kept = unpack(Misread, {"count": 2, "offset": [0.1, 0.0, 0.0]})
    assert (kept.count, kept.label, kept.in_a_row) == (2, "", 0)


@pytest.mark.parametrize(
    ("label", "told"),
    [("music shelf", []), ("picture", [("gone", "picture")]), ("toy bed", [("gone", "toy bed")])],
)
def test_furniture_of_which_little_was_seen_is_not_gone_where_it_does_not_fit_the_picture(
    label, told
):
    """From close by, the camera sees the spot where one end of it was seen, and not all of it."""
    depth = telling(np.full((90, 160), 4.0), width_rad=1.2, height_rad=0.9, range_m=8.0)
    visits = Visits()
    for day in (0, 1, 1, 1, 1, 1, 1):
        end = [] if day else [seen("s", label, 1.6, 0.0, 1.0, size=(0.2, 0.1, 0.3))]
        visits.look(
            day, seen("lamp", "lamp", 3.0, 0.0, 1.2), *end,
            view=view_told({"view": depth}, Pose(0.0, 0.0, 1.2)),
        )  # fmt: skip
    assert visits.changes(0, 1) == told


def test_a_large_thing_seen_from_its_sides_is_one():
    visits = Visits()
    for offset in (-0.4, 0.4, 0.0, -0.3):
        visits.look(0, seen("sofa", "sofa", 2.0 + offset, 1.0, 0.4, size=(2.0, 0.9, 0.8)))
    assert len(visits.tracker.entities()) == 1


def test_appearance_tells_two_of_a_kind_apart_that_changed_places():
    red, blue = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    visits = Visits()
    for day in (0, 1):
        for _ in range(3):
            here, there = (red, blue) if day == 0 else (blue, red)
            visits.look(
                day, seen("a", "cup", 1.0, 1.0, 0.8, embedding=here),
                seen("b", "cup", 3.0, 1.0, 0.8, embedding=there),
            )  # fmt: skip
    assert visits.changes(0, 1) == [("moved", "cup"), ("moved", "cup")]


@pytest.mark.parametrize(("after", "told"), [(0.1, []), (0.5, [("state", "door")])])
def test_a_state_changes_where_it_differs_by_more_than_noise(after, told):
    rng = np.random.default_rng(1)
    visits = Visits()
    for day, openness in enumerate((0.1, after)):
        for _ in range(4):
            value = openness + rng.normal(0, 0.04)
            visits.look(day, seen("door", "door", 1.0, 1.0, 1.0, state={"openness": value}))
    assert visits.changes(0, 1) == told
    (entity,) = visits.tracker.entities()
    assert entity.state["openness"] == pytest.approx(after, abs=0.06)


def test_a_thing_that_was_gone_and_is_back_stays_again():
    visits = Visits()
    for day, there in enumerate((True, False, True)):
        for _ in range(3):
            visits.look(day, lamp(), *([cup()] if there else []))
    entity = next(e for e in visits.tracker.entities() if e.label == "cup")
    assert [stay.end_ns is None for stay in entity.history] == [False, True]
    assert visits.changes(1, 2) == [("new", "cup")]
    assert visits.changes(0, 2) == []


def test_an_unknown_session_is_refused():
    with pytest.raises(KeyError):
        EntityTracker().changes_between("monday", "tuesday")


# Large things


def part(key, x, y, *size):
    return seen(key, "table", x, y, 0.4, extent=np.array([*size, 0.7]))


def test_parts_of_a_large_thing_seen_one_after_the_other_are_one_with_an_owner():
    visits = Visits()
    left = visits.look(0, part("left", 1.0, 0.3, 0.3, 0.3))["left"]
    right = visits.look(0, part("right", 1.0, 1.7, 0.3, 0.3))["right"]
    assert left != right
    whole = [visits.look(0, part("whole", 1.0, 1.0, 0.8, 1.7))["whole"] for _ in range(4)][-1]
    (entity,) = visits.tracker.entities()
    assert {visits.tracker.entity_of(track) for track in (left, right, whole)} == {
        int(entity.id.split(":")[1])
    }
    visits.look(1, lamp())
    rows = visits.tracker.changed()
    ends = {rows.owners[track] for track in (left, right, whole)}
    assert ends == {int(entity.id.split(":")[1])}


def test_two_of_a_kind_that_touch_and_were_seen_at_once_stay_two():
    visits = Visits()
    for day in (0, 1):
        for _ in range(2):
            visits.look(day, part("a", 1.0, 0.3, 0.8, 0.8), part("b", 1.0, 1.0, 0.8, 0.8))
        visits.look(day, part("a", 1.0, 0.3, 0.8, 0.8))
    assert len(visits.tracker.entities()) == 2
    assert visits.changes(0, 1) == []


def test_a_large_thing_seen_from_the_other_side_next_day_has_not_moved():
    visits = Visits()
    for day, offset in enumerate((-0.3, 0.3)):
        for _ in range(3):
            visits.look(day, part("table", 1.0, 1.0 + offset, 0.8, 1.2))
    assert visits.changes(0, 1) == []
    assert len(visits.tracker.entities()) == 1


def test_a_thing_partly_out_of_the_picture_was_not_missed():
    visits = Visits()
    for _ in range(3):
        visits.look(0, part("table", 2.0, 0.0, 0.8, 2.0))
    told = {"width_rad": 0.6, "height_rad": 2.0, "range_m": 8.0}
    for _ in range(5):
        visits.look(1, view=view_told({"view": told}, Pose(z=1.2)))
    assert visits.changes(0, 1) == []
    for _ in range(5):
        visits.look(1, view=view_told({"view": told | {"width_rad": 2.4}}, Pose(z=1.2)))
    assert visits.changes(0, 1) == [("gone", "table")]


def test_what_is_often_overlooked_is_not_gone_when_it_is_not_seen_once_more():
    visits = Visits()
    for _ in range(6):
        visits.look(0, cup())
        for _ in range(2):
            visits.look(0)
    for _ in range(3):
        visits.look(1)
    assert visits.changes(0, 1) == []


def test_a_namesake_seen_elsewhere_in_the_same_visit_is_not_the_one_that_went():
    visits = Visits()
    here = View(lambda points: points[:, 0] < 5, 6.0)
    there = View(lambda points: points[:, 0] > 5, 6.0)
    for day in (0, 1):
        for _ in range(3):
            visits.look(day, lamp(), *([cup()] if day == 0 else []), view=here)
        for _ in range(3):
            far = seen("far", "cup", 15.0, 1.0, 0.8)
            visits.look(day, far, view=there, standpoint=(14.0, 0.0, 1.2))
    assert visits.changes(0, 1) == [("gone", "cup")]


# Views

FORWARD = Pose(x=1.0, y=2.0, z=1.0)


@settings(max_examples=30)
@given(
    depths=st.lists(st.floats(0.3, 7.9), min_size=144, max_size=144),
    row=st.integers(0, 8), column=st.integers(0, 15), share=st.floats(0.1, 2.0),
)  # fmt: skip
def test_a_told_view_holds_what_is_before_the_depth_of_its_direction(depths, row, column, share):
    grid = np.array(depths).reshape(9, 16)
    told = telling(np.kron(grid, np.ones((4, 4))), width_rad=1.5, height_rad=1.0, range_m=25.0)
    view = view_told({"view": told}, FORWARD)
    depth = grid[row, column] * share
    left = (1 - 2 * (column + 0.5) / 16) * np.tan(0.75)
    up = (1 - 2 * (row + 0.5) / 9) * np.tan(0.5)
    point = np.array(FORWARD.position) + depth * np.array([1.0, left, up])
    behind = depth - grid[row, column]
    if abs(behind - 0.25) > 0.05:
        assert view.contains(point[None])[0] == (behind < 0.25)
    assert view.framed(point[None])[0]


def test_a_told_view_is_small_and_ends_at_the_edges_of_the_picture():
    told = telling(np.full((180, 320), 5.0), width_rad=1.5, height_rad=1.0, range_m=10.0)
    assert len(json.dumps({"view": told})) <= 300
    view = view_told({"view": told}, FORWARD)
    edge = np.tan(0.75)
    points = np.array([[3.0, 2 + 1.9 * edge, 1], [3.0, 2 + 2.1 * edge, 1], [-1.0, 2, 1]])
    assert view.contains(points).tolist() == [True, False, False]


def test_where_no_depth_was_had_nothing_was_looked_at():
    told = telling(np.zeros((90, 160)), width_rad=1.5, height_rad=1.0, range_m=10.0)
    view = view_told({"view": told}, FORWARD)
    assert not view.contains(np.array([[3.0, 2.0, 1.0]]))[0]


@pytest.mark.parametrize(
    "told",
    [
        None, "all", {}, {"width_rad": 1.0, "height_rad": 4.0, "range_m": 5.0},
        {"width_rad": 1.0, "height_rad": 1.0, "range_m": float("inf")},
        {"width_rad": 1.0, "height_rad": 1.0, "range_m": 5.0, "ranges": "?", "columns": 2},
        {"width_rad": 1.0, "height_rad": 1.0, "range_m": 5.0, "ranges": "AAAA", "columns": 2},
        {"width_rad": 1.0, "height_rad": 1.0, "range_m": 5.0, "ranges": "", "columns": 2},
    ],
)  # fmt: skip
def test_a_view_that_cannot_be_understood_counts_as_not_told(told):
    assert view_told({"view": told}, FORWARD) is None


# Generated rooms


def rooms(rng):
    """Things in four rooms, 2-5 of a kind, and what became of each: (label, before, after).

    Nothing but its kind tells a thing from others: of one kind, things were moved, or taken
    away, or added, so that there is one right answer.
    """
    things = []
    for kind in range(8):
        for _ in range(int(rng.integers(2, 6))):
            before = spot(rng, things, 0)
            things.append((f"kind {kind}", before, before))
    for kind in range(8):
        fate = rng.choice(["stays", "moves", "goes", "comes"], p=[0.25, 0.35, 0.2, 0.2])
        chosen = int(
            rng.choice([n for n, thing in enumerate(things) if thing[0] == f"kind {kind}"])
        )
        label, before, _ = things[chosen]
        if fate == "moves":
            things[chosen] = (label, before, spot(rng, things, 1))
        elif fate == "goes":
            things[chosen] = (label, before, None)
        elif fate == "comes":
            things.append((label, None, spot(rng, things, 1)))
    return things


def spot(rng, things, time):
    """Somewhere at least 0.3 m from all other things of a time."""
    while True:
        room = rng.integers(0, 2, 2) * 5.0
        place = np.array([*(room + rng.uniform(0.3, 3.7, 2)), rng.uniform(0.3, 1.5)])
        others = [thing[1 + time] for thing in things if thing[1 + time] is not None]
        if all(np.linalg.norm(place - other) > 0.3 for other in others):
            return place


def told_of_rooms(seed, looks):
    """Truth and report as sets of (kind of change, hidden number)."""
    rng = np.random.default_rng(seed)
    things, tracker, tracks = rooms(rng), EntityTracker(), []
    for time in (0, 1):
        for number in range(4 * looks):
            corner = np.array([number % 2, number // 2 % 2]) * 5.0

            def inside(points, corner=corner):
                return ((points[:, :2] >= corner) & (points[:, :2] <= corner + 4)).all(axis=1)

            standpoint = (*(corner + rng.uniform(1, 3, 2)).tolist(), 1.2)
            sightings = []
            for hidden, thing in enumerate(things):
                place = thing[1 + time]
                if place is None or not inside(place[None])[0] or rng.random() < 0.1:
                    continue
                label = f"kind {rng.integers(8)}" if rng.random() < 0.05 else thing[0]
                sightings.append(seen(hidden, label, *(place + rng.normal(0, 0.05, 3))))
            assigned = tracker.look(
                START + time * DAY + number * 10 * SECOND, standpoint, session=str(time),
                sightings=sightings, view=View(inside, 6.0),
            )  # fmt: skip
            tracks += [(track, time, hidden) for hidden, track in assigned.items()]
    votes = {}
    for track, time, hidden in tracks:
        votes.setdefault((tracker.entity_of(track), time), Counter())[hidden] += 1

    def name(number, time):
        return votes[number, time].most_common(1)[0][0] if (number, time) in votes else None

    told = []
    for change in tracker.changes_between("0", "1"):
        before, after = name(change.number, 0), name(change.number, 1)
        hidden = {"new": after, "gone": before}.get(change.kind, before)
        told.append((change.kind, hidden if change.kind != "moved" or before == after else None))
    truth = set()
    for hidden, (_, before, after) in enumerate(things):
        if before is None or after is None:
            truth.add(("new" if before is None else "gone", hidden))
        elif np.linalg.norm(after - before) > 0.05:
            truth.add(("moved", hidden))
    return truth, told


def test_changes_of_generated_rooms_are_told():
    right = told_in_all = true_in_all = 0
    for seed in range(12):
        truth, told = told_of_rooms(seed, 3)
        right += len(truth & set(told))
        told_in_all += len(told)
        true_in_all += len(truth)
    assert 2 * right / (told_in_all + true_in_all) >= 0.90


# Storing


def stored(rows, update):
    """What a store holds after an update, by the meaning of `TrackerRows`."""
    ended = {number for number, owner in update.owners.items() if owner != number}
    things = {t.number: t for t in (*rows.things, *update.things)}
    tracks = {t.number: t for t in (*rows.tracks, *update.tracks)}
    sessions = {s.name: s for s in (*rows.sessions, *update.sessions)}
    vantages = {v.number: v for v in (*rows.vantages, *update.vantages)}
    return TrackerRows(
        tuple(thing for number, thing in things.items() if number not in ended),
        tuple(track for number, track in tracks.items() if number not in update.owners),
        {**rows.owners, **update.owners},
        tuple(sessions.values()),
        tuple(vantages.values()),
        update.next_number,
        update.swept_ns,
    )


def stream(rng, looks):
    """Looks at things that are moved about, in three sessions with pauses."""
    places = rng.uniform(0, 4, (8, 3))
    for number in range(looks):
        if rng.random() < 0.2:
            places[rng.integers(8)] = rng.uniform(0, 4, 3)
        pause = 400 * SECOND if rng.random() < 0.1 else 0
        visible = np.flatnonzero(rng.random(8) > 0.2).tolist()
        sightings = [
            seen((number, k), f"kind {k % 3}", *(places[k] + rng.normal(0, 0.05, 3)),
                 state={"openness": float(rng.random() < 0.3)}, size=(0.1, 0.2, 0.1),
                 embedding=np.eye(4)[k % 4])
            for k in visible
        ]  # fmt: skip
        yield pause, f"session {number * 3 // looks}", sightings


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(0, 29), max_size=6))
def test_a_restored_tracker_goes_on_as_if_never_stored(seed, cuts):
    whole, parts, rows = EntityTracker(), EntityTracker(), TrackerRows()
    stamp = START
    for number, (pause, session, sightings) in enumerate(stream(np.random.default_rng(seed), 30)):
        stamp += pause + 5 * SECOND
        known = {"session": session, "sightings": sightings, "view": ALL}
        assert whole.look(stamp, HERE, **known) == parts.look(stamp, HERE, **known)
        if number in cuts:
            rows = stored(rows, parts.changed())
            parts = EntityTracker.load(rows)
    assert whole.entities() == parts.entities()
    assert whole.changes(0) == parts.changes(0)
    middle = (START + stamp) // 2
    assert whole.changes(middle) == parts.changes(middle)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_sightings_of_one_look_are_of_different_tracks_and_numbers_never_return(seed):
    tracker, stamp, ended, entities = EntityTracker(), START, set(), set()
    for pause, session, sightings in stream(np.random.default_rng(seed), 25):
        stamp += pause + 5 * SECOND
        tracks = tracker.look(stamp, HERE, session=session, sightings=sightings, view=ALL)
        assert len(set(tracks.values())) == len(sightings)
        assert ended.isdisjoint(tracks.values())
        ended |= set(tracker.changed().owners)
        now = {entity.id for entity in tracker.entities()}
        assert len(now) == len(tracker.entities())
        entities |= now


def test_rows_handed_out_do_not_change_afterwards():
    visits = Visits()
    visits.look(0, cup(state={"openness": 0.2}), lamp())
    visits.look(1, cup(state={"openness": 0.2}), lamp())
    rows = visits.tracker.changed()
    told = [(t.number, dict(t.labels), t.sightings, t.missed) for t in (*rows.things, *rows.tracks)]
    for _ in range(3):
        visits.look(1, lamp())
        visits.look(2, cup(state={"openness": 0.9}))
    assert told == [
        (t.number, dict(t.labels), t.sightings, t.missed) for t in (*rows.things, *rows.tracks)
    ]


def test_exact_positions_without_any_uncertainty_are_taken():
    tracker = EntityTracker()
    for day in range(2):
        exact = Seen("cup", "cup", np.array([1.0, 2.0, 3.0]), np.zeros((3, 3)))
        for look in range(2):
            stamp = START + day * DAY + look * SECOND
            tracker.look(stamp, HERE, session=str(day), sightings=[exact], view=ALL)
    (entity,) = tracker.entities()
    assert entity.position == pytest.approx((1.0, 2.0, 3.0))


def test_stored_owners_lead_every_track_to_its_thing():
    tracker, rows, tracks, stamp = EntityTracker(), TrackerRows(), [], START
    for pause, session, sightings in stream(np.random.default_rng(3), 40):
        stamp += pause + 5 * SECOND
        assigned = tracker.look(stamp, HERE, session=session, sightings=sightings, view=ALL)
        tracks += assigned.values()
        rows = stored(rows, tracker.changed())
    tracker.look(stamp + DAY, HERE, session="last", sightings=[])
    rows = stored(rows, tracker.changed())

    def owner(number):
        while rows.owners.get(number, number) != number:
            number = rows.owners[number]
        return number

    assert {owner(track) for track in tracks} == {thing.number for thing in rows.things}
    sightings = Counter(owner(track) for track in tracks)
    assert {thing.number: thing.sightings for thing in rows.things} == dict(sightings)


# Parts


@given(
    points=st.lists(st.tuples(*[st.floats(-20, 20)] * 2), min_size=1, max_size=30),
    centre=st.tuples(*[st.floats(-20, 20)] * 2),
    radius=st.floats(0.1, 15),
)
def test_the_grid_finds_all_that_brute_force_finds(points, centre, radius):
    grid = ColumnGrid(1.0)
    for number, point in enumerate(points):
        grid.put(number, (0.0, 0.0))
        grid.put(number, point)
    grid.remove(0)
    apart = np.linalg.norm(np.array(points) - centre, axis=1)
    near = set(np.flatnonzero(apart <= radius).tolist()) - {0}
    assert near <= grid.near(centre, radius)
    assert len(grid) == len(points) - 1


@given(
    gains=st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(-5, 5), max_size=12
    )
)
def test_pairs_gain_as_much_as_the_best_of_all_assignments(gains):
    def best(row, used):
        if row == 5:
            return 0.0
        options = [best(row + 1, used)]
        for column in range(5):
            gain = gains.get((row, column), 0.0)
            if gain > 0 and column not in used:
                options.append(gain + best(row + 1, used | {column}))
        return max(options)

    pairs = best_pairs(gains)
    assert len(set(pairs.values())) == len(pairs)
    assert sum(gains[pair] for pair in pairs.items()) == pytest.approx(best(0, frozenset()))


def test_labels_speak_for_one_thing_as_bayes_says():
    kinds, error = 30, 0.05
    read = np.full((kinds, kinds), error / (kinds - 1)) + np.eye(kinds) * (
        1 - error - error / (kinds - 1)
    )
    known, found = [0, 0, 1], [0, 2]  # labels read of either
    both = (read[:, known + found].prod(axis=1) / kinds).sum()
    apart = (read[:, known].prod(axis=1) / kinds).sum() * (
        read[:, found].prod(axis=1) / kinds
    ).sum()
    gain = labels_gain({"0": 1.0, "2": 1.0}, {"0": 2.0, "1": 1.0})
    assert gain == pytest.approx(np.log(both / apart))


def test_nearer_moves_are_likelier():
    densities = [move_log_density(distance) for distance in (0.1, 1.0, 5.0, 20.0)]
    assert densities == sorted(densities, reverse=True)
