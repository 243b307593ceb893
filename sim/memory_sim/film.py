"""Films of a robot at home: seen from outside, through its own eyes, and on the plan of the home.

For people alone: the view from outside and the plan are the simulator's truth, which the robot
does not have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.planning.plans import Plan
from memory_core.types import FloatArray, IntArray, Pose, Vector3
from memory_sim.onlooker import VIEW, Onlooker
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.world import World

SIDE = (240, 180)
"""Width and height of the robot's own picture and of the plan, pixels."""
CAPTION_PX = 40
SIZE = (VIEW[0] + SIDE[0], VIEW[1] + CAPTION_PX)
FRAMES_PER_S = 10
EVERY_S = 0.5
"""Of the robot's time, between two frames: a film runs 5 times as fast as the robot."""
STRIP = 6
_COLUMNS = 2
_MARGIN_PX = 10
_DARK, _GREY, _PALE = (40, 40, 40), (120, 120, 120), (238, 234, 226)
_BLUE, _ORANGE = (0, 114, 178), (213, 94, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Shown:
    """What a frame shows beside the view from outside.

    Attributes:
        pose: Of the robot's base, map.
        image: The robot's own picture, shape (h, w, 3), uint8; None where there is none.
        caption: A line below.
        driven: Where the base was, map.
        way: The way it means to take, map.
        goals: Where what it looks for may be, map, the most likely first.
    """

    pose: Pose
    image: FloatArray | IntArray | None
    caption: str = ""
    driven: Sequence[Vector3] = ()
    way: Sequence[Vector3] = ()
    goals: Sequence[Vector3] = ()


def compose(onlooker: Onlooker, home: HomePlan, shown: Shown) -> IntArray:
    """One frame: the view from outside, the robot's picture, the plan, and a caption.

    Args:
        onlooker: Of the world.
        home: Of the world.
        shown: What else.

    Returns:
        Shape (`SIZE`[1], `SIZE`[0], 3), uint8, red, green, blue.
    """
    (width, height), (_, half) = VIEW, SIDE
    frame = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    frame[:height, :width] = onlooker.look(shown.pose)
    if shown.image is not None:
        frame[:half, width:] = cv2.resize(shown.image, SIDE, interpolation=cv2.INTER_AREA)
    frame[half:height, width:] = _floor_plan(home, shown)
    _write(frame, shown.caption, (_MARGIN_PX, height + 26))
    return frame


class Film:
    """A film of a robot. Use as a context manager; give `see` and `tick` to robot and planner.

    `HouseRobot(…, watch=film.see)`, `film.follow(robot)`, `planner.do(…, interrupted=film.tick)`:
    what is asked all the time whether to stop is where time passes.
    """

    def __init__(self, world: World, path: Path | None = None) -> None:
        """Begin a film.

        Args:
            world: Of the robot.
            path: The file, .mp4 or .gif; None keeps only the moments of the strip.

        Raises:
            InvalidQuery: The name ends otherwise, or this machine cannot write such a video.
        """
        self._world = world
        self._onlooker: Onlooker | None = None
        self._writer = _writer(path) if path is not None else None
        self._robot: HouseRobot | None = None
        self._image: FloatArray | None = None
        self._plan: Plan | None = None
        self._words = self._step = ""
        self._driven: list[Vector3] = []
        self._moments: list[IntArray] = []
        self._moment: tuple[float, IntArray] | None = None
        self._last_ns = -1
        self.frames = 0

    def __enter__(self) -> Film:
        """The film itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the film."""
        self.close()

    def close(self) -> None:
        """Finish the file."""
        if self._onlooker is not None:
            self._onlooker.close()
            self._onlooker = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def follow(self, robot: HouseRobot) -> None:
        """Film a robot that lives in the world from now on."""
        self._robot, self._onlooker = robot, Onlooker(self._world)

    def see(self, frame: Frame) -> None:
        """Take over what the robot sees."""
        self._image = frame.image
        self.tick()

    def plan(self, words: str, plan: Plan | None = None) -> None:
        """Show from now on what was asked for, and the plan for it."""
        self._words, self._step, self._plan = words, "", plan

    def step(self, told: str) -> None:
        """Tell the next step from now on; what was shown last is a moment of the strip."""
        self._keep()
        self._step = told

    def tick(self) -> bool:
        """Take a frame if enough of the robot's time went by; False: it never ends a motion."""
        robot, onlooker = self._robot, self._onlooker
        if robot is None or onlooker is None:
            return False
        if robot.base.stamp_ns - self._last_ns >= EVERY_S * 1e9:
            self._last_ns = robot.base.stamp_ns
            self._shoot(robot, onlooker)
        return False

    def strip(self, path: Path) -> Path:
        """Write some moments of the film, from first to last, as one picture.

        Args:
            path: A .png or .jpg file.

        Raises:
            InvalidQuery: Nothing was filmed.
        """
        self._keep()
        if not self._moments:
            raise InvalidQuery(
                "nothing was filmed; give the film's see and tick to robot and planner"
            )
        chosen = np.linspace(0, len(self._moments) - 1, min(STRIP, len(self._moments)))
        shown = [self._moments[round(float(number))] for number in chosen]
        blank = np.full_like(shown[0], 255)
        shown += [blank] * (-len(shown) % _COLUMNS)
        rows = [np.hstack(shown[row : row + _COLUMNS]) for row in range(0, len(shown), _COLUMNS)]
        picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
        return path

    def _shoot(self, robot: HouseRobot, onlooker: Onlooker) -> None:
        pose, plan = robot.base.true_pose, self._plan
        if not self._driven or math.dist(self._driven[-1], pose.position) > 0.05:
            self._driven.append(pose.position)
        caption = f"{self._words}: {self._step}" if self._step else self._words
        shown = Shown(
            pose, self._image, caption, self._driven, plan.way if plan else (),
            [candidate.position for candidate in plan.candidates] if plan else (),
        )  # fmt: skip
        frame = compose(onlooker, self._world.plan, shown)
        self.frames += 1
        if self._writer is not None:
            self._writer.add(frame)
        tool = robot.base.robot.tool()
        reach_m = round(math.dist(tool.position[:2], pose.position[:2]), 2)
        if self._moment is None or reach_m >= self._moment[0]:
            self._moment = reach_m, frame

    def _keep(self) -> None:
        """The frame of a step with the arm stretched out most, else the last, is its moment."""
        if self._moment is not None:
            self._moments.append(self._moment[1])
            self._moment = None


class _Video:
    """Frames into an .mp4, by OpenCV."""

    def __init__(self, path: Path) -> None:
        code = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), code, FRAMES_PER_S, SIZE)
        if not self._writer.isOpened():
            raise InvalidQuery(f"OpenCV cannot write {path}; name a .gif file in its place")

    def add(self, frame: IntArray) -> None:
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()


