"""The process backend: pool (the parent's side), worker (the child's), wire (what they say), launch."""
