"""Observations made from a number alone, so that what must be stored can be made again."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

from memory_core.types import Keyframe, Observation, Pose, Sighting

WORDS = ("cup", "door", "lamp", "robot", "stairs", "kettle", "plant", "chair", "window", "shelf")
DIMENSION = 8
START_NS = 1_700_000_000_000_000_000


def jpeg(seed: int, size: int = 600) -> bytes:
    """Bytes that pass for a JPEG: its markers around noise."""
    return b"\xff\xd8\xff\xe0" + random.Random(seed).randbytes(size) + b"\xff\xd9"


def unit(seed: int, dimension: int = DIMENSION) -> Any:
    """A random direction, shape (dimension,), float32."""
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def as_stored(vector: Any) -> Any:
    """A vector the way a memory keeps it: float16 numbers."""
    return np.asarray(vector, np.float32).astype(np.float16).astype(np.float32)


def note(number: int, **parts: Any) -> Observation:
    """An observation with words and a place, one second after the one before."""
    base = Observation(
        id=f"note-{number:05d}",
        stamp_ns=START_NS + number * 1_000_000_000,
        text=f"{WORDS[number % len(WORDS)]} number {number}",
        pose=Pose.from_yaw(float(number % 10), float(number // 10), yaw=0.1 * number),
    )
    return replace(base, **parts)


def rich(number: int, **parts: Any) -> Observation:
    """An observation with everything in it: sightings, covariances, vectors, extra, a picture."""
    chance = random.Random(number)
    sightings = tuple(
        Sighting(
            label=chance.choice(WORDS),
            position=(chance.random(), chance.random(), 0.5) if index % 2 else None,
            covariance=tuple(float(n) for n in np.eye(3).ravel()) if index % 2 else None,
            bearing=(chance.random(), 0.25),
            size=(0.5, 0.25, chance.random()),
            confidence=0.5,
            embedding=unit(number * 100 + index),
        )
        for index in range(number % 4)
    )
    return replace(
        note(number),
        source=("camera", "lidar", "note")[number % 3],
        robot=("ann", "bob")[number % 2],
        session=f"run-{number // 50}",
        covariance=tuple(float(n) for n in (np.eye(6) * 0.5).ravel()) if number % 5 == 0 else None,
        localised=number % 7 != 0,
        sightings=sightings,
        keyframe=Keyframe(jpeg(number), 64, 48) if number % 3 == 0 else None,
        embeddings={"image": unit(number)},
        confidence=0.75,
        extra={"number": number, "nested": {"ü": [1, 2.5, None]}},
        **parts,
    )


def differences(stored: Observation, wanted: Observation) -> list[str]:
    """What is not as it should be in an observation fetched with keyframe and vectors."""
    found = []
    if stored != replace(wanted, embeddings={}):
        found.append(f"{stored} is not {wanted}")
    if set(stored.embeddings) != set(wanted.embeddings):
        found.append(f"spaces {sorted(stored.embeddings)} are not {sorted(wanted.embeddings)}")
    for name in set(stored.embeddings) & set(wanted.embeddings):
        if np.abs(stored.embeddings[name] - as_stored(wanted.embeddings[name])).max() > 1e-3:
            found.append(f"vector {name} of {wanted.id} differs")
    for ours, theirs in zip(stored.sightings, wanted.sightings, strict=False):
        if (ours.embedding is None) != (theirs.embedding is None):
            found.append(f"a sighting of {wanted.id} lost its vector")
        elif ours.embedding is not None and (
            np.abs(ours.embedding - as_stored(theirs.embedding)).max() > 1e-3
        ):
            found.append(f"the vector of a sighting of {wanted.id} differs")
    return found
