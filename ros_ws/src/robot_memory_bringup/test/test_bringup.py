"""The launch description itself, under launch_pytest: it comes up, remembers, and ends in order."""

import time

import launch_pytest
import pytest
import rclpy
from ament_index_python.packages import get_package_share_path
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_pytest.actions import ReadyToTest
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_memory_interfaces.msg import Observation
from robot_memory_ros.client import MemoryClient

from launch import LaunchDescription

LIMIT_S = 40.0
NODES = {'memory_node', 'perception_node'}
ENDED = {}


@launch_pytest.fixture
def stack(tmp_path):
    """Describe the robot's launch with a memory of its own; note how processes end."""
    described = get_package_share_path('robot_memory_bringup') / 'launch/robot_memory.launch.py'

    def note(event, context):
        ENDED[event.process_name.rsplit('-', 1)[0]] = event.returncode

    ENDED.clear()
    return LaunchDescription([
        RegisterEventHandler(OnProcessExit(on_exit=note)),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(described)),
            launch_arguments={
                'folder': str(tmp_path / 'memory'), 'encoder': 'hashing',
                'spool_folder': str(tmp_path / 'spool'),
            }.items(),
        ),
        ReadyToTest(),
    ])  # fmt: skip


@pytest.fixture
def person():
    """Somebody with a node of his own, in a context of its own."""
    context = Context()
    rclpy.init(context=context)
    node = Node('person', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def wait_for(condition):
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, f'not within {LIMIT_S:g} s'
            executor.spin_once(timeout_sec=0.05)

    yield node, wait_for
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.launch(fixture=stack)
def test_the_stack_comes_up_active_remembers_and_ends_in_order(person):
    """What comes after the yield holds once everything was shut down."""
    node, wait_for = person
    state, memory = node.create_client(GetState, 'memory_node/get_state'), MemoryClient(node)

    def call(future):
        wait_for(future.done)
        return future.result()

    wait_for(lambda: state.service_is_ready() and memory.ready())
    wait_for(
        lambda: (
            call(state.call_async(GetState.Request())).current_state.id
            == State.PRIMARY_STATE_ACTIVE
        )
    )
    seen = Observation(id='one', source='note', text='a red mug on the shelf', localised=True)
    seen.header.stamp.sec = 1_700_000_000
    kept = call(memory.observe(seen))
    assert (list(kept.acknowledgement.added), kept.error_code) == (['one'], ''), kept
    assert 'a red mug on the shelf' in call(memory.ask('where is the red mug?')).answer
    yield
    assert set(ENDED) >= NODES
    assert set(ENDED.values()) == {0}, ENDED
