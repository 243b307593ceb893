"""Events: a stream of moments cut online where what comes was not to be expected (EM-LLM, 2024).

A moment surprises as far as the recent past does not predict it. Where surprise exceeds mean +
gamma · standard deviation of the recent ones, an event may have ended; before it is closed the
boundary moves to where it parts the similarity graph of both sides best (modularity, Newman and
Girvan 2004), and goes where both sides are as alike as each is in itself. A gap in time, another
session and a change of place that lasts end an event whatever was seen.
"""

from __future__ import annotations

import base64
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from memory_core.errors import DimensionMismatch, InvalidQuery, InvalidVector
from memory_core.types import Box, FloatArray, Json, Vector3

_FORGOTTEN = 1e-3


@dataclass(frozen=True, slots=True)
class EventRule:
    """When one event ends and the next begins.

    Attributes:
        gamma: Standard deviations above the mean at which a surprise is a boundary.
        window: How many recent surprises mean and deviation are taken over.
        decay: Share of the expectation that each new moment replaces, 0 to 1.
        least_surprise: Never a boundary below this, 0 to 1: noise of a robot that stands still.
        contrast: Least mean similarity within the two sides above that across, 0 to 1.
        shortest: Moments between boundaries of surprise: a slow change is one boundary, not many.
        settled: Moments for which a new place has to last; at most `shortest`.
        longest: Moments of any event at most; at least twice `shortest`.
        gap_s: A longer silence ends an event, seconds.
    """

    gamma: float = 1.5
    window: int = 64
    decay: float = 0.2
    least_surprise: float = 0.1
    contrast: float = 0.05
    shortest: int = 6
    settled: int = 3
    longest: int = 120
    gap_s: float = 120.0

    def checked(self) -> EventRule:
        """This rule, or InvalidQuery where its lengths contradict each other."""
        if not 1 <= self.settled <= self.shortest <= self.longest // 2:
            raise InvalidQuery(
                f"settled {self.settled}, shortest {self.shortest}, longest {self.longest}; "
                "expected 1 <= settled <= shortest <= longest / 2"
            )
        return self


@dataclass(frozen=True, slots=True)
class ClosedEvent:
    """A run of consecutive moments that belong together.

    Attributes:
        first: Number of its first moment, counted from 0 over the whole stream.
        last: Number of its last, included.
        start_ns: Stamp of its first moment.
        end_ns: Stamp of its last.
        session: Of which run.
        place: The place most of it happened in; None where none was known.
        bounds: What its known positions cover, metres.
        key: Mean of its vectors, shape (d,), float32; None where no moment had one.
        exemplar: Number of the moment nearest to the key; the middle one where there is no key.
    """

    first: int
    last: int
    start_ns: int
    end_ns: int
    session: str
    place: str | None
    bounds: Box | None
    key: FloatArray | None
    exemplar: int


@dataclass(frozen=True, slots=True)
class _Moment:
    stamp_ns: int
    vector: FloatArray | None
    position: Vector3 | None
    place: str | None
    labels: frozenset[str]
    session: str


