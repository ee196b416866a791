"""The names and sizes of files that are accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from configs.settings.sections import near
from configs.units import show_size

# Folder -> the ending of its files.
FOLDERS = {"dashboards": ".json", "rules": ".yml", "log-rules": ".yml", "templates": ".tmpl"}
TEST = "_test.yml"  # the ending of promtool's unit tests, which are not deployed
PREFIX = "custom-"  # of the deployed rule files, so that none has the name of one of ours
MOST = 1024**2  # bytes of one file
MOST_TOGETHER = 8 * 1024**2  # bytes of all: they travel with each change of their service and stand in Pulumi's state
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_BUNDLE = re.compile(r"^==> .* <==$", re.MULTILINE)


def unknown_folder(path: str, name: str) -> str:
    """The problem of an entry of the common folder that is none of FOLDERS."""
    close = near(name, FOLDERS)
    hint = f"; did you mean {close}?" if close else "; remove it"
    return f"{path}: expected one of the folders {', '.join(FOLDERS)}{hint}"


def name_problem(path: str, folder: str, name: str) -> str | None:
    """What is wrong with a file's name."""
    ending = FOLDERS[folder]
    if folder == "log-rules" and name.endswith(TEST):
        return f"{path}: Loki has no unit tests for rules, only files in `rules` have; remove the file"
    if not name.endswith(ending) or not _NAME.fullmatch(name.removesuffix(ending)):
        return f"{path}: expected a name of letters, digits, - and _ that ends with {ending}; rename the file"
    return None


def text_problems(path: str, text: str) -> Iterator[str]:
    """What is wrong with a text as such."""
    if not text.strip():
        yield f"{path}: the file is empty; remove it or fill it"
    if found := _BUNDLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path}: line {line}: a line of the form `==> ... <==` cannot be deployed; change the line"


def too_large(path: str, size: int, most: int = MOST) -> str:
    """The problem of a file, or of all files, with more than `most` bytes."""
    return f"{path}: {show_size(size)}, expected at most {show_size(most)}; divide it or take out what is not needed"
