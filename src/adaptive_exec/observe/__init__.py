"""TELL: what the executor did, for people and for programs."""
