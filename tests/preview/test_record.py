"""What is kept of a preview: without secrets, and without tracebacks. The engine is a script of a test's own here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import preview_record
from tools.comment import page, records
from tools.errors import ToolError
from tools.stack import Stack

TOKEN = "dop_v1_0123456789abcdef"
ODD = 'odd "quoted"\\ s3cret'
PLAN = {"steps": [], "diagnostics": [], "changeSummary": {"same": 3}}
EVENTS = [
    {"sequence": 0, "preludeEvent": {"config": {}}},
    {"resOutputsEvent": {"metadata": {"type": "fleetwatch:index:Hub", "new": {"outputs": {"monthly_usd": 1}}}}},
    {
        "resOutputsEvent": {
            "metadata": {
                "type": "pulumi:pulumi:Stack",
                "old": {"outputs": {"monthly_usd": 32.0}},
                "new": {"outputs": {"monthly_usd": 41.0, "rotations": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}},
            }
        }
    },
]
ENGINE = """#!/bin/sh
case " $* " in *" preview "*) ;; *) exit 1 ;; esac  # a stack that has no state yet
while [ $# -gt 0 ]; do [ "$1" != --event-log ] || events=$2; shift; done
cp {events} "$events"
cat {said}
cat {errors} >&2
exit {code}
"""


class Engine:
    """A `pulumi` that says what a test wants, and the stack that asks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "Pulumi.prod.yaml"
        self.file.write_text("config: {fleetwatch:hub: {droplet: {region: fra1}}}\n")
        self.place = folder / "out" / "prod.preview.json"
        self.env = {"PATH": f"{folder}:/usr/bin:/bin", "DIGITALOCEAN_TOKEN": TOKEN}

    def says(self, plan: Any, errors: str = "", code: int = 0) -> None:
        files = {"events": "\n".join(map(json.dumps, EVENTS)), "errors": errors}
        files["said"] = plan if isinstance(plan, str) else json.dumps(plan)
        for name, text in files.items():
            (self.folder / name).write_text(text)
        places = {name: self.folder / name for name in files}
        (self.folder / "pulumi").write_text(ENGINE.format(code=code, **places))
        (self.folder / "pulumi").chmod(0o755)

    def stack(self) -> Stack:
        return Stack("prod", self.file, self.env, {})

    def record(self) -> tuple[str | None, str]:
        """(the problem, the whole page)."""
        problem = preview_record.write_record("prod", self.stack, self.place)
        return problem, page.build(records.read_records(self.place.parent), limit=0)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(Stack, "exists", lambda _: True)
    return Engine(tmp_path)


def test_plan_and_outputs_are_kept(engine: Engine) -> None:
    engine.says(PLAN)
    problem, text = engine.record()
    assert problem is None
    assert "32.00 USD → 41.00 USD" in text, "of the stack, not of a component"
    (kept,) = records.read_records(engine.place.parent)
    assert "rotations" not in kept.after, "what is not known yet is no output"


def test_an_error_of_the_program_is_its_sentence(engine: Engine) -> None:
    sentence = "2 problems in the settings, nothing was changed:\n  - hub.colour: unknown key\n  - hosts.x: expected y"
    plan = {
        "diagnostics": [
            {"severity": "warning", "message": "nothing"},
            {"severity": "error", "message": f"error: {sentence}\n"},
        ]
    }
    engine.says(plan, "error: preview failed", 1)
    problem, text = engine.record()
    assert problem == sentence
    assert "- hub.colour: unknown key<br>- hosts.x: expected y" in text


def test_of_a_traceback_the_last_line_is_told(engine: Engine) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/x/__main__.py", line 3, in <module>\n    boom()\nKeyError: 1\n'
    )
    message = f"error: Program failed with an unhandled exception:\n{trace}"
    engine.says({"diagnostics": [{"severity": "error", "message": message}]}, code=1)
    problem, _ = engine.record()
    assert problem == "the program ended with KeyError: 1; the log of this run has more"


def test_the_engines_own_words_where_there_is_no_plan(engine: Engine) -> None:
    engine.says("", "warning: something\nerror: getting stack configuration: incorrect passphrase\n", 1)
    problem, _ = engine.record()
    assert "The passphrase is not the one" in str(problem)
    engine.says("", "error: could not read the bucket\n", 255)
    assert engine.record()[0] == "could not read the bucket"


def test_what_is_in_the_way_of_the_stack_is_told_as_well(engine: Engine) -> None:
    def nothing() -> Stack:
        raise ToolError("The passphrase of stack prod is not here")

    assert preview_record.write_record("prod", nothing, engine.place) == "The passphrase of stack prod is not here"
    assert "**No preview**: The passphrase" in page.build(records.read_records(engine.place.parent))


@pytest.mark.parametrize("where", ["plan", "diagnostic", "stderr"])
@pytest.mark.parametrize("secret", [TOKEN, "a-long-passphrase", ODD, "in-the-f1le"])
def test_what_the_run_knows_as_secret_is_nowhere(engine: Engine, where: str, secret: str) -> None:
    """Even if the engine or a provider should say it."""
    engine.env |= {"PULUMI_CONFIG_PASSPHRASE": "a-long-passphrase", "AWS_SECRET_ACCESS_KEY": ODD}
    file = engine.folder / "passphrase"
    file.write_text("in-the-f1le\n")
    engine.env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(file)
    if where == "plan":
        one = {
            "op": "create", "urn": f"urn:pulumi:prod::fleetwatch::command:local:Command::{secret}",
            "newState": {
                "type": "command:local:Command", "inputs": {"image": secret, "json": json.dumps({"x": secret})}
            },
            "diffReasons": [secret],
        }  # fmt: skip
        engine.says({**PLAN, "steps": [one]})
    elif where == "diagnostic":
        engine.says({"diagnostics": [{"severity": "error", "message": f"it is {secret}!"}]}, code=1)
    else:
        engine.says("", f"error: it is {secret}!", 1)
    problem, text = engine.record()
    kept = engine.place.read_text()
    for told in (text, str(problem), kept, json.dumps(json.loads(kept)["problem"])):
        assert secret not in told
        assert json.dumps(secret)[1:-1] not in told
    assert "[secret]" in kept


def test_a_passphrase_that_is_a_word_breaks_nothing(engine: Engine) -> None:
    engine.env["PULUMI_CONFIG_PASSPHRASE"] = "preview"
    engine.says(PLAN)
    problem, text = engine.record()
    assert problem is None
    assert "Nothing to change." in text


def test_the_guard_rails_look_at_the_plan(engine: Engine) -> None:
    container = {"image": "caddy:latest", "name": "fleetwatch-caddy"}
    kind = "docker:index/container:Container"
    state = {"type": kind, "inputs": container}
    engine.says(
        {**PLAN, "steps": [{"op": "same", "urn": f"urn:pulumi:prod::fleetwatch::{kind}::x", "newState": state}]}
    )
    problem, text = engine.record()
    assert problem is None
    assert "mandatory `pinned-images`, `x`:" in text
    engine.says(PLAN)
    assert "**Policies**: no violation." in engine.record()[1]
