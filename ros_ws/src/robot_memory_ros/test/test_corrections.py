"""A map that is corrected while the robot drives takes along what was remembered."""

import math
import time
import unittest

from geometry_msgs.msg import Pose, PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Path
from robot_memory_interfaces.srv import Ask
from robot_memory_ros import qos
from stack import StackCase, stamp, until


class CorrectionsTest(StackCase):
    """`map` → `odom` jumps, somebody says where the robot is, SLAM tells its whole path."""

    def drive(self, seconds, x, *, shift, label):
        """Publish where the robot is, and one thing a metre ahead of it."""
        self.stack.robot.stand(seconds, x, shift=shift)
        self.stack.robot.see(seconds, label, 1.0, 0.0)
        time.sleep(0.04)

    def begin(self, **parameters):
        """Start both nodes."""
        self.stack.memory()
        self.stack.perception(**parameters)
        self.stack.ready()

    def seen(self, label):
        """Where a thing is, by what is stored: a metre ahead of where the robot stood."""
        found = self.stack.stored(sources=['/detections']).values()
        return [item.standpoint.x + 1.0 for item in found if item.text == label]

    def test_a_robot_that_was_lost_takes_everything_since_along(self):
        """A jump far beyond drift moves what was seen, and raises the map's epoch."""
        self.begin()
        for step in range(6):
            self.drive(step * 0.2, 0.1 * step, shift=0.0, label='red mug')
        until(lambda: len(self.seen('red mug')) == 6)
        before = sorted(self.seen('red mug'))
        self.assertAlmostEqual(before[0], 1.0, places=6)
        self.drive(1.4, 0.7, shift=25.0, label='blue bowl')
        until(lambda: 'epoch 1' in self.stack.log('memory_node'))
        until(lambda: self.seen('blue bowl'))
        self.assertAlmostEqual(self.seen('blue bowl')[0], 26.7, places=6)
        moved = sorted(self.seen('red mug'))
        for old, new in zip(before, moved, strict=True):
            self.assertAlmostEqual(new, old + 25.0, places=6)
        answer = self.stack.service(Ask, 'ask', question='where is the red mug?')
        self.assertEqual(answer.epoch, 1)
        self.assertAlmostEqual(answer.position.point.x, 26.25, delta=0.4)
        self.assertIn(
            'map was corrected: the robot was 25.00 m', self.stack.log('perception_node')
        )

    def test_a_robot_that_gets_carried_leaves_what_it_remembers_where_it_is(self):
        """Only from then on it is elsewhere."""
        self.begin(carried='true')
        for step in range(4):
            self.drive(step * 0.2, 0.0, shift=0.0, label='red mug')
        self.drive(1.0, 0.0, shift=25.0, label='blue bowl')
        until(lambda: self.seen('blue bowl'))
        self.assertAlmostEqual(self.seen('blue bowl')[0], 26.0, places=6)
        for x in self.seen('red mug'):
            self.assertAlmostEqual(x, 1.0, places=6)

    def test_drift_is_taken_out_of_the_way_on_which_it_came_about(self):
        """What was seen at the beginning stays, what was seen last moves with the robot."""
        self.begin()
        for step in range(61):
            self.drive(step * 0.2, 1.0 * step, shift=0.0, label=f'thing {step}')
        self.drive(12.4, 60.0, shift=1.0, label='after')
        until(lambda: self.seen('after') and 'epoch 1' in self.stack.log('memory_node'))
        self.assertAlmostEqual(self.seen('after')[0], 62.0, places=6)
        self.assertAlmostEqual(self.seen('thing 2')[0], 3.0, places=6)
        middle, late = (self.seen(f'thing {n}')[0] - n - 1.0 for n in (35, 58))
        self.assertTrue(0.2 < middle < 0.8, middle)
        self.assertTrue(0.8 < late <= 1.0, late)

    def test_small_steps_of_a_tracker_move_nothing(self):
        """A localisation that follows the robot by centimetres is no correction."""
        self.begin()
        for step in range(10):
            self.drive(step * 0.2, 0.0, shift=0.03 * step, label='lamp')
        until(lambda: len(self.seen('lamp')) == 10)
        for number, x in enumerate(sorted(self.seen('lamp'))):
            self.assertAlmostEqual(x, 1.0 + 0.03 * number, places=6)
        self.assertNotIn('epoch', self.stack.log('memory_node'))

    def test_between_being_told_and_the_map_s_answer_it_is_not_localised(self):
        """After /initialpose even a small jump says that everything before was off."""
        self.begin()
        for step in range(4):
            self.drive(step * 0.2, 0.0, shift=0.0, label='red mug')
        until(lambda: len(self.seen('red mug')) == 4)
        told = self.stack.robot.create_publisher(
            PoseWithCovarianceStamped, '/initialpose', qos.STREAM
        )
        until(told.get_subscription_count)
        told.publish(PoseWithCovarianceStamped())
        time.sleep(0.2)
        self.stack.robot.see(0.6, 'meanwhile', 1.0, 0.0)
        until(lambda: self.seen('meanwhile'))
        found = self.stack.stored(sources=['/detections']).values()
        self.assertFalse(next(item for item in found if item.text == 'meanwhile').localised)
        self.drive(1.0, 0.0, shift=0.3, label='after')
        until(lambda: self.seen('after') and 'epoch 1' in self.stack.log('memory_node'))
        self.assertEqual([round(x, 6) for x in self.seen('red mug')], [1.3] * 4)
        self.assertAlmostEqual(self.seen('meanwhile')[0], 1.3, places=6)
        self.assertAlmostEqual(self.seen('after')[0], 1.3, places=6)

    def test_a_path_that_slam_corrects_says_exactly_where_everything_is(self):
        """Every stretch goes to where the path has it."""
        self.begin(path_topic='slam_path')
        told = self.stack.robot.create_publisher(Path, 'slam_path', qos.STREAM)
        until(told.get_subscription_count)
        for step in range(31):
            self.drive(step * 0.2, 1.0 * step, shift=0.0, label=f'thing {step}')
        until(lambda: self.seen('thing 30'))
        path = Path()
        path.header.frame_id = 'map'
        for step in range(31):  # the wheels slipped: it came nine tenths as far, in an arc
            at = PoseStamped()
            at.header.stamp = stamp(step * 0.2)
            turn = 0.02 * step
            at.pose.position.x, at.pose.position.y = 0.9 * step, 0.01 * step * step
            at.pose.orientation.z, at.pose.orientation.w = math.sin(turn / 2), math.cos(turn / 2)
            path.poses.append(at)
        told.publish(path)
        until(lambda: 'a corrected path' in self.stack.log('memory_node'))
        found = self.stack.stored(sources=['/detections']).values()
        begun = {item.text: item.standpoint for item in found}
        self.assertAlmostEqual(begun['thing 0'].x, 0.0, places=5)
        for number in (11, 22):  # where stretches begin: 10 m after the last
            at = begun[f'thing {number}']
            self.assertAlmostEqual(at.x, 0.9 * number, places=5)
            self.assertAlmostEqual(at.y, 0.01 * number * number, places=5)

    def test_anchors_that_are_not_known_are_made_and_a_wrong_pose_moves_nothing(self):
        """Any SLAM may call the service."""
        self.stack.memory()
        self.stack.ready()
        client = self.stack.client
        right, wrong = Pose(), Pose()
        right.position.x, wrong.position.x = 1.0, math.nan
        done = self.stack.call(client.move_anchors({'submap 1': right}, reason='a loop'))
        self.assertEqual((done.error_code, done.epoch), ('', 1))
        refused = self.stack.call(client.move_anchors({'submap 1': wrong}, reason='a loop'))
        self.assertEqual(refused.error_code, 'invalid_pose')


if __name__ == '__main__':
    unittest.main()
