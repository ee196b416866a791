"""Every mistake that the issue names gives a sentence: where, what was expected, and in which file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from configs.settings import SettingsError, load, read
from configs.validation import DockerFacts, MachineFacts, check_file, validate
from tests.fixtures.full import raw, small
from tests.fixtures.hubs import PUBLIC_KEY

OTHER = {"docker": "unix:///run/other.sock"}
SOURCE = "stacks/Pulumi.test.yaml"


def problems(sections: dict[str, Any]) -> list[str]:
    return check_file(sections, SOURCE)[1]


def _named(hosts: Any) -> dict[str, Any]:
    """Beside a hub that may have other hosts."""
    return {"hub": {"server": {"address": "203.0.113.5"}}, "hosts": hosts}


def _hub(**keys: Any) -> dict[str, Any]:
    return small(hub={"local": {}, **keys})


def _host(**keys: Any) -> dict[str, Any]:
    return small(hosts={"hub": keys})


_REACHED = {"access": {"admin_cidrs": ["192.0.2.0/24"]}, "ssh": {"public_key": PUBLIC_KEY}}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown section": (
        small(hubs={}),
        r"^hubs: unknown key, expected one of prefix, env, hub, hosts, metrics, access, cloud, ssh, docker, images",
    ),
    "unknown key": (
        _hub(retenton={}),
        r"^hub.retenton: unknown key, expected one of local, droplet, server, domain, .*retention",
    ),
    "unknown key deep down": (
        _host(logs={"files": {"web": {"path": "/a/b", "labls": {}}}}),
        r"^hosts.hub.logs.files.web.labls: unknown key, expected one of path, job, format, level_key, exclude, "
        "encoding, labels",
    ),
    "unknown image": (
        small(images={"redis": "x"}),
        r"^images.redis: unknown key, expected one of prometheus, thanos, loki",
    ),
    "wrong type": (_hub(ports={"https": "8443"}), r"^hub.ports.https: expected a whole number, got '8443'"),
    "a number for a text": (_hub(domain=5), r"^hub.domain: expected a text, got 5; put it in quotes"),
    "a list for a mapping": (_host(apps=["x"]), r"^hosts.hub.apps: expected a .*mapping.*got a list"),
    "hosts as a list": (small(hosts=["web"]), r"^hosts: expected a mapping of host names, got a list"),
    "an empty list for hosts": (small(hosts=[]), r"^hosts: expected a mapping of host names, got an empty list"),
    "an empty list for a host": (small(hosts={"hub": []}), r"^hosts.hub: expected a mapping.*got an empty list"),
    "false for a host": (small(hosts={"hub": False}), r"^hosts.hub: expected a mapping"),
    "hub left empty": (small(hub=None), r"^hub: expected a mapping"),
    "hub without a place": (small(hub={}), r"^hub: expected exactly one place: local, droplet or server .*, got none"),
    "duplicate ports": (
        _hub(ports={"https": 9000, "push": 9000}),
        r"^hub.ports: expected four different ports, but https and push are both 9000",
    ),
    "a port that is a default too": (_hub(ports={"https": 8480}), r"^hub.ports: .*http and https are both 8480"),
    "port out of range": (_hub(ports={"query": 70000}), r"^hub.ports.query: expected .*65535, got 70000"),
    "an expected container that can be none": (
        _host(expected=['db"']),
        r"^hosts.hub.expected.0: expected a container's name as `docker ps` shows it",
    ),
    "a container with thresholds that can be none": (
        _host(alerts={"containers": {"a b": {}}}),
        r"^hosts.hub.alerts.containers.\(key of 3 characters, not shown\): expected a container's name as `docker ps`",
    ),
    "postgres without a DSN": (_host(postgres={"main": {}}), r"^hosts.hub.postgres.main.dsn: missing"),
    "postgres left empty": (_host(postgres={"main": None}), r"^hosts.hub.postgres.main: expected a mapping"),
    "a DSN of another kind": (
        _host(postgres={"main": {"dsn": "mysql://u:p@h/d"}}),
        r"^hosts.hub.postgres.main.dsn: expected postgresql://user:password@host:port/database",
    ),
    "host name with a capital": (_named({"Web": {"local": OTHER}}), r"^hosts.Web: expected a DNS label"),
    "host name with a dot": (_named({"a.b": {"local": OTHER}}), r"^hosts.a.b: expected a DNS label"),
    "host name that is too long": (_named({"a" * 64: {"local": OTHER}}), r"expected a DNS label.* 63"),
    "host without a place": (_named({"web": {}}), r"^hosts.web: expected exactly one place: local"),
    "app without a port": (
        _host(apps={"shop": {"target": "shop-api"}}),
        r"^hosts.hub.apps.shop.target: expected host:port, such as api:8000 .*got 'shop-api'",
    ),
    "app as a URL": (_host(apps={"shop": {"target": "http://shop:8000"}}), r"apps.shop.target: expected host:port"),
    "app with port 0": (_host(apps={"shop": {"target": "shop:0"}}), r"apps.shop.target: expected host:port"),
    "app with a job of ours": (
        _host(apps={"loki": {"target": "a:1"}}),
        r"^hosts.hub.apps: reserved job names: `loki`; choose different names ",
    ),
    "log files with a job of ours": (
        _host(logs={"files": {"fleetwatch-changes": {"path": "/var/log/a/*.log"}}}),
        r"^hosts.hub.logs.files.fleetwatch-changes: the job `fleetwatch-changes` is reserved",
    ),
    "log files with the job of the audit log": (
        _host(logs={"files": {"a": {"path": "/var/log/a/*.log", "job": "fleetwatch-audit"}}}),
        r"^hosts.hub.logs.files.a: the job `fleetwatch-audit` is reserved",
    ),
    "log files with the job of containers": (
        _host(logs={"files": {"a": {"path": "/var/log/a/*.log", "job": "docker"}}}),
        r"^hosts.hub.logs.files.a: the job `docker` is reserved",
    ),
    "log files with the job of the journal": (
        _host(logs={"files": {"journal": {"path": "/var/log/a/*.log"}}}),
        r"^hosts.hub.logs.files.journal: the job `journal` is reserved",
    ),
    "a bare number as duration": (_hub(outage_budget=24), r"^hub.outage_budget: expected a duration such as 10s"),
    "a bare number as size": (_hub(body_limit=5), r"^hub.body_limit: expected a size such as 256KB"),
    "metrics kept for longer than Go can count": (
        _hub(retention={"metrics": "300y"}),
        r"^hub.retention.metrics: expected a duration of at most 100y, got '300y'",
    ),
    "metrics kept for a number that is no float": (
        {**_hub(), "hub": {"droplet": {"region": "fra1"}, "retention": {"metrics": f"{'9' * 400}y"}}, **_REACHED},
        r"^hub.retention.metrics: expected a duration of at most 100y",
    ),
    "a body that no 64 bits count": (
        _hub(body_limit="99999999999TB"),
        r"^hub.body_limit: expected a size of at most 1024TB, got '99999999999TB'",
    ),
    "a long block": (_hub(metrics_block="10y"), r"^hub.metrics_block: expected at most 2h, got '10y'"),
    "memory that Docker refuses": (
        _host(limits={"cadvisor": {"memory": "1B"}}),
        r"^hosts.hub.limits.cadvisor.memory: expected at least 6MB, Docker accepts no lower memory limit, got '1B'",
    ),
    "memory of the hub that Docker refuses": (
        _hub(limits={"loki": {"memory": "5MB"}}),
        r"^hub.limits.loki.memory: expected at least 6MB, Docker accepts no lower memory limit, got '5MB'",
    ),
    "logs kept for less than a day": (_hub(retention={"logs": "1h"}), r"^hub.retention.logs: expected "),
    "a budget longer than logs": (
        _hub(outage_budget="100d", retention={"logs": "90d"}),
        r"^hub.outage_budget: expected at most hub.retention.logs",
    ),
    "look-ahead": (_host(logs={"drop": [{"pattern": "(?=x)"}]}), r"drop.0.pattern: expected a regular expression"),
    "a back-reference": (_host(logs={"drop": [{"pattern": r"(a)\1"}]}), r"pattern: expected a regular expression"),
    "no filter at all": (_host(logs={"keep": [{}]}), r"^hosts.hub.logs.keep.0: expected exactly one of"),
    "a misspelt key of multiline": (
        _host(logs={"multiline": [{"contaner": "shop", "first_line": "x"}]}),
        r"^hosts.hub.logs.multiline.0.contaner: unknown key",
    ),
    "a relative log path": (_host(logs={"files": {"a": {"path": "x.log"}}}), r"files.a.path: expected an absolute"),
    "the root as log folder": (_host(logs={"files": {"a": {"path": "/*.log"}}}), r"at least one fixed folder"),
    "a label of ours": (
        _host(logs={"files": {"a": {"path": "/a/b", "labels": {"host": "x"}}}}),
        r"labels.host: `host` is reserved, fleetwatch sets it; choose a different name",
    ),
    "a compose project that is no name": (_host(logs={"projects": ["("]}), r"^hosts.hub.logs.projects.0: expected "),
    "a text for a place": (_named({"web": {"local": "here"}}), r"^hosts.web.local: expected a mapping"),
    "a text for a service": (
        _hub(alerts={"receivers": {"a": {"slack": "x"}}}),
        r"receivers.a.slack: expected a mapping",
    ),
    "an unknown receiver": (_hub(alerts={"default": "chat"}), r"^hub.alerts.default: expected the name of a receiver"),
    "a user name without a password": (
        _hub(
            alerts={
                "receivers": {
                    "a": {"email": {"to": "a@b.test", "sender": "c@d.test", "smarthost": "m:25", "username": "u"}}
                }
            }
        ),
        r"^hub.alerts.receivers.a.email.password: missing, this key is required beside `username`; `make",
    ),
    "a receiver without a service": (_hub(alerts={"receivers": {"a": {}}}), r"receivers.a: expected at least one of"),
    "a public subnet": (_host(subnet="8.8.8.0/24"), r"^hosts.hub.subnet: expected a private IPv4 network"),
    "a Docker Engine elsewhere": (
        _hub(local={"docker": "tcp://10.0.0.1:2375"}),
        r"^hub.local.docker: expected the address",
    ),
    "a public name for this machine": (
        _hub(domain="monitor.example.com"),
        r"^hub.domain: expected a name that ends in",
    ),
    "a pattern that only Python knows": (_host(logs={"drop": [{"pattern": "a++"}]}), r"drop.0.pattern: expected .*RE2"),
    "a rare scrape": (_host(scrape={"node": "3m"}), r"^hosts.hub.scrape.node: expected at most 2m"),
    "one Docker Engine twice": (
        _named({"a": {"local": OTHER}, "b": {"local": OTHER}}),
        r"^hosts.b.local: duplicate Docker Engine unix:///run/other.sock, already used by hosts.a; put the apps",
    ),
    "a host beside a hub on this machine": (
        small(hosts={"web": {"local": OTHER}}),
        r"^hosts.web: expected no host besides `hub`, a hub on this machine accepts no pushes of other hosts; collect",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(mistake: str) -> None:
    sections, pattern = MISTAKES[mistake]
    found = problems(sections)
    assert len(found) == 1, f"one mistake gives one problem, not its consequences too: {found}"
    assert re.search(pattern, found[0]), found[0]
    assert found[0].endswith(f" ({SOURCE})"), "the reader must learn which file to open"
    assert "\n" not in found[0], "one line each"


def test_all_mistakes_are_told_together() -> None:
    sections = raw(images={"redis": "x"})
    sections["hub"]["ports"] = {"https": 1, "push": 1}
    sections["hosts"]["Bad_Name"] = {"local": {"docker": "unix:///a"}, "networks": "x"}
    sections["hosts"]["hub"]["postgres"]["third"] = {}
    sections["hosts"]["hub"]["apps"]["shop"] = {"target": "nonsense", "intervall": "5s"}
    with pytest.raises(SettingsError) as caught:
        load(sections, SOURCE)
    places = [problem.split(":")[0] for problem in caught.value.problems]
    assert sorted(places) == sorted(
        [
            "images.redis",
            "hub.ports",
            "hosts.Bad_Name",
            "hosts.Bad_Name.networks",
            "hosts.hub.postgres.third.dsn",
            "hosts.hub.apps.shop.target",
            "hosts.hub.apps.shop.intervall",
        ]
    ), "every problem is reported in one go, and no consequence of another"
    assert str(caught.value).startswith("7 problems in the settings, nothing was changed:\n")


def test_problems_of_the_machine_are_reported_beside_those_of_the_file() -> None:
    sections = small(hosts={"hub": {"networks": ["shop", "gone"], "nonsense": 1}})
    settings, found = read(sections, SOURCE)
    assert settings is not None, "a file with a mistake is repaired, so that the machine can still be checked"
    docker = DockerFacts("20.10", None, frozenset({"bridge", "shop"}), (), 10 * 1024**3, 1024**3)
    facts = MachineFacts({"unix:///var/run/docker.sock": docker}, frozenset({8480}))
    found += validate(settings, machine=facts, cloud=None, encrypted=None)
    assert [problem.split(":")[0] for problem in found] == [
        "hosts.hub.nonsense",
        "hub.ports.http",
        "hub.retention.metrics_size",
        "hub.local",
        "hosts.hub.networks.1",
    ]
