"""Attention in two steps, first over chunks and then inside the few that matter; knows only arrays."""
