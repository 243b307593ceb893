"""Simulated worlds, tasks and agents for the memory. Imports memory_core; never the other way."""
