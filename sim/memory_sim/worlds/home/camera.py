"""The robot's RGB-D camera: pictures, noisy depth, and frames that get lost.

TinyRenderer draws on the processor; PyBullet's EGL plugin draws on a graphics card where there is
one. Walls and floors come from `shell`. The robot itself is not in its pictures.
"""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from memory_core.perception.camera import Intrinsics
from memory_core.types import FloatArray, IntArray, Pose
from memory_sim.worlds.home.scene import Scene
from memory_sim.worlds.home.shell import Shell

if TYPE_CHECKING:
    from memory_sim.worlds.home.world import World

HEAD_M = (0.08, 0.0, 1.25)
"""Where the camera is in the base's frame."""
FIELD_OF_VIEW_RAD = math.radians(60)
"""From the lower to the upper edge of the picture."""
NEAR_M, FAR_M = 0.1, 10.0
NOISE_M, NOISE_PER_M = 0.001, 0.0018
"""Spread of depth at distance 0, and its growth with the square of the distance."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the camera gives.

    Attributes:
        image: Shape (h, w, 3), uint8.
        depth_m: Along the optical axis, shape (h, w), float32; 0 is no reading.
        camera_pose: Its REP-103 frame (x forward, y left, z up) in the map.
        intrinsics: The lens.
        owners: For the detector of this package alone: whose pixels, shape (h, w).
    """

    image: FloatArray
    depth_m: FloatArray
    camera_pose: Pose
    intrinsics: Intrinsics
    owners: IntArray


def head_pose(base: Pose, *, pan_rad: float = 0.0, tilt_rad: float = 0.0) -> Pose:
    """The camera's frame on its pan-tilt head.

    Args:
        base: Of the robot, on the floor.
        pan_rad: To the left.
        tilt_rad: Upwards; negative looks down.
    """
    turned = base.compose(Pose.from_yaw(HEAD_M[0], HEAD_M[1], z=HEAD_M[2], yaw=pan_rad))
    return turned.compose(Pose(qy=math.sin(-tilt_rad / 2), qw=math.cos(tilt_rad / 2)))


def towards(base: Pose, point: tuple[float, float, float]) -> tuple[float, float]:
    """Pan and tilt that bring a point of the map to the middle of the picture, radians."""
    x, y, z = (a - b for a, b in zip(base.inverse().apply(*point), HEAD_M, strict=True))
    return math.atan2(y, x), math.atan2(z, math.hypot(x, y))


