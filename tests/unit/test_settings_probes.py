"""Probes in the stack file, and the exporter's configuration and targets that they become."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from configs.services import agent, blackbox_exporter
from configs.settings import load
from configs.validation import check_file
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, raw, small


def _problems(**probe: Any) -> list[str]:
    return check_file(small(hosts={"hub": {"probes": {"shop": probe}}}), SOURCE)[1]


@pytest.mark.parametrize(
    ("probe", "problem"),
    [
        ({}, ": expected exactly one of http, tcp, icmp, dns, got none"),
        ({"http": "https://a/", "tcp": "a:1"}, ": expected exactly one of http, tcp, icmp, dns, got http and tcp"),
        ({"htp": "https://a/"}, ".htp: unknown key, expected one of http, tcp, "),
        ({"http": "shop.example.com"}, ".http: expected a URL that begins with https:// or http://"),
        ({"http": "https://u:hunter2@a/"}, ".http: expected a URL without a user and a password"),
        ({"tcp": "localhost:1"}, ".tcp: expected a name or an address as seen from a container"),
        ({"tcp": "a:1", "status": [200]}, ".status: expected none beside `tcp`"),
        ({"http": "https://a/", "tls": True}, ".tls: expected true beside `tcp` alone"),
        ({"http": "https://a/", "status": [99]}, ".status.0: expected at least 100"),
        ({"icmp": "a b"}, ".icmp: expected the name or the address of a host"),
        ({"dns": {"name": "a"}}, ".dns.server: missing, this key is required"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(probe: dict[str, Any], problem: str) -> None:
    (found,) = _problems(**probe)
    assert found.startswith(f"hosts.hub.probes.shop{problem}"), found
    assert "hunter2" not in found


def test_each_probe_is_a_module_and_a_target_of_one_job() -> None:
    modules = yaml.safe_load(blackbox_exporter.config(full().edges["hub"]))["modules"]
    assert {name: one["prober"] for name, one in modules.items()} == {
        "site": "http", "mail": "tcp", "router": "icmp", "names": "dns"
    }  # fmt: skip
    assert modules["site"]["http"]["valid_status_codes"] == [200, 401]
    assert modules["mail"]["tcp"]["tls"] is True
    config = yaml.safe_load(agent.config(rendering.context(full(), "hub")))
    (job,) = [one for one in config["scrape_configs"] if one["job_name"] == "probe"]
    assert (job["scrape_interval"], job["scrape_timeout"]) == ("30s", "10s")
    groups = {group["labels"]["probe"]: group for group in job["static_configs"]}
    assert groups["site"]["targets"] == ["fleetwatch-blackbox-exporter:9115"]
    assert groups["site"]["labels"] == {
        "env": "full",
        "host": "hub",
        "probe": "site",
        "instance": "https://shop.example.com/health",
        "__metrics_path__": "/probe",
        "__param_module": "site",
        "__param_target": "https://shop.example.com/health",
    }


def test_a_probe_of_dns_on_another_edge_is_in_its_own_agent() -> None:
    sections = raw()
    dns = {"name": "shop.example.com", "server": "203.0.113.53", "type": "MX"}
    sections["hosts"]["web-1"]["probes"] = {"records": {"dns": dns}}
    settings = load(sections, SOURCE)
    found = {}
    for host in ("hub", "web-1"):
        jobs = yaml.safe_load(rendering.agent_config(settings, host))["scrape_configs"]
        (job,) = [one for one in jobs if one["job_name"] == "probe"]
        found[host] = {group["labels"]["probe"]: group["labels"] for group in job["static_configs"]}
    assert list(found["web-1"]) == ["records"]
    assert "records" not in found["hub"]
    assert found["web-1"]["records"] == {
        "env": "full",
        "host": "web-1",
        "probe": "records",
        "instance": "203.0.113.53",
        "__metrics_path__": "/probe",
        "__param_module": "records",
        "__param_target": "203.0.113.53",
    }
    module = yaml.safe_load(blackbox_exporter.config(settings.edges["web-1"]))["modules"]["records"]
    assert module["prober"] == "dns"
    assert (module["dns"]["query_name"], module["dns"]["query_type"]) == ("shop.example.com", "MX")