class EventSegmenter:
    """Cuts the stream of one robot; an event is handed out once its end cannot move any more."""

    def __init__(self, rule: EventRule | None = None) -> None:
        """Choose the rule.

        Raises:
            InvalidQuery: The rule's lengths contradict each other.
        """
        self.rule = (rule or EventRule()).checked()
        self._open: list[_Moment] = []
        self._first = 0
        self._candidate: int | None = None
        self._place: str | None = None
        self._elsewhere: tuple[str, int] | None = None
        self._expected: FloatArray | None = None
        self._expected_labels: dict[str, float] = {}
        # until something is known any surprise is as likely: 0 and 1 fade with the window
        self._recent = [deque((0.0, 1.0), maxlen=self.rule.window) for _ in range(2)]

    def step(
        self,
        stamp_ns: int,
        vector: FloatArray | None,
        *,
        position: Vector3 | None = None,
        place: str | None = None,
        labels: frozenset[str] = frozenset(),
        session: str = "",
    ) -> list[ClosedEvent]:
        """Take the next moment.

        Args:
            stamp_ns: When; earlier than the one before counts as a gap.
            vector: What it means, shape (d,), any length above 0; None where nothing was said.
            position: Where, metres; None where unknown.
            place: The place that is in; None where unknown, which is no change of place.
            labels: Labels of what was seen; none are no evidence that nothing was there.
            session: Of which run.

        Returns:
            Events that end before it, oldest first.

        Raises:
            InvalidVector: The vector is not finite or has length 0.
            DimensionMismatch: The vector has another length than those before.
        """
        moment = _Moment(stamp_ns, self._unit(vector), position, place, labels, session)
        now = self._first + len(self._open)
        closed = self.finish() if self._breaks_off(moment) else []
        surprising = self._surprising(moment)
        self._open.append(moment)
        if surprising and now - self._latest_cut >= self.rule.shortest:
            closed += self._propose(now)
        if (since := self._settled_elsewhere(place, now)) is not None and since > self._first:
            closed += self._cut(since)
        if self._first + len(self._open) - self._latest_cut >= self.rule.longest:
            closed += self._cut(now + 1)
        return closed

    def finish(self) -> list[ClosedEvent]:
        """End what is open, as at the end of a session.

        Returns:
            The last events, oldest first.
        """
        closed = self._cut(self._first + len(self._open)) if self._open else []
        self._place, self._elsewhere = None, None
        self._expected, self._expected_labels = None, {}
        return closed

    def state(self) -> Json:
        """All that `restore` needs to go on in the middle of an event, as JSON."""
        return {
            "rule": asdict(self.rule),
            "first": self._first,
            "candidate": self._candidate,
            "place": self._place,
            "elsewhere": self._elsewhere,
            "expected": packed(self._expected),
            "expected_labels": self._expected_labels,
            "recent": [list(surprises) for surprises in self._recent],
            "open": [
                [m.stamp_ns, packed(m.vector), m.position, m.place, sorted(m.labels), m.session]
                for m in self._open
            ],
        }

    @classmethod
    def restore(cls, state: Json) -> EventSegmenter:
        """The segmenter whose `state` this is; it goes on as if it had never stopped."""
        segmenter = cls(EventRule(**state["rule"]))
        segmenter._first, segmenter._candidate = state["first"], state["candidate"]
        segmenter._place = state["place"]
        elsewhere = state["elsewhere"]
        segmenter._elsewhere = None if elsewhere is None else (elsewhere[0], elsewhere[1])
        segmenter._expected = _unpacked(state["expected"])
        segmenter._expected_labels = dict(state["expected_labels"])
        for surprises, kept in zip(segmenter._recent, state["recent"], strict=True):
            surprises.clear()
            surprises.extend(kept)
        for stamp_ns, vector, position, place, labels, session in state["open"]:
            where = None if position is None else (position[0], position[1], position[2])
            segmenter._open.append(
                _Moment(stamp_ns, _unpacked(vector), where, place, frozenset(labels), session)
            )
        return segmenter

    @property
    def _latest_cut(self) -> int:
        return self._first if self._candidate is None else self._candidate

    def _unit(self, vector: FloatArray | None) -> FloatArray | None:
        if vector is None:
            return None
        given = np.asarray(vector, np.float32)
        if self._expected is not None and given.shape != self._expected.shape:
            raise DimensionMismatch(
                f"a moment's vector has shape {given.shape}; expected {self._expected.shape}"
            )
        length = float(np.linalg.norm(given))
        if not 0 < length < math.inf:
            raise InvalidVector("a moment's vector is not finite or has length 0")
        return np.asarray(given / length, np.float32)

    def _breaks_off(self, moment: _Moment) -> bool:
        if not self._open:
            return False
        before = self._open[-1]
        silence_s = (moment.stamp_ns - before.stamp_ns) * 1e-9
        return moment.session != before.session or not 0 <= silence_s <= self.rule.gap_s

    def _surprising(self, moment: _Moment) -> bool:
        """Whether words or things surprise more than they lately did; then expect anew."""
        surprises = (
            _surprise_of_vector(moment.vector, self._expected),
            _surprise_of_labels(moment.labels, self._expected_labels),
        )
        is_boundary = False
        for surprise, recent in zip(surprises, self._recent, strict=True):
            if surprise is not None:
                is_boundary |= surprise > self._threshold(recent)
                recent.append(surprise)
        self._expect(moment, share=1.0 if is_boundary else self.rule.decay)
        return is_boundary

    def _threshold(self, recent: Sequence[float]) -> float:
        usual = float(np.mean(recent)) + self.rule.gamma * float(np.std(recent))
        return max(self.rule.least_surprise, usual)

    def _expect(self, moment: _Moment, *, share: float) -> None:
        if moment.vector is not None:
            before = moment.vector if self._expected is None else self._expected
            self._expected = (1 - share) * before + np.float32(share) * moment.vector
        if moment.labels:
            share = share if self._expected_labels else 1.0
            faded = {label: (1 - share) * x for label, x in self._expected_labels.items()}
            for label in moment.labels:
                faded[label] = faded.get(label, 0.0) + share
            self._expected_labels = {label: faded[label] for label in sorted(faded)
                                     if faded[label] > _FORGOTTEN}  # fmt: skip

    def _settled_elsewhere(self, place: str | None, now: int) -> int | None:
        """The moment from which on the robot is in another place, once that has lasted."""
        if place is None:
            return None
        if self._place is None or place == self._place:
            self._place, self._elsewhere = place, None
            return None
        if self._elsewhere is None or self._elsewhere[0] != place:
            self._elsewhere = (place, now)
        since = self._elsewhere[1]
        if now - since + 1 < self.rule.settled:
            return None
        self._place, self._elsewhere = place, None
        return since

    def _propose(self, now: int) -> list[ClosedEvent]:
        """A boundary of surprise before moment `now`; the one proposed before it is settled."""
        refined = None if self._candidate is None else self._refined(now)
        self._candidate = now
        return [] if refined is None else [self._close(refined)]

    def _cut(self, end: int) -> list[ClosedEvent]:
        """A boundary before moment `end` that stays where it is."""
        if self._candidate is not None and self._candidate >= end:
            self._candidate = None
        refined = None if self._candidate is None else self._refined(end)
        self._candidate = None
        closed = [] if refined is None else [self._close(refined)]
        return [*closed, self._close(end)]

    def _refined(self, end: int) -> int | None:
        """Where the candidate parts the moments up to `end` best; None where nothing parts.

        All splits are weighed at once from sums over the similarity matrix, O((end - first)²),
        once an event.
        """
        count = end - self._first
        earliest = max(self.rule.shortest, count - self.rule.longest)
        latest = min(count - self.rule.shortest, self.rule.longest)
        if earliest > latest:
            return None
        similarity = similarities(
            [m.vector for m in self._open[:count]], [m.labels for m in self._open[:count]]
        )
        if similarity is None:
            return self._candidate
        splits = np.arange(earliest, latest + 1)
        best = int(splits[np.argmax(split_modularity(similarity)[splits])])
        if count <= self.rule.longest and _contrast(similarity, best) < self.rule.contrast:
            return None
        return self._first + best

    def _close(self, end: int) -> ClosedEvent:
        """Hand out the open moments before number `end`."""
        count = end - self._first
        moments, self._open = self._open[:count], self._open[count:]
        event = _closed(self._first, moments)
        self._first = end
        return event


