"""Worlds to remember."""
