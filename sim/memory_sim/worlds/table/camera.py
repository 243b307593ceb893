"""Three RGB-D cameras at the table: in front, over the robot's shoulder, and at its wrist.

TinyRenderer draws what stands on the table; the table itself is painted by intersecting rays with
its plane, which costs no triangles. Colours and depth are noisy, light and tints differ from episode
to episode. Frames follow REP-103: x forward, y left, z up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from memory_core.perception.camera import Intrinsics
from memory_core.types import FloatArray, IntArray, Pose, Vector3
from memory_sim.worlds.home.camera import NOISE_M, NOISE_PER_M
from memory_sim.worlds.home.solids import Colour

PIXELS, PORTRAIT_PIXELS = 128, 384
NEAR_M, FAR_M = 0.03, 3.0
TABLE_LOW, TABLE_HIGH = (-0.35, -1.0), (0.95, 1.0)
"""Corners of the table's top, which is z = 0."""
CAMERAS = ("front", "shoulder", "wrist")
_EMPTY_M = 0.99 * FAR_M
_PIXEL_NOISE = 2.5
_SHADE_OF_ROOM: Colour = (0.55, 0.56, 0.58)


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a camera is fixed.

    Attributes:
        pose: In the robot's base frame, or in the tool's.
        on_tool: Whether it moves with the tool.
        field_of_view_rad: From edge to edge.
    """

    pose: Pose
    on_tool: bool
    field_of_view_rad: float

    @property
    def intrinsics(self) -> Intrinsics:
        """The lens."""
        return self.lens(PIXELS)

    def lens(self, pixels: int) -> Intrinsics:
        """The lens before a sensor with so many pixels a side."""
        focal = pixels / 2 / math.tan(self.field_of_view_rad / 2)
        middle = (pixels - 1) / 2
        return Intrinsics(focal, focal, middle, middle, pixels, pixels)


def _looking(eye: Vector3, at: Vector3) -> Pose:
    """A camera at a point that looks at another, upright."""
    ahead = np.array(at) - np.array(eye)
    ahead /= np.linalg.norm(ahead)
    left = np.cross((0.0, 0.0, 1.0), ahead)
    left /= np.linalg.norm(left)
    return _frame(eye, np.stack([ahead, left, np.cross(ahead, left)], axis=1))


def _frame(eye: Vector3, axes: FloatArray) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = eye
    return Pose.from_matrix(matrix)


_OUT_OF_HAND = np.array([[0, 0, 1], [0, -1, 0], [1, 0, 0]])
"""Axes of a camera that looks along the tool's z, up along its x: a column each."""
MOUNTS = {
    "front": Mount(_looking((1.02, 0.0, 0.66), (0.47, 0.0, 0.0)), False, math.radians(50)),
    "shoulder": Mount(_looking((0.0, 0.5, 0.95), (0.5, -0.1, 0.0)), False, math.radians(75)),
    "wrist": Mount(_frame((0.07, 0.0, -0.06), _OUT_OF_HAND), True, math.radians(75)),
}
"""How the cameras are mounted, as a calibration tells it: known to every agent."""


@dataclass(frozen=True, slots=True)
class View:
    """What a camera gives.

    Attributes:
        rgb: Shape (h, w, 3), uint8.
        depth_m: Along the optical axis, shape (h, w), float32; 0 is no reading.
        camera_pose: Its REP-103 frame in the robot's base frame.
        intrinsics: The lens.
    """

    rgb: IntArray
    depth_m: FloatArray
    camera_pose: Pose
    intrinsics: Intrinsics


@dataclass(frozen=True, slots=True)
class Light:
    """How an episode is lit and tinted.

    Attributes:
        direction: Towards the lamp.
        tint: Of the lamp: red, green, blue.
        ambient: Share of light that comes from everywhere.
        diffuse: Share that falls from the lamp.
        table: Colour of the table.
    """

    direction: Vector3
    tint: Colour
    ambient: float
    diffuse: float
    table: Colour

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Light:
        """A lamp somewhere above, a little warm or cold, and one of several tables."""
        turn, reach = random.uniform(0, 2 * math.pi), random.uniform(0.2, 0.8)
        warm = random.uniform(-0.05, 0.05)
        grey = random.uniform(0.55, 0.72)
        wood = random.uniform(0.0, 0.12)
        return cls(
            (reach * math.cos(turn), reach * math.sin(turn), 1.2),
            (1.0 + min(warm, 0), 1.0 - abs(warm) / 2, 1.0 - max(warm, 0)),
            float(random.uniform(0.5, 0.65)), float(random.uniform(0.35, 0.5)),
            (grey + wood, grey, grey - wood),
        )  # fmt: skip

    def on_table(self) -> FloatArray:
        """The table's colour in this light, shape (3,), 0 to 255."""
        lamp = np.array(self.direction) / np.linalg.norm(self.direction)
        bright = self.ambient + self.diffuse * lamp[2]
        return np.asarray(np.clip(np.array(self.table) * self.tint * bright, 0, 1) * 255)


