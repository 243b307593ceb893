"""Topics that stay silent, qualities of service that do not match: named, not guessed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile

SILENT_S = 4.0


@dataclass(slots=True)
class _Topic:
    wanted: bool
    heard_s: float | None = None
    count: int = 0
    mismatch: str = ''
    wrong: str = ''
    told: str = ''


class TopicWatch:
    """What became of every topic a node listens to."""

    def __init__(self, node: Node) -> None:
        """Begin to watch."""
        self._node = node
        self._topics: dict[str, _Topic] = {}
        self._begun_s = self._now_s()

    def _now_s(self) -> float:
        # a steady clock: simulated time may stand still
        import time

        return time.monotonic()

    def subscribe(
        self,
        kind: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        *,
        wanted: bool = True,
        group: Any = None,
    ) -> Any:
        """
        Subscribe, and watch.

        :param kind: The message type.
        :param topic: As it was asked for; remapping is followed.
        :param callback: Called with each message.
        :param qos: What is asked of the publisher.
        :param wanted: Whether silence is worth a warning.
        :param group: Callback group.
        """
        name = self._node.resolve_topic_name(topic)
        watched = self._topics.setdefault(name, _Topic(wanted))

        def heard(message: Any) -> None:
            watched.heard_s = self._now_s()
            watched.count += 1
            try:
                callback(message)
            except Exception as error:  # one message must not end the node
                watched.wrong = str(error) or repr(error)
                self._node.get_logger().error(
                    f'{name}: {watched.wrong}', throttle_duration_sec=10.0
                )

        def incompatible(event: Any) -> None:
            policy = str(event.last_policy_kind).rsplit('.', 1)[-1]
            watched.mismatch = f'a publisher offers another {policy} than this node asks for'
            self._node.get_logger().error(
                f'{name}: {watched.mismatch}, so nothing arrives; '
                f'see `ros2 topic info --verbose {name}`'
            )

        return self._node.create_subscription(
            kind,
            topic,
            heard,
            qos,
            callback_group=group,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=incompatible),
        )

    def check(self) -> dict[str, str]:
        """Tell what is wrong, by topic; log what is new."""
        now, found = self._now_s(), {}
        for name, topic in self._topics.items():
            said = topic.mismatch if topic.count == 0 else topic.wrong
            if not said and topic.wanted and topic.count == 0 and now - self._begun_s > SILENT_S:
                said = (
                    'silent: it has publishers, but nothing was ever heard'
                    if self._node.count_publishers(name)
                    else 'silent: nobody publishes it'
                )
            if said and said != topic.told:
                self._node.get_logger().warning(f'{name}: {said}')
            topic.told = said
            if said:
                found[name] = said
        return found

    def counts(self) -> dict[str, int]:
        """Count messages heard, by topic."""
        return {name: topic.count for name, topic in self._topics.items()}


def diagnostics(
    node: Node, *, problems: dict[str, str], values: dict[str, Any]
) -> DiagnosticArray:
    """
    Make the node's state as one diagnostic message.

    :param node: Whose.
    :param problems: What is wrong, by what it is wrong with; empty: all is well.
    :param values: Numbers worth seeing.
    """
    told = '; '.join(f'{name}: {said}' for name, said in problems.items())
    status = DiagnosticStatus(
        level=DiagnosticStatus.WARN if problems else DiagnosticStatus.OK,
        name=f'{node.get_fully_qualified_name().lstrip("/")}: memory',
        message=told or 'working',
        hardware_id='robot_memory',
        values=[KeyValue(key=name, value=str(item)) for name, item in values.items()],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = node.get_clock().now().to_msg()
    return array
