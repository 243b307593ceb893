"""Whoever gives a robot orders, and what becomes of them."""

import threading
import time
from dataclasses import dataclass, field

from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from robot_memory_interfaces.action import FetchObject, GoTo
from robot_memory_ros.calling import ActionCaller
from stack import until

PATIENCE_S = 20.0


@dataclass
class Told:
    """How an order ended: its result, the feedback before, seconds from a cancel to the end."""

    how: str
    result: object
    feedback: list = field(default_factory=list)
    ended_s: float = 0.0


class Person(Node):
    """Gives orders in words."""

    def __init__(self, stack, **options):
        """Stand beside the robot of a stack."""
        super().__init__('person', context=stack.context, **options)
        self.asked = {
            kind: ActionCaller(self, kind, name, cancelled_s=PATIENCE_S)
            for kind, name in ((GoTo, 'go_to'), (FetchObject, 'fetch_object'))
        }
        self.executor_of_its_own = MultiThreadedExecutor(num_threads=4, context=stack.context)
        self.executor_of_its_own.add_node(self)
        self.begun = threading.Thread(target=self.executor_of_its_own.spin, daemon=True)
        self.begun.start()

    def ready(self):
        """Wait until somebody takes orders."""
        until(lambda: all(caller.ready for caller in self.asked.values()))

    def order(self, goal, *, cancel=lambda feedback: False):
        """Give an order; cancel it when its feedback says so."""
        feedback, since = [], []

        def interrupted():
            if not since and cancel(feedback):
                since.append(time.monotonic())
            return bool(since)

        kind = GoTo if isinstance(goal, GoTo.Goal) else FetchObject
        ended = self.asked[kind].call(goal, interrupted=interrupted, heard=feedback.append)
        seconds = time.monotonic() - since[0] if since else 0.0
        return Told(ended.how, ended.result, feedback, seconds)

    def go(self, words, *, cancel=lambda feedback: False, **fields):
        """Say where to go."""
        return self.order(GoTo.Goal(goal=words, **fields), cancel=cancel)

    def fetch(self, words, *, cancel=lambda feedback: False, **fields):
        """Say what to bring."""
        return self.order(FetchObject.Goal(object=words, **fields), cancel=cancel)

    def leave(self):
        """Give no more orders."""
        self.executor_of_its_own.shutdown()
        self.begun.join(2.0)
        for caller in self.asked.values():
            caller.destroy()
        self.destroy_node()
