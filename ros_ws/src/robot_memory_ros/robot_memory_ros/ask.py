"""`ros2 run robot_memory_ros ask "where is the red mug?"`."""

from __future__ import annotations

import argparse
import json
import sys

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from rosidl_runtime_py import message_to_ordereddict

from robot_memory_ros.client import MemoryClient

PATIENT_S = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Ask, print the answer and its evidence."""
    given = sys.argv if arguments is None else ['ask', *arguments]
    parser = argparse.ArgumentParser(prog='ask', description='Ask the memory a question.')
    parser.add_argument('question', nargs='+', help='in English')
    parser.add_argument('--namespace', default='', help='of the robot')
    parser.add_argument('--zone', default='', help='time zone of the question (default: UTC)')
    parser.add_argument(
        '--timeout', type=float, default=60.0,
        help='seconds; the first answer waits for the text encoder (default: 60)',
    )  # fmt: skip
    parser.add_argument('--json', action='store_true', help='print the whole response as JSON')
    options = parser.parse_args(remove_ros_args(given)[1:])
    rclpy.init(args=given)
    node = Node('ask')
    try:
        return _ask(node, options)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def _ask(node: Node, options: argparse.Namespace) -> int:
    client = MemoryClient(node, namespace=options.namespace)
    waited = 0.0
    while not client.ready():
        if waited >= options.timeout:
            print(
                'no memory_node answers here; see `ros2 lifecycle get /memory_node` and '
                'ROS_DOMAIN_ID',
                file=sys.stderr,
            )
            return 2
        rclpy.spin_once(node, timeout_sec=0.1)
        waited += 0.1
    future = client.ask(' '.join(options.question), zone=options.zone)
    rclpy.spin_until_future_complete(node, future, timeout_sec=min(PATIENT_S, options.timeout))
    if not future.done():
        print('memory_node is there and has not answered yet; waiting …', file=sys.stderr)
        rclpy.spin_until_future_complete(node, future, timeout_sec=options.timeout)
    if not future.done():
        print(f'no answer within {options.timeout:g} s', file=sys.stderr)
        return 2
    found = future.result()
    if found.error_code:
        print(f'{found.error_code}: {found.error_msg}', file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(message_to_ordereddict(found), indent=2))
        return 0
    print(found.answer)
    for item in found.evidence[:5]:
        where = f'({item.position.x:.2f}, {item.position.y:.2f}, {item.position.z:.2f})'
        print(f'  {item.weight:.2f}  {where if item.has_position else "nowhere"}  {item.text}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
