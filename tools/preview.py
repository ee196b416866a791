"""`make preview`: Pulumi's preview with every difference, then what happens to each container, by host."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools import custom_check
from tools.cli import Commands
from tools.comment import changes, container_table, warnings
from tools.comment.model import Record
from tools.preview_record import stack_outputs
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack

_STATES = {"old": "oldState", "new": "newState"}


def register(commands: Commands) -> None:
    commands.add("preview", _preview, "what `up` would change, container by container")


def _preview(options: argparse.Namespace) -> int:
    return preview(open_stack(options))


def preview(stack: Stack) -> int:
    """Run Pulumi's preview and print what it means for the containers; Pulumi's exit code."""
    stack.prepare()
    stack.select(repair=False)
    custom_check.require(stack)
    with tempfile.TemporaryDirectory(prefix="fleetwatch-preview-") as folder:
        events = Path(folder) / "events"
        # The event log is for programs, and so is the setting that allows it: Pulumi's Automation API uses both.
        stack.env = {**stack.env, "PULUMI_DEBUG_COMMANDS": "true"}
        code = stack.run("preview", "--diff", "--event-log", str(events))
        if code == 0:
            for line in summary(stack.name, events):
                say(line)
    return code


def summary(name: str, events: Path) -> list[str]:
    """What the events of a preview mean for the containers: the losses first."""
    outputs = stack_outputs(events)
    record = Record(name, steps=tuple(_steps(events)), before=outputs["before"], after=outputs["after"])
    found = changes.planned_changes(record)
    lines = container_table.plain(found)
    lost = [warning.replace("**", "").replace("`", "") for warning in warnings.warnings(found)]
    return [
        *(["\nData or unsent data is lost, or something is interrupted:"] if lost else []),
        *(f"  {line}" for line in lost),
        "\nContainers:" if lines else "\nContainers: none is touched.",
        *(f"  {line}" for line in lines),
    ]


def _steps(events: Path) -> Iterator[Mapping[str, Any]]:
    """The steps of an event log, as `pulumi preview --json` has them."""
    for line in events.read_text().splitlines():
        step = (json.loads(line).get("resourcePreEvent") or {}).get("metadata")
        if step:
            yield {
                "op": step.get("op"),
                "urn": step.get("urn"),
                "replaceReasons": step.get("keys"),
                "diffReasons": step.get("diffs"),
                **{name: step[key] for key, name in _STATES.items() if step.get(key)},
            }
