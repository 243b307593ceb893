"""`ros2 launch` and the robot remembers, also after its memory was killed."""

import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ament_index_python.packages import get_package_share_directory

from memory_core import RobotMemory, ingest

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / 'tests'))
from bags import kitchen_bag

REPOSITORY = Path(__file__).resolve().parents[4]

PRESETS = sorted(
    Path(get_package_share_directory('robot_memory_bringup'), 'config').glob('*.yaml')
)
REPLAY = ['ros2', 'launch', 'robot_memory_bringup', 'replay.launch.py']
LAUNCH = ['ros2', 'launch', 'robot_memory_bringup', 'robot_memory.launch.py']
GIVEN = ['image_topic:=front/image', 'camera_info_topic:=none']
ASK = ['ros2', 'run', 'robot_memory_ros', 'ask', 'where is the mug?', '--timeout', '20']
OBSERVE = """{observations: [{id: one, source: note, text: a red mug on the shelf,
header: {stamp: {sec: 1700000000}}, localised: true, has_pose: true, confidence: 1.0,
pose: {pose: {position: {x: 1.0}, orientation: {w: 1.0}}}}]}"""


def run(*command):
    """Run a command as a user would."""
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


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
            [*LAUNCH, *GIVEN, f'folder:={tmp_path / "memory"}', 'encoder:=hashing'],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield log
    stop(process)


def stop(process):
    """Take a launch down as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def documented(heading):
    """Find the calls of services and actions below a heading of the documentation."""
    page = (REPOSITORY / 'docs/ros.md').read_text().split(f'\n{heading}\n')[1].split('\n## ')[0]
    found = re.findall(r'^ros2 (?:service|action) .*$', page, re.MULTILINE)
    assert len(found) >= 5
    return found


def test_it_remembers_answers_and_comes_back(launched, tmp_path):
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
    bag = kitchen_bag(tmp_path / 'bag')
    for command in documented('## Ask'):
        done = run(*shlex.split(command.replace('/path/to/a/bag', str(bag))))
        assert done.returncode == 0, done
        told = re.findall(r"error_code(?:=|: )'?([a-z_]*)", done.stdout)
        assert told and not any(told), done


def test_topics_are_arguments(launched):
    """One is heard under another name, and one not at all."""
    wait_for(lambda: '/front/image: silent: nobody publishes it' in launched.read_text())
    assert 'camera_info' not in launched.read_text()


def test_ones_own_parameters_win_over_what_is_set_by_default_alone(tmp_path):
    """The folder is that of the file; the encoder is the argument's."""
    mine = tmp_path / 'mine.yaml'
    own = {'folder': str(tmp_path / 'mine'), 'encoder': 'none'}
    mine.write_text(yaml.safe_dump({'/**': {'memory_node': {'ros__parameters': own}}}))
    log = tmp_path / 'log'
    with log.open('wb') as file:
        process = subprocess.Popen(
            [*LAUNCH, f'parameters:={mine}', 'encoder:=hashing',
             f'spool_folder:={tmp_path / "spool"}'],
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: f'{tmp_path / "mine"}: 0 observations' in log.read_text())
        shown = run('ros2', 'param', 'get', '/memory_node', 'encoder')
        assert 'hashing' in shown.stdout, shown
    finally:
        stop(process)


def test_an_unknown_preset_is_named_with_those_there_are():
    """Nothing is started."""
    done = run(*LAUNCH, 'preset:=toaster')
    assert done.returncode != 0
    assert "there is no preset 'toaster'; known: generic" in done.stdout + done.stderr


@pytest.mark.parametrize('launch', [LAUNCH, REPLAY], ids=['robot_memory', 'replay'])
def test_every_argument_has_a_description(launch):
    """Shown by `--show-args`."""
    shown = run(*launch, '--show-args').stdout
    assert shown.count('(default:') >= 7
    assert 'no description given' not in shown


def test_there_are_presets_for_the_robots_that_the_documentation_names():
    """And one for any other."""
    names = {path.stem for path in PRESETS}
    assert names >= {'generic', 'turtlebot4', 'nova_carter', 'stretch', 'spot'}


@pytest.mark.parametrize('preset', PRESETS, ids=lambda path: path.stem)
def test_a_preset_sets_parameters_that_exist_to_values_they_may_have(preset):
    """Of the right type, too: a node refuses any other when it starts."""
    nodes = yaml.safe_load(preset.read_text())['/**']
    for node, content in nodes.items():
        settings = importlib.import_module(f'robot_memory_ros.{node}').SETTINGS
        for name, wanted in content['ros__parameters'].items():
            setting = settings[name]
            assert type(wanted) is type(setting.default), name
            if setting.low is not None:
                assert setting.low <= wanted <= setting.high, name


def moments(folder):
    """By source, in order: when, where, what was seen, what was said."""
    found = {}
    with RobotMemory.open(folder, read_only=True, text_encoder=None) as memory:
        for stored in memory.store.fetch(list(memory.store.rowids(after=0))):
            one = stored.observation
            place = None if stored.map_pose is None else stored.map_pose.position
            where = None if place is None else [round(x, 9) for x in place]
            labels = [sighting.label for sighting in one.sightings]
            found.setdefault(one.source, []).append((one.stamp_ns, where, labels, one.text))
    return {source: sorted(told, key=lambda entry: entry[0]) for source, told in found.items()}


def test_a_bag_replayed_through_the_stack_is_remembered_as_it_is_read_offline(tmp_path):
    """The launch ends with the bag; its words have no stamps of their own."""
    bag, parameters = kitchen_bag(tmp_path / 'bag'), tmp_path / 'topics.yaml'
    topics = {'caption_topic': '/captions', 'detections_topic': '/detections', 'image_topic': '',
              'camera_info_topic': '', 'odometry_topic': ''}  # fmt: skip
    given = {'/**': {'perception_node': {'ros__parameters': topics}}}
    parameters.write_text(yaml.safe_dump(given))
    with RobotMemory.open(tmp_path / 'offline', text_encoder=None) as offline:
        ingest(offline, bag)
    done = run(
        *REPLAY, f'bag:={bag}', f'folder:={tmp_path / "replayed"}', 'encoder:=hashing', 'rate:=4',
        f'parameters:={parameters}',
    )  # fmt: skip
    assert done.returncode == 0, done
    wanted, found = moments(tmp_path / 'offline'), moments(tmp_path / 'replayed')
    assert found['/detections'] == wanted['/detections']
    assert found['odometry'] == wanted['odometry']
    said = [text for *_, text in wanted['/captions']]
    assert [text for *_, text in found['/captions']] == said


def test_replaying_what_is_no_bag_is_told_before_anything_starts(tmp_path):
    """By its path."""
    done = run(*REPLAY, f'bag:={tmp_path / "nothing"}', f'folder:={tmp_path / "memory"}')
    assert done.returncode != 0
    assert 'there is no bag' in done.stdout + done.stderr
    assert not (tmp_path / 'memory').exists()
