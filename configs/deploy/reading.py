"""Reads back what `script` and `bundle` wrote, from a command's inputs as a preview shows them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

_PARAMETER = re.compile(r"""([A-Z][A-Z0-9_]*)=((?:'[^']*'|"'"|[^'"\s])*)\n""")
_NAME = re.compile(r"^==> (.+) <==\n", re.MULTILINE)
_VARIABLE = re.compile(r"FILES(_[A-Z0-9_]+)?")


def parameters(text: str) -> dict[str, str]:
    """The shell variables that `script` set in front of a script."""
    found: dict[str, str] = {}
    position = 0
    while line := _PARAMETER.match(text, position):
        found[line[1]] = "".join(shlex.split(line[2]))
        position = line.end()
    return found


def rows(values: Mapping[str, str]) -> list[dict[str, str]]:
    """The table that `numbered` made of these parameters, without the columns that are numbered no further."""
    numbers = values.get("NUMBERS", "").split()
    return [
        {key.removesuffix(f"_{n}"): value for key, value in values.items() if key.endswith(f"_{n}")} for n in numbers
    ]


def unbundled(text: str) -> list[tuple[str, str]]:
    """Name and text of every file in a bundle, in its order; what is written last under one name stays."""
    parts = _NAME.split(text)[1:]
    return [(name, content) for name, content in zip(parts[::2], parts[1::2], strict=True) if name != "."]


def file_variables(names: Iterable[str]) -> list[str]:
    """Those of a command's variables that hold files, in the order in which they are written."""
    return sorted(name for name in names if _VARIABLE.fullmatch(name))
