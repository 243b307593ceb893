"""Linking viewings to known things: the same place, moved, or new; and what is gone.

Every track and every known thing near it, or of its kind and missed where it was, is weighed by
a log-likelihood ratio against "the track shows a new thing and the known one was not seen". The
best one-to-one assignment of all open tracks is the explanation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from memory_core.semantic.grid import ColumnGrid
from memory_core.semantic.identity_cost import (
    FLOOR_M3,
    KINDS,
    appearance_gain,
    best_pairs,
    labels_gain,
    misread_gain,
    mobility,
    move_log_density,
    part_variances,
    position_log_density,
    size_gain,
)
from memory_core.semantic.tracks import (
    MAX_LABELS,
    MISS_RATE,
    Evidence,
    Thing,
    Track,
    Vantage,
    absorbed,
    continued,
    reunited,
    thing_from,
)
from memory_core.semantic.views import room
from memory_core.types import FloatArray

__all__ = ["Known", "Outcome", "Vantage", "settle", "spreads"]

CELL_M = 1.0
REACH_M = 1.0
DRIFT_M = 0.02
STAYS, MOVES, GOES = 0.85, 0.1, 0.05
LEAVES_IN_VIEW = 0.02
NEW_PER_M3 = 0.003
UNEXPLORED_PER_M3 = 0.05
GONE_BELIEF = 0.1
LEAST_MISSES = 2
PART_SPREADS = 2.0
BESIDE_M = 0.5
_DOUBT_NATS = 1.0
_DOUBT_MOST = 6.0
_SURE_GAIN = 8.0


@dataclass(slots=True)
class Known:
    """Things, open tracks and standpoints, and where they are.

    Attributes:
        pause_ns: How long a viewing may be interrupted.
        visit_ns: When the newest session began.
        farthest_m: The longest range of all standpoints.
        things: By number.
        tracks: Open ones, by number.
        vantages: By number.
        doubted: Things not gone that were missed when their place was last looked at.
        gone: Things that are no longer where they were, by label.
        of_kind: All things by label.
        thing_grid: Where they are.
        track_grid: Where the open tracks are.
        vantage_grid: Where the standpoints are.
    """

    pause_ns: int
    visit_ns: int = 0
    farthest_m: float = 0.0
    things: dict[int, Thing] = field(default_factory=dict)
    tracks: dict[int, Track] = field(default_factory=dict)
    vantages: dict[int, Vantage] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)
    gone: dict[str, set[int]] = field(default_factory=dict)
    of_kind: dict[str, set[int]] = field(default_factory=dict)
    thing_grid: ColumnGrid = field(default_factory=lambda: ColumnGrid(CELL_M))
    track_grid: ColumnGrid = field(default_factory=lambda: ColumnGrid(CELL_M))
    vantage_grid: ColumnGrid = field(default_factory=lambda: ColumnGrid(CELL_M))

    def put(self, thing: Thing) -> None:
        """Add a thing, or replace it."""
        self.drop(thing.number)
        self.things[thing.number] = thing
        self.thing_grid.put(thing.number, thing.where.mean.tolist())
        self.of_kind.setdefault(thing.label, set()).add(thing.number)
        if thing.gone:
            self.gone.setdefault(thing.label, set()).add(thing.number)
        elif thing.missed:
            self.doubted.add(thing.number)

    def drop(self, number: int) -> None:
        """Take a thing out, if it is there."""
        thing = self.things.pop(number, None)
        if thing is not None:
            self.thing_grid.remove(number)
            self.of_kind[thing.label].discard(number)
            self.gone.get(thing.label, set()).discard(number)
            self.doubted.discard(number)

    def put_vantage(self, vantage: Vantage) -> None:
        """Add a standpoint."""
        self.vantages[vantage.number] = vantage
        self.vantage_grid.put(vantage.number, vantage.position)
        self.farthest_m = max(self.farthest_m, vantage.range_m)

    def explored(self, where: FloatArray, stamp_ns: int) -> bool:
        """Whether somebody had looked at a place in an earlier viewing than that of a moment."""
        before = max(min(self.visit_ns, stamp_ns), stamp_ns - self.pause_ns)
        position = where.tolist()
        return any(
            vantage.first_ns < before and math.dist(vantage.position, position) <= vantage.range_m
            for vantage in (
                self.vantages[n] for n in self.vantage_grid.near(position, self.farthest_m)
            )
        )

    def present(self, thing: Thing) -> float:
        """Belief that a thing is where it was last, 0 to 1 (Bernoulli, known miss rate)."""
        if thing.gone:
            return 0.0
        last = thing.stays[-1].last_ns
        again = thing.missing_ns >= self.visit_ns > last or thing.missing_ns - last > self.pause_ns
        left = (MOVES + GOES if again else LEAVES_IN_VIEW) * mobility(thing.box)
        there = (1 - left) * math.exp(-thing.absence)
        return there / (there + left)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows where some tracks are taken to have ended.

    Attributes:
        things: Those that differ from what was known.
        owners: The thing of each ended track, and of each thing that is really another.
    """

    things: dict[int, Thing]
    owners: dict[int, int]


