"""The rendered files of a host, out of the commands that write them (configs/deploy/files.sh): before, after, and diff.

Such a command has on its stdin a script, then for each file a line `==> name <==` and its text, then `==> . <==`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from tools.comment.model import SECRET, UNKNOWN, Action, Change, FileChange

_FILE = re.compile(r"^==> (.+) <==$", re.MULTILINE)
_FOLDER = re.compile(r"^DIR='?([^'\n]+?)'?$", re.MULTILINE)
_WRITES = re.compile(r"-(config|secrets)$")
CONTEXT = 3  # lines around a change


def unbundle(stdin: str) -> dict[str, str]:
    """Texts by file name; empty when it is no such input."""
    if not stdin.rstrip("\n").endswith("==> . <=="):
        return {}
    parts = _FILE.split(stdin)[1:]
    return {name: text.removeprefix("\n") for name, text in zip(parts[::2], parts[1::2], strict=True) if name != "."}


def changed_files(changes: Iterable[Change]) -> list[FileChange]:
    """Every file that would change on a host, by host and path."""
    found = [file for change in changes if change.type == "command:local:Command" for file in _files_of(change)]
    return sorted(found, key=lambda file: (file.host, file.path))


def _files_of(change: Change) -> Iterator[FileChange]:
    folder = _folder(change)
    if folder is None or "\n" in folder:
        return
    old, new = str(change.before.get("stdin") or ""), str(change.after.get("stdin") or "")
    if change.action == "changed" and "stdin" not in change.why:
        return
    if SECRET in (old, new):
        yield FileChange(change.host, f"{folder}/*", change.action, None, why_not="secret, not shown")
    elif UNKNOWN in new:
        why = "its text is known only while the update runs, because it holds what another resource gives"
        yield FileChange(change.host, f"{folder}/*", change.action, None, why_not=why)
    else:
        yield from _compared(change.host, folder, unbundle(old), unbundle(new))


def _folder(change: Change) -> str | None:
    """`agent/config`, of the command that writes it."""
    if not _WRITES.search(change.name):
        return None
    for inputs in (change.after, change.before):
        for text in (inputs.get("stdin"), inputs.get("delete")):
            if found := _FOLDER.search(str(text or "")):
                return "/".join(found[1].split("/")[-2:])
    name = change.name.removeprefix(f"{change.host}-")
    return _WRITES.sub(r"/\1", name)


def _compared(host: str, folder: str, old: dict[str, str], new: dict[str, str]) -> Iterator[FileChange]:
    for name in sorted(set(old) | set(new)):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        action: Action = "added" if before is None else "removed" if after is None else "changed"
        path = f"{folder}/{name}"
        lines = list(
            difflib.unified_diff(
                (before or "").splitlines(),
                (after or "").splitlines(),
                "/dev/null" if before is None else f"a/{host}/{path}",
                "/dev/null" if after is None else f"b/{host}/{path}",
                n=CONTEXT,
                lineterm="",
            )
        )
        plus = sum(line.startswith("+") for line in lines[2:])
        minus = sum(line.startswith("-") for line in lines[2:])
        yield FileChange(host, path, action, "\n".join(lines), plus, minus)
