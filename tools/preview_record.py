"""Runs a preview and keeps the data for the comment of a pull request; if the preview fails, the reason.

Pulumi prints its plan as JSON and, in its event log, the stack's outputs as they would be. Pulumi masks secrets in
both; secrets that this process knows are masked once more before anything is written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from policy import preview, rules
from tools import drift, working_copy
from tools.cli import Commands
from tools.comment.model import SECRET
from tools.comment.records import POLICY
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSPHRASE|PRIVATE|ACCESS_KEY|_DSN$|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 6  # characters of a secret that is looked for; a shorter one would be found everywhere
_PROGRAM = re.compile(r"^error: Program failed with an unhandled exception:\s*", re.MULTILINE)
_STACK = "pulumi:pulumi:Stack"


def register(commands: Commands) -> None:
    parser = commands.add("record", _record, "run a preview and keep what a comment is made of, or why there is none")
    parser.add_argument("place", help="the file to write, <folder>/<stack>.preview.json")
    parser.add_argument(
        "--refresh", action="store_true", help="compare with what really exists, the hosts too; contacts every host"
    )


def _record(options: argparse.Namespace) -> int:
    place = Path(options.place)
    problem = write_record(options.stack, lambda: open_stack(options), place, refresh=options.refresh)
    say(f"{place}: {'written' if problem is None else f'no preview: {problem}'}")
    return 0 if problem is None else 1


def write_record(name: str, make: Callable[[], Stack], place: Path, *, refresh: bool = False) -> str | None:
    """Write the record of a preview to `place`, and the findings of the guard rails; None, or the sentence with the
    reason why there is no preview.

    `make` gives the stack; its errors are recorded like those of the preview. `refresh`: look at what is really there
    first, and compare the hosts as `make drift` does. That contacts the hosts, a preview alone contacts none.
    """
    problem: str | None = None
    found: dict[str, Any] = {}
    stack: Stack | None = None
    try:
        stack = make()
        stack.prepare()
        stack.select(repair=False)
        found = _preview(stack, refresh)
        if refresh:
            found["drift"] = [asdict(one) for one in drift.of_stack(stack)]
    except ToolError as error:
        problem = _reason(str(error))
    content = masked({"stack": name, "problem": problem, **found}, secrets_here(stack))
    place.parent.mkdir(parents=True, exist_ok=True)
    policies = content.pop("policies", None)
    place.write_text(json.dumps(content, indent=1) + "\n")
    if policies is not None:
        (place.parent / f"{name}{POLICY}").write_text(json.dumps(policies, indent=1) + "\n")
    reason: str | None = content["problem"]
    return reason


def _preview(stack: Stack, refresh: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="fleetwatch-preview-") as folder:
        events = Path(folder) / "events"
        options = ["--event-log", str(events), *(["--refresh"] if refresh else [])]
        # The event log is for programs, and so is the setting that allows it: Pulumi's Automation API uses both.
        plan = stack.planned(*options, PULUMI_DEBUG_COMMANDS="true")
        return {"preview": plan, "outputs": stack_outputs(events), "policies": _policies(plan, stack.name)}


def _policies(plan: Mapping[str, Any], stack: str) -> list[dict[str, str]]:
    """The violations of policy/ in the plan."""
    found = rules.violations(preview.records(plan), preview.env(plan, stack))
    return [
        {"policy": one.rule, "resource": one.record.name, "message": one.message, "level": "mandatory"} for one in found
    ]


def _reason(message: str) -> str:
    """Why there is no preview, without a traceback and without Pulumi's own prefixes."""
    text = message.removeprefix("Pulumi failed: ")
    lines = [line for line in text.splitlines() if not line.startswith("warning: ")]
    text = _without_traceback(_PROGRAM.sub("", "\n".join(lines)))
    return "\n".join(line.removeprefix("error: ").rstrip() for line in text.splitlines() if line.strip())


def _without_traceback(text: str) -> str:
    """Of a traceback the last line, which has the reason."""
    if "Traceback (most recent call last)" not in text:
        return text
    before, _, rest = text.partition("Traceback (most recent call last)")
    frames = rest.splitlines()
    last = next((line.strip() for line in reversed(frames) if line.strip()), "")
    return f"{before.strip()}\nthe program ended with {last}; the log of this run has more".strip()


def stack_outputs(events: Path) -> dict[str, Any]:
    """The stack's outputs before and after, from the last event about them."""
    found: dict[str, Any] = {"before": {}, "after": {}}
    for line in events.read_text().splitlines():
        event = (json.loads(line).get("resOutputsEvent") or {}).get("metadata") or {}
        if event.get("type") == _STACK:
            for key, side in (("before", "old"), ("after", "new")):
                found[key] = (event.get(side) or {}).get("outputs") or {}
    return found


def secrets_here(stack: Stack | None) -> set[str]:
    """Every secret that this process knows: in its environment, and by mistake in clear in the stack file."""
    env = {**os.environ, **(stack.env if stack is not None else {})}
    found = {value for name, value in env.items() if _SECRET_NAME.search(name) and not name.endswith("_FILE")}
    named = env.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if named and Path(named).is_file():
        found.add(Path(named).read_text().strip())
    if stack is None:
        return {secret for secret in found if len(secret) >= _SHORTEST}
    with contextlib.suppress(ToolError):  # no YAML: then the problem alone is recorded
        plain = working_copy.plain_secrets(working_copy.read(stack.file).get("config") or {})
        found |= {value for value in plain.values() if isinstance(value, str)}
    return {secret for secret in found if len(secret) >= _SHORTEST}


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """The same without any of these, also where they stand escaped in a text that is JSON itself."""
    forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
    return _masked(value, sorted(forms, key=len, reverse=True))


def _masked(value: Any, forms: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(inner, forms) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, forms) for inner in value]
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, SECRET)
    return value
