"""How well the priors of a search know where things are, in simulated homes; fits them anew.

    python -m benchmarks.searching
    python -m benchmarks.searching --homes 100-111 --cache DIR --json

A robot lives a first day in each home (about a minute on one core), as `eval house` has it. For
each thing that people move in the days after, and each thing that lay hidden and that the robot was
not sent for, the memory is asked how likely each piece of furniture, drawer and door is. Told is
the log-likelihood of the right one among those that are open, or among those that are shut, under
the weights in use, as if all were equally likely, and under weights fitted to these homes
(conditional logit). Where a thing was and is known to be no longer is none of the places.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize

from benchmarks.common import machine, print_json, print_table, say, seeds_of, today
from memory_core import RobotMemory
from memory_core.answering.grounding import of_kind
from memory_core.interfaces.opening import encoder_of
from memory_core.perception.text import TextEncoder
from memory_core.planning.absence import SEARCHED_M
from memory_core.planning.regions import (
    LYING_ABOUT,
    PUT_AWAY,
    evidence,
    openable,
    room_kinds,
    searchable,
)
from memory_core.types import BoolArray, FloatArray, Json, Vector3
from memory_sim.house_errands import enclosed
from memory_sim.house_evaluation import first_day_folder
from memory_sim.two_days import Setting, first_day
from memory_sim.worlds.home.people import moves
from memory_sim.worlds.home.placing import Spot, spot_pose
from memory_sim.worlds.home.plan import HomePlan, plan_home

EVIDENCE = ("room", "furniture", "name", "alike", "area", "before")
ASIDE_M, ABOVE_M = 0.5, 1.5
"""A thing is on the furniture that it is so near to, seen from above, and at such a height."""
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One thing, and where it may be.

    Attributes:
        shut: Whether it was put away.
        speaks: What speaks for each place of that sort, shape (n, 6).
        right: Number of the right one.
    """

    shut: bool
    speaks: FloatArray
    right: int


def whereabouts(
    home: int, days: int, cache: Path, encoder: TextEncoder
) -> Iterator[Whereabouts | None]:
    """Where things of one home go; None for one whose furniture the memory does not know.

    Args:
        home: Its seed.
        days: For how many days people move things.
        cache: Where first days are kept.
        encoder: Of the memory's texts.
    """
    plan = plan_home(home)
    setting = Setting("exact", encoder=encoder)
    first = first_day(home, setting, first_day_folder(cache, home, setting))
    with RobotMemory.open(first.folder, text_encoder=encoder, read_only=True) as memory:
        asked = [
            (plan.thing_by_id[move.thing].label, move.after)
            for day in range(1, days + 1)
            for move in moves(plan, day)
            if move.after is not None
        ]
        asked += [
            (thing.label, thing.spot)
            for thing in plan.things
            if thing.spot is not None and enclosed(plan, thing.spot) and thing.id not in first.used
        ]
        for label, spot in asked:
            yield _whereabouts(memory, plan, label, spot)


def _whereabouts(memory: RobotMemory, plan: HomePlan, label: str, spot: Spot) -> Whereabouts | None:
    context = memory.understand(f"where is the {label}?")
    scene = context.scene
    assert scene is not None
    names = searchable(scene)
    shut = enclosed(plan, spot)
    found = np.array([n for n, name in names.items() if openable(name) == shut], np.int64)
    if not len(found):
        return None
    at = spot_pose(spot, plan.furniture_by_id[spot.furniture]).position
    away = _away_m(
        at, scene.thing_position[found],
        np.array([scene.entities[e].size if e >= 0 else (0, 0, 0) for e in scene.entity[found]]),
    )  # fmt: skip
    if away.min() > ASIDE_M:
        return None
    right = int(away.argmin())
    was = scene.thing_position[of_kind(scene, label)]
    gap = np.linalg.norm(scene.thing_position[found][:, None] - was[None], axis=2)
    left = (gap <= SEARCHED_M).any(axis=1)  # it is known to be there no longer
    left[right] = False
    kinds = room_kinds(context, scene, found)
    speaks = evidence(context, scene, found, label, kinds)
    return Whereabouts(shut, speaks[~left], right - int(left[:right].sum()))


