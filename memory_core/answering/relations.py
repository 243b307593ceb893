"""What stands on what and beside what in a scene, as it is now or was at another time."""

from __future__ import annotations

import numpy as np

from memory_core.answering.rooms import planned_rooms
from memory_core.semantic.expected import BOARDS, POSSIBLE, SUPPORTS, expects_on, typical_size
from memory_core.semantic.facts import facts_between
from memory_core.semantic.neighbours import Thing
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, FloatArray, IntArray

SIZED_BY = 8
SPREAD_M = 0.05
UNSURE = 0.35
RAISED_M = 0.2
OVER_M = 0.25
ASIDE_M = 0.6
"""A raised thing stands on something; furniture seen in part has its middle elsewhere."""
BY_ITSELF_M = 0.25
LEVEL_M = 0.3
LEAST = 0.02
SMALL_BEARS, NARROW = 0.6, 0.5
"""A thing is seldom on another that things are not commonly put on, even where it looks so; and on
none that is so much narrower."""
LEVEL_WITH_M = 0.03
"""Small things bear others on their top alone; what ends higher stands beside."""

Pair = tuple[int, int]


def sizes_of(scene: Scene, things: IntArray) -> FloatArray:
    """Extent of each thing along x, y, z, the median over its nearest views, metres, (n, 3)."""
    found = np.zeros((len(things), 3))
    stood = scene.stood
    for row, thing in enumerate(things.tolist()):
        views = np.flatnonzero(scene.sees[thing] > 0)
        apart = np.linalg.norm(stood[views] - scene.thing_position[thing], axis=1)
        near = views[np.argsort(apart, kind="stable")[:SIZED_BY]]
        shown = [scene.view_of(thing, int(view)) for view in near]
        sizes = [s.size for s in shown if s is not None and s.size is not None and s.position]
        if sizes:
            found[row] = np.median(np.array(sizes), axis=0)
    return found


def relations(scene: Scene, things: IntArray, relation: str) -> dict[Pair, float]:
    """How sure a relation holds between things: (subject, object) to chance, 0 to 1.

    Args:
        scene: The scene.
        things: Numbers of the things that were there at the time asked for.
        relation: `on`, `in`, `under`, `next to`.
    """
    sizes = sizes_of(scene, things)
    known = [
        Thing(
            f"entity:{thing}", scene.labels[int(scene.thing_label[thing])],
            tuple(scene.thing_position[thing].tolist()), tuple(size.tolist()), SPREAD_M,
        )
        for thing, size in zip(things.tolist(), sizes, strict=True)
    ]  # fmt: skip
    return {
        (int(fact.subject.split(":")[1]), int(fact.object.split(":")[1])): fact.confidence
        for fact in facts_between(known, least=UNSURE)
        if fact.relation == relation
    }


