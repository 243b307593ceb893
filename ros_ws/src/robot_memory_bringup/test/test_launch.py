"""`ros2 launch` and the robot remembers, also after its memory was killed."""

import os
import re
import signal
import subprocess
import time

import pytest

LAUNCH = ['ros2', 'launch', 'robot_memory_bringup', 'robot_memory.launch.py']
ASK = ['ros2', 'run', 'robot_memory_ros', 'ask', 'where is the mug?', '--timeout', '20']
OBSERVE = """{observations: [{id: one, source: note, text: a red mug on the shelf,
header: {stamp: {sec: 1700000000}}, localised: true, has_pose: true, confidence: 1.0,
pose: {pose: {position: {x: 1.0}, orientation: {w: 1.0}}}}]}"""


def run(*command):
    """Run a command as a user would."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def wait_for(condition, limit_s=30.0):
    """Wait for a condition."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f'not within {limit_s:g} s'
        time.sleep(0.1)


@pytest.fixture
def launched(tmp_path):
    """Start the stack with a memory of its own, and take it down."""
    log = tmp_path / 'log'
    with log.open('wb') as file:
        process = subprocess.Popen(
            [*LAUNCH, f'folder:={tmp_path / "memory"}', 'encoder:=hashing'],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield log
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_it_remembers_answers_and_comes_back(launched):
    """The commands of the documentation, as printed."""
    wait_for(lambda: '0 observations' in launched.read_text())
    service = 'robot_memory_interfaces/srv/Observe'
    done = run('ros2', 'service', 'call', '/observe', service, OBSERVE)
    assert "added=['one']" in done.stdout, done
    answer = run(*ASK)
    assert answer.returncode == 0, answer
    assert 'a red mug on the shelf' in answer.stdout
    pid = re.search(r'memory_node-\d+\]: process started with pid \[(\d+)\]', launched.read_text())
    os.kill(int(pid[1]), signal.SIGKILL)
    wait_for(lambda: ': 1 observations' in launched.read_text())
    wait_for(lambda: 'a red mug on the shelf' in run(*ASK).stdout)


def test_an_unknown_preset_is_named_with_those_there_are():
    """Nothing is started."""
    done = run(*LAUNCH, 'preset:=toaster')
    assert done.returncode != 0
    assert "there is no preset 'toaster'; known: generic" in done.stdout + done.stderr


def test_every_argument_has_a_description():
    """Shown by `--show-args`."""
    shown = run(*LAUNCH, '--show-args').stdout
    assert shown.count('(default:') >= 9
    assert 'no description given' not in shown
