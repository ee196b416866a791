"""No setting can change what it stands in: a shell command, a Caddyfile, an ini file, a template, a query.

A walk over every text of a full stack file, and the values that each kind of text accepts and refuses.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from configs.settings import read
from configs.settings.secrets import secret_keys
from configs.validation import check_file
from tests.fixtures.fleets import SOURCE, fleet
from tests.fixtures.full import FULL, raw, small

# Texts that are free on purpose: what they stand in is dumped or quoted by a writer for that format.
FREE = {
    "hub.alerts.receivers.mail.email.username": "in YAML alone",
    "hosts.hub.apps.push-gateway.basic_auth.username": "in YAML alone",
    "hosts.hub.apps.push-gateway.keep.0": "in YAML alone",
    "hosts.hub.apps.push-gateway.keep.1": "in YAML alone",
    "hosts.hub.apps.push-gateway.drop.0": "in YAML alone",
    "hosts.hub.apps.push-gateway.labels.team": "in YAML alone",
    "hosts.hub.apps.scaled.labels.team": "in YAML, its dollar signs doubled in a replacement",
    "hub.alerts.receivers.team.jira.issue_type": "in YAML, for Alertmanager without { and }",
    "hub.alerts.receivers.team.jira.project": "in YAML, for Alertmanager without { and }",
    "hub.alerts.receivers.team.jira.resolve_transition": "in YAML, for Alertmanager without { and }",
    "hub.alerts.receivers.team.opsgenie.teams.0": "in YAML, for Alertmanager without { and }",
    "hosts.hub.logs.files.audit.path": "in YAML, quoted for Alloy, and one line each in shell variables",
    "hosts.hub.logs.files.nginx.path": "in YAML, quoted for Alloy, and one line each in shell variables",
    "hosts.hub.logs.files.nginx.labels.log_source": "in YAML, and quoted for Alloy",
    "hosts.hub.logs.files.audit.level_key": "quoted in a JMESPath expression",
    "hosts.hub.logs.drop.1.pattern": "in YAML, and quoted for Alloy and LogQL",
    "hosts.hub.logs.keep.2.pattern": "in YAML, and quoted for Alloy and LogQL",
}
HOSTILE = ("x; touch /tmp/x", "$(touch /tmp/x)", "`touch /tmp/x`", 'x" y', "{{ .Labels }}", "{$HOME}", "a b;c")


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path


def _with(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    sections = copy.deepcopy(EVERYTHING)
    node: Any = sections
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return sections


EVERYTHING: dict[str, Any] = raw(
    access={"cidrs": ["192.0.2.0/24"], "admin_cidrs": ["192.0.2.0/24"]},
    cloud={"range": "10.77.0.0/20"},
    ssh={"key": "~/.ssh/id_ed25519", "timeout": "10s"},
    images={"caddy": "docker.io/caddy:2.11.9"},
    prefix="fleetwatch",
)
EVERYTHING["hub"] |= {"domain": "monitor.example.com", "acme": {"email": "ops@example.com"}, "body_limit": "5MB"}
EVERYTHING["hub"] |= {"local": {"docker": "unix:///var/run/docker.sock", "files": "/var/lib/fleetwatch"}}
EVERYTHING["hub"]["grafana"]["admin_user"] = "admin"
EVERYTHING["hosts"]["hub"] |= {"expected": ["db"], "subnet": "10.213.77.0/24"}
EVERYTHING["hosts"]["web-1"].pop("logs")  # as those of the hub
EVERYTHING["hosts"]["vps"] = {
    "server": {
        "address": "203.0.113.7",
        "user": "deploy",
        "files": "/srv/fleetwatch",
        "bastion": {"address": "10.0.0.1"},
    },
    "via": "internet",
}
# In files of their own, never in an argument.
PLACES = [path for path in _texts(EVERYTHING) if path[-1] not in secret_keys() or path[0] == "ssh"]
NAMES = [".".join(map(str, path)) for path in PLACES]


def _problems(path: tuple[Any, ...], value: str) -> list[str]:
    name = ".".join(map(str, path))
    return [one for one in read(_with(path, value), SOURCE)[1] if one.startswith(f"{name}: ")]


def test_the_walk_meets_every_section() -> None:
    assert {path[0] for path in PLACES} == {"prefix", "env", "hub", "hosts", "access", "cloud", "ssh", "images"}
    assert len(PLACES) > 60
    assert set(FREE) <= set(NAMES), "an exception that is no text any more"
    assert set(FULL["hub"]["grafana"]["auth"]) == {"google", "github", "oidc"}


@pytest.mark.parametrize("path", PLACES, ids=NAMES)
@pytest.mark.parametrize("value", ["one\ntwo", "one\x00", "one\r"], ids=repr)
def test_no_text_has_control_characters(path: tuple[Any, ...], value: str) -> None:
    if path[-1] in ("ca", "cert"):  # files of several lines
        return
    assert _problems(path, value), "a line break begins another line of a script or a configuration"


STRICT = [name for name in NAMES if name not in FREE]


@pytest.mark.parametrize("name", STRICT)
@pytest.mark.parametrize("value", HOSTILE)
def test_no_text_reaches_a_shell_or_a_configuration_as_more_than_itself(name: str, value: str) -> None:
    path = PLACES[NAMES.index(name)]
    assert _problems(path, value), f"{value} is accepted"


@pytest.mark.parametrize("name", [name for name, why in FREE.items() if "without { and }" in why])
def test_no_text_of_a_receiver_is_a_template(name: str) -> None:
    assert _problems(PLACES[NAMES.index(name)], "{{ .Labels }}")


IMAGES = {
    True: (
        "caddy", "caddy:2.11.9-alpine", "docker.io/prom/prometheus:v3.15.0", "localhost:5000/x/y:1", "a/b-c/d_e.f",
        f"caddy:2@sha256:{'0' * 64}", f"registry.example.com/caddy@sha256:{'a' * 64}", "[2001:db8::1]:5000/x:1",
        "localhost:65535/x", "localhost:1/x",
        "fleetwatch.local/caddy:2.11.9-offline-1", "192.0.2.1/x",
    ),
    False: (
        "", "caddy:2; touch x", "Caddy", "caddy:", "caddy:2 x", "-caddy", "caddy@sha256:12", "https://x/caddy", "a//b",
        "caddy:-x", "a/b:c:d", "x" * 256, "localhost:0/x", "localhost:65536/x",
        "registry.example.com:99999/caddy:2", f"localhost:{'9' * 5000}/x", "$IMAGE", "caddy\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("good", "image"), [(good, image) for good, images in IMAGES.items() for image in images])
def test_an_image_is_a_reference(good: bool, image: str) -> None:
    found = check_file(small(images={"caddy": image}), SOURCE)[1]
    assert (found == []) is good, found
    if not good:
        assert found[0].startswith("images.caddy: expected an image reference name[:tag][@digest], such as ")


NETWORKS = {True: ("shop", "shop_default", "a.b-c", "0"), False: ("*", "a b", "", "-x", "_x", "a/b", "ä", "a;b")}


@pytest.mark.parametrize(("good", "name"), [(good, name) for good, names in NETWORKS.items() for name in names])
def test_a_network_is_named_by_dockers_rule(good: bool, name: str) -> None:
    found = check_file(small(hosts={"hub": {"networks": [name]}}), SOURCE)[1]
    assert (found == []) is good, found
    if not good:
        assert found[0].startswith("hosts.hub.networks.0: expected a Docker network's name as `docker network ls`")


@pytest.mark.parametrize("name", ["bridge", "default", "host", "none"])
def test_a_network_that_is_built_into_docker_is_refused(name: str) -> None:
    """`docker network connect host` fails at the end of `up`, and in the others no name is found."""
    (problem,) = check_file(small(hosts={"hub": {"networks": ["shop", name]}}), SOURCE)[1]
    assert problem.startswith(f"hosts.hub.networks.1: `{name}` is built into Docker, ")
    assert "expected a network that was made with `docker network create`" in problem


def test_usual_values_are_accepted() -> None:
    """Refusing what people really write would be as wrong."""
    hub: dict[str, Any] = {
        "local": {"files": "~/my files/fleetwatch"},
        "alerts": {
            "receivers": {
                "a": {
                    "email": {
                        "to": "ops@example.com, Ops Team <o'brien+x@mail.example.com>",
                        "sender": "Fleet Watch <fleet@example.com>",
                        "smarthost": "smtp.example.com:587",
                        "username": "AKIA/user name",
                        "password": "planted",
                    }
                },
                "b": {
                    "slack": {"url": "https://hooks.slack.com/services/T0/B0/x?y=%20", "channel": "#ops-überwachung"}
                },
            },
            "group_by": ["..."],
            "runbooks": "https://wiki.example.com/a/b?c=d#e",
        },
        "grafana": {
            "auth": {
                "google": {
                    "client_id": "1234-ab_c.apps.googleusercontent.com",
                    "client_secret": "GOCSPX-x;#$%",
                    "allowed_domains": ["Example.com"],
                },
                "oidc": {
                    "name": "Acme & Söhne SSO",
                    "client_id": "0a1b2c3d-0000-4000-8000-000000000000",
                    "client_secret": "x",
                    "auth_url": "https://login.example.com/realms/a/protocol/openid-connect/auth?x=%20y",
                    "token_url": "https://login.example.com:8443/token",
                    "api_url": "https://login.example.com/userinfo",
                    "scopes": "openid api://fleet/.default profile",
                    "roles": {"admin": ["@acme/ops", "o'brien", "Grafana Admins", "a@b.example"]},
                },
            }
        },
    }
    app = {"target": "[fd00::1]:9", "path": "/actuator/prometheus;a=b/%20~x"}
    logs = {"files": {"a": {"path": "/var/log/my app/{a,b}/*.log", "format": "json", "level_key": "log.level $x"}}}
    assert check_file(small(hub=hub, hosts={"hub": {"apps": {"a": app}, "logs": logs}}), SOURCE)[1] == []


@pytest.mark.parametrize("cidr", ["fe80::%x y/64", "fe80::1%eth0/128", "192.0.2.0/24 0.0.0.0/0"])
def test_a_network_has_no_zone_and_is_only_one(cidr: str) -> None:
    """Python accepts any text as an IPv6 zone, and the Caddyfile would get it."""
    (problem,) = check_file(fleet(access={"admin_cidrs": ["192.0.2.0/24"], "cidrs": [cidr]}), SOURCE)[1]
    assert problem.startswith("access.cidrs.0: expected a network")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_threshold_is_a_number(value: float) -> None:
    hub = {"local": {}, "alerts": {"thresholds": {"load_per_core": value}}}
    (problem,) = check_file(small(hub=hub), SOURCE)[1]
    assert problem.startswith("hub.alerts.thresholds.load_per_core: expected a number")
