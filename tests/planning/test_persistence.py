"""How likely a thing still is where it was seen."""

import math

import pytest

from memory_core.planning.persistence import DAY_NS, MISSED, Persistence
from memory_core.types import Entity, Stay

COVARIANCE = (0.01, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 0.01)


def thing(label: str, *, moves: int, days: float) -> Entity:
    """A thing watched for some days that moved every so often."""
    edges = [round(DAY_NS + days * DAY_NS * n / (moves + 1)) for n in range(moves + 2)]
    stays = tuple(
        Stay((float(n), 0.0, 0.0), COVARIANCE, edges[n], edges[n + 1], edges[n + 1])
        for n in range(moves)
    )
    last = Stay((float(moves), 0.0, 0.0), COVARIANCE, edges[-2], edges[-1])
    return Entity(f"entity:{label}", label, "map", (*stays, last))


def chance(known: Persistence, label: str, entity: Entity | None, **given) -> float:
    return known.still_there(
        label, entity, last_ns=DAY_NS, now_ns=given.pop("now", 2 * DAY_NS), **given
    )


def test_what_often_moved_is_less_likely_still_there():
    restless, calm = thing("mug", moves=9, days=10), thing("vase", moves=0, days=10)
    known = Persistence([restless, calm])
    assert chance(known, "mug", restless) < chance(known, "vase", calm) - 0.2


def test_the_longer_ago_the_less_likely_and_furniture_stays():
    known = Persistence([])
    chances = [chance(known, "mug", None, now=(1 + n) * DAY_NS) for n in range(5)]
    assert chances == sorted(chances, reverse=True) and chances[0] == 1.0
    assert chance(known, "wardrobe", None) > 0.98 > chance(known, "mug", None)


def test_the_rate_of_a_thing_watched_long_is_its_own():
    restless = thing("mug", moves=60, days=60)
    assert Persistence([restless]).rate("mug", restless) == pytest.approx(1.0, rel=0.1)


def test_looks_in_vain_divide_the_odds():
    known = Persistence([])
    before, after = (chance(known, "mug", None, looks_in_vain=n) for n in (0, 1))
    assert math.isclose(after / (1 - after), MISSED * before / (1 - before), rel_tol=1e-9)
