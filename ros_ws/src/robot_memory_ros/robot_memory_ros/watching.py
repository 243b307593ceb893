"""Topics that stay silent, qualities of service that do not match: named, not guessed at."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile

SILENT_S = 3.5
"""With a check a second, what falls silent is told within five."""
LEARNT = 10
PATIENCE = 3.0
"""A topic that comes now and then is missed after so many of its longest pauses."""


@dataclass(slots=True)
class _Topic:
    wanted: bool
    steady: bool
    pauses: bool
    heard_s: float = 0.0
    longest_s: float = 0.0
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
        return time.monotonic()  # simulated time may stand still

    def subscribe(
        self,
        kind: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        *,
        wanted: bool = True,
        steady: bool = False,
        pauses: bool = False,
        group: Any = None,
    ) -> Any:
        """
        Subscribe, and watch.

        :param kind: The message type.
        :param topic: As it was asked for; remapping is followed.
        :param callback: Called with each message.
        :param qos: What is asked of the publisher.
        :param wanted: Whether silence from the beginning is worth a warning.
        :param steady: Whether a pause of a few seconds is; others are missed when they stay away
            for longer than they ever did.
        :param pauses: Whether it may stay away for as long as it likes, once it was heard.
        :param group: Callback group.
        """
        name = self._node.resolve_topic_name(topic)
        watched = self._topics.setdefault(name, _Topic(wanted, steady, pauses))

        def heard(message: Any) -> None:
            now = self._now_s()
            if watched.count:
                watched.longest_s = max(watched.longest_s, now - watched.heard_s)
            watched.heard_s = now
            watched.count += 1
            try:
                callback(message)
                watched.wrong = ''
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
        found = {}
        for name, topic in self._topics.items():
            said = (topic.mismatch if topic.count == 0 else topic.wrong) or self._silence(
                name, topic
            )
            if said and said != topic.told:
                self._node.get_logger().warning(f'{name}: {said}')
            elif topic.told and not said:
                self._node.get_logger().info(f'{name}: it is back')
            topic.told = said
            if said:
                found[name] = said
        return found

    def _silence(self, name: str, topic: _Topic) -> str:
        """Tell how a topic is silent; nothing where it is not, or may be."""
        now = self._now_s()
        somebody = self._node.count_publishers(name) > 0
        if topic.count == 0:
            if not topic.wanted or now - self._begun_s <= SILENT_S:
                return ''
            if somebody:
                return 'silent: it has publishers, but nothing was ever heard'
            return 'silent: nobody publishes it'
        if topic.pauses:
            return ''
        patience_s = SILENT_S
        if not topic.steady:
            if topic.count < LEARNT:
                return ''
            patience_s = max(SILENT_S, PATIENCE * topic.longest_s)
        if now - topic.heard_s <= patience_s:
            return ''
        if somebody:
            return 'it fell silent: it still has publishers, but nothing comes any more'
        return 'it fell silent: nobody publishes it any more'

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
