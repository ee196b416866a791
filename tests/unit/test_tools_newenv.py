"""A new environment: the file that is written, the secrets that are wanted, and the list of what is missing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import cloud_facts
from configs.validation import CloudFacts
from tests.fixtures.full import ROOT
from tests.fixtures.hubs import PUBLIC_KEY
from tests.fixtures.terminals import Closed, closed
from tools import backend, missing, newenv, stack_secrets
from tools.errors import ToolError
from tools.newenv import Answers
from tools.stack import Stack

SET = {"secure": "v1:abc"}
_FRA = frozenset({"fra1"})
CLOUD = CloudFacts(
    regions=_FRA,
    sizes={"s-2vcpu-4gb": _FRA, "s-1vcpu-1gb": _FRA},
    images={"debian-12-x64": _FRA, "debian-13-x64": _FRA},
)
GOOD = Answers(domain="monitor.fleet.test", cidrs="9.9.9.9/32 10.0.0.0/8")


def _written(path: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(path.read_text())["config"]
    return config


def test_the_answers_are_in_the_file_and_the_rest_is_left_to_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    newenv.write(file, "qa", GOOD)
    config = _written(file)
    assert config["fleetwatch:hub"]["domain"] == "monitor.fleet.test"
    assert config["fleetwatch:access"]["admin_cidrs"] == ["9.9.9.9/32", "10.0.0.0/8"]
    assert set(config["fleetwatch:hub"]) == {"domain", "droplet"}, "what is a default is not written down"
    assert "$" not in file.read_text(), "a place of the template was not filled"


def test_every_line_that_is_commented_out_works_when_it_is_not(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    newenv.write(file, "qa", GOOD)
    lines = file.read_text().splitlines()
    loose = [line.replace("# ", "", 1) if line.startswith(" ") and line.strip()[0] == "#" else line for line in lines]
    config = yaml.safe_load("\n".join(loose))["config"]
    assert {"web-1", "vps-1"} < set(config["fleetwatch:hosts"])
    wanted = missing.secrets_wanted(config, "qa")
    assert wanted == ["hub.alerts.receivers.team.slack.url"]
    assert newenv._problems("qa", yaml.safe_dump({"config": config})) == []


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    file.write_text("config: {}\n")
    with pytest.raises(ToolError, match="exists already and is never overwritten"):
        newenv.write(file, "qa", GOOD)
    assert file.read_text() == "config: {}\n"


def test_all_wrong_answers_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    with pytest.raises(ToolError) as told:
        newenv.write(file, "qa", Answers(domain="no domain", cidrs="9.9.9.9", volume="much"))
    for part in ("hub.domain: expected", "access.admin_cidrs.0: expected", "hub.droplet.volume: expected"):
        assert part in str(told.value)
    assert not file.exists()


@pytest.mark.parametrize("name", ["", "QA", "a_b", "-a", "a-", "../x", "x" * 23])
def test_a_name_that_cannot_be_one_is_told(name: str) -> None:
    with pytest.raises(ToolError, match="NAME: expected"):
        newenv.checked_name(name)


def _config() -> dict[str, Any]:
    return {
        "fleetwatch:hub": {
            "droplet": {"region": "fra1", "size": "s-2vcpu-4gb", "volume": 100},
            "alerts": {
                "receivers": {
                    "team": {"slack": {}},
                    "mail": {"email": {"to": "a@b.test", "sender": "c@d.test", "smarthost": "m:25", "username": "u"}},
                },
                "default": "team",
            },
            "grafana": {"auth": {"github": {"client_id": "x", "allowed_organizations": ["acme"]}}},
        },
        "fleetwatch:access": {"admin_cidrs": ["9.9.9.9/32"]},
        "fleetwatch:hosts": {"db-1": {"droplet": {"size": "s-1vcpu-1gb"}, "postgres": {"main": {}}}},
    }


def test_every_secret_with_a_place_in_the_file_is_wanted_once() -> None:
    assert sorted(missing.secrets_wanted(_config(), "qa")) == [
        "hosts.db-1.postgres.main.dsn",
        "hub.alerts.receivers.mail.email.password",
        "hub.alerts.receivers.team.slack.url",
        "hub.grafana.auth.github.client_secret",
    ]


def test_a_secret_that_is_set_is_not_wanted_again() -> None:
    config = _config()
    config["fleetwatch:hosts"]["db-1"]["postgres"]["main"] = {"dsn": SET}
    config["fleetwatch:hub"]["alerts"]["receivers"]["team"]["slack"] = {"url": SET}
    wanted = missing.secrets_wanted(config, "qa")
    assert "hosts.db-1.postgres.main.dsn" not in wanted
    assert "hub.alerts.receivers.team.slack.url" not in wanted


def test_a_token_is_wanted_where_droplets_are_and_none_is_set() -> None:
    config = _config()
    assert missing.token_wanted(config, {})
    assert not missing.token_wanted(config, {missing.TOKEN: "x"})
    assert not missing.token_wanted({**config, missing.TOKEN_KEY: SET}, {})
    assert not missing.token_wanted({"fleetwatch:hub": {"local": {}}}, {})


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("monitor.example.com", True), ("example.org", True), ("shop.example", True), ("203.0.113.7/32", True),
        ("192.0.2.0/25", True), ("monitor.examples.com", False), ("9.9.9.9/32", False), ("2001:db8::/32", False),
        ("0.0.0.0/0", False),
    ],
)  # fmt: skip
def test_what_documentation_uses_is_nobodys(text: str, example: bool) -> None:
    assert missing.is_example(text) is example


class FakeStack(Stack):
    """A stack whose secrets are kept here instead of by an engine."""

    def __init__(self, config: dict[str, Any], home: Path) -> None:
        super().__init__("qa", home / "Pulumi.qa.yaml", {backend.VARIABLE: "s3://state"})
        self.config, self.home = config, home

    def prepare(self, check: bool = True) -> dict[str, Any]:
        return self.config

    def select(self, mend: bool = True) -> None:
        pass

    def secrets_provider(self) -> str:
        return "passphrase"

    def values(self) -> dict[str, str]:
        return {"digitalocean:token": "decrypted-s3cret"}


def _complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, piped: str, config: dict[str, Any], **environ: str
) -> tuple[int, dict[str, str]]:
    kept: dict[str, str] = {}
    monkeypatch.setattr(cloud_facts, "probe", lambda *_: CLOUD)
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    monkeypatch.setattr(stack_secrets, "set_secret", lambda _stack, key, value: kept.update({key: value}))
    return newenv.complete(FakeStack(config, tmp_path), environ), kept


def test_secrets_come_through_a_pipe_and_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piped = "digitalocean:token=dop_v1_x=y\nhosts.db-1.postgres.main.dsn=postgresql://u:hunter22@db/x\n"
    code, kept = _complete(monkeypatch, tmp_path, piped, _config())
    assert kept == {"digitalocean:token": "dop_v1_x=y", "hosts.db-1.postgres.main.dsn": "postgresql://u:hunter22@db/x"}
    assert code == 1, "others are missing still"
    said = capsys.readouterr().out
    assert "hunter22" not in said
    assert "dop_v1" not in said


def test_a_line_of_the_pipe_that_fits_nothing_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match="no secret with this path is missing.*`make secret STACK=qa KEY=") as told:
        _complete(monkeypatch, tmp_path, "hub.nonsense=hunter22\n", _config())
    assert "hunter22" not in str(told.value)


def test_a_terminal_that_is_closed_at_the_questions_leaves_them_for_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Closed())
    monkeypatch.setattr("getpass.getpass", closed)
    monkeypatch.setattr(stack_secrets, "set_secret", lambda *_: pytest.fail("nothing was given"))
    assert newenv.complete(FakeStack(_config(), tmp_path), {}) == 1
    assert "make secret STACK=qa KEY=hosts.db-1.postgres.main.dsn" in capsys.readouterr().out


def test_the_list_says_what_is_missing_and_the_exit_code_that_something_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _config()
    config["fleetwatch:hub"]["domain"] = "monitor.example.com"
    config["fleetwatch:ssh"] = {"key": str(tmp_path / "none")}
    assert _complete(monkeypatch, tmp_path, "", config)[0] == 1
    said = capsys.readouterr().out
    for part in (
        "digitalocean:token: missing, droplets and Spaces need an API token",
        "hub.domain: monitor.example.com is reserved",
        "make secret STACK=qa KEY=hosts.db-1.postgres.main.dsn", "ssh.key: this machine has no private key in",
        "hub.alerts.watchdog: without one there is no notification when the hub itself is down",
    ):  # fmt: skip
        assert part in said, said


def test_with_everything_there_the_exit_code_is_0(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text("a private key")
    (tmp_path / "key.pub").write_text(f"{PUBLIC_KEY}\n")
    config = _config()
    config["fleetwatch:ssh"] = {"key": str(tmp_path / "key")}
    config["fleetwatch:hub"] = {"domain": "monitor.fleet.test", "droplet": config["fleetwatch:hub"]["droplet"]}
    config["fleetwatch:hosts"] = {}
    code, _ = _complete(monkeypatch, tmp_path, "", config, DIGITALOCEAN_TOKEN="x")
    said = capsys.readouterr().out
    assert code == 0, said
    assert "nothing is missing" in said


ENVIRONMENTS = ("dev", "staging", "prod")
MAY_DIFFER = {"domain", "droplet", "retention", "acme"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_differ_only_in_what_differs(name: str) -> None:
    ours, prod = (_written(ROOT / "stacks" / f"Pulumi.{one}.yaml") for one in (name, "prod"))
    assert set(ours) == set(prod)
    for host in [*prod["fleetwatch:hosts"].values(), *ours["fleetwatch:hosts"].values()]:
        host.get("droplet", {}).pop("backups", None)  # the guard rails want them in prod alone
    for key in set(prod) - {"fleetwatch:hub"}:
        assert ours[key] == prod[key], f"{key}: what is the same everywhere belongs into the defaults"
    there, here = prod["fleetwatch:hub"], ours["fleetwatch:hub"]
    hub = {key for key in {*here, *there} if here.get(key) != there.get(key)}
    assert hub <= MAY_DIFFER, hub
