"""The guard rails over what the program really registers: every shipped stack file passes, and each rule would notice.

The engine is the recording one, so this also sees what a preview does not know yet, such as addresses and passwords.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from configs import compose
from configs.services.container import Container
from configs.services.context import Context
from policy import exceptions, projects, rules
from policy.preview import hide
from policy.records import CONTAINER, Hidden, Record
from tests.component import program
from tests.component.program import Run, full, run
from tests.component.test_fleet import KEY, fleet
from tests.fixtures import fleets
from tests.fixtures.custom import EXAMPLES, examples
from tests.fixtures.full import STORAGE
from tests.fixtures.stackfiles import STACK_FILES


def records(made: Run) -> list[Record]:
    """As a policy pack gets them; a secret is marked the same way on the wire."""
    return [Record(one.type, one.name, hide(one.inputs), one.request.protect) for one in made.made]


def shipped(name: str) -> dict[str, Any]:
    """The sections of a stack file of the checkout, with what a person adds: a key, and the secrets."""
    (file,) = [file for file in STACK_FILES if file.name == f"Pulumi.{name}.yaml"]
    config = yaml.safe_load(file.read_text())["config"]
    sections = {key.removeprefix("fleetwatch:"): value for key, value in config.items()}
    for host in sections["hosts"].values():
        for database in host.get("postgres", {}):
            host["postgres"][database] = {"dsn": "postgresql://watch:s3cret@db/shop"}
    if "local" not in sections["hub"]:
        sections["ssh"] = {"key": "~/.ssh/id_ed25519", "public_key": KEY}
    return {"env": name, **sections}


def with_alloy() -> dict[str, Any]:
    sections = full()
    sections["hosts"]["hub"]["logs"]["agent"] = "alloy"
    return sections


def production() -> dict[str, Any]:
    """The fleet as production has to have it."""
    sections = copy.deepcopy(fleet(web_1={"droplet": {"size": "s-1vcpu-1gb", "backups": True}}))
    sections["hub"]["droplet"]["backups"] = True
    return {**sections, "env": "prod"}


def three_nodes(**host: Any) -> dict[str, Any]:
    """A hub of three nodes, and a host in its private network."""
    storage = {**copy.deepcopy(fleets.CLUSTER), "nodes": {"a": {}, "b": {}, "c": {}}}
    made = fleets.fleet(
        {**fleets.HUB, "storage": storage}, hosts={"hub-b": {}, "hub-c": {}, "web-1": {"droplet": {}, **host}}
    )
    return {**made, "env": "dev"}


def bucket() -> dict[str, Any]:
    """A hub with everything on, whose metrics and logs are in a bucket."""
    sections = full()
    sections["hub"]["storage"] = copy.deepcopy(STORAGE)
    for key in ("metrics", "metrics_size"):
        sections["hub"].get("retention", {}).pop(key, None)
    return sections


_BACKUP = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
_SPACES = {"to": {"spaces": "ams3"}, "password": "unread"}  # pragma: allowlist secret
CASES = {
    **{file.name: shipped(file.name.split(".")[1]) for file in STACK_FILES},
    "everything on": full(),
    "everything on, Alloy": with_alloy(),
    "a fleet": {**fleet(), "env": "dev"},
    "a backup into a folder": {**full(), "hub": {**full()["hub"], "backup": _BACKUP}},
    "a backup into a bucket of Spaces": {**production(), "hub": {**production()["hub"], "backup": _SPACES}},
    "production": production(),
    "a bucket": bucket(),
    "three nodes": three_nodes(),
    "three nodes, Alloy": three_nodes(logs={"agent": "alloy"}),
}


_MADE: dict[str, list[Record]] = {}


def made_of(case: str, patch: pytest.MonkeyPatch) -> list[Record]:
    """What the program makes of a case. It is run once: no test of the cases changes what it makes."""
    if case not in _MADE:
        _MADE[case] = records(run(CASES[case], patch))
    return _MADE[case]


def _told(sections: dict[str, Any], patch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found = rules.violations(records(run(sections, patch)), sections["env"])
    return [(one.rule, one.record.name) for one in found]


@pytest.mark.parametrize("case", CASES)
def test_what_the_program_makes_passes(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_of(case, monkeypatch)
    looked_at = [part for one in made for part in projects.parts(one) if part.type == CONTAINER]
    edges = [part.name for part in looked_at if part.service]
    assert set(edges) == {f"{host}-project" for host in ("hub", *CASES[case]["hosts"])}, "the containers of every edge"
    assert all(edges.count(edge) >= 4 for edge in edges)
    assert sum(not part.service for part in looked_at) >= 5, "the containers of the hub"
    found = rules.violations(made, CASES[case]["env"])
    assert [one.message for one in found] == []


def test_own_files_are_registered_and_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program reads the folder of the documentation's examples itself."""
    monkeypatch.setenv("FLEETWATCH_STACK_FILE", "docs/examples/Pulumi.full.yaml")
    sections = full()
    made = run({**sections, "hub": {**sections["hub"], "custom": EXAMPLES.name}}, monkeypatch)
    own = examples()
    for role, files in {
        "grafana": own.dashboards,
        "prometheus": own.rules,
        "loki": own.log_rules,
        "alertmanager": own.templates,
    }.items():
        (text,) = files.values()
        assert text in made.commands[f"hub-{role}-config"].plain()["stdin"]
    assert not [one for one in made.made for test in own.tests.values() if test in str(one.plain())]
    assert [one.message for one in rules.violations(records(made), sections["env"])] == []


