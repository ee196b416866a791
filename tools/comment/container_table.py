"""The containers of a change by host: a table for the comment, lines with the reasons, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tools.comment import containers
from tools.comment.markdown import code, prose, table
from tools.comment.model import CONTAINER_ACTIONS, Change, ContainerChange

_MOST_ROWS = 60


def lines(changes: Sequence[Change]) -> list[str]:
    """Markdown; nothing if no container is touched. Hosts of which the same is true share a row."""
    found = containers.changed_containers(changes)
    secrets, networks = _secrets(changes), _networks(changes)
    hosts = sorted({one.host for one in found} | secrets.keys() | networks.keys())
    columns = [action for action in CONTAINER_ACTIONS if any(one.action == action for one in found)]
    by_cells: dict[tuple[str, ...], list[str]] = {}
    for host in hosts:
        cells = [_cell([one for one in found if (one.host, one.action) == (host, action)]) for action in columns]
        cells += ["changed" if host in secrets else ""] if secrets else []
        cells += [", ".join(map(prose, networks.get(host, [])))] if networks else []
        by_cells.setdefault(tuple(cells), []).append(host)
    head = ["containers of", *columns, *(["secret files"] if secrets else []), *(["networks"] if networks else [])]
    rows = [[", ".join(map(code, names)), *cells] for cells, names in by_cells.items()]
    if len(rows) > _MOST_ROWS:
        rows = [*rows[:_MOST_ROWS], ["…"] * len(head)]
    return [table(head, rows)] if rows else []


def details(changes: Sequence[Change]) -> list[str]:
    """A line of Markdown for each container, with the reasons."""
    return [
        f"- {one.action}{_kept(one)} {code(f'{one.host}-{one.role}')}{f': {prose(_why(one))}' if one.why else ''}"
        for one in containers.changed_containers(changes)
    ]


def plain(changes: Sequence[Change]) -> list[str]:
    """The same for a terminal, a host's lines together."""
    found = [
        f"{one.host}: {one.role} {one.action}{_kept(one)}{f' ({_why(one)})' if one.why else ''}"
        for one in containers.changed_containers(changes)
    ]
    found += [f"{host}: secret files changed" for host in _secrets(changes)]
    found += [f"{host}: {phrase}" for host, phrases in _networks(changes).items() for phrase in phrases]
    return sorted(found, key=lambda line: line.partition(":")[0])


def _secrets(changes: Sequence[Change]) -> dict[str, bool]:
    return {change.host: True for change in changes if containers.secrets_change(change)}


def _networks(changes: Sequence[Change]) -> dict[str, list[str]]:
    return {change.host: phrases for change in changes if (phrases := containers.joined(change))}


def _cell(found: Sequence[ContainerChange]) -> str:
    return ", ".join(f"{code(one.role)}{_kept(one)}{' (perhaps)' if one.perhaps else ''}" for one in found)


def _kept(one: ContainerChange) -> str:
    return " (left where it is)" if one.kept and one.action == "removed" else ""


def _why(one: ContainerChange) -> str:
    return f"{'if they differ: ' if one.perhaps else ''}{', '.join(one.why)}"
