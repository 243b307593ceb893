"""A tour of a house: where the robot drives, what it perceives, and how that is remembered.

The same perception runs here as on recordings: keyframes by motion and change, detections
placed by depth through Open3D, JPEG pictures. Time is simulated: 0.5 m/s, 45 degrees a second,
two frames a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from memory_core.identity import deterministic_id
from memory_core.perception.camera import object_position
from memory_core.perception.keyframes import KeyframeSelector, encode_jpeg
from memory_core.types import Observation, Pose, Sighting
from memory_sim.perceiving import cut_off, view_of
from memory_sim.worlds.house import FAR_M, Detection, Frame, House
from memory_sim.worlds.plan import HALL_M, ROOM_M, HousePlan

SPEED_M_S = 0.5
TURN_RAD_S = math.radians(45)
PERIOD_S = 0.5
BATTERY_PERIOD_S = 30.0
BATTERY_DRAIN_S = 1 / 7_200


def waypoints(plan: HousePlan) -> list[tuple[float, float]]:
    """Through the hallway into every room and out again."""
    hall_y = ROOM_M + HALL_M / 2
    points: list[tuple[float, float]] = [(0.8, hall_y)]
    for room in sorted(plan.rooms, key=lambda r: (r.low[0], r.low[1])):
        points += [
            (room.door[0], hall_y),
            room.door,
            room.centre,
            room.door,
            (room.door[0], hall_y),
        ]
    return points


def drive(plan: HousePlan) -> Iterator[tuple[float, Pose]]:
    """Stamped poses of a tour: (seconds, base pose), with a full turn in every room."""
    centres = {room.centre for room in plan.rooms}
    points = waypoints(plan)
    here, yaw, ticks = points[0], 0.0, 0
    yield 0.0, Pose.from_yaw(*here, yaw=yaw)
    for target in points[1:]:
        headings = _headings(yaw, math.atan2(target[1] - here[1], target[0] - here[0]))
        for yaw in headings:
            ticks += 1
            yield ticks * PERIOD_S, Pose.from_yaw(*here, yaw=yaw)
        steps = max(1, round(math.dist(here, target) / (SPEED_M_S * PERIOD_S)))
        for step in range(1, steps + 1):
            ticks += 1
            x = here[0] + (target[0] - here[0]) * step / steps
            y = here[1] + (target[1] - here[1]) * step / steps
            yield ticks * PERIOD_S, Pose.from_yaw(x, y, yaw=yaw)
        here = target
        if target in centres:
            for heading in _headings(yaw, yaw + 2 * math.pi, whole=True):
                ticks += 1
                yield ticks * PERIOD_S, Pose.from_yaw(*here, yaw=heading)


def _headings(yaw: float, target: float, *, whole: bool = False) -> list[float]:
    """Headings on the way from one to another, one a period; the short way unless `whole`."""
    difference = target - yaw if whole else math.remainder(target - yaw, 2 * math.pi)
    steps = math.ceil(abs(difference) / (TURN_RAD_S * PERIOD_S) - 1e-9)
    return [yaw + difference * step / steps for step in range(1, steps + 1)]


class Remembers(Protocol):
    """Takes observations one at a time, as `RobotMemory` does."""

    def submit(self, observation: Observation) -> Future[Any]:
        """Take one; the future says when it is kept."""


def sighting_of(detection: Detection, frame: Frame, house: House) -> Sighting | None:
    """A detection placed by depth, in the camera's REP-103 frame; None where there is no depth.

    Things cut by the picture's edge are left out: their middle is not what is seen.
    """
    if cut_off(detection.mask):
        return None
    rows, columns = np.nonzero(detection.mask)
    found = object_position(frame.depth_m, house.intrinsics, detection.mask)
    if found is None:
        return None
    centre, covariance, size = found
    bearing = house.intrinsics.bearing(float(columns.mean()), float(rows.mean()))
    return Sighting(
        detection.label, position=centre, covariance=covariance, bearing=bearing, size=size,
        confidence=detection.score,
    )  # fmt: skip


def _battery(note: Observation, recording: str, number: int, seconds: float) -> Observation:
    """The battery's state at the moment of another observation."""
    charge = round(1 - seconds * BATTERY_DRAIN_S, 4)
    return replace(
        note, id=deterministic_id(recording, "battery", note.stamp_ns, number), source="battery",
        text=f"body state: charge {charge:g}", extra={"body": {"charge": charge}},
    )  # fmt: skip


def tour(
    house: House,
    memory: Remembers,
    *,
    start_ns: int,
    session: str,
    misses: float = 0.05,
) -> None:
    """Drive through a house and remember it while driving.

    Args:
        house: The house, with its robot.
        memory: A memory open for writing, or whatever else takes observations.
        start_ns: When the tour begins, nanoseconds since the epoch.
        session: The tour's name.
        misses: Share of detections that fail, 0 to 1.
    """
    detector = house.detector(misses=misses)
    selector = KeyframeSelector()
    pending = []
    last_battery = -math.inf
    recording = f"house-{house.plan.seed}-{session}"
    for number, (seconds, pose) in enumerate(drive(house.plan)):
        stamp_ns = start_ns + round(seconds * 1e9)
        house.move(pose)

        note = Observation(
            id=deterministic_id(recording, "odometry", stamp_ns, number), stamp_ns=stamp_ns,
            source="odometry", session=session, pose=pose,
        )  # fmt: skip
        pending.append(memory.submit(note))
        if seconds - last_battery >= BATTERY_PERIOD_S:
            last_battery = seconds
            pending.append(memory.submit(_battery(note, recording, number, seconds)))
        frame = house.look()
        if selector.wants(stamp_ns, pose, frame.image):
            placed = [sighting_of(found, frame, house) for found in detector(frame)]
            sightings = tuple(item for item in placed if item is not None)
            observation = replace(
                note, id=deterministic_id(recording, "camera", stamp_ns, number), source="camera",
                pose=frame.camera_pose, sightings=sightings, keyframe=encode_jpeg(frame.image),
                extra={"view": view_of(frame.depth_m, house.intrinsics, range_m=FAR_M)},
            )  # fmt: skip
            pending.append(memory.submit(observation))
    for future in pending:
        future.result()
