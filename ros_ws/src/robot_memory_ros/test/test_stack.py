"""The nodes under a real ROS 2: from topics to durable observations, through every disturbance."""

import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

from bags import kitchen_bag
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from robot_memory_interfaces.msg import Observation, Sighting
from robot_memory_interfaces.srv import Ask, Forget, GetForest, Observe, Query, Save, Verify
from robot_memory_ros import qos
from sensor_msgs.msg import CameraInfo
from stack import START, Stack, StackCase, domain_of_its_own, moments, note, play, stamp, until
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from memory_core import RobotMemory, ingest


class StackTest(StackCase):
    """What happens on one robot."""

    def test_what_is_perceived_is_stored_where_it_was_and_answers_questions(self):
        """Captions, sightings, pictures and the path arrive with their places."""
        stack = self.stack
        stack.memory()
        stack.perception()
        stack.ready()
        for step in range(10):
            now = step * 0.5
            stack.robot.stand(now, 0.5 * step)
            stack.robot.picture(now, step)
            stack.robot.see(now, 'red mug', 1.0, 0.5)
            time.sleep(0.05)
        stack.robot.words.publish(String(data='a kettle on the stove'))
        until(lambda: len(stack.stored(sources=['/detections'])) == 10)
        seen = stack.stored(sources=['/detections'])
        first = min(seen.values(), key=lambda item: item.header.stamp.nanosec * 1e-9
                    + item.header.stamp.sec)  # fmt: skip
        self.assertTrue(first.localised)
        self.assertAlmostEqual(first.standpoint.x, 0.0, places=6)
        pictures = stack.stored(sources=['/camera/image_raw'])
        self.assertGreaterEqual(len(pictures), 8)
        self.assertTrue(all(item.has_keyframe for item in pictures.values()))
        self.assertTrue(stack.stored(sources=['odometry']))
        answer = stack.service(Ask, 'ask', question='where is the red mug?')
        self.assertEqual(answer.error_code, '')
        self.assertFalse(answer.abstained)
        self.assertTrue(answer.evidence)
        self.assertAlmostEqual(answer.position.point.y, 0.5, places=1)

    def test_a_memory_that_is_killed_misses_nothing_and_has_nothing_twice(self):
        """Kill -9 in the middle of a stream; perception sends again until it is on disk."""
        stack = self.stack
        stack.memory()
        stack.perception()
        stack.ready()
        for step in range(60):
            stack.robot.stand(step * 0.1, 0.0)
            stack.robot.see(step * 0.1, f'thing {step}', 1.0, 0.0)
            time.sleep(0.03)
            if step == 25:
                stack.stop('memory_node', signal.SIGKILL)
            if step == 40:
                stack.memory()
        stack.ready()
        until(lambda: len(stack.stored(sources=['/detections'])) >= 60, 40.0)
        time.sleep(1.5)  # what is sent again must not come twice
        stored = stack.stored(sources=['/detections'])
        labels = sorted(item.text for item in stored.values())
        self.assertEqual(labels, sorted(f'thing {step}' for step in range(60)))
        verified = stack.service(Verify, 'verify')
        self.assertTrue(verified.clean, verified.problems)

    def test_a_robot_that_does_not_know_where_it_is_says_so(self):
        """Without a map frame poses are relative to an anchor, and evidence is not localised."""
        stack = self.stack
        stack.memory()
        stack.perception(map_frame='map')
        stack.ready()
        for step in range(5):
            stack.robot.stand(step * 0.2, 1.0, localised=False)
            stack.robot.see(step * 0.2, 'lamp', 1.0, 0.0)
            time.sleep(0.05)
        until(lambda: len(stack.stored(sources=['/detections'])) == 5)
        self.assertFalse(any(item.localised for item in stack.stored().values()))

    def test_transforms_that_are_late_are_waited_for_and_those_missing_are_told(self):
        """A message ahead of its transform waits for it; one without any still is stored."""
        stack = self.stack
        stack.memory()
        stack.perception(transform_timeout='1.0')
        stack.ready()
        stack.robot.stand(0.0, 0.0)
        stack.robot.see(0.5, 'late', 1.0, 0.0)
        time.sleep(0.3)
        stack.robot.stand(1.0, 2.0)
        until(lambda: any(item.text == 'late' for item in stack.stored().values()))
        late = next(item for item in stack.stored().values() if item.text == 'late')
        self.assertAlmostEqual(late.standpoint.x, 1.0, places=5)
        stack.robot.see(500.0, 'lost', 1.0, 0.0)
        until(lambda: any(item.text == 'lost' for item in stack.stored().values()))
        lost = next(item for item in stack.stored().values() if item.text == 'lost')
        self.assertFalse(lost.has_standpoint)

    def test_a_robot_without_any_transforms_is_not_slowed_down(self):
        """Forty captions in a second are stored without a place, none dropped."""
        stack = self.stack
        stack.memory()
        stack.perception()
        stack.ready()
        for number in range(40):
            stack.robot.words.publish(String(data=f'note {number}'))
            time.sleep(0.025)
        until(lambda: len(stack.stored(sources=['/captions'])) == 40, 5.0)

    def test_a_bag_played_live_is_remembered_as_it_is_read_offline(self):
        """The same moments, places and things, message by message."""
        stack = self.stack
        bag = kitchen_bag(self.folder / 'bag')
        offline = RobotMemory.open(self.folder / 'offline', text_encoder=None)
        with offline:
            ingest(offline, bag)
        stack.memory()
        stack.perception(use_sim_time='true', image_topic='""')
        stack.ready()
        play(stack.robot, bag)
        until(lambda: len(stack.stored(sources=['/captions'])) == 3)
        until(lambda: len(stack.stored(sources=['/detections'])) == 10)
        stack.stop('perception_node')  # the end of the path goes out with it
        stack.stop('memory_node')
        wanted, found = (moments(self.folder / name) for name in ('offline', 'memory'))
        self.assertEqual(found['/detections'], wanted['/detections'])
        self.assertEqual(found['odometry'], wanted['odometry'])
        self.assertEqual(
            [text for *_, text in found['/captions']], [text for *_, text in wanted['/captions']]
        )

    def test_one_bad_message_stops_neither_node(self):
        """Lists of different length, brackets without end, a camera without calibration."""
        stack = self.stack
        stack.memory()
        stack.perception(camera_info_topic='camera_info')
        stack.ready()
        until(lambda: stack.robot.count_subscribers('camera_info') > 0)
        stack.robot.create_publisher(CameraInfo, 'camera_info', qos.SENSOR).publish(CameraInfo())
        thing = Sighting(label='x', state_names=['openness'], confidence=1.0)
        bad = [
            Observation(id='lists', confidence=1.0, sightings=[thing]),
            Observation(id='brackets', confidence=1.0, extra='[' * 100_000),
            Observation(id='good', confidence=1.0, text='a blue chair'),
        ]
        publisher = stack.robot.create_publisher(Observation, 'observations', qos.STREAM)
        until(publisher.get_subscription_count)
        for number, message in enumerate(bad):
            message.header.stamp = stamp(float(number))
            publisher.publish(message)
        until(lambda: 'good' in stack.stored())
        stack.robot.words.publish(String(data='a kettle'))
        until(lambda: any(item.text == 'a kettle' for item in stack.stored().values()))

    def test_when_it_becomes_localised_the_path_so_far_is_put_into_the_map(self):
        """What was observed before still says that the robot was not localised then."""
        stack = self.stack
        stack.memory()
        stack.perception(odometry_topic='odom')
        stack.ready()
        for step in range(40):
            now = step * 0.1
            stack.robot.drive(now - 0.04, step * 0.1)
            stack.robot.stand(now, step * 0.1, localised=step >= 20, shift=100.0)
            time.sleep(0.02)
        until(
            lambda: (
                {item.localised for item in stack.stored(sources=['odometry']).values()}
                == {True, False}
            )
        )
        until(lambda: "anchors of 'map' moved, epoch 1: localised" in stack.log('memory_node'))
        path = stack.stored(sources=['odometry']).values()
        self.assertLess(len(path), 12)
        for item in path:
            seconds = item.header.stamp.sec - START + item.header.stamp.nanosec * 1e-9
            self.assertAlmostEqual(item.standpoint.x, 100.0 + seconds, delta=0.05)

    def test_a_clock_that_is_set_back_begins_a_new_session(self):
        """Both runs are kept apart."""
        stack = self.stack
        stack.memory()
        stack.perception()
        stack.ready()
        for begin in (1000.0, 0.0):
            for step in range(5):
                stack.robot.stand(begin + step * 0.2, begin / 1000 + step)
                stack.robot.see(begin + step * 0.2, f'at {begin:g}', 1.0, 0.0)
                time.sleep(0.1)
        until(lambda: len(stack.stored(sources=['/detections'])) == 10)
        sessions = {item.session for item in stack.stored(sources=['/detections']).values()}
        self.assertEqual(len(sessions), 2)

    def test_what_is_wrong_is_refused_with_a_code_and_the_rest_is_kept(self):
        """Services answer errors; nothing else is lost; forgetting has a switch."""
        stack = self.stack
        stack.memory(allow_forget='true')
        stack.ready()
        good = note('good', 'a blue chair', 1.0)
        bad = note('bad', 'x', 2.0, extra='{')
        done = stack.service(Observe, 'observe', observations=[good, bad]).acknowledgement
        self.assertEqual((list(done.added), list(done.refused)), (['good'], ['bad']))
        self.assertTrue(done.codes[0])
        again = stack.service(Observe, 'observe', observations=[good]).acknowledgement
        self.assertEqual(list(again.known), ['good'])
        self.assertTrue(stack.service(Ask, 'ask', question='').error_code)
        self.assertTrue(stack.service(Query, 'query', text='x', mode='magic').error_code)
        self.assertTrue(stack.service(GetForest, 'get_forest', node='forest:999').error_code)
        self.assertTrue(stack.service(Forget, 'forget', ids=['good'], reason='').error_code)
        gone = stack.service(Forget, 'forget', ids=['good'], reason='a test')
        self.assertEqual((gone.error_code, gone.removed), ('', 1))
        self.assertEqual(stack.stored(), {})

    def test_a_backup_and_the_lifecycle(self):
        """Deactivated it takes nothing; cleaned up the folder is free; configured it is back."""
        stack = self.stack
        stack.memory(backup_folder=self.folder / 'copies')
        stack.ready()
        made = note('note', 'a blue chair', 1.0)
        stack.service(Observe, 'observe', observations=[made])
        saved = stack.service(Save, 'save', backup='today')
        self.assertEqual((saved.error_code, saved.observations), ('', 1))
        self.assertTrue((self.folder / 'copies/today/memory.db').exists())
        self.assertIn('a backup was written to', stack.log('memory_node'))
        outside = stack.service(Save, 'save', backup='../elsewhere')
        self.assertEqual(outside.error_code, 'call_not_enabled')
        refused = stack.service(Forget, 'forget', ids=['note'], reason='a test')
        self.assertEqual(refused.error_code, 'call_not_enabled')
        self.assertEqual(stack.service(Forget, 'forget', ids=['note'], reason='a test',
                                       dry_run=True).removed, 1)  # fmt: skip
        for transition, state in (
            (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
        ):
            change = ChangeState.Request()
            change.transition.id = transition
            client = stack.robot.create_client(ChangeState, 'memory_node/change_state')
            until(client.service_is_ready)
            self.assertTrue(stack.call(client.call_async(change)).success)
            now = stack.service(GetState, 'memory_node/get_state').current_state.id
            self.assertEqual(now, state)
        stack.ready()
        self.assertEqual(list(stack.stored()), ['note'])

    def test_a_memory_that_another_process_writes_is_named_and_the_node_ends(self):
        """Its folder and the error's code are in the log."""
        stack = self.stack
        with RobotMemory.open(self.folder / 'memory', text_encoder=None):
            stack.memory()
            until(lambda: stack.processes['memory_node'].poll() is not None)
        self.assertEqual(stack.processes['memory_node'].returncode, 1)
        self.assertIn('memory_locked', stack.log('memory_node'))
        self.assertNotIn('Traceback', stack.log('memory_node'))

    def test_up_and_down_ten_times(self):
        """It comes up with what it had, and SIGINT ends it within two seconds."""
        stack = self.stack
        for number in range(10):
            stack.memory()
            stack.ready()
            made = note(f'note {number}', 'x', float(number))
            done = stack.service(Observe, 'observe', observations=[made]).acknowledgement
            self.assertEqual(list(done.added), [made.id])
            self.assertEqual(len(stack.stored()), number + 1)
            code, seconds = stack.stop('memory_node')
            self.assertEqual(code, 0, stack.log('memory_node')[-2000:])
            self.assertLess(seconds, 2.0)

    def test_a_silent_topic_is_named_within_five_seconds(self):
        """In the log, by its resolved name."""
        self.stack.perception(image_topic='front/image')
        until(lambda: self.stack.robot.count_subscribers('/front/image') > 0)
        said = '/front/image: silent: nobody publishes it'
        until(lambda: said in self.stack.log('perception_node'), 5.0)

    def test_a_quality_of_service_that_does_not_match_is_named(self):
        """A best-effort publisher cannot serve a reliable subscription."""
        stack = self.stack
        stack.robot.create_publisher(TFMessage, '/tf', qos.SENSOR)
        stack.perception()
        until(lambda: '/tf: a publisher offers another' in stack.log('perception_node'), 10.0)


class TwoRobots(unittest.TestCase):
    """Namespaces keep robots apart."""

    def test_each_has_a_memory_of_its_own(self):
        """What one is told the other does not know."""
        folders = [Path(tempfile.mkdtemp(prefix='robot-memory-')) for _ in range(2)]
        domain = domain_of_its_own()
        stacks = [Stack(folder, namespace=f'robot{n}', domain=domain)
                  for n, folder in enumerate(folders)]  # fmt: skip
        try:
            for stack in stacks:
                stack.memory()
            for number, stack in enumerate(stacks):
                stack.ready()
                made = note(f'note {number}', 'x', 1.0)
                done = stack.call(stack.client.observe(made)).acknowledgement
                self.assertEqual(list(done.added), [made.id])
            for number, stack in enumerate(stacks):
                self.assertEqual(list(stack.stored()), [f'note {number}'])
        finally:
            for stack, folder in zip(stacks, folders, strict=True):
                stack.close()
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    unittest.main()
