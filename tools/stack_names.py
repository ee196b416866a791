"""Which names a stack may have: those that mean nothing to a shell, to make, and to a path."""

from __future__ import annotations

import re
from pathlib import Path

from tools.errors import ToolError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def of_file(file: Path) -> str:
    """The name of the stack whose file this is."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def checked(name: str, where: str) -> str:
    """The name. ToolError for one that a shell or make could take for more than a name. `where`: what has it."""
    if not _NAME.fullmatch(name):
        raise ToolError(
            f"{where}: expected a stack's name of letters, digits, `-` and `_` that begins with a letter or a digit, "
            f"got {name!r}."
        )
    return name
