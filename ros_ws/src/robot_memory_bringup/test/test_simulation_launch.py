"""`ros2 launch … simulation.launch.py`: a home, a robot and its memory, by the printed commands."""

import os
import signal
import subprocess
import time
from importlib.util import find_spec

import pytest

LAUNCH = ['ros2', 'launch', 'robot_memory_bringup', 'simulation.launch.py']
GO = ['ros2', 'action', 'send_goal', '/r1/go_to', 'robot_memory_interfaces/action/GoTo']
TOPICS = ('clock', 'tf', 'camera/image_raw', 'camera/depth', 'scan', 'odom', 'map', 'detections')


def run(*command, limit_s=60):
    """Run a command as a user would."""
    return subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)


def wait_for(condition, limit_s=40.0):
    """Wait for a condition."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f'not within {limit_s:g} s'
        time.sleep(0.2)


@pytest.fixture
def launched(tmp_path):
    """Start a home in a namespace, and take it down."""
    log = tmp_path / 'log'
    with log.open('wb') as file:
        process = subprocess.Popen(
            [*LAUNCH, f'folder:={tmp_path / "memory"}', 'encoder:=hashing', 'seed:=24',
             'real_time_factor:=4.0', 'namespace:=r1'],
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    yield log
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    print(log.read_text()[-3000:])


@pytest.mark.skipif(find_spec('pybullet') is None, reason='PyBullet is not installed')
def test_a_robot_in_its_namespace_sees_remembers_and_goes(launched):
    """Its topics, its clock and its transforms lie in the namespace; words make it go."""
    wait_for(lambda: 'home 24:' in launched.read_text())
    listed = run('ros2', 'topic', 'list', '--no-daemon', '--spin-time', '3').stdout.split()
    assert {f'/r1/{topic}' for topic in TOPICS} <= set(listed)
    assert not {'/clock', '/tf', '/map'} & set(listed)
    wait_for(
        lambda: (
            'Goal finished with status: SUCCEEDED' in run(*GO, '{goal: the dressing table}').stdout
        ),
        limit_s=60.0,
    )


def test_every_argument_has_a_description():
    """Shown by `--show-args`."""
    shown = run(*LAUNCH, '--show-args').stdout
    assert shown.count('(default:') >= 13
    assert 'no description given' not in shown
