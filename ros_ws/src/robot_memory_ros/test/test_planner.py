"""planner_node with a robot that drives as a test tells it: codes, cancels, maps that move."""

import contextlib
import math
import shutil
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

from action_msgs.srv import CancelGoal
from geometry_msgs.msg import PoseWithCovarianceStamped, TransformStamped
from nav2_msgs.action import ComputePathToPose, FollowPath, NavigateToPose
from person import Person
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from robot_memory_interfaces.msg import Observation, Sighting
from stack import Stack, stamp, until
from tf2_msgs.msg import TFMessage

BLIND = {'map_topic': '""', 'costmap_topic': '""'}
MUG = (3.0, 0.0, 0.8)
TICK_S = 0.05


class Robot:
    """Is where it says, and drives as it is told to by `drive`."""

    def __init__(self, person):
        """Stand at the origin."""
        self.person = person
        self.odom, self.at = (0.0, 0.0), (0.0, 0.0)
        self.goals = []
        self.drive = arrive
        self.tf = person.create_publisher(TFMessage, '/tf', 100)
        self.told = person.create_publisher(PoseWithCovarianceStamped, 'initialpose', 10)
        group = ReentrantCallbackGroup()
        person.create_timer(TICK_S, self.show, callback_group=group)
        self.server = ActionServer(
            person, NavigateToPose, 'navigate_to_pose', callback_group=group,
            execute_callback=lambda handle: self.drive(self, handle),
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )  # fmt: skip

    def show(self):
        """Publish where it is."""
        now, transforms = self.person.get_clock().now().to_msg(), []
        for parent, child, (x, y) in (
            ('map', 'odom', self.odom),
            ('odom', 'base_link', (self.at[0] - self.odom[0], self.at[1] - self.odom[1])),
        ):
            entry = TransformStamped(child_frame_id=child)
            entry.header.frame_id, entry.header.stamp = parent, now
            entry.transform.translation.x, entry.transform.translation.y = x, y
            entry.transform.rotation.w = 1.0
            transforms.append(entry)
        self.tf.publish(TFMessage(transforms=transforms))

    def arrived(self, handle):
        """Stand at the goal."""
        position = handle.request.pose.pose.position
        self.at = position.x, position.y
        time.sleep(4 * TICK_S)
        handle.succeed()
        return NavigateToPose.Result()


def arrive(robot, handle):
    """Go there."""
    robot.goals.append(handle.request.pose)
    return robot.arrived(handle)


def failing(code):
    """Make a way to drive that ends with one of nav2's error codes."""

    def fail(robot, handle):
        handle.abort()
        return NavigateToPose.Result(error_code=code)

    return fail


def linger(robot, handle):
    """Stand until cancelled."""
    robot.goals.append(handle.request.pose)
    until(lambda: handle.is_cancel_requested)
    handle.canceled()
    return NavigateToPose.Result()


def moving_map(told_so):
    """Make a way to drive on which the robot learns that it is elsewhere; then it arrives."""

    def drive(robot, handle):
        if robot.goals:
            return arrive(robot, handle)
        if told_so:
            robot.told.publish(PoseWithCovarianceStamped())
            time.sleep(0.3)
        robot.odom = robot.at = (-2.0, 0.0)
        return linger(robot, handle)

    return drive


