"""`python -m tools validate`: a stack file by itself, with no credential, no machine and no cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from components import cloud_facts, machine_facts
from tests.fixtures.full import ROOT
from tools import validate, working_copy

GOOD = """config:
  fleetwatch:hub: {droplet: {region: fra1}}
  fleetwatch:access: {admin_cidrs: [203.0.113.7/32]}
  fleetwatch:ssh: {key: ~/.ssh/id_ed25519}
  fleetwatch:hosts:
    db-1: {droplet: {}, postgres: {main: {}, other: {dsn: {secure: v1:abc}}}}
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_facts, "probe", lambda *_: pytest.fail("the machine was looked at"))
    monkeypatch.setattr(cloud_facts, "probe", lambda *_: pytest.fail("the cloud was looked at"))


def _problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "Pulumi.qa.yaml"
    file.write_text(text)
    return [problem.removesuffix(f" ({file})") for problem in validate.problems(file)]


def test_the_files_of_this_project_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.validate([]) == 0
    files = {file.name for file in (ROOT / "stacks").glob("Pulumi.*.yaml")} - {"Pulumi.rehearsal.yaml"}
    assert f"{len(files)} stack files, 0 problems" in capsys.readouterr().out


def test_secrets_are_set_apart_from_the_file(tmp_path: Path) -> None:
    assert _problems(tmp_path, GOOD) == []


def test_a_secret_in_clear_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = GOOD.replace("main: {}", "main: {dsn: 'postgresql://u:hunter22@db/x'}")
    assert _problems(tmp_path, text) == [
        "hosts.db-1.postgres.main.dsn: expected an encrypted value, this one is in clear text; "
        "`make secret STACK=qa KEY=hosts.db-1.postgres.main.dsn` replaces it"
    ]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("region: fra1", "region: fra1, volume: 5", "hub.droplet.volume"),
        ("[203.0.113.7/32]", "[0.0.0.0/0]", "access.admin_cidrs.0"),
        ("fleetwatch:ssh", "fleetwach:ssh", "fleetwach:ssh"),
        ("db-1: {", "db-1: {alerts: {mute: [Nonsense]}, ", "hosts.db-1.alerts.mute.0"),
        ("config:", "secretsprovider: vault\nconfig:", "secretsprovider"),
    ],
)
def test_every_rule_of_the_file_is_checked(tmp_path: Path, old: str, new: str, path: str) -> None:
    found = _problems(tmp_path, GOOD.replace(old, new))
    assert [problem.partition(": ")[0] for problem in found][:1] == [path], found


def test_a_file_that_is_no_yaml_is_one_problem_and_the_others_are_still_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = tmp_path / "Pulumi.a.yaml", tmp_path / "Pulumi.b.yaml"
    bad.write_text("config: [\n")
    working_copy.write(good, {"config": {"fleetwatch:hub": {"colour": 1}}})
    assert validate.validate([bad, good, tmp_path / "Pulumi.c.yaml"]) == 1
    said = capsys.readouterr().out
    assert f"{bad}, line 2" in said
    assert "hub.colour: unknown key" in said
    assert "Pulumi.c.yaml: there is no such stack file" in said
