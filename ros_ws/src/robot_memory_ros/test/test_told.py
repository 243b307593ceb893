"""What the nodes tell of themselves, and what they keep to themselves, under a real ROS 2."""

import signal
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from robot_memory_interfaces.msg import Observation
from robot_memory_interfaces.srv import Observe
from robot_memory_ros import qos
from sensor_msgs.msg import BatteryState, LaserScan
from stack import StackCase, note, stamp, until
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose
from visualization_msgs.msg import MarkerArray


def transform(parent, child, seconds, x):
    """Make a transform along x."""
    made = TransformStamped(child_frame_id=child)
    made.header.stamp, made.header.frame_id = stamp(seconds), parent
    made.transform.translation.x, made.transform.rotation.w = x, 1.0
    return made


class Told(StackCase):
    """Problems are named where people look; what is shown is what is known."""

    def diagnosed(self, name):
        """Collect what a node last said of itself."""
        last = {}

        def note(message):
            for status in message.status:
                if name in status.name:
                    last['level'], last['text'] = status.level, status.message

        self.stack.robot.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
        return last

    def test_a_transform_that_never_comes_is_named(self):
        """Odometry alone leaves everything without a place in the map."""
        told = self.diagnosed('perception_node')
        self.stack.perception()
        until(lambda: self.stack.robot.tf.get_subscription_count() > 0)
        for step in range(10):
            self.stack.robot.stand(step * 0.1, 0.0, localised=False)
            time.sleep(0.05)
        said = "no transform leads from 'map' to 'odom'"
        until(lambda: said in self.stack.log('perception_node'), 5.0)
        until(lambda: said in told.get('text', ''), 5.0)
        self.assertEqual(told['level'], DiagnosticStatus.WARN)

    def test_a_clock_that_stands_still_hides_no_silence(self):
        """With simulated time and nobody who tells it."""
        self.stack.perception(use_sim_time='true', image_topic='front/image')
        said = '/front/image: silent: nobody publishes it'
        until(lambda: said in self.stack.log('perception_node'), 8.0)

    def test_the_path_of_a_robot_that_hangs_below_its_footprint_is_kept(self):
        """The base's own frame never moves in its parent."""
        stack = self.stack
        stack.memory()
        stack.perception()
        stack.ready()
        fixed = stack.robot.create_publisher(TFMessage, '/tf_static', qos.STATIC)
        until(fixed.get_subscription_count)
        fixed.publish(TFMessage(transforms=[transform('footprint', 'base_link', 0.0, 0.1)]))
        time.sleep(0.5)
        for step in range(20):
            now = step * 0.2
            stack.robot.tf.publish(TFMessage(transforms=[
                transform('map', 'odom', now, 5.0), transform('odom', 'footprint', now, now),
            ]))  # fmt: skip
            time.sleep(0.02)
        stack.stop('perception_node')
        until(lambda: stack.stored(sources=['odometry']))
        at = [item.standpoint.x for item in stack.stored(sources=['odometry']).values()]
        self.assertAlmostEqual(min(at), 5.1, places=5)
        self.assertAlmostEqual(max(at), 8.9, places=5)

    def test_what_is_inactive_takes_nothing_and_markers_show_what_was_taken(self):
        """Entities and the forest are there for who comes late, too."""
        stack = self.stack
        stack.memory(marker_period='1.0')
        stack.ready()
        seen = note('active', 'a red mug', 1.0)
        self.change(Transition.TRANSITION_DEACTIVATE)
        out = stack.robot.create_publisher(Observation, 'observations', qos.STREAM)
        until(out.get_subscription_count)
        refused = note('inactive', 'a kettle', 0.5)
        out.publish(refused)
        time.sleep(0.5)
        self.change(Transition.TRANSITION_ACTIVATE)
        stack.perception()
        stack.ready()
        for step in range(30):
            stack.robot.stand(step * 0.2, 0.1 * step)
            stack.robot.see(step * 0.2, 'red mug', 1.0 - 0.1 * step, 0.5)
            time.sleep(0.05)
        stack.service(Observe, 'observe', observations=[seen])
        until(lambda: 'active' in stack.stored())
        self.assertNotIn('inactive', stack.stored())
        shown = {}
        for topic in ('entities', 'forest'):
            stack.robot.create_subscription(
                MarkerArray, topic, lambda m, topic=topic: shown.update({topic: m}), qos.LATCHED
            )
        until(lambda: any('red mug' in marker.text for marker in texts(shown, 'entities')))
        until(lambda: texts(shown, 'forest'))

    def change(self, transition):
        """Have the memory make a transition."""
        done = self.stack.service(
            ChangeState, 'memory_node/change_state', transition=Transition(id=transition)
        )
        self.assertTrue(done.success)

    def test_every_kind_of_sensor_is_heard(self):
        """A battery, a scan, and what a detector sees in pictures alone."""
        stack = self.stack
        stack.memory()
        stack.perception(battery_topic='battery', scan_topic='scan', detections_2d_topic='boxes')
        stack.ready()
        battery = stack.robot.create_publisher(BatteryState, 'battery', qos.SENSOR)
        scan = stack.robot.create_publisher(LaserScan, 'scan', qos.SENSOR)
        boxes = stack.robot.create_publisher(Detection2DArray, 'boxes', qos.SENSOR)
        until(lambda: all(out.get_subscription_count() for out in (battery, scan, boxes)))
        for step in range(10):
            now = step * 0.2
            stack.robot.stand(now, 0.1 * step)
            charge = BatteryState(percentage=0.42, voltage=12.0)
            charge.header.stamp = stamp(now)
            battery.publish(charge)
            sweep = LaserScan(angle_min=-1.0, angle_max=1.0, angle_increment=0.1, range_min=0.05,
                              range_max=10.0, ranges=[1.0] * 21)  # fmt: skip
            sweep.header.stamp, sweep.header.frame_id = stamp(now), 'base_link'
            scan.publish(sweep)
            box = Detection2D()
            kind = ObjectHypothesisWithPose()
            kind.hypothesis.class_id, kind.hypothesis.score = 'green bottle', 0.8
            box.results = [kind]
            box.bbox.center.position.x, box.bbox.center.position.y = 80.0, 60.0
            box.bbox.size_x = box.bbox.size_y = 20.0
            found = Detection2DArray(detections=[box])
            found.header.stamp, found.header.frame_id = stamp(now), 'base_link'
            boxes.publish(found)
            time.sleep(0.05)
        for source in ('/battery', '/scan', '/boxes'):
            until(lambda source=source: stack.stored(sources=[source]))
        one = next(iter(stack.stored(sources=['/boxes']).values()))
        self.assertEqual(one.text, 'green bottle')


