"""What the tests of the comment share: recordings, records that went through a file, single changes and steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.preview.record import RECORDED
from tools.comment import records
from tools.comment.model import Action, Change, Record


def recording(name: str) -> dict[str, Any]:
    """One recording, as `record` wrote it."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.preview.json").read_text())
    return found


def read(folder: Path, content: Any, stack: str = "prod") -> Record:
    """A record that went through a file."""
    (folder / f"{stack}.preview.json").write_text(json.dumps(content))
    return next(one for one in records.read_records(folder) if one.stack == stack)


def change(
    type_: str,
    action: Action,
    *,
    host: str = "web-1",
    role: str = "",
    kept: bool = False,
    name: str = "",
    why: tuple[str, ...] = (),
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Change:
    """One change; `role` is the label of its resource before it."""
    labels = [{"label": "fleetwatch.role", "value": role}] if role else []
    before = {"labels": labels, **(before or {})}
    return Change(action, type_, name or f"{host}-thing", host, why, before, after or {}, kept)


def step(
    op: str, urn_end: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> Any:
    """One step as the engine tells it; `old` and `new` are inputs."""
    states = {key: {"inputs": inputs} for key, inputs in (("oldState", old), ("newState", new)) if inputs is not None}
    return {"op": op, "urn": f"urn:pulumi:prod::fleetwatch::{urn_end}", **states, **more}
