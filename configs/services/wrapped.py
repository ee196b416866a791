"""Programs of the vendors that a script of ours starts, in their own container."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def entrypoint(shell: str, name: str, values: Mapping[str, str], *arguments: str) -> tuple[str, ...]:
    """The script `name`.sh of this folder as an entrypoint, `values` as lines of shell before it. `arguments` and the
    container's command are its arguments."""
    script = (Path(__file__).parent / f"{name}.sh").read_text()
    lines = [f"{key}={value}" for key, value in values.items()]
    return (shell, "-c", "\n".join([*lines, script]), name.replace("_", "-"), *arguments)
