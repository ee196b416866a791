"""configs/compose.py: an edge's folder and its Compose project."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pulumi
import pytest
import yaml

from components.edge import PIECE, _pieces
from components.late import LateValues
from configs import compose, deployment, services
from configs.deploy import bundle, fed
from configs.render.dump import to_yaml
from configs.services.container import Container, container, published
from configs.services.context import Context
from configs.services.spec import File, HealthCheck, Late, Port, Service, ServiceSpec, text
from configs.settings import load
from tests.fixtures.fleets import cluster
from tests.fixtures.full import SECRETS, SOURCE, full, raw

SERVICE = Service(image="x", licence="MIT", limits="x", memory=1, cpus=1.0, jobs=())
SPEC = ServiceSpec(role="x", service=SERVICE, limits=(64 * 1024**2, 0.5), health=HealthCheck(("true",)), scrape=None)
PORTS = (Port(443, 8443, "everyone"), Port(80, 8080, "private"), Port(9090, 9080, "loopback"))


def _context(name: str = "hub") -> Context:
    return deployment.context(full(), name, "/srv/fw/fleetwatch", "/var/run/docker.sock")


def _project(context: Context) -> dict[str, Any]:
    specs = services.edge_specs(context)
    images = {spec.service.image: f"registry.example.com/{spec.service.image}:1" for spec in specs}
    found: dict[str, Any] = yaml.safe_load(compose.compose_yaml(context, compose.containers(context, specs, images)))
    return found


def _one(**changes: Any) -> Container:
    return container(replace(SPEC, **changes), stack="fw", host="h", base="/b/edge", image="x:1")


def _service(private: str | None = None, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = compose._service(_one(**changes), "/b/edge", private)
    return found


@pytest.mark.parametrize("name", ["hub", "web-1"])
def test_our_own_files_are_mounted_by_relative_paths_and_the_hosts_by_absolute_ones(name: str) -> None:
    """So that the folder works wherever it is."""
    context = _context(name)
    binds = {
        mount["source"]
        for service in _project(context)["services"].values()
        for mount in service["volumes"]
        if mount["type"] == "bind"
    }
    assert "/srv/fw" not in yaml.safe_dump(_project(context))
    relative = {source for source in binds if not source.startswith("/")}
    assert {"./agent/config", "./agent/secrets"} <= relative
    assert all(re.match(r"^\./([a-z0-9-]+/(config|secrets)|hosts)$", source) for source in relative)
    assert {"/", "/sys", "/var/run/docker.sock"} <= binds
    assert ("./hosts" in relative) is context.hub_by_address


def test_a_host_that_knows_several_nodes_does_not_wait_long_for_one() -> None:
    settings = cluster(hosts={"web": {"droplet": {}}})
    for name, several in (("web", True), ("hub-b", False)):
        services_of = _project(deployment.context(settings, name, "/srv/fw/fleetwatch", "/var/run/docker.sock"))[
            "services"
        ]
        limited = {role for role, one in services_of.items() if one.get("sysctls") == {"net.ipv4.tcp_syn_retries": "2"}}
        assert limited == ({"agent", "promtail"} if several else set())
    assert all("sysctls" not in one for one in _project(_context("web-1"))["services"].values()), "one hub has no other"


def test_a_folder_whose_name_begins_like_ours_is_not_ours() -> None:
    binds = {"/b/edge": "/a", "/b/edges/x": "/c", "/b/edge/x/data": "/d"}
    assert {mount["target"]: mount["source"] for mount in _service(binds=binds)["volumes"]} == {
        "/a": "/b/edge", "/c": "/b/edges/x", "/d": "./x/data"
    }  # fmt: skip


@pytest.mark.parametrize("where", ["command", "entrypoint", "environment", "health"])
def test_a_dollar_sign_reaches_the_container_as_one(where: str) -> None:
    words = ("A=$HOME", "${X:-y}", "$$", "plain")
    given: dict[str, Any] = {where: HealthCheck(words) if where == "health" else words}
    service = _service(**given)
    found = service["healthcheck"]["test"][1:] if where == "health" else service[where]
    assert found == ["A=$$HOME", "$${X:-y}", "$$$$", "plain"], "Compose would put its own variable there"


def test_no_dollar_sign_of_ours_is_left_to_compose() -> None:
    """Wherever it stands: paths, labels and names included."""
    for name in ("hub", "web-1"):
        rest = yaml.safe_dump(_project(_context(name)), width=10000).replace("$$", "")
        assert "$" not in rest


@pytest.mark.parametrize("name", ["hub", "web-1"])
def test_equal_settings_give_equal_bytes(name: str) -> None:
    made = []
    for settings in (full(), load({key: value for key, value in reversed(raw().items())}, SOURCE)):
        context = deployment.context(settings, name, "/b", "/var/run/docker.sock")
        specs = services.edge_specs(context)
        images = {spec.service.image: "x:1" for spec in specs}
        made.append(compose.compose_yaml(context, compose.containers(context, specs, images)))
    assert made[0] == made[1]


def test_only_the_hubs_own_edge_is_on_the_hubs_network() -> None:
    """Which the hub makes: an update or removal of the edge must not touch it."""
    hub, other = _project(_context("hub")), _project(_context("web-1"))
    assert hub["networks"]["hub"] == {"name": "fleetwatch-hub", "external": True}
    assert set(other["networks"]) == {"edge"}
    on_it = {role for role, one in hub["services"].items() if "hub" in one.get("networks", {})}
    assert on_it == {"agent", "promtail"}, "those that push"


def test_the_network_of_an_edge_has_the_gateway_that_the_node_exporter_listens_on() -> None:
    project = _project(_context())
    (pool,) = project["networks"]["edge"]["ipam"]["config"]
    assert pool == {"subnet": "10.213.77.0/24", "gateway": "10.213.77.1"}
    assert "--web.listen-address=10.213.77.1:9100" in project["services"]["node-exporter"]["command"]


def test_networks_of_the_user_are_no_part_of_the_project() -> None:
    """One that is gone would keep every container from starting."""
    assert full().edges["hub"].networks
    listed = yaml.safe_dump(_project(_context()))
    assert not [network for network in full().edges["hub"].networks if network in listed]


def test_the_root_of_the_host_is_left_to_docker() -> None:
    """It follows new mounts of / by itself where the host allows it; asked for, it would refuse where not."""
    for service in _project(_context())["services"].values():
        assert not [one for one in service["volumes"] if one["source"] == "/" and "bind" in one]


def test_nothing_secret_is_in_the_project() -> None:
    for name in ("hub", "web-1"):
        context = _context(name)
        specs = services.edge_specs(context)
        clear = [yaml.safe_dump(_project(context)), compose.readme(context)]
        late = Late(hub_ca="ca", passwords=_Passwords(), scraper={})
        clear += [found for spec in specs for found in compose.files(spec, late).values()]
        hidden = compose.secrets(specs, late)
        for secret in (*SECRETS.values(), "planted-s3cret"):
            assert not [one for one in clear if secret in one], secret
        assert any("planted-s3cret" in one for one in hidden.values()), "or this test would see no leak"
    assert not [path for path in hidden if path.split("/")[1] != "secrets"]


class _Passwords(dict[str, str]):
    def __missing__(self, _: str) -> str:
        return "planted-s3cret"


@pytest.mark.parametrize(
    ("private", "expected"), [(None, ["0.0.0.0", "127.0.0.1"]), ("10.0.0.5", ["", "0.0.0.0", "127.0.0.1"])]
)
def test_ports_are_published_on_the_address_that_is_meant(private: str | None, expected: list[str]) -> None:
    """A host without a private address does not publish that port, least of all on every address."""
    found = [address for _, address in published(_one(ports=PORTS), private=private is not None)]
    assert found == expected
    ports = _service(private, ports=PORTS)["ports"]
    assert {port["target"]: port["host_ip"] for port in ports} == {
        443: "0.0.0.0", 9090: "127.0.0.1", **({80: private} if private else {})
    }  # fmt: skip
    assert ports[-1] == {"target": 9090, "published": "9080", "host_ip": "127.0.0.1", "protocol": "tcp"}


def test_no_edge_publishes_a_port() -> None:
    for name in ("hub", "web-1"):
        assert not [role for role, one in _project(_context(name))["services"].items() if "ports" in one]


def test_the_hosts_file_and_the_readme_say_what_they_are_for() -> None:
    assert compose.hosts(["10.0.0.5"], "10.213.77.1") == (
        "127.0.0.1 localhost\n::1 localhost\n10.0.0.5 hub.fleetwatch.internal\n10.213.77.1 host.docker.internal\n"
    )
    readme = compose.readme(_context("web-1"))
    assert "host web-1 (environment full)" in readme
    assert "label=fleetwatch.stack=fleetwatch" in readme
    assert "{" not in readme
    assert "not a Prometheus agent while the hub is down" in readme, "its restart loses what it has not sent"


@pytest.mark.parametrize("size", [0, 10, PIECE - 200, PIECE, 3 * PIECE + 7, 12 * PIECE])
@pytest.mark.parametrize("letter", ["x", "\u00e4"])
def test_files_of_a_role_are_cut_into_variables_that_join_to_the_same_text(size: int, letter: str) -> None:
    """A variable of the environment holds 128 KB."""
    lines = "".join(f"{number} {letter * 90}\n" for number in range(size // 100))
    spec = replace(SPEC, files={"a.yml": text(lines + "end\n"), "b.yml": File(lambda late: late.hub_ca, ("hub_ca",))})
    late = Late(hub_ca="certificate")
    whole = bundle(compose.files(spec, late), whole=False)
    made = asyncio.run(_variables(spec, {"hub_ca": late.hub_ca}))
    variables = re.findall(r'"\$(\w+)"', fed(sorted(made)))
    assert variables[0] == "SCRIPT"
    assert "".join(made[name] for name in variables[1:]) == whole, "in the order in which they are sent"
    assert max(len(piece.encode()) for piece in made.values()) < 128 * 1024 - 100
    assert len(made) == 1 + len(whole.encode()) // PIECE or len(made) == 1 + (len(whole.encode()) - 30) // PIECE


async def _variables(spec: ServiceSpec, late: LateValues) -> dict[str, str]:
    found = {}
    for name, piece in _pieces("FILES_X", spec, late).items():
        value = await pulumi.Output.from_input(piece).future()
        assert value is not None
        found[name] = value
    return found


def test_yaml_is_written_by_the_one_dialect() -> None:
    context = _context()
    specs = services.edge_specs(context)
    images = {spec.service.image: "x:1" for spec in specs}
    written = compose.compose_yaml(context, compose.containers(context, specs, images))
    assert written.startswith("# ")
    assert to_yaml(yaml.safe_load(written), written.splitlines()[0].removeprefix("# ")) == written