def similarities(
    vectors: Sequence[FloatArray | None], labels: Sequence[frozenset[str]]
) -> FloatArray | None:
    """How alike moments are, by meaning (cosine) and by what was seen (Jaccard).

    Args:
        vectors: n unit vectors, None where there is none.
        labels: n sets of labels.

    Returns:
        Shape (n, n), 0 to 1, zeros on the diagonal; the mean of both where both are known, the
        mean over all where nothing is known of a pair; None where nothing is known at all.
    """
    by_meaning, meaning_known = _cosines(vectors)
    by_things, things_known = _jaccard(labels)
    known = meaning_known.astype(np.float64) + things_known
    np.fill_diagonal(known, 0)
    if not known.any():
        return None
    total = by_meaning * meaning_known + by_things * things_known
    alike = np.divide(total, known, out=np.zeros_like(total), where=known > 0)
    alike[known == 0] = alike[known > 0].mean()
    np.fill_diagonal(alike, 0)
    return alike


def split_modularity(similarity: FloatArray) -> FloatArray:
    """Modularity of cutting a sequence in two (Newman and Girvan 2004), at every place.

    Args:
        similarity: Shape (n, n), symmetric, 0 or more, zeros on the diagonal.

    Returns:
        Shape (n + 1,); entry t is for the parts [0, t) and [t, n).
    """
    total = float(similarity.sum())
    corner = np.zeros((similarity.shape[0] + 1,) * 2)
    corner[1:, 1:] = similarity.cumsum(axis=0).cumsum(axis=1)
    if total <= 0:
        return np.zeros(corner.shape[0])
    before, degree_before = np.diagonal(corner), corner[:, -1]
    after = total - 2 * degree_before + before
    shares = (degree_before / total) ** 2 + (1 - degree_before / total) ** 2
    return np.asarray((before + after) / total - shares)


