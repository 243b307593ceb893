"""Rooms as regions: which things share a room, what kind it is, and when the robot was in it.

Walls hide things from each other. Two things belong together when they are seen from the same
spots and lie near those spots, whatever the distance between them; two that stand back to back on
either side of a wall are close and have no such spot in common. Things are grouped by that
likeness, each then goes to the region it is seen to stand in, and a group is a room where it has
something to stand in. Its kind is what its things suggest together. Where the memory was told a
floor plan, its rooms are the plan's, and a thing is in the one in which it was seen; what lies beyond
a plan that does not reach everywhere yet is grouped as above. Constants were tuned on generated
houses of the simulator, seeds 12 to 29.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from memory_core.language.lexicon import words_of
from memory_core.language.rooms import NAMES, bears, narrow_name, room_named, room_word
from memory_core.semantic.kinds import COMMON_NAME, KindModel, likeliest
from memory_core.semantic.regions import agglomerate
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, Encode, FloatArray, IntArray, Vector3

CELL_M = 1.0
SIGHT_M = 1.5
JOINED = ((2.5, 0.15), (4.0, 0.5))
STEP_M = 1.25
LEAST_THINGS = 2
CORE = 3
ROUNDS = 8
GAP_M = 0.5
OUTSIDE = 0.05
SURE = 0.3
FEW, ALIKE = 3, 0.35
"""A name no kind of room has may mean the room whose closest few things are so like it."""
_MARGIN_M = 0.25
BOUNDARIES = frozenset({"door", "doorway", "gate"})
"""Labels of what stands between rooms: it ties things together that a wall parts."""


@dataclass(frozen=True, slots=True)
class Room:
    """One room.

    Attributes:
        kind: What its things suggest, as answers call it, or a narrower name that they bear; ""
            where they suggest nothing.
        confidence: Belief in the kind, 0 to 1.
        floor: 0 the lowest.
        things: Numbers of its things in the scene.
        centre: Middle of its floor by the plan, or else of its things, metres.
        standpoints: Numbers of the standpoints in it.
        outline: Corners of the convex hull of its things and of the floor before
            them, shape (k, 2), metres.
        belief: Over kinds of rooms, shape (r,).
        number: Of the floor plan's room that it is; 0 where it is none of one.
    """

    kind: str
    confidence: float
    floor: int
    things: IntArray
    centre: Vector3
    standpoints: IntArray
    outline: FloatArray
    belief: FloatArray
    number: int = 0

    def called(self, name: str, labels: Sequence[str]) -> bool:
        """Whether people may call this room by a name.

        Args:
            name: As it was said.
            labels: Of its things, one each.
        """
        words = words_of(name)
        kind = room_named(words)
        if kind is None:
            return False
        wanted = COMMON_NAME.get(NAMES[kind], NAMES[kind])
        narrower = bears(name.lower().split(), labels)
        return _wide(self.kind) == wanted if narrower is None else narrower


NAMED_BY_THINGS = {
    "children's room": frozenset({"bedroom", "office", "game room", ""}),
    "music room": frozenset({"living room", "office", "outdoor area", "storage", ""}),
    "library": frozenset({"living room", "office", "dining room", ""}),
}
"""Narrower names that rooms of some kinds are given where they hold what the names ask for."""
GUEST_BEDS = frozenset({"single bed", "guest bed", "sofa bed", "folding bed"})
LARGER_BEDS = frozenset({"bed", "double bed", "queen bed", "king bed", "four-poster bed"})
_LIVED_IN = frozenset(
    "couch sofa tv desk computer monitor bed stove fridge washer treadmill".split()
)
UNLIKE = {
    "children's room": frozenset(
        {"couch", "sofa", "tv", "stove", "washer", "treadmill", "computer", "monitor", "printer"}
    ),
    "music room": _LIVED_IN, "library": _LIVED_IN,
}  # fmt: skip
"""Heads of labels that keep a room from a narrower name."""


def _wide(kind: str) -> str:
    """The kind that a narrower name belongs to."""
    named = room_named(words_of(kind))
    return kind if named is None else COMMON_NAME.get(NAMES[named], NAMES[named])


def _narrowed(kind: str, labels: Sequence[str]) -> str:
    """What people call a room of a kind that holds certain things."""
    heads = {words[-1] for words in map(words_of, labels) if words}
    for name, kinds in NAMED_BY_THINGS.items():
        if kind in kinds and bears(name.split(), labels) and not heads & UNLIKE[name]:
            return name
    return kind


def _with_guest_rooms(scene: Scene, rooms: list[Room]) -> list[Room]:
    """Bedrooms with single beds alone are guest rooms where another one has a larger bed."""
    beds = [{label.lower() for label in _labels(scene, room.things)} for room in rooms]
    bedrooms = [room.kind == "bedroom" for room in rooms]
    if not any(here and bed & LARGER_BEDS for here, bed in zip(bedrooms, beds, strict=True)):
        return rooms
    return [
        replace(room, kind="guest room")
        if here and bed & GUEST_BEDS and not bed & LARGER_BEDS
        else room
        for room, here, bed in zip(rooms, bedrooms, beds, strict=True)
    ]


_latest: list[tuple[Scene, tuple[Room, ...]]] = []
_models: list[tuple[Encode | None, KindModel]] = []


def _model(encode: Encode | None) -> KindModel:
    """What labels say about rooms, kept from scene to scene for the encoder asked with last."""
    for known, model in tuple(_models):  # another thread may put another encoder's there
        if known == encode:
            return model
    model = KindModel(encode)
    _models[:] = [(encode, model)]
    return model


def rooms_of(scene: Scene, encode: Encode | None = None) -> tuple[Room, ...]:
    """The rooms of a scene, by floor and then by how many things they hold.

    Args:
        scene: The scene.
        encode: Sentences to unit vectors; None compares labels by spelling alone.
    """
    for kept, rooms in tuple(_latest):  # another thread may put another scene's there
        if kept is scene:
            return rooms
    found = _find(scene, encode)
    _latest[:] = [(scene, found)]
    return found


def _find(scene: Scene, encode: Encode | None) -> tuple[Room, ...]:
    inner = np.array([not BOUNDARIES & set(words) for words in scene.label_words])
    things = np.flatnonzero(inner[scene.thing_label])
    if len(things) == 0:
        return ()
    stood = scene.stood
    planned = planned_rooms(scene, things)
    groups, beyond = planned - 1, planned == 0
    if beyond.any():  # where the plan does not reach yet, or there is none
        rest = things[beyond]
        settled = _settle(scene, rest, _together(scene, rest, stood), stood)
        groups[beyond] = np.where(settled >= 0, settled + planned.max(), -1)
    model = _model(encode)
    rooms = []
    for number in np.unique(groups).tolist():
        members = things[groups == number]
        if number < 0 or len(np.unique(scene.thing_label[members])) < LEAST_THINGS:
            continue
        rooms.append(_room(scene, members, stood, model, int(planned[groups == number][0])))
    rooms.sort(key=lambda room: (room.floor, -len(room.things)))
    return tuple(_with_guest_rooms(scene, rooms))


def planned_rooms(scene: Scene, things: IntArray) -> IntArray:
    """The floor plan's rooms in which things were seen, shape of `things`; 0 for none.

    By most of the views, near ones first.

    Args:
        scene: The scene.
        things: Numbers of things.
    """
    plan = scene.floor_plan
    if plan is None:
        return np.zeros(len(things), np.int64)
    saw, view = np.nonzero(scene.sees[things] > 0)
    at, stood = scene.thing_position[things], scene.stood[view]
    found = plan.seen_from(at[saw], stood)
    apart = np.linalg.norm(at[saw] - stood, axis=1)
    votes: dict[int, dict[int, float]] = {}
    for thing, number, way_m in zip(saw.tolist(), found.tolist(), apart.tolist(), strict=True):
        if number:
            counted = votes.setdefault(thing, {})
            counted[number] = counted.get(number, 0.0) + 1 / (1 + way_m)
    groups = plan.at(at)
    for thing, counted in votes.items():
        groups[thing] = max(sorted(counted), key=lambda number: counted[number])
    return groups


def _together(scene: Scene, things: IntArray, stood: FloatArray) -> IntArray:
    """Number the groups of things seen from the same spots, shape (n,); -1 for lone ones.

    First near things that share some of the views of them join, then further ones that share
    most (agglomeration by the cosine of summed views).
    """
    from scipy.spatial import cKDTree

    _, spots = np.unique(np.round(stood / CELL_M).astype(np.int64), axis=0, return_inverse=True)
    at = scene.thing_position[things]
    group = dict.fromkeys(range(len(things)), 0)
    seen_from: dict[int, dict[int, float]] = {}
    for row, thing in enumerate(things.tolist()):
        group[row] = row
        weights = seen_from.setdefault(row, {})
        views = np.flatnonzero(scene.sees[thing] > 0)
        apart = np.linalg.norm(stood[views, :2] - at[row, :2], axis=1)
        for spot, near in zip(
            spots.ravel()[views].tolist(), np.exp(-((apart / SIGHT_M) ** 2)).tolist(), strict=True
        ):
            weights[spot] = weights.get(spot, 0.0) + near
    tree = cKDTree(at)
    for reach_m, alike in JOINED:
        content: dict[int, dict[int, float]] = {}
        for row, weights in seen_from.items():
            held = content.setdefault(group[row], {})
            for spot, near in weights.items():
                held[spot] = held.get(spot, 0.0) + near
        links = [(group[one], group[other]) for one, other in sorted(tree.query_pairs(reach_m))]
        larger = agglomerate(sorted(content), links, content, alike=alike)
        group = {row: larger[number] for row, number in group.items()}
    numbers = np.array([group[row] for row in range(len(things))])
    sizes = np.bincount(numbers)
    return np.asarray(np.where(sizes[numbers] >= CORE, numbers, -1))


def _before(scene: Scene, things: IntArray, stood: FloatArray) -> FloatArray:
    """The floor before each thing, a step towards those who saw it, metres, shape (n, 2).

    A line of sight crosses no wall, so that floor is the thing's room's, even where the thing
    itself stands against the wall of the next room.
    """
    at = scene.thing_position[things][:, :2]
    sees = scene.sees[things].astype(np.float64)
    offset = stood[None, :, :2] - at[:, None]
    apart = np.linalg.norm(offset, axis=2)
    towards = np.einsum("es,esk->ek", sees / np.maximum(apart, 1e-9), offset)
    towards /= np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-9)
    nearest = np.where(sees > 0, apart, np.inf).min(axis=1)
    return np.asarray(at + towards * np.minimum(STEP_M, nearest)[:, None])


def _settle(scene: Scene, things: IntArray, groups: IntArray, stood: FloatArray) -> IntArray:
    """Groups that agree with where the robot stood: -1 for what is in none, shape (n,).

    A thing belongs to the region from inside which it was mostly seen and that the floor before
    it lies in, or close to;
    regions that lie in each other are one. Repeated until nothing changes.
    """
    at = scene.thing_position[things][:, :2]
    sees = scene.sees[things].astype(np.float64)
    floors = scene.thing_floor[things]
    before = _before(scene, things, stood)
    for _ in range(ROUNDS):
        numbers = [n for n in np.unique(groups).tolist() if n >= 0 and (groups == n).sum() >= CORE]
        if not numbers:
            break
        outlines = [_outline(at, before, groups == n) for n in numbers]
        inside = np.array([_within(outline, stood[:, :2]) for outline in outlines])
        gap = np.array([_gap(outline, at) for outline in outlines])
        gap_before = np.array([_gap(outline, before) for outline in outlines])
        level = np.array([np.bincount(floors[groups == n]).argmax() for n in numbers])
        score = (sees @ inside.T + OUTSIDE * sees.sum(axis=1)[:, None]) * np.exp(
            -((gap_before.T / GAP_M) ** 2)
        )
        score *= floors[:, None] == level[None]
        best = score.argmax(axis=1)
        settled = np.where(score.max(axis=1) > 0, np.array(numbers)[best], -1)
        settled = _merged(settled, numbers, inside, gap)
        if (settled == groups).all():
            break
        groups = settled
    return groups


def _outline(at: FloatArray, before: FloatArray, members: BoolArray) -> FloatArray:
    """Corners of the hull of a region's things and of the floor before them, shape (k, 2)."""
    return _hull(np.concatenate([at[members], before[members]]))