class Camera:
    """A camera in a world."""

    def __init__(
        self,
        world: World,
        *,
        lost: float = 0.0,
        noise: float = 1.0,
        seed: int | None = None,
        renderer: str = "auto",
    ) -> None:
        """Set the camera up.

        Args:
            world: What it looks at.
            lost: Share of frames that never arrive, 0 to 1.
            noise: Factor on the spread of depth; 0 is exact.
            seed: Of noise and losses; None takes them from the plan's seed and the day.
            renderer: `tiny`, `egl`, or `auto`: EGL where a graphics card can be used.

        Raises:
            ValueError: There is no such renderer, or EGL was asked for and cannot be used.
        """
        if renderer not in ("auto", "tiny", "egl"):
            raise ValueError(f"renderer {renderer!r}; expected auto, tiny or egl")
        if renderer == "egl" and not graphics_card():
            raise ValueError("no graphics card that PyBullet's EGL plugin can use; take tiny")
        use_egl = renderer == "egl" or (renderer == "auto" and graphics_card())
        self._scene = Scene(world, cull=not use_egl)
        client = self._scene.client
        self._renderer = client.ER_TINY_RENDERER
        if use_egl:
            client.loadPlugin(_egl_plugin(), "_eglRendererPlugin")
            self._renderer = client.ER_BULLET_HARDWARE_OPENGL
        self._light = world.state.lighting
        self._lost, self._noise = lost, noise
        self._drawn: tuple[tuple[Pose, int], FloatArray, FloatArray, IntArray] | None = None
        stream = [world.plan.seed, world.state.day, 3] if seed is None else [seed]
        self._random = np.random.default_rng(stream)
        width, height = world.width, world.height
        focal = height / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)
        self.intrinsics = Intrinsics(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)
        self._shell = Shell(world.plan, self._light, self.intrinsics)
        self._tangents = (width / 2 / focal, height / 2 / focal)
        self._projection = client.computeProjectionMatrixFOV(
            math.degrees(FIELD_OF_VIEW_RAD), width / height, NEAR_M, FAR_M
        )

    def close(self) -> None:
        """Release the renderer."""
        self._scene.close()

    def look(self, camera: Pose) -> Frame | None:
        """Take a picture with depth.

        Args:
            camera: The camera's REP-103 frame in the map; see `head_pose`.

        Returns:
            The frame; None where it got lost.
        """
        if self._lost and self._random.random() < self._lost:
            return None
        drawn = (camera, self._scene.revision)
        if self._drawn is None or self._drawn[0] != drawn:  # a look is repeated to be sure
            self._drawn = (drawn, *self._draw(camera))
        _, image, nearness, owners = self._drawn
        depth_m = self._measured(nearness)
        return Frame(image.copy(), depth_m, camera, self.intrinsics, owners.copy())

    def _draw(self, camera: Pose) -> tuple[FloatArray, FloatArray, IntArray]:
        """Colours, the inverse of exact depth, and whose pixels, as they are from a pose."""
        lens = self.intrinsics
        wedges = self._scene.show_for(camera, tangents=self._tangents, far_m=FAR_M)
        image, nearness = self._shell.paint(camera, wedges)
        client, axes = self._scene.client, camera.matrix()[:3, :3]
        eye = np.array(camera.position)
        _, _, rgba, buffer, bodies = client.getCameraImage(
            lens.width, lens.height,
            client.computeViewMatrix(eye, eye + axes[:, 0], axes[:, 2]), self._projection,
            renderer=self._renderer, shadow=0, lightDirection=self._light.direction,
            lightColor=self._light.tint, lightAmbientCoeff=self._light.ambient,
            lightDiffuseCoeff=self._light.diffuse, lightSpecularCoeff=0.0,
        )  # fmt: skip
        shape = (lens.height, lens.width)
        raw = np.asarray(buffer, np.float32).reshape(shape)
        near = (FAR_M - np.float32(FAR_M - NEAR_M) * raw) / np.float32(FAR_M * NEAR_M)
        solid = (near > nearness) & (raw < 1)
        colours = np.asarray(rgba, np.uint8).reshape(*shape, 4)
        cv2.copyTo(cv2.cvtColor(colours, cv2.COLOR_RGBA2RGB), solid.view(np.uint8), image)
        np.copyto(nearness, near, where=solid)
        # the last entry is for -1, no body
        owners = self._scene.owner_of_body.take(np.reshape(bodies, shape), mode="wrap") * solid
        return image, nearness, owners

    def _measured(self, nearness: FloatArray) -> FloatArray:
        """Depth as a sensor gives it: spread grows with the square (Khoshelham, Elberink 2012)."""
        depth = 1 / np.maximum(nearness, np.float32(0.5 / FAR_M))
        in_range = (depth <= FAR_M) & (depth >= NEAR_M)
        if self._noise:
            spread = self._noise * (NOISE_M + NOISE_PER_M * depth * depth)
            depth += spread * self._random.standard_normal(depth.shape, dtype=np.float32)
        return np.where(in_range, depth, np.float32(0))


@cache
def graphics_card() -> bool:
    """Whether PyBullet's EGL plugin can draw here.

    The plugin ends the process where it cannot, so another process tries it first.
    """
    devices = (Path("/dev/nvidia0"), Path("/dev/dri/renderD128"))
    if not any(device.exists() for device in devices):
        return False
    if importlib.util.find_spec("eglRenderer") is None:
        return False
    trial = (
        "import pybullet as p, sys; p.connect(p.DIRECT);"
        f"sys.exit(p.loadPlugin({_egl_plugin()!r}, '_eglRendererPlugin') < 0"
        " or not p.getCameraImage(8, 8)[2].any())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", trial], capture_output=True, timeout=60, check=False
    )
    return ran.returncode == 0


def _egl_plugin() -> str:
    spec = importlib.util.find_spec("eglRenderer")
    return str(spec.origin) if spec is not None else ""
