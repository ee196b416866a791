"""The fleet, third part: every secret is looked for where it must not be in clear, in the state, in previews, in
command lines and in what Docker tells of a container, on this machine and on every host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tests.integration.fleet import Fleet
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.xdist_group("fleet")


@pytest.fixture(scope="module")
def secrets(fleet: Fleet) -> dict[str, str]:
    """All there are, by a name that may be shown."""
    key = fleet.state / "ssh_key"
    middle = key.read_text().splitlines()[2]  # of the private key's text
    return {
        **fleet.passwords(),
        "DSN": fleet.dsn_password,
        "API token": fleet.token,
        "SSH key": middle,
        "passphrase": (fleet.state / "passphrase").read_text(),
    }


def _clear(secrets: Mapping[str, str], texts: Iterable[bytes]) -> set[str]:
    """Names of the secrets that are found: never their values."""
    return {name for text in texts for name, secret in secrets.items() if secret.encode() in text}


def test_there_is_something_to_look_for(secrets: dict[str, str]) -> None:
    assert {"vps-1-password", "vps-1-scrape-password", "db-1-scrape-password", "grafana-admin-password"} <= set(secrets)
    assert all(len(secret) >= 32 for secret in secrets.values()), {name: len(s) for name, s in secrets.items()}


def test_none_is_in_the_state_or_the_stacks_working_copy(fleet: Fleet, secrets: dict[str, str]) -> None:
    exported = fleet.tool("pulumi", "stack", "export").stdout
    assert "hub-grafana" in exported
    kept = [file.read_bytes() for file in (fleet.state / "backend").rglob("*") if file.is_file()]
    assert any(b"hub-grafana" in text for text in kept), "the state's file was not among them"
    working = (fleet.state / f"Pulumi.{fleet.name}.yaml").read_bytes()
    assert _clear(secrets, [exported.encode(), *kept, working]) == set()


def test_none_is_shown_by_a_preview_or_an_up(fleet: Fleet, secrets: dict[str, str]) -> None:
    """A preview of a change that goes through all files that hold one."""
    with fleet.meanwhile({"hosts": {"vps-1": {"rotation": 1}}}):
        texts = [fleet.tool("pulumi", "preview", *words).stdout for words in (["--diff"], ["--json"])]
    assert all("vps-1-project" in text for text in texts), texts[0][-3000:]
    log = (fleet.state / "cloud" / "service.log").read_bytes()
    assert _clear(secrets, [text.encode() for text in (*texts, fleet.said)] + [log]) == set()


def test_none_is_in_a_command_line(fleet: Fleet, secrets: dict[str, str]) -> None:
    """Of all that ran during the first `up`, here and in the machines, and of what runs now."""
    with Watcher() as now:
        fleet.outputs()
    shown = [fleet.on(host, "sh", "-c", "ps axww -o args; docker ps -q | xargs -n 1 -I % docker top % -eo pid,args")
             for host in fleet.outputs()["hosts"]]  # fmt: skip
    assert all("--web.config.file" in text for text in shown), "the exporters are not in the process lists"
    assert any(b"ssh\0-F" in line for line in fleet.commands), "the ssh commands were not among what was seen"
    # Which of the checks is seen is chance: they take a fraction of a second.
    checks = (b"promtool\0check", b"caddy\0validate", b"amtool\0check-config", b"-check-syntax", b"-verify-config")
    seen = any(check in line for line in fleet.commands for check in checks)
    assert seen, "what ran on the hosts was not seen"
    assert _clear(secrets, [*fleet.commands, *now.seen, *(text.encode() for text in shown)]) == set()


def test_none_of_the_hosts_is_in_an_environment(fleet: Fleet, secrets: dict[str, str]) -> None:
    """What is the operator's (the API token, the passphrase) the engine has in its own."""
    theirs = {name: secret for name, secret in secrets.items() if name.endswith("-password") or name == "DSN"}
    assert any(b"\0FILES_AGENT=" in text for text in fleet.environments), "the edges' commands were not seen"
    assert _clear(theirs, fleet.environments) == set()


def test_none_is_in_what_docker_tells_of_a_container(fleet: Fleet, secrets: dict[str, str]) -> None:
    for host in fleet.outputs()["hosts"]:
        told = fleet.on(host, "sh", "-c", "docker ps -aq | xargs docker inspect; docker info; docker network ls")
        assert "fleetwatch-agent" in told
        assert _clear(secrets, [told.encode()]) == set(), host


def test_secret_files_on_a_host_are_its_owners_alone(fleet: Fleet) -> None:
    for host, user in (("hub", "root"), ("db-1", "root"), ("vps-1", "deploy")):
        assert fleet.on(host, "stat", "-c", "%a %U", "/var/lib/fleetwatch/fleetwatch").split() == ["700", user]


def test_a_secret_output_is_not_shown_without_being_asked_for(fleet: Fleet, secrets: dict[str, str]) -> None:
    assert fleet.outputs()["password"] == "[secret]"
    done = fleet.tool("password")
    assert done.stdout.strip().splitlines()[-1] == secrets["grafana-admin-password"]