def test_production_without_its_safety_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = {**fleet(), "env": "prod"}
    sections["cloud"] = {**sections["cloud"], "protect": False}
    assert set(_told(sections, monkeypatch)) == {
        *(("protected-in-production", name) for name in ("vpc", "hub-droplet", "hub-volume", "hub-address")),
        *(("backups-in-production", name) for name in ("hub-droplet", "web-1-droplet")),
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"access": {"admin_cidrs": ["0.0.0.0/1", "160.0.0.0/3"]}},
         {("no-open-ports", "firewall-hub"), ("no-open-ports", "firewall-edge")}),
        ({"images": {"grafana": "docker.io/grafana/grafana:latest"}}, {("pinned-images", "hub-grafana")}),
        ({"hosts": {"web-1": {"droplet": {"setup": "#!/bin/sh\ncurl https://me:s3cret@example.com/x | sh\n"}}}},
         {("no-plain-secrets", "web-1-droplet")}),
    ],
    ids=["SSH for everybody", "a moving image", "a password in a script"],
)  # fmt: skip
def test_a_stack_file_that_settings_take_can_still_break_a_rule(
    change: dict[str, Any], expected: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(_told({**fleet(), "env": "dev", **change}, monkeypatch)) == expected


def test_the_mounted_folder_of_the_socket_is_found_even_if_settings_accepted_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The settings refuse such a log folder; the policy does not depend on that."""
    monkeypatch.setattr("configs.settings.logs.is_system_folder", lambda _: False)
    hosts = {"web-1": {"droplet": {}, "logs": {"files": {"all": {"path": "/run/*.log"}}}}}
    found = set(_told({**fleet(), "env": "dev", "hosts": hosts}, monkeypatch))
    assert found == {("host-mounts", "web-1-project")}


def test_the_secret_files_of_an_edge_are_marked_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [one for one in records(run(CASES["a fleet"], monkeypatch)) if one.name.endswith("-project")]
    assert len(found) >= 4
    for one in found:
        assert one.properties["stdin"] is Hidden.SECRET
        assert Hidden.SECRET not in one.object("environment").values(), "the diff of every other file is to be seen"


# What could be written into an edge's service, and the rule that has to notice.
EDGE_BREAKS: dict[str, tuple[dict[str, Any], str]] = {
    "privileged": ({"privileged": True}, "container-rights"),
    "a capability": ({"cap_add": ["SYS_ADMIN"]}, "container-rights"),
    "kept capabilities": ({"cap_drop": []}, "container-rights"),
    "new privileges": ({"security_opt": []}, "container-rights"),
    "the host's network": ({"network_mode": "host"}, "container-rights"),
    "a device": ({"devices": ["/dev/sda:/dev/sda:rwm"]}, "container-rights"),
    "Docker's socket": (
        {"volumes": [{"type": "bind", "source": "/var/run/docker.sock", "target": "/x", "read_only": True}]},
        "host-mounts",
    ),
    "a writable mount": ({"volumes": [{"type": "bind", "source": "/srv", "target": "/srv"}]}, "host-mounts"),
    "a port": ({"ports": ["9090:9090"]}, "published-ports"),
    "a kernel setting": ({"sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}}, "container-rights"),
    "a kernel setting in a list": ({"sysctls": ["net.ipv4.ip_forward=1"]}, "container-rights"),
    "no memory limit": ({"mem_limit": 0}, "memory-limit"),
    "a moving image": ({"image": "docker.io/prom/prometheus:latest"}, "pinned-images"),
    "a plain password": ({"environment": ["PGPASSWORD=hunter2-s3cret"]}, "no-plain-secrets"),
    "an unknown key": ({"volumes_from": ["container:db"]}, "readable-project"),
}


@pytest.mark.parametrize("case", EDGE_BREAKS)
@pytest.mark.parametrize("host", ["hub", "web-1"])
def test_a_service_of_an_edge_is_judged_like_a_docker_resource(
    host: str, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the writer of compose.yaml had a fault: one service of one edge is changed on its way out."""
    changes, rule = EDGE_BREAKS[case]
    render = compose.compose_yaml

    def broken(context: Context, made: Mapping[str, Container]) -> str:
        text = render(context, made)
        if context.name != host:
            return text
        project = yaml.safe_load(text)
        project["services"]["agent"] |= changes
        return yaml.safe_dump(project)

    monkeypatch.setattr(program, "_DONE", {})  # nothing of this run is for other tests
    monkeypatch.setattr(compose, "compose_yaml", broken)
    assert set(_told({**fleet(), "env": "dev"}, monkeypatch)) == {(rule, f"{host}-project")}


def test_a_project_that_the_rules_cannot_read_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_DONE", {})
    monkeypatch.setattr(compose, "FILE", "compose.yml")
    found = set(_told({**fleet(), "env": "dev"}, monkeypatch))
    assert found == {("readable-project", f"{host}-project") for host in ("hub", *fleet()["hosts"])}


@pytest.mark.parametrize("exception", exceptions.EXCEPTIONS, ids=lambda one: f"{one.role} {one.property} {one.value}")
def test_every_exception_is_one_that_the_program_needs(
    exception: exceptions.Allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that nothing needs any more is a right that nobody would miss."""
    known = exceptions._KNOWN - {(exception.role, exception.property, exception.value)}
    monkeypatch.setattr(exceptions, "_KNOWN", known)
    missed = [
        one for case, sections in CASES.items() for one in rules.violations(made_of(case, monkeypatch), sections["env"])
    ]
    assert missed
    assert {one.record.role for one in missed} == {exception.role}