class _Animation:
    """Frames into a .gif, by Pillow, half as large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frames: list[IntArray] = []

    def add(self, frame: IntArray) -> None:
        size = (SIZE[0] // 2, SIZE[1] // 2)
        self._frames.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))

    def close(self) -> None:
        from PIL import Image

        pictures = [Image.fromarray(frame).quantize(64) for frame in self._frames]
        if pictures:
            pictures[0].save(
                self._path, save_all=True, append_images=pictures[1:], loop=0,
                duration=1000 // FRAMES_PER_S,
            )  # fmt: skip


def _writer(path: Path) -> _Video | _Animation:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".mp4":
        return _Video(path)
    if path.suffix.lower() == ".gif":
        return _Animation(path)
    raise InvalidQuery(f"a film named {path.name}; expected a name ending in .mp4 or .gif")


def _floor_plan(home: HomePlan, shown: Shown) -> IntArray:
    """Rooms and furniture of the robot's floor, where it drove, and where it means to go."""
    width, height = SIDE
    here = home.room_at(*shown.pose.position)
    floor = here.floor if here is not None else 0
    rooms = [room for room in home.rooms if room.floor == floor]
    low = np.min([room.low for room in rooms], axis=0)
    high = np.max([room.high for room in rooms], axis=0)
    scale = float(np.min((np.array(SIDE) - 2 * _MARGIN_PX) / (high - low)))
    offset = (np.array(SIDE) - scale * (high - low)) / 2

    def pixel(point: Sequence[float]) -> tuple[int, int]:
        x, y = offset + scale * (np.array(point[:2]) - low)
        return round(float(x)), height - round(float(y))

    drawn = np.full((height, width, 3), 255, np.uint8)
    for room in rooms:
        cv2.rectangle(drawn, pixel(room.low), pixel(room.high), _PALE, -1)
        cv2.rectangle(drawn, pixel(room.low), pixel(room.high), _GREY, 1)
    for doorway in home.doorways:
        if doorway.floor == floor:
            cv2.circle(drawn, pixel(doorway.centre), max(2, round(0.4 * scale)), _PALE, -1)
    for piece in home.furniture:
        if home.room_by_name[piece.room].floor == floor and piece.label != "door":
            x1, y1, x2, y2 = piece.rectangle
            cv2.rectangle(drawn, pixel((x1, y1)), pixel((x2, y2)), (205, 196, 180), -1)
    for points, colour, thick in ((shown.driven, _GREY, 1), (shown.way, _BLUE, 2)):
        corners = np.array([pixel(p) for p in points if abs(p[2] - shown.pose.z) < 1.0], np.int32)
        if len(corners) > 1:
            cv2.polylines(drawn, [corners], False, colour, thick, cv2.LINE_AA)
    for rank, goal in enumerate(shown.goals):
        cv2.circle(drawn, pixel(goal), 5 if rank == 0 else 3, _ORANGE, -1 if rank == 0 else 1)
    ahead = shown.pose.apply(0.35, 0.0, 0.0)
    cv2.circle(drawn, pixel(shown.pose.position), max(3, round(0.27 * scale)), _BLUE, -1)
    cv2.line(drawn, pixel(shown.pose.position), pixel(ahead), _DARK, 2, cv2.LINE_AA)
    return drawn


def _write(frame: IntArray, text: str, at: tuple[int, int]) -> None:
    plain = text.encode("ascii", "replace").decode("ascii")
    while plain and cv2.getTextSize(plain, _FONT, 0.5, 1)[0][0] > frame.shape[1] - 2 * at[0]:
        plain = plain.rstrip(".")[:-1] + "..." if len(plain) > 4 else ""
    cv2.putText(frame, plain, at, _FONT, 0.5, _DARK, 1, cv2.LINE_AA)
