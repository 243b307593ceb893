"""What a memory node answers: each service's request to its response."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.node import Node

from memory_core import RobotMemory
from memory_core.errors import CallNotEnabled, InvalidQuery
from memory_core.types import Filters
from robot_memory_ros.convert import (
    acknowledgement_message,
    evidence_message,
    fill_answer,
    forest_message,
    make_message,
    pose_of,
    query_of,
    span_of,
)
from robot_memory_ros.settings import value
from robot_memory_ros.writing import Writer


class Answering:
    """Answers from one open memory."""

    def __init__(
        self, node: Node, memory: RobotMemory, writer: Writer, *, active: Callable[[], bool]
    ) -> None:
        """
        Answer.

        :param node: Whose clock, parameters and log.
        :param memory: What is asked.
        :param writer: Stores what `Observe` brings.
        :param active: Whether anything may change.
        """
        self._node, self._memory, self._writer, self._active = node, memory, writer, active

    def ask(self, request: Any, response: Any) -> Any:
        """Answer `Ask.srv`."""
        clock = self._node.get_clock().now().nanoseconds
        found = self._memory.ask(
            request.question, now_ns=clock or time.time_ns(), zone=request.zone or 'UTC'
        )
        return fill_answer(response, found, make_message)

    def query(self, request: Any, response: Any) -> Any:
        """Answer `Query.srv`."""
        query, mode = query_of(request)
        if mode not in ('attention', 'flat', 'scene'):
            raise InvalidQuery(f'mode {mode!r} is none of attention, flat, scene')
        found = self._memory.recall(query, mode=mode)
        response.evidence = [evidence_message(item, make_message) for item in found.evidence]
        response.objects = [evidence_message(item, make_message) for item in found.objects]
        response.considered = found.considered
        response.seconds = found.seconds
        return response

    def get_forest(self, request: Any, response: Any) -> Any:
        """Answer `GetForest.srv`."""
        nodes = self._memory.forest()
        known = {node.id: node for node in nodes}
        if request.node and request.node not in known:
            raise InvalidQuery(f'the forest has no node {request.node!r}')
        front = [request.node] if request.node else [n.id for n in nodes if n.parent is None]
        depth = 0
        while front and (not request.depth or depth <= request.depth):
            response.nodes += [forest_message(known[name], make_message) for name in front]
            front = [child for name in front for child in known[name].children if child in known]
            depth += 1
        return response

    def verify(self, request: Any, response: Any) -> Any:
        """Answer `Verify.srv`."""
        found = self._memory.verify()
        response.clean = found.clean
        response.problems = [str(problem) for problem in found.problems]
        return response

    # -- what changes something: each use is logged ---------------------------------------------

    def observe(self, request: Any, response: Any) -> Any:
        """Answer `Observe.srv`."""
        self._need_active()
        done = self._writer.store(list(request.observations))
        response.acknowledgement = acknowledgement_message(done, make_message)
        return response

    def move_anchors(self, request: Any, response: Any) -> Any:
        """Answer `MoveAnchors.srv`."""
        self._need_active()
        if len(request.anchors) != len(request.poses):
            raise InvalidQuery(
                f'{len(request.anchors)} anchors need as many poses, not {len(request.poses)}'
            )
        memory, map_id = self._memory, request.map_id or 'map'
        poses = dict(zip(request.anchors, map(pose_of, request.poses), strict=True))
        reason = request.reason or 'a correction'
        for name, pose in poses.items():
            memory.add_anchor(name, pose, map_id=map_id, reason=reason)
        response.epoch = memory.move_anchors(poses, map_id=map_id, reason=reason)
        self._log(f'{len(poses)} anchors of {map_id!r} moved, epoch {response.epoch}: {reason}')
        return response

    def forget(self, request: Any, response: Any) -> Any:
        """Answer `Forget.srv`."""
        if not request.dry_run and not value(self._node, 'allow_forget'):
            raise CallNotEnabled(
                'forgetting is switched off; start memory_node with allow_forget:=true, or ask '
                'with dry_run'
            )
        span, sessions = span_of(request), tuple(request.sessions)
        filters = Filters(span=span, sessions=sessions) if span or sessions else None
        done = self._memory.forget(
            ids=list(request.ids), filters=filters, text=request.text or None,
            reason=request.reason, dry_run=request.dry_run,
        )  # fmt: skip
        response.removed = done if isinstance(done, int) else done.observations
        if not request.dry_run:
            self._log(f'{response.removed} observations were forgotten: {request.reason}')
        return response

    def save(self, request: Any, response: Any) -> Any:
        """Answer `Save.srv`."""
        target = self._backup_folder(request.backup) if request.backup else None
        self._memory.organise()
        if target is not None:
            self._memory.backup(target)
            self._log(f'a backup was written to {target}')
        response.observations = self._memory.store.count()
        response.bytes = disk_bytes(self._memory.folder)
        return response

    def _backup_folder(self, name: str) -> Path:
        """Find where a backup of some name goes: below the folder set for backups alone."""
        allowed = value(self._node, 'backup_folder')
        if not allowed:
            raise CallNotEnabled(
                'backups are switched off; start memory_node with backup_folder:=/a/folder'
            )
        root = Path(allowed).expanduser().resolve()
        target = (root / Path(name).expanduser()).resolve()
        if not target.is_relative_to(root) or target == root:
            raise CallNotEnabled(f'backups go below {root}; {target} is not')
        return target

    def _need_active(self) -> None:
        if not self._active():
            raise InvalidQuery('memory_node is not active; activate it first')

    def _log(self, said: str) -> None:
        self._node.get_logger().info(said)


def disk_bytes(folder: Path) -> int:
    """Add up the size of a memory on disk."""
    total = 0
    for path in folder.rglob('*'):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # the index was just written anew
            continue
    return total
