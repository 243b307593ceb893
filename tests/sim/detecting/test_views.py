"""Pictures to learn from: the same from the same seed, and what they show is what is there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("torch")

from memory_sim.detecting.classes import COLOUR_NAMES, FURNITURES, KINDS, PARTS
from memory_sim.detecting.views import Teller, Views, frames_of_home, joined, views_of_home
from memory_sim.worlds.home.scene import owners_in

SEED = 130_001
SMALL = {"width": 96, "height": 72}


@pytest.fixture(scope="module")
def views():
    return views_of_home(SEED, count=6, **SMALL)


def test_the_same_seed_gives_the_same_pictures(views):
    again = views_of_home(SEED, count=6, **SMALL)
    for name in Views.__dataclass_fields__:
        assert np.array_equal(getattr(views, name), getattr(again, name))


def test_what_is_told_of_pixels_is_what_the_renderer_drew():
    seen = 0
    for world, frame in frames_of_home(SEED, count=4, noise=0, **SMALL):
        owners, told = owners_in(world), Teller(world)(frame)
        things = {row[1]: (KINDS[row[2]], COLOUR_NAMES[row[3]]) for row in told.things.tolist()}
        for row in range(0, 72, 5):
            for column in range(0, 96, 5):
                owner = owners[frame.owners[row, column]]
                part = PARTS[told.parts[0, row, column]]
                furniture = FURNITURES[told.furniture[0, row, column]]
                if owner is None:
                    assert (part, furniture) == ("", "")
                elif owner.id in world.plan.furniture_by_id:
                    assert (part, furniture) == ("", owner.label)
                elif owner.id in world.joints:
                    piece = world.plan.furniture_by_id[world.joints[owner.id].furniture]
                    assert furniture == piece.label
                    assert part == ("" if owner.label == "door" else owner.label)
                else:
                    thing = world.plan.thing_by_id[owner.id]
                    assert (part, furniture) == ("thing", "")
                    assert things[told.pieces[0, row, column]] == (thing.kind, thing.colour)
                    seen += 1
    assert seen > 0


def test_pictures_that_are_kept_and_joined_are_the_same_pictures(views, tmp_path):
    views.save(tmp_path / "home.npz")
    both = joined([Views.load(tmp_path / "home.npz"), views])
    assert len(both) == 12
    assert np.array_equal(both.images[:6], both.images[6:])
    first, second = np.array_split(both.things, 2)
    assert np.array_equal(first + [6, 0, 0, 0], second)
