"""`ros2 run robot_memory_ros draw_markers --out markers.svg`: the markers from above, as SVG."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from visualization_msgs.msg import Marker, MarkerArray

from memory_core.interfaces.drawing import Plan, safe, shortened
from robot_memory_ros import qos

WIDTH, HEIGHT, MARGIN = 1000.0, 700.0, 30.0
SHORTEST_PX = 6.0


def main(arguments: list[str] | None = None) -> int:
    """Wait for both latched topics, draw what they show."""
    given = sys.argv if arguments is None else ['draw_markers', *arguments]
    parser = argparse.ArgumentParser(prog='draw_markers', description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='the SVG to write')
    parser.add_argument('--timeout', type=float, default=10.0, help='seconds')
    options = parser.parse_args(remove_ros_args(given)[1:])
    rclpy.init(args=given)
    node = Node('draw_markers')
    heard: dict[str, MarkerArray] = {}
    for topic in ('entities', 'forest'):
        node.create_subscription(
            MarkerArray, topic, lambda message, topic=topic: heard.update({topic: message}),
            qos.LATCHED,
        )  # fmt: skip
    until = time.monotonic() + options.timeout
    while len(heard) < 2 and time.monotonic() < until:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    rclpy.try_shutdown()
    if len(heard) < 2:
        print('memory_node published no markers; is it active?', file=sys.stderr)
        return 2
    drawn = draw([marker for topic in ('forest', 'entities') for marker in heard[topic].markers])
    options.out.write_text(drawn, encoding='utf-8')
    print(options.out)
    return 0


def draw(markers: list[Any]) -> str:
    """Draw markers from above; what is wider lies below what is on it."""
    shown = [marker for marker in markers if marker.action == Marker.ADD]
    points = [point for marker in shown for point in _points(marker)]
    plan = Plan.fit(points or [(0.0, 0.0)], width=WIDTH, height=HEIGHT, margin=MARGIN)
    parts = [part for marker in shown for part in _part(plan, marker)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {plan.width:.0f} '
        f'{plan.height:.0f}" font-family="sans-serif" role="img" aria-labelledby="title">'
        f'<title id="title">{len(shown)} markers, from above</title>'
        f'<rect width="100%" height="100%" fill="#26282c"/>{"".join(parts)}</svg>'
    )


def _points(marker: Any) -> list[tuple[float, float]]:
    if marker.type == Marker.LINE_STRIP:
        return [(point.x, point.y) for point in marker.points]
    return [(marker.pose.position.x, marker.pose.position.y)]


def _part(plan: Plan, marker: Any) -> list[str]:
    red, green, blue = (round(255 * part) for part in (
        marker.color.r, marker.color.g, marker.color.b
    ))  # fmt: skip
    paint = f'rgb({red},{green},{blue})'
    at = [(plan.x(x), plan.y(y)) for x, y in _points(marker)]
    if marker.type == Marker.LINE_STRIP:
        line = ' '.join(f'{x:.1f},{y:.1f}' for x, y in at)
        return [f'<polyline points="{line}" fill="none" stroke="{paint}" stroke-width="1.5"/>']
    ((x, y),) = at
    if marker.type == Marker.CUBE:
        wide, high = (max(size * plan.scale, SHORTEST_PX) for size in (
            marker.scale.x, marker.scale.y
        ))  # fmt: skip
        return [
            f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" '
            f'height="{high:.1f}" fill="{paint}" fill-opacity="{marker.color.a:.2f}"/>'
        ]
    size = 13 if marker.ns.startswith('words') else 11
    below = 0 if marker.ns.startswith('words') else size
    return [
        f'<text x="{x:.1f}" y="{y + below:.1f}" font-size="{size}" fill="{paint}" '
        f'text-anchor="middle">{safe(shortened(marker.text, 40))}</text>'
    ]


if __name__ == '__main__':
    sys.exit(main())
