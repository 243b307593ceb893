"""Facts between things: what is on, in, under, beside and part of what, from where they are.

Positions and sizes are uncertain, so every relation is a probability: each term is the chance
that its condition holds given the spread of the two positions, times what the labels make one
expect (a cup is on a table, a table not on a cup). A fact depends on nothing further away than
two neighbourhoods of its subject.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from memory_core.semantic.expected import (
    back_of,
    expects_hanging,
    expects_in,
    expects_on,
    expects_part,
    expects_under,
)
from memory_core.semantic.neighbours import (
    APART_M,
    LEAST_SPREAD_M,
    MAX_VIEWS,
    Pairs,
    Thing,
    View,
    label_words,
    measure,
    normal,
)
from memory_core.types import BoolArray, Fact, FloatArray, IntArray, Vector3

NEXT_M = 0.5
MAX_EVIDENCE = 5
MAX_COMPANIONS = 6
MAX_BESIDE = 6
OPENS = 0.5
CLOSES = 0.35
"""A fact begins when it is at least `OPENS` sure and ends below `CLOSES`, so noise ends nothing."""

IN_PLACE = 0.9
_CONTACT_M = 0.05
_LEAST_AREA_M2 = 0.02
_HEIGHTS_M = 2.0
_AROUND_M2 = 4.0
_HANGS_M = 1.5
_SAME_GROUND_M = 0.15
_ON_WALL_M = 0.3


def facts_between(
    things: Sequence[Thing], subjects: Sequence[int] | None = None, *, least: float = OPENS
) -> list[Fact]:
    """All facts whose subject is among some things, as they hold now.

    `next to` and `seen with` hold both ways and are told once for each way. `left of` and
    `right of` are as seen from the standpoints that saw both.

    Args:
        things: All things that can be objects.
        subjects: Indices of things whose facts are wanted; None for all.
        least: Lowest confidence that is told.

    Returns:
        Facts with `start_ns` the newest stamp they rest on, sorted by subject, relation, object.
    """
    if not things or (subjects is not None and not len(subjects)):
        return []
    order = sorted(range(len(things)), key=lambda index: things[index].id)
    ordered = [things[index] for index in order]
    told = {things[index].id for index in (order if subjects is None else subjects)}
    chosen = np.array([n for n, thing in enumerate(ordered) if thing.id in told])
    facts = [_in_place(ordered[index]) for index in chosen if ordered[index].place is not None]
    pairs = measure(ordered, chosen)
    if len(pairs.first):
        facts += [fact for fact in _Relations(ordered, pairs).facts() if fact.subject in told]
    kept = [fact for fact in facts if fact.confidence >= least]
    return sorted(kept, key=lambda fact: (fact.subject, fact.relation, fact.object))


class _Relations:
    """The relations of some pairs; every method gives a chance for each pair, shape (m,)."""

    def __init__(self, things: Sequence[Thing], pairs: Pairs) -> None:
        self._things = things
        self._pairs = pairs
        words = [label_words(thing.label) for thing in things]
        self._words = words

    def facts(self) -> list[Fact]:
        """The facts of all pairs."""
        pairs = self._pairs
        part = self._only_best(self._part_of())
        inside = np.where(part > CLOSES, 0, self._inside())
        on = np.where(part > CLOSES, 0, self._on())
        inside, on = np.where(inside > on, inside, 0), np.where(inside > on, 0, on)
        held = self._only_best(np.maximum(inside, on))
        inside, on = np.minimum(inside, held), np.minimum(on, held)
        under = np.where(self._either_way(np.maximum(part, held)) > CLOSES, 0, self._under())
        attached = self._either_way(np.maximum.reduce([part, held, under])) > CLOSES
        beside = np.where(attached, 0, self._next_to())
        company = pairs.together - pairs.distance / APART_M  # of equals the nearer
        facts: list[Fact] = []
        for relation, chance in (
            ("part of", part),
            ("in", inside),
            ("on", on),
            ("under", under),
            ("next to", self._strongest(beside, -pairs.gap, MAX_BESIDE)),
            ("seen with", self._strongest(pairs.together, company, MAX_COMPANIONS)),
            ("nearest", self._nearest(attached)),
        ):
            for index in np.flatnonzero(chance >= CLOSES).tolist():
                facts.append(self._fact(relation, index, float(chance[index])))
        return facts + self._sides()

    def _on(self) -> FloatArray:
        """Over the other's footprint, foot on its top, or on its seat where it has a back.

        Bayes on the measured offset: a thing that rests there lies anywhere over the footprint
        and within 5 cm of the surface; one that does not lies anywhere around and at any height.
        """
        pairs = self._pairs
        rise = pairs.foot[pairs.first] - pairs.top[pairs.second]
        height = (pairs.top - pairs.foot)[pairs.second]
        depth = height * self._prior(lambda _, lower: back_of(lower))
        spread = np.hypot(pairs.rising, _CONTACT_M)
        at_top = np.exp(-0.5 * (rise / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
        between = normal((rise + depth) / spread) - normal(rise / spread)
        resting = np.where(depth > 0, between / np.maximum(depth, _CONTACT_M), at_top)
        return self._given(expects_on, resting)

    def _inside(self) -> FloatArray:
        """Over the footprint of a container, middle between its foot and its top."""
        pairs = self._pairs
        middle = np.array([thing.position[2] for thing in self._things])[pairs.first]
        low, high = pairs.foot[pairs.second], pairs.top[pairs.second]
        between = normal((high - middle) / pairs.rising) - normal((low - middle) / pairs.rising)
        return self._given(expects_in, between / np.maximum(high - low, _CONTACT_M))

    def _given(
        self, expected: Callable[[Sequence[str], Sequence[str]], float], height: FloatArray
    ) -> FloatArray:
        """Chance of a relation over the second's footprint, by Bayes.

        Args:
            expected: What the labels make one expect.
            height: Density of the measured height under the relation, per metre, shape (m,).
        """
        pairs = self._pairs
        over = pairs.inside / np.maximum(pairs.area[pairs.second], _LEAST_AREA_M2)
        prior = self._prior(expected)
        likelier = prior * over * _AROUND_M2 * height * _HEIGHTS_M
        return np.asarray(likelier / (likelier + 1 - prior) * pairs.smaller)

    def _under(self) -> FloatArray:
        """Below what has room below it, or below what hangs over it."""
        pairs = self._pairs
        lower = normal((pairs.top[pairs.second] - pairs.top[pairs.first]) / pairs.rising)
        level = (pairs.foot[pairs.first] - pairs.foot[pairs.second]) / np.hypot(
            pairs.rising, _SAME_GROUND_M
        )
        grounded = np.exp(-0.5 * level**2)
        sheltered = pairs.inside * lower * grounded * self._prior(expects_under) * pairs.smaller
        clearance = pairs.foot[pairs.second] - pairs.top[pairs.first]
        above = normal(clearance / pairs.rising) * normal((_HANGS_M - clearance) / pairs.rising)
        beneath = normal((_ON_WALL_M - pairs.gap) / pairs.spread)
        overhung = above * beneath * self._prior(lambda _, upper: expects_hanging(upper))
        return np.asarray(np.maximum(sheltered, overhung) * self._in_view())

    def _next_to(self) -> FloatArray:
        """Within arm's reach at overlapping heights, and seen together where views are known."""
        pairs = self._pairs
        close = normal((NEXT_M - pairs.gap) / pairs.spread)
        overlap = np.minimum(pairs.top[pairs.first], pairs.top[pairs.second]) - np.maximum(
            pairs.foot[pairs.first], pairs.foot[pairs.second]
        )
        return np.asarray(close * normal((overlap + _CONTACT_M) / pairs.rising) * self._in_view())

    def _part_of(self) -> FloatArray:
        """Touching a thing whose label has such parts."""
        pairs = self._pairs
        apart = np.maximum(
            0,
            np.maximum(
                pairs.foot[pairs.first] - pairs.top[pairs.second],
                pairs.foot[pairs.second] - pairs.top[pairs.first],
            ),
        )
        reach = np.hypot(np.maximum(pairs.gap, 0), apart)
        touching = normal((_ON_WALL_M - reach) / pairs.spread)
        return np.asarray(touching * self._prior(expects_part))

    def _nearest(self, attached: BoolArray) -> FloatArray:
        """Nearer than every other thing that is not one with it; nothing for a lone pair."""
        pairs = self._pairs
        distance = np.where(attached, np.inf, pairs.distance)
        chance = np.zeros(len(distance))
        for rows in _by_first(pairs.first):
            order = rows[np.argsort(distance[rows], kind="stable")]
            if not np.isfinite(distance[order[0]]):
                continue
            second = distance[order[1]] if len(order) > 1 else np.inf
            lead = second - distance[order[0]]
            chance[order[0]] = float(normal(np.array(lead / pairs.spread[order[0]])))
        return chance

    def _sides(self) -> list[Fact]:
        """Left and right of what stands near it, by the standpoints that saw both."""
        facts = []
        pairs = self._pairs
        for index in np.flatnonzero((pairs.gap < 2 * NEXT_M) & (pairs.together > 0)).tolist():
            one = self._things[int(pairs.first[index])]
            other = self._things[int(pairs.second[index])]
            views = _shared(one, other)
            turns = np.array([_turn(v.standpoint, other.position, one.position) for v in views])
            far = [math.dist(view.standpoint[:2], one.position[:2]) for view in views]
            least = np.arctan2(pairs.spread[index], np.maximum(far, LEAST_SPREAD_M))
            for relation, agree in (("left of", turns > least), ("right of", turns < -least)):
                chance = (int(agree.sum()) + 1) / (len(views) + 2)  # one view proves little
                if agree.any():
                    seen = [view for view, holds in zip(views, agree, strict=True) if holds]
                    facts.append(self._fact(relation, index, chance, seen))
        return facts

    def _prior(self, expected: Callable[[Sequence[str], Sequence[str]], float]) -> FloatArray:
        """What the labels of each pair make one expect, 0 to 1."""
        result = np.empty(len(self._pairs.first))
        known: dict[tuple[str, str], float] = {}
        for index, (first, second) in enumerate(
            zip(self._pairs.first.tolist(), self._pairs.second.tolist(), strict=True)
        ):
            key = (self._things[first].label, self._things[second].label)
            if key not in known:
                known[key] = expected(self._words[first], self._words[second])
            result[index] = known[key]
        return result

    def _in_view(self) -> FloatArray:
        """1 where both were seen together, or one's views are unknown: walls part the rest."""
        pairs = self._pairs
        unknown = np.array([not thing.views for thing in self._things])
        return np.asarray(
            (pairs.together > 0) | unknown[pairs.first] | unknown[pairs.second], np.float64
        )

    def _either_way(self, chance: FloatArray) -> FloatArray:
        """For each pair the larger of its chance and the chance of the pair turned round."""
        pairs, size = self._pairs, len(self._things)
        table = {
            int(key): value
            for key, value in zip(pairs.first * size + pairs.second, chance, strict=True)
        }
        turned = [table.get(int(key), 0.0) for key in pairs.second * size + pairs.first]
        return np.maximum(chance, turned)

    def _only_best(self, chance: FloatArray) -> FloatArray:
        """A thing has one such relation at a time: the likeliest stays."""
        return self._strongest(chance, chance, 1)

    def _strongest(self, chance: FloatArray, order: FloatArray, most: int) -> FloatArray:
        """Of each subject's pairs, the `most` of highest order stay."""
        kept = np.zeros_like(chance)
        possible = np.flatnonzero(chance >= CLOSES)
        for rows in _by_first(self._pairs.first[possible]):
            rows = possible[rows]
            best = rows[np.argsort(-order[rows], kind="stable")[:most]]
            kept[best] = chance[best]
        return kept

    def _fact(self, relation: str, index: int, chance: float, views: Sequence[View] = ()) -> Fact:
        one = self._things[int(self._pairs.first[index])]
        other = self._things[int(self._pairs.second[index])]
        rests_on = views or _shared(one, other) or (*one.views[-1:], *other.views[-1:])
        return _fact(one.id, relation, other.id, chance, rests_on)


