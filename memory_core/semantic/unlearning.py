"""What some sightings taught about a thing is taken out of it again.

Counts, sums and means are undone exactly; an estimate of position by subtracting information, the
Kalman update backwards. What remains is what the other sightings say, whether their observations
are still stored or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from memory_core.semantic.tracking import LEAST_VARIANCE, Seen
from memory_core.semantic.tracks import Estimate, StateSpan, StaySoFar, Thing, Track
from memory_core.types import FloatArray, Vector3

Item = TypeVar("Item", Track, Thing)

_NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Lost:
    """A sighting that is to be forgotten, when it was made and from where (metres)."""

    seen: Seen
    stamp_ns: int
    standpoint: Vector3


@dataclass(frozen=True, slots=True)
class Left:
    """A sighting of the same thing that is still stored: its label, and when it was made."""

    label: str
    stamp_ns: int


def without(item: Item, lost: Sequence[Lost], left: Sequence[Left]) -> Item | None:
    """A thing, or a viewing of one, as if some sightings had not been made.

    Args:
        item: As it is.
        lost: Sightings it was learnt from.
        left: All others that are stored; those that went before are not among them.

    Returns:
        What remains; None where they were all it rests on.
    """
    labels = _labels(item.labels, lost, Counter(sighting.label for sighting in left))
    if item.sightings <= len(lost) or not labels:
        return None
    size, sized = _size(item.size, item.sized, lost)
    stood = {sighting.standpoint for sighting in lost}
    after = replace(
        item, labels=labels, sightings=item.sightings - len(lost), size=size, sized=sized,
        appearance=_appearance(item.appearance, lost),
        states={name: kept for name, spans in item.states.items() if (kept := _spans(name, spans, lost))},
        vantages=tuple(vantage for vantage in item.vantages if vantage not in stood),
    )  # fmt: skip
    if isinstance(after, Track):
        start_ns, last_ns = _ends(after.start_ns, after.last_ns, after.sightings, left)
        after.where = _parted(after.where, lost)
        after.start_ns, after.last_ns = start_ns, last_ns
        return after
    after.stays = _stays(after.stays, lost, left)
    return after if after.stays else None


def _labels(labels: dict[str, float], lost: Sequence[Lost], left: Counter[str]) -> dict[str, float]:
    """Counts without the lost ones; a label that only they can have given goes."""
    taken: Counter[str] = Counter()
    for sighting in lost:
        taken[sighting.seen.label] += sighting.seen.confidence  # type: ignore[assignment]
    kept = dict(labels)
    for label, count in taken.items():
        rest = max(labels.get(label, 0.0) - count, min(labels.get(label, 0.0), left[label]))
        if rest <= _NOTHING and len(labels) > 1:
            kept.pop(label, None)
        else:  # what it was never called otherwise, the others called it too
            kept[label] = max(rest, _NOTHING)
    return kept


def _size(size: FloatArray, sized: int, lost: Sequence[Lost]) -> tuple[FloatArray, int]:
    gone = [np.array(sighting.seen.size) for sighting in lost if sighting.seen.size is not None]
    if len(gone) >= sized:
        return np.zeros(3), 0
    return (size * sized - sum(gone, np.zeros(3))) / (sized - len(gone)), sized - len(gone)


def _appearance(total: FloatArray | None, lost: Sequence[Lost]) -> FloatArray | None:
    if total is None:
        return None
    for sighting in lost:
        vector = sighting.seen.embedding
        if vector is not None and vector.shape == total.shape:
            total = total - vector
    return total if float(np.linalg.norm(total)) > 1e-3 else None


def _spans(name: str, spans: Sequence[StateSpan], lost: Sequence[Lost]) -> tuple[StateSpan, ...]:
    kept = list(spans)
    for sighting in lost:
        value = sighting.seen.state.get(name)
        for place, span in enumerate(kept):
            if value is None or not span.start_ns <= sighting.stamp_ns <= span.last_ns:
                continue
            if span.readings == 1:
                del kept[place]
            else:
                rest = span.readings - 1
                mean = (span.value * span.readings - value) / rest
                kept[place] = replace(span, value=mean, readings=rest)
            break
    return tuple(kept)


def _stays(
    stays: Sequence[StaySoFar], lost: Sequence[Lost], left: Sequence[Left]
) -> tuple[StaySoFar, ...]:
    """Stays without the lost sightings; one that nothing else tells of was not."""
    kept: list[StaySoFar] = []
    for place, stay in enumerate(stays):
        until = stays[place + 1].start_ns if place + 1 < len(stays) else None
        inside = [s for s in lost if _within(s.stamp_ns, stay, until)]
        if not inside:
            kept.append(stay)
        elif len(inside) < stay.sightings:
            rest = stay.sightings - len(inside)
            others = [s for s in left if _within(s.stamp_ns, stay, until)]
            start_ns, last_ns = _ends(stay.start_ns, stay.last_ns, rest, others)
            kept.append(
                replace(
                    stay, where=_parted(stay.where, inside), sightings=rest,
                    start_ns=start_ns, last_ns=last_ns,
                )
            )  # fmt: skip
        elif place == len(stays) - 1 and kept:  # nothing tells any more that it went there
            kept[-1] = replace(kept[-1], end_ns=None)
    return tuple(kept)


def _within(stamp_ns: int, stay: StaySoFar, until_ns: int | None) -> bool:
    """Whether a sighting was part of a stay; one at the moment of a move is of the later stay."""
    return stay.start_ns <= stamp_ns <= stay.last_ns and (until_ns is None or stamp_ns < until_ns)


def _ends(start_ns: int, last_ns: int, count: int, left: Collection[Left]) -> tuple[int, int]:
    """The first and last of what is left, where all of it is stored."""
    if not left or len(left) != count:
        return start_ns, last_ns
    stamps = [sighting.stamp_ns for sighting in left]
    return min(stamps), max(stamps)


def _parted(where: Estimate, lost: Sequence[Lost]) -> Estimate:
    """An estimate without the information of some sightings."""
    information = np.linalg.inv(where.covariance)
    towards = information @ where.mean
    for sighting in lost:
        own = np.linalg.inv(sighting.seen.covariance + LEAST_VARIANCE * np.eye(3))
        information = information - own
        towards = towards - own @ sighting.seen.position
    information = (information + information.T) / 2
    if float(np.linalg.eigvalsh(information)[0]) <= _NOTHING:
        return where  # the map was corrected in between, or rounding
    covariance = np.linalg.inv(information)
    return Estimate(covariance @ towards, (covariance + covariance.T) / 2)
