"""Rooms by the walls of the published map, under a real ROS 2."""

import time

import numpy as np
from nav_msgs.msg import OccupancyGrid
from robot_memory_interfaces.srv import Ask
from robot_memory_ros import qos
from stack import StackCase, until

from memory_core.semantic.floor_plan import load_plans

CELL_M = 0.05
KITCHEN, BEDROOM = ('stove', 'fridge', 'kitchen sink'), ('bed', 'wardrobe', 'nightstand')


def two_rooms(*, width_m=8.0, depth_m=5.0, wall_m=4.0, door_m=(2.0, 2.9)):
    """Make the map of two rooms with a door between them; what is outside is unknown."""
    rows, columns = round(depth_m / CELL_M), round(width_m / CELL_M)
    cells = np.zeros((rows, columns), np.int8)
    cells[[0, 1, -2, -1]] = 100
    cells[:, [0, 1, -2, -1]] = 100
    wall, low, high = (round(at / CELL_M) for at in (wall_m, *door_m))
    cells[:, [wall - 1, wall]] = 100
    cells[low:high, [wall - 1, wall]] = 0
    message = OccupancyGrid()
    message.header.frame_id = 'map'
    message.info.resolution, message.info.width, message.info.height = CELL_M, columns, rows
    message.data = cells.ravel().tolist()
    return message


class MappedRoomsTest(StackCase):
    """Furniture on both sides of one wall."""

    def test_things_on_either_side_of_a_wall_are_in_different_rooms(self):
        """Back to back along the wall, and yet each with what is on its side."""
        stack = self.stack
        walls = stack.robot.create_publisher(OccupancyGrid, 'map', qos.LATCHED)
        walls.publish(two_rooms())  # before anybody listens: it is latched
        stack.memory(answer_lag='0.0')
        stack.perception()
        stack.ready()
        sides = ((2.5, 1.2, KITCHEN), (5.5, -1.2, BEDROOM))
        for step in range(8):
            x, ahead, things = sides[step % 2]
            stack.robot.stand(step * 1.0, x)
            time.sleep(0.1)
            for number, label in enumerate(things):
                stack.robot.see(step * 1.0, label, ahead, 0.6 + 0.6 * number)
            time.sleep(0.1)
        until(lambda: 'the map has 2 rooms' in stack.log('memory_node'))
        until(lambda: len(stack.stored(sources=['/detections'])) == 24)
        for room, here, there in (('kitchen', KITCHEN, BEDROOM), ('bedroom', BEDROOM, KITCHEN)):
            told = stack.service(Ask, 'ask', question=f'What is in the {room}?').answer
            self.assertTrue(all(label in told for label in here), told)
            self.assertFalse(any(label in told for label in there), told)
        kept = load_plans(self.folder / 'memory' / 'floor_plans')['map']
        left, right = kept.at(np.array([[2.0, 2.5, 0.5], [6.0, 2.5, 0.5]])).tolist()
        self.assertNotEqual(left, right)
        self.assertTrue(left and right)

    def test_a_map_that_is_none_is_refused_in_the_log(self):
        """And the memory goes on."""
        stack = self.stack
        stack.memory()
        stack.ready()
        walls = stack.robot.create_publisher(OccupancyGrid, 'map', qos.LATCHED)
        broken = two_rooms()
        broken.data = broken.data[:-1]
        walls.publish(broken)
        until(lambda: 'the map is not used' in stack.log('memory_node'))
        self.assertFalse((self.folder / 'memory' / 'floor_plans').exists())
        self.assertEqual(stack.stored(), {})
