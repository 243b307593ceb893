"""From sensor frames and words to what can be remembered: encoders, geometry, keyframes."""
