"""vmagent: the same jobs and labels as the Prometheus agent, a queue for the outage budget, what needs a restart."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from configs import names, rules
from configs.rules import agents
from configs.services import LOST, agent, vmagent
from configs.services.spec import RELOAD_BY_HUP, RESTART, restart_if, restarts
from configs.settings import load
from tests.fixtures import fleets, rendering
from tests.fixtures.full import SOURCE, full, small

VPS = {"server": {"address": "203.0.113.7"}, "via": "internet", "rotation": 2}


def test_both_agents_read_the_same_scrape_jobs() -> None:
    settings = full()
    context = rendering.context(settings, "hub")
    ours = yaml.safe_load(vmagent.config(context).replace(vmagent.CONFIG, agent.CONFIG))
    other = yaml.safe_load(agent.config(context))
    for config, app_keys in ((ours, vmagent.app_keys), (other, agent.app_keys)):
        for job in config["scrape_configs"]:
            app = settings.edges["hub"].apps.get(job["job_name"])
            for key, value in (app_keys(app) if app is not None else {}).items():
                assert job.pop(key) == value
    assert ours["scrape_configs"] == other["scrape_configs"]
    assert set(ours) == {"scrape_configs"}, "external labels become `exported_host` in vmagent"
    labels = {"env": "full", "host": "hub"}
    for job in ours["scrape_configs"]:
        assert all(labels.items() <= group["labels"].items() for group in job.get("static_configs", [])), job[
            "job_name"
        ]


@pytest.mark.parametrize(
    ("raw", "of_hub", "of_vps"),
    [
        ({}, "prometheus", "prometheus"),
        ({"metrics": {"agent": "vmagent"}}, "vmagent", "vmagent"),
        ({"metrics": {"agent": "vmagent"}, "own": {"agent": "prometheus"}}, "vmagent", "prometheus"),
        ({"own": {"agent": "vmagent"}}, "prometheus", "vmagent"),
    ],
)
def test_a_host_takes_the_fleets_agent_unless_it_has_an_own_one(raw: dict[str, Any], of_hub: str, of_vps: str) -> None:
    sections = fleets.hosts(**{"vps-1": {**VPS, **({"metrics": raw["own"]} if "own" in raw else {})}})
    settings = load({**sections, **({"metrics": raw["metrics"]} if "metrics" in raw else {})}, SOURCE)
    assert settings.edges["hub"].metrics.agent == of_hub
    assert settings.edges["vps-1"].metrics.agent == of_vps


def test_a_host_without_an_own_rate_takes_the_fleets() -> None:
    sections = fleets.hosts(**{"vps-1": {**VPS, "metrics": {"agent": "vmagent"}}})
    settings = load({**sections, "metrics": {"sample_rate": 2000}}, SOURCE)
    assert (settings.edges["vps-1"].metrics.agent, settings.edges["vps-1"].metrics.sample_rate) == ("vmagent", 2000)


def test_the_queue_holds_the_expected_samples_of_the_budget_and_one_file_at_least() -> None:
    def size(rate: int) -> int:
        return vmagent.queue_size(load(small(metrics={"agent": "vmagent", "sample_rate": rate}), SOURCE), "hub")

    assert size(1000) == 1000 * 86400 * vmagent.BYTES_PER_SAMPLE
    assert size(1) == vmagent.LEAST
    settings = load(small(metrics={"agent": "vmagent", "sample_rate": 1000}), SOURCE)
    assert f"-remoteWrite.maxDiskUsagePerURL={size(1000)}" in vmagent.command(settings, "hub")


def test_the_credential_of_an_internet_host_is_in_a_file_and_its_arguments_in_another() -> None:
    settings = load({**fleets.hosts(**{"vps-1": VPS}), "metrics": {"agent": "vmagent"}}, SOURCE)
    text = vmagent.remote_write(rendering.context(settings, "vps-1"))
    assert text.splitlines()[:3] == [
        "-remoteWrite.url=https://hub.fleetwatch.internal/api/v1/write",
        "-remoteWrite.basicAuth.username=vps-1.2",
        "-remoteWrite.basicAuth.passwordFile=/run/secrets/fleetwatch/password-2",
    ]
    (spec,) = vmagent.specs(rendering.context(settings, "vps-1"))
    assert not [word for word in (*spec.command, *spec.entrypoint) if names.NO_DOMAIN in word or "password-2" in word]


def test_nobody_outside_of_its_container_can_push_to_it() -> None:
    settings = load(small(metrics={"agent": "vmagent"}), SOURCE)
    assert "-httpListenAddr=127.0.0.1:9090" in vmagent.command(settings, "hub")


@pytest.mark.parametrize(("changed", "restart"), [(["remote-write"], True), (["prometheus.yml"], False)])
def test_arguments_need_a_restart_and_jobs_a_reload(changed: list[str], restart: bool) -> None:
    lines = restart_if(vmagent.REMOTE_WRITE)
    assert restarts(lines, changed) is restart
    assert RESTART in lines
    assert RELOAD_BY_HUP in lines


def test_the_preview_names_what_each_agent_loses() -> None:
    assert "vmagent keeps them" in LOST["agent"]


MIXED = load(
    {**fleets.hosts(**{"vps-1": {**VPS, "metrics": {"agent": "vmagent"}}}), "metrics": {"agent": "prometheus"}}, SOURCE
)


@pytest.mark.parametrize(
    ("matchers", "kinds"),
    [
        ("", ["prometheus", "vmagent"]),
        (',host="vps-1"', ["vmagent"]),
        (',host="hub",container="x"', ["prometheus"]),
        (',host!~"vps-1|other"', ["prometheus"]),
        (',host!~"hub"', ["vmagent"]),
    ],
)
def test_an_expression_has_the_variants_of_the_hosts_that_it_is_about(matchers: str, kinds: list[str]) -> None:
    assert agents.kinds(MIXED, matchers) == kinds


def test_no_rule_names_the_metrics_of_an_agent_that_no_host_has() -> None:
    for kind, other in (("prometheus", "vmagent_"), ("vmagent", "prometheus_remote_storage_")):
        settings = load(small(metrics={"agent": kind}), SOURCE)
        text = "\n".join(rules.files(settings, "https://grafana").values())
        assert other not in text
