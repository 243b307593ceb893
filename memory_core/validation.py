"""The gate: what an observation must satisfy before it is remembered.

Every check raises a typed error that says what was expected, what came and what to do; nothing
is repaired silently. Limits are generous for robots and small for accidents.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from memory_core.errors import (
    EmptyObservation,
    InputRejected,
    InvalidId,
    InvalidImage,
    InvalidPose,
    InvalidQuery,
    InvalidSighting,
    InvalidStamp,
    InvalidText,
)
from memory_core.types import (
    Box,
    Filters,
    Keyframe,
    Observation,
    Pose,
    Query,
    Sighting,
    Sphere,
    TimeSpan,
)

MAX_NAME = 256
MAX_SPACE_NAME = 64
MAX_TEXT = 65_536
MAX_LABEL = 256
MAX_EXTRA = 65_536
MAX_SIGHTINGS = 4_096
MAX_KEYFRAME_BYTES = 16 * 2**20
MAX_QUERY = 4_096
MAX_K = 1_000
LAST_STAMP_NS = 2**63 - 1
QUATERNION_TOLERANCE = 1e-3


def check_observation(observation: Observation) -> None:
    """Refuse an observation that cannot be remembered as it is.

    Args:
        observation: What came from outside.

    Raises:
        InputRejected: The subclass says which rule was broken; the message names the
            observation.
    """
    if not isinstance(observation, Observation):
        raise InputRejected(f"{type(observation).__name__} is no Observation")
    try:
        _check_parts(observation)
    except InputRejected as error:
        raise type(error)(f"{error} (observation {str(observation.id)[:64]!r})") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise InputRejected(
            f"a part has the wrong type: {error} (observation {str(observation.id)[:64]!r})"
        ) from None


def _check_parts(observation: Observation) -> None:
    _check_name("id", observation.id, InvalidId)
    for name in ("source", "robot", "session", "map_id", "anchor_id"):
        _check_name(name, getattr(observation, name), InvalidId)
    check_stamp(observation.stamp_ns)
    if observation.pose is not None:
        check_pose(observation.pose)
    _check_covariance(observation.covariance, 6, InvalidPose)
    _check_fraction("confidence", observation.confidence, InputRejected)
    if observation.text is not None:
        check_text(observation.text, limit=MAX_TEXT)
    if len(observation.sightings) > MAX_SIGHTINGS:
        raise InvalidSighting(
            f"{len(observation.sightings)} sightings in one observation; at most {MAX_SIGHTINGS}"
        )
    for sighting in observation.sightings:
        check_sighting(sighting)
    if observation.keyframe is not None:
        check_keyframe(observation.keyframe)
    for name in observation.embeddings:
        _check_name("a vector space", name, InvalidId)
        if len(name) > MAX_SPACE_NAME:
            raise InvalidId(f"vector space {name[:20]!r}… has over {MAX_SPACE_NAME} characters")
    _check_extra(observation.extra)
    if not (
        observation.text
        or observation.sightings
        or observation.keyframe
        or observation.embeddings
        or observation.extra
        or observation.pose
    ):
        raise EmptyObservation("nothing was seen, said or measured")


def _check_name(field: str, value: Any, error: type[InputRejected]) -> None:
    if not isinstance(value, str) or not value.strip():
        raise error(f"{field} is {value!r}; expected a name")
    if len(value) > MAX_NAME:
        raise error(f"{field} has {len(value)} characters; at most {MAX_NAME}")
    if "\x00" in value or not _encodable(value):
        raise error(f"{field} holds characters that are not text")


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_stamp(stamp_ns: Any) -> None:
    """Refuse a time that is no positive int64 of nanoseconds since the epoch."""
    if isinstance(stamp_ns, bool) or not isinstance(stamp_ns, int | np.integer):
        raise InvalidStamp(f"stamp is {stamp_ns!r}; expected whole nanoseconds since the epoch")
    if not 0 < stamp_ns <= LAST_STAMP_NS:
        raise InvalidStamp(f"stamp is {stamp_ns} ns; expected 1 to {LAST_STAMP_NS}")


def check_pose(pose: Pose) -> None:
    """Refuse a pose with NaN, infinity or a quaternion that is not of length 1."""
    numbers = (*pose.position, *pose.quaternion)
    if not all(isinstance(n, int | float | np.number) and math.isfinite(n) for n in numbers):
        raise InvalidPose(f"pose {numbers} is not finite")
    length = math.sqrt(sum(q * q for q in pose.quaternion))
    if abs(length - 1) > QUATERNION_TOLERANCE:
        raise InvalidPose(
            f"pose quaternion has length {length:.3g}; expected 1 ± {QUATERNION_TOLERANCE}"
        )


def _check_covariance(
    covariance: tuple[float, ...] | None, side: int, error: type[InputRejected]
) -> None:
    if covariance is None:
        return
    if len(covariance) != side * side:
        raise error(f"covariance has {len(covariance)} numbers; expected {side * side}")
    if not all(math.isfinite(n) for n in covariance):
        raise error("covariance is not finite")
    if any(covariance[i * side + i] < 0 for i in range(side)):
        raise error("covariance has a negative variance on its diagonal")


def _check_fraction(field: str, value: float, error: type[InputRejected]) -> None:
    if not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
        raise error(f"{field} is {value!r}; expected 0 to 1")


def check_text(text: Any, *, limit: int) -> None:
    """Refuse what is not text, is blank, or is longer than `limit` characters."""
    if not isinstance(text, str):
        raise InvalidText(f"text is {type(text).__name__}; expected str")
    if not text.strip():
        raise InvalidText("text is empty; leave it out where there are no words")
    if len(text) > limit:
        raise InvalidText(f"text has {len(text)} characters; at most {limit}")
    if "\x00" in text or not _encodable(text):
        raise InvalidText("text holds characters that are not text (NUL or lone surrogates)")


def check_sighting(sighting: Sighting) -> None:
    """Refuse a sighting without a label, or with numbers that are not finite."""
    if not isinstance(sighting.label, str) or not sighting.label.strip():
        raise InvalidSighting(f"a sighting's label is {sighting.label!r}; expected a word")
    if len(sighting.label) > MAX_LABEL or not _encodable(sighting.label):
        raise InvalidSighting(f"a sighting's label is not text of at most {MAX_LABEL} characters")
    for name, length in (("position", 3), ("bearing", 2), ("size", 3)):
        numbers = getattr(sighting, name)
        if numbers is None:
            continue
        if len(numbers) != length or not all(math.isfinite(n) for n in numbers):
            raise InvalidSighting(
                f"{name} of {sighting.label!r} is {numbers}; expected {length} finite numbers"
            )
    _check_covariance(sighting.covariance, 3, InvalidSighting)
    if not isinstance(sighting.state, Mapping) or not all(
        isinstance(name, str) and isinstance(number, int | float) and math.isfinite(number)
        for name, number in sighting.state.items()
    ):
        raise InvalidSighting(
            f"state of {sighting.label!r} is {sighting.state!r}; expected finite numbers by name"
        )
    _check_fraction(f"confidence of {sighting.label!r}", sighting.confidence, InvalidSighting)


def check_keyframe(keyframe: Keyframe) -> None:
    """Refuse what is not a JPEG of plausible size.

    The whole picture is not decoded here (that would cost more than storing it): the header
    and the end marker are read. Readers that make keyframes decode them.
    """
    if not keyframe.jpeg:
        raise InvalidImage("keyframe is empty")
    if len(keyframe.jpeg) > MAX_KEYFRAME_BYTES:
        raise InvalidImage(f"keyframe has {len(keyframe.jpeg)} bytes; at most {MAX_KEYFRAME_BYTES}")
    if not keyframe.jpeg.startswith(b"\xff\xd8\xff") or b"\xff\xd9" not in keyframe.jpeg[-64:]:
        raise InvalidImage("keyframe is not a whole JPEG (start or end marker is missing)")
    if keyframe.width < 1 or keyframe.height < 1:
        raise InvalidImage(f"keyframe is {keyframe.width} x {keyframe.height} pixels")


def _check_extra(extra: Any) -> None:
    if not extra:
        return
    try:
        encoded = json.dumps(dict(extra), allow_nan=False, ensure_ascii=False)
        encoded.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise InputRejected(f"extra is not JSON: {error}") from None
    if len(encoded) > MAX_EXTRA:
        raise InputRejected(f"extra has {len(encoded)} characters of JSON; at most {MAX_EXTRA}")


def check_query(query: Query) -> None:
    """Refuse a query that contradicts itself or passes a limit.

    Args:
        query: What is to be recalled.

    Raises:
        InvalidQuery: The message names the part.
    """
    if query.text is not None:
        try:
            check_text(query.text, limit=MAX_QUERY)
        except InvalidText as error:
            raise InvalidQuery(f"question: {error}") from None
    if not isinstance(query.k, int) or not 1 <= query.k <= MAX_K:
        raise InvalidQuery(f"k is {query.k}; expected 1 to {MAX_K}")
    for name in ("near_scale_m", "around_scale_s"):
        value = getattr(query, name)
        if not (math.isfinite(value) and value > 0):
            raise InvalidQuery(f"{name} is {value}; expected a positive number")
    if query.near is not None and not _finite(query.near):
        raise InvalidQuery(f"near is {query.near}; expected three finite numbers")
    check_filters(query.filters)


def check_filters(filters: Filters) -> None:
    """Refuse a span that ends before it begins and a region that holds nothing."""
    span = filters.span or TimeSpan()
    if span.start_ns is not None and span.end_ns is not None and span.end_ns < span.start_ns:
        raise InvalidQuery(
            f"time span ends at {span.end_ns} ns, before it begins at {span.start_ns} ns"
        )
    region = filters.region
    if isinstance(region, Box):
        if len(region.low) != 3 or len(region.high) != 3:
            raise InvalidQuery(f"box {region} needs x, y, z of both corners")
        if not _finite(region.low + region.high, infinite=True):
            raise InvalidQuery("box holds NaN")
        if any(high < low for low, high in zip(region.low, region.high, strict=True)):
            raise InvalidQuery(f"box is empty: low {region.low}, high {region.high}")
    if isinstance(region, Sphere) and not (
        _finite(region.centre) and math.isfinite(region.radius_m) and region.radius_m >= 0
    ):
        raise InvalidQuery(f"region {region} is not a finite circle")


def _finite(numbers: Iterable[float], *, infinite: bool = False) -> bool:
    return all(math.isfinite(n) or (infinite and math.isinf(n)) for n in numbers)
