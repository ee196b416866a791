"""The one exception that ends a command with a sentence instead of a traceback."""

from __future__ import annotations


class ToolError(Exception):
    """What went wrong, where, and the way out, in one clear sentence for the user."""
