"""The rendered files of a host, from the commands that write them: before, after, and diff.

The hub's are on the command's stdin (configs/deploy/files.sh), a folder for each command. An edge's are in variables of
its environment, secret ones on stdin (configs/deploy/project.sh).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

from configs.deploy.reading import parameters, unbundled
from tools.comment import edges
from tools.comment.edges import HIDDEN, LATE
from tools.comment.model import COMMAND, SECRET, UNKNOWN, Action, Change, FileChange

_WRITES = re.compile(r"-(config|secrets)$")
_END = "==> . <=="
CONTEXT = 3  # lines around a change


def unbundle(stdin: str) -> dict[str, str]:
    """Texts by file name; empty when it is no whole input."""
    return dict(unbundled(stdin)) if stdin.rstrip("\n").endswith(_END) else {}


def changed_files(changes: Iterable[Change]) -> list[FileChange]:
    """Every file that would change on a host, by host and path."""
    found = [
        file
        for change in changes
        if change.type == COMMAND
        for file in (of_project(change) if edges.is_project(change) else of_command(change))
    ]
    return sorted(found, key=lambda file: (file.host, file.path))


def of_project(change: Change) -> list[FileChange]:
    """The files of an edge, compose.yaml included."""
    before, after = edges.read(change.before), edges.read(change.after)
    hidden = {**before.hidden, **after.hidden}
    found = []
    for folder, why in sorted(hidden.items()):
        path = f"{folder}/*" if folder.endswith("/config") else folder or "compose.yaml"
        found.append(FileChange(change.host, path, change.action, None, why_not=why))
    old, new = (
        {name: text for name, text in one.texts.items() if not any(_below(name, folder) for folder in hidden)}
        for one in (before, after)
    )
    found += _compared(change.host, "", old, new)
    if change.action != "changed" or "stdin" in change.why:
        found.append(FileChange(change.host, "*/secrets/*", change.action, None, why_not=HIDDEN))
    return found


def of_command(change: Change) -> list[FileChange]:
    """The files of one folder of the hub."""
    folder = _folder(change)
    if folder is None or "\n" in folder:
        return []
    old, new = str(change.before.get("stdin") or ""), str(change.after.get("stdin") or "")
    if change.action == "changed" and "stdin" not in change.why:
        return []
    if SECRET in (old, new):
        return [FileChange(change.host, f"{folder}/*", change.action, None, why_not=HIDDEN)]
    if UNKNOWN in new:
        return [FileChange(change.host, f"{folder}/*", change.action, None, why_not=LATE)]
    return list(_compared(change.host, f"{folder}/", unbundle(old), unbundle(new)))


def role_of_command(change: Change) -> str:
    """Whose files a command of the hub writes; empty for every other resource."""
    if change.type != COMMAND or not _WRITES.search(change.name):
        return ""
    return _WRITES.sub("", change.name.removeprefix(f"{change.host}-"))


def _below(name: str, folder: str) -> bool:
    """`folder`: empty for the files of the project itself."""
    return name.startswith(f"{folder}/") or name == folder or (not folder and "/" not in name)


def _folder(change: Change) -> str | None:
    """`prometheus/config`, of the command that writes it."""
    if not _WRITES.search(change.name):
        return None
    for inputs in (change.after, change.before):
        environment = inputs.get("environment")
        script = environment.get("SCRIPT") if isinstance(environment, Mapping) else None
        if found := parameters(str(script or "")).get("DIR"):
            return "/".join(found.split("/")[-2:])
    return _WRITES.sub(r"/\1", change.name.removeprefix(f"{change.host}-"))


def _compared(host: str, folder: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[FileChange]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        action: Action = "added" if before is None else "removed" if after is None else "changed"
        path = f"{folder}{name}"
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
