"""What a bounded memory lets go of first: rules by name, and an allocator that learns which."""

from memory_core.episodic.retention.policies import (
    POLICIES,
    RetentionPolicy,
    Stored,
    policy_named,
    victims_freeing,
)

__all__ = ["POLICIES", "RetentionPolicy", "Stored", "policy_named", "victims_freeing"]
