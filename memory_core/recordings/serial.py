"""Observations as JSON objects and back, exactly: the format of export, import and JSON Lines."""

from __future__ import annotations

import base64
import binascii
import sys
from typing import Any

import numpy as np

from memory_core.errors import InputRejected, InvalidImage, InvalidPose, InvalidSighting
from memory_core.types import (
    DEFAULT_MAP,
    ORIGIN,
    FloatArray,
    Json,
    Keyframe,
    Observation,
    Pose,
    Sighting,
)


def pose_to_json(pose: Pose) -> list[float]:
    """x, y, z, qx, qy, qz, qw."""
    return [*pose.position, *pose.quaternion]


def pose_from_json(value: Any, where: str) -> Pose:
    """A pose from seven numbers, or three (a position).

    Raises:
        InvalidPose: It is neither.
    """
    if not isinstance(value, list) or len(value) not in (3, 7) or not all(map(_is_number, value)):
        raise InvalidPose(f"pose in {where} is {value!r}; expected x, y, z, qx, qy, qz, qw")
    return Pose(*map(float, value))


def _is_number(value: Any) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) <= sys.float_info.max


def _pack(vector: FloatArray) -> str:
    return base64.b64encode(np.asarray(vector, np.float16).tobytes()).decode("ascii")


def _unpack(value: Any, where: str) -> FloatArray:
    try:
        if isinstance(value, list):
            return np.asarray(value, np.float32)
        return np.frombuffer(base64.b64decode(value, validate=True), np.float16).astype(np.float32)
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise InputRejected(
            f"vector in {where} is neither numbers nor base64 of float16: {error}"
        ) from None


def sighting_to_json(sighting: Sighting) -> Json:
    """A sighting; parts that are None are left out."""
    result: dict[str, Json] = {"label": sighting.label, "confidence": sighting.confidence}
    for name in ("position", "covariance", "bearing", "size"):
        value = getattr(sighting, name)
        if value is not None:
            result[name] = list(value)
    if sighting.embedding is not None:
        result["embedding"] = _pack(sighting.embedding)
    if sighting.state:
        result["state"] = dict(sighting.state)
    return result


def sighting_from_json(value: Any, where: str) -> Sighting:
    """A sighting from an object, or from a bare label.

    Raises:
        InvalidSighting: It is neither, or its numbers are not numbers.
    """
    if isinstance(value, str):
        return Sighting(value)
    if not isinstance(value, dict) or not isinstance(value.get("label"), str):
        raise InvalidSighting(f"a sighting in {where} has no label")
    parts: dict[str, Any] = {}
    for name in ("position", "covariance", "bearing", "size"):
        numbers = value.get(name)
        if numbers is not None:
            if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
                raise InvalidSighting(f"{name} of {value['label']!r} in {where} is not numbers")
            parts[name] = tuple(map(float, numbers))
    confidence = value.get("confidence", 1.0)
    if not _is_number(confidence):
        raise InvalidSighting(f"confidence of {value['label']!r} in {where} is no number")
    embedding = value.get("embedding")
    state = value.get("state") or {}
    if not isinstance(state, dict) or not all(map(_is_number, state.values())):
        raise InvalidSighting(f"state of {value['label']!r} in {where} is not numbers by name")
    return Sighting(
        label=value["label"],
        confidence=float(confidence),
        embedding=None if embedding is None else _unpack(embedding, where),
        state={str(name): float(number) for name, number in state.items()},
        **parts,
    )


def observation_to_json(observation: Observation) -> Json:
    """An observation, keyframe and vectors (base64 of float16) included."""
    result: dict[str, Json] = {
        "id": observation.id,
        "stamp_ns": observation.stamp_ns,
        "source": observation.source,
        "robot": observation.robot,
        "session": observation.session,
        "map_id": observation.map_id,
        "anchor_id": observation.anchor_id,
        "localised": observation.localised,
        "confidence": observation.confidence,
    }
    if observation.pose is not None:
        result["pose"] = pose_to_json(observation.pose)
    if observation.covariance is not None:
        result["covariance"] = list(observation.covariance)
    if observation.text is not None:
        result["text"] = observation.text
    if observation.sightings:
        result["sightings"] = [sighting_to_json(item) for item in observation.sightings]
    if observation.keyframe is not None:
        frame = observation.keyframe
        jpeg = base64.b64encode(frame.jpeg).decode("ascii")
        result["keyframe"] = {"width": frame.width, "height": frame.height, "jpeg": jpeg}
    if observation.embeddings:
        result["embeddings"] = {k: _pack(v) for k, v in sorted(observation.embeddings.items())}
    if observation.extra:
        result["extra"] = dict(observation.extra)
    return result


def observation_from_json(value: Json, where: str, *, default_id: str) -> Observation:
    """An observation from its JSON object; only `stamp_ns` must be there.

    Args:
        value: The object.
        where: Where it stands, for messages.
        default_id: Its id where it has none.

    Raises:
        InputRejected: A part has the wrong type; ranges are checked where it is stored.
    """
    for name, kind in (
        ("id", str), ("source", str), ("robot", str), ("session", str), ("map_id", str),
        ("anchor_id", str), ("text", str), ("localised", bool), ("sightings", list),
        ("embeddings", dict), ("extra", dict), ("covariance", list), ("stamp_ns", int),
    ):  # fmt: skip
        if value.get(name) is not None and not isinstance(value[name], kind):
            raise InputRejected(
                f"{name} in {where} is {type(value[name]).__name__}, not {kind.__name__}"
            )
    covariance = value.get("covariance")
    if covariance is not None and not all(map(_is_number, covariance)):
        raise InvalidPose(f"covariance in {where} is not numbers")
    confidence = value.get("confidence", 1.0)
    if not _is_number(confidence):
        raise InputRejected(f"confidence in {where} is no number")
    pose = value.get("pose")
    return Observation(
        id=value.get("id") or default_id,
        stamp_ns=value.get("stamp_ns", 0),
        source=value.get("source") or "jsonl",
        robot=value.get("robot") or "robot",
        session=value.get("session") or "default",
        map_id=value.get("map_id") or DEFAULT_MAP,
        anchor_id=value.get("anchor_id") or ORIGIN,
        pose=None if pose is None else pose_from_json(pose, where),
        covariance=None if covariance is None else tuple(map(float, covariance)),
        localised=value.get("localised") is not False,
        text=value.get("text"),
        sightings=tuple(sighting_from_json(i, where) for i in value.get("sightings") or ()),
        keyframe=_keyframe(value.get("keyframe"), where),
        embeddings={k: _unpack(v, where) for k, v in (value.get("embeddings") or {}).items()},
        confidence=float(confidence),
        extra=value.get("extra") or {},
    )


def _keyframe(value: Any, where: str) -> Keyframe | None:
    if value is None:
        return None
    try:
        jpeg = base64.b64decode(value["jpeg"], validate=True)
        return Keyframe(jpeg, int(value["width"]), int(value["height"]))
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise InvalidImage(f"keyframe in {where} is not width, height, base64: {error}") from None
