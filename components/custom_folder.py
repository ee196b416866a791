"""Reads the user's own dashboards, rules and templates from their folder. What is no plain UTF-8 file is a problem."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from configs.custom.files import (
    FOLDERS,
    MOST,
    MOST_TOGETHER,
    TEST,
    name_problem,
    text_problems,
    too_large,
    unknown_folder,
)
from configs.settings import Settings
from configs.settings.custom_files import CustomFiles

_IGNORED = ("README.md",)


def added(settings: Settings, base: Path) -> Settings:
    """The settings with the files of the stack's folder: beside the stack file, with the stack's name unless a setting
    names another. `base`: what the stack file's name in the settings is relative to."""
    file = Path(settings.source)
    name = re.sub(r"^Pulumi\.(.+)\.ya?ml$", r"\1", file.name)
    folder = file.parent / (settings.hub.custom or name)
    if folder == file:
        return settings
    return replace(settings, custom=read(base / folder, str(folder), required=settings.hub.custom is not None))


def read(folder: Path, shown: str, *, required: bool = False) -> CustomFiles:
    """The files of a folder; `shown` is its path for messages. None where there is no folder, which is a problem if the
    setting names it."""
    if folder.is_symlink():
        return CustomFiles(shown, problems=(f"{shown}: expected a folder, got a symbolic link; copy what it leads to",))
    if not folder.is_dir():
        there = folder.exists()
        problem = f"{shown}: expected a folder, {'got a file' if there else 'there is none'}; make it"
        return CustomFiles(shown, problems=(problem,) if required or there else ())
    found: dict[str, dict[str, str]] = {name: {} for name in FOLDERS}
    tests: dict[str, str] = {}
    problems: list[str] = []
    for entry in _entries(folder):
        path = f"{shown}/{entry.name}"
        if entry.name not in FOLDERS:
            problems.append(unknown_folder(path, entry.name))
        elif entry.is_symlink() or not entry.is_dir():
            problems.append(f"{path}: expected a folder, got {_what(entry)}; replace it with a folder")
        else:
            for file in _entries(entry):
                text, wrong = _text(file, f"{path}/{file.name}", entry.name)
                problems += wrong
                if wrong or text is None:
                    continue
                if entry.name == "rules" and file.name.endswith(TEST):
                    tests[file.name] = text
                else:
                    found[entry.name][file.name] = text
    size = sum(len(text.encode()) for files in found.values() for text in files.values())
    if size > MOST_TOGETHER:
        problems.append(too_large(shown, size, MOST_TOGETHER))
    return CustomFiles(
        shown,
        dashboards=found["dashboards"],
        rules=found["rules"],
        log_rules=found["log-rules"],
        templates=found["templates"],
        tests=tests,
        problems=tuple(problems),
    )


def _entries(folder: Path) -> Iterator[Path]:
    """Sorted, without hidden ones, which editors and file managers leave."""
    for entry in sorted(folder.iterdir()):
        if not entry.name.startswith(".") and entry.name not in _IGNORED:
            yield entry


def _text(file: Path, path: str, folder: str) -> tuple[str | None, list[str]]:
    if file.is_symlink() or not file.is_file():
        return None, [f"{path}: expected a file, got {_what(file)}; replace it with a file"]
    if wrong := name_problem(path, folder, file.name):
        return None, [wrong]
    try:
        size = file.stat().st_size
        if size > MOST:
            return None, [too_large(path, size)]
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return None, [f"{path}: byte {error.start + 1}: expected UTF-8; save the file in that encoding"]
    except OSError as error:
        return None, [f"{path}: cannot be read: {error.strerror}"]
    text = text.removeprefix("\ufeff")
    return text, list(text_problems(path, text))


def _what(entry: Path) -> str:
    return "a symbolic link" if entry.is_symlink() else "a folder" if entry.is_dir() else "a file"
