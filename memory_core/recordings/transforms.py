"""A tree of coordinate frames over time (what tf2 is in ROS), with interpolation.

Lookups walk from both frames to their common ancestor. Between two stamped transforms the
position is interpolated linearly and the orientation spherically; nothing is extrapolated
further than a tolerance, because a stale transform puts memories in wrong places silently.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

import numpy as np

from memory_core.errors import UnknownFrame
from memory_core.geometry import slerp
from memory_core.types import Pose

DEFAULT_TOLERANCE_NS = 200_000_000
JUMP_NS = 1_000_000_000
"""A clock that goes back by more than this was set back; by less, messages were out of order."""


@dataclass(slots=True)
class _Run:
    stamps: list[int] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)

    def add(self, stamp_ns: int, pose: Pose) -> None:
        place = bisect.bisect_right(self.stamps, stamp_ns)
        if place and self.stamps[place - 1] == stamp_ns:
            self.poses[place - 1] = pose
        else:
            self.stamps.insert(place, stamp_ns)
            self.poses.insert(place, pose)

    def at(self, stamp_ns: int, tolerance_ns: int) -> Pose | None:
        place = bisect.bisect_left(self.stamps, stamp_ns)
        if place < len(self.stamps) and self.stamps[place] == stamp_ns:
            return self.poses[place]
        if place == 0 or place == len(self.stamps):
            end = 0 if place == 0 else -1
            near = abs(self.stamps[end] - stamp_ns) <= tolerance_ns
            return self.poses[end] if near else None
        before, after = self.stamps[place - 1], self.stamps[place]
        return interpolate(
            self.poses[place - 1], self.poses[place], (stamp_ns - before) / (after - before)
        )

    def prune(self, before_ns: int) -> None:
        first = min(bisect.bisect_left(self.stamps, before_ns), len(self.stamps) - 1)
        del self.stamps[:first], self.poses[:first]


@dataclass(slots=True)
class _Edge:
    parent: str
    runs: list[_Run] = field(default_factory=lambda: [_Run()])
    static: bool = False

    def add(self, stamp_ns: int, pose: Pose) -> int:
        stamps = self.runs[-1].stamps
        if not self.static and stamps and stamp_ns < stamps[-1] - JUMP_NS:
            self.runs.append(_Run())
        self.runs[-1].add(stamp_ns, pose)
        return len(self.runs) - 1

    def run(self, number: int) -> _Run:
        return self.runs[min(number, len(self.runs) - 1)]

    def at(self, stamp_ns: int, tolerance_ns: int, run: int) -> Pose | None:
        if self.static:
            return self.runs[-1].poses[-1]
        return self.run(run).at(stamp_ns, tolerance_ns)


def interpolate(start: Pose, end: Pose, fraction: float) -> Pose:
    """The pose between two others: 0 gives `start`, 1 gives `end`."""
    position = np.array(start.position) * (1 - fraction) + np.array(end.position) * fraction
    quaternion = slerp(np.array(start.quaternion), np.array(end.quaternion), fraction)
    return Pose(*map(float, position), *map(float, quaternion))


class TransformTree:
    """Frames, each with one parent; static edges hold at all times.

    Where a clock was set back, the transforms of one frame fall into runs (0, 1, …) whose
    stamps may overlap; nothing is interpolated from one run to another.
    """

    def __init__(self) -> None:
        """Start without frames."""
        self._edges: dict[str, _Edge] = {}

    def add(self, parent: str, child: str, stamp_ns: int, pose: Pose, *, static: bool) -> int:
        """Take one transform.

        Args:
            parent: Frame the pose is given in.
            child: Frame the pose is of.
            stamp_ns: When it held; ignored where static.
            pose: The child's pose in the parent.
            static: Whether it holds at all times.

        Returns:
            The run it belongs to: how often the clock of this frame was set back so far.
        """
        parent, child = parent.lstrip("/"), child.lstrip("/")
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent:
            edge = self._edges[child] = _Edge(parent)
        edge.static = edge.static or static
        return edge.add(stamp_ns, pose)

    @property
    def frames(self) -> set[str]:
        """Every frame that was ever named."""
        return set(self._edges) | {edge.parent for edge in self._edges.values()}

    def parent(self, frame: str) -> str | None:
        """The parent of a frame; None for a root."""
        edge = self._edges.get(frame.lstrip("/"))
        return None if edge is None else edge.parent

    def stamps(self, frame: str, *, run: int = 0) -> list[int]:
        """When a frame's own transform was given, in one run."""
        edge = self._edges.get(frame.lstrip("/"))
        if edge is None or edge.static or run >= len(edge.runs):
            return []
        return list(edge.runs[run].stamps)

    def newest(self, frame: str) -> tuple[int, Pose] | None:
        """The last transform a frame was given, with its stamp; None where there was none."""
        edge = self._edges.get(frame.lstrip("/"))
        run = None if edge is None else edge.runs[-1]
        return (run.stamps[-1], run.poses[-1]) if run is not None and run.stamps else None

    def statics(self) -> list[tuple[str, str, Pose]]:
        """What holds at all times: parent, child, and the child's pose in the parent."""
        return [
            (edge.parent, child, edge.runs[-1].poses[-1])
            for child, edge in self._edges.items()
            if edge.static
        ]

    def is_static(self, frame: str) -> bool:
        """Whether a frame holds its place in its parent at all times."""
        edge = self._edges.get(frame.lstrip("/"))
        return edge is not None and edge.static

    def drop(self, frame: str) -> None:
        """Forget every transform of a frame in its parent."""
        self._edges.pop(frame.lstrip("/"), None)

    def amend(self, frame: str, correction: Pose) -> None:
        """Correct every transform of a frame's newest run, so that none is left that was wrong.

        Args:
            frame: Whose.
            correction: Composed before each, in the parent.
        """
        run = self._edges[frame.lstrip("/")].runs[-1]
        run.poses = [correction.compose(pose) for pose in run.poses]

    def chain(self, frame: str) -> list[str]:
        """A frame, its parent, and so on to the root."""
        chain = [frame.lstrip("/")]
        while (parent := self.parent(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain

    def covered(self, target: str, source: str, *, run: int = 0) -> int | None:
        """Up to which moment the pose of one frame in another is told; None where never yet.

        Args:
            target: Frame the pose is wanted in.
            source: Frame it is wanted of.
            run: Which run of the clock.
        """
        up, down = self.chain(source), self.chain(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            return None
        edges = [self._edges[f] for f in (*up[: up.index(common)], *down[: down.index(common)])]
        moving = [edge for edge in edges if not edge.static]
        if any(run >= len(edge.runs) or not edge.runs[run].stamps for edge in moving):
            return None
        return min((edge.runs[run].stamps[-1] for edge in moving), default=2**63 - 1)

    def prune(self, before_ns: int) -> None:
        """Let go of transforms of the newest run that are older than a moment, all but one.

        For a robot that runs for months. What is left of older runs stays until their frame does.

        Args:
            before_ns: The moment.
        """
        for edge in self._edges.values():
            if not edge.static:
                edge.runs[-1].prune(before_ns)

    def lookup(
        self,
        target: str,
        source: str,
        stamp_ns: int,
        *,
        tolerance_ns: int = DEFAULT_TOLERANCE_NS,
        run: int = 0,
    ) -> Pose:
        """The pose of frame `source` in frame `target` at a moment.

        Args:
            target: Frame the result is given in.
            source: Frame the result is of.
            stamp_ns: The moment.
            tolerance_ns: How far before the first or after the last transform is still taken.
            run: Which run of the clock the moment is in.

        Raises:
            UnknownFrame: A frame is unknown, the two are not connected, or no transform is
                close enough in time.
        """
        up, down = self.chain(source), self.chain(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            known = ", ".join(sorted(self.frames)) or "none"
            raise UnknownFrame(f"no transform connects {target!r} and {source!r}; frames: {known}")
        return (
            self._climb(down[: down.index(common)], stamp_ns, tolerance_ns, run)
            .inverse()
            .compose(self._climb(up[: up.index(common)], stamp_ns, tolerance_ns, run))
        )

    def _climb(self, frames: list[str], stamp_ns: int, tolerance_ns: int, run: int) -> Pose:
        result = Pose()
        for frame in frames:
            edge = self._edges[frame]
            pose = edge.at(stamp_ns, tolerance_ns, run)
            if pose is None:
                stamps = edge.run(run).stamps
                raise UnknownFrame(
                    f"the transform {edge.parent!r} → {frame!r} is known from "
                    f"{stamps[0]} to {stamps[-1]} ns, not at {stamp_ns} ns"
                )
            result = pose.compose(result)
        return result
