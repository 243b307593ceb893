"""What observations add up to: floors, things that last, kinds of rooms, and their ranking."""
