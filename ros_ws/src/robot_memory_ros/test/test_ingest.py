"""The action `Ingest`, and topics and bodies that fall silent or complain."""

import json
import signal
import threading
import time
import unittest

from action_msgs.msg import GoalStatus
from bags import kitchen_bag
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from robot_memory_ros.convert import make_message, time_of
from stack import START, StackCase, moments, stamp, until

from memory_core import RobotMemory, ingest


class IngestTest(StackCase):
    """A recording into the memory while it runs."""

    def read(self, path, feedback=None):
        """Send the goal."""
        return self.stack.call(self.stack.client.ingest(str(path), feedback=feedback))

    def test_a_bag_is_read_as_it_is_offline_and_a_second_time_adds_nothing(self):
        """The same moments, with progress up to the end."""
        stack = self.stack
        bag = kitchen_bag(self.folder / 'bag')
        with RobotMemory.open(self.folder / 'offline', text_encoder=None) as offline:
            wanted = ingest(offline, bag)
        stack.memory()
        stack.ready()
        told = []
        handle = self.read(bag, lambda message: told.append(message.feedback))
        done = stack.call(handle.get_result_async())
        self.assertEqual(done.status, GoalStatus.STATUS_SUCCEEDED)
        self.assertEqual((done.result.error_code, done.result.added), ('', wanted.added))
        until(lambda: told and told[-1].done == told[-1].total > 0)
        again = stack.call(self.read(bag).get_result_async()).result
        self.assertEqual((again.added, again.known), (0, wanted.added))
        stack.stop('memory_node')
        self.assertEqual(moments(self.folder / 'memory'), moments(self.folder / 'offline'))

    def test_what_is_no_recording_is_told_with_a_code(self):
        """The goal is aborted."""
        self.stack.memory()
        self.stack.ready()
        done = self.stack.call(self.read(self.folder / 'nothing').get_result_async())
        self.assertEqual(done.status, GoalStatus.STATUS_ABORTED)
        self.assertEqual(done.result.error_code, 'recording_unreadable')

    def test_a_cancel_is_answered_within_half_a_second_and_a_stop_within_two(self):
        """What was stored stays; while one is read no other is taken."""
        stack = self.stack
        long = self.folder / 'long.jsonl'
        with long.open('w') as file:
            for number in range(100_000):
                told = {'id': f'note {number}', 'stamp_ns': (START + number) * 10**9,
                        'text': f'the door {number} was open'}  # fmt: skip
                file.write(json.dumps(told) + '\n')
        stack.memory()
        stack.ready()
        begun = threading.Event()
        handle = self.read(long, lambda message: message.feedback.done > 0 and begun.set())
        self.assertTrue(handle.accepted)
        until(begun.is_set)
        self.assertFalse(self.read(long).accepted)
        result = handle.get_result_async()
        asked = time.monotonic()
        handle.cancel_goal_async()
        done = stack.call(result)
        self.assertLess(time.monotonic() - asked, 0.5)
        self.assertEqual(done.status, GoalStatus.STATUS_CANCELED)
        self.assertEqual(done.result.error_code, 'cancelled')
        until(lambda: self.read(long).accepted)
        code, seconds = stack.stop('memory_node', signal.SIGINT)
        self.assertEqual(code, 0, stack.log('memory_node')[-2000:])
        self.assertLess(seconds, 2.0)
        with RobotMemory.open(self.folder / 'memory', text_encoder=None) as memory:
            self.assertTrue(0 < memory.store.count() < 100_000)
            self.assertTrue(memory.verify().clean)


class ListeningTest(StackCase):
    """What a robot's parts say of themselves, or do not say any more."""

    def setUp(self):
        """Listen to the diagnostics, too."""
        super().setUp()
        self.told = []
        self.stack.robot.create_subscription(
            DiagnosticArray,
            '/diagnostics',
            lambda message: self.told.append(message.status[0]),
            10,
        )

    def heard(self, topic):
        """Tell how many messages perception_node heard on a topic."""
        counts = [int(v.value) for status in self.told for v in status.values if v.key == topic]
        return max(counts, default=0)

    def test_a_part_that_complains_is_remembered_and_asked_for(self):
        """Once when it begins, once when it is well again."""
        stack = self.stack
        stack.memory()
        stack.perception(diagnostics_topic='robot_diagnostics')
        stack.ready()
        told = stack.robot.create_publisher(DiagnosticArray, 'robot_diagnostics', 10)
        fine = DiagnosticStatus(level=DiagnosticStatus.OK, name='right wheel')
        while not self.heard('/robot_diagnostics'):
            told.publish(DiagnosticArray(status=[fine]))
            time.sleep(0.1)
        levels = [DiagnosticStatus.OK, DiagnosticStatus.ERROR, DiagnosticStatus.ERROR,
                  DiagnosticStatus.OK]  # fmt: skip
        for number, level in enumerate(levels):
            status = DiagnosticStatus(level=level, name='left wheel', message='motor too hot')
            message = DiagnosticArray(status=[status])
            message.header.stamp = stamp(float(number))
            stack.robot.stand(float(number), 0.0)
            told.publish(message)
        until(lambda: len(stack.stored(sources=['/robot_diagnostics'])) == 2)
        words = [item.text for item in stack.stored(sources=['/robot_diagnostics']).values()]
        self.assertEqual(
            sorted(words),
            [
                'body state: left wheel: error (motor too hot)',
                'body state: left wheel: well again',
            ],
        )

    def test_a_topic_that_falls_silent_later_is_named_within_five_seconds(self):
        """In the log and in the diagnostics; and when it is back."""
        stack = self.stack
        stack.perception()
        while not self.heard('/camera/image_raw'):
            stack.robot.picture(0.0, 0)
            time.sleep(0.1)
        fell, said = time.monotonic(), '/camera/image_raw: it fell silent'
        until(lambda: any(said in status.message for status in self.told), 7.0)
        self.assertLess(time.monotonic() - fell, 5.5)
        self.assertIn(said, stack.log('perception_node'))
        self.assertEqual(self.told[-1].level, DiagnosticStatus.WARN)
        stack.robot.picture(9.0, 9)
        until(lambda: '/camera/image_raw: it is back' in stack.log('perception_node'))

    def test_what_is_not_on_disk_when_perception_stops_is_sent_when_it_is_back(self):
        """Nobody was there to store it; the end of the path is among it."""
        stack = self.stack
        stack.perception(spool_folder=self.folder / 'spool')
        until(lambda: stack.robot.tf.get_subscription_count() > 0)
        until(lambda: stack.robot.things.get_subscription_count() > 0)
        for step in range(5):
            stack.robot.stand(step * 0.2, 0.1 * step)
            stack.robot.see(step * 0.2, f'thing {step}', 1.0, 0.0)
            time.sleep(0.1)
        code, seconds = stack.stop('perception_node')
        self.assertEqual(code, 0, stack.log('perception_node')[-2000:])
        self.assertLess(seconds, 2.0)
        stack.memory()
        stack.perception(spool_folder=self.folder / 'spool')
        stack.ready()
        until(lambda: len(stack.stored(sources=['/detections'])) == 5)
        until(lambda: len(stack.stored(sources=['odometry'])) == 2)
        last = max(stack.stored(sources=['odometry']).values(),
                   key=lambda item: item.header.stamp.nanosec)  # fmt: skip
        self.assertEqual(last.header.stamp, time_of(make_message, START * 10**9 + 800_000_000))
        self.assertFalse((self.folder / 'spool/observations.cdr').exists())


if __name__ == '__main__':
    unittest.main()
