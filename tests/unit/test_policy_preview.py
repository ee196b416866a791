"""The reader of a preview's JSON, and the command around it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from policy import preview
from policy.records import CONTAINER, UNKNOWN, Hidden
from policy.rules import RULES
from tests.fixtures.full import ROOT
from tools import policy, policy_pack, pulumi_cli
from tools import stack as stacks
from tools.errors import ToolError

URN = "urn:pulumi:dev::fleetwatch::fleetwatch:index:Hub$docker:index/container:Container::hub-loki"
SIGNED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "s3cret"}
GOOD = {
    "image": "docker.io/grafana/loki:3.7.8",
    "memory": 512,
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges"],
    "labels": [{"label": "fleetwatch.role", "value": "loki"}],
}


def step(op: str = "create", urn: str = URN, protect: bool = False, **inputs: Any) -> dict[str, Any]:
    state = {"type": CONTAINER, "inputs": {**GOOD, **inputs}, **({"protect": True} if protect else {})}
    return {"op": op, "urn": urn, "newState": state}


def digest(*steps: dict[str, Any], **config: str) -> dict[str, Any]:
    return {"config": {f"fleetwatch:{key}": value for key, value in config.items()}, "steps": list(steps)}


def test_a_record_has_what_the_rules_ask_for() -> None:
    (one,) = preview.records(digest(step(protect=True)))
    assert (one.type, one.name, one.protect, one.urn, one.role) == (CONTAINER, "hub-loki", True, URN, "loki")
    assert not preview.records(digest(step()))[0].protect


@pytest.mark.parametrize("unknown", sorted(UNKNOWN))
def test_what_cannot_be_seen_is_marked(unknown: str) -> None:
    (one,) = preview.records(digest(step(image=unknown, envs=["[secret]", SIGNED, {"deep": [unknown]}])))
    assert one.properties["image"] is Hidden.UNKNOWN
    assert one.properties["envs"] == [Hidden.SECRET, Hidden.SECRET, {"deep": [Hidden.UNKNOWN]}]


def test_a_replacement_is_looked_at_once_and_a_deletion_not_at_all() -> None:
    replaced = [step("create-replacement", image="a:1.2.3"), {"op": "delete-replaced", "urn": URN}, step("replace")]
    gone = {"op": "delete", "urn": "urn:x::y::z::gone", "oldState": {"type": CONTAINER, "inputs": {}}}
    assert [one.name for one in preview.records(digest(*replaced, gone))] == ["hub-loki"]


def test_what_stays_the_same_is_looked_at() -> None:
    assert len(preview.records(digest(step("same")))) == 1


@pytest.mark.parametrize("empty", [{}, {"steps": None}, {"steps": []}])
def test_an_empty_preview_has_no_records(empty: dict[str, Any]) -> None:
    assert preview.records(empty) == []


def test_the_environment_is_the_files_or_the_stacks() -> None:
    assert preview.env(digest(env="prod"), "live") == "prod"
    assert preview.env(digest(), "live") == "live"
    assert preview.env({}, "live") == "live"


def _check(tmp_path: Path, text: str) -> int:
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    return policy.check_plan(plan, "dev")


def test_a_good_plan_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path, json.dumps(digest(step()))) == 0
    assert f"1 resources of dev, {len(RULES)} rules: no violation" in capsys.readouterr().out


def test_every_violation_of_a_bad_plan_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path, json.dumps(digest(step(image="loki:latest", memory=0, privileged=True)))) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(":")[0] for line in lines[:-1]} == {"container-rights", "memory-limit", "pinned-images"}
    assert "3 violations" in lines[-1]


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", json.dumps({"steps": [{"op": "delete", "urn": URN}]})])
def test_a_plan_with_nothing_in_it_does_not_pass(tmp_path: Path, text: str) -> None:
    with pytest.raises(ToolError, match="expected|no resource"):
        _check(tmp_path, text)


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="nowhere.json: expected what `pulumi preview --json` printed"):
        policy.check_plan(tmp_path / "nowhere.json", "dev")


def test_rules_have_names_of_their_own_and_reasons() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.reason.endswith(".") for rule in RULES)


@pytest.mark.parametrize(("value", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)])
def test_the_pack_is_an_option(
    value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(policy_pack.WANTED, raising=False)
    if value is not None:
        monkeypatch.setenv(policy_pack.WANTED, value)
    monkeypatch.setattr(pulumi_cli, "find", lambda: pulumi_cli.Pulumi(tmp_path, "3.255.0", "on PATH"))
    monkeypatch.setattr(policy_pack, "prepare", lambda: None)
    stack = policy_pack.attached(stacks.Stack("dev", tmp_path / "Pulumi.dev.yaml", {}))
    assert (stack.policy_pack is not None) is wanted


def test_a_cli_that_takes_no_program_for_a_pack_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = pulumi_cli.Pulumi(tmp_path / "pulumi", "3.253.0", "on PATH")
    monkeypatch.setattr(pulumi_cli, "find", lambda: old)
    with pytest.raises(ToolError, match=r"Pulumi 3\.253\.0 takes no policy pack.*update it to 3\.255"):
        policy_pack.with_pack(stacks.Stack("dev", tmp_path / "Pulumi.dev.yaml", {}))


@pytest.mark.parametrize(("command", "looked_at"), [("up", True), ("preview", True), ("destroy", False)])
def test_the_pack_is_in_previews_and_updates_alone(
    command: str, looked_at: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[list[str], dict[str, str]]] = []

    def streamed(argv: list[str], env: dict[str, str], name: str, shown: object) -> int:
        ran.append((argv, env))
        return 0

    monkeypatch.setattr(stacks, "streamed", streamed)
    file = tmp_path / "Pulumi.live.yaml"
    file.write_text("config: {'fleetwatch:env': prod, 'fleetwatch:hub': {local: {}}}\n")
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    stack = stacks.Stack("live", file, {}, policy_pack=policy_pack.PACK)
    stack.run(command, "--yes")
    ((argv, env),) = ran
    assert (str(policy_pack.PACK) in argv) is looked_at
    assert env["FLEETWATCH_ENV"] == "prod"


def test_without_it_nothing_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def streamed(argv: list[str], env: dict[str, str], name: str, shown: object) -> int:
        ran.append(argv)
        return 0

    monkeypatch.setattr(stacks, "streamed", streamed)
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    stacks.Stack("live", tmp_path / "Pulumi.live.yaml", {}).run("up")
    assert "--policy-pack" not in ran[0]


def test_the_page_names_every_rule_and_no_other() -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [rule.name for rule in RULES]
