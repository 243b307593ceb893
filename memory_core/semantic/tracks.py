"""What tracking remembers of a thing: estimates, stays, measured states, evidence.

Two kinds of record: a `Track` is one uninterrupted viewing of a thing; a `Thing` is what all
viewings of it add up to. Both are plain data that can be stored and restored exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from memory_core.semantic.expected import usual_box
from memory_core.semantic.identity_cost import Belief, kind_log_posterior
from memory_core.types import Entity, FloatArray, Stay, Vector3

STATE_NOISE = 0.05
STATE_SIGNIFICANT = 3.3
STATE_LEAST = 0.1
MAX_LABELS = 50.0
MAX_VANTAGES, MAX_BESIDE = 6, 8
MISS_RATE, MISS_PRIOR = 0.1, 5.0
EXTENT_EXPECTILE = 0.8
VANTAGE_APART_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A Gaussian belief about a position: mean (3,), metres; covariance (3, 3), square metres."""

    mean: FloatArray
    covariance: FloatArray

    def widened(self, lacking: FloatArray) -> Estimate:
        """As the middle of something larger by some lengths along the axes, shape (3,), metres."""
        return Estimate(self.mean, self.covariance + np.diag(np.maximum(lacking, 0.0) ** 2 / 12))

    def merged(self, other: Estimate) -> Estimate:
        """Both, weighted by their information (the Kalman update)."""
        return merged([self], [other])[0]


def fused(first: Estimate, extent: FloatArray, second: Estimate, other: FloatArray) -> Estimate:
    """Two estimates of one thing of which parts of some extents were seen, shape (3,), metres.

    The middle of a small part may be off that of the larger one: see `part_variances`.
    """
    return first.widened(other - extent).merged(second.widened(extent - other))


def merged(first: Sequence[Estimate], second: Sequence[Estimate]) -> list[Estimate]:
    """Pairs of estimates of one position each, weighted by their information."""
    mean = np.array([estimate.mean for estimate in first])
    prior = np.array([estimate.covariance for estimate in first])
    offset = np.array([estimate.mean for estimate in second]) - mean
    added = np.array([estimate.covariance for estimate in second])
    gain = prior @ np.linalg.inv(prior + added)
    covariance = prior - gain @ prior
    covariance = (covariance + covariance.transpose(0, 2, 1)) / 2
    mean = mean + np.einsum("nij,nj->ni", gain, offset)
    return [Estimate(m, c) for m, c in zip(mean, covariance, strict=True)]