def _fact(subject: str, relation: str, object_: str, chance: float, views: Sequence[View]) -> Fact:
    newest = sorted(views, key=lambda view: view.stamp_ns)[-MAX_EVIDENCE:]
    stamp = newest[-1].stamp_ns if newest else 0
    evidence = tuple(view.observation for view in newest)
    return Fact(subject, relation, object_, stamp, None, round(min(1.0, chance), 4), evidence)


def _in_place(thing: Thing) -> Fact:
    assert thing.place is not None
    return _fact(thing.id, "in", thing.place, IN_PLACE, thing.views)


def _shared(one: Thing, other: Thing) -> list[View]:
    """Views of the one that also show the other, oldest first."""
    theirs = {view.observation for view in other.views[-MAX_VIEWS:]}
    return [view for view in one.views[-MAX_VIEWS:] if view.observation in theirs]


def _turn(standpoint: Vector3, start: Vector3, end: Vector3) -> float:
    """By how much one turns left from looking at `start` to look at `end`, -pi to pi."""
    x, y, _ = standpoint
    turn = math.atan2(end[1] - y, end[0] - x) - math.atan2(start[1] - y, start[0] - x)
    return (turn + math.pi) % (2 * math.pi) - math.pi


def _by_first(first: IntArray) -> list[IntArray]:
    """Indices of the pairs of each subject, one array a subject."""
    if not len(first):
        return []
    return np.split(np.arange(len(first)), np.flatnonzero(np.diff(first)) + 1)
