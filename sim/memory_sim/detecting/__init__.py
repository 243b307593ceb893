"""A small network of our own that detects things and furniture in pictures of simulated homes."""
