"""A simulated home: plans of whole homes, their people, and the world a robot acts in."""
