"""Processes of one robot under a real ROS 2, and a robot that publishes what one would."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from robot_memory_interfaces.msg import Observation
from robot_memory_ros import qos
from robot_memory_ros.client import MemoryClient
from rosbags.highlevel import AnyReader
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

from memory_core import RobotMemory

START = 1_700_000_000
LIMIT_S = 20.0
DOMAINS = 101
"""So many DDS domains there are on any system, from 0."""
_begun = itertools.count(int(os.environ.get('ROS_DOMAIN_ID', '0')))


def domain_of_its_own():
    """
    Take the next DDS domain.

    A process that was killed is believed to be there for another ten seconds by whoever knew it;
    in a domain of its own no robot takes those of the test before for its own.
    """
    return next(_begun) % DOMAINS


def stamp(seconds):
    """Make a stamp so many seconds after the start."""
    whole = int(seconds // 1)
    return Time(sec=START + whole, nanosec=round((seconds - whole) * 1e9))


def note(name, text, seconds, **fields):
    """Make an observation in words, so many seconds after the start."""
    made = Observation(id=name, source='note', text=text, confidence=1.0, **fields)
    made.header.stamp = stamp(seconds)
    return made


class Robot(Node):
    """Publishes what a robot would."""

    def __init__(self, **options):
        super().__init__('robot', **options)
        self.tf = self.create_publisher(TFMessage, '/tf', 100)
        self.odometry = self.create_publisher(Odometry, 'odom', qos.SENSOR)
        self.image = self.create_publisher(Image, 'camera/image_raw', qos.SENSOR)
        self.words = self.create_publisher(String, 'captions', qos.SENSOR)
        self.things = self.create_publisher(Detection3DArray, 'detections', qos.SENSOR)
        self.clients_of = {}

    def drive(self, seconds, x):
        """Publish the wheels' odometry."""
        message = Odometry(child_frame_id='base_link')
        message.header.stamp = stamp(seconds)
        message.header.frame_id = 'odom'
        message.pose.pose.position.x = x
        message.pose.pose.orientation.w = 1.0
        self.odometry.publish(message)

    def stand(self, seconds, x, *, localised=True, shift=0.0):
        """Publish where it is."""
        transforms = []
        for parent, child, moved in (('map', 'odom', shift), ('odom', 'base_link', x)):
            if parent == 'map' and not localised:
                continue
            transform = TransformStamped(child_frame_id=child)
            transform.header.stamp = stamp(seconds)
            transform.header.frame_id = parent
            transform.transform.translation.x = moved
            transform.transform.rotation.w = 1.0
            transforms.append(transform)
        self.tf.publish(TFMessage(transforms=transforms))

    def see(self, seconds, label, x, y):
        """Publish one thing, where it is from the robot."""
        thing = Detection3D()
        found = ObjectHypothesisWithPose()
        found.hypothesis.class_id = label
        found.hypothesis.score = 0.9
        thing.results = [found]
        thing.bbox.center.position.x, thing.bbox.center.position.y = x, y
        thing.bbox.center.orientation.w = 1.0
        message = Detection3DArray(detections=[thing])
        message.header.stamp = stamp(seconds)
        message.header.frame_id = 'base_link'
        self.things.publish(message)

    def picture(self, seconds, seed):
        """Publish a picture."""
        draw = np.random.default_rng(seed)
        pixels = np.kron(draw.integers(0, 255, (12, 16, 3)), np.ones((10, 10, 1)))
        message = Image(height=120, width=160, encoding='rgb8', step=480)
        message.data = pixels.astype(np.uint8).tobytes()
        message.header.stamp = stamp(seconds)
        message.header.frame_id = 'base_link'
        self.image.publish(message)


