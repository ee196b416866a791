"""A preview only reads: it may run beside an update, and then the state's unfinished operations are that update's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import preview_record
from tools.stack import Stack

ENGINE = """#!/bin/sh
echo "$*" >> {calls}
case " $* " in
    *" stack export "*) cat {state} ;;
    *" preview "*)
        while [ $# -gt 0 ]; do [ "$1" != --event-log ] || : > "$2"; shift; done
        echo '{{"steps": [], "changeSummary": {{}}}}' ;;
esac
"""


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(Stack, "exists", lambda _: True)
    pending = [{"type": "creating", "resource": {"urn": "urn:x::web-1", "type": "x", "custom": True}}]
    (tmp_path / "exported").write_text(json.dumps({"deployment": {"resources": [], "pending_operations": pending}}))
    (tmp_path / "pulumi").write_text(ENGINE.format(calls=tmp_path / "calls", state=tmp_path / "exported"))
    (tmp_path / "pulumi").chmod(0o755)
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("config: {fleetwatch:hub: {droplet: {region: fra1}}}\n")
    return Stack("prod", file, {"PATH": f"{tmp_path}:/usr/bin:/bin"}, {})


def test_a_preview_beside_an_update_leaves_the_state_alone(stack: Stack, tmp_path: Path) -> None:
    problem = preview_record.write_record("prod", lambda: stack, tmp_path / "out" / "prod.preview.json")
    assert problem is None
    calls = (tmp_path / "calls").read_text()
    assert " stack export " in calls
    assert "import" not in calls, "an older state over that of the update that goes on"


def test_what_changes_a_stack_clears_them(stack: Stack, tmp_path: Path) -> None:
    stack.prepare()
    stack.select()
    assert "stack import --stack prod" in (tmp_path / "calls").read_text()