class Camera:
    """One camera of a table."""

    def __init__(self, client: Any, name: str, *, pixels: int = PIXELS) -> None:
        """Set it up.

        Args:
            client: Of PyBullet.
            name: One of `CAMERAS`.
            pixels: A side of the picture.
        """
        self._client, self.mount, self._pixels = client, MOUNTS[name], pixels
        self._projection = client.computeProjectionMatrixFOV(
            math.degrees(self.mount.field_of_view_rad), 1.0, NEAR_M, FAR_M
        )

    @cached_property
    def _rays(self) -> FloatArray:
        """Directions of all pixels at depth 1, camera frame, shape (h * w, 3)."""
        lens = self.mount.lens(self._pixels)
        steps = (np.arange(self._pixels) - lens.cx) / lens.fx
        across, down = np.meshgrid(steps, steps)
        return np.stack([np.ones(across.size), -across.ravel(), -down.ravel()], axis=1)

    def pose(self, tool: Pose) -> Pose:
        """Where it is in the base frame, given the tool."""
        return tool.compose(self.mount.pose) if self.mount.on_tool else self.mount.pose

    def look(self, tool: Pose, light: Light, random: np.random.Generator | None) -> View:
        """Take a picture.

        Args:
            tool: The tool in the base frame.
            light: Of the episode.
            random: Of the sensor's noise; None for a picture without.
        """
        pose = self.pose(tool)
        axes, eye = pose.matrix()[:3, :3], np.array(pose.position)
        client, size = self._client, (self._pixels, self._pixels)
        _, _, rgba, buffer, _ = client.getCameraImage(
            *size, client.computeViewMatrix(eye, eye + axes[:, 0], axes[:, 2]), self._projection,
            renderer=client.ER_TINY_RENDERER, shadow=0, lightDirection=light.direction,
            lightColor=light.tint, lightDistance=3.0, lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse, lightSpecularCoeff=0.0,
            flags=client.ER_NO_SEGMENTATION_MASK,
        )  # fmt: skip
        raw = np.reshape(buffer, size).astype(np.float32)
        depth = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * raw)
        depth[depth > _EMPTY_M] = np.inf
        image = np.reshape(rgba, (*size, 4))[:, :, :3].astype(np.float32)
        image[np.isinf(depth)] = np.array(_SHADE_OF_ROOM) * 255
        table = self._table(axes, eye).reshape(size)
        image[table < depth] = light.on_table()
        depth = np.minimum(depth, table)
        if random is not None:
            image += np.float32(_PIXEL_NOISE) * random.standard_normal(image.shape, np.float32)
            depth += _spread(depth) * random.standard_normal(size, np.float32)
        seen = np.isfinite(depth) & (depth >= NEAR_M) & (depth <= FAR_M)
        return View(
            np.clip(image, 0, 255).astype(np.uint8), np.where(seen, depth, 0).astype(np.float32),
            pose, self.mount.lens(self._pixels),
        )  # fmt: skip

    def _table(self, axes: FloatArray, eye: FloatArray) -> FloatArray:
        """Depth of the table's top in every pixel, infinite beside it, shape (h * w,)."""
        rays = self._rays @ axes.T
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = -eye[2] / rays[:, 2]
        depth = np.where(rays[:, 2] < -1e-6, depth, np.inf)
        spots = eye[:2] + np.where(np.isfinite(depth), depth, 0.0)[:, None] * rays[:, :2]
        on = ((spots >= TABLE_LOW) & (spots <= TABLE_HIGH)).all(axis=1)
        return np.where(on, depth, np.inf)


def _spread(depth: FloatArray) -> FloatArray:
    """Of a sensor's depth: it grows with the square (Khoshelham, Elberink 2012)."""
    true = np.where(np.isfinite(depth), depth, 0)
    return NOISE_M + NOISE_PER_M * true * true
