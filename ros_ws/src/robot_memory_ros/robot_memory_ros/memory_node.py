"""The memory as a lifecycle node: observations in; questions, evidence and structure out."""

from __future__ import annotations

import math
import queue
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from robot_memory_interfaces.msg import Acknowledgement as AcknowledgementMessage
from robot_memory_interfaces.msg import Observation as ObservationMessage
from robot_memory_interfaces.srv import Ask, Forget, GetForest, Observe, Query, Save, Verify
from visualization_msgs.msg import MarkerArray

from memory_core import RobotMemory
from memory_core.errors import InputRejected, InvalidQuery, RobotMemoryError
from memory_core.semantic.consolidation import Retention
from memory_core.types import Acknowledgement, Filters, Observation, Pose, Refusal
from robot_memory_ros import qos
from robot_memory_ros.convert import (
    acknowledgement_message,
    evidence_message,
    fill_answer,
    forest_message,
    make_message,
    observation_of,
    query_of,
    span_of,
)
from robot_memory_ros.markers import entity_markers, forest_markers
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.watching import diagnostics

SETTINGS = {
    'folder': Setting('~/robot-memory', 'where the memory lies; made where there is none'),
    'encoder': Setting('default', 'text encoder: default, hashing, none, or the name of a model'),
    'queue_size': Setting(2_000, 'observations that wait to be stored; more are dropped (and '
                          'sent again by perception_node)', 1, 1_000_000),
    'batch_size': Setting(100, 'stored in one go at most', 1, 10_000),
    'query_threads': Setting(2, 'questions answered at the same time', 1, 16),
    'marker_period': Setting(5.0, 'markers are made anew so often, seconds; 0: never', 0.0,
                             3600.0, fixed=False),
    'marker_limit': Setting(500, 'entities and areas shown at most', 0, 10_000, fixed=False),
    'keep_observations': Setting(0, 'consolidated down to so many; 0: no bound', 0, 2**40),
    'policy': Setting('ebbinghaus', 'which go first where there are more'),
    'minimum_free': Setting(200_000_000, 'bytes of disk below which diagnostics warn', 0, 2**50,
                            fixed=False),
    'autostart': Setting(True, 'configure and activate without a lifecycle manager'),
}  # fmt: skip
IDLE_S = 0.05
ANSWERING_S = 5.0
THREADS = 16
"""Of the executor: more than questions that can wait at once, so that observations go on."""
INTERNAL = 'internal'


