"""The simulated home through the whole stack: what the robot sees it remembers, and acts by."""

import math
import shutil
import tempfile
import threading
import time
import unittest
from importlib.util import find_spec
from pathlib import Path

from geometry_msgs.msg import Twist
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from nav2_msgs.action import NavigateToPose
from nav_msgs.msg import OccupancyGrid
from person import PATIENCE_S, Person
from rclpy.qos import QoSProfile
from robot_memory_interfaces.action import LookAt, Manipulate
from robot_memory_interfaces.srv import Ask
from robot_memory_ros import qos
from robot_memory_ros.calling import ActionCaller
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from stack import Stack, until
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray

from memory_sim.worlds.home.plan import plan_home

SEED, ROOMS = 24, 4
THING, OTHER = 'honey jar', 'white phone'
FASTER = 8.0


def where_of(plan, label):
    """Where a thing is on the first day, and where one stands to look at what it is on."""
    thing = next(item for item in plan.things if item.label == label)
    return plan.furniture_by_id[thing.spot.furniture].standing()


@unittest.skipUnless(find_spec('pybullet'), 'PyBullet is not installed: nothing simulates a home')
class HomeTest(unittest.TestCase):
    """One morning: the robot is shown two rooms, and then asked for things."""

    @classmethod
    def setUpClass(cls):
        """Start everything, and drive to where the things are."""
        cls.folder = Path(tempfile.mkdtemp(prefix='robot-memory-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.plan = plan_home(SEED, rooms=ROOMS, floors=1)
        cls.stack = stack = Stack(cls.folder)
        cls.addClassCleanup(stack.close)
        begun = time.monotonic()
        stack.start(
            'sim_node', seed=SEED, rooms=ROOMS, real_time_factor=FASTER,
            maps=cls.folder / 'memory' / 'maps',
        )  # fmt: skip
        stack.memory(use_sim_time='true')
        stack.start(
            'perception_node', use_sim_time='true', depth_topic='camera/depth',
            detections_topic='detections', base_frame='base_link', session='morning',
        )  # fmt: skip
        stack.start(
            'planner_node', use_sim_time='true', folder=cls.folder / 'memory', encoder='hashing',
            radius='0.27', session='morning', detections_topic='detections',
            depth_topic='camera/depth', camera_info_topic='camera/camera_info',
        )  # fmt: skip
        cls.person = person = Person(stack)
        cls.addClassCleanup(person.leave)
        cls.navigator, cls.head, cls.arm = (
            ActionCaller(person, kind, name, cancelled_s=PATIENCE_S)
            for kind, name in (
                (NavigateToPose, 'navigate_to_pose'), (LookAt, 'look_at'),
                (Manipulate, 'manipulate'),
            )
        )  # fmt: skip
        until(lambda: cls.navigator.ready and cls.arm.ready and stack.client.ready())
        person.ready()
        print(f'up after {time.monotonic() - begun:.1f} s')
        for label in (THING, OTHER):
            until(lambda label=label: cls.drive(where_of(cls.plan, label)).how == 'done')
            until(lambda label=label: f'The {label} is' in cls.ask(f'where is the {label}?'))

    @classmethod
    def tearDownClass(cls):
        """Show what the nodes wrote."""
        for name in ('sim_node', 'planner_node', 'memory_node'):
            print(f'---- {name}\n{cls.stack.log(name)[-4000:]}')

    @classmethod
    def ask(cls, question):
        """Ask the memory."""
        return cls.stack.service(Ask, 'ask', question=question).answer

    @classmethod
    def drive(cls, pose, *, frame='map', interrupted=lambda: False):
        """Drive as anybody may who knows nav2's action."""
        goal = NavigateToPose.Goal()
        goal.pose.header.frame_id = frame
        goal.pose.pose.position.x, goal.pose.pose.position.y = pose.x, pose.y
        goal.pose.pose.orientation.z = math.sin(pose.yaw / 2)
        goal.pose.pose.orientation.w = math.cos(pose.yaw / 2)
        return cls.navigator.call(goal, interrupted=interrupted)

    def heard(self, kind, topic, quality, *, fits=lambda message: True):
        """Wait for a message."""
        found = []
        subscription = self.person.create_subscription(kind, topic, found.append, quality)
        until(lambda: any(map(fits, found)))
        self.person.destroy_subscription(subscription)
        return next(filter(fits, found))

    def test_it_goes_to_a_room_by_its_name(self):
        """It arrives in that room, and says so."""
        told = self.person.go('the kitchen')
        self.assertEqual((told.how, told.result.error_code), ('done', ''), told.result.error_msg)
        at = told.result.goal_pose.pose.position
        self.assertEqual(self.plan.room_at(at.x, at.y).kind, 'kitchen')
        self.assertLessEqual({item.phase for item in told.feedback},
                             {'recalling', 'going', 'recovering'})  # fmt: skip
        self.assertIn('going', {item.phase for item in told.feedback})

    def test_it_brings_a_thing_that_it_saw(self):
        """Found where it stands in truth, taken, brought and handed over, step by step."""
        told = self.person.fetch(f'the {THING}')
        result = told.result
        self.assertEqual((told.how, result.error_code), ('done', ''), (result.error_msg,
                                                                       result.steps))  # fmt: skip
        self.assertTrue(result.fetched and result.has_found_at and result.has_remembered_at)
        room = self.plan.room_at(result.found_at.point.x, result.found_at.point.y)
        self.assertEqual(room.kind, 'kitchen')
        self.assertTrue(result.entity)
        self.assertTrue(any(THING in item.text for item in result.evidence))
        steps = [step.rsplit(': ', 1) for step in result.steps]
        self.assertIn([f'take the {THING}', 'done'], steps)
        self.assertEqual(steps[-1], [f'hand over the {THING}', 'done'])
        self.assertIn(f'take the {THING}', {item.step for item in told.feedback})
        found = self.stack.stored(sources=['outcome'])
        self.assertTrue(any('bring me' in item.text for item in found.values()))

    def test_a_cancel_ends_every_step_within_half_a_second(self):
        """While recalling, driving, looking and handling."""
        moments = {
            'recalling': lambda step: True,
            'driving': lambda step: step.startswith('drive'),
            'looking': lambda step: step.startswith('look'),
            'handling': lambda step: step.startswith('take'),
        }
        for name, moment in moments.items():
            with self.subTest(name):
                told = self.person.fetch(
                    f'the {OTHER}', cancel=lambda feedback, moment=moment: any(
                        moment(item.step) for item in feedback
                    ),
                )  # fmt: skip
                self.assertEqual(told.result.error_code, 'cancelled', told.result.error_msg)
                self.assertLess(told.ended_s, 0.5)
                print(f'cancelled while {name}: {told.ended_s:.3f} s')
                until(lambda: self.person.go('the unicorn').result.error_code == 'empty_memory')

    def test_it_senses_as_a_robot_does(self):
        """Pictures, depth, lens, things, scan, map, clock and transforms, in their frames."""
        info = self.heard(CameraInfo, 'camera/camera_info', qos.SENSOR)
        picture = self.heard(Image, 'camera/image_raw', qos.SENSOR)
        depth = self.heard(Image, 'camera/depth', qos.SENSOR)
        self.assertEqual((info.width, info.height), (picture.width, picture.height))
        self.assertEqual((picture.encoding, depth.encoding), ('rgb8', '32FC1'))
        self.assertEqual(len(depth.data), 4 * depth.width * depth.height)
        self.assertEqual(depth.header.frame_id, info.header.frame_id)
        things = self.heard(Detection3DArray, 'detections', qos.SENSOR,
                            fits=lambda message: bool(message.detections))  # fmt: skip
        self.assertTrue(things.detections[0].results[0].hypothesis.class_id)
        scan = self.heard(LaserScan, 'scan', qos.SENSOR)
        self.assertEqual(len(scan.ranges), 360)
        known = self.heard(OccupancyGrid, 'map', qos.LATCHED)
        self.assertEqual(set(known.data) - {-1, 0, 100}, set())
        dock = self.plan.dock
        column = int((dock.x - known.info.origin.position.x) / known.info.resolution)
        row = int((dock.y - known.info.origin.position.y) / known.info.resolution)
        self.assertEqual(known.data[row * known.info.width + column], 0)
        frames = self.heard(TFMessage, '/tf', qos.STREAM,
                            fits=lambda message: len(message.transforms) == 3)  # fmt: skip
        self.assertEqual(
            [(item.header.frame_id, item.child_frame_id) for item in frames.transforms],
            [('map', 'odom'), ('odom', 'base_link'), ('base_link', 'camera_link')],
        )
        clocks = []
        until(lambda: clocks.append(
            self.heard(Clock, '/clock', QoSProfile(depth=10)).clock.sec
        ) or clocks[-1] > clocks[0])  # fmt: skip

    def test_goals_it_cannot_reach_end_with_nav2_s_codes(self):
        """A place outside the home, a frame nobody knows."""
        where = self.plan.dock
        outside = self.drive(type(where)(x=100.0, y=100.0))
        self.assertEqual((outside.how, outside.result.error_code), ('failed', 208))
        unknown = self.drive(where, frame='moon')
        self.assertEqual(unknown.how, 'failed')
        self.assertIn("'moon'", unknown.result.error_msg)

    def test_velocities_drive_it(self):
        """While nothing else does."""
        twist = Twist()
        twist.angular.z = 0.8
        wheel = self.person.create_publisher(Twist, 'cmd_vel', 10)
        timer = self.person.create_timer(0.1, lambda: wheel.publish(twist))
        seen = []

        def turned(message):
            turn = next(item for item in message.transforms if item.child_frame_id == 'base_link')
            rotation = turn.transform.rotation
            seen.append(2 * math.atan2(rotation.z, rotation.w))
            return abs(math.remainder(seen[-1] - seen[0], math.tau)) > 0.5

        self.heard(TFMessage, '/tf', qos.STREAM, fits=turned)
        timer.cancel()
        self.person.destroy_timer(timer)

    def test_looking_and_handling_have_codes_too(self):
        """A frame nobody knows, a hand that is empty, a cloud of nothing."""
        goal = LookAt.Goal(has_target=True)
        goal.target.header.frame_id = 'moon'
        self.assertEqual(self.head.call(goal).result.error_code, 'unknown_frame')
        for movement, code in (
            (Manipulate.Goal.GIVE, 'hand_empty'),
            (Manipulate.Goal.PICK, 'nothing_there'),
            (99, 'unknown_movement'),
        ):
            told = self.arm.call(Manipulate.Goal(movement=movement))
            self.assertEqual((told.how, told.result.error_code), ('failed', code))

    def test_z_sigint_ends_home_and_planner_within_two_seconds_and_the_map_is_kept(self):
        """In the middle of a drive; the next morning goes on with the map."""
        until(lambda: self.drive(where_of(self.plan, OTHER)).how == 'done')
        told, underway = [], threading.Event()

        def watch(feedback):
            if any(item.phase == 'going' for item in feedback):
                underway.set()

        thread = threading.Thread(
            target=lambda: told.append(self.person.go('the kitchen', cancel=watch))
        )
        thread.start()
        self.assertTrue(underway.wait(PATIENCE_S))
        for name in ('planner_node', 'sim_node'):
            code, seconds = self.stack.stop(name)
            self.assertEqual(code, 0)
            self.assertLess(seconds, 2.0)
            self.assertNotIn('Traceback', self.stack.log(name))
        thread.join(PATIENCE_S)
        self.assertIn(told[0].how, ('failed', 'silent'))
        maps = self.folder / 'memory' / 'maps'
        self.assertTrue((maps / 'localiser.json').exists())
        self.stack.start('sim_node', seed=SEED + 1, rooms=ROOMS, maps=maps)
        self.assertNotEqual(self.stack.processes['sim_node'].wait(PATIENCE_S), 0)
        self.assertIn('the map of the home made from', self.stack.log('sim_node'))
        state = self.stack.service(GetState, 'memory_node/get_state').current_state.id
        self.assertEqual(state, State.PRIMARY_STATE_ACTIVE)


if __name__ == '__main__':
    unittest.main()
