"""The small house."""

import pytest

from memory_core.types import Pose
from tests.planning.navigation.driving import navigating
from tests.planning.navigation.flatland import box, wall


@pytest.fixture
def small():
    """Two rooms side by side with two doors between them, both seen."""
    walls = box(0, 0, 6, 5) + wall((3, 0), (3, 0.8)) + wall((3, 1.7), (3, 3.5))
    walls += wall((3, 4.4), (3, 5))
    robot, navigator = navigating(walls, (1.0, 1.2, 0.0))
    for goal in [(4.5, 1.2), (4.5, 4.0), (1.0, 4.0), (1.0, 1.2)]:
        assert navigator.go(Pose.from_yaw(*goal)).reached
    return robot, navigator
