"""Questions about houses that people live in, with the right answers from ground truth."""