def spreads(evidence: Sequence[Track | Thing]) -> FloatArray:
    """Uncertainty of where things will be seen, shape (n, 3, 3), square metres.

    Beyond what is known of a position: maps drift between visits.
    """
    covariances = np.array([item.where.covariance for item in evidence])
    return np.asarray(covariances + DRIFT_M**2 * np.eye(3))


def settle(known: Known, ending: Collection[int]) -> Outcome:
    """Link all open tracks, and draw the conclusions for those that end.

    Args:
        known: What is known; it is not changed.
        ending: Numbers of open tracks.
    """
    links = _links(known)
    things: dict[int, Thing] = {}
    owners: dict[int, int] = {}
    for number in sorted(ending):
        track = known.tracks[number]
        if number in links:
            owner, moved = links[number]
            things[owner] = continued(known.things[owner], track, moved=moved)
            owners[number] = owner
        else:
            fresh = known.explored(track.where.mean, track.start_ns)
            things[number] = thing_from(track, fresh=fresh)
            owners[number] = number
    open_still = {owner for number, (owner, _) in links.items() if number not in ending}
    for part, whole in _parts(known, things, open_still):
        one, other = (things.get(number) or known.things[number] for number in (whole, part))
        things[whole] = absorbed(one, other)
        things.pop(part, None)
        owners = {number: whole if o == part else o for number, o in owners.items()}
        owners[part] = whole
    _rename_beside(known, things, owners)
    gone = _gone(known, things, open_still)
    things.update(gone)
    for absent, found in _elsewhere(known, things, list(gone), open_still).items():
        things[absent] = reunited(things[absent], things.get(found) or known.things[found])
        owners = {number: absent if o == found else o for number, o in owners.items()}
        owners[found] = absent
        things.pop(found, None)
    return Outcome(things, owners)


def _parts(
    known: Known, changed: Mapping[int, Thing], held: Collection[int]
) -> list[tuple[int, int]]:
    """Things that are parts of another one, each with that other one, which is older.

    A part of a large thing seen from one side, and its whole or another part seen from another
    side, first look like two things of one kind in one place. They are one if they touch,
    as far as their sizes are known, and were never seen at once.
    """
    taken: set[int] = set(held)
    pairs: list[tuple[int, int]] = []
    for number in sorted(changed):
        thing = changed[number]
        near = known.thing_grid.near(thing.where.mean.tolist(), REACH_M + float(thing.extent.max()))
        for candidate in sorted((near | set(changed)) - {number}):
            if taken & {number, candidate}:
                continue
            other = changed.get(candidate) or known.things[candidate]
            if _one_in_two(thing, other):
                part, whole = sorted((thing, other), key=lambda t: (-len(t.stays), _first_ns(t)))[
                    ::-1
                ]
                taken |= {number, candidate}
                pairs.append((part.number, whole.number))
    return pairs


def _one_in_two(first: Thing, second: Thing) -> bool:
    if first.label != second.label or first.gone or second.gone:
        return False
    if min(len(first.stays), len(second.stays)) > 1:
        return False
    if first.number in second.beside or second.number in first.beside:
        return False
    smaller, larger = sorted((first, second), key=lambda thing: float(np.prod(thing.extent)))
    apart = np.abs(first.where.mean - second.where.mean)
    return bool((apart < (room(larger, larger.extent) + smaller.extent) / 2).all())


def _first_ns(thing: Thing) -> int:
    return thing.stays[0].start_ns