class PlannerTest(unittest.TestCase):
    """One memory, one planner; every test has its own way to drive."""

    @classmethod
    def setUpClass(cls):
        """Remember a mug on a table."""
        cls.folder = Path(tempfile.mkdtemp(prefix='robot-memory-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.stack = stack = Stack(cls.folder)
        cls.addClassCleanup(stack.close)
        stack.memory()
        cls.start_planner()
        cls.person = Person(stack)
        cls.addClassCleanup(cls.person.leave)
        cls.robot = Robot(cls.person)
        cls.addClassCleanup(cls.robot.server.destroy)
        stack.ready()
        seen = Observation(
            id='seen', source='camera', confidence=1.0, localised=True, has_pose=True,
            sightings=[
                sighting(label, x, y, z)
                for label, (x, y, z) in (('red mug', MUG), ('table', (3.0, 0.0, 0.4)))
            ],
        )  # fmt: skip
        seen.header.stamp = stamp(1.0)
        seen.pose.pose.position.x, seen.pose.pose.orientation.w = 1.0, 1.0
        until(lambda: cls.remembers(seen))
        cls.person.ready()
        until(lambda: cls.person.go('the red mug', plan_only=True).how == 'done')

    @classmethod
    def remembers(cls, seen):
        """Tell the memory, which may not hear it at first."""
        future = cls.stack.client.observe(seen)
        with contextlib.suppress(AssertionError):
            until(future.done, 3.0)
        return future.done() and not future.result().error_code

    @classmethod
    def start_planner(cls):
        """Start the node under test."""
        cls.stack.start(
            'planner_node', folder=cls.folder / 'memory', encoder='hashing', look_timeout='1.0',
            **BLIND,
        )  # fmt: skip

    @classmethod
    def tearDownClass(cls):
        """Show what the nodes wrote where something failed."""
        print(cls.stack.log('planner_node')[-4000:])

    def setUp(self):
        """Begin at the origin."""
        self.robot.odom, self.robot.at, self.robot.goals = (0.0, 0.0), (0.0, 0.0), []
        self.robot.drive = arrive
        time.sleep(6 * TICK_S)

    def test_it_goes_to_where_a_thing_was_seen_and_says_why(self):
        """It ends where it can look at the thing, with the evidence it went by."""
        told = self.person.go('where you last saw the red mug')
        result = told.result
        self.assertEqual((told.how, result.error_code), ('done', ''), result.error_msg)
        self.assertTrue(result.arrived)
        at = result.goal_pose.pose.position
        self.assertLess(math.dist((at.x, at.y), MUG[:2]), 2.0)
        self.assertGreater(at.x, 0.5)
        self.assertEqual([item.id for item in result.evidence], ['seen'])
        self.assertIn('red mug', result.explanation)

    def test_what_came_of_an_errand_is_remembered(self):
        """The outcome is an observation of the same memory, made by this robot."""
        self.person.go('the red mug')
        found = self.stack.stored(sources=['outcome'])
        self.assertTrue(any("'go to the red mug' done" in item.text for item in found.values()))

    def test_a_memory_that_is_killed_meanwhile_learns_how_it_ended(self):
        """The errand goes on, and waits for the memory before it tells."""

        def killing(robot, handle):
            self.stack.stop('memory_node', signal.SIGKILL)
            self.stack.memory()
            return arrive(robot, handle)

        self.robot.drive = killing
        told = self.person.go('where you last saw the red mug')
        self.assertEqual((told.how, told.result.error_code), ('done', ''), told.result.error_msg)
        self.stack.ready()
        found = self.stack.stored(sources=['outcome'])
        words = "'go to where you last saw the red mug' done"
        self.assertTrue(any(words in item.text for item in found.values()))

    def test_words_that_name_no_place_and_things_never_seen_have_codes(self):
        """And the robot stays where it is."""
        for words, code in (
            ('', 'goal_not_understood'),
            ('bring me the red mug', 'goal_not_understood'),
            ('the unicorn', 'empty_memory'),
        ):
            told = self.person.go(words)
            self.assertEqual((told.how, told.result.error_code), ('failed', code))
            self.assertTrue(told.result.error_msg)
            self.assertFalse(told.result.arrived)
        self.assertEqual(self.robot.goals, [])
        told = self.person.fetch('the red mug')
        self.assertEqual(told.result.error_code, 'no_arm')
        self.assertTrue(told.result.has_remembered_at)
        self.assertAlmostEqual(told.result.remembered_at.point.z, MUG[2], places=2)

    def test_a_plan_is_shown_and_not_carried_out(self):
        """With where it would go."""
        told = self.person.go('the red mug', plan_only=True)
        self.assertEqual(told.how, 'done')
        self.assertFalse(told.result.arrived)
        self.assertAlmostEqual(told.result.goal_pose.pose.position.y, 0.0, places=1)
        fetched = self.person.fetch('the red mug', plan_only=True)
        self.assertIn('take the red mug', fetched.result.steps)
        self.assertEqual(self.robot.goals, [])

    def test_what_nav2_ends_with_is_told_in_codes(self):
        """No way, something in the way, transforms that are missing."""
        for code, expected in (
            (ComputePathToPose.Result.NO_VALID_PATH, 'no_path'),
            (FollowPath.Result.FAILED_TO_MAKE_PROGRESS, 'blocked'),
            (ComputePathToPose.Result.TF_ERROR, 'not_localised'),
        ):
            self.robot.drive = failing(code)
            told = self.person.go('the red mug')
            self.assertEqual((told.how, told.result.error_code), ('failed', expected))
            self.assertIn(str(code), told.result.error_msg)

    def test_a_cancel_ends_it_within_half_a_second(self):
        """And cancels the navigator; so does one that the navigator does not hear."""
        cancelled = threading.Event()

        def heard(robot, handle):
            result = linger(robot, handle)
            cancelled.set()
            return result

        def deaf(robot, handle):
            robot.goals.append(handle.request.pose)
            until(lambda: handle.is_cancel_requested)
            time.sleep(1.5)
            handle.canceled()
            return NavigateToPose.Result()

        for drive in (heard, deaf):
            self.robot.drive, self.robot.goals = drive, []
            told = self.person.go('the red mug', cancel=lambda feedback: bool(self.robot.goals))
            self.assertEqual(told.result.error_code, 'cancelled')
            self.assertLess(told.ended_s, 0.5)
            time.sleep(1.5)
        self.assertTrue(cancelled.is_set())

    def test_one_errand_at_a_time(self):
        """A second order is refused with a code, and the first goes on."""
        self.robot.drive = linger
        first, ended = [], threading.Event()

        def go():
            first.append(self.person.go('the red mug', cancel=lambda feedback: ended.is_set()))

        thread = threading.Thread(target=go)
        thread.start()
        until(lambda: bool(self.robot.goals))
        told = self.person.fetch('the red mug')
        self.assertEqual((told.how, told.result.error_code), ('failed', 'busy'))
        self.assertEqual(first, [])
        ended.set()
        thread.join(10.0)
        self.assertEqual(first[0].result.error_code, 'cancelled')

    def test_where_the_map_moves_the_goal_is_sent_anew(self):
        """After a correction, and after somebody told where the robot is."""
        for told_so in (False, True):
            self.setUp()
            self.robot.drive = moving_map(told_so)
            told = self.person.go('the red mug')
            self.assertEqual((told.how, told.result.error_code), ('done', ''))
            self.assertGreaterEqual(len(self.robot.goals), 2)
            self.assertEqual(self.robot.goals[0].pose, self.robot.goals[-1].pose)

    def test_a_navigator_that_frees_itself_is_told_as_recovering(self):
        """With how often it did."""

        def recover(robot, handle):
            handle.publish_feedback(
                NavigateToPose.Feedback(number_of_recoveries=2, distance_remaining=1.5)
            )
            time.sleep(0.6)
            return arrive(robot, handle)

        self.robot.drive = recover
        told = self.person.go('the red mug')
        recovering = [item for item in told.feedback if item.phase == 'recovering']
        self.assertTrue(recovering)
        self.assertEqual(recovering[-1].recoveries, 2)
        self.assertAlmostEqual(recovering[-1].distance_remaining, 1.5)

    def test_somebody_who_stops_the_navigator_stops_the_errand(self):
        """It does not drive on by another way."""
        cancels = self.person.create_client(CancelGoal, 'navigate_to_pose/_action/cancel_goal')
        self.addCleanup(self.person.destroy_client, cancels)

        def stopped(robot, handle):
            cancels.call_async(CancelGoal.Request())
            return linger(robot, handle)

        self.robot.drive = stopped
        told = self.person.go('the red mug')
        self.assertEqual((told.how, told.result.error_code), ('failed', 'stopped'))
        self.assertEqual(len(self.robot.goals), 1)

    def test_further_than_allowed_is_refused(self):
        """By the way there."""
        told = self.person.go('the red mug', max_travel=0.5)
        self.assertEqual((told.how, told.result.error_code), ('failed', 'too_far'))
        self.assertEqual(self.robot.goals, [])


class PlannerAlone(unittest.TestCase):
    """Nobody drives, nobody remembers."""

    def test_what_is_missing_is_named_and_it_goes_down_quickly(self):
        """By codes, in the log within five seconds; SIGINT ends it within two."""
        folder = Path(tempfile.mkdtemp(prefix='robot-memory-'))
        stack = Stack(folder)
        person = Person(stack)
        try:
            stack.start(
                'planner_node', folder=folder / 'memory', encoder='hashing', look_timeout='0.5',
                **{**BLIND, 'map_topic': 'floor/map'},
            )  # fmt: skip
            person.ready()
            until(lambda: person.go('the red mug', plan_only=True).how == 'failed')
            told = person.go('the red mug', plan_only=True)
            self.assertEqual(told.result.error_code, 'memory_missing')
            told = person.go('the red mug')
            self.assertEqual((told.how, told.result.error_code), ('failed', 'navigator_missing'))
            until(lambda: 'navigate_to_pose; start nav2' in stack.log('planner_node'), 6.0)
            until(lambda: '/floor/map: silent' in stack.log('planner_node'), 6.0)
            code, seconds = stack.stop('planner_node')
            self.assertEqual(code, 0)
            self.assertLess(seconds, 2.0)
            self.assertNotIn('Traceback', stack.log('planner_node'))
        finally:
            print(stack.log('planner_node')[-2000:])
            person.leave()
            stack.close()
            shutil.rmtree(folder, ignore_errors=True)


def sighting(label, x, y, z):
    """Make a thing seen at a place of the map, from (1, 0)."""
    seen = Sighting(label=label, confidence=0.9, has_position=True)
    seen.position.x, seen.position.y, seen.position.z = x - 1.0, y, z
    return seen


if __name__ == '__main__':
    unittest.main()