class MemoryNode(LifecycleNode):
    """Owns one memory; one thread writes, a few answer."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters; the memory is opened by `configure`."""
        super().__init__('memory_node', **options)
        declare(self, SETTINGS)
        self._memory: RobotMemory | None = None
        self._active = threading.Event()
        self._stopping = threading.Event()
        self._queue: queue.Queue[ObservationMessage] = queue.Queue()
        self._waiting: set[str] = set()
        self._answering = 0
        self._quiet = threading.Condition()
        self._counts: Counter[str] = Counter()
        self._written_s: float | None = None
        self._worker: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._anchors: set[tuple[str, str]] = set()
        self._shown = (-1, -1)
        self._marked_s = -math.inf
        self._parts: list[Any] = []

    # -- lifecycle ------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the memory, and offer what it can be asked."""
        folder = Path(value(self, 'folder')).expanduser()
        kept = value(self, 'keep_observations')
        try:
            retention = Retention(kept, value(self, 'policy')) if kept else None
            self._memory = RobotMemory.open(
                folder, text_encoder=encoder_of(value(self, 'encoder')), retention=retention
            )
        except RobotMemoryError as error:
            self.get_logger().error(f'{folder} cannot be opened ({error.code}): {error}')
            return TransitionCallbackReturn.FAILURE
        self._queue = queue.Queue(value(self, 'queue_size'))
        self._waiting = set()
        self._stopping = threading.Event()
        self._shown = (-1, -1)
        self._offer()
        self.get_logger().info(f'{folder}: {self._memory.store.count():,} observations')
        return super().on_configure(state)

    def _offer(self) -> None:
        asking, taking = ReentrantCallbackGroup(), MutuallyExclusiveCallbackGroup()
        apart = MutuallyExclusiveCallbackGroup()
        self._pool = ThreadPoolExecutor(value(self, 'query_threads'), 'memory-query')
        self._durable = self.create_lifecycle_publisher(
            AcknowledgementMessage, 'durable', qos.STREAM
        )
        self._told = self.create_lifecycle_publisher(DiagnosticArray, '/diagnostics', 10)
        self._entities = self.create_lifecycle_publisher(MarkerArray, 'entities', qos.LATCHED)
        self._forest = self.create_lifecycle_publisher(MarkerArray, 'forest', qos.LATCHED)
        services = (
            (Ask, 'ask', self._ask),
            (Query, 'query', self._query),
            (Observe, 'observe', self._observe),
            (Forget, 'forget', self._forget),
            (GetForest, 'get_forest', self._get_forest),
            (Save, 'save', self._save),
            (Verify, 'verify', self._verify),
        )
        self._parts = [
            self.create_subscription(
                ObservationMessage, 'observations', self._enqueue, qos.STREAM,
                callback_group=taking,
            ),
            self.create_timer(1.0, self._told_of(self._diagnose), callback_group=apart),
            self.create_timer(1.0, self._told_of(self._mark), callback_group=apart),
            *(
                self.create_service(kind, name, self._guarded(answer), callback_group=asking)
                for kind, name, answer in services
            ),
        ]  # fmt: skip
        self._worker = threading.Thread(
            target=self._work, args=(self._stopping,), name='memory-writer', daemon=True
        )
        self._worker.start()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take observations, and publish."""
        done = super().on_activate(state)
        self._active.set()
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop taking observations; what was taken is stored."""
        self._active.clear()
        self._drain()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the memory."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the memory."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the memory, so that it can be configured anew."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def _drain(self) -> None:
        until = time.monotonic() + 1.0
        while self._queue.unfinished_tasks and time.monotonic() < until:
            time.sleep(IDLE_S / 10)

    def _release(self) -> None:
        """Store what was taken, and let go of everything."""
        self._active.clear()
        self._drain()
        self._stopping.set()
        if self._worker is not None:
            self._worker.join(2.0)
            self._worker = None
        with self._quiet:  # answers go out before their services do
            self._quiet.wait_for(lambda: not self._answering, ANSWERING_S)
        for part in self._parts:
            destroy = {
                'Subscription': self.destroy_subscription,
                'Timer': self.destroy_timer,
                'Service': self.destroy_service,
            }[type(part).__name__]
            destroy(part)
        for publisher in ('_durable', '_told', '_entities', '_forest'):
            if hasattr(self, publisher):
                self.destroy_lifecycle_publisher(getattr(self, publisher))
                delattr(self, publisher)
        self._parts = []
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    # -- writing --------------------------------------------------------------------------------

    def _enqueue(self, message: ObservationMessage) -> None:
        if not self._active.is_set():
            self._counts['while inactive'] += 1
            return
        if message.id in self._waiting:  # sent again while it waits
            self._counts['sent again'] += 1
            return
        try:
            self._queue.put_nowait(message)
            self._waiting.add(message.id)
        except queue.Full:
            self._counts['dropped'] += 1

    def _work(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            batch = self._batch()
            if not batch:
                continue
            try:
                done = self._store(batch)
                if self._active.is_set():
                    self._durable.publish(acknowledgement_message(done, make_message))
            except Exception as error:  # nothing was acknowledged: it comes again
                self._counts['failed'] += len(batch)
                code = getattr(error, 'code', INTERNAL)
                self.get_logger().error(
                    f'{len(batch)} observations were not stored ({code}): {error}',
                    throttle_duration_sec=5.0,
                )
            finally:
                for message in batch:
                    self._waiting.discard(message.id)
                    self._queue.task_done()

    def _batch(self) -> list[ObservationMessage]:
        try:
            batch = [self._queue.get(timeout=IDLE_S)]
        except queue.Empty:
            return []
        most = value(self, 'batch_size')
        while len(batch) < most:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _store(self, messages: list[ObservationMessage]) -> Acknowledgement:
        """Store messages; what is wrong is refused one by one."""
        memory = self._open()
        ready: list[Observation] = []
        refused: list[Refusal] = []
        for message in messages:
            try:
                observation = observation_of(message)
                self._know_anchor(observation)
                ready.append(observation)
            except InputRejected as error:
                refused.append(Refusal(message.id, error.code, str(error)))
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                refused.append(Refusal(message.id, InputRejected.code, f'{error!r}'[:500]))
        if refused:
            memory.count_refusals(refused)
        # what is sent again is not encoded again
        there = memory.store.rowids_of([item.id for item in ready])
        fresh = [item for item in ready if item.id not in there]
        done = memory.observe(fresh) if fresh else Acknowledgement()
        done = Acknowledgement(done.added, (*done.known, *there), done.refused)
        self._counts['stored'] += len(done.added)
        self._counts['refused'] += len(done.refused) + len(refused)
        if done.added:
            self._written_s = time.monotonic()
        return Acknowledgement(done.added, done.known, (*done.refused, *refused))

    def _know_anchor(self, observation: Observation) -> None:
        """Make the odometry frame of a robot that is not localised an anchor of its own."""
        anchor = (observation.map_id, observation.anchor_id)
        if observation.anchor_id != 'origin' and anchor not in self._anchors:
            self._open().add_anchor(
                observation.anchor_id, Pose(), map_id=observation.map_id,
                reason='a robot that does not know where it is',
            )  # fmt: skip
            self._anchors.add(anchor)

    def _open(self) -> RobotMemory:
        if self._memory is None:
            raise InvalidQuery('the memory is not open; configure and activate memory_node first')
        return self._memory

    # -- answering ------------------------------------------------------------------------------

    def _guarded(self, answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Answer a request in the pool; what goes wrong is told in the response, with a code."""

        def answered(request: Any, response: Any) -> Any:
            with self._quiet:
                self._answering += 1
            try:
                if self._pool is None:
                    self._open()
                return self._pool.submit(answer, request, response).result()
            except RobotMemoryError as error:
                response.error_code, response.error_msg = error.code, str(error)
            except Exception as error:  # a caller gets an answer whatever happens
                self.get_logger().error(f'{answer.__name__} failed: {error!r}')
                response.error_code = INTERNAL
                response.error_msg = f'{error}; see the log of {self.get_name()}'
            finally:
                with self._quiet:
                    self._answering -= 1
                    self._quiet.notify_all()
            return response

        return answered

    def _ask(self, request: Any, response: Any) -> Any:
        clock = self.get_clock().now().nanoseconds
        found = self._open().ask(
            request.question, now_ns=clock or time.time_ns(), zone=request.zone or 'UTC'
        )
        return fill_answer(response, found, make_message)

    def _query(self, request: Any, response: Any) -> Any:
        query, mode = query_of(request)
        if mode not in ('attention', 'flat', 'scene'):
            raise InvalidQuery(f'mode {mode!r} is unknown; use attention, flat or scene')
        found = self._open().recall(query, mode=mode)
        response.evidence = [evidence_message(item, make_message) for item in found.evidence]
        response.objects = [evidence_message(item, make_message) for item in found.objects]
        response.considered = found.considered
        response.seconds = found.seconds
        return response

    def _observe(self, request: Any, response: Any) -> Any:
        if not self._active.is_set():
            raise InvalidQuery('memory_node is not active; activate it first')
        done = self._store(list(request.observations))
        response.acknowledgement = acknowledgement_message(done, make_message)
        return response

    def _forget(self, request: Any, response: Any) -> Any:
        span, sessions = span_of(request), tuple(request.sessions)
        filters = Filters(span=span, sessions=sessions) if span or sessions else None
        done = self._open().forget(
            ids=list(request.ids), filters=filters, text=request.text or None,
            reason=request.reason, dry_run=request.dry_run,
        )  # fmt: skip
        response.removed = done if isinstance(done, int) else done.observations
        return response

    def _get_forest(self, request: Any, response: Any) -> Any:
        nodes = self._open().forest()
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

    def _save(self, request: Any, response: Any) -> Any:
        memory = self._open()
        memory.organise()
        if request.backup:
            memory.backup(Path(request.backup).expanduser())
        response.observations = memory.store.count()
        response.bytes = disk_bytes(memory.folder)
        return response

    def _verify(self, request: Any, response: Any) -> Any:
        found = self._open().verify()
        response.clean = found.clean
        response.problems = [str(problem) for problem in found.problems]
        return response

    def _told_of(self, show: Callable[[], None]) -> Callable[[], None]:
        """Go on where showing something fails: the memory is going down, or will say why."""

        def shown() -> None:
            try:
                show()
            except Exception as error:
                if self._active.is_set():
                    self.get_logger().error(f'{error!r}', throttle_duration_sec=10.0)

        return shown

    # -- telling --------------------------------------------------------------------------------

    def _diagnose(self) -> None:
        memory = self._memory
        if memory is None or not self._active.is_set():
            return
        free = shutil.disk_usage(memory.folder).free
        problems = {}
        if self._worker is not None and not self._worker.is_alive():
            problems['writer'] = 'it ended; configure memory_node anew'
        if free < value(self, 'minimum_free'):
            problems[str(memory.folder)] = f'only {free / 1e6:.0f} MB are free'
        if not self.count_publishers(self.resolve_topic_name('observations')):
            problems['observations'] = 'nobody publishes them; start perception_node'
        age = '' if self._written_s is None else f'{time.monotonic() - self._written_s:.1f}'
        values = {
            'observations': memory.store.count(),
            'queue': self._queue.qsize(),
            'age of the last write, s': age,
            'index lag': memory.index.metrics()['tail'],
            'bytes': disk_bytes(memory.folder),
            'free bytes': free,
            **self._counts,
        }
        self._told.publish(diagnostics(self, problems=problems, values=values))

    def _mark(self) -> None:
        """Show entities and areas where something changed."""
        memory, period = self._memory, value(self, 'marker_period')
        if memory is None or not self._active.is_set() or not period:
            return
        now = time.monotonic()
        if now - self._marked_s < period:
            return
        self._marked_s = now
        latest = memory.store.last_rowid(), memory.store.count()
        if latest == self._shown:
            return
        self._shown = latest
        stamp, most = self.get_clock().now().to_msg(), value(self, 'marker_limit')
        self._entities.publish(entity_markers(memory.entities()[:most], stamp))
        self._forest.publish(forest_markers(memory.forest()[:most], stamp))


def encoder_of(name: str) -> Any:
    """Make the text encoder that a parameter names."""
    if name in ('default', 'none'):
        return 'default' if name == 'default' else None
    from memory_core.perception.text import HashingEncoder, SentenceEncoder

    return HashingEncoder() if name == 'hashing' else SentenceEncoder(name)


def disk_bytes(folder: Path) -> int:
    """Add up the size of a memory on disk."""
    total = 0
    for path in folder.rglob('*'):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # the index was just written anew
            continue
    return total


def main(arguments: list[str] | None = None) -> int:
    """Run the node."""
    rclpy.init(args=arguments)
    node = MemoryNode()
    executor = MultiThreadedExecutor(num_threads=THREADS)
    executor.add_node(node)
    try:
        if value(node, 'autostart'):
            if node.trigger_configure() != TransitionCallbackReturn.SUCCESS:
                return 1  # why was logged; a launch file starts it again
            node.trigger_activate()
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node._release()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
