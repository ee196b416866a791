"""The working copy: secrets that were set once stay where they belong, also when their host gets another name."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.terminals import Closed, closed
from tools import stack_secrets, working_copy
from tools.errors import ToolError
from tools.stack import Stack

SET = {"secure": "v1:abc"}


def _composed(hosts: dict[str, Any], known: dict[str, Any]) -> Any:
    made = working_copy.compose(
        {"config": {"fleetwatch:hosts": hosts}},
        {"encryptionsalt": "v1:salt", "config": {"fleetwatch:hosts": known}},
        {},
    )
    assert made["encryptionsalt"] == "v1:salt"
    return made["config"]["fleetwatch:hosts"]


def test_a_secret_stays_with_its_surroundings_and_goes_with_them() -> None:
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}}
    assert _composed({"db-1": {"postgres": {"main": {}}}}, known) == known
    assert _composed({"db-1": {"networks": []}}, known) == {"db-1": {"networks": []}}


def test_a_renamed_hosts_secret_goes_with_it() -> None:
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}}
    renamed = {"database": {"renamed_from": "db-1", "postgres": {"main": {}}}}
    assert _composed(renamed, known)["database"]["postgres"] == {"main": {"dsn": SET}}


def test_a_secret_of_the_new_name_is_not_replaced() -> None:
    other = {"secure": "v1:xyz"}
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}, "database": {"postgres": {"main": {"dsn": other}}}}
    renamed = {"database": {"renamed_from": "db-1", "postgres": {"main": {}}}}
    assert _composed(renamed, known)["database"]["postgres"] == {"main": {"dsn": other}}


def test_an_image_override_goes_with_its_line_in_the_stack_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    file = tmp_path / "Pulumi.qa.yaml"
    override, offline = {"prometheus": "docker.io/prom/prometheus:v3.99.0"}, {"caddy": "fleetwatch.local/caddy:1"}
    working_copy.write(file, {"config": {"fleetwatch:images": override}})
    assert Stack("qa", file, {}, offline).prepare()["fleetwatch:images"] == {**override, **offline}
    working_copy.write(file, {"config": {}})
    kept = Stack("qa", file, {}).prepare()["fleetwatch:images"]
    assert kept == offline, "only what this machine assembled is remembered"


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack `prod`, its DSN in clear in its file."""
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    file = tmp_path / "Pulumi.prod.yaml"
    working_copy.write(
        file, {"config": {"fleetwatch:hosts": {"db-1": {"postgres": {"main": {"dsn": "postgresql://u"}}}}}}
    )
    return Stack("prod", file, {})


def test_a_secret_in_clear_is_refused_with_the_command_for_its_own_stack(prod: Stack) -> None:
    with pytest.raises(ToolError, match="`make secret STACK=prod KEY=hosts.db-1.postgres.main.dsn` sets it"):
        prod.prepare()


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("digitalocean:token", "digitalocean:token"),
        ("hosts.db-1.postgres.main.dsn", "fleetwatch:hosts.db-1.postgres.main.dsn"),
    ],
)
def test_a_providers_secret_is_kept_under_its_own_name(
    prod: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str, kept: str
) -> None:
    told: list[tuple[tuple[str, ...], str | None]] = []
    monkeypatch.setattr(Stack, "select", lambda _self, **_: None)
    monkeypatch.setattr(Stack, "quiet", lambda _self, *words, stdin=None: told.append((words, stdin)))
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter22\n"))
    stack_secrets.set_from_input(prod, key)
    assert told == [(("config", "set", "--secret", "--path", kept), "hunter22")]
    assert f"{key} is set. `make up STACK=prod`" in capsys.readouterr().out


def test_a_terminal_that_is_closed_at_the_question_gives_nothing(prod: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "select", lambda _self, **_: None)
    monkeypatch.setattr("sys.stdin", Closed())
    monkeypatch.setattr("getpass.getpass", closed)
    with pytest.raises(ToolError, match="digitalocean:token: expected a text, got nothing; nothing was changed"):
        stack_secrets.set_from_input(prod, "digitalocean:token")


def test_a_providers_secret_stays_in_the_working_copy() -> None:
    last = {"config": {"digitalocean:token": SET}}
    assert working_copy.compose({"config": {}}, last, {})["config"] == last["config"]


def test_what_is_committed_is_encrypted_values_their_salt_and_nothing_else() -> None:
    content = {
        "encryptionsalt": "v1:salt",
        "config": {
            "digitalocean:token": SET,
            "fleetwatch:hub": {
                "domain": "monitor.example.com",
                "alerts": {"receivers": {"a": {"slack": {"url": SET}}}},
            },
            "fleetwatch:hosts": {"db-1": {"postgres": {"main": {"dsn": SET}}}, "web-1": {"server": {}}},
            "fleetwatch:prefix": "fw",
        },
    }
    assert working_copy.only_secrets(content) == {
        "encryptionsalt": "v1:salt",
        "config": {
            "digitalocean:token": SET,
            "fleetwatch:hub": {"alerts": {"receivers": {"a": {"slack": {"url": SET}}}}},
            "fleetwatch:hosts": {"db-1": {"postgres": {"main": {"dsn": SET}}}},
        },
    }


