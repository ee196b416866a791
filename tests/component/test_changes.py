"""What a change of the settings may touch, and where secrets may go."""

from __future__ import annotations

from typing import Any

import pytest

from configs.deploy import COMPARES, on_stdin
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
        {"FILES_AGENT"},
    ),
    "a changed interval": ({"scrape": {"cadvisor": "12s"}}, {"FILES_AGENT"}),
    "a log filter": ({"logs": {**full()["hosts"]["hub"]["logs"], "drop": []}}, {"FILES_PROMTAIL", "FILES_PROMTAIL_02"}),
}


def _project(before: Run, after: Run, host: str = "hub") -> set[str]:
    """What differs in the command that brings the edge there: inputs, and of its environment the variables."""
    old, new = (run.commands[f"{host}-project"].plain() for run in (before, after))
    was, now = old.pop("environment"), new.pop("environment")
    names = {name for name in {*was, *now} if was.get(name) != now.get(name)}
    return names | {key for key in {*old, *new} if old.get(key) != new.get(key)}


@pytest.mark.parametrize("what", QUIET)
def test_it_changes_only_the_files_of_one_role(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, files = QUIET[what]
    before, after = run(full(), monkeypatch), run(_hub(full(), **change), monkeypatch)
    difference = changed(before, after)
    assert difference.pop("hub-project") == {"environment"}
    assert set(difference) <= {"hub-gate-hub"}, "which waits for a new job too"
    assert _project(before, after) - {"SCRIPT", "HERE"} == files, (
        f"{what} must reach the process by a reload; a recreated agent loses what it has not sent"
    )


def test_one_more_network_recreates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = run(full(), monkeypatch), run(_hub(full(), networks=["shop_default"]), monkeypatch)
    assert changed(before, after) == {"hub-project": {"environment"}}
    assert _project(before, after) == {"SCRIPT", "HERE"}, "networks are joined from outside, and stand in no file"
    assert "dispatch-network" in before.commands["hub-project"].script
    assert "dispatch-network" not in after.commands["hub-project"].script


def test_one_more_database_adds_its_exporter_and_a_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = full()
    sections["hosts"]["hub"]["postgres"]["third"] = {"dsn": "postgresql://u:pg-s3cret@db3/x"}
    before, after = run(full(), monkeypatch), run(sections, monkeypatch)
    difference = changed(before, after)
    assert set(difference.pop("hub-project")) == {"environment", "stdin"}
    assert set(difference) <= {"hub-gate-hub"}, "no resource more"
    old, new = before.files("hub"), after.files("hub")
    assert {path for path in new if new[path] != old.get(path)} == {
        "compose.yaml", "agent/config/prometheus.yml", "sql-exporter/secrets/sql_exporter.yml",
        *(f"postgres-third/secrets/{name}" for name in ("uri", "user", "password")),
    }  # fmt: skip
    was, now = before.services, after.services
    assert {role for role in now if now[role] != was.get(role)} == {"hub-postgres-third"}, "nothing else is recreated"


def test_a_rotated_database_password_recreates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = full()
    sections["hosts"]["hub"]["postgres"]["other"]["dsn"] = "postgresql://watch:pg-s3cret-2@db2/shop"
    before, after = run(full(), monkeypatch), run(sections, monkeypatch)
    assert changed(before, after) == {"hub-project": {"stdin"}}
    old, new = before.files("hub"), after.files("hub")
    assert {path for path in new if new[path] != old[path]} == {
        "postgres-other/secrets/password", "sql-exporter/secrets/sql_exporter.yml",
    }  # fmt: skip


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
        if name.endswith(("-secrets", "-project")):
            assert not isinstance(command.inputs["stdin"], str), f"{name} would stand in plain state"
    environment = made.commands["hub-project"].inputs["environment"]
    assert {"FILES", "FILES_AGENT", "FILES_PROMTAIL"} <= set(environment)
    for name, text in environment.items():
        assert isinstance(text, str), f"{name}: a preview could not show what changes in it"


def test_nothing_secret_is_in_the_clear_files_of_an_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(full(), monkeypatch)
    secrets = [*SECRETS.values(), PASSWORD, HASH]
    files = made.files("hub")
    hidden = {path for path in files if path.split("/")[1:2] == ["secrets"]}
    assert [secret for secret in secrets if any(secret in files[path] for path in hidden)], "or this sees no leak"
    for path in files.keys() - hidden:
        assert not [secret for secret in secrets if secret in files[path]], (
            f"{path} is in a preview, and in plain state"
        )
    assert "compose.yaml" in files.keys() - hidden


def test_commands_do_not_hand_their_output_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, command in run(full(), monkeypatch).commands.items():
        assert command.inputs["addPreviousOutputInEnv"] is False, f"{name}: every update would warn"
        environment = {key: text for key, text in command.inputs["environment"].items() if not key.startswith("FILES")}
        assert environment.pop("DOCKER_HOST") == "unix:///var/run/docker.sock"
        script = environment.pop("SCRIPT")
        compares = 'ACTION:-}" = drift' in script
        assert environment == {"HERE": on_stdin(script), **({COMPARES: "hub"} if compares else {})}, (
            f"{name}: exactly the scripts that know ACTION=drift are marked for `make drift`"
        )
