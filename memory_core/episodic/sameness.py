"""Whether two observations show the same: from one standpoint, the same things, the same words.

Noise is explained, nothing else: a thing moved, opened, added or gone, another number in the
words, make another view.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.geometry import bearing_direction, quaternion_to_matrix
from memory_core.types import FloatArray, Observation, Pose, Sighting

_SHORT_TEXT = 10


@dataclass(frozen=True, slots=True)
class SamenessRule:
    """When two observations show the same.

    Attributes:
        distance_m: Standpoints of one view are at most this far apart, metres.
        angle_rad: And turned by at most this, radians.
        noise_m: A thing measured twice is within this, metres, ...
        noise_rad: ... and this much more for every metre it is away,
        deviations: or within this many standard deviations, where both have a covariance,
        farthest_m: but never if farther apart than this, metres.
        bearing_rad: Of a thing without a distance, the angle between lines of sight, radians.
        state: Largest difference of a measured state.
        meaning: Least cosine of two short texts; longer ones have to be more alike.
        appearance: Least cosine of two appearances of one thing.
    """

    distance_m: float = 0.3
    angle_rad: float = math.radians(15)
    noise_m: float = 0.1
    noise_rad: float = 0.03
    deviations: float = 4.5
    farthest_m: float = 0.5
    bearing_rad: float = 0.1
    state: float = 0.1
    meaning: float = 0.97
    appearance: float = 0.8


@dataclass(frozen=True, slots=True)
class Item:
    """An observation as working memory looks at it.

    Attributes:
        row: Its number in long-term memory, once kept.
        stamp_ns: When.
        stream: Only observations of one stream repeat each other: map, robot and source.
        pose: In the map; None where unknown or not to be trusted.
        text: Words, None without.
        meaning: Unit vector of the words, shape (d,).
        sightings: Things seen, in the observation's own frame.
        unseen: It holds what only the caller can judge and nothing held covers: a picture that is
            new, a note that counts by when it was said.
    """

    row: int
    stamp_ns: int
    stream: str
    pose: Pose | None = None
    text: str | None = None
    meaning: FloatArray | None = None
    sightings: tuple[Sighting, ...] = ()
    unseen: bool = False

    @classmethod
    def of(
        cls,
        observation: Observation,
        row: int,
        *,
        pose: Pose | None,
        meaning: FloatArray | None = None,
        unseen: bool = False,
    ) -> Item:
        """The item of an observation.

        Args:
            observation: What was perceived.
            row: Its number.
            pose: Its pose in the map, anchor resolved.
            meaning: Unit vector of its text, shape (d,).
            unseen: As in the attributes.
        """
        return cls(
            row,
            observation.stamp_ns,
            "\n".join((observation.map_id, observation.robot, observation.source)),
            pose if observation.localised else None,
            observation.text,
            meaning,
            observation.sightings,
            unseen,
        )

    @property
    def shows_something(self) -> bool:
        """Whether there is more to it than a pose."""
        return self.unseen or self.text is not None or bool(self.sightings)


@dataclass(frozen=True, slots=True)
class _Thing:
    """A sighting in map axes; `tolerance_m` is its noise, a radius."""

    sighting: Sighting
    point: FloatArray | None
    direction: FloatArray | None
    covariance: FloatArray | None
    tolerance_m: float


@dataclass(frozen=True, slots=True)
class Shown:
    """An item and its things by label, made ready to be compared."""

    item: Item
    things: Mapping[str, Sequence[_Thing]]


def shown(item: Item, rule: SamenessRule) -> Shown:
    """An item with its things in map axes; in its own where it does not know its pose."""
    pose = item.pose or Pose()
    rotation = quaternion_to_matrix(np.array(pose.quaternion))
    things: dict[str, list[_Thing]] = {}
    for sighting in item.sightings:
        point = direction = covariance = None
        tolerance_m = rule.noise_m
        if sighting.position is not None:
            point = np.array(pose.apply(*sighting.position))
            tolerance_m += rule.noise_rad * math.hypot(*sighting.position)
            if sighting.covariance is not None:
                covariance = rotation @ np.reshape(sighting.covariance, (3, 3)) @ rotation.T
        elif sighting.bearing is not None:
            direction = rotation @ bearing_direction(*sighting.bearing)
        thing = _Thing(sighting, point, direction, covariance, tolerance_m)
        things.setdefault(sighting.label, []).append(thing)
    return Shown(item, things)


def explains(held: Shown, new: Shown, rule: SamenessRule, *, lately: Sequence[Shown] = ()) -> bool:
    """Whether what is held shows all that the new one shows, and no more things than it.

    Args:
        held: A view.
        new: What is to be explained.
        rule: When two things are the same.
        lately: What was seen a moment ago: a thing in it that the new one lacks was overlooked
            and is not gone.
    """
    return (
        _same_words(held.item, new.item, rule)
        and held.things.keys() >= new.things.keys()
        and all(
            _pair_up(things, new.things.get(label, ()), label, lately, rule)
            for label, things in held.things.items()
        )
    )


def same_standpoint(
    first: Pose | None, second: Pose | None, *, distance_m: float, angle_rad: float
) -> bool:
    """Whether two poses are this near and this much alike in heading, or both unknown."""
    if first is None or second is None:
        return first is second
    if abs(first.x - second.x) > distance_m or abs(first.y - second.y) > distance_m:
        return False
    near = math.dist(first.position, second.position) <= distance_m
    return near and turn(first, second) <= angle_rad


def _same_words(view: Item, item: Item, rule: SamenessRule) -> bool:
    """Whether a view says what an item says; a word more changes a long text less."""
    if item.text is None or item.text == view.text:
        return True
    if view.text is None or view.meaning is None or item.meaning is None:
        return False
    length = max(len(view.text.split()), len(item.text.split()))
    allowed = (1 - rule.meaning) * min(1.0, _SHORT_TEXT / length)
    same_numbers = re.findall(r"\d+", view.text) == re.findall(r"\d+", item.text)
    return same_numbers and float(view.meaning @ item.meaning) >= 1 - allowed


def _pair_up(
    held: Sequence[_Thing],
    seen: Sequence[_Thing],
    label: str,
    lately: Sequence[Shown],
    rule: SamenessRule,
) -> bool:
    """Whether things of one label are the same ones: each has a counterpart of its own."""
    overlooked = len(held) - len(seen)
    if overlooked < 0 or (overlooked and not lately):
        return False
    if len(held) == 1 and seen:
        return _same_thing(held[0], seen[0], rule)
    from scipy.optimize import linear_sum_assignment

    recent = [thing for shown in lately for thing in shown.things.get(label, ())]
    differ = np.array([
        [not _same_thing(one, other, rule) for other in seen]
        + [not (overlooked and any(_same_thing(one, other, rule) for other in recent))]
        * overlooked
        for one in held
    ])  # fmt: skip
    return not differ[linear_sum_assignment(differ)].any()


def _same_thing(one: _Thing, other: _Thing, rule: SamenessRule) -> bool:
    a, b = one.sighting, other.sighting
    return (
        _same_position(one, other, rule)
        and a.state.keys() == b.state.keys()
        and all(abs(a.state[name] - b.state[name]) <= rule.state for name in a.state)
        and _same_appearance(a.embedding, b.embedding, rule)
    )


def _same_appearance(a: FloatArray | None, b: FloatArray | None, rule: SamenessRule) -> bool:
    if a is None or b is None:
        return a is b
    return float(a @ b) >= rule.appearance


def _same_position(one: _Thing, other: _Thing, rule: SamenessRule) -> bool:
    if one.point is None or other.point is None:
        if one.point is not other.point:
            return False
        if one.direction is None or other.direction is None:
            return one.direction is other.direction
        return float(one.direction @ other.direction) >= math.cos(rule.bearing_rad)
    apart = one.point - other.point
    apart_m = float(np.linalg.norm(apart))
    if apart_m <= max(one.tolerance_m, other.tolerance_m):
        return True
    if one.covariance is None or other.covariance is None or apart_m > rule.farthest_m:
        return False
    spread = one.covariance + other.covariance + 1e-12 * np.eye(3)
    return float(apart @ np.linalg.solve(spread, apart)) <= rule.deviations**2


def unlike(one: Item, other: Item) -> float:
    """Difference of labels (Jaccard) and meaning (cosine), the mean of those known; 1 if none."""
    differences = []
    if one.sightings or other.sightings:
        a, b = (Counter(s.label for s in item.sightings) for item in (one, other))
        differences.append(1 - (a & b).total() / (a | b).total())
    if one.meaning is not None and other.meaning is not None:
        differences.append(1 - min(1.0, max(0.0, float(one.meaning @ other.meaning))))
    return sum(differences) / len(differences) if differences else 1.0


def turn(first: Pose, second: Pose) -> float:
    """The angle between two headings, radians."""
    a, b = first, second
    cosine = abs(a.qx * b.qx + a.qy * b.qy + a.qz * b.qz + a.qw * b.qw)
    return 2 * math.acos(min(1.0, cosine))
