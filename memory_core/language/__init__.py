"""Words to typed queries, evidence to answers. English, without a language model."""