def test_what_others_committed_counts_and_what_only_this_machine_has_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def databases(**dsn: Any) -> dict[str, Any]:
        return {"fleetwatch:hosts": {"db-1": {"postgres": {name: {"dsn": one} for name, one in dsn.items()}}}}

    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    stack, newer = Stack("prod", tmp_path / "Pulumi.prod.yaml", {}), {"secure": "v1:newer"}
    user: dict[str, Any] = {"fleetwatch:hosts": {"db-1": {"postgres": {"main": {}, "other": {}}}}}
    working_copy.write(stack.file, {"config": user})
    working_copy.write(stack.working, {"encryptionsalt": "v1:salt", "config": databases(main=SET, other=SET)})
    working_copy.write(tmp_path / "secrets.prod.yaml", {"encryptionsalt": "v1:salt", "config": databases(main=newer)})
    made = stack.composed()
    assert made["encryptionsalt"] == "v1:salt"
    assert made["config"]["fleetwatch:hosts"] == databases(main=newer, other=SET)["fleetwatch:hosts"]


def test_the_secrets_of_a_renamed_host_are_committed_under_its_new_name_and_none_is_lost_by_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    stack = Stack("prod", tmp_path / "Pulumi.prod.yaml", {})
    database: dict[str, Any] = {"postgres": {"main": {}}}
    secret = {"postgres": {"main": {"dsn": SET}}}
    committed = tmp_path / "secrets.prod.yaml"
    working_copy.write(committed, {"encryptionsalt": "v1:salt", "config": {"fleetwatch:hosts": {"db-1": secret}}})
    steps: list[dict[str, Any]] = [
        {"db-1": database},
        {"database": {"renamed_from": "db-1", **database}},
        {"web-1": {}},
        {"database": database},
    ]
    for hosts in steps:
        working_copy.write(stack.file, {"config": {"fleetwatch:hosts": hosts}})
        stack.prepare()
    assert working_copy.read(committed)["config"] == {"fleetwatch:hosts": {"db-1": secret, "database": secret}}
    assert working_copy.read(stack.working)["config"]["fleetwatch:hosts"] == {"database": secret}
    newer = {"postgres": {"main": {"dsn": {"secure": "v1:newer"}}}}  # as `make secret` leaves the working copy
    working_copy.write(
        stack.working, {"encryptionsalt": "v1:salt", "config": {"fleetwatch:hosts": {"database": newer}}}
    )
    stack.share_secrets()
    assert working_copy.read(committed)["config"] == {"fleetwatch:hosts": {"db-1": secret, "database": newer}}
    assert stack.composed()["config"]["fleetwatch:hosts"] == {"database": newer}


def test_a_key_that_stands_twice_is_told_with_its_line() -> None:
    text = "config:\n  fleetwatch:hub:\n    retention: {metrics: 1d}\n    local: {}\n    retention: {metrics: 2d}\n"
    with pytest.raises(ToolError, match=r"f.yaml, line 5, column 5: duplicate key `retention`"):
        working_copy.parse(text, "f.yaml")


def test_a_stack_of_one_machine_shares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    for name, kept in (("local", False), ("prod", True)):
        stack = Stack(name, tmp_path / f"Pulumi.{name}.yaml", {})
        working_copy.write(stack.working, {"encryptionsalt": "v1:salt", "config": {"digitalocean:token": SET}})
        assert (stack.share_secrets() is not None) is kept
        assert (tmp_path / f"secrets.{name}.yaml").exists() is kept


def test_a_token_of_the_cloud_in_clear_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    stack = Stack("prod", tmp_path / "Pulumi.prod.yaml", {})
    working_copy.write(stack.file, {"config": {"digitalocean:token": "dop_v1_pl4nted"}})
    with pytest.raises(ToolError, match="make secret STACK=prod KEY=digitalocean:token") as refused:
        stack.composed()
    assert "pl4nted" not in str(refused.value)


def test_commands_that_write_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two terminals, or `make status` beside `make up`."""
    path = tmp_path / "Pulumi.prod.yaml"
    contents = [{"config": {"fleetwatch:env": f"env-{number}"}} for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: working_copy.write(path, content), contents))
    assert working_copy.read(path) in contents
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_file_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "Pulumi.prod.yaml"
    working_copy.write(path, {"config": {"fleetwatch:env": "before"}}, mode=0o644)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("tools.stack_yaml.dumped", full)
    with pytest.raises(OSError, match="no space"):
        working_copy.write(path, {})
    assert "before" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644
