"""Nodes of an embodied robot memory."""

import memory_core  # noqa: F401  before numpy, which the messages load: it says how threads wait