def _merged(groups: IntArray, numbers: list[int], inside: BoolArray, gap: FloatArray) -> IntArray:
    """Regions of which one mostly lies in the other, by their things and standpoints, as one."""
    groups = groups.copy()
    for one, first in enumerate(numbers):
        for other, second in enumerate(numbers):
            theirs = groups == second
            if first == second or not theirs.any() or theirs.sum() > (groups == first).sum():
                continue
            shared = (inside[one] & inside[other]).sum() / max(1, inside[other].sum())
            if np.median(gap[one][theirs]) <= GAP_M / 2 or shared > 0.8:
                groups[theirs] = first
    return groups


def _within(outline: FloatArray, points: FloatArray) -> BoolArray:
    return np.asarray(_gap(outline, points) <= _MARGIN_M)


def _gap(outline: FloatArray, points: FloatArray) -> FloatArray:
    """How far points (n, 2) lie outside a convex outline, metres, 0 inside, shape (n,)."""
    ends = np.roll(outline, -1, axis=0)
    edges = ends - outline
    lengths = np.maximum((edges**2).sum(axis=1), 1e-12)
    offset = points[:, None] - outline[None]
    along = np.clip((offset * edges[None]).sum(axis=2) / lengths[None], 0, 1)
    apart = np.linalg.norm(offset - along[..., None] * edges[None], axis=2).min(axis=1)
    if len(outline) < 3:
        return np.asarray(apart)
    turned = edges[None, :, 0] * offset[..., 1] - edges[None, :, 1] * offset[..., 0]
    return np.where((turned >= 0).all(axis=1), 0.0, apart)


