"""Measured against real data: `robot-memory eval …`."""
