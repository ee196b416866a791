"""What an update does to every container: creates, recreates or removes it, or has it read its changed files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from configs.deploy.reading import parameters
from configs.services.spec import restarts
from tools.comment import edges, files
from tools.comment.edges import Project
from tools.comment.model import CONTAINER, Action, Change, ContainerAction, ContainerChange

SECRET_FILES = "secret files"
ANOTHER_MACHINE = "another machine"
_DOCKER: Mapping[Action, ContainerAction] = {
    "added": "created",
    "changed": "updated",
    "replaced": "recreated",
    "removed": "removed",
}
_SHOWN = ("image", "mem_limit", "cpus")  # their values say nothing secret, and are short


def changed_containers(changes: Sequence[Change]) -> list[ContainerChange]:
    """Every container that an update touches, by host and role."""
    found = [*_of_docker(changes)]
    for change in changes:
        if edges.is_project(change):
            found += of_project(change)
    return sorted(found, key=lambda one: (one.host, one.role))


def of_project(change: Change) -> list[ContainerChange]:
    """The containers of an edge that its command would change."""
    before, after = edges.read(change.before), edges.read(change.after)
    if change.action == "removed":
        return [ContainerChange(change.host, role, "removed", kept=change.kept) for role in before.services]
    made = [_made(change, before, after, role) for role in after.services]
    gone = [ContainerChange(change.host, role, "removed") for role in before.services if role not in after.services]
    touched = [one for one in made if one is not None] + gone
    known = {one.role for one in touched}
    return touched + [one for role in after.services if role not in known for one in _read_again(change, after, role)]


def secrets_change(change: Change) -> bool:
    """Whether the secret files of an edge that stays differ; more cannot be seen of them."""
    return edges.is_project(change) and change.action in ("changed", "replaced") and "stdin" in change.why


def joined(change: Change) -> list[str]:
    """The networks of the user that its containers join and leave, as phrases."""
    if not edges.is_project(change) or change.action == "removed":
        return []
    before, after = edges.read(change.before), edges.read(change.after)
    return [
        *(f"joins {name}" for name in sorted(after.user_networks - before.user_networks)),
        *(f"leaves {name}" for name in sorted(before.user_networks - after.user_networks)),
    ]


def _made(change: Change, before: Project, after: Project, role: str) -> ContainerChange | None:
    """A container that is created or recreated."""
    if role not in before.services:
        return ContainerChange(change.host, role, "created")
    if change.action == "replaced" or (before.machine and before.machine != after.machine):
        return ContainerChange(change.host, role, "recreated", (ANOTHER_MACHINE,))
    old, new = before.definition(role), after.definition(role)
    keys = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    why = tuple(
        f"{key} {old[key]} → {new[key]}" if key in _SHOWN and key in old and key in new else key for key in keys
    )
    return ContainerChange(change.host, role, "recreated", why) if keys else None


def _read_again(change: Change, after: Project, role: str) -> Iterator[ContainerChange]:
    """A container that goes on with changed files: of those that can be seen, or perhaps of the others."""
    prefix = f"{role}/config/"
    changed = [file for file in files.of_project(change) if file.path.startswith(prefix)]
    names = tuple(file.path.removeprefix(prefix) for file in changed if file.diff is not None)
    late = any(file.diff is None for file in changed)
    secret = secrets_change(change) and role in after.with_secrets()
    why = names or (*(("files that are known late",) if late else ()), *((SECRET_FILES,) if secret else ()))
    if why:
        yield from _reload(change.host, role, after.reloads.get(role, ""), why, perhaps=not names)


def _reload(host: str, role: str, lines: str, why: tuple[str, ...], perhaps: bool) -> Iterator[ContainerChange]:
    """Nothing for a program without a reload: it reads its files at each use or at its next start."""
    if lines:
        action: ContainerAction = "restarted" if restarts(lines, why) else "reloaded"
        yield ContainerChange(host, role, action, why, perhaps)


def _of_docker(changes: Sequence[Change]) -> Iterator[ContainerChange]:
    """The hub's containers, each a docker resource, with commands for its files."""
    made = [change for change in changes if change.type == CONTAINER]
    for change in made:
        yield ContainerChange(change.host, change.role, _DOCKER[change.action], _values(change), kept=change.kept)
    started = {(change.host, change.role) for change in made if change.action != "changed"}
    again: dict[tuple[str, str], ContainerChange] = {}
    for change in changes:
        role = files.role_of_command(change)
        if not role or change.action != "changed" or "stdin" not in change.why or (change.host, role) in started:
            continue
        for one in _of_command(change, role):
            before = again.get((one.host, role))
            again[one.host, role] = one if before is None else _both(before, one)
    yield from again.values()


def _of_command(change: Change, role: str) -> Iterator[ContainerChange]:
    environment = change.after.get("environment")
    script = environment.get("SCRIPT") if isinstance(environment, Mapping) else None
    changed = files.of_command(change)
    names = tuple("/".join(one.path.split("/")[2:]) for one in changed if one.diff is not None)
    why = names or (SECRET_FILES if change.name.endswith("-secrets") else "files that are known late",)
    yield from _reload(change.host, role, parameters(str(script or "")).get("RELOAD", ""), why, perhaps=False)


def _both(one: ContainerChange, other: ContainerChange) -> ContainerChange:
    action: ContainerAction = "restarted" if "restarted" in (one.action, other.action) else "reloaded"
    return ContainerChange(one.host, one.role, action, (*one.why, *other.why))


def _values(change: Change) -> tuple[str, ...]:
    def why(name: str) -> str:
        old, new = change.before.get(name), change.after.get(name)
        return f"{name} {old} → {new}" if name in ("image", "memory", "cpus") and old and new else name

    return tuple(map(why, change.why))
