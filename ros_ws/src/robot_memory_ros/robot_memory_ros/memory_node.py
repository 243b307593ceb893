"""The memory as a lifecycle node: observations in; questions, evidence and structure out."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import OccupancyGrid
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from robot_memory_interfaces.msg import Acknowledgement as AcknowledgementMessage
from robot_memory_interfaces.msg import Observation as ObservationMessage
from robot_memory_interfaces.srv import (
    Ask,
    Forget,
    GetForest,
    MoveAnchors,
    Observe,
    Query,
    Save,
    Verify,
)
from visualization_msgs.msg import MarkerArray

from memory_core import RobotMemory
from memory_core.errors import MemoryClosed, RateLimited, RobotMemoryError
from memory_core.semantic.consolidation import Retention
from memory_core.types import Acknowledgement
from robot_memory_ros import qos
from robot_memory_ros.answering import Answering, disk_bytes
from robot_memory_ros.convert import acknowledgement_message, make_message
from robot_memory_ros.ingesting import Ingesting
from robot_memory_ros.mapped_rooms import MappedRooms
from robot_memory_ros.markers import entity_markers, forest_markers
from robot_memory_ros.place_checking import PlaceChecking
from robot_memory_ros.running import run
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.watching import TopicWatch, diagnostics
from robot_memory_ros.writing import Writer

SETTINGS = {
    'folder': Setting('~/robot-memory', 'where the memory lies; made where there is none'),
    'encoder': Setting('default', 'text encoder: default, hashing, none, or the name of a model'),
    'queue_size': Setting(2_000, 'observations that wait to be stored; more are dropped (and '
                          'sent again by perception_node)', 1, 1_000_000),
    'batch_size': Setting(100, 'stored in one go at most', 1, 10_000),
    'query_threads': Setting(2, 'questions answered at the same time', 1, 16),
    'answer_lag': Setting(2.0, 'answers may be so many seconds behind what is observed', 0.0,
                          60.0),
    'map_topic': Setting('map', 'nav_msgs/OccupancyGrid, by whose walls rooms are told apart; '
                         'empty: by what is seen together'),
    'place_check_period': Setting(5.0, 'what the camera sees is compared so often with what was '
                                  'seen where the robot believes to be, seconds; 0: never', 0.0,
                                  3600.0),
    'marker_period': Setting(5.0, 'markers are made anew so often, seconds; 0: never', 0.0,
                             3600.0, fixed=False),
    'marker_limit': Setting(500, 'entities and areas shown at most', 0, 10_000, fixed=False),
    'keep_observations': Setting(0, 'consolidated down to so many; 0: no bound', 0, 2**40),
    'policy': Setting('ebbinghaus', 'which go first where there are more'),
    'allow_forget': Setting(False, 'whether the service forget removes anything', fixed=False),
    'backup_folder': Setting('', 'backups of the service save go below it; empty: no backups',
                             fixed=False),
    'minimum_free': Setting(200_000_000, 'bytes of disk below which diagnostics warn', 0, 2**50,
                            fixed=False),
    'autostart': Setting(True, 'configure and activate without a lifecycle manager'),
}  # fmt: skip
ANSWERING_S = 1.0
LISTEN_S = 0.3
"""A stopping memory listens so long for what a stopping perception still sends."""
THREADS, WAITING = 16, 10
"""Of the executor, and how many of them may wait for answers: observations go on."""
INTERNAL = 'internal'


class MemoryNode(LifecycleNode):
    """Owns one memory; one thread writes, a few answer."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters; the memory is opened by `configure`."""
        super().__init__('memory_node', **options)
        declare(self, SETTINGS)
        self._memory: RobotMemory | None = None
        self._writer: Writer | None = None
        self._ingesting: Ingesting | None = None
        self._places: PlaceChecking | None = None
        self._active = threading.Event()
        self._answering = 0
        self._quiet = threading.Condition()
        self._counts: Counter[str] = Counter()
        self._pools: tuple[ThreadPoolExecutor, ...] = ()
        self._shown = (-1, -1, -1)
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
                folder,
                text_encoder=encoder_of(value(self, 'encoder')),
                retention=retention,
                lag_s=value(self, 'answer_lag'),
            )
        except Exception as error:  # rclpy would say nothing of it
            code = getattr(error, 'code', INTERNAL)
            self.get_logger().error(f'{folder} cannot be opened ({code}): {error}')
            return TransitionCallbackReturn.FAILURE
        self._shown = (-1, -1, -1)
        self._offer(self._memory)
        self.get_logger().info(f'{folder}: {self._memory.store.count():,} observations')
        return super().on_configure(state)

    def _offer(self, memory: RobotMemory) -> None:
        asking, taking = ReentrantCallbackGroup(), MutuallyExclusiveCallbackGroup()
        apart = MutuallyExclusiveCallbackGroup()
        asked, changed, kept = self._pools = tuple(
            ThreadPoolExecutor(threads, f'memory-{name}')
            for name, threads in (
                ('query', value(self, 'query_threads')),
                ('change', 1),
                ('keep', 1),
            )
        )  # what takes minutes makes no question wait
        self._durable = self.create_lifecycle_publisher(
            AcknowledgementMessage, 'durable', qos.STREAM
        )
        self._told = self.create_lifecycle_publisher(DiagnosticArray, '/diagnostics', 10)
        self._entities = self.create_lifecycle_publisher(MarkerArray, 'entities', qos.LATCHED)
        self._forest = self.create_lifecycle_publisher(MarkerArray, 'forest', qos.LATCHED)
        self._writer = Writer(
            memory,
            size=value(self, 'queue_size'),
            batch=value(self, 'batch_size'),
            tell=self._tell_durable,
            log=self.get_logger(),
        )
        answering = Answering(self, memory, self._writer, active=self._active.is_set)
        services = (
            (Ask, 'ask', answering.ask, asked),
            (Query, 'query', answering.query, asked),
            (GetForest, 'get_forest', answering.get_forest, asked),
            (Observe, 'observe', answering.observe, changed),
            (MoveAnchors, 'move_anchors', answering.move_anchors, changed),
            (Forget, 'forget', answering.forget, changed),
            (Save, 'save', answering.save, kept),
            (Verify, 'verify', answering.verify, kept),
        )
        self._watch = TopicWatch(self)
        self._parts = [
            self._watch.subscribe(
                ObservationMessage, 'observations', self._take, qos.STREAM, group=taking,
                pauses=True,
            ),
            self._every(1.0, self._diagnose, group=apart),
            self._every(1.0, self._mark, group=apart),
            *(
                self.create_service(
                    kind, name, self._guarded(answer, pool), callback_group=asking
                )
                for kind, name, answer, pool in services
            ),
        ]  # fmt: skip
        if value(self, 'place_check_period'):
            self._places = places = PlaceChecking(memory, log=self.get_logger())
            self._parts.append(
                self._every(
                    value(self, 'place_check_period'), places.look,
                    group=MutuallyExclusiveCallbackGroup(),
                )
            )  # fmt: skip
        if value(self, 'map_topic'):
            self._parts += self._mapping(memory, value(self, 'map_topic'))
        self._ingesting = Ingesting(self, memory, active=self._active.is_set)

    def _mapping(self, memory: RobotMemory, topic: str) -> list[Any]:
        """Hear the map, and tell the memory its rooms."""
        rooms, apart = MappedRooms(memory, log=self.get_logger()), MutuallyExclusiveCallbackGroup()

        def tell() -> None:
            if self._active.is_set():
                rooms.tell()

        return [
            self._watch.subscribe(
                OccupancyGrid, topic, rooms.take, qos.LATCHED, group=apart, wanted=False,
                pauses=True,
            ),
            self._every(1.0, tell, group=apart),
        ]  # fmt: skip

    def _every(self, seconds: float, act: Callable[[], None], *, group: Any) -> Any:
        """Do something now and then; the robot's clock may stand still."""
        return self.create_timer(
            seconds, self._told_of(act), callback_group=group,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )  # fmt: skip

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take observations, and publish."""
        done = super().on_activate(state)
        self._active.set()
        memory = self._memory
        if memory is not None and self._pools:
            self._pools[0].submit(self._warm, memory)
        return done

    def _warm(self, memory: RobotMemory) -> None:
        """Recall once, so that whoever asks first need not wait for the text encoder to load."""
        with suppress(RobotMemoryError):
            memory.recall('anything', k=1)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop taking observations; what was taken is stored."""
        self._active.clear()
        if self._writer is not None:
            self._writer.drain()
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

    def _release(self) -> None:
        """Store what was taken, and let go of everything."""
        self._active.clear()
        if self._ingesting is not None:
            self._ingesting.close()
            self._ingesting = None
        self._places = None
        if self._writer is not None:
            self._writer.close()
            self._counts += self._writer.counts
            self._writer = None
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
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools = ()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def finish(self) -> None:
        """Take what a perception that is stopped too still sends, then close the memory."""
        if self._active.is_set():
            time.sleep(LISTEN_S)
        self._release()

    # -- taking and answering -------------------------------------------------------------------

    def _take(self, message: ObservationMessage) -> None:
        writer, places = self._writer, self._places
        if self._active.is_set() and writer is not None:
            writer.take(message)
            if places is not None:
                places.take(message)
        else:
            self._counts['while inactive'] += 1

    def _tell_durable(self, done: Acknowledgement) -> None:
        if self._active.is_set():
            self._durable.publish(acknowledgement_message(done, make_message))

    def _guarded(
        self, answer: Callable[[Any, Any], Any], pool: ThreadPoolExecutor
    ) -> Callable[[Any, Any], Any]:
        """Answer a request in a pool; what goes wrong is told in the response, with a code."""

        def answered(request: Any, response: Any) -> Any:
            with self._quiet:
                self._answering += 1
                waiting = self._answering
            try:
                if pool not in self._pools:
                    raise MemoryClosed('memory_node is being closed; ask again later')
                if waiting > WAITING:  # the threads that are left take observations
                    raise RateLimited(f'{WAITING} calls are being answered; ask again in a moment')
                return pool.submit(answer, request, response).result()
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

    # -- telling --------------------------------------------------------------------------------

    def _told_of(self, show: Callable[[], None]) -> Callable[[], None]:
        """Go on where showing something fails: the memory is going down, or will say why."""

        def shown() -> None:
            try:
                show()
            except Exception as error:
                if self._active.is_set():
                    self.get_logger().error(f'{error!r}', throttle_duration_sec=10.0)

        return shown

    def _diagnose(self) -> None:
        memory, writer = self._memory, self._writer
        if memory is None or writer is None or not self._active.is_set():
            return
        free = shutil.disk_usage(memory.folder).free
        problems = {}
        if not writer.alive:
            problems['writer'] = 'it ended; configure memory_node anew'
        if free < value(self, 'minimum_free'):
            problems[str(memory.folder)] = f'only {free / 1e6:.0f} MB are free'
        problems |= self._watch.check()
        observed = self.resolve_topic_name('observations')
        if not self.count_publishers(observed):
            problems[observed] = 'nobody publishes it; start perception_node'
        places = self._places
        doubted = None if places is None else places.problem
        if doubted is not None:
            problems['pose'] = doubted
        age = '' if writer.written_s is None else f'{time.monotonic() - writer.written_s:.1f}'
        values = {
            'observations': memory.store.count(),
            'queue': len(writer),
            'age of the last write, s': age,
            'index lag': memory.index.metrics()['tail'],
            'bytes': disk_bytes(memory.folder),
            'free bytes': free,
            **(self._counts + writer.counts),
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
        epochs = memory.store.epochs()
        latest = memory.store.last_rowid(), memory.store.count(), sum(epochs.values())
        if latest == self._shown:
            return
        self._shown = (-1, -1, -1) if memory.pending else latest  # else what is shown is behind
        stamp, most = self.get_clock().now().to_msg(), value(self, 'marker_limit')
        places, shown = memory.places(), {'maps': epochs, 'most': most}
        self._entities.publish(entity_markers(memory.entities(), places, stamp, **shown))
        self._forest.publish(forest_markers(memory.forest(), places, stamp, **shown))


def encoder_of(name: str) -> Any:
    """Make the text encoder that a parameter names."""
    if name in ('default', 'none'):
        return 'default' if name == 'default' else None
    from memory_core.perception.text import HashingEncoder, SentenceEncoder

    return HashingEncoder() if name == 'hashing' else SentenceEncoder(name)


def bring_up(node: MemoryNode) -> bool:
    """Configure and activate a node that needs no lifecycle manager."""
    if not value(node, 'autostart'):
        return True
    if node.trigger_configure() != TransitionCallbackReturn.SUCCESS:
        return False  # why was logged; a launch file starts it again
    return node.trigger_activate() == TransitionCallbackReturn.SUCCESS


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the node."""
    run(MemoryNode, MemoryNode.finish, arguments=arguments, threads=THREADS, begin=bring_up)


if __name__ == '__main__':
    main()
