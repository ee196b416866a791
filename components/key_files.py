"""The SSH key files that a stack file names, on the machine that runs the program. Makes no resources."""

from __future__ import annotations

from pathlib import Path


def public_key(key: str | None) -> str | None:
    """The text beside a private key (`.pub`); None if there is no such file, or it cannot be read."""
    if key is None:
        return None
    try:
        return Path(f"{key}.pub").expanduser().read_text().strip()
    except (OSError, ValueError, RuntimeError):  # also bytes that are no text, and a ~ of nobody
        return None


def has_private_key(key: str) -> bool:
    """Whether the file is there."""
    try:
        return Path(key).expanduser().is_file()
    except (OSError, RuntimeError):
        return False
