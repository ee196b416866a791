"""What a change of the settings may touch, and where secrets may go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.program import HASH, PASSWORD, Run, full, run
from tests.fixtures.full import SECRETS


def _hub(sections: dict[str, Any], **changes: Any) -> dict[str, Any]:
    sections["hosts"]["hub"].update(changes)
    return sections


def _inputs(made: Run) -> dict[tuple[str, str], Any]:
    return {(one.type, one.name): one.inputs for one in made.made}


def changed(before: Run, after: Run) -> dict[str, set[str]]:
    """Name of a custom resource -> its inputs that differ; added and removed ones under `+` and `-`."""
    old, new = _inputs(before), _inputs(after)
    found = {
        name: {
            key for key in {*old[kind, name], *new[kind, name]} if old[kind, name].get(key) != new[kind, name].get(key)
        }
        for kind, name in old.keys() & new.keys()
    }
    found |= {"+": {name for _, name in new.keys() - old.keys()}, "-": {name for _, name in old.keys() - new.keys()}}
    return {name: keys for name, keys in found.items() if keys}


def test_equal_settings_give_equal_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = {key: full()[key] for key in reversed(full())}
    assert changed(run(full(), monkeypatch), run(turned, monkeypatch)) == {}, "a preview would show a change"


QUIET: dict[str, tuple[dict[str, Any], set[str]]] = {
    "an application": (
        {"apps": {**full()["hosts"]["hub"]["apps"], "new": {"target": "new:1"}}},
        {"hub-agent-config"},
    ),
    "a changed interval": ({"scrape": {"cadvisor": "30s"}}, {"hub-agent-config"}),
    "a log filter": ({"logs": {**full()["hosts"]["hub"]["logs"], "drop": []}}, {"hub-promtail-config"}),
}


@pytest.mark.parametrize("what", QUIET)
def test_it_changes_only_what_a_file_command_reads(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, commands = QUIET[what]
    difference = changed(run(full(), monkeypatch), run(_hub(full(), **change), monkeypatch))
    assert difference == {name: {"stdin"} for name in commands}, (
        f"{what} must reach the process by a reload; a recreated agent loses what it has not sent"
    )


def test_one_more_network_recreates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    difference = changed(run(full(), monkeypatch), run(_hub(full(), networks=["shop_default"]), monkeypatch))
    assert set(difference) == {"hub-settled"}, "networks are joined from outside"


def test_one_more_database_adds_its_exporter_and_a_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = full()
    sections["hosts"]["hub"]["postgres"]["third"] = {"dsn": "postgresql://u:pg-s3cret@db3/x"}
    difference = changed(run(full(), monkeypatch), run(sections, monkeypatch))
    assert difference.pop("+") == {"hub-postgres-third", "hub-postgres-third-secrets"}
    assert difference.pop("hub-sql-exporter-secrets") == {"stdin"}
    assert difference.pop("hub-agent-config") == {"stdin"}
    assert set(difference) <= {"hub-settled", "hub-gate-hub"}, (
        "the new exporter joins the user's networks; nothing else is touched"
    )


def test_a_rotated_database_password_recreates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = full()
    sections["hosts"]["hub"]["postgres"]["other"]["dsn"] = "postgresql://watch:pg-s3cret-2@db2/shop"
    difference = changed(run(full(), monkeypatch), run(sections, monkeypatch))
    assert difference == {"hub-postgres-other-secrets": {"stdin"}, "hub-sql-exporter-secrets": {"stdin"}}


def test_secrets_are_only_in_inputs_that_the_engine_encrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(full(), monkeypatch)
    secrets = [*SECRETS.values(), PASSWORD, HASH]
    for one in made.made:
        leaked = [secret for secret in secrets for text in one.in_clear() if secret in text]
        assert not leaked, f"{one.type} {one.name} would keep {leaked} in plain state"
    encrypted = str([one.plain() for one in made.made])
    for secret in secrets:
        assert secret in encrypted, f"{secret} reaches nobody: this test would see no leak either"


def test_no_secret_is_on_a_command_line_or_in_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(full(), monkeypatch)
    for one in [*made.commands.values(), *made.containers.values()]:
        visible = {key: value for key, value in one.plain().items() if key != "stdin"}
        assert not [s for s in [*SECRETS.values(), PASSWORD] if s in str(visible)], f"`ps` would show it: {one.name}"


def test_file_commands_are_plain_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(full(), monkeypatch)
    for name, command in made.commands.items():
        if name.endswith("-config"):
            assert isinstance(command.inputs["stdin"], str), f"{name}: a preview could not show what changes in it"
        if name.endswith("-secrets"):
            assert not isinstance(command.inputs["stdin"], str), f"{name} would stand in plain state"


def test_commands_do_not_hand_their_output_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, command in run(full(), monkeypatch).commands.items():
        assert command.inputs["addPreviousOutputInEnv"] is False, f"{name}: every update would warn"
        assert command.inputs["environment"] == {"DOCKER_HOST": "unix:///var/run/docker.sock"}
