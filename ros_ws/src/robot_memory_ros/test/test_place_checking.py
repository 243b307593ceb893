"""A robot that believes to be where it is not, told so by what its camera sees."""

import time

from diagnostic_msgs.msg import DiagnosticArray
from stack import StackCase, until

from memory_core import RobotMemory
from memory_core.types import PLACE_SPACE

SPOTS = 6
AWAY_M = 4.5
LATER_S = 100.0


class PlaceCheckingTest(StackCase):
    """Walls that look different everywhere, passed three times."""

    def setUp(self):
        """Listen to the diagnostics, too."""
        super().setUp()
        self.told = {}
        self.stack.robot.create_subscription(DiagnosticArray, '/diagnostics', self._hear, 10)

    def _hear(self, message):
        for status in message.status:
            self.told[status.name] = status.message

    def pass_by(self, begin_s, *, shift):
        """Drive along the wall; the map has the wheels' frame `shift` metres ahead."""
        robot = self.stack.robot
        for spot in range(SPOTS):
            seconds = begin_s + spot
            robot.stand(seconds, 1.0 * spot, shift=shift)
            time.sleep(0.2)
            robot.picture(seconds, 1_000 + spot)
            time.sleep(0.4)

    def test_a_wrong_initial_pose_is_told_and_taken_back(self):
        """In the log and in the diagnostics; what is remembered is left alone."""
        stack = self.stack
        stack.memory(answer_lag='0.0', place_check_period='0.2')
        stack.perception(jump_distance='50.0')
        stack.ready()
        self.pass_by(0.0, shift=0.0)
        until(lambda: len(stack.stored(sources=['/camera/image_raw'])) == SPOTS)
        self.pass_by(LATER_S, shift=0.0)
        until(lambda: len(stack.stored(sources=['/camera/image_raw'])) == 2 * SPOTS)
        self.assertNotIn('the camera sees', stack.log('memory_node'))

        self.pass_by(2 * LATER_S, shift=AWAY_M)
        until(lambda: 'the camera sees what was seen from' in stack.log('memory_node'))
        until(lambda: any('4.5 m away' in words for words in self.told.values()))

        self.pass_by(3 * LATER_S, shift=AWAY_M)  # what it saw there before does not confirm it
        until(lambda: len(stack.stored(sources=['/camera/image_raw'])) == 4 * SPOTS)
        self.assertNotIn('is where it is again', stack.log('memory_node'))
        self.assertTrue(any('4.5 m away' in words for words in self.told.values()))

        self.pass_by(4 * LATER_S, shift=0.0)
        until(lambda: 'is where it is again' in stack.log('memory_node'))
        until(lambda: not any('m away' in words for words in self.told.values()))

    def test_it_can_be_switched_off(self):
        """No vector is made, nothing compared."""
        stack = self.stack
        stack.memory(answer_lag='0.0', place_check_period='0.0')
        stack.perception(describe_places='false')
        stack.ready()
        self.pass_by(0.0, shift=0.0)
        until(lambda: len(stack.stored(sources=['/camera/image_raw'])) == SPOTS)
        with RobotMemory.open(self.folder / 'memory', read_only=True) as memory:
            self.assertNotIn(PLACE_SPACE, memory.store.spaces())
