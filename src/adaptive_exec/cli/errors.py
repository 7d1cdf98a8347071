"""What ends a command with one line instead of a traceback."""

__all__ = ["CommandError"]


class CommandError(Exception):
    """A command can't do what was asked; the text is one line for standard error."""
