"""The comment with the real engine: its numbers, its diffs, no secret anywhere, bad input, and drift."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.previews import SECRETS, Previewed
from tests.integration.rig import docker
from tools.comment import changes, drift, files, page, warnings
from tools.comment.model import Record

pytestmark = pytest.mark.xdist_group("preview")
OPS = {"create": "added", "update": "changed", "replace": "replaced", "delete": "removed"}


def numbers(record: Record) -> dict[str, int]:
    found = [change.action for change in changes.planned_changes(record)]
    return {action: found.count(action) for action in set(found)}


CHANGES: dict[str, Mapping[str, Any]] = {
    "scrape interval": {"hosts": {"hub": {"scrape": {"node": "5s"}}}},
    "image bumped": {"images": {"prometheus": "docker.io/prom/prometheus:v3.99.0"}},
    "app added": {"hosts": {"hub": {"apps": {"shop": {"target": "shop-api:8000"}}}}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_numbers_are_those_of_the_engine(stack: Previewed, name: str) -> None:
    stack.rig.change(CHANGES[name])
    record = stack.record()
    engines = {OPS[op]: number for op, number in stack.rig.preview().items() if op in OPS}
    assert numbers(record) == engines == changes.counts(record)
    assert engines, "the change was to change something"
    text = page.build([record])
    diffs = {file.path: file.diff or "" for file in files.changed_files(changes.planned_changes(record))}
    if name == "image bumped":
        loud = warnings.warnings(changes.planned_changes(record))
        assert [line.split("`")[1] for line in loud] == ["hub-agent"]
        assert text.index("[!CAUTION]") < text.index("### Stack")
        assert "`docker.io/prom/prometheus:v3.99.0`" in text
        assert "| `hub` | `agent`, `prometheus` |" in text
    else:
        assert "[!CAUTION]" not in text
        wanted = "+  scrape_interval: 5s" if name == "scrape interval" else "+- job_name: shop"
        assert wanted in diffs["agent/config/prometheus.yml"]
        assert wanted in text
        assert "| containers of | reloaded |" in text


def test_the_terminal_names_the_containers_too(stack: Previewed) -> None:
    stack.rig.change(CHANGES["image bumped"])
    done = stack.rig.tool("preview")
    stack.said += done.stdout
    assert done.returncode == 0, done.stdout[-3000:]
    end = done.stdout[done.stdout.rindex("\nContainers:") :]
    assert "  hub: agent recreated (image " in end
    assert "  hub: prometheus recreated (image " in end
    assert "hub-agent of hub is recreated (because of image): the running agent ends" in done.stdout


def test_nothing_to_change_is_said(stack: Previewed) -> None:
    assert "Nothing to change." in page.build([stack.record()])


def test_no_secret_of_any_kind_is_anywhere(stack: Previewed) -> None:
    stack.plant()
    record = stack.record()
    told = {file.path: file.why_not for file in files.changed_files(changes.planned_changes(record))}
    changed = {"alertmanager/secrets/*", "grafana/secrets/*", "*/secrets/*"}  # the last are the edge's
    assert {path for path, why in told.items() if why == "secret, not shown"} == changed, told
    made = stack.rig.tool("pulumi", "stack", "export", "--show-secrets").stdout
    resources = json.loads(made[made.index("{") :])["deployment"]["resources"]
    passwords = [one["outputs"]["result"] for one in resources if one["type"].endswith(":RandomPassword")]
    generated = [json.loads(one["plaintext"]) if isinstance(one, dict) else one for one in passwords]
    passphrase = (stack.rig.home / "state" / stack.rig.name / "passphrase").read_text()
    assert len(stack.planted) >= 2 * len(SECRETS)
    assert len(generated) >= 2
    leaked = [secret for secret in (*stack.planted, *generated, passphrase) if secret in stack.said]
    assert not leaked, f"{len(leaked)} secrets were told"


@pytest.mark.parametrize("key", sorted(SECRETS))
def test_a_secret_in_clear_is_refused_and_not_told(stack: Previewed, key: str) -> None:
    *way, last = key.split(".")
    value = SECRETS[key].format(planted := f"pl4nted{secrets.token_hex(8)}")
    change: dict[str, Any] = {last: value}
    for part in reversed(way):
        change = {part: change}
    stack.planted.append(planted)
    stack.rig.change(change)
    record = stack.record(code=1)
    assert key in (record.problem or "")
    assert planted not in stack.said


# Bad input: a sentence in the place of the preview


def test_a_stack_file_that_is_no_yaml(stack: Previewed) -> None:
    stack.rig.file.write_text("config:\n  fleetwatch:hub:\n   - local: {\n")
    record = stack.record(code=1)
    assert "line 4" in (record.problem or ""), record.problem
    assert "expected YAML" in page.build([record])


def test_mistakes_of_a_stack_file_are_told_all_at_once(stack: Previewed) -> None:
    stack.rig.change({"hub": {"colour": "blue"}, "hosts": {"hub": {"logs": {"journal": "yes please"}}}})
    text = page.build([stack.record(code=1)])
    assert "**No preview**" in text
    assert "hub.colour: unknown key" in text
    assert "hosts.hub.logs.journal: expected true or false" in text
    assert "2 problems in the settings" in text


def test_a_passphrase_that_does_not_fit(stack: Previewed) -> None:
    place = stack.rig.home / "state" / stack.rig.name / "passphrase"
    right = place.read_text()
    place.write_text("another one")
    try:
        assert "The passphrase is not the one" in page.build([stack.record(code=1)])
    finally:
        place.write_text(right)


def test_a_token_that_is_missing(stack: Previewed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.rig.env.pop("DIGITALOCEAN_TOKEN", None)
    stack.rig.env["FLEETWATCH_STATE"] = str(tmp_path)  # another file altogether: the secrets of this one would go
    monkeypatch.setattr(stack.rig, "file", tmp_path / stack.rig.file.name)
    droplet = {"region": "fra1", "size": "s-2vcpu-4gb", "volume": 20}
    config = {"fleetwatch:hub": {"droplet": droplet}, "fleetwatch:access": {"admin_cidrs": ["192.0.2.1/32"]}}
    stack.rig.file.write_text(yaml.safe_dump({"config": config}))
    assert "digitalocean:token: missing, droplets and Spaces need an API token" in page.build([stack.record(code=1)])


# Drift


def test_what_was_removed_by_hand_is_drift(stack: Previewed) -> None:
    stack.rig.up()
    assert drift.body([stack.record("--refresh")]) is None
    docker("rm", "-f", stack.rig.container("alertmanager"))
    text = drift.body([stack.record("--refresh")])
    assert text is not None
    assert "`hub-alertmanager` (Container)" in text
    stack.rig.up()
    assert drift.body([stack.record("--refresh")]) is None
