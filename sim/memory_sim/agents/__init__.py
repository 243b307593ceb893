"""What else a planner could rest on: knowledges to compare a memory with, all else the same."""
