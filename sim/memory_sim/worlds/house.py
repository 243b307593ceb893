"""A house in PyBullet, a wheeled robot in it, and its RGB-D camera (headless, TinyRenderer).

The camera gives pictures and noisy depth. Which pixels show which body is known to the detector
alone (`SegmentationDetector`): body numbers never leave this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from memory_core.perception.camera import Intrinsics
from memory_core.types import BoolArray, FloatArray, IntArray, Pose
from memory_sim.worlds.bullet import connect
from memory_sim.worlds.plan import GREY, HousePlan, Part, Placed

CAMERA_HEIGHT_M = 1.1
CAMERA_TILT_RAD = -0.25
NEAR_M, FAR_M = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What the camera gives: picture (h, w, 3), depth (h, w, metres, 0 unknown), and its pose.

    `bodies` is for the detector of this module.
    """

    image: FloatArray
    depth_m: FloatArray
    camera_pose: Pose
    bodies: IntArray


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector says of a picture: label, which pixels (h, w), how sure."""

    label: str
    mask: BoolArray
    score: float


class House:
    """A plan, built. Use as a context manager: the physics server is released on exit."""

    def __init__(self, plan: HousePlan, *, width: int = 320, height: int = 240) -> None:
        """Build the house.

        Args:
            plan: What to build.
            width: Of the camera's picture, pixels.
            height: Of the camera's picture, pixels.

        Raises:
            NotInstalled: PyBullet is missing.
        """
        self.plan = plan
        self._client: Any = connect()
        import pybullet_data

        self._client.setAdditionalSearchPath(pybullet_data.getDataPath())
        self._labels: dict[int, str] = {}
        self._random = np.random.default_rng(plan.seed + 1)
        fov = math.radians(60)
        focal = height / 2 / math.tan(fov / 2)
        self.intrinsics = Intrinsics(focal, focal, width / 2, height / 2, width, height)
        self._projection = self._client.computeProjectionMatrixFOV(
            math.degrees(fov), width / height, NEAR_M, FAR_M
        )
        self._build()
        self._robot = self._solid(
            (Part("cylinder", (0.22, 0, 0.3), (0, 0, 0.15), GREY),), (0, 0, 0), 0.0
        )
        self.pose = Pose()
        self.move(Pose())

    def __enter__(self) -> House:
        """The house itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the physics server."""
        self.close()

    def close(self) -> None:
        """Release the physics server."""
        self._client.disconnect()

    def _build(self) -> None:
        length = max(room.low[0] + room.size[0] for room in self.plan.rooms)
        depth = max(room.low[1] + room.size[1] for room in self.plan.rooms)
        floor = Part("box", (length, depth, 0.1), (length / 2, depth / 2, -0.05), (0.75, 0.68, 0.6))
        self._solid((floor,), (0, 0, 0), 0.0)
        for wall in self.plan.walls:
            part = Part("box", wall.size, (0, 0, 0), (0.9, 0.88, 0.82))
            self._solid((part,), wall.centre, 0.0)
        for thing in self.plan.things:
            if thing.kind.model:
                turn = self._client.getQuaternionFromEuler((0, 0, thing.yaw))
                body = self._client.loadURDF(
                    thing.kind.model, thing.position, turn, useFixedBase=True,
                    globalScaling=thing.kind.scale,
                )  # fmt: skip
                low, _ = self._client.getAABB(body)
                x, y, z = thing.position
                self._client.resetBasePositionAndOrientation(body, (x, y, z + z - low[2]), turn)
            else:
                body = self._solid(thing.kind.parts, thing.position, thing.yaw)
            self._labels[body] = thing.kind.label

    def _solid(
        self, parts: tuple[Part, ...], position: tuple[float, float, float], yaw: float
    ) -> int:
        """One body of several shapes."""
        p = self._client
        shapes = {"box": p.GEOM_BOX, "cylinder": p.GEOM_CYLINDER, "sphere": p.GEOM_SPHERE}
        visual = p.createVisualShapeArray(
            shapeTypes=[shapes[part.shape] for part in parts],
            halfExtents=[[side / 2 for side in part.size] for part in parts],
            radii=[part.size[0] for part in parts],
            lengths=[part.size[2] for part in parts],
            rgbaColors=[[*part.colour, 1] for part in parts],
            visualFramePositions=[part.offset for part in parts],
        )
        turn = p.getQuaternionFromEuler((0, 0, yaw))
        return int(
            p.createMultiBody(
                baseMass=0, baseVisualShapeIndex=visual, basePosition=position, baseOrientation=turn
            )
        )

    def label_centres(self) -> list[tuple[str, tuple[float, float, float]]]:
        """Ground truth for scoring: every thing's label and the middle of its bounds, metres."""
        found = []
        for (body, label), thing in zip(self._labels.items(), self.plan.things, strict=True):
            if thing.kind.model:
                low, high = map(np.array, self._client.getAABB(body))
            else:  # solids have no collision shapes that bounds could be asked of
                low, high = _bounds(thing)
            x, y, z = ((low + high) / 2).tolist()
            found.append((label, (x, y, z)))
        return found

    def move(self, pose: Pose) -> None:
        """Put the robot's base at a pose on the floor."""
        self.pose = pose
        self._client.resetBasePositionAndOrientation(self._robot, pose.position, pose.quaternion)

    def camera_pose(self) -> Pose:
        """The camera's REP-103 frame in the map: above the base, tilted down."""
        tilt = Pose(
            0.1, 0.0, CAMERA_HEIGHT_M, 0.0, math.sin(-CAMERA_TILT_RAD / 2), 0.0,
            math.cos(CAMERA_TILT_RAD / 2),
        )  # fmt: skip
        return self.pose.compose(tilt)

    def look(self) -> Frame:
        """Take a picture with depth (1 % noise, readings beyond 10 m lost)."""
        pose = self.camera_pose()
        axes = pose.matrix()[:3, :3]
        eye = np.array(pose.position)
        view = self._client.computeViewMatrix(eye, eye + axes[:, 0], axes[:, 2])
        camera = self.intrinsics
        _, _, rgba, buffer, bodies = self._client.getCameraImage(
            camera.width, camera.height, view, self._projection,
            renderer=self._client.ER_TINY_RENDERER, shadow=0, lightDirection=(2, -3, 8),
            lightAmbientCoeff=0.65, lightDiffuseCoeff=0.4, lightSpecularCoeff=0.0,
        )  # fmt: skip
        shape = (camera.height, camera.width)
        image = np.reshape(rgba, (*shape, 4))[:, :, :3].astype(np.uint8)
        raw = np.reshape(buffer, shape).astype(np.float64)
        depth = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * raw)
        depth = depth * (1 + 0.01 * self._random.standard_normal(shape))
        depth[raw >= 0.9999] = 0
        return Frame(
            np.ascontiguousarray(image), depth.astype(np.float32), pose,
            np.reshape(bodies, shape).astype(np.int64),
        )  # fmt: skip

    def detector(self, *, misses: float = 0.0, min_pixels: int = 25) -> SegmentationDetector:
        """A detector for this house's pictures."""
        return SegmentationDetector(dict(self._labels), misses=misses, min_pixels=min_pixels,
                                    seed=self.plan.seed)  # fmt: skip


