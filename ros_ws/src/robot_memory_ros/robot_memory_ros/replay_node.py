"""Plays a bag's messages on their topics with their clock, for a memory that listens."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from rosidl_runtime_py.utilities import get_message

from memory_core.recordings.perceiver import USES
from robot_memory_ros import qos
from robot_memory_ros.convert import SECOND_NS, make_message, time_of
from robot_memory_ros.running import run
from robot_memory_ros.settings import Setting, declare, value

SETTINGS = {
    'bag': Setting('', 'a rosbag2 folder, or a .mcap or .db3 file'),
    'rate': Setting(1.0, 'seconds of the bag in a second', 0.01, 1000.0),
    'wait': Setting(10.0, 'so long at most for somebody to listen, seconds', 0.0, 600.0),
    'linger': Setting(2.0, 'goes on after the last message, seconds', 0.0, 600.0),
}
CLOCK_NS = 10_000_000
SETTLED_S = 2.0


class ReplayNode(Node):
    """Reads in one thread and publishes; ends when the bag does."""

    def __init__(self, **options: Any) -> None:
        """Begin to play when somebody listens."""
        super().__init__('replay_node', **options)
        declare(self, SETTINGS)
        self._stopping = threading.Event()
        self._clock_out = self.create_publisher(Clock, '/clock', 10)
        self._player = threading.Thread(target=self._run, name='player')
        self._player.start()

    def _run(self) -> None:
        try:
            self._play(Path(value(self, 'bag')).expanduser())
        except Exception as error:  # of a bag that is none, or is damaged
            self.get_logger().error(f'{value(self, "bag")!r} cannot be played: {error}')
        finally:
            rclpy.try_shutdown(context=self.context)

    def _play(self, path: Path) -> None:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_typestore

        store = get_typestore(Stores.ROS2_JAZZY)
        with AnyReader([path], default_typestore=store) as reader:
            publishers = self._offer(reader.connections)
            self._await_listeners(list(publishers.values()))
            rate, begun_s, count, told_ns = value(self, 'rate'), time.monotonic(), 0, 0
            played = [one for one in reader.connections if one.id in publishers]
            for connection, stamp_ns, raw in reader.messages(connections=played):
                due_s = begun_s + (stamp_ns - reader.start_time) / SECOND_NS / rate
                while (now_s := time.monotonic()) < due_s:
                    if self._stopping.wait(min(due_s - now_s, CLOCK_NS / SECOND_NS)):
                        return
                    passed = int((time.monotonic() - begun_s) * rate * SECOND_NS)
                    self._tell_clock(min(reader.start_time + passed, stamp_ns))
                if stamp_ns - told_ns >= CLOCK_NS:
                    told_ns = stamp_ns
                    self._tell_clock(stamp_ns)
                publishers[connection.id].publish(bytes(raw))
                count += 1
            self.get_logger().info(f'{path}: {count:,} messages were played')
        self._stopping.wait(value(self, 'linger'))

    def _offer(self, connections: Any) -> dict[int, Any]:
        """Make a publisher for each topic that a memory can use and whose type is installed."""
        found: dict[int, Any] = {}
        for connection in connections:
            if connection.msgtype not in (*USES, 'nav_msgs/msg/Path'):
                continue
            try:
                kind = get_message(connection.msgtype)
            except (ImportError, AttributeError, ValueError):
                self.get_logger().warning(
                    f'{connection.topic} is not played: {connection.msgtype} is not installed'
                )
                continue
            held = connection.topic == '/tf_static'
            how = qos.STATIC if held else QoSProfile(
                depth=200, durability=DurabilityPolicy.VOLATILE
            )  # fmt: skip
            found[connection.id] = self.create_publisher(kind, connection.topic, how)
        return found

    def _await_listeners(self, publishers: list[Any]) -> None:
        """Wait until somebody listens, and nobody new has for a moment."""
        until, before, since = time.monotonic() + value(self, 'wait'), 0, time.monotonic()
        while time.monotonic() < until and not self._stopping.wait(0.05):
            count = sum(one.get_subscription_count() for one in publishers)
            if count != before:
                before, since = count, time.monotonic()
            elif count and time.monotonic() - since > SETTLED_S:
                return
        self.get_logger().warning('nobody listens to any topic of the bag; it is played anyway')

    def _tell_clock(self, stamp_ns: int) -> None:
        self._clock_out.publish(Clock(clock=time_of(make_message, stamp_ns)))

    def finish(self) -> None:
        """Stop playing."""
        self._stopping.set()
        self._player.join(1.0)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the node until the bag ends."""
    run(ReplayNode, ReplayNode.finish, arguments=arguments, threads=2)


if __name__ == '__main__':
    main()
