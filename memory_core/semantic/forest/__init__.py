"""The semantic forest: what the robot knows of places, from single ones up to whole sites."""