def _room(
    scene: Scene, things: IntArray, stood: FloatArray, model: KindModel, planned: int
) -> Room:
    labels = _labels(scene, things)
    names = sorted(set(labels))
    seen = scene.sees[things].sum(axis=1)
    weights = np.array(
        [[max(s / (s + 1.0) for s, x in zip(seen, labels, strict=True) if x == n) for n in names]]
    )
    passage = scene.floor_plan is not None and scene.floor_plan.is_passage(planned)
    belief = model.belief(weights, names, passage=passage)[0]
    kind, confidence = likeliest(belief)
    at = scene.thing_position[things][:, :2]
    outline = _outline(at, _before(scene, things, stood), np.ones(len(things), bool))
    floors = scene.thing_floor[things]
    low, high = scene.thing_position[things].min(axis=0), scene.thing_position[things].max(axis=0)
    x, y, z = ((low + high) / 2).tolist()
    floor = int(np.bincount(floors).argmax())
    if planned and scene.floor_plan is not None:
        x, y, z = scene.floor_plan.middle(planned)
        inside = scene.floor_plan.at(stood) == planned
    else:
        level = np.abs(scene.floor_heights[:, None] - stood[None, :, 2]).argmin(axis=0)
        inside = _within(outline, stood[:, :2]) & (level == floor)
    return Room(
        _narrowed(kind, labels) if confidence >= SURE else "", confidence, floor, things, (x, y, z),
        np.flatnonzero(inside), outline, belief, planned,
    )  # fmt: skip