@dataclass(frozen=True, slots=True)
class StaySoFar:
    """A stay of which more may be learnt; see `memory_core.types.Stay`."""

    where: Estimate
    start_ns: int
    last_ns: int
    end_ns: int | None = None
    sightings: int = 1

    def stay(self) -> Stay:
        """As it is told."""
        x, y, z = map(float, self.where.mean)
        covariance = tuple(map(float, self.where.covariance.ravel()))
        return Stay((x, y, z), covariance, self.start_ns, self.last_ns, self.end_ns, self.sightings)


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A measured value that held for a while: its mean, readings, from when to when."""

    value: float
    readings: int
    start_ns: int
    last_ns: int


class _Kept:
    """What follows from the labels, worked out once."""

    __slots__ = ("_belief",)
    _belief: Belief | None
    labels: dict[str, float]

    @property
    def belief(self) -> Belief:
        """About its true kind; see `kind_log_posterior`."""
        belief: Belief | None = getattr(self, "_belief", None)
        if belief is None:
            belief = self._belief = kind_log_posterior(self.labels)
        return belief

    def _labels_changed(self) -> None:
        self._belief = None


@dataclass(slots=True)
class Evidence(_Kept):
    """What tracks and things have in common.

    Attributes:
        number: Never used again.
        labels: How often each label was read, weighted by confidence.
        sightings: How many.
        size: Mean extent along x, y, z, shape (3,), metres; zeros where unknown.
        sized: How many sightings had a size.
        appearance: Sum of appearance vectors, shape (d,), or None.
        states: Spans of measured values by name, oldest first.
        vantages: Where it was seen from, metres, a few.
        missed: How often in a row its place was looked at and it was not seen.
        absence: How much that speaks against its being there, nats.
        missing_ns: When that began, in the newest viewing; 0 where it did not.
        chance_ns: When its place was last looked at.
        extent: Of the larger parts seen, along the map's axes, shape (3,), metres.
        overlooked: How often it was missed although it was there, as being seen again proved.
        beside: Numbers of others of its kind close by that were seen in the same look: it is none
            of them.
    """

    number: int
    labels: dict[str, float] = field(default_factory=dict)
    sightings: int = 0
    size: FloatArray = field(default_factory=lambda: np.zeros(3))
    sized: int = 0
    appearance: FloatArray | None = None
    states: dict[str, tuple[StateSpan, ...]] = field(default_factory=dict)
    vantages: tuple[Vector3, ...] = ()
    missed: int = 0
    absence: float = 0.0
    missing_ns: int = 0
    chance_ns: int = 0
    extent: FloatArray = field(default_factory=lambda: np.zeros(3))
    overlooked: int = 0
    beside: tuple[int, ...] = ()

    @property
    def box(self) -> FloatArray:
        """Extent it may have along the map's axes, whichever side was seen, shape (3,), metres."""
        side = self.extent[:2].max()
        return np.array([side, side, self.extent[2]])

    @property
    def whole(self) -> FloatArray:
        """The box that must be in a picture for it to be missed there, shape (3,), metres.

        Furniture is taken to be as large as its kind, however little of it was seen so far: where
        not all of it fits into a picture, a detector may well not tell it.
        """
        return np.maximum(self.box, usual_box(self.label))

    def miss_rate(self, usual: float) -> float:
        """How often it is missed: the mean of a beta belief that begins with the usual rate."""
        chances = MISS_PRIOR + self.sightings + self.overlooked
        return (MISS_PRIOR * usual + self.overlooked) / chances if self.overlooked else usual

    @property
    def label(self) -> str:
        """The label read most often."""
        return max(sorted(self.labels), key=self.labels.__getitem__)

    def add_labels(self, labels: dict[str, float]) -> None:
        """Count labels; old ones fade once there are many."""
        self._labels_changed()
        for label, count in labels.items():
            self.labels[label] = self.labels.get(label, 0.0) + count
        total = sum(self.labels.values())
        if total > MAX_LABELS:
            self.labels = {k: v * MAX_LABELS / total for k, v in self.labels.items()}

    def add_size(self, size: FloatArray, sized: int) -> None:
        """Average an extent in."""
        if sized:
            self.sized += sized
            self.size = self.size + (size - self.size) * (sized / self.sized)

    def add_beside(self, numbers: Iterable[int]) -> None:
        """Others of its kind were seen at the same moment."""
        self.beside = tuple(sorted({*self.beside, *numbers} - {self.number}))[-MAX_BESIDE:]

    def add_extent(self, extent: FloatArray) -> None:
        """Learn from the extent of a part, shape (3,), metres; call it after counting the sighting.

        What is seen is a part of the whole, and now and then more than it, by noise: the whole
        is estimated by an upper expectile (Newey and Powell 1987), not by the mean or the largest.
        """
        weight = np.where(extent > self.extent, EXTENT_EXPECTILE, 1 - EXTENT_EXPECTILE)
        step = 1.0 if self.sightings <= 1 else 2 * weight / (self.sightings + 1)
        self.extent = self.extent + step * (extent - self.extent)

    def add_appearance(self, appearance: FloatArray | None) -> None:
        """Sum an appearance vector in; the first decides the dimension."""
        if appearance is None:
            return
        if self.appearance is None:
            self.appearance = np.asarray(appearance, np.float64)
        elif self.appearance.shape == appearance.shape:
            self.appearance = self.appearance + appearance

    def miss(self, stamp_ns: int, nats: float) -> None:
        """Its place was looked at and it was not seen."""
        self.missed += 1
        self.absence += nats
        self.chance_ns = stamp_ns
        self.missing_ns = self.missing_ns or stamp_ns

    def add_vantage(self, standpoint: Vector3) -> None:
        """Remember where it was seen from, unless that is near a place already known."""
        if all(math.dist(standpoint, known) > VANTAGE_APART_M for known in self.vantages):
            self.vantages = (*self.vantages, standpoint)[-MAX_VANTAGES:]

    def add_span(self, name: str, span: StateSpan) -> None:
        """Join a value to the last one, or begin a new span where it differs significantly."""
        spans = self.states.get(name, ())
        if spans and not differs(spans[-1], span):
            last = spans[-1]
            readings = last.readings + span.readings
            value = last.value + (span.value - last.value) * span.readings / readings
            joined = StateSpan(value, readings, last.start_ns, max(last.last_ns, span.last_ns))
            self.states[name] = (*spans[:-1], joined)
        else:
            self.states[name] = (*spans, span)