def texts(shown, topic):
    """Tell the markers with words of a topic."""
    message = shown.get(topic)
    return [] if message is None else [marker for marker in message.markers if marker.text]


class Kept(StackCase):
    """What the memory has not yet outlives perception_node, however that ends."""

    def spooled(self):
        """Say something while there is no memory, and stop."""
        stack = self.stack
        stack.perception(spool_folder=self.folder / 'spool')
        until(lambda: stack.robot.words.get_subscription_count() > 0)
        for number in range(3):
            stack.robot.words.publish(String(data=f'note {number}'))
        time.sleep(1.0)
        code, _ = stack.stop('perception_node')
        self.assertEqual(code, 0)
        return self.folder / 'spool' / 'observations.cdr'

    def test_it_stays_on_disk_until_the_memory_has_it(self):
        """Killed right after it came back, perception has lost nothing."""
        stack, kept = self.stack, self.spooled()
        self.assertTrue(kept.exists())
        stack.perception(spool_folder=self.folder / 'spool')
        until(lambda: stack.robot.words.get_subscription_count() > 0)
        stack.stop('perception_node', signal.SIGKILL)
        self.assertTrue(kept.exists())
        stack.memory()
        stack.perception(spool_folder=self.folder / 'spool')
        stack.ready()
        until(lambda: len(stack.stored(sources=['/captions'])) == 3)
        until(lambda: not kept.exists())

    def test_a_file_that_was_cut_off_stops_nothing(self):
        """What is whole in it goes on, and the file is kept to be looked at."""
        stack, kept = self.stack, self.spooled()
        kept.write_bytes(kept.read_bytes()[:-5])
        stack.memory()
        stack.perception(spool_folder=self.folder / 'spool')
        stack.ready()
        until(lambda: len(stack.stored(sources=['/captions'])) == 2)
        self.assertIn('observations.cdr is damaged', stack.log('perception_node'))
        self.assertTrue(kept.with_suffix('.damaged').exists())


class Apart(StackCase):
    """Robots in namespaces hear their own people alone."""

    namespace = 'robot1'

    def test_where_one_robot_is_said_to_be_concerns_no_other(self):
        """Of `initialpose` each has its own."""
        robot = self.stack.robot
        self.stack.perception()
        until(lambda: robot.count_subscribers('/robot1/initialpose') > 0)
        self.assertEqual(robot.count_subscribers('/initialpose'), 0)
