"""The guard rails over what the program really registers: every shipped stack file passes, and each rule would notice.

The engine is the recording one, so this also sees what a preview does not know yet, such as addresses and passwords.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import yaml

from configs import compose
from configs.deploy import bundle
from configs.deploy.reading import unbundled
from policy import exceptions, projects, rules
from policy.preview import hide
from policy.records import CONTAINER, Hidden, Record, Violation
from tests.component import program
from tests.component.policy_cases import CASES
from tests.component.program import Run, full, run
from tests.component.test_fleet import fleet
from tests.fixtures.custom import EXAMPLES, examples


def records(made: Run) -> list[Record]:
    """As a policy pack gets them; a secret is marked the same way on the wire."""
    return [Record(one.type, one.name, hide(one.inputs), one.request.protect) for one in made.made]


Key = tuple[str, str, str]  # of an exception: role, property, value


class _Noted(frozenset[Key]):
    """The exceptions, and which of them a rule has used."""

    used: set[Key]

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        if found:
            self.used.add(cast(Key, key))
        return found


@dataclass(frozen=True)
class Judged:
    """What the program makes of a case, what the rules find in it, and the records that take each exception."""

    made: list[Record]
    found: list[Violation]
    taking: Mapping[Key, list[Record]]


@functools.cache
def judged(case: str) -> Judged:
    """A case is run and judged once: both take longer than all else in these tests."""
    made: Judged = Judged([], [], defaultdict(list))
    with pytest.MonkeyPatch.context() as patch:
        made.made.extend(records(run(CASES[case], patch)))
        known = _Noted(exceptions._KNOWN)
        patch.setattr(exceptions, "_KNOWN", known)
        for record in made.made:
            known.used = set()
            made.found.extend(rules.violations([record], CASES[case]["env"]))
            for key in known.used:
                made.taking[key].append(record)
    return made


def _told(sections: dict[str, Any], patch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found = rules.violations(records(run(sections, patch)), sections["env"])
    return [(one.rule, one.record.name) for one in found]


@pytest.mark.parametrize("case", CASES)
def test_what_the_program_makes_passes(case: str) -> None:
    looked_at = [part for one in judged(case).made for part in projects.parts(one) if part.type == CONTAINER]
    edges = [part.name for part in looked_at if part.service]
    assert set(edges) == {f"{host}-project" for host in ("hub", *CASES[case]["hosts"])}, "the containers of every edge"
    assert all(edges.count(edge) >= 4 for edge in edges)
    assert sum(not part.service for part in looked_at) >= 5, "the containers of the hub"
    assert [one.message for one in judged(case).found] == []


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


def test_the_secret_files_of_an_edge_are_marked_and_the_others_are_not() -> None:
    found = [one for one in judged("a fleet").made if one.name.endswith("-project")]
    assert len(found) >= 4
    for one in found:
        assert one.properties["stdin"] is Hidden.SECRET
        assert Hidden.SECRET not in one.object("environment").values(), "the diff of every other file is to be seen"


def test_a_secret_file_of_the_hub_that_is_not_marked_is_found() -> None:
    (written,) = [one for one in judged("a fleet").made if one.name == "hub-grafana-secrets"]
    plain = replace(written, properties={**written.properties, "stdin": bundle({"pepper": "correct horse"})})
    (found,) = rules.violations([plain], "dev")
    assert found.rule == "no-plain-secrets"
    assert "stdin holds the secret file pepper in the clear" in found.message


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


def _broken(record: Record, changes: Mapping[str, Any]) -> Record:
    """The command of an edge, with its agent changed in the compose.yaml that it sends."""
    environment = record.object("environment")
    sent = [(name, text) for name in environment for file, text in unbundled(environment[name]) if file == compose.FILE]
    ((name, text),) = sent
    project = yaml.safe_load(text)
    project["services"]["agent"] |= changes
    changed = environment[name].replace(text, yaml.safe_dump(project))
    return replace(record, properties={**record.properties, "environment": {**environment, name: changed}})


@pytest.mark.parametrize("case", EDGE_BREAKS)
@pytest.mark.parametrize("host", ["hub", "web-1"])
def test_a_service_of_an_edge_is_judged_like_a_docker_resource(host: str, case: str) -> None:
    """As if the writer of compose.yaml had a fault: one service of one edge is changed on its way out."""
    changes, rule = EDGE_BREAKS[case]
    sent = judged("a fleet")
    (edge,) = [one for one in sent.made if one.name == f"{host}-project"]
    found = [*sent.found, *rules.violations([_broken(edge, changes)], "dev")]
    assert {(one.rule, one.record.name) for one in found} == {(rule, f"{host}-project")}


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
    key = (exception.role, exception.property, exception.value)
    taking = [(one, CASES[case]["env"]) for case in CASES for one in judged(case).taking[key]]
    monkeypatch.setattr(exceptions, "_KNOWN", exceptions._KNOWN - {key})
    missed = [found for one, env in taking for found in rules.violations([one], env)]
    assert missed
    assert {one.record.role for one in missed} == {exception.role}