def differs(first: StateSpan, second: StateSpan) -> bool:
    """Whether two mean values differ by more than their noise explains."""
    noise = STATE_NOISE * math.sqrt(1 / first.readings + 1 / second.readings)
    return abs(first.value - second.value) > max(STATE_LEAST, STATE_SIGNIFICANT * noise)


@dataclass(frozen=True, slots=True)
class Misread:
    """Where a track was when it was read as something else than it is taken for.

    Attributes:
        count: How often.
        offset: Mean offset of those readings from the track's place, shape (3,), metres.
        label: What it was read as last; "" where that was not kept, by earlier versions.
        in_a_row: How often as that, and as nothing else since.
    """

    count: int
    offset: FloatArray
    label: str = ""
    in_a_row: int = 0

    def and_one_more(self, offset: FloatArray) -> FloatArray:
        """The mean offset with another reading."""
        return np.asarray(self.offset + (offset - self.offset) / (self.count + 1))


@dataclass(slots=True)
class Track(Evidence):
    """One uninterrupted viewing of a thing.

    Attributes:
        where: Its position.
        start_ns: First seen.
        last_ns: Last seen.
        hint: The thing it was taken for at first sight.
        misread: Its readings as something else.
    """

    where: Estimate = field(default_factory=lambda: Estimate(np.zeros(3), np.eye(3)))
    start_ns: int = 0
    last_ns: int = 0
    hint: int | None = None
    misread: Misread | None = None

    def add_misread(self, label: str, position: FloatArray) -> None:
        """Note a reading that calls it something else, and where that was, shape (3,), metres."""
        before = self.misread or Misread(0, np.zeros(3))
        offset = before.and_one_more(position - self.where.mean)
        self.misread = Misread(before.count + 1, offset, label, self.misread_in_a_row(label) + 1)

    def end_misreads(self) -> None:
        """Note a reading as what it is taken for."""
        if self.misread is not None:
            self.misread = replace(self.misread, in_a_row=0)

    def misread_in_a_row(self, label: str) -> int:
        """How often it was read as this and nothing else, up to the last reading."""
        if self.misread is None or self.misread.label != label:
            return 0
        return self.misread.in_a_row

    @property
    def confirmed(self) -> bool:
        """Whether it is more than one reading that looking again did not repeat."""
        return self.sightings > 1 or self.missed == 0


