"""Where a picture was taken: stored pictures of the same place, compared feature by feature.

A shortlist by place vectors (`perception.place.place_vector`) is ranked by how many features
agree on one epipolar geometry; depth is not needed, and what is told are the poses of stored
pictures. `PlaceCheck` holds what a robot sees against where it believes to be.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memory_core.episodic.index import View
from memory_core.episodic.recall import evidence_of
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import EmptyMemory, InvalidImage
from memory_core.geometry import angle_between
from memory_core.perception.keyframes import decode_image
from memory_core.perception.place import (
    SHORTLIST,
    Features,
    agreement,
    describe_small,
    place_vector,
)
from memory_core.types import (
    PLACE_SPACE,
    Evidence,
    FloatArray,
    IntArray,
    Json,
    Keyframe,
    Parts,
    Pose,
)

LEAST_FEATURES = 12
"""Fewer that agree say nothing."""
SURE_FEATURES = 40
"""On RGB-D recordings of a kitchen every first answer with so many was within 1 m."""
SAME_SCALE = (0.8, 1.25)
"""Pictures taken from as near show things as large."""

NOTHING_DESCRIBED = (
    "no picture of this memory was described for its place; those that robot-memory ingest reads "
    "into a new memory, or perception_node brings, are"
)

NEAR_M, NEAR_RAD = 1.5, 0.8
"""A stored picture that is alike was taken here."""
ELSEWHERE_M = 2.5
"""One that is alike and this far away was not."""
APART_M, APART_RAD = 0.3, 0.3
"""Two looks count as two where the robot moved or turned by so much between them."""
LOOKS = 3
"""So many looks that recognise something must say the same, over more than `NEAR_M` of way."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A stored picture that shows the same place.

    Attributes:
        evidence: The observation it belongs to; its weight is the likeness of place vectors.
        pose: Of the robot when it was taken, in the map; None where nobody knew.
        features: How many features agree.
        scale: How much larger the picture asked about shows the same; above 1 it is nearer.
    """

    evidence: Evidence
    pose: Pose | None
    features: int
    scale: float

    @property
    def sure(self) -> bool:
        """Whether enough features agree that the place is the same."""
        return self.features >= SURE_FEATURES

    def to_json(self) -> Json:
        """The object that `--json` prints."""
        return self.evidence.to_json() | {
            "pose": None if self.pose is None else [*self.pose.position, self.pose.yaw],
            "features": self.features, "scale": round(self.scale, 3), "sure": self.sure,
        }  # fmt: skip


def recognise(
    view: View,
    store: EpisodicStore,
    image: FloatArray,
    *,
    allowed: IntArray | None = None,
    shortlist: int = SHORTLIST,
    pause_s: float = 0.0,
) -> list[Recognised]:
    """Stored pictures that show what a picture shows, those that agree most first.

    Args:
        view: What is searched.
        store: Holds the pictures.
        image: Shape (h, w, 3) RGB or (h, w) grey, uint8.
        allowed: Numbers of the observations that may be answered; None for all.
        shortlist: How many stored pictures are compared; each takes some 30 ms of a core.
        pause_s: So long before each of them, others have the processor.

    Raises:
        InvalidImage: It is not a picture.
        EmptyMemory: No stored picture was described.
    """
    image = np.asarray(image)
    if (
        image.dtype != np.uint8
        or not (image.ndim == 2 or image.shape[2:] == (3,))
        or not image.size
    ):
        raise InvalidImage(
            f"the picture has shape {image.shape} of {image.dtype}; expected (h, w, 3) of uint8"
        )
    if PLACE_SPACE not in store.spaces():
        raise EmptyMemory(NOTHING_DESCRIBED)
    seen = describe_small(image)
    vector = place_vector(seen)
    if vector is None:
        return []
    hits = view.nearest(PLACE_SPACE, vector, shortlist, allowed)
    if not len(hits.rowids) and not len(store.embedding_rows(PLACE_SPACE, 0, 1)[0]):
        raise EmptyMemory(NOTHING_DESCRIBED)
    likeness = dict(zip(hits.rowids.tolist(), hits.scores.tolist(), strict=True))
    found = []
    for stored in store.fetch(list(likeness), keyframes=True):
        time.sleep(pause_s)
        then = _features(stored.observation.keyframe)
        if then is None:
            continue
        agreed = agreement(seen, then)
        if agreed.features >= LEAST_FEATURES:
            pose = stored.map_pose
            alike = Parts(meaning=max(0.0, min(1.0, likeness[stored.rowid])))
            evidence = evidence_of(stored, alike, position=None if pose is None else pose.position)
            found.append(Recognised(evidence, pose, agreed.features, agreed.scale))
    return sorted(found, key=lambda item: -item.features)


def _features(keyframe: Keyframe | None) -> Features | None:
    """What a stored picture shows; None where it is gone or cannot be read."""
    try:
        return None if keyframe is None else describe_small(decode_image(keyframe.jpeg))
    except InvalidImage:
        return None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A robot sees what was seen elsewhere.

    Attributes:
        believed: Where it believes to be, in the map.
        seen_from: Where the same was seen from, in the map.
        features: How many features agreed at the last look.
    """

    believed: Pose
    seen_from: Pose
    features: int

    @property
    def metres(self) -> float:
        """How far the two are apart."""
        return _apart(self.believed, self.seen_from)

    def __str__(self) -> str:
        """What to do about it."""
        (x, y, _), (u, v, _) = self.believed.position, self.seen_from.position
        return (
            f"the camera sees what was seen from {u:.1f}, {v:.1f}, but the robot believes to be at "
            f"{x:.1f}, {y:.1f}, {self.metres:.1f} m away ({self.features} features agree): the "
            "initial pose may be wrong; localise it again"
        )


