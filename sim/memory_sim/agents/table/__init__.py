"""Agents at the table: the same perception, planner and skills around any memory, and an oracle."""

from __future__ import annotations

from memory_sim.agents.table.agent import TableAgent
from memory_sim.agents.table.oracle import TableOracle

with_memory = TableAgent
"""Puts a memory into the body."""
oracle = TableOracle
"""Gives the agent that is told the truth."""