def _bounds(thing: Placed) -> tuple[FloatArray, FloatArray]:
    """The corners of the box around a thing made of solids, metres."""
    corners = []
    for part in thing.kind.parts:
        radius = part.size[0]
        half = {
            "box": [side / 2 for side in part.size],
            "cylinder": [radius, radius, part.size[2] / 2],
            "sphere": [radius, radius, radius],
        }[part.shape]
        signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T
        corners.append(np.array(part.offset) + signs * half)
    x, y, z = thing.position
    placed = Pose.from_yaw(x, y, z=z, yaw=thing.yaw).transform(np.concatenate(corners))
    return placed.min(axis=0), placed.max(axis=0)


class SegmentationDetector:
    """Detections from the renderer's segmentation, with misses. It knows labels, not places."""

    def __init__(
        self, labels: dict[int, str], *, misses: float, min_pixels: int, seed: int
    ) -> None:
        """Take over what each body is called.

        Args:
            labels: By body number.
            misses: Share of detections that are left out, 0 to 1.
            min_pixels: Smaller patches are not seen.
            seed: Of the misses.
        """
        self._labels = labels
        self._misses = misses
        self._min_pixels = min_pixels
        self._random = np.random.default_rng(seed)

    def __call__(self, frame: Frame) -> list[Detection]:
        """The things in a picture: label, mask and score."""
        found = []
        numbers, counts = np.unique(frame.bodies, return_counts=True)
        for body, pixels in zip(numbers.tolist(), counts.tolist(), strict=True):
            label = self._labels.get(body)
            if label is None or pixels < self._min_pixels:
                continue
            if self._random.random() >= self._misses:
                score = min(0.99, 0.5 + pixels / 4_000)
                found.append(Detection(label, frame.bodies == body, score))
        return found