@dataclass(slots=True)
class Thing(Evidence):
    """A physical thing: everything its viewings add up to.

    Attributes:
        stays: Where it was, oldest first.
        fresh: Whether it appeared where somebody had looked before.
        confirmed: Whether it is more than one unrepeated reading.
    """

    stays: tuple[StaySoFar, ...] = ()
    fresh: bool = False
    confirmed: bool = True

    @property
    def where(self) -> Estimate:
        """Its last known position."""
        return self.stays[-1].where

    @property
    def gone(self) -> bool:
        """Whether it is no longer where it was last."""
        return self.stays[-1].end_ns is not None

    def entity(self, map_id: str, *, present: float) -> Entity:
        """As it is told.

        Args:
            map_id: The map its positions are in.
            present: Belief that it is where it was last, 0 to 1.
        """
        label = self.label
        kind = math.exp(self.belief[0][label])
        width, depth, height = map(float, self.size)
        return Entity(
            f"entity:{self.number}",
            label,
            map_id,
            tuple(stay.stay() for stay in self.stays),
            {name: spans[-1].value for name, spans in self.states.items()},
            (width, depth, height),
            present * kind,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """When a session's first and last look were."""

    name: str
    start_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Vantage:
    """Somewhere a robot looked from: where, how far, and when first."""

    number: int
    position: Vector3
    range_m: float
    first_ns: int


@dataclass(frozen=True, slots=True)
class TrackerRows:
    """What changed since the last call of `EntityTracker.changed`, to be stored.

    Attributes:
        things: Replace the stored ones of their numbers.
        tracks: Open tracks; replace the stored ones of their numbers.
        owners: The thing that each ended track, or each thing found to be another, belongs to.
            What was stored as belonging to a key belongs to its value from now on; the rows of
            ended tracks and of things that belong to another are no longer needed.
        sessions: Replace the stored ones of their names.
        vantages: Never change.
        next_number: What the next track is called.
        swept_ns: When ended tracks were last looked for.
    """

    things: tuple[Thing, ...] = ()
    tracks: tuple[Track, ...] = ()
    owners: Mapping[int, int] = field(default_factory=dict)
    sessions: tuple[Session, ...] = ()
    vantages: tuple[Vantage, ...] = ()
    next_number: int = 1
    swept_ns: int = 0


def thing_from(track: Track, *, fresh: bool) -> Thing:
    """The thing a first viewing shows."""
    thing = Thing(
        track.number, dict(track.labels), track.sightings, track.size, track.sized,
        track.appearance, {}, track.vantages, track.missed, track.absence, 0,
        track.chance_ns, track.extent, track.overlooked, track.beside,
        (StaySoFar(track.where, track.start_ns, track.last_ns, None, track.sightings),),
        fresh, track.confirmed,
    )  # fmt: skip
    _add_states(thing, track)
    return thing


def continued(thing: Thing, track: Track, *, moved: bool) -> Thing:
    """A thing after one more viewing of it.

    Args:
        thing: As it was.
        track: The viewing.
        moved: Whether it was seen at another place than before.
    """
    last = thing.stays[-1]
    if moved or last.end_ns is not None:
        end_ns = min(thing.missing_ns or track.start_ns, track.start_ns)
        ended = last if last.end_ns is not None else replace(last, end_ns=end_ns)
        new = StaySoFar(track.where, track.start_ns, track.last_ns, None, track.sightings)
        stays = (*thing.stays[:-1], ended, new)
    else:
        longer = replace(
            last, where=fused(last.where, thing.extent, track.where, track.extent),
            last_ns=track.last_ns, sightings=last.sightings + track.sightings,
        )  # fmt: skip
        stays = (*thing.stays[:-1], longer)
    before = 0 if moved else max(thing.missed - track.sightings - track.overlooked, 0)
    after = replace(
        thing, labels=dict(thing.labels), states=dict(thing.states), stays=stays,
        sightings=thing.sightings + track.sightings, confirmed=True,
        overlooked=thing.overlooked + before + track.overlooked,
        missed=track.missed, absence=track.absence, missing_ns=0,
        chance_ns=track.chance_ns,
    )  # fmt: skip
    after.absence = min(after.absence, -after.missed * math.log(after.miss_rate(MISS_RATE)))
    _add(after, track)
    _add_states(after, track)
    return after


def reunited(gone: Thing, found: Thing) -> Thing:
    """A thing that was gone and the thing it turned out to be elsewhere."""
    last, first = gone.stays[-1], found.stays[0]
    ended = replace(last, end_ns=min(last.end_ns or first.start_ns, first.start_ns))
    after = replace(
        gone, labels=dict(gone.labels), states=dict(gone.states),
        stays=(*gone.stays[:-1], ended, *found.stays),
        sightings=gone.sightings + found.sightings,
        overlooked=gone.overlooked + found.overlooked,
        confirmed=True, missed=found.missed, absence=found.absence, missing_ns=found.missing_ns,
        chance_ns=found.chance_ns,
    )  # fmt: skip
    _add(after, found)
    for name, spans in found.states.items():
        for span in spans:
            after.add_span(name, span)
    return after


def absorbed(whole: Thing, part: Thing) -> Thing:
    """A thing and another one that turned out to be a part of it, seen at its one place."""
    last, stay = whole.stays[-1], part.stays[-1]
    joined = StaySoFar(
        fused(last.where, whole.extent, stay.where, part.extent),
        min(last.start_ns, stay.start_ns), max(last.last_ns, stay.last_ns),
        None, last.sightings + stay.sightings,
    )  # fmt: skip
    newer = part if stay.last_ns > last.last_ns else whole
    after = replace(
        whole, labels=dict(whole.labels), states=dict(whole.states),
        stays=(*whole.stays[:-1], joined), sightings=whole.sightings + part.sightings,
        overlooked=whole.overlooked + part.overlooked,
        fresh=whole.fresh and part.fresh, confirmed=True, missed=newer.missed,
        absence=newer.absence, missing_ns=newer.missing_ns, chance_ns=newer.chance_ns,
    )  # fmt: skip
    _add(after, part)
    for name, spans in part.states.items():
        for span in spans:
            after.add_span(name, span)
    return after


def _add(thing: Thing, other: Evidence) -> None:
    thing.extent = np.maximum(thing.extent, other.extent)
    thing.add_beside(other.beside)
    thing.add_labels(other.labels)
    thing.add_size(other.size, other.sized)
    thing.add_appearance(other.appearance)
    for vantage in other.vantages:
        thing.add_vantage(vantage)


def _add_states(thing: Thing, track: Track) -> None:
    """A single reading between others is taken for an outlier."""
    for name, spans in track.states.items():
        for place, span in enumerate(spans):
            if span.readings > 1 or place == len(spans) - 1:
                thing.add_span(name, span)
