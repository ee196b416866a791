"""The one exception that ends a command with a sentence instead of a traceback."""

from __future__ import annotations


class ToolError(Exception):
    """What is wrong, where, and how to fix it, in a message for the user."""