class PlaceCheck:
    """Holds what is seen against where the robot believes to be, look after look."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self.doubt: Doubt | None = None
        self._elsewhere = self._here = 0
        self._last: Pose | None = None
        self._begun, self._shift = Pose(), Pose()

    @property
    def at_ease(self) -> bool:
        """Whether nothing speaks against the pose since it was last confirmed."""
        return self.doubt is None and self._elsewhere == 0

    def wants(self, believed: Pose) -> bool:
        """Whether a look from here would count: from where the last one was made it does not."""
        return self._last is None or _moved(self._last, believed)

    def look(self, believed: Pose, found: Sequence[Recognised]) -> Doubt | None:
        """Take a look into account.

        Args:
            believed: The robot's pose in the map.
            found: What `recognise` found for what it sees, of other moments.

        Returns:
            Why the pose is to be doubted; None where it is not, or no longer.
        """
        if not self.wants(believed):
            return self.doubt
        verdict, sight = _verdict(believed, found)
        if sight is None or sight.pose is None:
            return self.doubt
        self._last = believed
        if verdict == "here":
            self._here, self._elsewhere = self._here + 1, 0
            if self._here >= LOOKS:
                self.doubt = None
            return self.doubt
        if _apart(self._shift.compose(believed), sight.pose) > NEAR_M:
            self._elsewhere = 0  # a wrong pose is wrong in the same way at every look
        if self._elsewhere == 0:
            self._begun, self._shift = believed, sight.pose.compose(believed.inverse())
        self._here, self._elsewhere = 0, self._elsewhere + 1
        if self._elsewhere >= LOOKS and _apart(self._begun, believed) > NEAR_M:
            self.doubt = Doubt(believed, sight.pose, sight.features)
        return self.doubt


def _apart(first: Pose, second: Pose) -> float:
    return float(np.linalg.norm(np.subtract(first.position, second.position)))


def _turned(first: Pose, second: Pose) -> float:
    return angle_between(np.array(first.quaternion), np.array(second.quaternion))


def _moved(before: Pose, now: Pose) -> bool:
    return _apart(before, now) >= APART_M or _turned(before, now) >= APART_RAD


def _verdict(
    believed: Pose, found: Sequence[Recognised]
) -> tuple[Literal["here", "elsewhere", "unknown"], Recognised | None]:
    """What one look says, and the stored picture that says it."""
    low, high = SAME_SCALE
    sure = [(_apart(believed, item.pose), item) for item in found if item.sure and item.pose]
    for apart, item in sure:
        if apart <= NEAR_M and item.pose and _turned(believed, item.pose) <= NEAR_RAD:
            return "here", item
    if any(apart < ELSEWHERE_M for apart, _ in sure):
        return "unknown", None  # between the two: nothing is certain
    alike = [item for _, item in sure if low <= item.scale <= high]
    return ("elsewhere", alike[0]) if alike else ("unknown", None)
