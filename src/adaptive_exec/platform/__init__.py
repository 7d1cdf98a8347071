"""What differs from system to system: one file a concern, each with a portable fallback."""
