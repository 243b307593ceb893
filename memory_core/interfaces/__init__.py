"""The ways in: the command line, and what joins it."""
