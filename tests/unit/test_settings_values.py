"""Defaults, durations, sizes, and what the machine says about good settings."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import ValidationError

from configs import images
from configs.services import scrape_jobs
from configs.settings import IMAGE_KEYS, Settings, load
from configs.units import megabytes, parse_duration, parse_size, show_duration, show_size
from configs.validation import DockerFacts, MachineFacts, validate
from tests.fixtures.full import SOURCE, full, raw, small

SOCKET = "unix:///var/run/docker.sock"
GOOD = DockerFacts("20.10", None, frozenset({"bridge", "shop_default"}), (), 100 * 1024**3, 50 * 1024**3)


def _problems(settings: Settings, docker: DockerFacts, taken: frozenset[int] = frozenset()) -> list[str]:
    return validate(settings, machine=MachineFacts({SOCKET: docker}, taken), cloud=None, encrypted=None)


def _small(**sections: Any) -> Settings:
    return load(small(**sections), SOURCE)


def test_the_defaults_are_those_that_the_issue_names() -> None:
    settings = _small()
    edge = settings.edges["hub"]
    assert (settings.prefix, settings.env) == ("fleetwatch", "local")
    assert (edge.scrape.node, edge.scrape.cadvisor) == (15, 10), "scrapes: node 15 s, cAdvisor 10 s"
    assert edge.logs.agent == "promtail"
    assert settings.hub.outage_budget == 86400
    assert set(settings.hosts) == {"hub"}, "the hub watches itself even when no host is named"


def test_an_application_is_scraped_every_ten_seconds_unless_told_otherwise() -> None:
    settings = _small(hosts={"hub": {"apps": {"shop": {"target": "shop:8000"}}}})
    app = settings.edges["hub"].apps["shop"]
    assert (app.interval, app.path, app.scheme) == (10, "/metrics", "http")


def test_settings_cannot_be_changed_after_loading() -> None:
    settings: Any = _small()  # mypy refuses these assignments too
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.prefix = "other"
    with pytest.raises(ValidationError):
        settings.hub.domain = "other.example"


def test_equal_files_give_equal_settings_whatever_the_order() -> None:
    turned = {key: raw()[key] for key in reversed(raw())}
    turned["hosts"] = {key: turned["hosts"][key] for key in reversed(turned["hosts"])}
    assert load(turned, SOURCE) == full()
    assert list(load(turned, SOURCE).hosts) == list(full().hosts), "hosts come in one order, or resources would move"


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("1h30m", 5400), ("2y", 63072000), ("1w", 604800)])
def test_durations_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", 10, "10 s", "1.5h", "-1s", "0s", "10sec", None, True, "s"])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("512MB", 512 << 20), ("5GB", 5 << 30), ("1KiB", 1024), ("7B", 7), ("1tb", 1 << 40)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", 5, "5G", "1.5GB", "-5MB", "0MB", None, True])
def test_anything_else_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match=r"expected a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["101y", "300y", "99y53w", f"{'9' * 400}y", f"{'9' * 5000}s", f"1h{'9' * 5000}m"])
def test_a_duration_that_go_cannot_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration of at most 100y$"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1025TB", "99999999999TB", f"{'9' * 5000}B"])
def test_a_size_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a size of at most 1024TB$"):
        parse_size(text)


def test_the_largest_values_and_leading_zeros_are_read() -> None:
    assert (parse_duration("100y"), parse_duration(f"{'0' * 5000}5s")) == (100 * 365 * 86400, 5)
    assert (parse_size("1024TB"), parse_size(f"{'0' * 5000}5B")) == (1 << 50, 5)


@pytest.mark.parametrize("text", ["\u0661\u0660s", "\u0661\u0660MB"])
def test_digits_are_those_of_ascii(text: str) -> None:
    for parse in (parse_duration, parse_size):
        with pytest.raises(ValueError, match=r"^expected a (duration|size) such as"):
            parse(text)


@pytest.mark.parametrize("seconds", [1, 59, 60, 3600, 5400, 86400, 90061])
def test_a_shown_duration_is_read_back(seconds: int) -> None:
    assert parse_duration(show_duration(seconds)) == seconds


@pytest.mark.parametrize("size", [1, 1024, 1536, 5 << 20, 3 << 30])
def test_a_shown_size_is_read_back(size: int) -> None:
    assert parse_size(show_size(size)) == size


def test_megabytes_are_rounded_up() -> None:
    assert [megabytes(size) for size in (1, 1 << 20, (1 << 20) + 1)] == [1, 1, 2], "a limit never becomes 0: unlimited"


def test_a_good_machine_has_no_problems() -> None:
    assert _problems(_small(hosts={"hub": {"networks": ["shop_default"]}}), GOOD) == []


def test_without_docker_there_is_one_problem_and_no_guesses() -> None:
    gone = dataclasses.replace(GOOD, version=None, problem="it says: no")
    (problem,) = _problems(_small(), gone, frozenset({8443}))
    assert problem == f"hub.local.docker: expected a Docker Engine that answers, it says: no ({SOURCE})"


def test_a_taken_port_a_full_disk_and_an_overlapping_subnet_are_reported() -> None:
    bad = dataclasses.replace(GOOD, disk_free=1 << 20, subnets=("10.213.0.0/16", "fd00::/8"))
    found = _problems(_small(), bad, frozenset({8443}))
    assert [problem.split(":")[0] for problem in found] == ["hub.ports.https", "hub.local", "hosts.hub.subnet"]


def test_a_retention_larger_than_the_disk_is_reported_with_what_fits() -> None:
    (problem,) = _problems(_small(hub={"local": {}, "retention": {"metrics_size": "90GB"}}), GOOD)
    assert problem.startswith("hub.retention.metrics_size: expected at most 80GB (80 % of this disk), got 90GB")


@pytest.mark.parametrize("found", ["rootless", "with userns-remap"])
def test_an_engine_that_cannot_run_an_edge_is_a_problem(found: str) -> None:
    (problem,) = _problems(_small(), dataclasses.replace(GOOD, unsuited=found))
    assert problem.startswith(
        "hub.local.docker: expected a Docker Engine that runs as root and without user namespaces, "
    )
    assert f"the one at {SOCKET} is {found};" in problem


def test_local_hosts_beside_a_remote_hub_are_compared_with_their_own_docker_engine() -> None:
    hosts = {
        "a": {"local": {}, "networks": ["shop_default", "gone"], "logs": {"files": {"x": {"path": "/none/x.log"}}}},
        "b": {"local": {"docker": "unix:///run/b.sock"}, "networks": ["gone"]},
        "c": {"local": {"docker": "unix:///run/c.sock"}},
        "d": {"server": {"address": "203.0.113.9"}, "networks": ["gone"]},
    }
    settings = load({"hub": {"server": {"address": "203.0.113.5"}}, "hosts": hosts}, SOURCE)
    engines = {
        SOCKET: dataclasses.replace(GOOD, disk_free=1 << 20, subnets=("10.213.0.0/16",)),
        "unix:///run/b.sock": dataclasses.replace(GOOD, networks=frozenset({"gone"})),
        "unix:///run/c.sock": DockerFacts(None, "it says: no"),
    }
    facts = MachineFacts(engines, frozenset({443}), frozenset({"/none"}))
    found = validate(settings, machine=facts, cloud=None, encrypted=None)
    assert [problem.split(":")[0] for problem in found] == [
        "hosts.a.local",
        "hosts.a.networks.1",
        "hosts.a.subnet",
        "hosts.a.logs.files.x.path",
        "hosts.c.local.docker",
    ], "the hub's ports are another machine's"
    assert "expected 1536MB of free disk" in found[0], "an edge needs less than a hub"


def test_every_image_key_has_a_pin_and_an_override_wins() -> None:
    assert set(images.pins()) == set(IMAGE_KEYS), "an image without a pin cannot be deployed"
    settings = _small(images={"loki": "registry.example/loki:1"})
    assert images.resolve(settings.images) == {**images.pins(), "loki": "registry.example/loki:1"}


def test_what_must_arrive_follows_the_settings() -> None:
    jobs = scrape_jobs(full(), "hub")
    assert list(jobs) == [
        "node", "cadvisor", "agent", "promtail", "postgres", "sql", "probe",
        "redis", "mysql", "mongodb", "nginx", "memcached",
        "prometheus", "loki", "grafana", "caddy", "alertmanager", "backup",
        "ask", "rabbitmq", "push-gateway", "scaled", "shop", "slow", "vault",
    ]  # fmt: skip
    assert (jobs["node"], jobs["cadvisor"], jobs["slow"]) == (15, 10, 5), "with their intervals in seconds"
    assert list(scrape_jobs(full(), "web-1")) == ["node", "cadvisor", "agent", "alloy"]


def test_a_mistyped_network_gets_the_one_that_was_meant() -> None:
    settings = load(small(hosts={"hub": {"networks": ["shop_defualt", "warehouse"]}}), SOURCE)
    socket = settings.hosts["hub"].local
    assert socket is not None
    docker = dataclasses.replace(GOOD, networks=frozenset({"bridge", "shop_default", "fleetwatch-edge"}))
    found = validate(settings, machine=MachineFacts({socket.docker: docker}), cloud=None, encrypted=None)
    meant, unknown = [problem for problem in found if ".networks." in problem]
    assert meant.endswith(f"(shop_default), got 'shop_defualt'; did you mean shop_default? ({SOURCE})")
    assert unknown.endswith(f"got 'warehouse'; `docker network create warehouse` creates it ({SOURCE})")
