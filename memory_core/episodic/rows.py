"""Observations to rows and back. Vectors are float16, covariances float64, names are numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_core.errors import DimensionMismatch, InvalidVector
from memory_core.types import (
    FloatArray,
    Keyframe,
    Observation,
    Pose,
    Sighting,
    Vector3,
)

Row = tuple[Any, ...]
_HALF_ROUNDING = 6e-4  # a unit vector read back from float16 is packed as it is


@dataclass(frozen=True, slots=True)
class Stored:
    """An observation as it lies in the database.

    Attributes:
        rowid: Its number in the database and in every index.
        observation: The observation; its keyframe only where it was asked for.
        map_pose: Its pose in the map, from the anchor's current pose; None without a pose.
        epoch: The map's epoch.
        keyframe_bytes: Size of its picture, 0 without one.
        entities: For each sighting the number of the entity it shows; None where undecided.
    """

    rowid: int
    observation: Observation
    map_pose: Pose | None
    epoch: int
    keyframe_bytes: int
    entities: tuple[int | None, ...] = ()

    def sighting_position(self, sighting: Sighting) -> Vector3 | None:
        """Where a sighting was, in map coordinates (metres); None without depth or pose."""
        if sighting.position is None or self.map_pose is None:
            return None
        return self.map_pose.apply(*sighting.position)


def pack_vector(vector: FloatArray, dimension: int | None = None) -> bytes:
    """A vector at length 1 as float16 bytes.

    Args:
        vector: Shape (d,); any length but 0.
        dimension: The d expected; None takes any.

    Raises:
        DimensionMismatch: It has another shape.
        InvalidVector: It is not finite, or zero.
    """
    array = np.asarray(vector, dtype=np.float32)
    if array.ndim != 1 or (dimension is not None and array.size != dimension):
        raise DimensionMismatch(f"vector has shape {array.shape}; expected ({dimension or 'd'},)")
    length = float(np.sqrt(np.dot(array, array)))
    if not np.isfinite(length) or length == 0.0:
        raise InvalidVector(f"vector has length {length}; expected finite numbers, not all zero")
    if abs(length - 1) > _HALF_ROUNDING:
        array = array / np.float32(length)
    return array.astype(np.float16).tobytes()


def unpack_vector(blob: bytes) -> FloatArray:
    """The float32 vector of `pack_vector`'s bytes, shape (d,)."""
    return np.frombuffer(blob, dtype=np.float16).astype(np.float32)


def pack_floats(numbers: Sequence[float] | None) -> bytes | None:
    """Numbers as float64 bytes."""
    return None if numbers is None else np.asarray(numbers, dtype=np.float64).tobytes()


def unpack_floats(blob: bytes | None) -> tuple[float, ...] | None:
    """The numbers of `pack_floats`' bytes."""
    return None if blob is None else tuple(np.frombuffer(blob, dtype=np.float64).tolist())


def words_of(observation: Observation) -> str:
    """What the lexical index holds of an observation: its text, then its labels."""
    labels = " ".join(sighting.label for sighting in observation.sightings)
    return f"{observation.text or ''} {labels}".strip()


def pack_extra(extra: Mapping[str, Any]) -> str | None:
    """The `extra` of an observation as JSON text."""
    return json.dumps(dict(extra), ensure_ascii=False) if extra else None


def sighting_row(rowid: int, sequence: int, sighting: Sighting, label: int) -> Row:
    """One row of `sightings`.

    Args:
        rowid: The observation's.
        sequence: Its place in the observation, from 0.
        sighting: The sighting.
        label: The number of its label in `names`.
    """
    return (
        rowid,
        sequence,
        label,
        *_numbers(sighting.position, 3),
        pack_floats(sighting.covariance),
        *_numbers(sighting.bearing, 2),
        *_numbers(sighting.size, 3),
        float(sighting.confidence),
        None if sighting.embedding is None else pack_vector(sighting.embedding),
        json.dumps(dict(sighting.state)) if sighting.state else None,
    )


def _numbers(values: Sequence[float] | None, count: int) -> Sequence[float | None]:
    return (None,) * count if values is None else [float(value) for value in values]


def sighting_of(row: Row, label: str) -> Sighting:
    """The sighting of a row without its first three columns.

    Args:
        row: x, y, z, covariance, azimuth, elevation, size x, y, z, confidence, embedding, state.
        label: The label itself.
    """
    x, y, z, covariance, azimuth, elevation, *size, confidence, embedding, state = row
    return Sighting(
        label=label,
        position=None if x is None else (x, y, z),
        covariance=unpack_floats(covariance),
        bearing=None if azimuth is None else (azimuth, elevation),
        size=None if size[0] is None else (size[0], size[1], size[2]),
        confidence=confidence,
        embedding=None if embedding is None else unpack_vector(embedding),
        state=json.loads(state) if state else {},
    )


def keyframe_of(row: Row) -> Keyframe:
    """The keyframe of a row: width, height, jpeg."""
    width, height, jpeg = row
    return Keyframe(jpeg=jpeg, width=width, height=height)


def chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Consecutive slices of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
