"""A table with a robot arm, buttons, drawers and small things, in PyBullet."""