def _hull(points: FloatArray) -> FloatArray:
    """Corners of the convex hull counter-clockwise (Andrew's monotone chain 1979), (k, 2)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)

    def chain(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in line:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2], kept[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def rooms_of_things(scene: Scene, rooms: Sequence[Room]) -> IntArray:
    """The number of the room each thing is in, -1 for none, shape (e,)."""
    found = rooms_at(scene, rooms, _standing_on(scene))
    for number, room in enumerate(rooms):
        found[room.things] = number
    return found


def _standing_on(scene: Scene) -> FloatArray:
    """Positions of things with the height of their floor, metres, (e, 3)."""
    points = scene.thing_position.copy()
    points[:, 2] = scene.floor_heights[scene.thing_floor]
    return np.asarray(points)


def room_of(scene: Scene, rooms: Sequence[Room], thing: int) -> Room | None:
    """The room that a thing is in; None where it is in none."""
    number = int(rooms_of_things(scene, rooms)[thing])
    return rooms[number] if number >= 0 else None


def rooms_called(scene: Scene, rooms: Sequence[Room], name: str) -> list[int]:
    """The numbers of the rooms that people may call by a name."""
    labels = [_labels(scene, room.things) for room in rooms]
    return [n for n, room in enumerate(rooms) if room.called(name, labels[n])]


def _labels(scene: Scene, things: IntArray) -> list[str]:
    """The labels of things, one each."""
    return [scene.labels[int(number)] for number in scene.thing_label[things]]


def room_meant(scene: Scene, rooms: Sequence[Room], name: str, encode: Encode | None) -> list[int]:
    """The numbers of the rooms that a name may mean, the likeliest first.

    Those that people may call so come first: those that answers call so, and then the more of what
    its name asks for is in a room, and the surer its kind, the earlier. Where there is none, it is
    the room whose things are closest to the name in meaning, if any are.

    Args:
        scene: The scene.
        rooms: Its rooms.
        name: As it was said.
        encode: Sentences to unit vectors; None compares by spelling alone.
    """
    called = rooms_called(scene, rooms, name)
    if called:
        wanted = narrow_name(name.lower().split()) or ()
        plain = words_of(name)

        def place(n: int) -> tuple[bool, int, int, float]:
            other = words_of(rooms[n].kind) != plain
            return other, *_lacking(scene, rooms[n], wanted), -rooms[n].confidence

        return sorted(called, key=place)
    if encode is None or not rooms or not room_word(words_of(name)):
        return []
    labels = sorted({scene.labels[int(n)] for n in scene.thing_label})
    near = dict(zip(labels, (encode(labels) @ encode([name])[0]).tolist(), strict=True))
    fits = [_closest(near, _labels(scene, room.things)) for room in rooms]
    order = sorted(range(len(rooms)), key=lambda n: -fits[n])
    return [n for n in order if fits[n] >= ALIKE][:1]


def _lacking(scene: Scene, room: Room, wanted: Sequence[str]) -> tuple[int, int]:
    """How little a room holds of what a name asks for: the first it has, and how few."""
    names = [" ".join(words_of(label)) for label in wanted]
    held = [" ".join(words_of(label)) for label in _labels(scene, room.things)]
    first = next((place for place, name in enumerate(names) if name in held), len(names))
    return first, -sum(label in names for label in held)


def _closest(near: Mapping[str, float], labels: Sequence[str]) -> float:
    """How close the closest few of a room's labels are."""
    best = sorted((near[label] for label in set(labels)), reverse=True)[:FEW]
    return sum(best) / len(best)


def rooms_at(scene: Scene, rooms: Sequence[Room], points: FloatArray) -> IntArray:
    """The number of the room each point (n, 3) is in, -1 for none, shape (n,)."""
    if not rooms or not len(points):
        return np.full(len(points), -1)
    found = np.full(len(points), -1)
    if scene.floor_plan is not None:
        index = {room.number: at for at, room in enumerate(rooms) if room.number}
        numbers = scene.floor_plan.at(points)
        found[:] = [index.get(number, -1) for number in numbers.tolist()]
        beyond = numbers == 0
    else:
        beyond = np.ones(len(points), bool)
    unplanned = [at for at, room in enumerate(rooms) if not room.number]
    if unplanned and beyond.any():
        outside = points[beyond]
        gap = np.array([_gap(rooms[at].outline, outside[:, :2]) for at in unplanned])
        floors = np.abs(scene.floor_heights[:, None] - outside[None, :, 2]).argmin(axis=0)
        gap[np.array([rooms[at].floor for at in unplanned])[:, None] != floors[None]] = np.inf
        best = np.array(unplanned)[gap.argmin(axis=0)]
        found[beyond] = np.where(gap.min(axis=0) <= GAP_M, best, -1)
    return found
