"""A stack file of a pull request, previewed with the program of the branch that it would be merged into.

The program of a pull request gets the secrets of a stack only after an approval. Its stack files alone are data, and
are previewed at once, unless they lead a secret somewhere else: another address of a cloud's API, another key service,
an encrypted value at another place (it can be decrypted at any, so a preview could show it).
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools import working_copy
from tools.cli import Commands
from tools.errors import ToolError
from tools.paths import CHECKOUT
from tools.progress import say

_PLAIN = "100644"  # git's mode of a file that is no link and no program


def register(commands: Commands) -> None:
    parser = commands.add(
        "take-stack", _take, "take a stack's files from a clone with a pull request, if they are data"
    )
    parser.add_argument("clone", type=Path, help="the clone; its HEAD is taken")
    parser.add_argument("main", help="in it, the branch that it would be merged into, such as origin/main")


def _take(options: argparse.Namespace) -> None:
    take(options.stack, options.clone, options.main, CHECKOUT)
    say(f"The files of stack {options.stack} are those of {options.clone}; the program is that of this checkout.")


def files(stack: str) -> tuple[str, str]:
    """The paths of its file and of the file with its encrypted values."""
    return f"stacks/Pulumi.{stack}.yaml", f"stacks/secrets.{stack}.yaml"


def take(stack: str, clone: Path, main: str, checkout: Path) -> None:
    """Put the stack's files of the clone's HEAD into the checkout, which is of `main`. ToolError if they need an
    approval, or if `main` has changed them since: a preview would show that as taken back."""
    now = {path: (checkout / path).read_text() if (checkout / path).is_file() else None for path in files(stack)}
    new = committed(stack, clone, "HEAD")
    if reason := needs_approval(now, new):
        raise ToolError(f"Not taken: {reason}; a preview of that needs an approval (docs/ci.md).")
    start = committed(stack, clone, _git(clone, "merge-base", main, "HEAD").strip())
    if behind := [path for path in files(stack) if start[path] != now[path]]:
        raise ToolError(f"Not taken: {main} has changed {behind[0]} since this branch began; merge {main} into it.")
    for path, text in new.items():
        (checkout / path).unlink(missing_ok=True)
        if text is not None:
            (checkout / path).write_text(text)


def committed(stack: str, clone: Path, commit: str) -> dict[str, str | None]:
    """The stack's files in a commit: their text, None where there is none. ToolError for what is no plain file."""
    found: dict[str, str | None] = {}
    for path in files(stack):
        listed = _git(clone, "ls-tree", commit, "--", path)
        if listed and listed.split()[0] != _PLAIN:
            raise ToolError(f"{path}: expected a plain file, git has the mode {listed.split()[0]}.")
        found[path] = _git(clone, "show", f"{commit}:{path}") if listed else None
    return found


def needs_approval(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> str:
    """Why the files may not be previewed with secrets before a reviewer has read them; empty if they may."""
    for path, text in after.items():
        old, new = _parsed(before.get(path), path), _parsed(text, path)
        if new is None:
            continue  # the preview names the mistake, before it reads any secret
        old = old or {}
        changed = sorted(
            key for key in _outside(old) | _outside(new) if _outside(old).get(key) != _outside(new).get(key)
        )
        if changed:
            return f"{path} changes {changed[0]}, which is not fleetwatch's own"
        added = sorted(set(_encrypted(new)) - set(_encrypted(old)))
        if added:
            return f"{path} has an encrypted value that is new at {added[0][0]}"
    return ""


def _parsed(text: str | None, path: str) -> dict[str, Any] | None:
    try:
        return working_copy.parse(text, path) if text is not None else {}
    except ToolError:
        return None


def _outside(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is not a setting of fleetwatch: of Pulumi, of its providers, of key services."""
    config = content.get("config") or {}
    others = {key: value for key, value in config.items() if not key.startswith(working_copy.PROJECT)}
    return {**{key: value for key, value in content.items() if key != "config"}, **others}


def _encrypted(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Each encrypted value with its place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from [(place, str(inner))] if key == "secure" else _encrypted(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _encrypted(inner, f"{place}.{number}")


def _git(clone: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise ToolError(f"{clone}: git {arguments[0]} failed: {reason}.")
    return done.stdout
