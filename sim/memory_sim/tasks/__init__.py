"""Tasks that cannot be done without memory."""
