"""What an edge costs, and what an update that changes nothing does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.component import program, secret_marks
from tests.component.program import HASH, PASSWORD, Run, full, run
from tests.component.test_fleet import fleet
from tests.fixtures.full import ROOT, SECRETS

POSTGRES = {name: {"dsn": f"postgresql://watch:pg-s3cret@{name}/shop"} for name in ("main", "other", "third")}
APPS = {f"app-{number}": {"target": f"app-{number}:8000"} for number in range(5)}
LOGS = {"journal": True, "files": {"nginx": {"path": "/var/log/nginx/*.log"}}}
SERVER = {"server": {"address": "203.0.113.20"}}
EDGES: dict[str, dict[str, Any]] = {
    "plain": SERVER,
    "in the VPC": {"server": {"address": "10.77.0.201"}},
    "databases": {**SERVER, "postgres": POSTGRES},
    "apps and networks": {**SERVER, "apps": APPS, "networks": ["shop", "blog"]},
    "logs by Alloy": {**SERVER, "logs": {**LOGS, "agent": "alloy"}},
    "everything": {**SERVER, "postgres": POSTGRES, "apps": APPS, "networks": ["shop"], "logs": LOGS},
}


def _registrations(made: Run) -> dict[tuple[str, str], bytes]:
    """Every registration as the engine gets it, without the place in the source that it comes from. Dependencies are
    sets, which the SDK sends in any order."""
    found = {}
    for one in made.made:
        request = type(one.request)()
        request.CopyFrom(one.request)
        request.ClearField("sourcePosition")
        request.ClearField("stackTrace")
        for urns in (request.dependencies, *(one.urns for one in request.propertyDependencies.values())):
            urns.sort()
        found[one.type, one.name] = request.SerializeToString(deterministic=True)
    assert len(found) == len(made.made)
    return found


def _with(count: int, **entry: Any) -> dict[str, Any]:
    hosts = {f"vps-{n}": {**entry, "server": {"address": f"203.0.113.{n + 20}"}} for n in range(count)}
    return {**fleet(), "hosts": hosts}


@pytest.mark.parametrize("kind", EDGES)
def test_an_edge_costs_at_most_seven_resources_and_its_push_password(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Components included. A host that pushes over the internet has a password for that as well, and a second one while
    it rotates; a droplet, a bastion and abandoned hosts are not counted here."""
    before = _registrations(run({**fleet(), "hosts": {}}, monkeypatch))
    after = _registrations(run({**fleet(), "hosts": {"extra": EDGES[kind]}}, monkeypatch))
    added = sorted(name for _, name in after.keys() - before.keys())
    push = [] if kind == "in the VPC" else ["extra-password"]
    assert added == sorted([
        "extra", "extra", "extra-contact", "extra-ready", "extra-scrape-password", "extra-project", "hub-gate-extra",
        *push,
    ])  # fmt: skip
    assert len(added) - len(push) <= 7


def test_a_rotation_costs_one_resource_more(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _registrations(run({**fleet(), "hosts": {"extra": SERVER}}, monkeypatch))
    after = _registrations(run({**fleet(), "hosts": {"extra": {**SERVER, "rotation": 1}}}, monkeypatch))
    assert {name for _, name in after.keys() - before.keys()} - {"fleetwatch/test"} == {"extra-password-b"}


def test_no_edge_has_a_docker_provider_and_the_hub_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_with(10, postgres=POSTGRES), monkeypatch)
    assert list(made.of("pulumi:providers:docker")) == ["hub-docker"], "each is a process of 84 MB"
    docker = [one for one in made.made if one.type.startswith("docker:")]
    assert docker
    assert all(one.request.provider.split("::")[-2] == "hub-docker" for one in docker)


@pytest.mark.parametrize("count", [1, 10])
def test_one_more_host_changes_no_registration_of_another_host(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (_registrations(run(_with(n), monkeypatch)) for n in (count, count + 1))
    added = {name for _, name in after.keys() - before.keys()}
    assert {name.removeprefix("hub-gate-").split("-")[1] for name in added} == {str(count)}
    assert len(after.keys() - before.keys()) == 8, "as many as the first one"
    assert before.keys() <= after.keys()
    changed = {name for kind, name in before if before[kind, name] != after[kind, name]}
    assert changed == {"hub-caddy-secrets", "hub-prometheus-config", "hub-loki-config"}, (
        "the hub's, byte for byte the rest"
    )


def test_two_runs_are_equal_byte_for_byte_and_nothing_runs_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the engine finds nothing to do, runs no command and contacts no host. The second run is another process, with
    another hash seed, time and order of sets."""
    sections = fleet(vps_1={"postgres": POSTGRES, "apps": APPS, "networks": ["shop", "blog"], "logs": LOGS})
    here = {"/".join(key): value.hex() for key, value in _registrations(run(sections, monkeypatch)).items()}
    code = (
        "import json, sys, pytest\n"
        "from tests.component import test_edges as t\n"
        "with pytest.MonkeyPatch.context() as patch:\n"
        "    made = t._registrations(t.run(json.load(sys.stdin), patch))\n"
        "print(json.dumps({'/'.join(key): value.hex() for key, value in made.items()}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(sections), capture_output=True, text=True, cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout)
    assert {key for key in {*here, *there} if here.get(key) != there.get(key)} == set()
    for name, command in run(sections, monkeypatch).commands.items():
        triggers = command.plain().get("triggers")
        assert triggers is None or name.endswith("-contact"), f"{name}: what would make it run again?"
        assert not [one for one in triggers or [] if str(one).isdigit() and len(str(one)) > 8], "no time is in it"


def test_the_program_starts_no_process_and_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the engine's commands get to hosts; what a run looks up itself (this machine, the cloud) is given here."""
    seen: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"):
            seen.append(f"{event} {arguments[0] if event != 'socket.connect' else arguments[1]}")

    sys.addaudithook(watch)
    program._DONE.clear()
    try:
        run(fleet(), monkeypatch)
    finally:
        watching = False
    assert seen == []


@pytest.mark.parametrize("kind", EDGES)
def test_nothing_secret_is_in_the_clear(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = (
        run({**fleet(), "hosts": {"extra": {**EDGES[kind], "via": "internet"}}}, monkeypatch)
        if ("VPC" not in kind)
        else run({**fleet(), "hosts": {"extra": EDGES[kind]}}, monkeypatch)
    )
    secrets = [PASSWORD, HASH, SECRETS["dsn"]]
    for one in made.made:
        for text in one.in_clear():
            assert not [secret for secret in secrets if secret in text], f"{one.type} {one.name}"
    inputs = made.commands["extra-project"].inputs
    assert secret_marks.is_secret(inputs["stdin"]), "always, so that a first database password is never plain"
    assert not [secret for secret in secrets if secret in json.dumps(made.project("extra"))]
    sent = secret_marks.plain(inputs["stdin"])
    if "VPC" not in kind:
        assert f"{PASSWORD}-extra-password" in sent, "or this test would see no leak"
    if "postgres" in EDGES[kind]:
        assert SECRETS["dsn"] in sent


def test_an_edge_on_this_machine_has_neither_contact_nor_password_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _registrations(run(full(), monkeypatch))
    its = sorted(name for _, name in made if name.startswith("hub-") and name.split("-")[1] in ("project", "gate"))
    assert its == ["hub-gate-hub", "hub-project"]
