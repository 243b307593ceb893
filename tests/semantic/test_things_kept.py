"""What sightings taught about a thing can be taken out of it again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.tracking import EntityTracker, Seen
from memory_core.semantic.unlearning import Left, Lost, without


def seen(number, at, label="mug"):
    spread = np.diag([0.01 + 0.001 * (number % 3), 0.02, 0.01])
    return Seen(
        number, label, np.array(at), spread, size=(0.1, 0.1, 0.2),
        embedding=np.array([1.0, 0.02 * number, 0.0, 0.0]), state={"open": 0.2},
    )  # fmt: skip


def learnt(numbers, offsets):
    tracker = EntityTracker()
    for number in numbers:
        tracker.look(
            number * 10**9, (3.0, 0.5 * number, 1.0), session="one",
            sightings=[seen(number, (offsets[number], 0.0, 0.5))],
        )  # fmt: skip
    (thing,) = tracker.things().values()
    return thing


@given(
    st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=8),
    st.data(),
)
@settings(max_examples=50)
def test_a_thing_without_some_sightings_is_one_that_never_had_them(offsets, data):
    every = list(range(len(offsets)))
    gone = data.draw(st.sets(st.sampled_from(every), min_size=1, max_size=len(every) - 1))
    kept = [n for n in every if n not in gone]
    lost = [
        Lost(seen(n, (offsets[n], 0.0, 0.5)), n * 10**9, (3.0, 0.5 * n, 1.0)) for n in sorted(gone)
    ]
    left = [Left("mug", n * 10**9) for n in kept]
    after, wanted = without(learnt(every, offsets), lost, left), learnt(kept, offsets)
    assert after is not None
    (ours,), (theirs,) = after.stays, wanted.stays
    assert np.allclose(ours.where.mean, theirs.where.mean, atol=1e-6)
    assert np.allclose(ours.where.covariance, theirs.where.covariance, rtol=1e-4)
    assert (ours.start_ns, ours.last_ns, ours.sightings) == (
        theirs.start_ns, theirs.last_ns, theirs.sightings,
    )  # fmt: skip
    assert np.allclose(after.size, wanted.size)
    assert np.allclose(after.appearance, wanted.appearance, atol=1e-6)
    assert after.labels == pytest.approx(wanted.labels)
    assert after.states["open"][0].readings == len(kept)


def test_a_thing_that_rests_on_nothing_else_is_no_more():
    thing = learnt([0, 1], [0.0, 0.0])
    lost = [Lost(seen(n, (0.0, 0.0, 0.5)), n * 10**9, (3.0, 0.5 * n, 1.0)) for n in (0, 1)]
    assert without(thing, lost, ()) is None


def test_sightings_let_go_of_before_still_count():
    thing = learnt(range(5), [0.0] * 5)
    lost = [Lost(seen(4, (0.0, 0.0, 0.5)), 4 * 10**9, (3.0, 2.0, 1.0))]
    after = without(thing, lost, ())
    assert after.sightings == 4
    assert after.stays[0].sightings == 4
    assert after.label == "mug"


def test_a_label_only_lost_sightings_gave_goes_and_the_others_stay():
    thing = learnt(range(3), [0.0] * 3)
    thing.add_labels({"chalice": 1.0})
    thing.sightings += 1
    lost = [Lost(seen(9, (0.0, 0.0, 0.5), "chalice"), 10**9, (3.0, 0.5, 1.0))]
    assert set(without(thing, lost, ()).labels) == {"mug"}