class Stack:
    """Processes of one robot, and a node to talk to them."""

    def __init__(self, folder, *, namespace='', domain=None):
        self.folder, self.namespace = folder, namespace
        self.domain = domain_of_its_own() if domain is None else domain
        self.processes = {}
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.robot = Robot(context=self.context, namespace=namespace)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.robot)
        self.spinning = threading.Thread(target=self._spin, daemon=True)
        self.spinning.start()
        self.client = MemoryClient(self.robot)

    def _spin(self):
        with contextlib.suppress(Exception):
            self.executor.spin()

    def start(self, name, **parameters):
        """Start a node; parameters as on a command line."""
        given = []
        for key, item in parameters.items():
            given += ['-p', f'{key}:={item}']
        if self.namespace:
            given += ['-r', f'__ns:=/{self.namespace}']
        with (self.folder / f'{name}.log').open('ab') as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, '-m', f'robot_memory_ros.{name}', '--ros-args', *given],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'ROS_DOMAIN_ID': str(self.domain), 'PYTHONFAULTHANDLER': '1'},
            )

    def memory(self, **parameters):
        """Start memory_node with words hashed, which is quick."""
        place = self.folder / 'memory'
        self.start('memory_node', **{'folder': place, 'encoder': 'hashing', **parameters})

    def perception(self, **parameters):
        """Start perception_node on this robot's topics."""
        given = {
            'caption_topic': 'captions', 'detections_topic': 'detections',
            'camera_info_topic': '""', 'odometry_topic': '""', 'base_frame': 'base_link',
            'session': 'test', 'resend_after': '0.5',
        }  # fmt: skip
        self.start('perception_node', **{**given, **parameters})

    def stop(self, name, how=signal.SIGINT):
        """Stop a node; returns its exit code and how long that took."""
        begun = time.monotonic()
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # its log then says where every thread hung
            code = process.wait()
        return code, time.monotonic() - begun

    def call(self, future):
        """Wait for an answer."""
        until(future.done)
        return future.result()

    def service(self, kind, name, **fields):
        """Call a service; a node that has just come up may miss the first call."""
        client = self.robot.create_client(kind, name)
        until(client.service_is_ready)
        for _ in range(3):
            future = client.call_async(kind.Request(**fields))
            with contextlib.suppress(AssertionError):
                until(future.done, 5.0)
                break
        return self.call(future)

    def ready(self):
        """Wait until the memory answers and the topics are connected."""
        until(self.client.ready)
        if 'perception_node' in self.processes:
            until(lambda: self.robot.words.get_subscription_count() > 0)
            until(lambda: self.robot.tf.get_subscription_count() > 0)
            until(lambda: self.robot.count_subscribers('observations') > 0)

    def stored(self, **fields):
        """Everything stored that fits: id to evidence."""
        for _ in range(10):  # a request to a node that was just killed is never answered
            future = self.client.recall('', k=1000, **fields)
            with contextlib.suppress(AssertionError):
                until(future.done, 3.0)
                break
        found = future.result()
        assert found.error_code == '', found.error_msg
        return {item.id: item for item in found.evidence}

    def log(self, name):
        """Read what a node wrote."""
        return (self.folder / f'{name}.log').read_text()

    def close(self):
        """Stop everything."""
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)
        self.executor.shutdown()
        self.client.destroy()
        self.robot.destroy_node()
        rclpy.shutdown(context=self.context)


def until(condition, limit_s=LIMIT_S):
    """Wait for a condition."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f'not within {limit_s:g} s'
        time.sleep(0.02)


def play(robot, bag):
    """Publish a bag's messages in order, with their clock."""
    publishers = {'clock': robot.create_publisher(Clock, '/clock', 10)}
    until(lambda: robot.count_subscribers('/clock') > 0)
    with AnyReader([bag]) as reader:
        kinds = {'/tf': TFMessage, '/detections': Detection3DArray, '/captions': String}
        for connection in reader.connections:
            kind = kinds.get(connection.topic)
            if kind is not None:
                how = 100 if connection.topic == '/tf' else qos.SENSOR
                publishers[connection.topic] = robot.create_publisher(kind, connection.topic, how)
                until(publishers[connection.topic].get_subscription_count)
        for connection, stamp_ns, raw in reader.messages():
            if connection.topic in publishers:
                seconds, rest = divmod(stamp_ns, 10**9)
                publishers['clock'].publish(Clock(clock=Time(sec=seconds, nanosec=rest)))
                message = deserialize_message(raw, kinds[connection.topic])
                publishers[connection.topic].publish(message)
                time.sleep(0.005)


def moments(folder):
    """By source, in order: when, where, what was seen, what was said."""
    found = {}
    with RobotMemory.open(folder, read_only=True, text_encoder=None) as memory:
        for stored in memory.store.fetch(list(memory.store.rowids(after=0))):
            one = stored.observation
            place = None if stored.map_pose is None else np.round(stored.map_pose.position, 9)
            things = [(s.label, np.round(s.position, 9).tolist()) for s in one.sightings]
            where = None if place is None else place.tolist()
            found.setdefault(one.source, []).append((one.stamp_ns, where, things, one.text))
    return {source: sorted(told, key=lambda entry: entry[0]) for source, told in found.items()}


class StackCase(unittest.TestCase):
    """Every test has a stack and a folder of its own."""

    namespace = ''

    def setUp(self):
        """Make them."""
        self.folder = Path(tempfile.mkdtemp(prefix='robot-memory-'))
        self.stack = Stack(self.folder, namespace=self.namespace)

    def tearDown(self):
        """Take them down; what the nodes wrote is shown where the test failed."""
        for name in ('memory_node', 'perception_node'):
            if (self.folder / f'{name}.log').exists():
                print(f'---- {name}\n{self.stack.log(name)[-3000:]}')
        self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)
