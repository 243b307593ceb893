"""Nodes of an embodied robot memory."""