def _rename_beside(known: Known, things: dict[int, Thing], owners: Mapping[int, int]) -> None:
    """Let what was seen beside something that is now known by another number refer to that."""
    labels = {things[owner].label for n, owner in owners.items() if n != owner and owner in things}
    for number in {n for label in labels for n in known.of_kind.get(label, ())} | set(things):
        thing = things.get(number) or known.things.get(number)
        if thing is not None and any(owners.get(n, n) != n for n in thing.beside):
            beside = tuple(sorted({owners.get(n, n) for n in thing.beside} - {number}))
            if owners.get(number, number) == number:
                things[number] = replace(thing, beside=beside)


def _links(known: Known) -> dict[int, tuple[int, bool]]:
    """The thing each open track shows, and whether it moved; tracks of new things are absent."""
    stays = _stay_gains(known)
    sure = [
        (number, thing)
        for number, thing in best_pairs(stays).items()
        if stays[number, thing] > _SURE_GAIN
        and known.tracks[number].label == known.things[thing].label
    ]
    placed, held = {number for number, _ in sure}, {thing for _, thing in sure}
    moves: dict[tuple[int, int], float] = {}
    for number in sorted(set(known.tracks) - placed):
        track = known.tracks[number]
        for thing in sorted(_missing(known, track.labels) - held):
            if _last_ns(known.things[thing]) < track.start_ns:
                fresh = known.explored(track.where.mean, track.start_ns)
                moves[number, thing] = _move_gain(
                    known, track, track.where.mean, known.things[thing],
                    start_ns=track.start_ns, fresh=fresh,
                )  # fmt: skip
    gains = dict(stays)
    for pair, gain in moves.items():
        gains[pair] = max(gain, gains.get(pair, gain))
    return {
        number: (thing, moves.get((number, thing), -math.inf) >= gains[number, thing]
                 and not _within_extent(known.tracks[number], known.things[thing]))
        for number, thing in best_pairs(gains).items()
    }  # fmt: skip


def _within_extent(track: Track, thing: Thing) -> bool:
    """Whether two visible parts are no farther apart than parts of one thing in one place are."""
    spread = np.sqrt(part_variances(track.extent[None], thing.extent[None])[0])
    return bool((np.abs(track.where.mean - thing.where.mean) < PART_SPREADS * spread).all())


def _missing(known: Known, kinds: Iterable[str]) -> set[int]:
    """Things of some kinds that are gone, or were missed where they should be."""
    result: set[int] = set()
    for kind in kinds:
        result |= known.gone.get(kind, set())
        doubted = known.of_kind.get(kind, set()) & known.doubted
        result |= {number for number in doubted if known.things[number].absence >= _DOUBT_NATS}
    return result


def _last_ns(thing: Thing) -> int:
    return thing.stays[-1].last_ns


def _stay_gains(known: Known) -> dict[tuple[int, int], float]:
    """Of every open track and every thing near it, that they are one at one place."""
    pairs: list[tuple[int, int]] = []
    for number, track in known.tracks.items():
        reach = REACH_M + float(track.extent[:2].max()) / 2
        near = known.thing_grid.near(track.where.mean.tolist(), reach)
        pairs += [(number, thing) for thing in sorted(near)]
    if not pairs:
        return {}
    tracks = [known.tracks[number] for number, _ in pairs]
    things = [known.things[number] for _, number in pairs]
    density = position_log_density(
        np.array([t.where.mean - k.where.mean for t, k in zip(tracks, things, strict=True)]),
        np.array([track.where.covariance for track in tracks]) + spreads(things)
        + part_variances(
            np.array([track.extent for track in tracks]), np.array([t.extent for t in things])
        )[:, :, None] * np.eye(3),
    )  # fmt: skip
    beside = {number: _unseen_beside(known, track) for number, track in known.tracks.items()}
    gains: dict[tuple[int, int], float] = {}
    for pair, track, thing, near in zip(pairs, tracks, things, density.tolist(), strict=True):
        others = sum(share for number, share in beside[pair[0]].items() if number != pair[1])
        new = NEW_PER_M3 + others / (4 / 3 * math.pi * BESIDE_M**3)
        if near > -30.0:
            gains[pair] = (
                math.log(STAYS) + near + _likeness(track, thing) - math.log(new)
                - _unseen(thing) - _overlooked(track, thing) + misread_gain(
                    labels_gain(track.labels, thing.labels), track.extent, thing.extent
                )
            )  # fmt: skip
    return gains