def _away_m(at: Vector3, middles: FloatArray, sizes: FloatArray) -> FloatArray:
    """How far a place is from boxes seen from above, shape (n,); the nearer middle breaks ties."""
    gap = np.abs(middles[:, :2] - at[:2])
    outside = np.hypot(*np.maximum(gap - sizes[:, :2] / 2, 0).T)
    far = np.abs(middles[:, 2] - at[2]) > ABOVE_M
    return np.asarray(outside + 0.05 * np.hypot(*gap.T) + np.where(far, math.inf, 0.0))


def log_likelihood(asked: Sequence[Whereabouts], weights: FloatArray) -> float:
    """Mean logarithm of the probability of the right place, under weights of shape (6,)."""
    return -_loss(weights, asked, np.ones(len(weights), bool), 0.0)[0]


def fitted(asked: Sequence[Whereabouts], free: BoolArray) -> FloatArray:
    """The weights under which the right places are likeliest, shape (6,); 0 where not free."""
    start = np.zeros(len(free))
    found = optimize.minimize(
        _loss, start, args=(asked, free, RIDGE), jac=True, method="L-BFGS-B"
    )  # fmt: skip
    return np.asarray(found.x * free)


def _loss(
    weights: FloatArray, asked: Sequence[Whereabouts], free: BoolArray, ridge: float
) -> tuple[float, FloatArray]:
    loss, slope = 0.0, np.zeros(len(weights))
    for one in asked:
        score = one.speaks @ (weights * free)
        score = score - score.max()
        chance = np.exp(score) / np.exp(score).sum()
        loss -= math.log(chance[one.right])
        slope += chance @ one.speaks - one.speaks[one.right]
    count = max(1, len(asked))
    return (
        loss / count + ridge * float(weights @ weights),
        slope * free / count + 2 * ridge * weights,
    )


def told(asked: Sequence[Whereabouts], weights: Sequence[float]) -> Json:
    """How likely the right places are now, at random, and under fitted weights."""
    now = np.array(weights)
    best = fitted(asked, now != 0)
    return {
        "things": len(asked),
        "places": round(sum(len(one.speaks) for one in asked) / max(1, len(asked)), 1),
        "now": round(log_likelihood(asked, now), 3),
        "equal": round(log_likelihood(asked, np.zeros(len(now))), 3),
        "fitted": round(log_likelihood(asked, best), 3),
        "weights": dict(zip(EVIDENCE, now.tolist(), strict=True)),
        "fitted_weights": dict(zip(EVIDENCE, best.round(2).tolist(), strict=True)),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--homes", default="100-111", help="seeds, first and last")
    parser.add_argument("--days", type=int, default=8, help="for which people move things")
    parser.add_argument("--cache", type=Path, help="keeps first days, as that of eval house")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    encoder = encoder_of("default")
    asked: list[Whereabouts | None] = []
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        for home in seeds_of(options.homes):
            found = list(whereabouts(home, options.days, cache, encoder))
            say(f"home {home}: {len(found)} things")
            asked += found
    known = [one for one in asked if one is not None]
    result = {
        "open": told([one for one in known if not one.shut], LYING_ABOUT),
        "shut": told([one for one in known if one.shut], PUT_AWAY),
    }
    if options.json:
        print_json(
            {"date": today(), "machine": machine(), "homes": options.homes, "days": options.days,
             "unknown": len(asked) - len(known), **result}
        )  # fmt: skip
        return 0
    header = ["things", "places", "now", "equal", "fitted"]
    print_table(
        "mean log-likelihood of the right place", ["places that are", *header],
        [[name, *(str(part[key]) for key in header)] for name, part in result.items()],
    )  # fmt: skip
    print_table(
        "weights in use, and fitted to these homes", ["places that are", *EVIDENCE],
        [
            [name, *(f"{part['weights'][key]} ({part['fitted_weights'][key]})" for key in EVIDENCE)]
            for name, part in result.items()
        ],
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