def _contrast(similarity: FloatArray, split: int) -> float:
    """Mean similarity within the two parts above that across them."""
    count = similarity.shape[0]
    sizes = split, count - split
    within = similarity[:split, :split].sum() + similarity[split:, split:].sum()
    pairs = sum(size * (size - 1) for size in sizes)
    across = float(similarity[:split, split:].mean())
    return float(within) / pairs - across if pairs else 1.0


def _cosines(vectors: Sequence[FloatArray | None]) -> tuple[FloatArray, FloatArray]:
    known = np.array([vector is not None for vector in vectors])
    alike = np.zeros((len(vectors),) * 2)
    if known.any():
        rows = np.stack([vector for vector in vectors if vector is not None])
        alike[np.ix_(known, known)] = np.clip(rows @ rows.T, 0, 1)
    return alike, np.outer(known, known).astype(np.float64)


def _jaccard(labels: Sequence[frozenset[str]]) -> tuple[FloatArray, FloatArray]:
    column = {label: place for place, label in enumerate(sorted(frozenset().union(*labels)))}
    present = np.array([[name in names for name in column] for names in labels], np.float64)
    size = present.sum(axis=1)
    common = present @ present.T
    alike = common / np.maximum(size[:, None] + size - common, 1)
    return alike, np.outer(size > 0, size > 0).astype(np.float64)


def _surprise_of_vector(vector: FloatArray | None, expected: FloatArray | None) -> float | None:
    if vector is None or expected is None:
        return None
    length = max(float(np.linalg.norm(expected)), 1e-9)
    return 1 - min(1.0, max(0.0, float(vector @ expected) / length))


def _surprise_of_labels(labels: frozenset[str], expected: dict[str, float]) -> float | None:
    if not labels or not expected:
        return None
    common = sum(share for label, share in expected.items() if label in labels)
    return 1 - common / (len(labels) + sum(expected.values()) - common)


def _closed(first: int, moments: Sequence[_Moment]) -> ClosedEvent:
    vectors = [(n, m.vector) for n, m in enumerate(moments) if m.vector is not None]
    key, exemplar = None, len(moments) // 2
    if vectors:
        rows = np.stack([vector for _, vector in vectors])
        key = np.asarray(rows.mean(axis=0), np.float32)
        exemplar = vectors[int(np.argmax(rows @ key))][0]
    places = [m.place for m in moments if m.place is not None]
    return ClosedEvent(
        first=first,
        last=first + len(moments) - 1,
        start_ns=moments[0].stamp_ns,
        end_ns=moments[-1].stamp_ns,
        session=moments[0].session,
        place=max(places, key=places.count) if places else None,
        bounds=_bounds([m.position for m in moments if m.position is not None]),
        key=key,
        exemplar=first + exemplar,
    )


def _bounds(positions: Sequence[Vector3]) -> Box | None:
    if not positions:
        return None
    x, y, z = zip(*positions, strict=True)
    return Box((min(x), min(y), min(z)), (max(x), max(y), max(z)))


def packed(vector: FloatArray | None) -> str | None:
    """A vector, shape (d,), as the segmenter's state holds it."""
    return None if vector is None else base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _unpacked(text: str | None) -> FloatArray | None:
    return None if text is None else np.frombuffer(base64.b64decode(text), "<f4")
