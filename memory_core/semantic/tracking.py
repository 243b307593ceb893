"""From sightings to things, online: what is still there, moved, new or gone, with history.

Two steps, each an optimal one-to-one assignment on log-likelihood ratios. Inside a look,
sightings join the open tracks near them or begin new ones; what is known from before lends its
kind and place to a track not begun yet, so that neighbours are not confused. A track is one
uninterrupted viewing of a thing. What all sightings of a track say together is linked to the
things known before (`linking`): the same thing at the same place, the same thing moved, or a new
one. Links rest on all evidence of a viewing and stay open until it ends, by a new session or a
pause. A thing no track was linked to, whose place was looked at and found empty, is gone; where
one of its kind turned up elsewhere since, that is the same thing, moved.

Existence is a Bernoulli belief with a known miss rate (as in Bernoulli filters, Ristic et al.
2013); one miss never makes a thing gone. The work of a look depends on what is near, not on how
much is known.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from memory_core.semantic.changes import Change, compare
from memory_core.semantic.identity_cost import (
    appearance_gain,
    best_pairs,
    label_gain,
    misread_gain,
    part_variances,
    position_log_density,
)
from memory_core.semantic.linking import (
    REACH_M,
    STAYS,
    Known,
    Outcome,
    settle,
    spreads,
)
from memory_core.semantic.tracks import (
    Estimate,
    Session,
    StateSpan,
    Thing,
    Track,
    TrackerRows,
    Vantage,
    merged,
)
from memory_core.semantic.views import (
    View,
    miss_rate,
    room,
    view_between,
    within_usual_distance,
)
from memory_core.types import DEFAULT_MAP, Entity, FloatArray, Vector3

__all__ = ["EntityTracker", "Seen", "Session", "TrackerRows", "Vantage", "View"]

Item = TypeVar("Item", Track, Thing)

START_PER_M3 = 0.05
GATE = 6.0
USUAL_MISFIT = 1.5
"""By how much, in nats, an offset in three dimensions is less likely than none on average."""
MOST_MISREAD, MOST_ALIKE = 4, 8
"""So many readings as something else count against another one, by their place and their shape."""
LEAST_VARIANCE = 1e-9
CHANCE_APART_NS = 10**9
VANTAGE_APART_M = 1.0
WHOLE = np.concatenate([np.zeros((1, 3)), np.eye(3) / 2, -np.eye(3) / 2])
"""The middle of a thing and those of its faces, in units of its extent, shape (7, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One sighting, in the map frame.

    Attributes:
        key: Names it to the caller.
        label: What it was taken for.
        position: Shape (3,), metres.
        covariance: Shape (3, 3), square metres, positive definite.
        size: Extent along x, y, z of the observer's frame, metres; None where unknown.
        extent: Of the part seen, along the map's axes, shape (3,), metres; None: as `size`.
        embedding: Appearance, shape (d,).
        confidence: 0 to 1.
        state: Measured properties that change, by name.
    """

    key: Hashable
    label: str
    position: FloatArray
    covariance: FloatArray
    size: Vector3 | None = None
    embedding: FloatArray | None = None
    confidence: float = 1.0
    state: Mapping[str, float] = field(default_factory=dict)
    extent: FloatArray | None = None

    @property
    def reach(self) -> FloatArray:
        """Extent along the map's axes, shape (3,), metres; zeros where unknown."""
        known = self.size if self.extent is None else self.extent
        return np.zeros(3) if known is None else np.asarray(known, np.float64)


@dataclass(slots=True)
class _Touched:
    """Numbers and names of what is to be stored."""

    things: set[int] = field(default_factory=set)
    tracks: set[int] = field(default_factory=set)
    owners: dict[int, int] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    vantages: set[int] = field(default_factory=set)


class EntityTracker:
    """Turns looks into things; one tracker per map."""

    def __init__(self, *, map_id: str = DEFAULT_MAP, pause_s: float = 300.0) -> None:
        """An empty tracker.

        Args:
            map_id: The map all positions are in.
            pause_s: A thing not seen for so long may have been moved: it is seen anew.
        """
        self.map_id = map_id
        self._known = Known(int(pause_s * 1e9))
        self._sessions: dict[str, Session] = {}
        self._next = 1
        self._swept_ns = 0
        self._touched = _Touched()
        self._outcome: Outcome | None = None

    @classmethod
    def load(
        cls, rows: TrackerRows, *, map_id: str = DEFAULT_MAP, pause_s: float = 300.0
    ) -> EntityTracker:
        """A tracker that goes on as the stored one would have.

        Args:
            rows: All that are stored; `owners` is not needed.
            map_id: As before.
            pause_s: As before.
        """
        tracker = cls(map_id=map_id, pause_s=pause_s)
        tracker._next, tracker._swept_ns = rows.next_number, rows.swept_ns
        tracker._sessions = {session.name: session for session in rows.sessions}
        known = tracker._known
        known.visit_ns = max((session.start_ns for session in rows.sessions), default=0)
        for vantage in rows.vantages:
            known.put_vantage(vantage)
        for thing in rows.things:
            known.put(_copied(thing))
        for track in sorted(rows.tracks, key=lambda track: track.number):
            known.tracks[track.number] = _copied(track)
            known.track_grid.put(track.number, track.where.mean.tolist())
        return tracker

    def look(
        self,
        stamp_ns: int,
        standpoint: Vector3,
        *,
        session: str,
        sightings: Sequence[Seen],
        view: View | None = None,
    ) -> dict[Hashable, int]:
        """Take in what was seen at one moment from one place.

        Args:
            stamp_ns: When.
            standpoint: From where, map frame, metres.
            session: In which run.
            sightings: What was seen, each thing at most once.
            view: What was looked at; None where that is unknown: then only what lies between
                things that were seen counts as looked at.

        Returns:
            The track of each sighting, by key; it never changes. `entity_of` tells the thing as
            far as is known, `TrackerRows.owners` for good.
        """
        self._outcome = None
        self._begin(stamp_ns, session)
        joined = self._join(sightings)
        columns = [joined.get(place, 0) for place in range(len(sightings))]
        known = [
            (self._known.tracks[n], s) for n, s in zip(columns, sightings, strict=True) if n > 0
        ]
        new = [
            (self._start(stamp_ns, -n, s), s)
            for n, s in zip(columns, sightings, strict=True)
            if n <= 0
        ]
        if known:
            estimates = merged(
                [track.where.widened(seen.reach - track.extent) for track, seen in known],
                [_where(seen).widened(track.extent - seen.reach) for track, seen in known],
            )
            for (track, _), estimate in zip(known, estimates, strict=True):
                track.where = estimate
        result: dict[Hashable, int] = {}
        for track, seen in known + new:
            _take_in(track, seen, stamp_ns, standpoint)
            self._known.track_grid.put(track.number, track.where.mean.tolist())
            result[seen.key] = track.number
        self._note_beside(sightings, result)
        self._touched.tracks.update(result.values())
        positions = np.array([seen.position for seen in sightings]).reshape(-1, 3)
        view = view or view_between(standpoint, positions)
        self._note_misses(stamp_ns, standpoint, view, set(result.values()))
        self._stand(stamp_ns, standpoint, view.range_m)
        return result

    def entity_of(self, track: int) -> int:
        """The number of the thing a recent track shows, as far as is known now.

        Args:
            track: As `look` returned it; of ended tracks, those since the last `changed`.
        """
        number = self._touched.owners.get(track, track)
        return self._settled().owners.get(number, number)

    def open_tracks(self) -> list[int]:
        """Numbers of viewings that go on."""
        return sorted(self._known.tracks)

    def things(self) -> dict[int, Thing]:
        """All things by number, as if no viewing went on; not to be altered."""
        outcome = self._settled()
        merged = {number for number, owner in outcome.owners.items() if owner != number}
        known = {n: thing for n, thing in self._known.things.items() if n not in merged}
        return {**known, **outcome.things}

    def entities(self) -> list[Entity]:
        """All confirmed things, with their histories."""
        return [
            thing.entity(self.map_id, present=self._known.present(thing))
            for _, thing in sorted(self.things().items())
            if thing.confirmed
        ]

    def changes(self, since_ns: int, until_ns: int | None = None) -> list[Change]:
        """What moved, appeared, went or changed its state.

        Args:
            since_ns: Compared with what was known at this moment.
            until_ns: Up to when; None for now.
        """
        return compare(self.things().values(), since_ns, until_ns or 2**63 - 1)

    def changes_between(self, earlier: str, later: str) -> list[Change]:
        """What was different at the end of a session from the end of an earlier one.

        Raises:
            KeyError: There is no session of that name.
        """
        return self.changes(self._sessions[earlier].last_ns, self._sessions[later].last_ns)

    def changed(self) -> TrackerRows:
        """What has to be stored since the last call."""
        touched, self._touched = self._touched, _Touched()
        known = self._known
        return TrackerRows(
            tuple(_copied(known.things[n]) for n in sorted(touched.things) if n in known.things),
            tuple(_copied(known.tracks[n]) for n in sorted(touched.tracks) if n in known.tracks),
            touched.owners,
            tuple(self._sessions[name] for name in sorted(touched.sessions)),
            tuple(known.vantages[n] for n in sorted(touched.vantages)),
            self._next,
            self._swept_ns,
        )

    def _begin(self, stamp_ns: int, session: str) -> None:
        """Keep the calendar of sessions; end the tracks of viewings that are over."""
        open_tracks, calendar = self._known.tracks, self._sessions.get(session)
        if calendar is None:
            self._end(list(open_tracks))
            self._known.visit_ns = max(self._known.visit_ns, stamp_ns)
            self._swept_ns = stamp_ns
            calendar = Session(session, stamp_ns, stamp_ns)
        elif stamp_ns - self._swept_ns > self._known.pause_ns // 4:
            last = stamp_ns - self._known.pause_ns
            self._end([n for n, track in open_tracks.items() if track.last_ns < last])
            self._swept_ns = stamp_ns
        self._sessions[session] = replace(calendar, last_ns=max(calendar.last_ns, stamp_ns))
        self._touched.sessions.add(session)

    def _end(self, ending: Collection[int]) -> None:
        """Let tracks become part of things."""
        known, outcome = self._known, settle(self._known, ending)
        for number in ending:
            del known.tracks[number]
            known.track_grid.remove(number)
        for number, owner in outcome.owners.items():
            if number != owner:
                known.drop(number)
        for track in known.tracks.values():
            if track.beside:
                track.beside = tuple(outcome.owners.get(n, n) for n in track.beside)
        for thing in outcome.things.values():
            known.put(thing)
        before = self._touched.owners
        self._touched.owners = {n: outcome.owners.get(o, o) for n, o in before.items()}
        self._touched.owners |= outcome.owners
        self._touched.things.update(outcome.things)

    def _settled(self) -> Outcome:
        """What would follow if all viewings ended now."""
        if self._outcome is None:
            self._outcome = settle(self._known, list(self._known.tracks))
        return self._outcome

    def _join(self, sightings: Sequence[Seen]) -> dict[int, int]:
        """The open track each sighting is of, or, negative, the thing not seen yet."""
        numbers = self._near(sightings)
        if not numbers:
            return {}
        columns = [self._column(number) for number in numbers]
        positions = np.array([seen.position for seen in sightings])
        noise = np.array([seen.covariance for seen in sightings])
        spread = spreads(columns)
        reach = np.array([seen.reach for seen in sightings])
        extent = np.array([column.extent for column in columns])
        offsets = positions[:, None] - np.array([column.where.mean for column in columns])[None]
        variance = noise.trace(axis1=1, axis2=2)[:, None] + spread.trace(axis1=1, axis2=2)[None]
        largest = np.maximum(reach.max(axis=1)[:, None], extent.max(axis=1)[None])
        rows, places = np.nonzero((offsets**2).sum(axis=2) < GATE**2 * variance + largest**2)
        parts = part_variances(reach[rows], extent[places])[:, :, None] * np.eye(3)
        total = noise[rows] + spread[places] + parts
        density = position_log_density(offsets[rows, places], total)
        gains: dict[tuple[int, int], float] = {}
        pairs = zip(rows.tolist(), places.tolist(), density.tolist(), strict=True)
        for pair, (row, place, near) in enumerate(pairs):
            seen, column = sightings[row], columns[place]
            label = label_gain(seen.label, column.belief)
            unlike = misread_gain(label, seen.reach, column.extent)
            gains[row, numbers[place]] = (
                near - math.log(START_PER_M3) + label
                + _misread_elsewhere(seen, column, parts[pair] + spread[place])
                + unlike * (1 + _misread_alike(seen, column))
                + appearance_gain(seen.embedding, column.appearance)
                + (math.log(STAYS) if numbers[place] < 0 else 0.0)
            )  # fmt: skip
        return best_pairs(gains)

    def _near(self, sightings: Sequence[Seen]) -> list[int]:
        """Open tracks near some sightings, and, negative, things near them without a track."""
        known = self._known
        tracks, things = set[int](), set[int]()
        for seen in sightings:
            position = seen.position.tolist()
            reach = REACH_M + float(seen.reach[:2].max()) / 2
            tracks |= known.track_grid.near(position, reach)
            things |= known.thing_grid.near(position, reach)
        things -= {known.tracks[number].hint for number in tracks}
        return sorted(tracks) + [-number for number in sorted(things)]

    def _column(self, column: int) -> Track | Thing:
        return self._known.things[-column] if column < 0 else self._known.tracks[column]

    def _start(self, stamp_ns: int, hint: int, seen: Seen) -> Track:
        track = Track(self._next, where=_where(seen), start_ns=stamp_ns, hint=hint or None)
        self._known.tracks[self._next] = track
        self._next += 1
        return track

    def _note_misses(
        self, stamp_ns: int, standpoint: Vector3, view: View, matched: set[int]
    ) -> None:
        """What was looked at and not seen is a little less likely to be there.

        What was in view only in part, or is farther away than it was ever seen from, was not
        looked at. A thing's own count runs on while a track of it is open: should the track turn out to be
        another thing in its place, the misses are its own.
        """
        known = self._known
        tracks = known.track_grid.near(standpoint, view.range_m)
        things = known.thing_grid.near(standpoint, view.range_m)
        looked: list[Track | Thing] = [known.tracks[n] for n in sorted(tracks - matched)]
        looked += [known.things[n] for n in sorted(things) if not known.things[n].gone]
        looked = [item for item in looked if stamp_ns - item.chance_ns >= CHANCE_APART_NS]
        if not looked:
            return
        points = np.array([item.where.mean + WHOLE * room(item, item.whole) for item in looked])
        inside = view.covers(points)
        for item, was_looked_at in zip(looked, inside.tolist(), strict=True):
            if not was_looked_at or not within_usual_distance(item, standpoint):
                continue
            item.miss(stamp_ns, -math.log(miss_rate(item, standpoint)))
            if isinstance(item, Thing):
                known.doubted.add(item.number)
                self._touched.things.add(item.number)
            else:
                self._touched.tracks.add(item.number)

    def _note_beside(self, sightings: Sequence[Seen], tracks: Mapping[Hashable, int]) -> None:
        """Things of one kind seen at once are not parts of one thing."""
        alike: dict[str, list[Seen]] = {}
        for seen in sightings:
            alike.setdefault(seen.label, []).append(seen)
        for first, second in (
            pair for group in alike.values() for pair in itertools.combinations(group, 2)
        ):
            apart = np.abs(first.position - second.position)
            if (apart <= REACH_M + first.reach + second.reach).all():
                pair = (tracks[first.key], tracks[second.key])
                for number in pair:
                    self._known.tracks[number].add_beside(pair)

    def _stand(self, stamp_ns: int, standpoint: Vector3, range_m: float) -> None:
        """Remember where one looked from, unless that is known."""
        known = self._known
        for number in known.vantage_grid.near(standpoint, VANTAGE_APART_M):
            vantage = known.vantages[number]
            if math.dist(vantage.position, standpoint) < VANTAGE_APART_M and (
                vantage.range_m >= range_m
            ):
                return
        number = max(known.vantages, default=0) + 1
        known.put_vantage(Vantage(number, standpoint, range_m, stamp_ns))
        self._touched.vantages.add(number)


def _where(seen: Seen) -> Estimate:
    return Estimate(seen.position, seen.covariance + LEAST_VARIANCE * np.eye(3))


def _misread_elsewhere(seen: Seen, item: Track | Thing, covariance: FloatArray) -> float:
    """What speaks against one more misreading of a track: all of them were beside it.

    Something else that stands close to a thing is taken for it, misread, once. Where it is read
    so again, and the mean of all those readings is not where the thing is, another thing explains
    them all: how badly their place fits counts for each of them.

    Args:
        seen: The sighting.
        item: What it may be of.
        covariance: Of where a part of it may be seen, square metres, shape (3, 3).
    """
    if not isinstance(item, Track) or item.misread is None or seen.label == item.label:
        return 0.0
    count = item.misread.count
    offset = item.misread.and_one_more(seen.position - item.where.mean)
    squared = offset @ np.linalg.solve(covariance + seen.covariance / (count + 1), offset)
    return min(count, MOST_MISREAD) * min(USUAL_MISFIT - 0.5 * float(squared), 0.0)


def _misread_alike(seen: Seen, item: Track | Thing) -> int:
    """How often a track was just read as what a sighting reads, in a row.

    Something else of another shape that stands where a thing was (a spatula in the drawer that was
    opened, where its handle had been) is taken for it, misread, once. Where it is read so again and
    again, another thing explains all of them: how badly their shape fits counts for each of them.
    """
    if not isinstance(item, Track) or seen.label == item.label:
        return 0
    return min(item.misread_in_a_row(seen.label), MOST_ALIKE)


def _take_in(track: Track, seen: Seen, stamp_ns: int, standpoint: Vector3) -> None:
    """Let a sighting inform its track, apart from its position."""
    track.sightings += 1
    track.last_ns = max(track.last_ns, stamp_ns)
    track.overlooked += track.missed
    track.missed, track.absence, track.missing_ns = 0, 0.0, 0
    track.chance_ns = stamp_ns
    track.add_labels({seen.label: seen.confidence})
    if seen.label != track.label:
        track.add_misread(seen.label, seen.position)
    else:
        track.end_misreads()
    track.add_extent(seen.reach)
    if seen.size is not None:
        track.add_size(np.array(seen.size), 1)
    track.add_appearance(seen.embedding)
    track.add_vantage(standpoint)
    for name, value in seen.state.items():
        track.add_span(name, StateSpan(value, 1, stamp_ns, stamp_ns))


def _copied(item: Item) -> Item:
    """A copy that later evidence does not alter."""
    return replace(item, labels=dict(item.labels), states=dict(item.states))
