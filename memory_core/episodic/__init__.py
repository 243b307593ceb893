"""The spatial-temporal episodic memory: what, where, when; durable and exactly filtered."""