def _overlooked(track: Track, thing: Thing) -> float:
    """How much speaks against a thing that was missed most of the time being what a track shows.

    A thing's place counts as looked at without seeing it at the moments of the track, too. Misses
    in one viewing have common causes: they add up to a limit only.
    """
    return min(max(thing.absence + track.sightings * math.log(MISS_RATE), 0.0), _DOUBT_MOST)


def _unseen_beside(known: Known, track: Track) -> dict[int, float]:
    """Things stand beside things: how many may have been overlooked, by the neighbour they had.

    How often a neighbour was seen tells how often a thing beside it can have been missed.
    """
    position = track.where.mean.tolist()
    result: dict[int, float] = {}
    for number in sorted(known.thing_grid.near(position, BESIDE_M)):
        thing = known.things[number]
        if math.dist(thing.where.mean.tolist(), position) <= BESIDE_M:
            result[number] = MISS_RATE**thing.sightings
    return result


def _move_gain(
    known: Known, found: Evidence, where: FloatArray, thing: Thing, *, start_ns: int, fresh: bool
) -> float:
    """That what was found at a place is a thing that was elsewhere before.

    While a robot looks around, things are carried about less often than between its visits.
    Things are put beside things, as new ones are: that makes no difference between the two. But
    where several of a kind are known, it may be one more that was overlooked before.
    """
    distance = float(np.linalg.norm(where - thing.where.mean))
    again = start_ns - _last_ns(thing) > known.pause_ns
    moves = (MOVES if again else LEAVES_IN_VIEW * MOVES / (MOVES + GOES)) * mobility(thing.box)
    alike = known.of_kind.get(found.label, set()) - {thing.number, found.number}
    overlooked = sum(MISS_RATE ** known.things[number].sightings for number in alike)
    new = (NEW_PER_M3 if fresh else UNEXPLORED_PER_M3) + overlooked * KINDS / FLOOR_M3
    return (
        math.log(moves) + move_log_density(distance) + _likeness(found, thing)
        + size_gain(found.size, thing.size) - math.log(new) - _unseen(thing)
    )  # fmt: skip


def _likeness(found: Evidence, thing: Thing) -> float:
    appearance = appearance_gain(found.appearance, thing.appearance)
    return labels_gain(_readings(found), _readings(thing)) + appearance


def _readings(evidence: Evidence) -> dict[str, float]:
    """Labels by how often they were read.

    An unsure detector is unsure of a thing that is far away or small: what it reads time and
    again is no less sure for that.
    """
    total = sum(evidence.labels.values())
    share = min(evidence.sightings, MAX_LABELS) / total if total else 0.0
    return {label: weight * share for label, weight in evidence.labels.items()}


def _unseen(thing: Thing) -> float:
    """Log-likelihood of no track showing a thing: it is gone, or there and was missed."""
    there = 0.0 if thing.gone else STAYS * math.exp(-thing.absence)
    return math.log(GOES * mobility(thing.box) + there)


def _gone(known: Known, changed: Mapping[int, Thing], held: Collection[int]) -> dict[int, Thing]:
    """Things whose place was looked at often enough without seeing them."""
    result: dict[int, Thing] = {}
    for number in sorted(known.doubted | set(changed)):
        thing = changed.get(number) or known.things[number]
        if number in held or thing.gone or thing.missed < LEAST_MISSES:
            continue
        if known.present(thing) < GONE_BELIEF:
            ended = replace(thing.stays[-1], end_ns=thing.missing_ns or thing.chance_ns)
            result[number] = replace(thing, stays=(*thing.stays[:-1], ended))
    return result


def _elsewhere(
    known: Known, changed: Mapping[int, Thing], gone: list[int], held: Collection[int]
) -> dict[int, int]:
    """Things that were found gone, and the new thing elsewhere that each of them is."""
    gains: dict[tuple[int, int], float] = {}
    for number in gone:
        thing = changed[number]
        alike = known.of_kind.get(thing.label, set()) - set(changed)
        alike |= {n for n, other in changed.items() if other.label == thing.label}
        for candidate in sorted(alike - {number} - set(gone) - set(held)):
            found = changed.get(candidate) or known.things[candidate]
            if found.stays[0].start_ns > _last_ns(thing):
                where = found.stays[0].where.mean
                gains[number, candidate] = _move_gain(
                    known, found, where, thing,
                    start_ns=found.stays[0].start_ns, fresh=found.fresh,
                )  # fmt: skip
    return best_pairs(gains)