def stands_on(scene: Scene, things: IntArray) -> dict[int, int]:
    """What each of some things stands on; without an entry where it stands on the floor.

    The surest `on` of the facts, or what a raised thing is over, at the height of and expected to
    rest on, whichever is surer: extents are often seen too badly for a fact (a bed whose headboard
    stands higher than its mattress, a stand with a television on it, the boards of a bookshelf).
    Where the rooms are known, nothing stands on what is on the other side of a wall. Furniture that
    is seen in part reaches further than it seems to: to the ground, and to its side.
    """
    measured = sizes_of(scene, things)
    sizes = np.maximum(measured, 0.02)
    words = [scene.label_words[int(label)] for label in scene.thing_label[things]]
    at = scene.thing_position[things]
    foot, top = at[:, 2] - sizes[:, 2] / 2, at[:, 2] + sizes[:, 2] / 2
    ground = _ground(foot, scene.thing_floor[things])
    raised = foot - ground >= RAISED_M
    across = sizes[:, :2].max(axis=1)
    half = np.maximum([max(typical_size(w)[:2]) for w in words], across) / 2
    inner = sizes[:, :2].min(axis=1) / 2
    """What is so near is over it, whatever the plan says of which side of a wall its middle is on."""
    boards = np.array([bool(w) and w[-1] in BOARDS for w in words])
    reaches = np.where(boards & (half >= BY_ITSELF_M), ground, foot)
    """Down to where: of what stands on the floor, and is seen in its upper part alone."""
    bears_things = np.array([bool(w) and w[-1] in SUPPORTS for w in words])
    small = measured.any(axis=1) & ~bears_things
    room = planned_rooms(scene, things)
    number = {thing: row for row, thing in enumerate(things.tolist())}
    facts: dict[int, list[tuple[int, float]]] = {}
    for (subject, target), chance in relations(scene, things, "on").items():
        facts.setdefault(number[subject], []).append((number[target], chance))
    found = {}
    for row, thing in enumerate(things.tolist()):
        score = np.zeros(len(things))
        away = np.linalg.norm(at[:, :2] - at[row, :2], axis=1)
        other_room = (room > 0) & (room[row] > 0) & (room != room[row]) & (away > inner)
        beside = small & ((across < NARROW * across[row]) | (top > foot[row] + LEVEL_WITH_M))
        if raised[row]:
            gap = np.maximum(0.0, away - half)
            expected = np.array([expects_on(words[row], w) for w in words])
            expected = np.where(expected >= POSSIBLE, expected, 0.0)
            expected *= (half > across[row] / 2) & ~other_room & ~beside
            seen = _level(foot[row], foot, top, boards) * (foot < foot[row])
            unseen = boards & (foot[row] >= reaches) & (foot[row] < foot)
            for level, over_m in (
                (seen, OVER_M),
                (seen, ASIDE_M),
                (unseen, OVER_M),
                (unseen, ASIDE_M),
            ):
                score = expected * level * np.exp(-((gap / over_m) ** 2))
                score[score <= LEAST] = 0.0
                if score.any():
                    break
        for target, chance in facts.get(row, ()):
            score[target] = max(
                score[target], chance * (1.0 if bears_things[target] else SMALL_BEARS)
            )
        score[scene.thing_label[things] == scene.thing_label[thing]] = 0.0
        score[other_room | beside] = 0.0
        if score.max(initial=0.0) > 0.0:
            found[thing] = int(things[int(score.argmax())])
    return found


def raised_m(scene: Scene, things: IntArray) -> FloatArray:
    """How far above the ground each of some things ends, metres, shape (n,).

    Who was seen without an extent is taken to be as high as such things are.
    """
    words = [scene.label_words[int(label)] for label in scene.thing_label[things]]
    heights = sizes_of(scene, things)[:, 2]
    heights = np.where(heights > 0, heights, [typical_size(w)[2] for w in words])
    foot = scene.thing_position[things, 2] - heights / 2
    return np.asarray(foot - _ground(foot, scene.thing_floor[things]))


def _level(foot: float, feet: FloatArray, tops: FloatArray, boards: BoolArray) -> FloatArray:
    """How well the foot of a thing fits the height of a surface of others, 0 to 1, shape (n,).

    At the top of what it may stand on, or lower, as what stands there already is taken for part
    of it; between the foot and the top of what has boards.
    """
    above = np.exp(-0.5 * (np.maximum(0.0, foot - tops) / LEVEL_M) ** 2)
    lower = np.exp(-0.5 * (np.maximum(0.0, tops - foot) / LEVEL_M) ** 2)
    within = boards & (foot >= feet) & (foot <= tops)
    return np.asarray(np.where(within, 1.0, np.where(foot > tops, above, lower)))


def _ground(foot: FloatArray, storey: IntArray) -> FloatArray:
    """Height of the ground under each thing: where the lowest things of its storey end, (n,)."""
    ground = np.zeros(len(foot))
    for number in np.unique(storey):
        ground[storey == number] = np.percentile(foot[storey == number], 10)
    return ground


def resting_on(scene: Scene, things: IntArray, supports: IntArray) -> IntArray:
    """Of some things those on any of some supports."""
    wanted = set(supports.tolist())
    found = stands_on(scene, things)
    return np.array([t for t, on in found.items() if on in wanted and t not in wanted], np.int64)


def nearest_to(scene: Scene, things: IntArray, targets: IntArray) -> IntArray:
    """Things by their distance from the nearest of some targets, targets left out."""
    others = things[~np.isin(things, targets)]
    if not len(targets) or not len(others):
        return np.empty(0, np.int64)
    apart = np.linalg.norm(
        scene.thing_position[others][:, None] - scene.thing_position[targets][None], axis=2
    ).min(axis=1)
    return np.asarray(others[np.argsort(apart, kind="stable")])
