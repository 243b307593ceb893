"""From a question to an answer: ground it in the memory, then say it."""
